-- Runs: what is asked, how it is cut, what each target's evaluation left, what changed, what is told live.

-- One row per wish to evaluate targets. Counters only ever grow inside the transaction that settles a segment.
create table runs (
    run_key integer not null primary key,
    run_id text not null unique,
    tenant text not null,
    run_trigger text not null
        check (run_trigger in ('cron', 'manual', 'concelier', 'excititor', 'policy', 'content-refresh')),
    trigger_detail text,
    initiator text not null,
    reason text,
    ticket text,
    mode text not null check (mode in ('analysis-only', 'content-refresh')),
    scope text not null,
    scope_digest text not null,
    -- Everything the wish says; another wish under the same id or key is a conflict, not the same run.
    request_digest text not null,
    idempotency_key text,
    preview_id text,
    priority integer not null,
    segment_size integer not null check (segment_size between 10 and 500),
    planner_shard_count integer not null check (planner_shard_count between 1 and 64),
    kev_first integer not null check (kev_first in (0, 1)),
    allow_stale integer not null check (allow_stale in (0, 1)),
    stale_index integer not null default 0 check (stale_index in (0, 1)),
    state text not null check (state in ('planning', 'queued', 'running', 'completed', 'cancelled', 'error')),
    error_code text,
    error_message text,
    impact_index_generation integer not null default 0,
    kev_released text,
    candidates integer not null default 0,
    processed integer not null default 0,
    failed integer not null default 0,
    findings integer not null default 0,
    new_critical integer not null default 0,
    new_high integer not null default 0,
    new_medium integer not null default 0,
    new_low integer not null default 0,
    new_unknown integer not null default 0,
    resolved_critical integer not null default 0,
    resolved_high integer not null default 0,
    resolved_medium integer not null default 0,
    resolved_low integer not null default 0,
    resolved_unknown integer not null default 0,
    severity_raised integer not null default 0,
    severity_lowered integer not null default 0,
    quieted integer not null default 0,
    unquieted integer not null default 0,
    kev_added integer not null default 0,
    kev_removed integer not null default 0,
    retry_of text,
    retry_number integer not null default 0,
    correlation_id text not null,
    message_seq integer not null default 0,
    -- Log lines told in one second, and those kept back since.
    log_second integer not null default 0,
    log_lines integer not null default 0,
    log_dropped integer not null default 0,
    created_at integer not null,
    planned_at integer,
    started_at integer,
    executed_at integer,
    finished_at integer,
    version integer not null default 1
) strict;
create unique index runs_idempotency on runs (tenant, idempotency_key) where idempotency_key is not null;
create index runs_list on runs (tenant, created_at desc, run_id desc);
create index runs_open on runs (state, run_key) where state in ('planning', 'queued', 'running');
create index runs_finished on runs (tenant, finished_at) where finished_at is not null;

-- One slice of a run's targets; it mirrors the job that carries it.
create table segments (
    -- The time and counter inside the public id.
    segment_key integer not null primary key,
    segment_id text not null,
    run_key integer not null references runs (run_key),
    job_key integer not null unique,
    job_id text not null,
    shard integer not null,
    ordinal integer not null,
    state text not null
        check (state in ('pending', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')),
    target_count integer not null,
    processed integer not null default 0,
    failed_targets integer not null default 0,
    executor text,
    attempt integer not null default 0,
    retry_count integer not null default 0,
    reason text,
    error_code text,
    new_critical integer not null default 0,
    new_high integer not null default 0,
    new_medium integer not null default 0,
    new_low integer not null default 0,
    new_unknown integer not null default 0,
    resolved_critical integer not null default 0,
    resolved_high integer not null default 0,
    resolved_medium integer not null default 0,
    resolved_low integer not null default 0,
    resolved_unknown integer not null default 0,
    severity_raised integer not null default 0,
    severity_lowered integer not null default 0,
    quieted integer not null default 0,
    unquieted integer not null default 0,
    kev_added integer not null default 0,
    kev_removed integer not null default 0,
    started_at integer,
    ended_at integer
) strict;
create unique index segments_place on segments (run_key, shard, ordinal);
create index segments_state on segments (run_key, state);

-- A target under one line of comparison (mode and policy). `evaluation` counts its evaluations; `latest` marks the line
-- that was evaluated last, which is what a list without a run shows.
create table target_lines (
    line_key integer not null primary key,
    target_key integer not null,
    tenant text not null,
    line text not null,
    evaluation integer not null default 0,
    latest integer not null default 0 check (latest in (0, 1)),
    run_key integer references runs (run_key),
    index_generation integer not null default 0,
    findings integer not null default 0,
    critical integer not null default 0,
    evaluated_at integer
) strict;
create unique index target_lines_one on target_lines (target_key, line);
create index target_lines_latest on target_lines (tenant, line_key) where latest = 1;

-- The targets of a run, in the order in which their segment takes them, and which evaluation of each was this run's.
create table run_targets (
    run_key integer not null references runs (run_key),
    line_key integer not null references target_lines (line_key),
    segment_key integer not null references segments (segment_key),
    place integer not null,
    evaluation integer,
    primary key (run_key, line_key)
) strict, without rowid;
create unique index run_targets_place on run_targets (segment_key, place);

-- What can be said of one vulnerability in one component, whichever target holds it. Kept once per wording, because
-- thousands of targets share it; never changed. `place` sorts worst first: severity, then score.
create table finding_facts (
    fact_key integer not null primary key,
    tenant text not null,
    digest text not null,
    purl text not null,
    vulnerability_id text not null,
    place integer not null,
    severity text not null check (severity in ('unknown', 'low', 'medium', 'high', 'critical')),
    score real,
    vector text,
    kev integer not null check (kev in (0, 1)),
    status text not null check (status in ('affected', 'fixed', 'not_affected', 'under_investigation')),
    quieted integer not null check (quieted in (0, 1)),
    fixed_version text,
    summary text,
    record_ids text not null,
    aliases text not null,
    -- Why it stands, in order.
    steps text not null
) strict;
create unique index finding_facts_one on finding_facts (tenant, digest);
create index finding_facts_order on finding_facts (tenant, place, vulnerability_id, purl, fact_key);

-- A fact that holds for a target from evaluation `opened` until evaluation `closed`. What a run left is what was open at
-- the evaluation that `run_targets` notes, whatever other runs did before or after.
create table findings (
    finding_key integer not null primary key,
    line_key integer not null references target_lines (line_key),
    fact_key integer not null references finding_facts (fact_key),
    opened integer not null,
    closed integer,
    first_run_key integer not null references runs (run_key),
    first_seen_at integer not null
) strict;
create unique index findings_line on findings (line_key, fact_key, opened);
-- Holds all that says whether a finding is wanted, so that long lists are counted without the rows.
create index findings_fact on findings (fact_key, line_key, opened, closed);

-- What a run changed. `kind` is the place of the word in the contract's list of kinds.
create table finding_changes (
    run_key integer not null references runs (run_key),
    kind integer not null,
    fact_key integer not null references finding_facts (fact_key),
    line_key integer not null references target_lines (line_key),
    fact_before integer references finding_facts (fact_key),
    primary key (run_key, kind, fact_key, line_key)
) strict, without rowid;

-- A run's stream, kept for half an hour and at most 2,000 messages.
create table run_messages (
    run_key integer not null references runs (run_key),
    seq integer not null,
    at integer not null,
    body text not null,
    primary key (run_key, seq)
) strict, without rowid;
create index run_messages_age on run_messages (at);

-- When each planner was last alive.
create table planner_beats (
    planner_id text not null primary key,
    shard_set text not null,
    last_beat_at integer not null,
    in_flight_runs integer not null
) strict;
