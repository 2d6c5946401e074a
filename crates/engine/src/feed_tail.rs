//! The newest events of each tenant in memory, written as JSON once for everybody who follows.

use crate::engine::Engine;
use crate::error::Error;
use crate::tail::{Look, Numbered, Tail};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::event::FeedEvent;
use stella_contract::ids::Tenant;
use stella_ledger::{LedgerError, chains, feed};

/// Events held per tenant; who is further behind reads the ledger.
pub(crate) const HELD: i64 = stella_contract::kept::FEED_IN_MEMORY;
/// Events read in one statement.
const READ: i64 = 1_000;

/// One event and its JSON.
#[derive(Debug, PartialEq)]
pub struct FeedLine {
    /// The event.
    pub event: FeedEvent,
    /// The same as JSON on one line.
    pub json: String,
}

impl Numbered for FeedLine {
    fn number(&self) -> i64 {
        self.event.seq
    }
}

/// The newest events of every tenant.
#[derive(Debug, Default)]
pub(crate) struct FeedTails(Mutex<HashMap<Tenant, Arc<Tail<FeedLine>>>>);

impl FeedTails {
    pub(crate) fn of(&self, tenant: &Tenant) -> Arc<Tail<FeedLine>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant.clone()).or_default().clone()
    }
}

/// The tenant's events after this number; without a number, where its feed stands.
pub(crate) async fn read(
    engine: &Engine,
    tenant: &Tenant,
    known: Option<i64>,
) -> Result<Look<FeedLine, ()>, Error> {
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
    Ok(Look { lines, newest, whole: () })
}

/// An event with its JSON.
pub(crate) fn line_of(event: FeedEvent) -> Result<Arc<FeedLine>, Error> {
    let json = serde_json::to_string(&event).map_err(Error::internal)?;
    Ok(Arc::new(FeedLine { event, json }))
}
