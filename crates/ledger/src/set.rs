//! A set as one parameter: JSON text, which both databases can read as rows.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
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
