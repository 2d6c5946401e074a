//! The newest messages of the runs that are followed, in memory, written as JSON once for everybody who follows. A
//! snapshot serves whoever comes within a moment, for its number lies within the tail.

use crate::engine::Engine;
use crate::error::Error;
use crate::runs::find;
use crate::runs::messages::{KEPT, SNAPSHOT_SEGMENTS, end, message};
use crate::runs::view;
use crate::tail::{Look, Numbered, Place, Span, Tail};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::event::{RunMessage, RunMessageBody};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::time::Micros;
use stella_ledger::{run_messages, segments};

/// Runs whose tails are held while nobody follows them.
const MOST: usize = 64;
/// How long a snapshot serves those who come after it.
const SNAPSHOT_MS: i64 = 2_000;

/// One message and its JSON.
#[derive(Debug, PartialEq)]
pub struct RunLine {
    /// The message.
    pub message: RunMessage,
    /// The same as JSON on one line.
    pub json: Bytes,
}

impl Numbered for RunLine {
    fn number(&self) -> i64 {
        self.message.seq
    }
}

impl RunLine {
    /// The message with its JSON.
    pub(crate) fn of(message: RunMessage) -> Result<Arc<Self>, Error> {
        let json = serde_json::to_vec(&message).map_err(Error::internal)?.into();
        Ok(Arc::new(Self { message, json }))
    }
}

/// The tails of the runs that are followed, or were a moment ago.
#[derive(Debug, Default)]
pub(crate) struct RunTails(Mutex<HashMap<(Tenant, RunId), Arc<RunTail>>>);

impl RunTails {
    pub(crate) fn of(&self, tenant: &Tenant, run_id: &RunId) -> Arc<RunTail> {
        let mut tails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tails.len() >= MOST {
            tails.retain(|_, tail| Arc::strong_count(tail) > 1);
        }
        tails.entry((tenant.clone(), run_id.clone())).or_default().clone()
    }
}

/// The newest messages of one run; the whole is the last message of a run that has ended.
#[derive(Debug, Default)]
pub(crate) struct RunTail {
    messages: Tail<RunLine, Option<RunMessage>>,
    /// The last snapshot and when it was taken; locked while one is taken.
    snapshot: tokio::sync::Mutex<Option<(Arc<RunLine>, Micros)>>,
}

impl RunTail {
    /// Makes sure that everything committed before the bell counted `rung` is in the tail.
    pub(crate) async fn catch_up(
        &self,
        engine: &Engine,
        tenant: &Tenant,
        run_id: &RunId,
        rung: u64,
    ) -> Result<(), Error> {
        let read = async |known| read(engine, tenant, run_id, known).await;
        self.messages.catch_up(engine, rung, KEPT, read).await
    }

    /// At most `limit` messages after the number.
    pub(crate) fn after(&self, number: i64, limit: usize) -> Place<RunLine, Option<RunMessage>> {
        self.messages.after(number, limit)
    }

    /// The whole run as a message, made now or a moment ago.
    pub(crate) async fn snapshot(
        &self,
        engine: &Engine,
        tenant: &Tenant,
        run_id: &RunId,
    ) -> Result<Arc<RunLine>, Error> {
        let mut last = self.snapshot.lock().await;
        let now = engine.now();
        if let Some((line, at)) = last.as_ref()
            && now.ms_since(*at) < SNAPSHOT_MS
            && goes_on_from(&self.messages.span(), line.message.seq)
        {
            return Ok(line.clone());
        }
        let line = RunLine::of(take_snapshot(engine, tenant, run_id, now).await?)?;
        *last = Some((line.clone(), now));
        Ok(line)
    }
}

/// Whether who has seen everything up to this number can follow from there: of an ended run only what shows it ended.
fn goes_on_from(span: &Span<Option<RunMessage>>, seq: i64) -> bool {
    match span.whole {
        Some(_) => seq == span.newest,
        None => (span.from..=span.newest).contains(&seq),
    }
}

/// The messages of the run after this number; without a number, where it stands.
async fn read(
    engine: &Engine,
    tenant: &Tenant,
    run_id: &RunId,
    known: Option<i64>,
) -> Result<Look<RunLine, Option<RunMessage>>, Error> {
    let (tenant, run_id, now) = (tenant.clone(), run_id.clone(), engine.now());
    let read = engine.ledger().read::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let run = find(tx, &tenant, &run_id).await?;
            let rows = match known {
                Some(known) => run_messages::after(tx, run.run_key, known, KEPT).await?,
                None => Vec::new(),
            };
            let lines = rows.into_iter().map(|row| RunLine::of(message(row, &run)?));
            Ok(Look {
                lines: lines.collect::<Result<Vec<_>, Error>>()?,
                newest: run.message_seq,
                whole: run.state.is_final().then(|| end(&run, now)),
            })
        })
    });
    read.await
}

async fn take_snapshot(
    engine: &Engine,
    tenant: &Tenant,
    run_id: &RunId,
    now: Micros,
) -> Result<RunMessage, Error> {
    let (tenant, run_id) = (tenant.clone(), run_id.clone());
    let read = engine.ledger().read::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let run = find(tx, &tenant, &run_id).await?;
            let mut views = Vec::new();
            for segment in segments::list(tx, run.run_key, None, SNAPSHOT_SEGMENTS).await? {
                views.push(segment.view(&run.run_id)?);
            }
            let whole = Box::new(view::read(tx, &run, now).await?);
            let body = RunMessageBody::Snapshot { run: whole, segments: views };
            Ok(RunMessage { seq: run.message_seq, at: now, body })
        })
    });
    read.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_serves_who_can_go_on_from_it_and_of_an_ended_run_only_the_last() {
        let span = |whole: Option<RunMessage>| Span { from: 3, newest: 7, whole };
        let end = RunMessage { seq: 7, at: Micros(0), body: RunMessageBody::Heartbeat {} };
        let served = |span: &Span<Option<RunMessage>>| {
            (2..=8).filter(|seq| goes_on_from(span, *seq)).collect::<Vec<i64>>()
        };
        assert_eq!(served(&span(None)), [3, 4, 5, 6, 7]);
        assert_eq!(served(&span(Some(end))), [7]);
    }
}
