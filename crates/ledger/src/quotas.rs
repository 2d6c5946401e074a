//! Quotas, and what was claimed and refused under them, minute by minute.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::{Query, Value};
use crate::set::{execute, fetch, json};
use serde::Serialize;
use sqlx::FromRow;

/// A quota as it is stored.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct QuotaRow {
    pub quota_id: String,
    pub tenant: String,
    pub job_type: String,
    pub max_active: i64,
    pub max_per_hour: i64,
    pub burst: i64,
    pub refill_per_second: f64,
    pub strategy: String,
    pub weight: i64,
    pub reserved: i64,
    pub paused: i64,
    pub pause_reason: Option<String>,
    pub pause_ticket: Option<String>,
    pub paused_until: Option<i64>,
    pub tokens: f64,
    pub refilled_at: i64,
    pub revert_at: Option<i64>,
    pub revert_to: Option<String>,
    pub updated_by: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub version: i64,
}

const PUT: &str = "
    insert into quotas (quota_id, tenant, job_type, max_active, max_per_hour, burst, refill_per_second, strategy,
        weight, reserved, paused, pause_reason, pause_ticket, paused_until, tokens, refilled_at, revert_at, revert_to,
        updated_by, created_at, updated_at, version)
    values ";
const OVER: &str = "
    on conflict (quota_id) do update
    set max_active = excluded.max_active, max_per_hour = excluded.max_per_hour, burst = excluded.burst,
        refill_per_second = excluded.refill_per_second, strategy = excluded.strategy, weight = excluded.weight,
        reserved = excluded.reserved, paused = excluded.paused, pause_reason = excluded.pause_reason,
        pause_ticket = excluded.pause_ticket, paused_until = excluded.paused_until, tokens = excluded.tokens,
        refilled_at = excluded.refilled_at, revert_at = excluded.revert_at, revert_to = excluded.revert_to,
        updated_by = excluded.updated_by, updated_at = excluded.updated_at, version = excluded.version";

/// Writes a quota, new or changed. A second one for a job type is [`LedgerError::Unique`].
pub async fn put(tx: &mut Tx, row: &QuotaRow) -> Result<(), LedgerError> {
    let values: [Value; 22] = [
        row.quota_id.as_str().into(),
        row.tenant.as_str().into(),
        row.job_type.as_str().into(),
        row.max_active.into(),
        row.max_per_hour.into(),
        row.burst.into(),
        row.refill_per_second.into(),
        row.strategy.as_str().into(),
        row.weight.into(),
        row.reserved.into(),
        row.paused.into(),
        row.pause_reason.clone().into(),
        row.pause_ticket.clone().into(),
        row.paused_until.into(),
        row.tokens.into(),
        row.refilled_at.into(),
        row.revert_at.into(),
        row.revert_to.clone().into(),
        row.updated_by.as_str().into(),
        row.created_at.into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    let mut query = Query::new(PUT);
    query.bind_list(values).push(OVER);
    query.execute(tx).await?;
    tx.note_work();
    Ok(())
}

const GET: &str = "select * from quotas where tenant = $1 and quota_id = $2";

/// The quota, when the tenant has it.
pub async fn get(tx: &mut Tx, tenant: &str, id: &str) -> Result<Option<QuotaRow>, LedgerError> {
    Ok(on_db!(tx, connection => {
        sqlx::query_as(GET).bind(tenant).bind(id).fetch_optional(connection).await?
    }))
}

const OF_TENANTS: Sql = Sql {
    sqlite: "
        select * from quotas where tenant in (select value from json_each($1)) order by tenant, job_type, quota_id",
    postgres: "
        select * from quotas
        where tenant in (select value from json_array_elements_text($1::json))
        order by tenant, job_type, quota_id",
};

/// All quotas of these tenants, by tenant, then job type.
pub async fn of_tenants(tx: &mut Tx, tenants: &[&str]) -> Result<Vec<QuotaRow>, LedgerError> {
    fetch(tx, OF_TENANTS, json(&tenants)?).await
}

/// All quotas of everybody; shares are computed among them.
pub async fn all(tx: &mut Tx) -> Result<Vec<QuotaRow>, LedgerError> {
    const ALL: &str = "select * from quotas order by tenant, job_type, quota_id";
    Ok(on_db!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await?))
}

const DUE: &str = "select * from quotas where revert_at <= $1 or paused_until <= $1 order by quota_id";

/// Quotas that go back to what they were, or whose pause ends.
pub async fn due(tx: &mut Tx, now: i64) -> Result<Vec<QuotaRow>, LedgerError> {
    Ok(on_db!(tx, connection => sqlx::query_as(DUE).bind(now).fetch_all(connection).await?))
}

/// Takes a quota away, and its minutes with it.
pub async fn delete(tx: &mut Tx, id: &str) -> Result<(), LedgerError> {
    for text in ["delete from quota_minutes where quota_id = $1", "delete from quotas where quota_id = $1"] {
        on_db!(tx, connection => sqlx::query(text).bind(id).execute(connection).await.map(|_| ()))?;
    }
    tx.note_work();
    Ok(())
}

/// What happened under a quota in one minute.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct Minute {
    pub quota_id: String,
    pub minute: i64,
    pub claims: i64,
    pub refusals: i64,
}

const COUNT: Sql = Sql {
    sqlite: "
        insert into quota_minutes (quota_id, minute, claims, refusals)
        select value ->> 'quota_id', value ->> 'minute', value ->> 'claims', value ->> 'refusals'
        from json_each($1)
        where true
        on conflict (quota_id, minute) do update
        set claims = quota_minutes.claims + excluded.claims, refusals = quota_minutes.refusals + excluded.refusals",
    postgres: "
        insert into quota_minutes (quota_id, minute, claims, refusals)
        select quota_id, minute, claims, refusals
        from json_to_recordset($1::json) as new (quota_id text, minute bigint, claims bigint, refusals bigint)
        on conflict (quota_id, minute) do update
        set claims = quota_minutes.claims + excluded.claims, refusals = quota_minutes.refusals + excluded.refusals",
};

/// Adds claims and refusals to their minutes.
pub async fn count_many(tx: &mut Tx, minutes: &[Minute]) -> Result<(), LedgerError> {
    if minutes.is_empty() {
        return Ok(());
    }
    execute(tx, COUNT, json(minutes)?).await
}

const MINUTES: Sql = Sql {
    sqlite: "
        select quota_id, minute, claims, refusals
        from quota_minutes
        where quota_id in (select value from json_each($1))
        order by quota_id, minute",
    postgres: "
        select quota_id, minute, claims, refusals
        from quota_minutes
        where quota_id in (select value from json_array_elements_text($1::json))
        order by quota_id, minute",
};

/// The minutes of these quotas; older ones than an hour may be among them until they are forgotten.
pub async fn minutes(tx: &mut Tx, quota_ids: &[&str]) -> Result<Vec<Minute>, LedgerError> {
    if quota_ids.is_empty() {
        return Ok(Vec::new());
    }
    fetch(tx, MINUTES, json(&quota_ids)?).await
}

/// Forgets the minutes before this one.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, LedgerError> {
    const FORGET: &str = "delete from quota_minutes where minute < $1";
    Ok(on_db!(tx, connection => sqlx::query(FORGET).bind(before).execute(connection).await?.rows_affected()))
}

/// How full a quota's burst is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct Refilled {
    pub quota_id: String,
    pub tokens: f64,
    pub refilled_at: i64,
}

const REFILL: Sql = Sql {
    sqlite: "
        update quotas
        set tokens = said.value ->> 'tokens', refilled_at = said.value ->> 'refilled_at'
        from json_each($1) as said
        where quotas.quota_id = said.value ->> 'quota_id'",
    postgres: "
        update quotas
        set tokens = said.tokens, refilled_at = said.refilled_at
        from json_to_recordset($1::json) as said (quota_id text, tokens double precision, refilled_at bigint)
        where quotas.quota_id = said.quota_id",
};

/// Notes how full the bursts are; it is use, not a change of the quota.
pub async fn refill_many(tx: &mut Tx, rows: &[Refilled]) -> Result<(), LedgerError> {
    if rows.is_empty() {
        return Ok(());
    }
    execute(tx, REFILL, json(rows)?).await
}
