//! Blackouts: times in which nothing starts.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::on_db;
use crate::query::{Query, Value};
use sqlx::FromRow;

/// A blackout as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct BlackoutRow {
    pub blackout_id: String,
    pub tenant: String,
    pub targets: String,
    pub starts_at: Option<i64>,
    pub ends_at: Option<i64>,
    pub cron: Option<String>,
    pub duration_s: Option<i64>,
    pub time_zone: Option<String>,
    pub action: String,
    pub drain_before_s: i64,
    pub reason: String,
    pub ticket: Option<String>,
    pub created_by: String,
    pub created_at: i64,
    pub over_at: Option<i64>,
    pub version: i64,
}

/// Adds a blackout.
pub async fn insert(tx: &mut Tx, row: &BlackoutRow) -> Result<(), LedgerError> {
    let values: [Value; 16] = [
        row.blackout_id.as_str().into(),
        row.tenant.as_str().into(),
        row.targets.as_str().into(),
        row.starts_at.into(),
        row.ends_at.into(),
        row.cron.clone().into(),
        row.duration_s.into(),
        row.time_zone.clone().into(),
        row.action.as_str().into(),
        row.drain_before_s.into(),
        row.reason.as_str().into(),
        row.ticket.clone().into(),
        row.created_by.as_str().into(),
        row.created_at.into(),
        row.over_at.into(),
        row.version.into(),
    ];
    let mut query = Query::new(
        "insert into blackouts (blackout_id, tenant, targets, starts_at, ends_at, cron, duration_s, time_zone, action,
            drain_before_s, reason, ticket, created_by, created_at, over_at, version)
        values ",
    );
    query.bind_list(values);
    query.execute(tx).await?;
    tx.note_work();
    Ok(())
}

/// All blackouts of everybody that are or will be on.
pub async fn not_over(tx: &mut Tx) -> Result<Vec<BlackoutRow>, LedgerError> {
    const NOT_OVER: &str = "select * from blackouts where over_at is null order by blackout_id";
    Ok(on_db!(tx, connection => sqlx::query_as(NOT_OVER).fetch_all(connection).await?))
}

/// The blackouts of a tenant, newest first.
pub async fn of_tenant(tx: &mut Tx, tenant: &str) -> Result<Vec<BlackoutRow>, LedgerError> {
    const OF_TENANT: &str =
        "select * from blackouts where tenant = $1 order by created_at desc, blackout_id desc";
    Ok(on_db!(tx, connection => sqlx::query_as(OF_TENANT).bind(tenant).fetch_all(connection).await?))
}

/// Notes that a blackout will never be on again.
pub async fn end(tx: &mut Tx, id: &str, at: i64) -> Result<(), LedgerError> {
    const END: &str = "update blackouts set over_at = $2, version = version + 1 where blackout_id = $1";
    on_db!(tx, connection => sqlx::query(END).bind(id).bind(at).execute(connection).await.map(|_| ()))?;
    tx.note_work();
    Ok(())
}

/// Takes a blackout away.
pub async fn delete(tx: &mut Tx, id: &str) -> Result<(), LedgerError> {
    const DELETE: &str = "delete from blackouts where blackout_id = $1";
    on_db!(tx, connection => sqlx::query(DELETE).bind(id).execute(connection).await.map(|_| ()))?;
    tx.note_work();
    Ok(())
}
