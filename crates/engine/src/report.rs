//! How an attempt ended. The fence decides whether it counts, `retry` what follows a failure.

use crate::artifacts::{canonical_form, check_name, outputs_hash, too_large};
use crate::change::{By, JobChange, settle};
use crate::engine::Engine;
use crate::error::Error;
use crate::handlers::{Done, Effect, Failure};
use crate::jobs::{cancelled, view};
use crate::journal::Journal;
use crate::redact;
use crate::retry::{self, Failed, Next};
use crate::work::{lost, worker_of};
use serde_json::Value;
use stella_bundle::digest;
use stella_contract::artifact::Artifact;
use stella_contract::error::Code;
use stella_contract::ids::{ArtifactId, JobId};
use stella_contract::job::{Job, JobEvent, JobState, WaitReason};
use stella_contract::lease::{LARGEST_ARTIFACT, MOST_ARTIFACTS};
use stella_contract::time::Micros;
use stella_ledger::leases::{AttemptError, Fence, Fenced, Finish};
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, artifacts, jobs, leases};

/// The longest error message that is kept.
const LONGEST_MESSAGE: usize = 4_000;

/// What a worker says of one attempt.
#[derive(Debug)]
pub struct Report {
    /// Under which lease it speaks.
    pub fence: Fence,
    /// How the attempt ended.
    pub outcome: Result<Done, Failure>,
}

/// A report whose bytes are on the disk.
pub(crate) struct Prepared {
    pub(crate) fence: Fence,
    pub(crate) outcome: Result<Ready, Failure>,
}

/// A success ready to be written.
pub(crate) struct Ready {
    pub(crate) result: Option<String>,
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) outputs_hash: Option<String>,
    pub(crate) effect: Option<Effect>,
}

/// Checks artifacts and keeps their bytes. A digest that is not the bytes' is refused and the job stays running.
pub(crate) async fn prepare(engine: &Engine, report: Report) -> Result<Prepared, Error> {
    let Report { fence, outcome } = report;
    let done = match outcome {
        Ok(done) => done,
        Err(failure) => return Ok(Prepared { fence, outcome: Err(failure) }),
    };
    if done.artifacts.len() > MOST_ARTIFACTS {
        return Err(Error::invalid("artifacts", format!("a job leaves at most {MOST_ARTIFACTS}")));
    }
    let now = engine.now();
    let mut artifacts = Vec::with_capacity(done.artifacts.len());
    for new in done.artifacts {
        check_name(&new.name)?;
        let bytes = canonical_form(&new.name, &new.media_type, new.bytes)?;
        if bytes.len() as u64 > LARGEST_ARTIFACT {
            return Err(too_large(&new.name, LARGEST_ARTIFACT));
        }
        let digest = digest::of_bytes(&bytes);
        if new.digest.as_ref().is_some_and(|said| *said != digest) {
            return Err(Error::new(
                Code::ArtifactDigestMismatch,
                format!(
                    "The bytes of artifact `{}` do not have the digest that was said. Send them again.",
                    new.name
                ),
            ));
        }
        let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        engine.blobs().put(bytes).await?;
        artifacts.push(Artifact {
            artifact_id: ArtifactId::from_uuid(&engine.uuid(now)),
            job_id: fence.job_id.clone(),
            run_id: None,
            name: new.name,
            kind: new.kind,
            media_type: new.media_type,
            size_bytes,
            digest,
            created_at: now,
        });
    }
    let lines = artifacts.iter().map(|artifact| (artifact.name.as_str(), artifact.digest.as_str()));
    let outputs_hash = outputs_hash(lines);
    let result = (done.result != Value::Null).then(|| done.result.to_string());
    Ok(Prepared { fence, outcome: Ok(Ready { result, artifacts, outputs_hash, effect: done.effect }) })
}

/// Writes the reports and answers each in its place. An effect that fails fails the transaction, so a report with one
/// is written alone.
pub(crate) async fn write(
    tx: &mut Tx,
    reports: Vec<Prepared>,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<Result<Job, Error>>, Error> {
    let order: Vec<Fence> = reports.iter().map(|report| report.fence.clone()).collect();
    let mut successes = Vec::new();
    let mut failures = Vec::new();
    for Prepared { fence, outcome } in reports {
        match outcome {
            Ok(ready) => successes.push((fence, ready)),
            Err(failure) => failures.push((fence, failure)),
        }
    }
    let mut answers = succeed(tx, successes, now, journal).await?;
    answers.extend(fail(tx, failures, now, journal).await?);
    Ok(order
        .into_iter()
        .map(|fence| {
            let at = answers.iter().position(|(id, _)| *id == fence.job_id);
            at.map_or_else(|| Err(lost(&fence.job_id)), |at| answers.swap_remove(at).1)
        })
        .collect())
}

type Answer = (JobId, Result<Job, Error>);

async fn succeed(
    tx: &mut Tx,
    successes: Vec<(Fence, Ready)>,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<Answer>, Error> {
    if successes.is_empty() {
        return Ok(Vec::new());
    }
    let finishes: Vec<Finish> = successes
        .iter()
        .map(|(fence, ready)| Finish {
            fence: fence.clone(),
            to: JobState::Succeeded,
            wait_reason: None,
            next_eligible_at: None,
            error: None,
            outputs_hash: ready.outputs_hash.clone(),
        })
        .collect();
    let fenced = leases::finish_many(tx, JobEvent::Complete, &finishes, now).await?;
    let fences: Vec<&Fence> = finishes.iter().map(|finish| &finish.fence).collect();
    let mut answers = refused(&fenced, &fences, JobState::Succeeded);
    let mut effects = Vec::new();
    let mut results = Vec::new();
    for (fence, ready) in successes {
        let Some(record) = fenced.done.iter().find(|record| record.job.job_id == fence.job_id) else {
            continue;
        };
        let mut left = ready.artifacts;
        left.iter_mut().for_each(|artifact| artifact.run_id.clone_from(&record.job.run_id));
        artifacts::insert_many(tx, &record.job.tenant, &left).await?;
        results.extend(ready.result.map(|result| (record.key, result)));
        effects.extend(ready.effect);
    }
    jobs::insert_results(tx, &results).await?;
    for effect in effects {
        journal.append(effect(tx, now).await?);
    }
    let changes: Vec<JobChange> = fenced
        .done
        .into_iter()
        .map(|record| JobChange::ending(JobEvent::Complete, JobState::Running, record, "succeeded"))
        .collect();
    answers.extend(noted(tx, changes, now, journal).await?);
    Ok(answers)
}

async fn fail(
    tx: &mut Tx,
    failures: Vec<(Fence, Failure)>,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<Answer>, Error> {
    if failures.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<i64> = failures.iter().map(|(fence, _)| stella_ledger::key_of(&fence.job_id)).collect();
    let held = jobs::get_many(tx, &keys).await?;
    let mut ends = Vec::with_capacity(failures.len());
    for (fence, failure) in failures {
        // One that is not there is told apart by the statement.
        let record = held.iter().find(|record| record.job.job_id == fence.job_id);
        let (event, finish) = record.map_or_else(
            || (JobEvent::Fail, dead(fence.clone(), JobState::Failed, None)),
            |record| end_of(record, fence.clone(), failure, EndedBy::Report, now),
        );
        ends.push(End { from: JobState::Running, event, finish, outcome: "failed" });
    }
    finish(tx, ends, now, journal).await
}

/// Who ended a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// Its worker, which told why.
    Report,
    /// We, because its worker was not heard of or took too long.
    Loss,
}

/// An attempt's end, decided.
pub(crate) struct End {
    /// The state before.
    pub from: JobState,
    /// The arrow.
    pub event: JobEvent,
    /// What is written.
    pub finish: Finish,
    /// How the attempt's end is named.
    pub outcome: &'static str,
}

/// Writes decided ends, those of one arrow together.
pub(crate) async fn finish(
    tx: &mut Tx,
    ends: Vec<End>,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<Answer>, Error> {
    let mut answers = Vec::with_capacity(ends.len());
    for event in [JobEvent::Retry, JobEvent::Fail, JobEvent::TimeOut, JobEvent::Cancel] {
        let same: Vec<&End> = ends.iter().filter(|end| end.event == event).collect();
        if same.is_empty() {
            continue;
        }
        let finishes: Vec<Finish> = same.iter().map(|end| end.finish.clone()).collect();
        let fenced = leases::finish_many(tx, event, &finishes, now).await?;
        let fences: Vec<&Fence> = finishes.iter().map(|finish| &finish.fence).collect();
        answers.extend(refused(&fenced, &fences, finishes[0].to));
        let changes: Vec<JobChange> = fenced
            .done
            .into_iter()
            .map(|record| {
                let end = same.iter().find(|end| end.finish.fence.job_id == record.job.job_id);
                let (from, outcome) =
                    end.map_or((JobState::Running, "failed"), |end| (end.from, end.outcome));
                if event == JobEvent::Cancel {
                    return cancelled(from, record);
                }
                JobChange::ending(event, from, record, outcome)
            })
            .collect();
        answers.extend(noted(tx, changes, now, journal).await?);
    }
    Ok(answers)
}

/// What follows a failed attempt of this job.
pub(crate) fn end_of(
    record: &JobRecord,
    fence: Fence,
    failure: Failure,
    by: EndedBy,
    now: Micros,
) -> (JobEvent, Finish) {
    let job = &record.job;
    let next = retry::decide(
        Failed {
            job_id: &job.job_id,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            class: failure.class,
            retry_after_ms: failure.retry_after_ms,
            is_final: failure.is_final,
        },
        now,
    );
    let error = Some(AttemptError {
        class: failure.class,
        code: failure.code,
        message: redact::text(&failure.message).chars().take(LONGEST_MESSAGE).collect(),
        status: failure.http_status,
        host: failure.host,
    });
    if job.cancel_requested_at.is_some() {
        return (JobEvent::Cancel, dead(fence, JobState::Cancelled, error));
    }
    match next {
        Next::Again { at } => {
            let finish = Finish {
                fence,
                to: JobState::Pending,
                wait_reason: Some(WaitReason::Backoff),
                next_eligible_at: Some(at),
                error,
                outputs_hash: None,
            };
            (JobEvent::Retry, finish)
        }
        Next::Dead => match by {
            EndedBy::Loss => (JobEvent::TimeOut, dead(fence, JobState::TimedOut, error)),
            EndedBy::Report => (JobEvent::Fail, dead(fence, JobState::Failed, error)),
        },
    }
}

pub(crate) fn dead(fence: Fence, to: JobState, error: Option<AttemptError>) -> Finish {
    Finish { fence, to, wait_reason: None, next_eligible_at: None, error, outputs_hash: None }
}

/// Writes the changes down under their worker's name and answers with the jobs.
async fn noted(
    tx: &mut Tx,
    changes: Vec<JobChange>,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<Answer>, Error> {
    let by = By::itself(worker_of(&changes));
    settle(tx, &changes, &by, now, journal).await?;
    Ok(changes.into_iter().map(|change| (change.after.job.job_id.clone(), Ok(view(change.after)))).collect())
}

/// Answers for what the fence kept out. The same report twice under the same lease is one report.
fn refused(fenced: &Fenced, fences: &[&Fence], said: JobState) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(fenced.lost.len() + fenced.unknown.len());
    for record in &fenced.lost {
        let job = &record.job;
        let own = fences.iter().any(|fence| Fence::of(record).as_ref() == Some(fence));
        let answer = match (own, job.state.is_final()) {
            (true, true) if job.state == said => Ok(view(record.clone())),
            (true, true) => Err(Error::new(
                Code::AlreadyFinished,
                format!("Job `{}` has already ended: {}.", job.job_id, job.state),
            )),
            (true, false) | (false, _) => Err(lost(&job.job_id)),
        };
        answers.push((job.job_id.clone(), answer));
    }
    answers.extend(fenced.unknown.iter().map(|id| (id.clone(), Err(Error::not_found("job", id)))));
    answers
}
