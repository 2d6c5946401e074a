//! Samples of the queue's depth, one per tenant and minute.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sqlx::FromRow;

/// The queue at one moment.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DepthRow {
    /// When.
    pub at: i64,
    /// Ready for a worker.
    pub queued: i64,
    /// Held by a limit or backoff.
    pub held: i64,
}

const NEWEST: Sql = Sql::both("select max(at) from depth_samples");
// The casts tell Postgres the types of bare parameters; the `where` tells SQLite's parser that `on conflict` is not the
// start of a join.
const TAKE: Sql = Sql::both(
    "insert into depth_samples (tenant, at, queued, held)
    select cast($1 as text), cast($2 as bigint),
        (select count(*) from jobs where state = 'queued' and tenant = $1),
        (select count(*) from jobs where state = 'pending' and tenant = $1)
    where true
    on conflict do nothing",
);
const SINCE: Sql = Sql::both(
    "select at / $3 * $3 as at, max(queued) as queued, max(held) as held
    from depth_samples
    where tenant = $1 and at >= $2
    group by at / $3
    order by at / $3",
);
const FORGET: Sql = Sql::both("delete from depth_samples where at < $1");

/// When the last sample was taken.
pub async fn newest(tx: &mut Tx) -> Result<Option<i64>, LedgerError> {
    let text = NEWEST.text(tx);
    let (at,): (Option<i64>,) = on_db!(tx, connection => sqlx::query_as(text).fetch_one(connection).await?);
    Ok(at)
}

/// Counts the tenant's queue and notes it.
pub async fn take(tx: &mut Tx, tenant: &str, now: i64) -> Result<(), LedgerError> {
    let text = TAKE.text(tx);
    on_db!(tx, connection => sqlx::query(text).bind(tenant).bind(now).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// The highest depth of each span of `span` microseconds since then, oldest first.
pub async fn since(tx: &mut Tx, tenant: &str, from: i64, span: i64) -> Result<Vec<DepthRow>, LedgerError> {
    let text = SINCE.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(from).bind(span).fetch_all(connection).await?
    }))
}

/// Forgets samples from before this time.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, LedgerError> {
    let text = FORGET.text(tx);
    Ok(on_db!(tx, connection => sqlx::query(text).bind(before).execute(connection).await?.rows_affected()))
}
