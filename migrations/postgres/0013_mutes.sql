-- Causes of dead letters of which nobody is called.

create table cluster_mutes (
    tenant text collate "C" not null,
    fingerprint text collate "C" not null,
    -- Until when; for good when absent.
    until bigint,
    reason text collate "C",
    ticket text collate "C",
    muted_by text collate "C" not null,
    muted_at bigint not null,
    primary key (tenant, fingerprint)
);
