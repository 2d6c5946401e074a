-- Changes rows: a drained worker's mark moves into its wish. Edges between jobs, lineages, worker logs and uploads.

alter table jobs add column origin_key integer;
alter table jobs add column retry_of text;
alter table jobs add column dead_letter_id text;
alter table jobs add column task_runner_id text;
alter table jobs add column traceparent text;
alter table jobs add column reason text;
alter table jobs add column ticket text;
-- The first job of a lineage has no origin; every repeat has its key.
create index jobs_of_lineage on jobs (origin_key, key) where origin_key is not null;

-- One edge between two jobs at most. Jobs that hang together share a graph key, so that a graph is read in one go.
create table edges (
    to_key integer not null,
    from_key integer not null,
    tenant text not null,
    kind text not null check (kind in ('on_success', 'on_completion', 'on_failure')),
    graph_key integer not null,
    primary key (to_key, from_key)
) strict, without rowid;
create index edges_from on edges (from_key, to_key);
create index edges_of_graph on edges (graph_key);

-- How large each graph is. Edges are never taken away, so that these only rise.
create table graphs (
    graph_key integer not null primary key,
    nodes integer not null,
    edges integer not null
) strict;

alter table workers add column tenant text;
alter table workers add column sdk text;
alter table workers add column task_runner_id text;
alter table workers add column wish text not null default 'work' check (wish in ('work', 'drain', 'quarantine'));
alter table workers add column wish_reason text;
update workers set wish = 'drain' where draining = 1;
alter table workers drop column draining;

create table job_logs (
    job_key integer not null,
    seq integer not null,
    at integer not null,
    lease_epoch integer not null,
    level text not null check (level in ('debug', 'info', 'warn', 'error')),
    message text not null,
    primary key (job_key, seq)
) strict, without rowid;

-- Bytes that workers brought for jobs that still run; complete makes them artifacts.
create table uploads (
    job_key integer not null,
    lease_epoch integer not null,
    name text not null,
    kind text not null,
    media_type text not null,
    size_bytes integer not null,
    digest text not null,
    created_at integer not null,
    primary key (job_key, lease_epoch, name)
) strict, without rowid;
create index uploads_by_age on uploads (created_at);
