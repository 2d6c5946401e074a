-- Limits: quotas, buckets, throttles, breakers, blackouts, pressure. What is at work is never counted here: it is
-- counted from the live leases of `jobs` in the transaction that claims.

create table quotas (
    quota_id text not null primary key,
    tenant text not null,
    job_type text not null,
    max_active integer not null check (max_active >= 0),
    max_per_hour integer not null check (max_per_hour >= 0),
    burst integer not null check (burst >= 1),
    refill_per_second real not null check (refill_per_second >= 0),
    strategy text not null check (strategy in ('unlimited', 'proportional', 'priority', 'reserved', 'max_limit')),
    weight integer not null check (weight >= 1),
    reserved integer not null check (reserved >= 0),
    paused integer not null check (paused in (0, 1)),
    pause_reason text,
    pause_ticket text,
    paused_until integer,
    -- How full the burst was, and when.
    tokens real not null,
    refilled_at integer not null,
    -- What it goes back to at a time, as JSON.
    revert_at integer,
    revert_to text,
    updated_by text not null,
    created_at integer not null,
    updated_at integer not null,
    version integer not null,
    unique (tenant, job_type),
    check ((revert_at is null) = (revert_to is null)),
    check (paused = 1 or (pause_reason is null and paused_until is null))
) strict;
create index quotas_revert on quotas (revert_at) where revert_at is not null;
create index quotas_resume on quotas (paused_until) where paused_until is not null;

-- One row per quota and minute in which something was claimed or refused under it; an hour of them counts.
create table quota_minutes (
    quota_id text not null,
    minute integer not null,
    claims integer not null,
    refusals integer not null,
    primary key (quota_id, minute)
) strict, without rowid;
create index quota_minutes_age on quota_minutes (minute);

create table buckets (
    bucket_id text not null primary key,
    tenant text not null,
    host text not null,
    capacity real not null check (capacity >= 1),
    base_rate real not null check (base_rate > 0),
    tokens real not null,
    current_rate real not null,
    refilled_at integer not null,
    frozen_until integer,
    -- Successes after this time are in a row.
    streak_from integer not null,
    -- When the rate was last changed by the rules.
    eased_at integer not null,
    throttled_at integer,
    override_rate real,
    override_until integer,
    overridden_by text,
    version integer not null,
    unique (tenant, host),
    check ((override_rate is null) = (override_until is null))
) strict;
create index buckets_override on buckets (override_until) where override_until is not null;

create table throttles (
    throttle_id text not null primary key,
    tenant text not null,
    kind text not null check (kind in ('bucket', 'quota', 'breaker', 'blackout', 'backpressure', 'manual')),
    key text not null,
    reason text not null check (reason in ('upstream_429', 'upstream_5xx', 'max_active', 'max_per_hour',
        'bucket_empty', 'breaker_open', 'blackout', 'backpressure', 'operator')),
    level text not null check (level in ('info', 'warn', 'critical')),
    started_at integer not null,
    until integer,
    rate_now real,
    rate_base real,
    hits integer not null,
    last_status integer,
    actor text,
    operator_reason text,
    ticket text,
    cleared_at integer,
    cleared_by text,
    check ((cleared_at is null) = (cleared_by is null))
) strict;
-- One active record of each thing.
create unique index throttles_active on throttles (tenant, kind, key) where cleared_at is null;
create index throttles_list on throttles (tenant, started_at desc, throttle_id desc);

create table breakers (
    breaker_id text not null primary key,
    tenant text not null,
    kind text not null check (kind in ('host', 'job_type')),
    key text not null,
    state text not null check (state in ('closed', 'open', 'half_open')),
    forced integer not null check (forced in (0, 1)),
    opened_at integer,
    open_until integer,
    openings integer not null,
    -- Attempts started after this time are probes.
    half_open_at integer,
    -- Attempts that ended before do not count.
    window_from integer not null,
    operator_reason text,
    changed_at integer not null,
    changed_by text not null,
    version integer not null,
    unique (tenant, kind, key),
    check ((state = 'half_open') = (half_open_at is not null)),
    check (open_until is null or state = 'open')
) strict;
create index breakers_not_closed on breakers (state) where state <> 'closed';

-- Failed attempts in spans of ten seconds; those that succeeded are counted from `jobs`.
create table failure_slots (
    tenant text not null,
    kind text not null check (kind in ('host', 'job_type')),
    key text not null,
    slot integer not null,
    -- Those that count against the breaker, and the others.
    failures integer not null,
    others integer not null,
    primary key (tenant, kind, key, slot)
) strict, without rowid;
create index failure_slots_age on failure_slots (slot);

create table blackouts (
    blackout_id text not null primary key,
    tenant text not null,
    targets text not null,
    starts_at integer,
    ends_at integer,
    cron text,
    duration_s integer,
    time_zone text,
    action text not null check (action in ('hold', 'skip')),
    drain_before_s integer not null check (drain_before_s >= 0),
    reason text not null,
    ticket text,
    created_by text not null,
    created_at integer not null,
    -- Set when it will never be on again.
    over_at integer,
    version integer not null,
    check ((cron is null) = (starts_at is not null and ends_at is not null)),
    check ((cron is null) = (duration_s is null))
) strict;
create index blackouts_of_tenant on blackouts (tenant, created_at desc, blackout_id desc);
create index blackouts_not_over on blackouts (tenant) where over_at is null;

create table pressure (
    tenant text not null primary key,
    level integer not null check (level between 0 and 3),
    since integer not null,
    asked integer not null check (asked between 0 and 3),
    -- What the gauges showed, and since when each level is asked for or left, as JSON.
    gauges text not null,
    read_at integer not null
) strict, without rowid;

create table pools (
    pool text not null primary key,
    -- An operator's bound on the jobs it holds.
    max_held integer check (max_held between 1 and 64),
    recommended integer not null,
    utilisation real not null,
    error_rate real not null,
    p95_ms integer,
    median_ms integer,
    adjusted_at integer not null
) strict, without rowid;

-- What a limit holds back, by tenant and type, most urgent first.
create index jobs_limited on jobs (tenant, job_type, priority desc, key)
    where state = 'pending' and wait_reason in ('quota_max_active', 'quota_max_per_hour', 'rate_limited',
        'breaker_open', 'blackout', 'backpressure', 'paused');
