//! The newest messages of the runs that are followed, in memory: read from the ledger once, and written as JSON once, for
//! everybody who follows. A snapshot serves whoever comes within a moment, for its number lies within the tail.

use crate::engine::Engine;
use crate::error::Error;
use crate::feed_tail::{LOOK_MS, is_alone};
use crate::runs::find;
use crate::runs::messages::{KEPT, SNAPSHOT_SEGMENTS, end, message};
use crate::runs::view;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use stella_contract::event::{RunMessage, RunMessageBody};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::time::Micros;
use stella_ledger::runs::RunRow;
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

impl RunLine {
    /// The message with its JSON.
    pub(crate) fn of(message: RunMessage) -> Result<Arc<Self>, Error> {
        let json = serde_json::to_vec(&message).map_err(Error::internal)?.into();
        Ok(Arc::new(Self { message, json }))
    }
}

/// The tails of the runs that are followed, or were a moment ago.
#[derive(Debug, Default)]
pub(crate) struct RunTails(Mutex<HashMap<(Tenant, RunId), Arc<Tail>>>);

impl RunTails {
    pub(crate) fn of(&self, tenant: &Tenant, run_id: &RunId) -> Arc<Tail> {
        let mut tails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tails.len() >= MOST {
            tails.retain(|_, tail| Arc::strong_count(tail) > 1);
        }
        tails.entry((tenant.clone(), run_id.clone())).or_default().clone()
    }
}

/// The newest messages of one run.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    held: RwLock<Held>,
    /// Held by the one who reads the ledger for all.
    turn: tokio::sync::Mutex<()>,
}

/// Every message after number `from` up to number `newest`, in order and without a gap.
#[derive(Debug, Default)]
struct Held {
    from: i64,
    newest: i64,
    lines: VecDeque<Arc<RunLine>>,
    /// The last message of a run that has ended.
    end: Option<RunMessage>,
    snapshot: Option<(Arc<RunLine>, Micros)>,
    /// The bell's count before the last look, and when that was; nothing before the first.
    looked: Option<(u64, Micros)>,
}

/// What the tail says about a number.
#[derive(Debug, PartialEq)]
pub(crate) enum Place {
    /// Messages after it, oldest first, and the end of the run when they reach it.
    Here { lines: Vec<Arc<RunLine>>, end: Option<RunMessage> },
    /// The tail does not reach it; the ledger knows.
    Elsewhere,
}

impl Tail {
    /// Makes sure that everything committed before the bell counted `rung` is in the tail.
    pub(crate) async fn catch_up(
        &self,
        engine: &Engine,
        tenant: &Tenant,
        run_id: &RunId,
        rung: u64,
    ) -> Result<(), Error> {
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
        let (run, rows) = read(engine, tenant, run_id, known).await?;
        let lines = rows.into_iter().map(RunLine::of).collect::<Result<Vec<_>, Error>>()?;
        let end = run.state.is_final().then(|| end(&run, now));
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.take(lines, run.message_seq);
        held.end = end;
        held.looked = Some((rung, now));
        Ok(())
    }

    /// At most `limit` messages after the number.
    pub(crate) fn after(&self, number: i64, limit: usize) -> Place {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        match usize::try_from(number.saturating_sub(held.from)) {
            Ok(skipped) if number <= held.newest => {
                let lines: Vec<_> = held.lines.iter().skip(skipped).take(limit).cloned().collect();
                let reached = lines.last().map_or(number, |line| line.message.seq);
                let end = held.end.clone().filter(|_| reached == held.newest);
                Place::Here { lines, end }
            }
            Ok(_) | Err(_) => Place::Elsewhere,
        }
    }

    /// The whole run as a message, made now or a moment ago.
    pub(crate) async fn snapshot(
        &self,
        engine: &Engine,
        tenant: &Tenant,
        run_id: &RunId,
    ) -> Result<Arc<RunLine>, Error> {
        let _turn = self.turn.lock().await;
        let now = engine.now();
        if let Some(made) = self.recent_snapshot(now) {
            return Ok(made);
        }
        let line = RunLine::of(take_snapshot(engine, tenant, run_id, now).await?)?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.snapshot = Some((line.clone(), now));
        Ok(line)
    }

    fn recent_snapshot(&self, now: Micros) -> Option<Arc<RunLine>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let (line, at) = held.snapshot.as_ref()?;
        let seq = line.message.seq;
        // Of an ended run only what shows it ended; of any other what the tail goes on from.
        let fits =
            if held.end.is_some() { seq == held.newest } else { (held.from..=held.newest).contains(&seq) };
        (fits && now.ms_since(*at) < SNAPSHOT_MS).then(|| line.clone())
    }

    fn is_current(&self, engine: &Engine, rung: u64) -> bool {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.looked.is_some_and(|(count, at)| {
            count >= rung && (is_alone(engine) || engine.now().ms_since(at) < LOOK_MS)
        })
    }
}

impl Held {
    fn take(&mut self, lines: Vec<Arc<RunLine>>, newest: i64) {
        let follows =
            lines.first().map_or(newest == self.newest, |first| first.message.seq == self.newest + 1);
        if !follows || self.looked.is_none() {
            self.lines.clear();
            self.from = lines.first().map_or(newest, |first| first.message.seq - 1);
        }
        self.lines.extend(lines);
        self.newest = newest;
        while self.newest - self.from > KEPT {
            self.lines.pop_front();
            self.from += 1;
        }
    }
}

/// The run and its messages after this number; without a number, the run alone.
async fn read(
    engine: &Engine,
    tenant: &Tenant,
    run_id: &RunId,
    known: Option<i64>,
) -> Result<(RunRow, Vec<RunMessage>), Error> {
    let (tenant, run_id) = (tenant.clone(), run_id.clone());
    let read = engine.ledger().read::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let run = find(tx, &tenant, &run_id).await?;
            let rows = match known {
                Some(known) => run_messages::after(tx, run.run_key, known, KEPT).await?,
                None => Vec::new(),
            };
            let messages =
                rows.into_iter().map(|row| message(row, &run)).collect::<Result<Vec<_>, Error>>()?;
            Ok((run, messages))
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

    fn line(seq: i64) -> Arc<RunLine> {
        RunLine::of(RunMessage { seq, at: Micros(0), body: RunMessageBody::Heartbeat {} }).unwrap()
    }

    fn tail(held: Held) -> Tail {
        Tail { held: RwLock::new(held), turn: tokio::sync::Mutex::default() }
    }

    fn seqs(place: Place) -> Option<Vec<i64>> {
        match place {
            Place::Here { lines, .. } => Some(lines.iter().map(|line| line.message.seq).collect()),
            Place::Elsewhere => None,
        }
    }

    #[test]
    fn a_reader_within_the_tail_misses_nothing_and_one_beyond_it_is_sent_to_the_ledger() {
        let mut held = Held::default();
        held.take(Vec::new(), 4);
        held.looked = Some((1, Micros(0)));
        held.take((5..=7).map(line).collect(), 7);
        let tail = tail(held);
        assert_eq!(seqs(tail.after(4, 10)), Some(vec![5, 6, 7]));
        assert_eq!(seqs(tail.after(5, 1)), Some(vec![6]));
        assert_eq!(seqs(tail.after(7, 10)), Some(vec![]));
        assert_eq!(seqs(tail.after(3, 10)), None);
        assert_eq!(seqs(tail.after(8, 10)), None);
    }

    #[test]
    fn a_gap_or_too_many_messages_move_the_front() {
        let mut held = Held { looked: Some((1, Micros(0))), ..Held::default() };
        held.take((1..=3).map(line).collect(), 3);
        held.take((9..=10).map(line).collect(), 10);
        assert_eq!((held.from, held.lines.len()), (8, 2));
        held.take((11..=10 + KEPT).map(line).collect(), 10 + KEPT);
        assert_eq!((held.from, held.lines.len() as i64), (10, KEPT));
    }

    #[test]
    fn the_end_is_told_to_who_reached_it() {
        let end = RunMessage { seq: 2, at: Micros(0), body: RunMessageBody::Heartbeat {} };
        let mut held = Held { looked: Some((1, Micros(0))), end: Some(end.clone()), ..Held::default() };
        held.take((1..=2).map(line).collect(), 2);
        let tail = tail(held);
        assert!(matches!(tail.after(0, 1), Place::Here { end: None, .. }));
        assert!(matches!(tail.after(0, 2), Place::Here { end: Some(found), .. } if found == end));
    }
}
