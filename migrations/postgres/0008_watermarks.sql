-- Sorted and compared text is in the "C" collation, so that both databases sort alike.
-- How far sources are read, what is read again, what is said of products, how likely vulnerabilities are exploited.
-- It touches data: every source keeps its type in a column that knows more of them, and gets its host from its location.

-- A column brings its own check, so that the table need not be made anew under those that refer to it.
alter table sources add column known_type text collate "C" not null default 'custom'
    check (known_type in ('advisory', 'kev', 'sbom', 'vex', 'epss', 'registry', 'custom'));
update sources set known_type = source_type;
alter table sources drop column source_type;
alter table sources rename column known_type to source_type;

-- Host and, where it is not the usual one, port: what buckets and breakers know the far side by.
alter table sources add column host text collate "C";
update sources set host = lower(substr(location, strpos(location, '://') + 3))
    where location like 'http://%' or location like 'https://%';
update sources set host = substr(host, 1, strpos(host, '/') - 1) where strpos(host, '/') > 0;
update sources set host = substr(host, 1, strpos(host, '?') - 1) where strpos(host, '?') > 0;
update sources set host = substr(host, 1, strpos(host, '#') - 1) where strpos(host, '#') > 0;

-- Of a custom source only; the others have one by their type.
alter table sources add column job_type text collate "C";
alter table sources add column paused bigint not null default 0 check (paused in (0, 1));
alter table sources add column pause_reason text;
alter table sources add column fetch_window_s bigint not null default 3600 check (fetch_window_s > 0);
alter table sources add column overlap_s bigint not null default 300 check (overlap_s >= 0);
alter table sources add column allowed_lateness_s bigint not null default 900 check (allowed_lateness_s >= 0);
alter table sources add column retention_days bigint not null default 365 check (retention_days > 0);
alter table sources add column bucket_capacity bigint not null default 10 check (bucket_capacity > 0);
alter table sources add column bucket_rate double precision not null default 1.0 check (bucket_rate > 0);
alter table sources add column auth_ref text;
alter table sources add column last_error_class text collate "C";

-- How far each part of a source has been read, in event time.
create table watermarks (
    source_id        text collate "C" not null references sources (source_id),
    part             text collate "C" not null,
    tenant           text collate "C" not null,
    coverage_from    bigint,
    low_watermark    bigint,
    high_watermark   bigint,
    resume_cursor    text collate "C",
    -- Lists of JSON: windows, and windows with who let them pass and why.
    completed_ranges text not null,
    gaps             text not null,
    last_event_hash  text collate "C",
    updated_at       bigint not null,
    version          bigint not null,
    primary key (source_id, part),
    check ((coverage_from is null) = (low_watermark is null)),
    check (coverage_from is null or coverage_from <= low_watermark)
);

create index watermarks_tenant on watermarks (tenant, source_id);

create table backfills (
    backfill_id       text collate "C" not null primary key,
    tenant            text collate "C" not null,
    source_id         text collate "C" not null references sources (source_id),
    range_start       bigint not null,
    range_end         bigint not null,
    -- The request as it was made, as JSON.
    request           text not null,
    state             text collate "C" not null check (state in ('draft', 'previewed', 'running', 'paused', 'completed',
                          'completed_with_errors', 'failed', 'cancelled')),
    failure_reason    text collate "C",
    -- The newest preview, as JSON.
    preview           text,
    planned           bigint not null default 0,
    done              bigint not null default 0,
    failed            bigint not null default 0,
    active            bigint not null default 0,
    failures_in_a_row bigint not null default 0,
    -- When the source's rate allows the next window.
    next_feed_at      bigint,
    reason            text not null,
    ticket            text not null,
    created_by        text collate "C" not null,
    correlation_id    text collate "C" not null,
    created_at        bigint not null,
    started_at        bigint,
    ended_at          bigint,
    version           bigint not null default 1,
    check (range_start < range_end)
);

create index backfills_list on backfills (tenant, backfill_id);
create index backfills_active on backfills (source_id) where state in ('running', 'paused');

create table backfill_windows (
    backfill_id  text collate "C" not null references backfills (backfill_id),
    position     bigint not null,
    window_start bigint not null,
    window_end   bigint not null,
    state        text collate "C" not null check (state in
                     ('planned', 'running', 'done', 'failed', 'cancelled', 'already_done')),
    job_key      bigint,
    job_id       text collate "C",
    error_code   text collate "C",
    ended_at     bigint,
    primary key (backfill_id, position),
    check ((state in ('running', 'done', 'failed')) <= (job_key is not null))
);

create index backfill_windows_job on backfill_windows (job_key) where job_key is not null;

-- What somebody says of a vulnerability in a product.
create table vex_statements (
    statement_key bigint not null primary key,
    tenant        text collate "C" not null,
    source_id     text collate "C" not null references sources (source_id),
    vuln_id       text collate "C" not null,
    said_at       bigint not null,
    -- sha256 of the body, which makes two of them the same.
    digest        text collate "C" not null,
    body          text not null
);

create unique index vex_statements_digest on vex_statements (source_id, digest);
create index vex_statements_vuln on vex_statements (tenant, vuln_id, statement_key);
create index vex_statements_tenant on vex_statements (tenant, statement_key);

-- The list of likelihoods, a page of it per row: all CVEs of one year whose numbers begin alike.
create table epss_pages (
    source_id text collate "C" not null references sources (source_id),
    page      text collate "C" not null,
    tenant    text collate "C" not null,
    scored_at bigint not null,
    body      text not null,
    primary key (source_id, page)
);

create index epss_pages_tenant on epss_pages (tenant, page);
