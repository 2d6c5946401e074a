-- How far sources are read, what is read again, what is said of products, how likely vulnerabilities are exploited.
-- It touches data: every source keeps its type in a column that knows more of them, and gets its host from its location.

-- A column brings its own check, so that the table need not be made anew under those that refer to it.
alter table sources add column known_type text not null default 'custom'
    check (known_type in ('advisory', 'kev', 'sbom', 'vex', 'epss', 'registry', 'custom'));
update sources set known_type = source_type;
alter table sources drop column source_type;
alter table sources rename column known_type to source_type;

-- Host and, where it is not the usual one, port: what buckets and breakers know the far side by.
alter table sources add column host text;
update sources set host = lower(substr(location, instr(location, '://') + 3))
    where location like 'http://%' or location like 'https://%';
update sources set host = substr(host, 1, instr(host, '/') - 1) where instr(host, '/') > 0;
update sources set host = substr(host, 1, instr(host, '?') - 1) where instr(host, '?') > 0;
update sources set host = substr(host, 1, instr(host, '#') - 1) where instr(host, '#') > 0;

-- Of a custom source only; the others have one by their type.
alter table sources add column job_type text;
alter table sources add column paused integer not null default 0 check (paused in (0, 1));
alter table sources add column pause_reason text;
alter table sources add column fetch_window_s integer not null default 3600 check (fetch_window_s > 0);
alter table sources add column overlap_s integer not null default 300 check (overlap_s >= 0);
alter table sources add column allowed_lateness_s integer not null default 900 check (allowed_lateness_s >= 0);
alter table sources add column retention_days integer not null default 365 check (retention_days > 0);
alter table sources add column bucket_capacity integer not null default 10 check (bucket_capacity > 0);
alter table sources add column bucket_rate real not null default 1.0 check (bucket_rate > 0);
alter table sources add column auth_ref text;
alter table sources add column last_error_class text;

-- How far each part of a source has been read, in event time.
create table watermarks (
    source_id        text not null references sources (source_id),
    part             text not null,
    tenant           text not null,
    coverage_from    integer,
    low_watermark    integer,
    high_watermark   integer,
    resume_cursor    text,
    -- Lists of JSON: windows, and windows with who let them pass and why.
    completed_ranges text not null,
    gaps             text not null,
    last_event_hash  text,
    updated_at       integer not null,
    version          integer not null,
    primary key (source_id, part),
    check ((coverage_from is null) = (low_watermark is null)),
    check (coverage_from is null or coverage_from <= low_watermark)
) strict, without rowid;

create index watermarks_tenant on watermarks (tenant, source_id);

create table backfills (
    backfill_id       text not null primary key,
    tenant            text not null,
    source_id         text not null references sources (source_id),
    range_start       integer not null,
    range_end         integer not null,
    -- The request as it was made, as JSON.
    request           text not null,
    state             text not null check (state in ('draft', 'previewed', 'running', 'paused', 'completed',
                          'completed_with_errors', 'failed', 'cancelled')),
    failure_reason    text,
    -- The newest preview, as JSON.
    preview           text,
    planned           integer not null default 0,
    done              integer not null default 0,
    failed            integer not null default 0,
    active            integer not null default 0,
    failures_in_a_row integer not null default 0,
    -- When the source's rate allows the next window.
    next_feed_at      integer,
    reason            text not null,
    ticket            text not null,
    created_by        text not null,
    correlation_id    text not null,
    created_at        integer not null,
    started_at        integer,
    ended_at          integer,
    version           integer not null default 1,
    check (range_start < range_end)
) strict;

create index backfills_list on backfills (tenant, backfill_id);
create index backfills_active on backfills (source_id) where state in ('running', 'paused');

create table backfill_windows (
    backfill_id  text not null references backfills (backfill_id),
    position     integer not null,
    window_start integer not null,
    window_end   integer not null,
    state        text not null check (state in
                     ('planned', 'running', 'done', 'failed', 'cancelled', 'already_done')),
    job_key      integer,
    job_id       text,
    error_code   text,
    ended_at     integer,
    primary key (backfill_id, position),
    check ((state in ('running', 'done', 'failed')) <= (job_key is not null))
) strict, without rowid;

create index backfill_windows_job on backfill_windows (job_key) where job_key is not null;

-- What somebody says of a vulnerability in a product.
create table vex_statements (
    statement_key integer not null primary key,
    tenant        text not null,
    source_id     text not null references sources (source_id),
    vuln_id       text not null,
    said_at       integer not null,
    -- sha256 of the body, which makes two of them the same.
    digest        text not null,
    body          text not null
) strict;

create unique index vex_statements_digest on vex_statements (source_id, digest);
create index vex_statements_vuln on vex_statements (tenant, vuln_id, statement_key);
create index vex_statements_tenant on vex_statements (tenant, statement_key);

-- The list of likelihoods, a page of it per row: all CVEs of one year whose numbers begin alike.
create table epss_pages (
    source_id text not null references sources (source_id),
    page      text not null,
    tenant    text not null,
    scored_at integer not null,
    body      text not null,
    primary key (source_id, page)
) strict, without rowid;

create index epss_pages_tenant on epss_pages (tenant, page);
