//! A set in one statement: as JSON text in one parameter, which both databases can read as rows, or, where rows are
//! wide and many, as bound values.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::{Query, Value};
use serde::Serialize;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// The value as JSON text.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Other(format!("not JSON: {error}")))
}

/// Runs a statement with the set as its only parameter.
pub async fn execute(tx: &mut Tx, sql: Sql, set: String) -> Result<(), LedgerError> {
    let text = sql.text(tx);
    on_db!(tx, connection => sqlx::query(text).bind(set).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// The rows of a statement with the set as its only parameter.
pub async fn fetch<R>(tx: &mut Tx, sql: Sql, set: String) -> Result<Vec<R>, LedgerError>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let text = sql.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(set).fetch_all(connection).await?))
}

/// Runs a statement with an owner as its first and the set as its second parameter.
pub async fn execute_for(tx: &mut Tx, sql: Sql, owner: &str, set: String) -> Result<(), LedgerError> {
    let text = sql.text(tx);
    on_db!(tx, connection => sqlx::query(text).bind(owner).bind(set).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Values bound in one statement at most; SQLite takes 32,766.
const MOST_VALUES: usize = 2_000;

/// Inserts rows of equally many values: `head` ends with `values`. Reading a wide row back out of JSON costs several
/// times as much as binding it. Full statements hold a power of two of rows, so that there are few texts to prepare.
pub async fn insert(tx: &mut Tx, head: &'static str, rows: Vec<Vec<Value>>) -> Result<(), LedgerError> {
    insert_or(tx, head, rows, "").await.map(|_| ())
}

/// The same with what is to be done where a row is there already: `tail` begins with `on conflict`. How many rows it
/// wrote.
pub async fn insert_or(
    tx: &mut Tx,
    head: &'static str,
    rows: Vec<Vec<Value>>,
    tail: &'static str,
) -> Result<u64, LedgerError> {
    let (width, is_postgres) = (rows.first().map_or(1, Vec::len).max(1), tx.is_postgres());
    let most = 1 << (MOST_VALUES / width).max(1).ilog2();
    let mut rows = rows.into_iter();
    let mut next = || {
        let now = most.min(1 << rows.len().checked_ilog2()?);
        let mut query = Query::new(head);
        for (at, row) in rows.by_ref().take(now).enumerate() {
            query.push(if at == 0 { " " } else { ", " }).bind_row(row, is_postgres);
        }
        query.push(tail);
        Some(query)
    };
    let (mut part, mut written) = (next(), 0);
    while let Some(query) = part {
        // While the database works on one part, the next one is made ready.
        let (changed, following) = tokio::join!(query.execute(tx), async { next() });
        written += changed?;
        part = following;
    }
    Ok(written)
}
