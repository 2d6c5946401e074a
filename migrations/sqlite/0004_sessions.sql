-- Tokens, kept answers of writes, samples of the queue's depth.

-- The secret itself is never stored, only its SHA-256.
create table tokens (
    token_id text not null primary key,
    tenant text not null,
    name text not null,
    kind text not null check (kind in ('bearer', 'session', 'one_time')),
    secret_hash text not null unique,
    scopes text not null,
    read_only integer not null check (read_only in (0, 1)),
    created_by text not null,
    created_at integer not null,
    expires_at integer not null,
    -- A one-time token is used once; others never have this.
    used_at integer,
    revoked_at integer
) strict;
create index tokens_list on tokens (tenant, created_at desc, token_id desc);
create index tokens_end on tokens (expires_at);

-- The first answer to each idempotency key; without a status while it is still being answered.
create table kept_answers (
    tenant text not null,
    path text not null,
    idempotency_key text not null,
    body_digest text not null,
    started_at integer not null,
    status integer,
    media_type text,
    body text,
    answered_at integer,
    primary key (tenant, path, idempotency_key),
    check ((status is null) = (answered_at is null))
) strict, without rowid;
create index kept_answers_age on kept_answers (started_at);

create table depth_samples (
    tenant text not null,
    at integer not null,
    queued integer not null,
    held integer not null,
    primary key (tenant, at)
) strict, without rowid;
create index depth_samples_age on depth_samples (at);

-- What ended lately, by type: the figures of the overview come from this index alone.
create index jobs_ended on jobs (tenant, ended_at, job_type, state) where ended_at is not null;
