-- What workers did against the rules of their leases; records by age, for what is kept of a source.

-- A worker that spoke under a lease that was no longer its own, or brought other bytes than it said.
create table worker_violations (
    worker_id text not null,
    at integer not null,
    job_key integer not null,
    kind text not null check (kind in ('fence', 'integrity')),
    primary key (worker_id, at, job_key)
) strict, without rowid;
create index worker_violations_age on worker_violations (at);

create index advisories_age on advisories (source_id, modified, advisory_key);
create index vex_statements_age on vex_statements (source_id, said_at, statement_key);
