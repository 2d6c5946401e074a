-- Schedules: when runs start by themselves, and what became of every fire.

create table schedules (
    schedule_id text not null primary key,
    tenant text not null,
    name text not null,
    state text not null check (state in ('enabled', 'paused', 'disabled')),
    pause_reason text,
    pause_ticket text,
    paused_by text,
    paused_at integer,
    resume_at integer,
    cron text not null,
    time_zone text not null,
    jitter_s integer not null check (jitter_s between 0 and 3600),
    overlap_policy text not null check (overlap_policy in ('skip', 'buffer_one', 'allow')),
    catchup_window_s integer not null check (catchup_window_s between 10 and 31536000),
    mode text not null check (mode in ('analysis-only', 'content-refresh')),
    scope text not null,
    policy_snapshot_id text,
    kev_first integer not null check (kev_first in (0, 1)),
    max_targets integer not null check (max_targets between 1 and 1000000),
    parallelism integer not null check (parallelism between 1 and 64),
    targets_per_minute integer not null check (targets_per_minute between 1 and 100000),
    notify_min_severity text check (notify_min_severity in ('unknown', 'low', 'medium', 'high', 'critical')),
    notify_on_kev integer not null check (notify_on_kev in (0, 1)),
    -- The next fire, and when it is acted on: spread, or held, it comes later. A pause until a time is acted on then.
    next_fire_at integer,
    acts_at integer,
    -- The fire that waits for the run before to end.
    buffered_at integer,
    last_fire_at integer,
    last_run_id text,
    missed_count integer not null default 0,
    created_by text not null,
    created_at integer not null,
    updated_at integer not null,
    version integer not null,
    unique (tenant, name),
    check ((state = 'paused') = (paused_at is not null)),
    check (state = 'paused' or resume_at is null),
    check (state = 'enabled' or (next_fire_at is null and buffered_at is null)),
    check (state <> 'disabled' or acts_at is null)
) strict;
create index schedules_due on schedules (acts_at, schedule_id) where acts_at is not null;
create index schedules_buffered on schedules (schedule_id) where buffered_at is not null;
create index schedules_list on schedules (tenant, coalesce(next_fire_at, 9223372036854775807), schedule_id);

-- One row per fire that was decided; that there is one means that it never fires again.
create table schedule_fires (
    schedule_id text not null references schedules (schedule_id) on delete cascade,
    due_at integer not null,
    outcome text not null
        check (outcome in ('started', 'buffered', 'skipped_overlap', 'skipped_blackout', 'missed')),
    run_id text,
    decided_at integer not null,
    primary key (schedule_id, due_at),
    check (run_id is null or outcome = 'started')
) strict, without rowid;
create index schedule_fires_age on schedule_fires (decided_at);

alter table runs add column schedule_id text;
create index runs_of_schedule on runs (schedule_id, run_key) where schedule_id is not null;
