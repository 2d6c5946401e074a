-- Jobs, history, feed, workers, artifacts.

-- The hot table. `key` is the time and counter inside the public id, so that rows lie in the order of their making and
-- a public id needs no index. One partial index holds what is ready, one what is held, one what waits for its time.
create table jobs (
    key integer not null primary key,
    job_id text not null,
    tenant text not null,
    project text,
    run_id text,
    source_id text,
    job_type text not null,
    priority integer not null check (priority between 0 and 100),
    state text not null check (state in
        ('pending', 'queued', 'leased', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped')),
    wait_reason text,
    next_eligible_at integer,
    not_before integer,
    payload_digest text not null,
    payload_size integer not null,
    -- Small payloads lie here; others in job_payloads, or, beyond 64 KiB, in the blobs.
    payload text,
    idempotency_key text,
    attempt integer not null,
    max_attempts integer not null check (max_attempts > 0),
    timeout_s integer not null check (timeout_s > 0),
    lease_id text,
    lease_epoch integer not null,
    -- Set as long as the job is held, and only then.
    lease_until integer,
    worker_id text,
    ack_timeouts integer not null,
    progress real not null,
    progress_message text,
    processed integer not null,
    total integer not null,
    error_code text,
    error_class text,
    error_message text,
    replay_of text,
    correlation_id text not null,
    created_by text not null,
    outputs_hash text,
    created_at integer not null,
    queued_at integer,
    started_at integer,
    attempt_started_at integer,
    ended_at integer,
    cancel_requested_at integer,
    version integer not null,
    check ((state = 'pending') = (wait_reason is not null)),
    check ((state in ('leased', 'running')) = (lease_until is not null)),
    check (lease_until is null or (lease_id is not null and worker_id is not null))
) strict;
create index jobs_ready on jobs (job_type, priority, queued_at) where state = 'queued';
create index jobs_held on jobs (lease_until) where lease_until is not null;
create index jobs_waiting on jobs (next_eligible_at) where state = 'pending';
create index jobs_failed on jobs (tenant, state, key) where state in ('failed', 'timed_out', 'cancelled', 'skipped');
create index jobs_of_run on jobs (run_id, key) where run_id is not null;
create index jobs_of_source on jobs (source_id, key) where source_id is not null;
-- Only keys that a caller gave; those made from the id cannot meet.
create unique index jobs_idempotency on jobs (tenant, job_type, idempotency_key) where idempotency_key is not null;

create table job_payloads (
    key integer not null primary key,
    payload text not null
) strict;

create table job_results (
    key integer not null primary key,
    result text not null
) strict;

-- Where each tenant's chain and feed stand.
create table chains (
    tenant text not null primary key,
    history_seq integer not null,
    last_hash text not null,
    feed_seq integer not null
) strict, without rowid;

create table history (
    tenant text not null,
    seq integer not null,
    event_id text not null,
    job_key integer,
    job_id text,
    run_id text,
    entity text not null,
    type text not null,
    from_state text,
    to_state text,
    attempt integer,
    lease_epoch integer,
    subject text not null,
    scopes text not null,
    reason text,
    ticket text,
    correlation_id text not null,
    occurred_at integer not null,
    data_digest text not null,
    data text not null,
    prev_hash text not null,
    hash text not null,
    primary key (tenant, seq)
) strict, without rowid;
create index history_of_job on history (job_key, seq) where job_key is not null;
create index history_of_run on history (run_id, seq) where run_id is not null;
create trigger history_keeps_rows before delete on history
begin
    select raise(abort, 'history is append-only');
end;
create trigger history_keeps_values before update on history
begin
    select raise(abort, 'history is append-only');
end;

create table feed (
    tenant text not null,
    seq integer not null,
    type text not null,
    entity text not null,
    id text not null,
    run_id text,
    correlation_id text not null,
    at integer not null,
    data text not null,
    primary key (tenant, seq)
) strict, without rowid;

create table workers (
    worker_id text not null primary key,
    name text not null,
    version text not null,
    hostname text not null,
    job_types text not null,
    concurrency integer not null,
    draining integer not null check (draining in (0, 1)),
    started_at integer not null,
    last_heartbeat_at integer not null
) strict;

create table artifacts (
    artifact_id text not null primary key,
    tenant text not null,
    job_key integer not null,
    job_id text not null,
    run_id text,
    name text not null,
    kind text not null,
    media_type text not null,
    size_bytes integer not null,
    digest text not null,
    created_at integer not null,
    unique (job_key, name)
) strict;
create index artifacts_by_digest on artifacts (tenant, digest);
