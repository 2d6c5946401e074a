//! A run goes along an arrow: the row, the history, the feed and the stream change together.

use crate::change::By;
use crate::edges;
use crate::error::Error;
use crate::journal::{Draft, Journal, Tiding};
use crate::runs::messages::{log, tell};
use serde_json::{Value, json};
use stella_contract::event::{LogSeverity, RunMessageBody};
use stella_contract::run::{RunErrorCode, RunEvent, RunState, next};
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::runs::{self, RunRow};

/// Takes the run along this arrow. What else changes with it (a code, a count) is set in `run` before.
pub(crate) async fn step(
    tx: &mut Tx,
    run: &mut RunRow,
    event: RunEvent,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let from = run.state;
    run.state = next(from, event)?;
    match event {
        RunEvent::Plan => run.planned_at = Some(now),
        RunEvent::NoWork => {
            // Nothing to do takes no time.
            run.planned_at = Some(now);
            run.executed_at = Some(now);
        }
        RunEvent::Start => run.started_at = Some(now),
        RunEvent::Complete => run.executed_at = Some(now),
        RunEvent::Fail | RunEvent::Cancel => {}
    }
    if run.state.is_final() {
        run.finished_at = Some(now);
    }
    if !runs::change(tx, run, event).await? {
        return Err(Error::internal(format!("run {} was no longer {from}", run.run_id)));
    }
    run.version += 1;
    enter(run, kind(event), Some(from), by, now, journal);
    announce(run, kind(event), now, journal);
    if run.state.is_final() {
        edges::run_ended(tx, &run.run_id, now, journal).await?;
    }
    let mut bodies = vec![RunMessageBody::StateChanged { from, to: run.state, error_code: run.error_code }];
    if let Some(message) = &run.error_message {
        bodies.push(log(run, LogSeverity::Error, message.clone()));
    }
    if run.state.is_final() {
        bodies.push(RunMessageBody::End { state: run.state });
    }
    tell(tx, run, bodies, now).await
}

/// Lets the run fail with this code and, where more is known than the code's meaning, this sentence.
pub(crate) async fn fail(
    tx: &mut Tx,
    run: &mut RunRow,
    why: (RunErrorCode, Option<String>),
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let (code, sentence) = why;
    run.error_code = Some(code);
    run.error_message = Some(sentence.unwrap_or_else(|| format!("{}. {}", code.meaning(), code.next_step())));
    step(tx, run, RunEvent::Fail, by, now, journal).await
}

/// The first entry of a run's history.
pub(crate) fn created(run: &RunRow, by: &By, now: Micros, journal: &mut Journal) {
    enter(run, "scheduler.run.created", None, by, now, journal);
    announce(run, "scheduler.run.created", now, journal);
}

/// Tells the feed that a run got on within its state.
pub(crate) fn progressed(run: &RunRow, now: Micros, journal: &mut Journal) {
    announce(run, "scheduler.run.progressed", now, journal);
}

/// Writes down that an operator had a segment of the run done once more.
pub(crate) fn segment_retried(run: &RunRow, by: &By, now: Micros, journal: &mut Journal) {
    enter(run, "scheduler.segment.retried", Some(run.state), by, now, journal);
    announce(run, "scheduler.segment.retried", now, journal);
}

/// Writes down that segments of the ended run were evaluated once more.
pub(crate) fn sampled(run: &RunRow, by: &By, now: Micros, journal: &mut Journal) {
    enter(run, "scheduler.run.sampled", Some(run.state), by, now, journal);
    announce(run, "scheduler.run.sampled", now, journal);
}

const fn kind(event: RunEvent) -> &'static str {
    match event {
        RunEvent::Plan => "scheduler.run.planned",
        RunEvent::NoWork | RunEvent::Complete => "scheduler.run.completed",
        RunEvent::Fail => "scheduler.run.failed",
        RunEvent::Start => "scheduler.run.started",
        RunEvent::Cancel => "scheduler.run.cancelled",
    }
}

fn enter(
    run: &RunRow,
    kind: &'static str,
    from: Option<RunState>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) {
    journal.enter(
        &run.wish.tenant,
        Draft {
            job_id: None,
            run_id: Some(run.run_id.clone()),
            entity: "run",
            kind: kind.to_owned(),
            from_state: from.map(RunState::as_str),
            to_state: Some(run.state.as_str()),
            attempt: None,
            lease_epoch: None,
            actor: by.actor.clone(),
            cause: by.cause.clone(),
            correlation_id: run.wish.correlation_id.clone(),
            occurred_at: now,
            data: entry_data(run, from),
        },
    );
}

fn entry_data(run: &RunRow, from: Option<RunState>) -> Value {
    let mut data = json!({});
    if from.is_none() {
        data["trigger"] = json!(run.wish.trigger);
        data["mode"] = json!(run.wish.mode);
        data["scopeDigest"] = json!(run.wish.scope_digest);
        if let Some(before) = &run.wish.retry_of {
            data["retryOf"] = json!(before);
        }
    }
    if run.planned_at.is_some() {
        data["candidates"] = json!(run.candidates);
        data["indexGeneration"] = json!(run.impact_index_generation);
    }
    if run.state.is_final() {
        data["processed"] = json!(run.processed);
        data["failed"] = json!(run.failed);
        data["deltas"] = json!(run.deltas);
    }
    if let Some((score, sample)) = run.determinism_score.zip(run.determinism_sample) {
        data["determinism"] = json!({ "score": score, "sample": sample });
    }
    if let Some(code) = run.error_code {
        data["errorCode"] = json!(code);
    }
    data
}

fn announce(run: &RunRow, kind: &'static str, now: Micros, journal: &mut Journal) {
    journal.tell(
        &run.wish.tenant,
        Tiding {
            kind: kind.to_owned(),
            entity: "run",
            id: run.run_id.as_str().to_owned(),
            run_id: Some(run.run_id.clone()),
            correlation_id: run.wish.correlation_id.clone(),
            at: now,
            data: json!({
                "state": run.state,
                "errorCode": run.error_code,
                "candidates": run.candidates,
                "processed": run.processed,
            }),
        },
    );
}
