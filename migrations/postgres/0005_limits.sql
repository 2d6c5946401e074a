-- Limits: quotas, buckets, throttles, breakers, blackouts, pressure. What is at work is never counted here: it is
-- counted from the live leases of `jobs` in the transaction that claims. Sorted and compared text is in the "C"
-- collation, so that both databases sort alike.

create table quotas (
    quota_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    job_type text collate "C" not null,
    max_active bigint not null check (max_active >= 0),
    max_per_hour bigint not null check (max_per_hour >= 0),
    burst bigint not null check (burst >= 1),
    refill_per_second double precision not null check (refill_per_second >= 0),
    strategy text collate "C" not null check (strategy in ('unlimited', 'proportional', 'priority', 'reserved', 'max_limit')),
    weight bigint not null check (weight >= 1),
    reserved bigint not null check (reserved >= 0),
    paused bigint not null check (paused in (0, 1)),
    pause_reason text collate "C",
    pause_ticket text collate "C",
    paused_until bigint,
    -- How full the burst was, and when.
    tokens double precision not null,
    refilled_at bigint not null,
    -- What it goes back to at a time, as JSON.
    revert_at bigint,
    revert_to text collate "C",
    updated_by text collate "C" not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    unique (tenant, job_type),
    check ((revert_at is null) = (revert_to is null)),
    check (paused = 1 or (pause_reason is null and paused_until is null))
);
create index quotas_revert on quotas (revert_at) where revert_at is not null;
create index quotas_resume on quotas (paused_until) where paused_until is not null;

-- One row per quota and minute in which something was claimed or refused under it; an hour of them counts.
create table quota_minutes (
    quota_id text collate "C" not null,
    minute bigint not null,
    claims bigint not null,
    refusals bigint not null,
    primary key (quota_id, minute)
);
create index quota_minutes_age on quota_minutes (minute);

create table buckets (
    bucket_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    host text collate "C" not null,
    capacity double precision not null check (capacity >= 1),
    base_rate double precision not null check (base_rate > 0),
    tokens double precision not null,
    current_rate double precision not null,
    refilled_at bigint not null,
    frozen_until bigint,
    -- Successes after this time are in a row.
    streak_from bigint not null,
    -- When the rate was last changed by the rules.
    eased_at bigint not null,
    throttled_at bigint,
    override_rate double precision,
    override_until bigint,
    overridden_by text collate "C",
    version bigint not null,
    unique (tenant, host),
    check ((override_rate is null) = (override_until is null))
);
create index buckets_override on buckets (override_until) where override_until is not null;

create table throttles (
    throttle_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    kind text collate "C" not null check (kind in ('bucket', 'quota', 'breaker', 'blackout', 'backpressure', 'manual')),
    key text collate "C" not null,
    reason text collate "C" not null check (reason in ('upstream_429', 'upstream_5xx', 'max_active', 'max_per_hour',
        'bucket_empty', 'breaker_open', 'blackout', 'backpressure', 'operator')),
    level text collate "C" not null check (level in ('info', 'warn', 'critical')),
    started_at bigint not null,
    until bigint,
    rate_now double precision,
    rate_base double precision,
    hits bigint not null,
    last_status bigint,
    actor text collate "C",
    operator_reason text collate "C",
    ticket text collate "C",
    cleared_at bigint,
    cleared_by text collate "C",
    check ((cleared_at is null) = (cleared_by is null))
);
-- One active record of each thing.
create unique index throttles_active on throttles (tenant, kind, key) where cleared_at is null;
create index throttles_list on throttles (tenant, started_at desc, throttle_id desc);

create table breakers (
    breaker_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    kind text collate "C" not null check (kind in ('host', 'job_type')),
    key text collate "C" not null,
    state text collate "C" not null check (state in ('closed', 'open', 'half_open')),
    forced bigint not null check (forced in (0, 1)),
    opened_at bigint,
    open_until bigint,
    openings bigint not null,
    -- Attempts started after this time are probes.
    half_open_at bigint,
    -- Attempts that ended before do not count.
    window_from bigint not null,
    operator_reason text collate "C",
    changed_at bigint not null,
    changed_by text collate "C" not null,
    version bigint not null,
    unique (tenant, kind, key),
    check ((state = 'half_open') = (half_open_at is not null)),
    check (open_until is null or state = 'open')
);
create index breakers_not_closed on breakers (state) where state <> 'closed';

-- Failed attempts in spans of ten seconds; those that succeeded are counted from `jobs`.
create table failure_slots (
    tenant text collate "C" not null,
    kind text collate "C" not null check (kind in ('host', 'job_type')),
    key text collate "C" not null,
    slot bigint not null,
    -- Those that count against the breaker, and the others.
    failures bigint not null,
    others bigint not null,
    primary key (tenant, kind, key, slot)
);
create index failure_slots_age on failure_slots (slot);

create table blackouts (
    blackout_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    targets text collate "C" not null,
    starts_at bigint,
    ends_at bigint,
    cron text collate "C",
    duration_s bigint,
    time_zone text collate "C",
    action text collate "C" not null check (action in ('hold', 'skip')),
    drain_before_s bigint not null check (drain_before_s >= 0),
    reason text collate "C" not null,
    ticket text collate "C",
    created_by text collate "C" not null,
    created_at bigint not null,
    -- Set when it will never be on again.
    over_at bigint,
    version bigint not null,
    check ((cron is null) = (starts_at is not null and ends_at is not null)),
    check ((cron is null) = (duration_s is null))
);
create index blackouts_of_tenant on blackouts (tenant, created_at desc, blackout_id desc);
create index blackouts_not_over on blackouts (tenant) where over_at is null;

create table pressure (
    tenant text collate "C" not null primary key,
    level bigint not null check (level between 0 and 3),
    since bigint not null,
    asked bigint not null check (asked between 0 and 3),
    -- What the gauges showed, and since when each level is asked for or left, as JSON.
    gauges text collate "C" not null,
    read_at bigint not null
);

create table pools (
    pool text collate "C" not null primary key,
    -- An operator's bound on the jobs it holds.
    max_held bigint check (max_held between 1 and 64),
    recommended bigint not null,
    utilisation double precision not null,
    error_rate double precision not null,
    p95_ms bigint,
    median_ms bigint,
    adjusted_at bigint not null
);

-- What a limit holds back, by tenant and type, most urgent first.
create index jobs_limited on jobs (tenant, job_type, priority desc, key)
    where state = 'pending' and wait_reason in ('quota_max_active', 'quota_max_per_hour', 'rate_limited',
        'breaker_open', 'blackout', 'backpressure', 'paused');
