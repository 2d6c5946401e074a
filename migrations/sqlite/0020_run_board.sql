-- What the runs workspace shows over time, and what can be switched off.

-- The backlog of runs, one row per minute: a tenant's own, and one for each schedule that has any. Runs of no schedule
-- are in the tenant's row alone.
create table backlog_samples (
    tenant text not null,
    at integer not null,
    schedule_id text,
    planner integer not null,
    executor integer not null
) strict;
create unique index backlog_samples_one on backlog_samples (tenant, at, coalesce(schedule_id, ''));
create index backlog_samples_age on backlog_samples (at);

-- Runs that failed are few among many; they are counted and compared all the time.
create index runs_failed on runs (tenant, finished_at) where state = 'error';

-- Switches that were turned. One that never was is on.
create table features (
    feature text not null primary key,
    enabled integer not null check (enabled in (0, 1)),
    changed_at integer not null,
    changed_by text not null,
    version integer not null
) strict, without rowid;
