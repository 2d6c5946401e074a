//! A run's stream: numbered messages, kept for half an hour, read by a long poll that never skips in silence.

use crate::caller::Caller;
use crate::error::Error;
use crate::runs::log_gate::{LogGate, Passage};
use crate::runs::{Runs, view};
use stella_contract::event::{LogSeverity, RunMessage, RunMessageBody, RunMessages};
use stella_contract::ids::RunId;
use stella_contract::kept;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::run_messages::{self, LogCount, MessageRow};
use stella_ledger::runs::{self, RunRow};
use stella_ledger::{LedgerError, Tx, segments};

/// The most messages kept per run.
pub(crate) const KEPT: i64 = kept::RUN_MESSAGES;
/// How long a message is kept.
pub(crate) const KEPT_MS: i64 = kept::RUN_MESSAGES_MIN * 60 * 1_000;
/// Messages in one answer.
const BATCH: i64 = 500;
/// Segments in a snapshot.
const SNAPSHOT_SEGMENTS: i64 = 10_000;
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

/// What one look at the ledger found.
struct Look {
    items: Vec<RunMessage>,
    ended: bool,
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
        caller.demand(Scope::RunsRead)?;
        // The bell is taken before the first look, so that a commit in between is not slept through.
        let mut bell = self.engine.bus().feed();
        let wait_ms = i64::try_from(max_wait_ms.min(LONGEST_WAIT_MS)).unwrap_or(0);
        let until = self.engine.now().plus_ms(wait_ms);
        loop {
            let look = self.look(caller, run_id, after).await?;
            if look.ended || !look.items.is_empty() || self.engine.now() >= until {
                return Ok(RunMessages { items: look.items, ended: look.ended });
            }
            tokio::select! {
                rung = bell.changed() => if rung.is_err() {
                    return Ok(RunMessages { items: Vec::new(), ended: false });
                },
                () = self.engine.clock().sleep_until(until) => {}
            }
        }
    }

    async fn look(&self, caller: &Caller, run_id: &RunId, after: Option<i64>) -> Result<Look, Error> {
        let (tenant, run_id, now) = (caller.tenant.clone(), run_id.clone(), self.engine.now());
        self.engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let run = runs::get(tx, &tenant, &run_id).await?;
                    let run = run.ok_or_else(|| Error::not_found("run", &run_id))?;
                    match after {
                        Some(after) if !is_lost(tx, &run, after, now).await? => {
                            since(tx, &run, after, now).await
                        }
                        Some(_) => snapshot(tx, &run, vec![RunMessageBody::Reset {}], now).await,
                        None => snapshot(tx, &run, Vec::new(), now).await,
                    }
                })
            })
            .await
    }
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

async fn since(tx: &mut Tx, run: &RunRow, after: i64, now: Micros) -> Result<Look, Error> {
    let rows = run_messages::after(tx, run.run_key, after, BATCH).await?;
    let mut items = rows.into_iter().map(|row| message(row, run)).collect::<Result<Vec<_>, Error>>()?;
    let reached = items.last().map_or(after, |last| last.seq);
    let ended = run.state.is_final() && reached == run.message_seq;
    if ended && items.is_empty() {
        items.push(end(run, now));
    }
    Ok(Look { items, ended })
}

async fn snapshot(
    tx: &mut Tx,
    run: &RunRow,
    before: Vec<RunMessageBody>,
    now: Micros,
) -> Result<Look, Error> {
    let mut views = Vec::new();
    for segment in segments::list(tx, run.run_key, None, SNAPSHOT_SEGMENTS).await? {
        views.push(segment.view(&run.run_id)?);
    }
    let whole = RunMessageBody::Snapshot { run: Box::new(view::read(tx, run, now).await?), segments: views };
    let told = before.into_iter().chain([whole]);
    let mut items: Vec<RunMessage> =
        told.map(|body| RunMessage { seq: run.message_seq, at: now, body }).collect();
    let ended = run.state.is_final();
    if ended {
        items.push(end(run, now));
    }
    Ok(Look { items, ended })
}

fn end(run: &RunRow, now: Micros) -> RunMessage {
    let body = RunMessageBody::End { state: run.state };
    RunMessage { seq: run.message_seq, at: run.finished_at.unwrap_or(now), body }
}

fn message(row: MessageRow, run: &RunRow) -> Result<RunMessage, Error> {
    let body = serde_json::from_str(&row.body);
    let body = body
        .map_err(|_| LedgerError::corrupt("run_messages", "body", format!("{}/{}", run.run_id, row.seq)))?;
    Ok(RunMessage { seq: row.seq, at: Micros(row.at), body })
}
