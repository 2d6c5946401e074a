-- Jobs, history, feed, workers, artifacts.

-- Text compares by bytes, as in SQLite; else the two would sort differently.

-- The hot table. `key` is the time and counter inside the public id, so that rows lie in the order of their making and
-- a public id needs no index. One partial index holds what is ready, one what is held, one what waits for its time.
create table jobs (
    key bigint not null primary key,
    job_id text collate "C" not null,
    tenant text collate "C" not null,
    project text collate "C",
    run_id text collate "C",
    source_id text collate "C",
    job_type text collate "C" not null,
    priority bigint not null check (priority between 0 and 100),
    state text collate "C" not null check (state in
        ('pending', 'queued', 'leased', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'skipped')),
    wait_reason text collate "C",
    next_eligible_at bigint,
    not_before bigint,
    payload_digest text collate "C" not null,
    payload_size bigint not null,
    -- Small payloads lie here; others in job_payloads, or, beyond 64 KiB, in the blobs.
    payload text collate "C",
    idempotency_key text collate "C",
    attempt bigint not null,
    max_attempts bigint not null check (max_attempts > 0),
    timeout_s bigint not null check (timeout_s > 0),
    lease_id text collate "C",
    lease_epoch bigint not null,
    -- Set as long as the job is held, and only then.
    lease_until bigint,
    worker_id text collate "C",
    ack_timeouts bigint not null,
    progress double precision not null,
    progress_message text collate "C",
    processed bigint not null,
    total bigint not null,
    error_code text collate "C",
    error_class text collate "C",
    error_message text collate "C",
    replay_of text collate "C",
    correlation_id text collate "C" not null,
    created_by text collate "C" not null,
    outputs_hash text collate "C",
    created_at bigint not null,
    queued_at bigint,
    started_at bigint,
    attempt_started_at bigint,
    ended_at bigint,
    cancel_requested_at bigint,
    version bigint not null,
    check ((state = 'pending') = (wait_reason is not null)),
    check ((state in ('leased', 'running')) = (lease_until is not null)),
    check (lease_until is null or (lease_id is not null and worker_id is not null))
);
create index jobs_ready on jobs (job_type, priority, queued_at, key) where state = 'queued';
create index jobs_held on jobs (lease_until) where lease_until is not null;
create index jobs_waiting on jobs (next_eligible_at) where state = 'pending';
create index jobs_failed on jobs (tenant, state, key) where state in ('failed', 'timed_out', 'cancelled', 'skipped');
create index jobs_of_run on jobs (run_id, key) where run_id is not null;
create index jobs_of_source on jobs (source_id, key) where source_id is not null;
-- Only keys that a caller gave; those made from the id cannot meet.
create unique index jobs_idempotency on jobs (tenant, job_type, idempotency_key) where idempotency_key is not null;

create table job_payloads (
    key bigint not null primary key,
    payload text collate "C" not null
);

create table job_results (
    key bigint not null primary key,
    result text collate "C" not null
);

-- Where each tenant's chain and feed stand.
create table chains (
    tenant text collate "C" not null primary key,
    history_seq bigint not null,
    last_hash text collate "C" not null,
    feed_seq bigint not null
);

create table history (
    tenant text collate "C" not null,
    seq bigint not null,
    event_id text collate "C" not null,
    job_key bigint,
    job_id text collate "C",
    run_id text collate "C",
    entity text collate "C" not null,
    type text collate "C" not null,
    from_state text collate "C",
    to_state text collate "C",
    attempt bigint,
    lease_epoch bigint,
    subject text collate "C" not null,
    scopes text collate "C" not null,
    reason text collate "C",
    ticket text collate "C",
    correlation_id text collate "C" not null,
    occurred_at bigint not null,
    data_digest text collate "C" not null,
    data text collate "C" not null,
    prev_hash text collate "C" not null,
    hash text collate "C" not null,
    primary key (tenant, seq)
);
create index history_of_job on history (job_key, seq) where job_key is not null;
create index history_of_run on history (run_id, seq) where run_id is not null;
create function history_is_kept() returns trigger language plpgsql as $$
begin
    raise exception 'history is append-only';
end
$$;
create trigger history_keeps_rows before update or delete on history
    for each row execute function history_is_kept();
create trigger history_keeps_all before truncate on history
    for each statement execute function history_is_kept();

create table feed (
    tenant text collate "C" not null,
    seq bigint not null,
    type text collate "C" not null,
    entity text collate "C" not null,
    id text collate "C" not null,
    run_id text collate "C",
    correlation_id text collate "C" not null,
    at bigint not null,
    data text collate "C" not null,
    primary key (tenant, seq)
);

create table workers (
    worker_id text collate "C" not null primary key,
    name text collate "C" not null,
    version text collate "C" not null,
    hostname text collate "C" not null,
    job_types text collate "C" not null,
    concurrency bigint not null,
    draining bigint not null check (draining in (0, 1)),
    started_at bigint not null,
    last_heartbeat_at bigint not null
);

create table artifacts (
    artifact_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    job_key bigint not null,
    job_id text collate "C" not null,
    run_id text collate "C",
    name text collate "C" not null,
    kind text collate "C" not null,
    media_type text collate "C" not null,
    size_bytes bigint not null,
    digest text collate "C" not null,
    created_at bigint not null,
    unique (job_key, name)
);
create index artifacts_by_digest on artifacts (tenant, digest);
