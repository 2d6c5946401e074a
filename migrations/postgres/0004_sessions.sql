-- Tokens, kept answers of writes, samples of the queue's depth.
-- Sorted and compared text is in the "C" collation, so that both databases sort alike.

-- The secret itself is never stored, only its SHA-256.
create table tokens (
    token_id text collate "C" not null primary key,
    tenant text collate "C" not null,
    name text collate "C" not null,
    kind text collate "C" not null check (kind in ('bearer', 'session', 'one_time')),
    secret_hash text collate "C" not null unique,
    scopes text collate "C" not null,
    read_only bigint not null check (read_only in (0, 1)),
    created_by text collate "C" not null,
    created_at bigint not null,
    expires_at bigint not null,
    -- A one-time token is used once; others never have this.
    used_at bigint,
    revoked_at bigint
);
create index tokens_list on tokens (tenant, created_at desc, token_id desc);
create index tokens_end on tokens (expires_at);

-- The first answer to each idempotency key; without a status while it is still being answered.
create table kept_answers (
    tenant text collate "C" not null,
    path text collate "C" not null,
    idempotency_key text collate "C" not null,
    body_digest text collate "C" not null,
    started_at bigint not null,
    status bigint,
    media_type text collate "C",
    body text,
    answered_at bigint,
    primary key (tenant, path, idempotency_key),
    check ((status is null) = (answered_at is null))
);
create index kept_answers_age on kept_answers (started_at);

create table depth_samples (
    tenant text collate "C" not null,
    at bigint not null,
    queued bigint not null,
    held bigint not null,
    primary key (tenant, at)
);
create index depth_samples_age on depth_samples (at);

-- What ended lately, by type: the figures of the overview come from this index alone.
create index jobs_ended on jobs (tenant, ended_at, job_type, state) where ended_at is not null;
