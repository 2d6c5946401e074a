//! The live feed for its readers: a long poll that answers in batches and never skips in silence.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use stella_contract::event::{FeedBatch, FeedQuery};
use stella_contract::ids::Tenant;
use stella_contract::scope::Scope;
use stella_ledger::{LedgerError, chains, feed};

/// Events kept per tenant; who is further behind reads everything anew.
pub(crate) const KEPT: i64 = 10_000;
/// Events in one batch.
const BATCH: i64 = 500;
/// The longest wait.
const LONGEST_WAIT_MS: u64 = 30_000;

/// The live feed.
#[derive(Clone)]
pub struct Feed {
    engine: Engine,
}

impl Engine {
    /// The live feed.
    pub fn feed(&self) -> Feed {
        Feed { engine: self.clone() }
    }
}

impl Feed {
    /// What happened since the cursor; waits for the first event when there is none yet. Without a cursor it answers
    /// at once with the newest one.
    pub async fn since(&self, caller: &Caller, query: FeedQuery) -> Result<FeedBatch, Error> {
        caller.demand(Scope::OrchRead)?;
        // The bell is taken before the first look, so that a commit in between is not slept through.
        let mut bell = self.engine.bus().feed();
        let wait_ms = i64::try_from(query.max_wait_ms.unwrap_or(0).min(LONGEST_WAIT_MS)).unwrap_or(0);
        let until = self.engine.now().plus_ms(wait_ms);
        loop {
            let batch = self.look(&caller.tenant, query.cursor).await?;
            let has_news = batch.reset || !batch.events.is_empty() || query.cursor.is_none();
            if has_news || self.engine.now() >= until {
                return Ok(batch);
            }
            tokio::select! {
                rung = bell.changed() => if rung.is_err() { return Ok(batch) },
                () = self.engine.clock().sleep_until(until) => {}
            }
        }
    }

    async fn look(&self, tenant: &Tenant, cursor: Option<i64>) -> Result<FeedBatch, Error> {
        let now = self.engine.now();
        let wanted = tenant.clone();
        let (newest, oldest, events) = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move {
                    let newest = chains::tip(tx, &wanted).await?.feed_seq;
                    let oldest = feed::oldest(tx, &wanted).await?;
                    let events = match cursor {
                        Some(cursor) if cursor < newest => feed::since(tx, &wanted, cursor, BATCH).await?,
                        Some(_) | None => Vec::new(),
                    };
                    Ok((newest, oldest, events))
                })
            })
            .await?;
        let is_lost = cursor.is_some_and(|cursor| {
            // Ahead of the newest: the cursor is from another ledger. Behind the oldest: events between are gone.
            cursor > newest || (cursor < newest && oldest.is_none_or(|oldest| cursor + 1 < oldest))
        });
        if is_lost {
            return Ok(FeedBatch { events: Vec::new(), cursor: newest, reset: true, now });
        }
        let cursor = events.last().map_or_else(|| cursor.unwrap_or(newest), |event| event.seq);
        Ok(FeedBatch { events, cursor, reset: false, now })
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
