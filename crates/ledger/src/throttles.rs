//! Throttles: what holds jobs back, written down as long as it does and afterwards.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::Query;
use crate::set::{execute, json};
use serde::Serialize;
use sqlx::FromRow;

/// A throttle as it is stored.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct ThrottleRow {
    pub throttle_id: String,
    pub tenant: String,
    pub kind: String,
    pub key: String,
    pub reason: String,
    pub level: String,
    pub started_at: i64,
    pub until: Option<i64>,
    pub rate_now: Option<f64>,
    pub rate_base: Option<f64>,
    pub hits: i64,
    pub last_status: Option<i64>,
    pub actor: Option<String>,
    pub operator_reason: Option<String>,
    pub ticket: Option<String>,
    pub cleared_at: Option<i64>,
    pub cleared_by: Option<String>,
}

const MEET: Sql = Sql {
    sqlite: "
        insert into throttles (throttle_id, tenant, kind, key, reason, level, started_at, until, rate_now, rate_base,
            hits, last_status, actor, operator_reason, ticket)
        select value ->> 'throttle_id', value ->> 'tenant', value ->> 'kind', value ->> 'key', value ->> 'reason',
            value ->> 'level', value ->> 'started_at', value ->> 'until', value ->> 'rate_now', value ->> 'rate_base',
            value ->> 'hits', value ->> 'last_status', value ->> 'actor', value ->> 'operator_reason',
            value ->> 'ticket'
        from json_each($1)
        where true
        on conflict (tenant, kind, key) where cleared_at is null do update
        set hits = throttles.hits + excluded.hits, until = coalesce(excluded.until, throttles.until),
            reason = excluded.reason, level = excluded.level,
            rate_now = coalesce(excluded.rate_now, throttles.rate_now),
            rate_base = coalesce(excluded.rate_base, throttles.rate_base),
            last_status = coalesce(excluded.last_status, throttles.last_status)",
    postgres: "
        insert into throttles (throttle_id, tenant, kind, key, reason, level, started_at, until, rate_now, rate_base,
            hits, last_status, actor, operator_reason, ticket)
        select throttle_id, tenant, kind, key, reason, level, started_at, until, rate_now, rate_base, hits,
            last_status, actor, operator_reason, ticket
        from json_to_recordset($1::json) as new (throttle_id text, tenant text, kind text, key text, reason text,
            level text, started_at bigint, until bigint, rate_now double precision, rate_base double precision,
            hits bigint, last_status bigint, actor text, operator_reason text, ticket text)
        on conflict (tenant, kind, key) where cleared_at is null do update
        set hits = throttles.hits + excluded.hits, until = coalesce(excluded.until, throttles.until),
            reason = excluded.reason, level = excluded.level,
            rate_now = coalesce(excluded.rate_now, throttles.rate_now),
            rate_base = coalesce(excluded.rate_base, throttles.rate_base),
            last_status = coalesce(excluded.last_status, throttles.last_status)",
};

/// Opens throttles, or adds to the active ones of the same things. Each thing may be named once.
pub async fn meet_many(tx: &mut Tx, rows: &[ThrottleRow]) -> Result<(), LedgerError> {
    if rows.is_empty() {
        return Ok(());
    }
    execute(tx, MEET, json(rows)?).await?;
    tx.note_work();
    Ok(())
}

/// All active throttles of everybody, oldest first.
pub async fn active(tx: &mut Tx) -> Result<Vec<ThrottleRow>, LedgerError> {
    const ACTIVE: &str = "select * from throttles where cleared_at is null order by throttle_id";
    Ok(on_db!(tx, connection => sqlx::query_as(ACTIVE).fetch_all(connection).await?))
}

const CLEAR: Sql = Sql {
    sqlite: "
        update throttles
        set cleared_at = $2, cleared_by = $3, until = $2
        where throttle_id in (select value from json_each($1))
          and cleared_at is null",
    postgres: "
        update throttles
        set cleared_at = $2, cleared_by = $3, until = $2
        where throttle_id in (select value from json_array_elements_text($1::json))
          and cleared_at is null",
};

/// Ends throttles.
pub async fn clear_many(tx: &mut Tx, ids: &[&str], at: i64, by: &str) -> Result<(), LedgerError> {
    let (text, ids) = (CLEAR.text(tx), json(&ids)?);
    on_db!(tx, connection => {
        sqlx::query(text).bind(ids).bind(at).bind(by).execute(connection).await.map(|_| ())
    })?;
    tx.note_work();
    Ok(())
}

/// The throttle, when the tenant has it.
pub async fn get(tx: &mut Tx, tenant: &str, id: &str) -> Result<Option<ThrottleRow>, LedgerError> {
    const GET: &str = "select * from throttles where tenant = $1 and throttle_id = $2";
    Ok(on_db!(tx, connection => {
        sqlx::query_as(GET).bind(tenant).bind(id).fetch_optional(connection).await?
    }))
}

/// Throttles of a tenant after a place, the active ones first, then the newest.
pub async fn list(
    tx: &mut Tx,
    tenant: &str,
    wanted: (Option<bool>, Option<&str>),
    after: Option<(i64, i64, &str)>,
    limit: i64,
) -> Result<Vec<ThrottleRow>, LedgerError> {
    const ORDER: &str = "case when cleared_at is null then 1 else 0 end";
    let mut query = Query::new("select * from throttles where tenant = ");
    query.bind(tenant);
    match wanted.0 {
        Some(true) => query.push(" and cleared_at is null"),
        Some(false) => query.push(" and cleared_at is not null"),
        None => &mut query,
    };
    if let Some(kind) = wanted.1 {
        query.push(" and kind = ").bind(kind);
    }
    if let Some((active, started_at, id)) = after {
        query.push(" and (").push(ORDER).push(", started_at, throttle_id) < (");
        query.bind(active).push(", ").bind(started_at).push(", ").bind(id).push(")");
    }
    query.push(" order by ").push(ORDER).push(" desc, started_at desc, throttle_id desc limit ").bind(limit);
    query.fetch_all(tx).await
}

/// How many throttles of a tenant there are, as far as a list counts.
pub async fn total(
    tx: &mut Tx,
    tenant: &str,
    active: Option<bool>,
    kind: Option<&str>,
) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select 1 from throttles where tenant = ");
    query.bind(tenant);
    match active {
        Some(true) => query.push(" and cleared_at is null"),
        Some(false) => query.push(" and cleared_at is not null"),
        None => &mut query,
    };
    if let Some(kind) = kind {
        query.push(" and kind = ").bind(kind);
    }
    query.fetch_total(tx).await
}
