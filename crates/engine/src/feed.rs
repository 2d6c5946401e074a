//! The live feed for its readers: a long poll that answers in batches and never skips in silence.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::feed_tail::{self, FeedLine};
use crate::tail::{self, Place};
use std::sync::Arc;
use stella_contract::event::{FeedBatch, FeedQuery};
use stella_contract::ids::Tenant;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::{LedgerError, chains, feed};

/// Events kept per tenant; who is further behind reads everything anew.
pub(crate) const KEPT: i64 = stella_contract::kept::FEED_EVENTS;
/// Events in one batch.
const BATCH: usize = 500;
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

/// Events as they are held, and where to go on.
#[derive(Debug, PartialEq)]
pub struct FeedLines {
    /// What happened since, oldest first.
    pub lines: Vec<Arc<FeedLine>>,
    /// Ask again with this.
    pub cursor: i64,
    /// The cursor was too old or from another ledger: read everything anew.
    pub reset: bool,
    /// The core's clock.
    pub now: Micros,
}

impl Feed {
    /// What happened since the cursor; waits for the first event when there is none yet. Without a cursor it answers
    /// at once with the newest one.
    pub async fn since(&self, caller: &Caller, query: FeedQuery) -> Result<FeedBatch, Error> {
        let FeedLines { lines, cursor, reset, now } = self.lines(caller, query).await?;
        let events = lines.iter().map(|line| line.event.clone()).collect();
        Ok(FeedBatch { events, cursor, reset, now })
    }

    /// The same without copying: every follower shares the events and their JSON.
    pub async fn lines(&self, caller: &Caller, query: FeedQuery) -> Result<FeedLines, Error> {
        caller.demand(Scope::OrchRead)?;
        let mut bell = self.engine.bus().feed();
        let wait_ms = i64::try_from(query.max_wait_ms.unwrap_or(0).min(LONGEST_WAIT_MS)).unwrap_or(0);
        let until = self.engine.now().plus_ms(wait_ms);
        loop {
            // The bell is read before the look, so that a commit in between is not slept through.
            let rung = *bell.borrow_and_update();
            let batch = self.look(&caller.tenant, query.cursor, rung).await?;
            let has_news = batch.reset || !batch.lines.is_empty() || query.cursor.is_none();
            if has_news || batch.now >= until {
                return Ok(batch);
            }
            if !tail::wait_for_news(&self.engine, &mut bell, until).await {
                return Ok(batch);
            }
        }
    }

    async fn look(&self, tenant: &Tenant, cursor: Option<i64>, rung: u64) -> Result<FeedLines, Error> {
        let tail = self.engine.feed_tails().of(tenant);
        let read = async |known| feed_tail::read(&self.engine, tenant, known).await;
        tail.catch_up(&self.engine, rung, feed_tail::HELD, read).await?;
        let now = self.engine.now();
        let Some(cursor) = cursor else {
            return Ok(FeedLines { lines: Vec::new(), cursor: tail.span().newest, reset: false, now });
        };
        match tail.after(cursor, BATCH) {
            Place::Here { lines, .. } => Ok(upto(lines, cursor, now)),
            Place::Ahead { newest } => Ok(FeedLines { lines: Vec::new(), cursor: newest, reset: true, now }),
            Place::Behind => self.read_ledger(tenant, cursor, now).await,
        }
    }

    /// For a reader that is further behind than what is held in memory.
    async fn read_ledger(&self, tenant: &Tenant, cursor: i64, now: Micros) -> Result<FeedLines, Error> {
        let wanted = tenant.clone();
        let (newest, oldest, events) = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move {
                    let newest = chains::tip(tx, &wanted).await?.feed_seq;
                    let oldest = feed::oldest(tx, &wanted).await?;
                    Ok((newest, oldest, feed::since(tx, &wanted, cursor, BATCH as i64).await?))
                })
            })
            .await?;
        // Events between the cursor and the oldest are gone.
        if oldest.is_none_or(|oldest| cursor.saturating_add(1) < oldest) {
            return Ok(FeedLines { lines: Vec::new(), cursor: newest, reset: true, now });
        }
        let lines = events.into_iter().map(feed_tail::line_of).collect::<Result<Vec<_>, Error>>()?;
        Ok(upto(lines, cursor, now))
    }
}

fn upto(lines: Vec<Arc<FeedLine>>, cursor: i64, now: Micros) -> FeedLines {
    let cursor = lines.last().map_or(cursor, |line| line.event.seq);
    FeedLines { lines, cursor, reset: false, now }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
