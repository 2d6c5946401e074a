-- How fast hosts were read: one row for each minute at whose end the rate of a host was another than before.

create table bucket_samples (
    tenant text collate "C" not null,
    host text collate "C" not null,
    at bigint not null,
    rate double precision not null,
    primary key (tenant, host, at)
);
create index bucket_samples_age on bucket_samples (at);
