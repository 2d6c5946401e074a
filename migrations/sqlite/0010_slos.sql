-- The name of this ledger, what was counted along the history, service level objectives.

create table instance (
    one integer not null primary key check (one = 1),
    instance_id text not null
) strict;

-- Counted by a task that walks along the history, so that no job pays for it. `at` is the start of the five minutes in
-- which it happened, of the hour when that is over two days ago, and 0 for the sum since ever.
create table job_counts (
    tenant text not null,
    kind text not null check (kind in
        ('made', 'ended', 'failed', 'dead', 'again', 'lost', 'queue', 'run', 'total', 'alive')),
    at integer not null,
    job_type text not null,
    label text not null,
    n integer not null,
    ms integer not null,
    primary key (tenant, kind, at, job_type, label)
) strict, without rowid;

-- How far along each tenant's history has been counted.
create table job_count_marks (
    tenant text not null primary key,
    history_seq integer not null
) strict, without rowid;

create table slos (
    slo_id text not null primary key,
    tenant text not null,
    name text not null,
    sli text not null check (sli in ('job_success', 'run_success', 'queue_latency', 'availability')),
    target real not null check (target > 0 and target < 1),
    window_days integer not null check (window_days between 1 and 28),
    threshold_ms integer,
    job_type text,
    enabled integer not null check (enabled in (0, 1)),
    -- As the watch last saw it.
    tier text check (tier in ('critical', 'high', 'warn')),
    burning_since integer,
    created_by text not null,
    created_at integer not null,
    updated_at integer not null,
    version integer not null,
    unique (tenant, name),
    check ((sli = 'queue_latency') = (threshold_ms is not null)),
    check ((tier is null) = (burning_since is null))
) strict;

-- Tenants that were given their first objectives, so that those that are deleted do not come back.
create table slo_seeds (
    tenant text not null primary key,
    seeded_at integer not null
) strict, without rowid;

-- Wider than before, so that what is ready and what waits is counted from the index alone: with a million jobs in the
-- queue the rows themselves take ten times as long.
drop index jobs_ready;
create index jobs_ready on jobs (job_type, priority, queued_at, key, tenant) where state = 'queued';
drop index jobs_waiting;
create index jobs_waiting on jobs (next_eligible_at, key, tenant, job_type, wait_reason) where state = 'pending';
