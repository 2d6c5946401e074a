//! A job changed: what is written down, what is told, and who else has to know, in the same transaction.

use crate::error::Error;
use crate::journal::{Draft, Journal, Tiding};
use crate::{backfills, dead_letters, edges, feedback, runs};
use serde_json::{Map, Value, json};
use stella_contract::history::Actor;
use stella_contract::job::{Cause, JobEvent, JobState};
use stella_contract::time::Micros;
use stella_ledger::record::JobRecord;
use stella_ledger::{BoxFuture, Tx};

/// What happened to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It was submitted.
    Submitted,
    /// It went along an arrow.
    Event(JobEvent),
}

/// One change of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobChange {
    /// What happened.
    pub happened: Happened,
    /// The state before; `None` for a new job.
    pub from: Option<JobState>,
    /// The job after it.
    pub after: JobRecord,
    /// How the attempt ended, when one did: `succeeded`, `failed`, `released`, `ack_timeout`, `lease_expired`,
    /// `attempt_timeout`, `cancelled`.
    pub outcome: Option<&'static str>,
    /// Why, in the worker's words.
    pub said: Option<String>,
}

impl JobChange {
    /// A change along an arrow that ends no attempt.
    pub fn along(event: JobEvent, from: JobState, after: JobRecord) -> Self {
        Self { happened: Happened::Event(event), from: Some(from), after, outcome: None, said: None }
    }
    /// A change along an arrow that ends an attempt.
    pub fn ending(event: JobEvent, from: JobState, after: JobRecord, outcome: &'static str) -> Self {
        Self { outcome: Some(outcome), ..Self::along(event, from, after) }
    }
    /// The name under which history and feed speak of it.
    pub const fn kind(&self) -> &'static str {
        match self.happened {
            Happened::Submitted => "orch.job.submitted",
            Happened::Event(event) => match event {
                JobEvent::Queue => "orch.job.queued",
                JobEvent::Hold => "orch.job.held",
                JobEvent::Claim => "orch.job.leased",
                JobEvent::Ack => "orch.job.started",
                JobEvent::Release => "orch.job.released",
                JobEvent::Heartbeat => "orch.job.progress",
                JobEvent::Complete => "orch.job.succeeded",
                JobEvent::Retry => "orch.job.retry",
                JobEvent::Fail => "orch.job.failed",
                JobEvent::TimeOut => "orch.job.timed_out",
                JobEvent::AskCancel => "orch.job.cancel_requested",
                JobEvent::Cancel => "orch.job.cancelled",
                JobEvent::Skip => "orch.job.skipped",
            },
        }
    }
}

/// Who changed it and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
}

impl By {
    /// A background task or a worker, which need no reason.
    pub fn itself(subject: impl Into<String>) -> Self {
        Self { actor: Actor { subject: subject.into(), scopes: Vec::new() }, cause: Cause::default() }
    }
}

/// Writes the changes down and hands them to what mirrors jobs. Heartbeats are told but not written down.
pub async fn settle(
    tx: &mut Tx,
    changes: &[JobChange],
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    for change in changes {
        let job = &change.after.job;
        if change.happened != Happened::Event(JobEvent::Heartbeat) {
            journal.enter(&job.tenant, entry(change, by, now));
        }
        journal.tell(&job.tenant, tiding(change, now));
    }
    runs::mirror::jobs_changed(tx, changes, now, journal).await?;
    backfills::jobs_changed(tx, changes, now, journal).await?;
    feedback::attempts_ended(tx, changes, now, journal).await?;
    edges::follow(tx, changes, now, journal).await?;
    dead_letters::follow::jobs_changed(tx, changes, by, now, journal).await
}

/// The same for what a change brings about in turn.
pub(crate) fn settle_again<'a>(
    tx: &'a mut Tx,
    changes: &'a [JobChange],
    by: &'a By,
    now: Micros,
    journal: &'a mut Journal,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(settle(tx, changes, by, now, journal))
}

/// Tells that pending jobs wait for another reason than before. They went along no arrow, so nothing is written down.
pub(crate) fn tell_waits(waiting: &[JobRecord], now: Micros, journal: &mut Journal) {
    for record in waiting {
        let told = JobChange::along(JobEvent::Hold, JobState::Pending, record.clone());
        journal.tell(&record.job.tenant, tiding(&told, now));
    }
}

fn entry(change: &JobChange, by: &By, now: Micros) -> Draft {
    let job = &change.after.job;
    let mut data = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(name.to_owned(), value);
        }
    };
    if change.happened == Happened::Submitted {
        say("jobType", Some(json!(job.job_type)));
        say("payloadDigest", Some(json!(job.payload_digest)));
    }
    if change.happened == Happened::Event(JobEvent::Claim) {
        say("workerId", job.worker_id.as_ref().map(|id| json!(id)));
    }
    say("waitReason", job.wait_reason.map(|reason| json!(reason)));
    say("nextEligibleAt", job.next_eligible_at.map(|at| json!(at)));
    say("outcome", change.outcome.map(|outcome| json!(outcome)));
    say("said", change.said.as_ref().map(|said| json!(said)));
    if matches!(change.outcome, Some("failed" | "lease_expired" | "attempt_timeout"))
        || change.happened == Happened::Event(JobEvent::TimeOut)
    {
        say("errorCode", job.error_code.as_ref().map(|code| json!(code)));
        say("errorClass", job.error_class.map(|class| json!(class)));
        say("errorMessage", job.error_message.as_ref().map(|message| json!(message)));
    }
    say("outputsHash", job.outputs_hash.as_ref().map(|hash| json!(hash)));
    Draft {
        job_id: Some(job.job_id.clone()),
        run_id: job.run_id.clone(),
        entity: "job",
        kind: change.kind().to_owned(),
        from_state: change.from.map(JobState::as_str),
        to_state: Some(job.state.as_str()),
        attempt: Some(job.attempt),
        lease_epoch: Some(job.lease_epoch),
        actor: by.actor.clone(),
        cause: by.cause.clone(),
        correlation_id: job.correlation_id.clone(),
        occurred_at: now,
        data: Value::Object(data),
    }
}

fn tiding(change: &JobChange, now: Micros) -> Tiding {
    let job = &change.after.job;
    Tiding {
        kind: change.kind().to_owned(),
        entity: "job",
        id: job.job_id.as_str().to_owned(),
        run_id: job.run_id.clone(),
        correlation_id: job.correlation_id.clone(),
        at: now,
        data: json!({
            "state": job.state,
            "jobType": job.job_type,
            "attempt": job.attempt,
            "progress": job.progress,
            "processed": job.processed,
            "total": job.total,
        }),
    }
}
