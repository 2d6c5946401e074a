-- Change-sets with their items; saved views.

-- Text compares by bytes, as in SQLite.

create table change_sets (
    set_key bigint not null primary key,
    change_set_id text collate "C" not null,
    tenant text collate "C" not null,
    verb text collate "C" not null check (verb in
        ('cancel', 'retry', 'replay', 'prioritize', 'dead_letter_replay', 'dead_letter_resolve')),
    state text collate "C" not null check (state in ('draft', 'running', 'paused', 'completed', 'stopped', 'cancelled')),
    -- Selection, parameters, options and what the dry run found, as JSON.
    selection text collate "C" not null,
    parameters text collate "C" not null,
    options text collate "C" not null,
    dry_run text collate "C" not null,
    selection_hash text collate "C" not null,
    -- How many of the eligible items became what.
    waiting bigint not null check (waiting >= 0),
    done bigint not null,
    skipped bigint not null,
    failed bigint not null,
    -- Items up to this position have been reached.
    reached bigint not null,
    -- Whether the first items have been judged.
    first_passed bigint not null check (first_passed in (0, 1)),
    -- Since when the pace counts, and items reached since.
    paced_from bigint,
    paced bigint not null,
    notice text collate "C",
    created_by text collate "C" not null,
    created_at bigint not null,
    started_by text collate "C",
    scopes text collate "C",
    reason text collate "C",
    ticket text collate "C",
    correlation_id text collate "C",
    started_at bigint,
    ended_at bigint,
    version bigint not null,
    check ((state in ('completed', 'stopped', 'cancelled')) = (ended_at is not null)),
    check (state <> 'running' or (started_by is not null and paced_from is not null))
);
create index change_sets_of_tenant on change_sets (tenant, set_key);
create index change_sets_running on change_sets (set_key) where state = 'running';
create index change_sets_draft on change_sets (created_at) where state = 'draft';

create table change_set_items (
    set_key bigint not null,
    position bigint not null,
    item_id text collate "C" not null,
    -- The row key of its job; absent when there is none.
    job_key bigint,
    job_type text collate "C" not null,
    was text collate "C" not null,
    state text collate "C" not null check (state in ('waiting', 'refused', 'done', 'skipped', 'failed')),
    code text collate "C",
    message text collate "C",
    result_job_id text collate "C",
    at bigint,
    primary key (set_key, position)
);

create table saved_views (
    view_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    page text collate "C" not null,
    name text collate "C" not null,
    query text collate "C" not null,
    owner text collate "C" not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    unique (tenant, page, name)
);
