//! The newest events of each tenant in memory: read from the ledger once, and written as JSON once, for everybody who
//! follows.

use crate::engine::Engine;
use crate::error::Error;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use stella_contract::event::FeedEvent;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_ledger::{LedgerError, LedgerPlace, chains, feed};

/// Events held per tenant; who is further behind reads the ledger.
const HELD: i64 = stella_contract::kept::FEED_IN_MEMORY;
/// Events read in one statement.
const READ: i64 = 1_000;
/// Another process on the same Postgres rings no bell here, so that its events are looked for this often.
pub(crate) const LOOK_MS: i64 = 500;

/// One event and its JSON.
#[derive(Debug, PartialEq)]
pub struct FeedLine {
    /// The event.
    pub event: FeedEvent,
    /// The same as JSON on one line.
    pub json: String,
}

/// The newest events of every tenant.
#[derive(Debug, Default)]
pub(crate) struct FeedTails(Mutex<HashMap<Tenant, Arc<Tail>>>);

/// The newest events of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    held: RwLock<Held>,
    /// Held by the one who reads the ledger for all.
    turn: tokio::sync::Mutex<()>,
}

/// Every event after number `from` up to number `newest`, in order and without a gap.
#[derive(Debug, Default)]
struct Held {
    from: i64,
    newest: i64,
    lines: VecDeque<Arc<FeedLine>>,
    /// The bell's count before the last look, and when that was; nothing before the first.
    looked: Option<(u64, Micros)>,
}

/// What the tail says about a cursor.
pub(crate) enum Place {
    /// Events after it, oldest first.
    Here { lines: Vec<Arc<FeedLine>> },
    /// It is further back than the tail reaches.
    Behind,
    /// It is ahead of every event, and so from another ledger.
    Ahead { newest: i64 },
}

impl FeedTails {
    pub(crate) fn of(&self, tenant: &Tenant) -> Arc<Tail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant.clone()).or_default().clone()
    }
}

impl Tail {
    /// Makes sure that everything committed before the bell counted `rung` is in the tail.
    pub(crate) async fn catch_up(&self, engine: &Engine, tenant: &Tenant, rung: u64) -> Result<(), Error> {
        if self.is_current(engine, rung) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.is_current(engine, rung) {
            return Ok(());
        }
        let now = engine.now();
        let known = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            held.looked.map(|_| held.newest)
        };
        let wanted = tenant.clone();
        let (newest, events) = engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move {
                    let newest = chains::tip(tx, &wanted).await?.feed_seq;
                    let mut after = known.unwrap_or(newest).max(newest - HELD);
                    let mut events = Vec::new();
                    while after < newest {
                        let more = feed::since(tx, &wanted, after, READ).await?;
                        let Some(last) = more.last() else { break };
                        after = last.seq;
                        events.extend(more);
                    }
                    Ok((newest, events))
                })
            })
            .await?;
        let lines = events.into_iter().map(line_of).collect::<Result<Vec<_>, Error>>()?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.take(lines, newest);
        held.looked = Some((rung, now));
        Ok(())
    }

    /// At most `limit` events after the cursor.
    pub(crate) fn after(&self, cursor: i64, limit: usize) -> Place {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if cursor > held.newest {
            return Place::Ahead { newest: held.newest };
        }
        match usize::try_from(cursor.saturating_sub(held.from)) {
            Ok(skipped) => {
                Place::Here { lines: held.lines.iter().skip(skipped).take(limit).cloned().collect() }
            }
            Err(_) => Place::Behind,
        }
    }

    pub(crate) fn newest(&self) -> i64 {
        self.held.read().unwrap_or_else(PoisonError::into_inner).newest
    }

    fn is_current(&self, engine: &Engine, rung: u64) -> bool {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.looked.is_some_and(|(count, at)| {
            // The count only grows, apart from wrapping after longer than the universe lasts.
            count >= rung && (is_alone(engine) || engine.now().ms_since(at) < LOOK_MS)
        })
    }
}

/// Whether no other process can write into the ledger.
pub(crate) fn is_alone(engine: &Engine) -> bool {
    match engine.options().place {
        LedgerPlace::Sqlite(_) => true,
        LedgerPlace::Postgres(_) => false,
    }
}

impl Held {
    fn take(&mut self, lines: Vec<Arc<FeedLine>>, newest: i64) {
        let follows = lines.first().is_none_or(|first| first.event.seq == self.newest + 1);
        if !follows || self.looked.is_none() {
            self.lines.clear();
            self.from = lines.first().map_or(newest, |first| first.event.seq - 1);
        }
        self.lines.extend(lines);
        self.newest = newest;
        while self.newest - self.from > HELD {
            self.lines.pop_front();
            self.from += 1;
        }
    }
}

pub(crate) fn line_of(event: FeedEvent) -> Result<Arc<FeedLine>, Error> {
    let json = serde_json::to_string(&event).map_err(Error::internal)?;
    Ok(Arc::new(FeedLine { event, json }))
}
