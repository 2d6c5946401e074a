-- Runs: what is asked, how it is cut, what each target's evaluation left, what changed, what is told live.

-- One row per wish to evaluate targets. Counters only ever grow inside the transaction that settles a segment.
create table runs (
    run_key integer primary key,
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
    priority bigint not null,
    segment_size bigint not null check (segment_size between 10 and 500),
    planner_shard_count bigint not null check (planner_shard_count between 1 and 64),
    kev_first bigint not null check (kev_first in (0, 1)),
    allow_stale bigint not null check (allow_stale in (0, 1)),
    stale_index bigint not null default 0 check (stale_index in (0, 1)),
    state text not null check (state in ('planning', 'queued', 'running', 'completed', 'cancelled', 'error')),
    error_code text,
    error_message text,
    impact_index_generation bigint not null default 0,
    kev_released text,
    candidates bigint not null default 0,
    processed bigint not null default 0,
    failed bigint not null default 0,
    findings bigint not null default 0,
    new_critical bigint not null default 0,
    new_high bigint not null default 0,
    new_medium bigint not null default 0,
    new_low bigint not null default 0,
    new_unknown bigint not null default 0,
    resolved_critical bigint not null default 0,
    resolved_high bigint not null default 0,
    resolved_medium bigint not null default 0,
    resolved_low bigint not null default 0,
    resolved_unknown bigint not null default 0,
    severity_raised bigint not null default 0,
    severity_lowered bigint not null default 0,
    quieted bigint not null default 0,
    unquieted bigint not null default 0,
    kev_added bigint not null default 0,
    kev_removed bigint not null default 0,
    retry_of text,
    retry_number bigint not null default 0,
    correlation_id text not null,
    message_seq bigint not null default 0,
    -- Log lines told in one second, and those kept back since.
    log_second bigint not null default 0,
    log_lines bigint not null default 0,
    log_dropped bigint not null default 0,
    created_at bigint not null,
    planned_at bigint,
    started_at bigint,
    executed_at bigint,
    finished_at bigint,
    version bigint not null default 1
);
create unique index runs_idempotency on runs (tenant, idempotency_key) where idempotency_key is not null;
create index runs_list on runs (tenant, created_at desc, run_id desc);
create index runs_open on runs (state, run_key) where state in ('planning', 'queued', 'running');
create index runs_finished on runs (tenant, finished_at) where finished_at is not null;

-- One slice of a run's targets; it mirrors the job that carries it.
create table segments (
    segment_key integer primary key,
    segment_id text not null unique,
    run_key bigint not null references runs (run_key),
    job_id text not null unique,
    shard bigint not null,
    ordinal bigint not null,
    state text not null
        check (state in ('pending', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')),
    target_count bigint not null,
    processed bigint not null default 0,
    failed_targets bigint not null default 0,
    executor text,
    attempt bigint not null default 0,
    retry_count bigint not null default 0,
    reason text,
    error_code text,
    new_critical bigint not null default 0,
    new_high bigint not null default 0,
    new_medium bigint not null default 0,
    new_low bigint not null default 0,
    new_unknown bigint not null default 0,
    resolved_critical bigint not null default 0,
    resolved_high bigint not null default 0,
    resolved_medium bigint not null default 0,
    resolved_low bigint not null default 0,
    resolved_unknown bigint not null default 0,
    severity_raised bigint not null default 0,
    severity_lowered bigint not null default 0,
    quieted bigint not null default 0,
    unquieted bigint not null default 0,
    kev_added bigint not null default 0,
    kev_removed bigint not null default 0,
    started_at bigint,
    ended_at bigint
);
create unique index segments_place on segments (run_key, shard, ordinal);
create index segments_state on segments (run_key, state);

-- A target under one line of comparison (mode and policy). `evaluation` counts its evaluations; `latest` marks the line
-- that was evaluated last, which is what a list without a run shows.
create table target_lines (
    line_key integer primary key,
    target_key bigint not null,
    tenant text not null,
    line text not null,
    evaluation bigint not null default 0,
    latest bigint not null default 0 check (latest in (0, 1)),
    run_key bigint references runs (run_key),
    index_generation bigint not null default 0,
    findings bigint not null default 0,
    critical bigint not null default 0,
    evaluated_at bigint
);
create unique index target_lines_one on target_lines (target_key, line);
create index target_lines_latest on target_lines (tenant, line_key) where latest = 1;

-- The targets of a run, in the order in which their segment takes them, and which evaluation of each was this run's.
create table run_targets (
    run_key bigint not null references runs (run_key),
    line_key bigint not null references target_lines (line_key),
    segment_key bigint not null references segments (segment_key),
    place bigint not null,
    evaluation bigint,
    primary key (run_key, line_key)
) without rowid;
create unique index run_targets_place on run_targets (segment_key, place);

-- What can be said of one vulnerability in one component, whichever target holds it. Kept once per wording, because
-- thousands of targets share it; never changed. `place` sorts worst first: severity, then score.
create table finding_facts (
    fact_key integer primary key,
    tenant text not null,
    digest text not null,
    purl text not null,
    vulnerability_id text not null,
    place bigint not null,
    severity text not null check (severity in ('unknown', 'low', 'medium', 'high', 'critical')),
    score real,
    vector text,
    kev bigint not null check (kev in (0, 1)),
    status text not null check (status in ('affected', 'fixed', 'not_affected', 'under_investigation')),
    quieted bigint not null check (quieted in (0, 1)),
    fixed_version text,
    summary text,
    record_ids text not null,
    aliases text not null
);
create unique index finding_facts_one on finding_facts (tenant, digest);
create index finding_facts_order on finding_facts (tenant, place, vulnerability_id, purl, fact_key);

-- A fact that holds for a target from evaluation `opened` until evaluation `closed`. What a run left is what was open at
-- the evaluation that `run_targets` notes, whatever other runs did before or after.
create table findings (
    finding_key integer primary key,
    line_key bigint not null references target_lines (line_key),
    fact_key bigint not null references finding_facts (fact_key),
    opened bigint not null,
    closed bigint,
    first_run_key bigint not null references runs (run_key),
    first_seen_at bigint not null
);
create unique index findings_line on findings (line_key, fact_key, opened);
create index findings_fact on findings (fact_key, line_key);

-- What a run changed. `kind` is the place of the word in the contract's list of kinds.
create table finding_changes (
    run_key bigint not null references runs (run_key),
    kind bigint not null,
    fact_key bigint not null references finding_facts (fact_key),
    line_key bigint not null references target_lines (line_key),
    fact_before bigint references finding_facts (fact_key),
    primary key (run_key, kind, fact_key, line_key)
) without rowid;

-- A run's stream, kept for half an hour and at most 2,000 messages.
create table run_messages (
    run_key bigint not null references runs (run_key),
    seq bigint not null,
    at bigint not null,
    body text not null,
    primary key (run_key, seq)
) without rowid;
create index run_messages_age on run_messages (at);

-- When each planner was last alive.
create table planner_beats (
    planner_id text not null primary key,
    shard_set text not null,
    last_beat_at bigint not null,
    in_flight_runs bigint not null
);
