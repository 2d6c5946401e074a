//! The live feed for its readers: a long poll that answers in batches and never skips in silence.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use stella_contract::event::{FeedBatch, FeedEvent, FeedQuery};
use stella_contract::ids::Tenant;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::LedgerError;
use stella_ledger::feed_read::{self, FeedRow};

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
        let (newest, oldest, rows) = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move {
                    let newest = feed_read::newest(tx, wanted.as_str()).await?;
                    let oldest = feed_read::oldest(tx, wanted.as_str()).await?;
                    let rows = match cursor {
                        Some(cursor) if cursor < newest => {
                            feed_read::since(tx, wanted.as_str(), cursor, BATCH).await?
                        }
                        Some(_) | None => Vec::new(),
                    };
                    Ok((newest, oldest, rows))
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
        let events = rows.into_iter().map(|row| event_of(row, tenant)).collect::<Result<Vec<_>, _>>()?;
        let cursor = events.last().map_or_else(|| cursor.unwrap_or(newest), |event| event.seq);
        Ok(FeedBatch { events, cursor, reset: false, now })
    }
}

fn event_of(row: FeedRow, tenant: &Tenant) -> Result<FeedEvent, LedgerError> {
    let place = format!("{tenant}/{}", row.seq);
    let run_id = row.run_id.map(|id| id.parse()).transpose();
    Ok(FeedEvent {
        seq: row.seq,
        kind: row.kind,
        entity: row.entity,
        id: row.id,
        tenant: tenant.clone(),
        run_id: run_id.map_err(|_| LedgerError::corrupt("feed", "run_id", &place))?,
        correlation_id: row.correlation_id,
        at: Micros(row.at),
        data: serde_json::from_str(&row.data).map_err(|_| LedgerError::corrupt("feed", "data", &place))?,
    })
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
