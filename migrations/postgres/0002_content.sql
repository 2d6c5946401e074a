-- What comes in: sources, advisories, the exploited list, targets with their components, previews.
-- Sorted and compared text is in the "C" collation, so that both databases sort alike.

create table sources (
    source_id            text collate "C" not null primary key,
    tenant               text collate "C" not null,
    name                 text collate "C" not null,
    source_type          text collate "C" not null check (source_type in ('advisory', 'kev', 'sbom')),
    location             text not null,
    enabled              bigint not null default 1 check (enabled in (0, 1)),
    record_count         bigint not null default 0,
    watermark            text collate "C",
    last_success_at      bigint,
    last_error_at        bigint,
    last_error           text,
    last_error_code      text collate "C",
    failures_in_a_row    bigint not null default 0,
    last_job_id          text collate "C",
    not_before           bigint,
    -- What the far side said last time, for conditional requests.
    etag                 text,
    last_modified        text,
    content_digest       text collate "C",
    -- Rises with every stored content, so that a reading planned on older content is refused.
    content_version      bigint not null default 0,
    created_at           bigint not null,
    version              bigint not null default 1
);

create unique index sources_name on sources (tenant, name);

-- One record of one source. The same record may come from two sources; the newest one is matched.
create table advisories (
    advisory_key bigint not null primary key,
    tenant       text collate "C" not null,
    source_id    text collate "C" not null references sources (source_id),
    record_id    text collate "C" not null,
    modified     text collate "C" not null,
    digest       text collate "C" not null,
    body         text not null
);

create unique index advisories_record on advisories (source_id, record_id);
create index advisories_tenant on advisories (tenant, advisory_key);

-- Every name of every record, in upper case: vulnerability id to records.
create table advisory_ids (
    tenant       text collate "C" not null,
    vuln_id      text collate "C" not null,
    advisory_key bigint not null references advisories (advisory_key) on delete cascade,
    primary key (tenant, vuln_id, advisory_key)
);

create index advisory_ids_record on advisory_ids (advisory_key);

-- Every package a record speaks of, by ecosystem without its release: record to packages.
create table advisory_packages (
    tenant       text collate "C" not null,
    ecosystem    text collate "C" not null,
    name         text collate "C" not null,
    advisory_key bigint not null references advisories (advisory_key) on delete cascade,
    primary key (tenant, ecosystem, name, advisory_key)
);

create index advisory_packages_record on advisory_packages (advisory_key);

-- Known exploited vulnerabilities.
create table kev (
    tenant    text collate "C" not null,
    cve       text collate "C" not null,
    source_id text collate "C" not null references sources (source_id),
    body      text not null,
    primary key (tenant, cve, source_id)
);

create index kev_source on kev (source_id);

create table targets (
    target_key         bigint not null primary key,
    target_id          text collate "C" not null,
    tenant             text collate "C" not null,
    -- What makes two SBOMs the same target: `image:<digest>`, or namespace, repository and name as a JSON list.
    identity           text collate "C" not null,
    name               text collate "C" not null,
    version            text collate "C" not null,
    digest             text collate "C" not null,
    -- The first eight bytes of sha256(digest): planner shards are taken from it.
    placement          bigint not null,
    is_image           bigint not null check (is_image in (0, 1)),
    namespace          text collate "C" not null,
    repository         text collate "C" not null,
    labels             text not null,
    sbom_format        text collate "C" not null,
    sbom_digest        text collate "C" not null,
    component_count    bigint not null,
    skipped_components bigint not null,
    findings           bigint,
    critical           bigint,
    last_run_id        text collate "C",
    created_at         bigint not null,
    updated_at         bigint not null
);

create unique index targets_identity on targets (tenant, identity);
create index targets_list on targets (tenant, name, version, target_id);
create index targets_digest on targets (tenant, digest);
-- The placement is in it so that a preview of all counts shards without reading the rows.
create index targets_place on targets (tenant, namespace, repository, placement);

-- Each distinct component of a tenant once; targets refer to it by key.
create table packages (
    package_key bigint not null primary key,
    tenant      text collate "C" not null,
    purl        text collate "C" not null,
    -- sha256 of the body, so that however long a purl is, it fits an index.
    digest      text collate "C" not null,
    body        text not null
);

create unique index packages_digest on packages (tenant, digest);

-- How advisories may call a package: its own name and that of its source. This and `components` are the impact index.
create table package_names (
    tenant      text collate "C" not null,
    ecosystem   text collate "C" not null,
    name        text collate "C" not null,
    version     text collate "C" not null,
    package_key bigint not null references packages (package_key),
    primary key (tenant, ecosystem, name, version, package_key)
);

create table components (
    target_key  bigint not null references targets (target_key),
    package_key bigint not null references packages (package_key),
    primary key (target_key, package_key)
);

create index components_package on components (package_key, target_key);

-- Where the impact index stands, one row per tenant.
create table impact (
    tenant          text collate "C" not null primary key,
    -- Rises with every change of advisories, exploited list or SBOMs.
    generation      bigint not null,
    -- Rises with every change of advisories or exploited list alone.
    feed_generation bigint not null,
    -- When a feed was last read with success, whether or not it had changed.
    feeds_at        bigint,
    -- When an SBOM last changed.
    sboms_at        bigint,
    row_count       bigint not null
);

create table previews (
    preview_id  text collate "C" not null primary key,
    tenant      text collate "C" not null,
    request     text not null,
    answer      text not null,
    generation  bigint not null,
    created_at  bigint not null,
    valid_until bigint not null
);

create index previews_end on previews (valid_until);
