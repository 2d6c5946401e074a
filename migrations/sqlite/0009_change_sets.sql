-- Change-sets with their items; saved views.

create table change_sets (
    set_key integer not null primary key,
    change_set_id text not null,
    tenant text not null,
    verb text not null check (verb in
        ('cancel', 'retry', 'replay', 'prioritize', 'dead_letter_replay', 'dead_letter_resolve')),
    state text not null check (state in ('draft', 'running', 'paused', 'completed', 'stopped', 'cancelled')),
    -- Selection, parameters, options and what the dry run found, as JSON.
    selection text not null,
    parameters text not null,
    options text not null,
    dry_run text not null,
    selection_hash text not null,
    -- How many of the eligible items became what.
    waiting integer not null check (waiting >= 0),
    done integer not null,
    skipped integer not null,
    failed integer not null,
    -- Items up to this position have been reached.
    reached integer not null,
    -- Whether the first items have been judged.
    first_passed integer not null check (first_passed in (0, 1)),
    -- Since when the pace counts, and items reached since.
    paced_from integer,
    paced integer not null,
    notice text,
    created_by text not null,
    created_at integer not null,
    started_by text,
    scopes text,
    reason text,
    ticket text,
    correlation_id text,
    started_at integer,
    ended_at integer,
    version integer not null,
    check ((state in ('completed', 'stopped', 'cancelled')) = (ended_at is not null)),
    check (state <> 'running' or (started_by is not null and paced_from is not null))
) strict;
create index change_sets_of_tenant on change_sets (tenant, set_key);
create index change_sets_running on change_sets (set_key) where state = 'running';
create index change_sets_draft on change_sets (created_at) where state = 'draft';

create table change_set_items (
    set_key integer not null,
    position integer not null,
    item_id text not null,
    -- The row key of its job; absent when there is none.
    job_key integer,
    job_type text not null,
    was text not null,
    state text not null check (state in ('waiting', 'refused', 'done', 'skipped', 'failed')),
    code text,
    message text,
    result_job_id text,
    at integer,
    primary key (set_key, position)
) strict, without rowid;

create table saved_views (
    view_id text not null primary key,
    tenant text not null,
    page text not null,
    name text not null,
    query text not null,
    owner text not null,
    created_at integer not null,
    updated_at integer not null,
    version integer not null,
    unique (tenant, page, name)
) strict;
