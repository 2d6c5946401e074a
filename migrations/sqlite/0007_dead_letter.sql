-- Changes rows: failures of before are named by the categories of today, and jobs that failed for good get their entry.
-- Dead letters, incidents, and what they are judged by.

update jobs
set error_class = case error_class
    when 'unreachable' then 'network'
    when 'rate_limited' then 'upstream_throttle'
    when 'feed_suspicious' then 'validation'
    when 'invalid' then 'validation'
    when 'forbidden' then 'auth'
    when 'lease_expired' then 'lease_lost'
    when 'attempt_timeout' then 'timeout'
    when 'storage' then 'resource'
    else error_class end
where error_class is not null;

alter table jobs add column error_status integer;
alter table jobs add column error_host text;

-- One row per job that failed for good; its key is that job's key.
create table dead_letters (
    key integer not null primary key,
    entry_id text not null,
    tenant text not null,
    job_id text not null,
    run_id text,
    source_id text,
    job_type text not null,
    priority integer not null,
    category text not null check (category in
        ('upstream_throttle', 'upstream_error', 'upstream_client', 'network', 'timeout', 'lease_lost',
         'schema_mismatch', 'parse_error', 'validation', 'auth', 'integrity', 'resource', 'offline_blocked',
         'internal')),
    error_code text not null,
    error_message text not null,
    -- Empty until the engine has made it, for rows that this step makes.
    fingerprint text not null,
    http_status integer,
    host text,
    attempts integer not null,
    first_failed_at integer not null,
    dead_lettered_at integer not null,
    last_worker_id text,
    payload_digest text not null,
    retryable integer not null check (retryable in (0, 1)),
    state text not null check (state in ('open', 'replaying', 'replayed', 'resolved')),
    replay_count integer not null,
    last_replay_job_id text,
    last_replay_key integer,
    last_replay_at integer,
    resolution text,
    note text,
    resolved_by text,
    resolved_at integer,
    owner text,
    acknowledged_by text,
    acknowledged_at integer,
    due_at integer,
    -- Set as long as it is closed, and only then.
    closed_at integer,
    correlation_id text not null,
    version integer not null,
    check ((state in ('replayed', 'resolved')) = (closed_at is not null)),
    check (state <> 'replaying' or last_replay_key is not null)
) strict;
create index dead_letters_by_time on dead_letters (tenant, dead_lettered_at, key);
create index dead_letters_by_state on dead_letters (tenant, state, dead_lettered_at, key);
create index dead_letters_by_cause on dead_letters (tenant, fingerprint, dead_lettered_at, key);
create index dead_letters_by_source on dead_letters (tenant, source_id, dead_lettered_at, key)
    where source_id is not null;
create index dead_letters_by_replay on dead_letters (last_replay_key) where last_replay_key is not null;
create index dead_letters_closed on dead_letters (closed_at) where closed_at is not null;
create index dead_letters_unnamed on dead_letters (key) where fingerprint = '';

insert into dead_letters (key, entry_id, tenant, job_id, run_id, source_id, job_type, priority, category, error_code,
    error_message, fingerprint, attempts, first_failed_at, dead_lettered_at, last_worker_id, payload_digest, retryable,
    state, replay_count, correlation_id, version)
select key, 'dl_' || substr(job_id, 5), tenant, job_id, run_id, source_id, job_type, priority,
    coalesce(error_class, 'internal'), coalesce(error_code, 'UNKNOWN'), coalesce(error_message, ''), '', attempt,
    coalesce(ended_at, created_at), coalesce(ended_at, created_at), worker_id, payload_digest,
    case when error_class in ('upstream_throttle', 'upstream_error', 'network', 'timeout', 'lease_lost', 'resource')
        then 1 else 0 end,
    'open', 0, correlation_id, 1
from jobs
where state in ('failed', 'timed_out');

update jobs set dead_letter_id = 'dl_' || substr(job_id, 5) where state in ('failed', 'timed_out');

-- What needs attention. Kinds are the contract's; it adds to them more often than the schema changes.
create table incidents (
    key integer not null primary key,
    incident_id text not null,
    tenant text not null,
    kind text not null,
    severity text not null check (severity in ('note', 'warning', 'critical')),
    state text not null check (state in ('open', 'acknowledged', 'mitigated', 'resolved')),
    opened_at integer not null,
    last_seen_at integer not null,
    -- The number behind it, and the one from which it came up.
    seen integer not null,
    threshold integer not null,
    subject text not null,
    reason_code text not null,
    summary text not null,
    links text not null,
    ack_by text,
    ack_at integer,
    note text,
    -- Since when the number has been below half of the threshold.
    calm_since integer,
    cleared_at integer,
    resolved_at integer,
    resolved_by text,
    version integer not null
) strict;
-- An incident holds its place until its condition is gone and it is over, whichever comes last.
create unique index incidents_live on incidents (tenant, kind, subject) where cleared_at is null or state <> 'resolved';
create index incidents_of_tenant on incidents (tenant, key);

-- Leases that expired lately, by pool.
create table lease_expiries (
    at integer not null,
    tenant text not null,
    pool text not null,
    job_key integer not null,
    primary key (at, tenant, pool, job_key)
) strict, without rowid;

-- When running jobs were last seen to get further.
create table watched_jobs (
    key integer not null primary key,
    lease_epoch integer not null,
    mark text not null,
    seen_at integer not null
) strict;
