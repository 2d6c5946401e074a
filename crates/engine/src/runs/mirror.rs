//! Segments follow their jobs and runs follow their segments, in the transaction that changes the jobs.

use crate::change::{By, Happened, JobChange};
use crate::error::Error;
use crate::journal::Journal;
use crate::runs::messages::tell;
use crate::runs::settle::{Verdict, verdict};
use crate::runs::steps::{fail, progressed, step};
use std::collections::{HashMap, HashSet};
use stella_contract::delta::Deltas;
use stella_contract::event::{LogSeverity, RunMessageBody};
use stella_contract::job::{ErrorClass, JobEvent};
use stella_contract::run::{RunErrorCode, RunEvent, RunState};
use stella_contract::segment::{SegmentEvent, SegmentState};
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::runs::{self, Added, RunRow};
use stella_ledger::segments::{self, Move, SegmentRow};

/// Who settles runs, as the history names it.
pub(crate) const SETTLER: &str = "run-settler";

/// Takes over what happened to the jobs of segments.
pub(crate) async fn jobs_changed(
    tx: &mut Tx,
    changes: &[JobChange],
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let mut run_ids: Vec<&str> = changes
        .iter()
        .filter(|change| change.after.job.job_type == super::SEGMENT_JOB)
        .filter_map(|change| Some(change.after.job.run_id.as_ref()?.as_str()))
        .collect();
    run_ids.sort_unstable();
    run_ids.dedup();
    if run_ids.is_empty() {
        return Ok(());
    }
    for mut run in runs::by_ids(tx, &run_ids).await? {
        let of_run = changes.iter().filter(|change| change.after.job.run_id.as_ref() == Some(&run.run_id));
        let of_run: Vec<&JobChange> = of_run.collect();
        follow(tx, &mut run, &of_run, now, journal).await?;
    }
    Ok(())
}

async fn follow(
    tx: &mut Tx,
    run: &mut RunRow,
    changes: &[&JobChange],
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let mut moved = Vec::new();
    for round in rounds(run.state, changes) {
        moved.extend(segments::move_many(tx, &round, now).await?);
    }
    let is_moved: HashSet<i64> = moved.iter().map(|segment| segment.job_key).collect();
    for change in changes.iter().filter(|change| change.happened == Happened::Event(JobEvent::Heartbeat)) {
        moved.extend(segments::progress(tx, change.after.key, change.after.job.processed).await?);
    }
    if moved.is_empty() {
        return Ok(());
    }
    for segment in moved.iter().filter(|segment| segment.state == SegmentState::Failed) {
        let (key, missed) = (segment.segment_key, segment.target_count);
        segments::finish(tx, key, 0, missed, &Deltas::default(), None).await?;
        let added = Added { failed: segment.target_count, ..Added::default() };
        runs::add(tx, run.run_key, &added).await?;
        run.failed += segment.target_count;
    }
    let by = By::itself(SETTLER);
    if run.state == RunState::Queued && moved.iter().any(|one| one.started_at.is_some()) {
        step(tx, run, RunEvent::Start, &by, now, journal).await?;
    }
    let has_settled = moved.iter().any(|segment| segment.state.is_settled());
    let bodies = bodies(run, &moved, changes, &is_moved, now);
    tell(tx, run, bodies, now).await?;
    if has_settled && !run.state.is_final() {
        progressed(run, now, journal);
        settle(tx, run, &by, now, journal).await?;
    }
    Ok(())
}

/// Ends the run when all its segments are settled. Whether it did.
pub(crate) async fn settle(
    tx: &mut Tx,
    run: &mut RunRow,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<bool, Error> {
    let counts = runs::segment_counts(tx, &[run.run_key]).await?;
    let counts = counts.first().map(|(_, counts)| *counts).unwrap_or_default();
    match (verdict(&counts), run.state) {
        (Verdict::Completed, RunState::Running) => {
            step(tx, run, RunEvent::Complete, by, now, journal).await?;
        }
        (Verdict::TooManyFailed, RunState::Queued | RunState::Running) => {
            run.executed_at = Some(now);
            let missed = counts.failed + counts.cancelled + counts.skipped;
            let code = RunErrorCode::TooManyFailed;
            let sentence = format!(
                "{missed} of {} segments were not evaluated, more than a fifth. {}",
                counts.total(),
                code.next_step()
            );
            fail(tx, run, (code, Some(sentence)), by, now, journal).await?;
        }
        (Verdict::Open, _)
        | (Verdict::Completed, RunState::Queued)
        | (
            Verdict::Completed | Verdict::TooManyFailed,
            RunState::Planning | RunState::Completed | RunState::Cancelled | RunState::Error,
        ) => return Ok(false),
    }
    Ok(true)
}

/// What each change of a job means for its segment. Changes of the same job go one after another, those of different
/// jobs together.
fn rounds(run: RunState, changes: &[&JobChange]) -> Vec<Vec<Move>> {
    let mut rounds: Vec<Vec<Move>> = Vec::new();
    let mut so_far: HashMap<i64, usize> = HashMap::new();
    for change in changes {
        let Some(event) = segment_event(run, change) else { continue };
        let job = &change.after.job;
        let is_failure = matches!(event, SegmentEvent::Return | SegmentEvent::Fail);
        let round = so_far.entry(change.after.key).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(Move {
            job_key: change.after.key,
            event,
            executor: job.worker_id.as_ref().map(|worker| worker.as_str().to_owned()),
            attempt: i64::from(job.attempt),
            reason: job.error_message.clone().filter(|_| is_failure),
            error_code: (event == SegmentEvent::Fail).then(|| run_error(change).as_str().to_owned()),
        });
        *round += 1;
    }
    rounds
}

fn segment_event(run: RunState, change: &JobChange) -> Option<SegmentEvent> {
    match change.happened {
        // The planner writes the segment after its job, in the state the job then has.
        Happened::Submitted => None,
        Happened::Event(event) => match event {
            JobEvent::Queue => Some(SegmentEvent::Queue),
            JobEvent::Hold | JobEvent::Retry => Some(SegmentEvent::Return),
            JobEvent::Ack => Some(SegmentEvent::Start),
            // Nothing of it was kept when its run had ended before it.
            JobEvent::Complete if run.is_final() => Some(SegmentEvent::Cancel),
            JobEvent::Complete => Some(SegmentEvent::Succeed),
            JobEvent::Fail | JobEvent::TimeOut => Some(SegmentEvent::Fail),
            JobEvent::Cancel => Some(SegmentEvent::Cancel),
            JobEvent::Skip => Some(SegmentEvent::Skip),
            JobEvent::Claim | JobEvent::Release | JobEvent::Heartbeat | JobEvent::AskCancel => None,
        },
    }
}

/// The run error code that a failed job comes down to.
fn run_error(change: &JobChange) -> RunErrorCode {
    match change.outcome {
        Some("lease_expired") => return RunErrorCode::WorkerLost,
        Some("attempt_timeout") => return RunErrorCode::ScannerTimeout,
        _ => {}
    }
    match change.after.job.error_class {
        Some(ErrorClass::LeaseLost) => RunErrorCode::WorkerLost,
        Some(ErrorClass::Timeout) => RunErrorCode::ScannerTimeout,
        Some(
            ErrorClass::Network
            | ErrorClass::UpstreamThrottle
            | ErrorClass::UpstreamError
            | ErrorClass::UpstreamClient,
        ) => RunErrorCode::ScannerUnreachable,
        Some(ErrorClass::Resource) => RunErrorCode::ResultsNotStored,
        Some(ErrorClass::Auth | ErrorClass::OfflineBlocked) => RunErrorCode::NetworkNeeded,
        Some(
            ErrorClass::ParseError
            | ErrorClass::SchemaMismatch
            | ErrorClass::Validation
            | ErrorClass::Integrity
            | ErrorClass::Internal,
        )
        | None => RunErrorCode::Internal,
    }
}

/// What the run's readers are told of these segments. That one was queued is not worth a message: of a large run that
/// would be more messages than are kept.
fn bodies(
    run: &RunRow,
    moved: &[SegmentRow],
    changes: &[&JobChange],
    is_moved: &HashSet<i64>,
    now: Micros,
) -> Vec<RunMessageBody> {
    let mut bodies = Vec::new();
    for segment in moved.iter().filter(|segment| segment.state != SegmentState::Queued) {
        bodies.extend(progress(segment, now));
    }
    for change in changes.iter().filter(|change| is_moved.contains(&change.after.key)) {
        let segment = moved.iter().find(|segment| segment.job_key == change.after.key);
        bodies.extend(segment.and_then(|segment| line(run, segment, change)));
    }
    if moved.iter().any(|segment| segment.state == SegmentState::Succeeded) {
        let (processed, failed) = (run.processed, run.failed);
        bodies.push(RunMessageBody::DeltaSummary { deltas: run.deltas, processed, failed });
    }
    bodies
}

pub(crate) fn progress(segment: &SegmentRow, now: Micros) -> Option<RunMessageBody> {
    let elapsed_ms = segment.started_at.map(|at| segment.ended_at.unwrap_or(now).ms_since(at).max(1));
    Some(RunMessageBody::SegmentProgress {
        segment_id: segment.segment_id.parse().ok()?,
        shard: segment.shard,
        state: segment.state,
        processed: segment.processed,
        total: segment.target_count,
        throughput_per_min: elapsed_ms
            .map(|ms| (segment.processed as f64 * 600_000.0 / ms as f64).round() / 10.0),
    })
}

fn line(run: &RunRow, segment: &SegmentRow, change: &JobChange) -> Option<RunMessageBody> {
    let job = &change.after.job;
    let why = job.error_message.as_deref().unwrap_or("no reason is known");
    let name = format!("Segment {}/{}", segment.shard, segment.ordinal);
    let (severity, message) = match change.happened {
        Happened::Event(JobEvent::Retry) => {
            let next = format!("attempt {} of {} failed and is tried again", job.attempt, job.max_attempts);
            (LogSeverity::Warn, format!("{name}: {next}: {why}"))
        }
        Happened::Event(JobEvent::Fail | JobEvent::TimeOut) => {
            (LogSeverity::Error, format!("{name} failed for good: {why}"))
        }
        Happened::Submitted | Happened::Event(_) => return None,
    };
    Some(RunMessageBody::Log {
        severity,
        message,
        correlation_id: run.wish.correlation_id.clone(),
        segment_id: segment.segment_id.parse().ok(),
    })
}
