-- What comes in: sources, advisories, the exploited list, targets with their components, previews.

create table sources (
    source_id            text not null primary key,
    tenant               text not null,
    name                 text not null,
    source_type          text not null check (source_type in ('advisory', 'kev', 'sbom')),
    location             text not null,
    enabled              integer not null default 1 check (enabled in (0, 1)),
    record_count         integer not null default 0,
    watermark            text,
    last_success_at      integer,
    last_error_at        integer,
    last_error           text,
    last_error_code      text,
    failures_in_a_row    integer not null default 0,
    last_job_id          text,
    not_before           integer,
    -- What the far side said last time, for conditional requests.
    etag                 text,
    last_modified        text,
    content_digest       text,
    -- Rises with every stored content, so that a reading planned on older content is refused.
    content_version      integer not null default 0,
    created_at           integer not null,
    version              integer not null default 1
) strict;

create unique index sources_name on sources (tenant, name);

-- One record of one source. The same record may come from two sources; the newest one is matched.
create table advisories (
    advisory_key integer not null primary key,
    tenant       text not null,
    source_id    text not null references sources (source_id),
    record_id    text not null,
    modified     text not null,
    digest       text not null,
    body         text not null
) strict;

create unique index advisories_record on advisories (source_id, record_id);
create index advisories_tenant on advisories (tenant, advisory_key);

-- Every name of every record, in upper case: vulnerability id to records.
create table advisory_ids (
    tenant       text not null,
    vuln_id      text not null,
    advisory_key integer not null references advisories (advisory_key) on delete cascade,
    primary key (tenant, vuln_id, advisory_key)
) strict, without rowid;

create index advisory_ids_record on advisory_ids (advisory_key);

-- Every package a record speaks of, by ecosystem without its release: record to packages.
create table advisory_packages (
    tenant       text not null,
    ecosystem    text not null,
    name         text not null,
    advisory_key integer not null references advisories (advisory_key) on delete cascade,
    primary key (tenant, ecosystem, name, advisory_key)
) strict, without rowid;

create index advisory_packages_record on advisory_packages (advisory_key);

-- Known exploited vulnerabilities.
create table kev (
    tenant    text not null,
    cve       text not null,
    source_id text not null references sources (source_id),
    body      text not null,
    primary key (tenant, cve, source_id)
) strict, without rowid;

create index kev_source on kev (source_id);

create table targets (
    target_key         integer not null primary key,
    target_id          text not null,
    tenant             text not null,
    -- What makes two SBOMs the same target: `image:<digest>`, or namespace, repository and name as a JSON list.
    identity           text not null,
    name               text not null,
    version            text not null,
    digest             text not null,
    -- The first eight bytes of sha256(digest): planner shards are taken from it.
    placement          integer not null,
    is_image           integer not null check (is_image in (0, 1)),
    namespace          text not null,
    repository         text not null,
    labels             text not null,
    sbom_format        text not null,
    sbom_digest        text not null,
    component_count    integer not null,
    skipped_components integer not null,
    findings           integer,
    critical           integer,
    last_run_id        text,
    created_at         integer not null,
    updated_at         integer not null
) strict;

create unique index targets_identity on targets (tenant, identity);
create index targets_list on targets (tenant, name, version, target_id);
create index targets_digest on targets (tenant, digest);
-- The placement is in it so that a preview of all counts shards without reading the rows.
create index targets_place on targets (tenant, namespace, repository, placement);

-- Each distinct component of a tenant once; targets refer to it by key.
create table packages (
    package_key integer not null primary key,
    tenant      text not null,
    purl        text not null,
    -- sha256 of the body, so that however long a purl is, it fits an index.
    digest      text not null,
    body        text not null
) strict;

create unique index packages_digest on packages (tenant, digest);

-- How advisories may call a package: its own name and that of its source. This and `components` are the impact index.
create table package_names (
    tenant      text not null,
    ecosystem   text not null,
    name        text not null,
    version     text not null,
    package_key integer not null references packages (package_key),
    primary key (tenant, ecosystem, name, version, package_key)
) strict, without rowid;

create table components (
    target_key  integer not null references targets (target_key),
    package_key integer not null references packages (package_key),
    primary key (target_key, package_key)
) strict, without rowid;

create index components_package on components (package_key, target_key);

-- Where the impact index stands, one row per tenant.
create table impact (
    tenant          text not null primary key,
    -- Rises with every change of advisories, exploited list or SBOMs.
    generation      integer not null,
    -- Rises with every change of advisories or exploited list alone.
    feed_generation integer not null,
    -- When a feed was last read with success, whether or not it had changed.
    feeds_at        integer,
    -- When an SBOM last changed.
    sboms_at        integer,
    row_count       integer not null
) strict;

create table previews (
    preview_id  text not null primary key,
    tenant      text not null,
    request     text not null,
    answer      text not null,
    generation  integer not null,
    created_at  integer not null,
    valid_until integer not null
) strict;

create index previews_end on previews (valid_until);
