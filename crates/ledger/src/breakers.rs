//! Circuit breakers, and the failures they are held against.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::{Query, Value};
use crate::set::{execute, json};
use serde::Serialize;
use sqlx::FromRow;

/// A breaker as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct BreakerRow {
    pub breaker_id: String,
    pub tenant: String,
    pub kind: String,
    pub key: String,
    pub state: String,
    pub forced: i64,
    pub opened_at: Option<i64>,
    pub open_until: Option<i64>,
    pub openings: i64,
    pub half_open_at: Option<i64>,
    pub window_from: i64,
    pub operator_reason: Option<String>,
    pub changed_at: i64,
    pub changed_by: String,
    pub version: i64,
}

const PUT: &str = "
    insert into breakers (breaker_id, tenant, kind, key, state, forced, opened_at, open_until, openings, half_open_at,
        window_from, operator_reason, changed_at, changed_by, version)
    values ";
const OVER: &str = "
    on conflict (tenant, kind, key) do update
    set state = excluded.state, forced = excluded.forced, opened_at = excluded.opened_at,
        open_until = excluded.open_until, openings = excluded.openings, half_open_at = excluded.half_open_at,
        window_from = excluded.window_from, operator_reason = excluded.operator_reason,
        changed_at = excluded.changed_at, changed_by = excluded.changed_by, version = excluded.version";

/// Writes a breaker, new or changed.
pub async fn put(tx: &mut Tx, row: &BreakerRow) -> Result<(), LedgerError> {
    let values: [Value; 15] = [
        row.breaker_id.as_str().into(),
        row.tenant.as_str().into(),
        row.kind.as_str().into(),
        row.key.as_str().into(),
        row.state.as_str().into(),
        row.forced.into(),
        row.opened_at.into(),
        row.open_until.into(),
        row.openings.into(),
        row.half_open_at.into(),
        row.window_from.into(),
        row.operator_reason.clone().into(),
        row.changed_at.into(),
        row.changed_by.as_str().into(),
        row.version.into(),
    ];
    let mut query = Query::new(PUT);
    query.bind_list(values).push(OVER);
    query.execute(tx).await?;
    tx.note_work();
    Ok(())
}

/// All breakers of everybody that are not closed.
pub async fn not_closed(tx: &mut Tx) -> Result<Vec<BreakerRow>, LedgerError> {
    const NOT_CLOSED: &str = "select * from breakers where state <> 'closed' order by breaker_id";
    Ok(on_db!(tx, connection => sqlx::query_as(NOT_CLOSED).fetch_all(connection).await?))
}

/// The breakers of a tenant, by kind, then key.
pub async fn of_tenant(tx: &mut Tx, tenant: &str) -> Result<Vec<BreakerRow>, LedgerError> {
    const OF_TENANT: &str = "select * from breakers where tenant = $1 order by kind, key";
    Ok(on_db!(tx, connection => sqlx::query_as(OF_TENANT).bind(tenant).fetch_all(connection).await?))
}

/// The breaker of a host or type.
pub async fn find(
    tx: &mut Tx,
    tenant: &str,
    kind: &str,
    key: &str,
) -> Result<Option<BreakerRow>, LedgerError> {
    const FIND: &str = "select * from breakers where tenant = $1 and kind = $2 and key = $3";
    Ok(on_db!(tx, connection => {
        sqlx::query_as(FIND).bind(tenant).bind(kind).bind(key).fetch_optional(connection).await?
    }))
}

/// Failures of one host or type in one span of ten seconds.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct FailureSlot {
    pub tenant: String,
    pub kind: String,
    pub key: String,
    pub slot: i64,
    pub failures: i64,
    pub others: i64,
}

const COUNT: Sql = Sql {
    sqlite: "
        insert into failure_slots (tenant, kind, key, slot, failures, others)
        select value ->> 'tenant', value ->> 'kind', value ->> 'key', value ->> 'slot', value ->> 'failures',
            value ->> 'others'
        from json_each($1)
        where true
        on conflict (tenant, kind, key, slot) do update
        set failures = failure_slots.failures + excluded.failures, others = failure_slots.others + excluded.others",
    postgres: "
        insert into failure_slots (tenant, kind, key, slot, failures, others)
        select tenant, kind, key, slot, failures, others
        from json_to_recordset($1::json)
            as new (tenant text, kind text, key text, slot bigint, failures bigint, others bigint)
        on conflict (tenant, kind, key, slot) do update
        set failures = failure_slots.failures + excluded.failures, others = failure_slots.others + excluded.others",
};

/// Adds failures to their spans. Each span may be named once.
pub async fn count_many(tx: &mut Tx, slots: &[FailureSlot]) -> Result<(), LedgerError> {
    if slots.is_empty() {
        return Ok(());
    }
    execute(tx, COUNT, json(slots)?).await
}

/// The failures of a host or type since a span: those that count, and the others.
pub async fn failures(
    tx: &mut Tx,
    tenant: &str,
    kind: &str,
    key: &str,
    since: i64,
) -> Result<(i64, i64), LedgerError> {
    const FAILURES: &str = "
        select cast(coalesce(sum(failures), 0) as bigint), cast(coalesce(sum(others), 0) as bigint)
        from failure_slots
        where tenant = $1 and kind = $2 and key = $3 and slot >= $4";
    Ok(on_db!(tx, connection => {
        sqlx::query_as(FAILURES).bind(tenant).bind(kind).bind(key).bind(since).fetch_one(connection).await?
    }))
}

/// Forgets the spans before this one.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, LedgerError> {
    const FORGET: &str = "delete from failure_slots where slot < $1";
    Ok(on_db!(tx, connection => sqlx::query(FORGET).bind(before).execute(connection).await?.rows_affected()))
}

/// Which successes of a type or of a host's sources are meant.
#[derive(Debug, Clone, Copy)]
pub struct Successes<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// Of this type; or of these sources, when there is none.
    pub job_type: Option<&'a str>,
    /// The sources of the host.
    pub source_ids: &'a [String],
    /// Ended at this time or later.
    pub ended_from: i64,
    /// Started at this time or later.
    pub started_from: i64,
    /// No more than so many are counted.
    pub most: i64,
}

const OF_TYPE: &str = "
    select count(*)
    from (
        select 1
        from jobs
        where tenant = $1 and ended_at >= $2 and job_type = $3 and state = 'succeeded' and attempt_started_at >= $4
        limit $5) as found";
const OF_SOURCES: Sql = Sql {
    sqlite: "
        select count(*)
        from (
            select 1
            from jobs
            where tenant = $1 and ended_at >= $2 and source_id in (select value from json_each($3))
              and state = 'succeeded' and attempt_started_at >= $4
            limit $5) as found",
    postgres: "
        select count(*)
        from (
            select 1
            from jobs
            where tenant = $1 and ended_at >= $2
              and source_id in (select value from json_array_elements_text($3::json))
              and state = 'succeeded' and attempt_started_at >= $4
            limit $5) as found",
};

/// How many jobs succeeded.
pub async fn successes(tx: &mut Tx, of: Successes<'_>) -> Result<i64, LedgerError> {
    let (text, key) = match of.job_type {
        Some(job_type) => (OF_TYPE, job_type.to_owned()),
        None => (OF_SOURCES.text(tx), json(&of.source_ids)?),
    };
    let (count,): (i64,) = on_db!(tx, connection => {
        sqlx::query_as(text)
            .bind(of.tenant)
            .bind(of.ended_from)
            .bind(key)
            .bind(of.started_from)
            .bind(of.most)
            .fetch_one(connection)
            .await?
    });
    Ok(count)
}
