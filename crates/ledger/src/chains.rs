//! Where each tenant's history and feed stand. A chain's tip is kept apart from its entries, so that a tail that was
//! cut off is noticed. [`crate::book`] moves them.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::on_db;
use stella_contract::history::GENESIS;
use stella_contract::ids::Tenant;

/// The last numbers given out, and the last hash.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Tip {
    /// The last entry of the history.
    pub history_seq: i64,
    /// Its hash.
    pub last_hash: String,
    /// The last event of the feed.
    pub feed_seq: i64,
}

impl Default for Tip {
    fn default() -> Self {
        Self { history_seq: 0, last_hash: GENESIS.to_owned(), feed_seq: 0 }
    }
}

const TIP: &str = "select history_seq, last_hash, feed_seq from chains where tenant = $1";

/// Where the tenant stands.
pub async fn tip(tx: &mut Tx, tenant: &Tenant) -> Result<Tip, LedgerError> {
    let found: Option<Tip> = on_db!(tx, connection => {
        sqlx::query_as(TIP).bind(tenant.as_str()).fetch_optional(connection).await?
    });
    Ok(found.unwrap_or_default())
}
