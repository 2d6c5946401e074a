//! The live feed as its readers see it; `feed` writes it.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sqlx::FromRow;

/// One event of the feed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FeedRow {
    /// Its number within the tenant.
    pub seq: i64,
    /// What happened.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// The noun.
    pub entity: String,
    /// The thing's id.
    pub id: String,
    /// The run it belongs to.
    pub run_id: Option<String>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// When.
    pub at: i64,
    /// More, as JSON.
    pub data: String,
}

const SINCE: Sql = Sql::both(
    "select seq, type, entity, id, run_id, correlation_id, at, data
    from feed
    where tenant = $1 and seq > $2
    order by seq
    limit $3",
);
const NEWEST: Sql = Sql::both("select feed_seq from chains where tenant = $1");
const OLDEST: Sql = Sql::both("select min(seq) from feed where tenant = $1");
const TRIM: Sql = Sql::both(
    "delete from feed
    where seq <= (select feed_seq - $1 from chains where chains.tenant = feed.tenant)",
);

/// Events after this number, oldest first.
pub async fn since(tx: &mut Tx, tenant: &str, after: i64, limit: i64) -> Result<Vec<FeedRow>, LedgerError> {
    let text = SINCE.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(after).bind(limit).fetch_all(connection).await?
    }))
}

/// The number of the newest event ever told; 0 before the first.
pub async fn newest(tx: &mut Tx, tenant: &str) -> Result<i64, LedgerError> {
    let text = NEWEST.text(tx);
    let row: Option<(i64,)> =
        on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_optional(connection).await?);
    Ok(row.map_or(0, |(seq,)| seq))
}

/// The number of the oldest event still kept.
pub async fn oldest(tx: &mut Tx, tenant: &str) -> Result<Option<i64>, LedgerError> {
    let text = OLDEST.text(tx);
    let (seq,): (Option<i64>,) =
        on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_one(connection).await?);
    Ok(seq)
}

/// Forgets all but the newest `keep` events of each tenant.
pub async fn trim(tx: &mut Tx, keep: i64) -> Result<u64, LedgerError> {
    let text = TRIM.text(tx);
    Ok(on_db!(tx, connection => sqlx::query(text).bind(keep).execute(connection).await?.rows_affected()))
}
