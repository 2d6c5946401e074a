//! A run's stream: numbered messages, kept for half an hour, read by a long poll that never skips in silence.

use crate::caller::Caller;
use crate::error::Error;
use crate::runs::log_gate::{LogGate, Passage};
use crate::runs::tail::{RunLine, RunTail};
use crate::runs::{Runs, find};
use crate::tail::{self, Place};
use std::sync::Arc;
use stella_contract::event::{LogSeverity, RunMessage, RunMessageBody, RunMessages};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::kept;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::run_messages::{self, LogCount, MessageRow};
use stella_ledger::runs::RunRow;
use stella_ledger::{LedgerError, Tx};

/// The most messages kept per run.
pub(crate) const KEPT: i64 = kept::RUN_MESSAGES;
/// How long a message is kept.
pub(crate) const KEPT_MS: i64 = kept::RUN_MESSAGES_MIN * 60 * 1_000;
/// Messages in one answer.
const BATCH: usize = 500;
/// Segments in a snapshot.
pub(crate) const SNAPSHOT_SEGMENTS: i64 = 10_000;
/// The longest wait.
const LONGEST_WAIT_MS: u64 = 30_000;

/// Tells a run's readers, in the transaction of what is told. Log lines beyond fifty in a second are counted instead.
pub(crate) async fn tell(
    tx: &mut Tx,
    run: &mut RunRow,
    bodies: Vec<RunMessageBody>,
    now: Micros,
) -> Result<(), Error> {
    let mut gate = LogGate { second: run.log_second, lines: run.log_lines, dropped: run.log_dropped };
    let second = now.0.div_euclid(1_000_000);
    let mut told = Vec::with_capacity(bodies.len());
    for body in bodies {
        let is_log = matches!(body, RunMessageBody::Log { .. });
        let is_end = matches!(body, RunMessageBody::End { .. });
        let dropped = match (is_log, is_end) {
            (true, _) => match gate.pass(second) {
                Passage::Dropped => continue,
                Passage::ToldAfterDropped(dropped) => dropped,
                Passage::Told => 0,
            },
            (false, true) => gate.take_dropped(),
            (false, false) => 0,
        };
        if dropped > 0 {
            told.push(text(&dropped_line(run, dropped))?);
        }
        told.push(text(&body)?);
    }
    let log = LogCount { second: gate.second, lines: gate.lines, dropped: gate.dropped };
    run.message_seq = run_messages::append(tx, run.run_key, &told, log, KEPT, now).await?;
    (run.log_second, run.log_lines, run.log_dropped) = (gate.second, gate.lines, gate.dropped);
    Ok(())
}

/// A line of a run's log.
pub(crate) fn log(run: &RunRow, severity: LogSeverity, message: String) -> RunMessageBody {
    RunMessageBody::Log {
        severity,
        message,
        correlation_id: run.wish.correlation_id.clone(),
        segment_id: None,
    }
}

fn dropped_line(run: &RunRow, dropped: i64) -> RunMessageBody {
    log(run, LogSeverity::Warn, format!("dropped {dropped} log lines: more than 50 in a second"))
}

fn text(body: &RunMessageBody) -> Result<String, Error> {
    serde_json::to_string(body).map_err(Error::internal)
}

/// Messages of a run, each with its JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct RunLines {
    /// The messages, oldest first.
    pub lines: Vec<Arc<RunLine>>,
    /// Whether no more will come.
    pub ended: bool,
}

impl Runs {
    /// What a run told after this number, oldest first; waits for the first message when there is none yet. Without a
    /// number, and after one that is too old, a snapshot comes first.
    pub async fn messages(
        &self,
        caller: &Caller,
        run_id: &RunId,
        after: Option<i64>,
        max_wait_ms: u64,
    ) -> Result<RunMessages, Error> {
        let told = self.lines(caller, run_id, after, max_wait_ms).await?;
        let items = told.lines.iter().map(|line| line.message.clone()).collect();
        Ok(RunMessages { items, ended: told.ended })
    }

    /// The same with the JSON of each message, written once for all who follow.
    pub async fn lines(
        &self,
        caller: &Caller,
        run_id: &RunId,
        after: Option<i64>,
        max_wait_ms: u64,
    ) -> Result<RunLines, Error> {
        caller.demand(Scope::RunsRead)?;
        let mut bell = self.engine.bus().feed();
        let wait_ms = i64::try_from(max_wait_ms.min(LONGEST_WAIT_MS)).unwrap_or(0);
        let until = self.engine.now().plus_ms(wait_ms);
        loop {
            // The bell is read before the look, so that a commit in between is not slept through.
            let rung = *bell.borrow_and_update();
            let look = self.look(&caller.tenant, run_id, after, rung).await?;
            let now = self.engine.now();
            if look.ended || !look.lines.is_empty() || now >= until {
                return Ok(look);
            }
            if !tail::wait_for_news(&self.engine, &mut bell, until).await {
                return Ok(look);
            }
        }
    }

    async fn look(
        &self,
        tenant: &Tenant,
        run_id: &RunId,
        after: Option<i64>,
        rung: u64,
    ) -> Result<RunLines, Error> {
        let tail = self.engine.run_tails().of(tenant, run_id);
        tail.catch_up(&self.engine, tenant, run_id, rung).await?;
        let Some(after) = after else { return self.snapshot(&tail, tenant, run_id, false).await };
        match tail.after(after, BATCH) {
            Place::Here { lines, whole } => ended_by(lines, whole.flatten()),
            Place::Behind | Place::Ahead { .. } => match self.read_ledger(tenant, run_id, after).await? {
                Some(found) => Ok(found),
                None => self.snapshot(&tail, tenant, run_id, true).await,
            },
        }
    }

    /// The whole run, after a word that what came before is lost.
    async fn snapshot(
        &self,
        tail: &RunTail,
        tenant: &Tenant,
        run_id: &RunId,
        reset: bool,
    ) -> Result<RunLines, Error> {
        let whole = tail.snapshot(&self.engine, tenant, run_id).await?;
        let RunMessage { seq, at, .. } = whole.message;
        let RunMessageBody::Snapshot { run, .. } = &whole.message.body else {
            return Err(Error::internal("a snapshot is another message"));
        };
        let ended = run.state.is_final();
        let last = RunMessage {
            seq,
            at: run.finished_at.unwrap_or(at),
            body: RunMessageBody::End { state: run.state },
        };
        let mut lines = Vec::with_capacity(3);
        if reset {
            lines.push(RunLine::of(RunMessage { seq, at, body: RunMessageBody::Reset {} })?);
        }
        lines.push(whole);
        if ended {
            lines.push(RunLine::of(last)?);
        }
        Ok(RunLines { lines, ended })
    }

    /// For a reader whose number the tail does not reach; `None` when the messages after it are lost.
    async fn read_ledger(
        &self,
        tenant: &Tenant,
        run_id: &RunId,
        after: i64,
    ) -> Result<Option<RunLines>, Error> {
        let (tenant, run_id, now) = (tenant.clone(), run_id.clone(), self.engine.now());
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let run = find(tx, &tenant, &run_id).await?;
                if is_lost(tx, &run, after, now).await? {
                    return Ok(None);
                }
                let rows = run_messages::after(tx, run.run_key, after, BATCH as i64).await?;
                let items = rows.into_iter().map(|row| RunLine::of(message(row, &run)?));
                Ok(Some((run.clone(), items.collect::<Result<Vec<_>, Error>>()?)))
            })
        });
        let Some((run, lines)) = read.await? else { return Ok(None) };
        let reached = lines.last().map_or(after, |last| last.message.seq);
        let last = end(&run, now);
        let last = (run.state.is_final() && reached == run.message_seq).then_some(last);
        ended_by(lines, last).map(Some)
    }
}

/// A reader that has seen everything of an ended run is told its end once more, and nothing else.
fn ended_by(mut lines: Vec<Arc<RunLine>>, end: Option<RunMessage>) -> Result<RunLines, Error> {
    let ended = end.is_some();
    if let Some(end) = end.filter(|_| lines.is_empty()) {
        lines.push(RunLine::of(end)?);
    }
    Ok(RunLines { lines, ended })
}

/// Whether messages after this number are no longer kept, or the number is of another ledger.
async fn is_lost(tx: &mut Tx, run: &RunRow, after: i64, now: Micros) -> Result<bool, LedgerError> {
    if after > run.message_seq || after < 0 {
        return Ok(true);
    }
    if after == run.message_seq {
        return Ok(false);
    }
    let next = run_messages::after(tx, run.run_key, after, 1).await?;
    let kept = |row: &MessageRow| row.seq == after + 1 && now.ms_since(Micros(row.at)) <= KEPT_MS;
    Ok(!next.first().is_some_and(kept))
}

/// The last message of a run that has ended.
pub(crate) fn end(run: &RunRow, now: Micros) -> RunMessage {
    let body = RunMessageBody::End { state: run.state };
    RunMessage { seq: run.message_seq, at: run.finished_at.unwrap_or(now), body }
}

/// A message as it is told.
pub(crate) fn message(row: MessageRow, run: &RunRow) -> Result<RunMessage, Error> {
    let body = serde_json::from_str(&row.body);
    let body = body
        .map_err(|_| LedgerError::corrupt("run_messages", "body", format!("{}/{}", run.run_id, row.seq)))?;
    Ok(RunMessage { seq: row.seq, at: Micros(row.at), body })
}
