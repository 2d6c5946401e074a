-- Causes of dead letters of which nobody is called.

create table cluster_mutes (
    tenant text not null,
    fingerprint text not null,
    -- Until when; for good when absent.
    until integer,
    reason text,
    ticket text,
    muted_by text not null,
    muted_at integer not null,
    primary key (tenant, fingerprint)
) strict, without rowid;
