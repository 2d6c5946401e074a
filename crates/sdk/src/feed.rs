//! The tenant's live feed, by long poll (spec 05 §5.9).

use crate::client::Client;
use crate::error::Error;
use stella_contract::event::{FeedBatch, FeedQuery};

/// The live feed of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a>(&'a Client);

impl Client {
    /// The tenant's live feed.
    pub fn feed(&self) -> Feed<'_> {
        Feed(self)
    }
}

impl Feed<'_> {
    /// What happened since the cursor; waits for news as long as the query says.
    pub async fn since(self, query: FeedQuery) -> Result<FeedBatch, Error> {
        self.0.get_slow("/api/v1/feed", &[&query], query.max_wait_ms.unwrap_or(0)).await
    }

    /// Where the feed stands now.
    pub async fn cursor(self) -> Result<i64, Error> {
        Ok(self.since(FeedQuery { cursor: None, max_wait_ms: Some(0) }).await?.cursor)
    }
}
