-- How fast hosts were read: one row for each minute at whose end the rate of a host was another than before.

create table bucket_samples (
    tenant text not null,
    host text not null,
    at integer not null,
    rate real not null,
    primary key (tenant, host, at)
) strict, without rowid;
create index bucket_samples_age on bucket_samples (at);
