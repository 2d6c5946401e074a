//! The name of this ledger, by which others tell its events from those of another.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;

const NAME: Sql = Sql::both("select instance_id from instance");

/// Its name, when it has one.
pub async fn name(tx: &mut Tx) -> Result<Option<String>, LedgerError> {
    let text = NAME.text(tx);
    let found: Option<(String,)> =
        on_db!(tx, connection => sqlx::query_as(text).fetch_optional(connection).await?);
    Ok(found.map(|(name,)| name))
}

const GIVE: Sql = Sql::both(
    "insert into instance (one, instance_id)
    values (1, $1)
    on conflict do nothing",
);

/// Gives it this name if it has none.
pub async fn give_name(tx: &mut Tx, name: &str) -> Result<(), LedgerError> {
    let text = GIVE.text(tx);
    on_db!(tx, connection => sqlx::query(text).bind(name).execute(connection).await.map(|_| ()))?;
    Ok(())
}
