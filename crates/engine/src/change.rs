//! A job changed: what is written down, what is told, and who else has to know, in the same transaction.

use crate::error::Error;
use crate::journal::Journal;
use crate::{backfills, dead_letters, edges, feedback, runs};
use serde::Serialize;
use std::sync::Arc;
use stella_bundle::digest;
use stella_contract::history::Actor;
use stella_contract::job::{Cause, ErrorClass, JobEvent, JobState, WaitReason};
use stella_contract::time::Micros;
use stella_ledger::book::{Entry, Event, Saying, Signature};
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
    let mut scribe = Scribe::of(by, now);
    for (at, change) in changes.iter().enumerate() {
        let (tenant, thing) = (&change.after.job.tenant, Thing::of(&change.after));
        if change.happened != Happened::Event(JobEvent::Heartbeat) {
            journal.enter(tenant, scribe.entry(change, &thing)?);
        }
        // What follows at once would take its place.
        if changes.get(at + 1).is_none_or(|next| next.after.key != change.after.key) {
            journal.tell(tenant, scribe.event(change, &thing)?);
        }
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
pub(crate) fn tell_waits(waiting: &[JobRecord], now: Micros, journal: &mut Journal) -> Result<(), Error> {
    let mut scribe = Scribe::of(&By::itself("engine"), now);
    for record in waiting {
        let told = JobChange::along(JobEvent::Hold, JobState::Pending, record.clone());
        journal.tell(&record.job.tenant, scribe.event(&told, &Thing::of(record))?);
    }
    Ok(())
}

/// What entry and event of one change have in common.
struct Thing {
    id: Arc<str>,
    run_id: Option<Arc<str>>,
    correlation_id: Arc<str>,
}

impl Thing {
    fn of(record: &JobRecord) -> Self {
        Self {
            id: record.job.job_id.as_str().into(),
            run_id: record.job.run_id.as_ref().map(|id| id.as_str().into()),
            correlation_id: record.job.correlation_id.as_str().into(),
        }
    }
}

/// Writes many changes of one cause: what they have in common is made once.
struct Scribe {
    by: Arc<Signature>,
    now: Micros,
    kinds: Vec<(&'static str, Arc<str>)>,
    /// What entries said, the last first; most changes of a set say the same.
    sayings: Vec<(Arc<str>, Arc<str>)>,
}

/// Sayings that are remembered: one for each arrow that a set goes along together.
const MOST_SAYINGS: usize = 3;

impl Scribe {
    fn of(by: &By, now: Micros) -> Self {
        let by = Signature::of(&by.actor, &by.cause);
        Self { by, now, kinds: Vec::new(), sayings: Vec::new() }
    }

    fn kind(&mut self, change: &JobChange) -> Arc<str> {
        let kind = change.kind();
        if let Some((_, made)) = self.kinds.iter().find(|(known, _)| *known == kind) {
            return made.clone();
        }
        let made: Arc<str> = kind.into();
        self.kinds.push((kind, made.clone()));
        made
    }

    fn entry(&mut self, change: &JobChange, thing: &Thing) -> Result<Entry, Error> {
        let job = &change.after.job;
        Ok(Entry {
            job: Some((change.after.key, thing.id.clone())),
            run_id: thing.run_id.clone(),
            entity: "job",
            kind: self.kind(change),
            from_state: change.from.map(JobState::as_str),
            to_state: Some(job.state.as_str()),
            attempt: Some(job.attempt),
            lease_epoch: Some(job.lease_epoch),
            by: self.by.clone(),
            correlation_id: thing.correlation_id.clone(),
            occurred_at: self.now,
            data: self.saying(&Said::of(change))?,
        })
    }

    fn saying(&mut self, said: &Said<'_>) -> Result<Saying, Error> {
        let text = serde_json::to_string(said).map_err(Error::internal)?;
        match self.sayings.iter().position(|(known, _)| **known == *text) {
            Some(at) => self.sayings[..=at].rotate_right(1),
            None => {
                let digest = digest::of_bytes(text.as_bytes()).into();
                self.sayings.truncate(MOST_SAYINGS - 1);
                self.sayings.insert(0, (text.into(), digest));
            }
        }
        let (text, digest) = self.sayings[0].clone();
        Ok(Saying::Sealed { text, digest })
    }

    fn event(&mut self, change: &JobChange, thing: &Thing) -> Result<Event, Error> {
        let job = &change.after.job;
        let standing = Standing {
            attempt: job.attempt,
            job_type: &job.job_type,
            processed: job.processed,
            progress: job.progress,
            state: job.state,
            total: job.total,
        };
        Ok(Event {
            kind: self.kind(change),
            entity: "job",
            id: thing.id.clone(),
            run_id: thing.run_id.clone(),
            correlation_id: thing.correlation_id.clone(),
            at: self.now,
            data: serde_json::to_string(&standing).map_err(Error::internal)?.into(),
        })
    }
}

/// What an entry says besides. The fields are in the order of their names, so that what is written is canonical.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_eligible_at: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_reason: Option<WaitReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_id: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn of(change: &'a JobChange) -> Self {
        let job = &change.after.job;
        let is_new = change.happened == Happened::Submitted;
        let is_claimed = change.happened == Happened::Event(JobEvent::Claim);
        let has_failed = matches!(change.outcome, Some("failed" | "lease_expired" | "attempt_timeout"))
            || change.happened == Happened::Event(JobEvent::TimeOut);
        Self {
            error_class: job.error_class.filter(|_| has_failed),
            error_code: job.error_code.as_deref().filter(|_| has_failed),
            error_message: job.error_message.as_deref().filter(|_| has_failed),
            job_type: is_new.then_some(job.job_type.as_str()),
            next_eligible_at: job.next_eligible_at,
            outcome: change.outcome,
            outputs_hash: job.outputs_hash.as_deref(),
            payload_digest: is_new.then_some(job.payload_digest.as_str()),
            said: change.said.as_deref(),
            wait_reason: job.wait_reason,
            worker_id: job.worker_id.as_ref().filter(|_| is_claimed).map(|id| id.as_str()),
        }
    }
}

/// What an event says: where the job stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing<'a> {
    attempt: i32,
    job_type: &'a str,
    processed: i64,
    progress: f64,
    state: JobState,
    total: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_entry_says_is_written_in_its_canonical_form() {
        let odd = "\u{0}\t\"\\/\u{7f}é\u{2028}\u{1f600}";
        let full = Said {
            error_class: Some(ErrorClass::ParseError),
            error_code: Some(odd),
            error_message: Some(odd),
            job_type: Some("scan.segment"),
            next_eligible_at: Some(Micros(1_795_271_295_204_999)),
            outcome: Some("failed"),
            outputs_hash: Some(odd),
            payload_digest: Some(odd),
            said: Some(odd),
            wait_reason: Some(WaitReason::Backoff),
            worker_id: Some(odd),
        };
        let own = serde_json::to_string(&full).unwrap();
        assert_eq!(own, stella_bundle::canonical::to_string(&full).unwrap());
        assert_eq!(own.matches("\":").count(), 11, "{own}");
    }
}
