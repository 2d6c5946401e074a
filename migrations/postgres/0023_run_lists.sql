-- Lists of runs by state, newest first, with what their filters ask for: a list of few among 100,000 runs looks at the
-- index alone.
create index runs_by_state on runs (
    tenant, state, created_at desc, run_id desc, run_trigger, schedule_id, error_code,
    new_critical, new_high, new_medium, new_low, new_unknown
);
