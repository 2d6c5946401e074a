-- Changes rows: a drained worker's mark moves into its wish. Edges between jobs, lineages, worker logs and uploads.

alter table jobs add column origin_key bigint;
alter table jobs add column retry_of text collate "C";
alter table jobs add column dead_letter_id text collate "C";
alter table jobs add column task_runner_id text collate "C";
alter table jobs add column traceparent text collate "C";
alter table jobs add column reason text collate "C";
alter table jobs add column ticket text collate "C";
-- The first job of a lineage has no origin; every repeat has its key.
create index jobs_of_lineage on jobs (origin_key, key) where origin_key is not null;

-- One edge between two jobs at most. Jobs that hang together share a graph key, so that a graph is read in one go.
create table edges (
    to_key bigint not null,
    from_key bigint not null,
    tenant text collate "C" not null,
    kind text collate "C" not null check (kind in ('on_success', 'on_completion', 'on_failure')),
    graph_key bigint not null,
    primary key (to_key, from_key)
);
create index edges_from on edges (from_key, to_key);
create index edges_of_graph on edges (graph_key);

-- How large each graph is. Edges are never taken away, so that these only rise.
create table graphs (
    graph_key bigint not null primary key,
    nodes bigint not null,
    edges bigint not null
);

alter table workers add column tenant text collate "C";
alter table workers add column sdk text collate "C";
alter table workers add column task_runner_id text collate "C";
alter table workers add column wish text collate "C" not null default 'work' check (wish in ('work', 'drain', 'quarantine'));
alter table workers add column wish_reason text collate "C";
update workers set wish = 'drain' where draining = 1;
alter table workers drop column draining;

create table job_logs (
    job_key bigint not null,
    seq bigint not null,
    at bigint not null,
    lease_epoch bigint not null,
    level text collate "C" not null check (level in ('debug', 'info', 'warn', 'error')),
    message text collate "C" not null,
    primary key (job_key, seq)
);

-- Bytes that workers brought for jobs that still run; complete makes them artifacts.
create table uploads (
    job_key bigint not null,
    lease_epoch bigint not null,
    name text collate "C" not null,
    kind text collate "C" not null,
    media_type text collate "C" not null,
    size_bytes bigint not null,
    digest text collate "C" not null,
    created_at bigint not null,
    primary key (job_key, lease_epoch, name)
);
create index uploads_by_age on uploads (created_at);
