-- What failed, by its code, so that a list of failures reads no other jobs. Written only when an attempt fails; the
-- category is in it so that failures of one are counted without their rows.
create index jobs_erred on jobs (tenant, error_code, key, error_class) where error_class is not null;

-- Wider than before, so that causes, states and categories are counted from the indexes alone.
drop index dead_letters_by_cause;
create index dead_letters_by_cause on dead_letters
    (tenant, fingerprint, dead_lettered_at, key, state, retryable, source_id);
drop index dead_letters_by_state;
create index dead_letters_by_state on dead_letters
    (tenant, state, dead_lettered_at, key, category, retryable, acknowledged_at);
