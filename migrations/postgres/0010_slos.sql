-- The name of this ledger, what was counted along the history, service level objectives.
-- Sorted and compared text is in the "C" collation, so that both databases sort alike.

create table instance (
    one bigint not null primary key check (one = 1),
    instance_id text collate "C" not null
);

-- Counted by a task that walks along the history, so that no job pays for it. `at` is the start of the five minutes in
-- which it happened, of the hour when that is over two days ago, and 0 for the sum since ever.
create table job_counts (
    tenant text collate "C" not null,
    kind text collate "C" not null check (kind in
        ('made', 'ended', 'failed', 'dead', 'again', 'lost', 'queue', 'run', 'total', 'alive')),
    at bigint not null,
    job_type text collate "C" not null,
    label text collate "C" not null,
    n bigint not null,
    ms bigint not null,
    primary key (tenant, kind, at, job_type, label)
);

-- How far along each tenant's history has been counted.
create table job_count_marks (
    tenant text collate "C" not null primary key,
    history_seq bigint not null
);

create table slos (
    slo_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    name text collate "C" not null,
    sli text collate "C" not null check (sli in ('job_success', 'run_success', 'queue_latency', 'availability')),
    target double precision not null check (target > 0 and target < 1),
    window_days bigint not null check (window_days between 1 and 28),
    threshold_ms bigint,
    job_type text collate "C",
    enabled bigint not null check (enabled in (0, 1)),
    -- As the watch last saw it.
    tier text collate "C" check (tier in ('critical', 'high', 'warn')),
    burning_since bigint,
    created_by text collate "C" not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    unique (tenant, name),
    check ((sli = 'queue_latency') = (threshold_ms is not null)),
    check ((tier is null) = (burning_since is null))
);

-- Tenants that were given their first objectives, so that those that are deleted do not come back.
create table slo_seeds (
    tenant text collate "C" not null primary key,
    seeded_at bigint not null
);

-- Wider than before, so that what is ready and what waits is counted from the index alone: with a million jobs in the
-- queue the rows themselves take ten times as long.
drop index jobs_ready;
create index jobs_ready on jobs (job_type, priority, queued_at, key, tenant) where state = 'queued';
drop index jobs_waiting;
create index jobs_waiting on jobs (next_eligible_at, key, tenant, job_type, wait_reason) where state = 'pending';
