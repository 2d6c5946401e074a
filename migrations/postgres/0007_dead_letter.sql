-- Changes rows: failures of before are named by the categories of today, and jobs that failed for good get their entry.
-- Dead letters, incidents, and what they are judged by. Sorted and compared text is in the "C" collation, so that
-- both databases sort alike.

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

alter table jobs add column error_status bigint;
alter table jobs add column error_host text collate "C";

-- One row per job that failed for good; its key is that job's key.
create table dead_letters (
    key bigint not null primary key,
    entry_id text collate "C" not null,
    tenant text collate "C" not null,
    job_id text collate "C" not null,
    run_id text collate "C",
    source_id text collate "C",
    job_type text collate "C" not null,
    priority bigint not null,
    category text collate "C" not null check (category in
        ('upstream_throttle', 'upstream_error', 'upstream_client', 'network', 'timeout', 'lease_lost',
         'schema_mismatch', 'parse_error', 'validation', 'auth', 'integrity', 'resource', 'offline_blocked',
         'internal')),
    error_code text collate "C" not null,
    error_message text collate "C" not null,
    -- Empty until the engine has made it, for rows that this step makes.
    fingerprint text collate "C" not null,
    http_status bigint,
    host text collate "C",
    attempts bigint not null,
    first_failed_at bigint not null,
    dead_lettered_at bigint not null,
    last_worker_id text collate "C",
    payload_digest text collate "C" not null,
    retryable bigint not null check (retryable in (0, 1)),
    state text collate "C" not null check (state in ('open', 'replaying', 'replayed', 'resolved')),
    replay_count bigint not null,
    last_replay_job_id text collate "C",
    last_replay_key bigint,
    last_replay_at bigint,
    resolution text collate "C",
    note text collate "C",
    resolved_by text collate "C",
    resolved_at bigint,
    owner text collate "C",
    acknowledged_by text collate "C",
    acknowledged_at bigint,
    due_at bigint,
    -- Set as long as it is closed, and only then.
    closed_at bigint,
    correlation_id text collate "C" not null,
    version bigint not null,
    check ((state in ('replayed', 'resolved')) = (closed_at is not null)),
    check (state <> 'replaying' or last_replay_key is not null)
);
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
    key bigint not null primary key,
    incident_id text collate "C" not null,
    tenant text collate "C" not null,
    kind text collate "C" not null,
    severity text collate "C" not null check (severity in ('note', 'warning', 'critical')),
    state text collate "C" not null check (state in ('open', 'acknowledged', 'mitigated', 'resolved')),
    opened_at bigint not null,
    last_seen_at bigint not null,
    -- The number behind it, and the one from which it came up.
    seen bigint not null,
    threshold bigint not null,
    subject text collate "C" not null,
    reason_code text collate "C" not null,
    summary text collate "C" not null,
    links text collate "C" not null,
    ack_by text collate "C",
    ack_at bigint,
    note text collate "C",
    -- Since when the number has been below half of the threshold.
    calm_since bigint,
    cleared_at bigint,
    resolved_at bigint,
    resolved_by text collate "C",
    version bigint not null
);
-- An incident holds its place until its condition is gone and it is over, whichever comes last.
create unique index incidents_live on incidents (tenant, kind, subject) where cleared_at is null or state <> 'resolved';
create index incidents_of_tenant on incidents (tenant, key);

-- Leases that expired lately, by pool.
create table lease_expiries (
    at bigint not null,
    tenant text collate "C" not null,
    pool text collate "C" not null,
    job_key bigint not null,
    primary key (at, tenant, pool, job_key)
);

-- When running jobs were last seen to get further.
create table watched_jobs (
    key bigint not null primary key,
    lease_epoch bigint not null,
    mark text collate "C" not null,
    seen_at bigint not null
);
