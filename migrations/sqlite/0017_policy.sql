-- Policy: snapshots of rules, which one is active, who promoted what; what a run and a finding know of it. Follow-up runs:
-- the rule of each tenant and kind, the keys gathered for the next run, and what webhooks took.

alter table runs add column policy_snapshot_id text;
alter table runs add column policy_revision integer;
create index runs_by_policy on runs (tenant, policy_revision, created_at desc, run_id desc)
    where policy_revision is not null;

alter table finding_facts add column verdict text check (verdict in ('block', 'warn', 'ignore', 'quiet'));
alter table finding_facts add column rule text;
create index finding_facts_verdict on finding_facts
    (tenant, verdict, place, vulnerability_id, purl, fact_key) where verdict is not null;

-- Rules that never change: the id is the digest of their canonical form.
create table policy_snapshots (
    tenant text not null,
    policy_snapshot_id text not null,
    revision integer not null,
    policy text not null,
    note text,
    -- The rules as a JSON list, and the text they were read from.
    rules text not null,
    rule_count integer not null,
    source text not null,
    created_by text not null,
    created_at integer not null,
    primary key (tenant, policy_snapshot_id)
) strict, without rowid;
create unique index policy_snapshots_revision on policy_snapshots (tenant, revision);

-- Which snapshot runs use when they name none, one row per tenant.
create table policies (
    tenant text not null primary key,
    policy_snapshot_id text not null,
    foreign key (tenant, policy_snapshot_id) references policy_snapshots (tenant, policy_snapshot_id)
) strict;

create table policy_promotions (
    promotion_id text not null primary key,
    tenant text not null,
    policy_snapshot_id text not null,
    previous_snapshot_id text,
    promoted_by text not null,
    reason text not null,
    ticket text,
    promoted_at integer not null,
    run_id text
) strict;
create index policy_promotions_list on policy_promotions (tenant, promoted_at desc, promotion_id desc);

-- What comes in and the run that follows. `everything` says that the gathered keys do not say all that is touched.
create table triggers (
    tenant text not null,
    kind text not null check (kind in ('concelier', 'excititor')),
    enabled integer not null check (enabled in (0, 1)),
    mode text not null check (mode in ('analysis-only', 'content-refresh')),
    scope text not null check (scope in ('changed', 'all')),
    min_interval_s integer not null,
    everything integer not null default 0 check (everything in (0, 1)),
    pending_since integer,
    last_run_id text,
    last_run_at integer,
    secret text,
    secret_made_at integer,
    last_delivery_at integer,
    version integer not null default 1,
    primary key (tenant, kind)
) strict, without rowid;
create index triggers_pending on triggers (pending_since) where pending_since is not null;

-- Vulnerabilities (`vuln`) and packages (`purl`) gathered for the next run.
create table trigger_keys (
    tenant text not null,
    kind text not null,
    key_type text not null check (key_type in ('vuln', 'purl')),
    value text not null,
    primary key (tenant, kind, key_type, value)
) strict, without rowid;

-- Exports that webhooks took, so that the same one twice is one run, and so that their pace is known.
create table webhook_deliveries (
    tenant text not null,
    kind text not null,
    export_id text not null,
    body_digest text not null,
    taken_at integer not null,
    run_id text not null,
    primary key (tenant, kind, export_id)
) strict, without rowid;
create index webhook_deliveries_age on webhook_deliveries (tenant, kind, taken_at);
