//! For tests: how SQLite would go about a statement.

use crate::db::{Connection, Tx};
use crate::error::LedgerError;
use crate::ledger::{Ledger, LedgerPlace};
use crate::query::Query;

/// The steps of the plan on a fresh ledger, one per line.
pub(crate) async fn plan_on_sqlite(
    make: impl FnOnce(&mut Tx) -> Result<Query, LedgerError> + Send + 'static,
) -> String {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&LedgerPlace::Sqlite(folder.path().join("plan.stella")), |_| {}).await.unwrap();
    let steps = ledger.write::<_, LedgerError, _>(move |tx| {
        Box::pin(async move {
            let text = format!("explain query plan {}", make(tx)?.text());
            let Connection::Sqlite(open) = &mut tx.connection else {
                return Err(LedgerError::Other("a plan of SQLite was asked of Postgres".to_owned()));
            };
            let steps: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(text)).fetch_all(&mut **open).await?;
            Ok(steps.into_iter().map(|step| step.3).collect::<Vec<_>>().join("\n"))
        })
    });
    steps.await.unwrap()
}
