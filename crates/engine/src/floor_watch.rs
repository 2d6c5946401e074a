//! Workers are watched: one that speaks under leases that are no longer its own, or brings other bytes than it says, too
//! often within an hour is quarantined until an operator clears it (spec 05 §5.10).

use crate::attempts;
use crate::caller::Caller;
use crate::error::Error;
use crate::floor::{Floor, NewUpload, find};
use crate::floor_claims::worker_of_tenant;
use crate::history::newest_of_job;
use crate::journal::Journal;
use crate::workers::{WorkerVerb, note_itself};
use bytes::Bytes;
use futures::future::join_all;
use futures::stream::BoxStream;
use stella_contract::error::Code;
use stella_contract::ids::{LeaseId, Tenant, WorkerId};
use stella_contract::job::Job;
use stella_contract::lease::{
    AckLease, AckLeases, AckedLease, AckedLeases, CompleteLease, CompleteLeases, CompletedLease,
    CompletedLeases, FailLease, LeaseArtifact, LeaseHeartbeat, LeasePulse, LeaseRefusal, LogKept, LogLines,
    MOST_SAID, ReleaseLease,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::worker::WorkerWish;
use stella_ledger::violations::{self, ViolationKind};
use stella_ledger::{Tx, workers};

/// So many violations within an hour put a worker into quarantine.
const MOST_VIOLATIONS: i64 = 5;
const HOUR_MS: i64 = 60 * 60 * 1_000;

impl Floor {
    /// The worker starts. Said twice, it has started once.
    pub async fn ack(&self, caller: &Caller, id: &LeaseId, wish: AckLease) -> Result<LeasePulse, Error> {
        let epoch = wish.lease_epoch;
        let answer = self.hear_ack(caller, id, wish).await;
        self.watched(caller, id, epoch, answer).await
    }

    /// The worker starts several jobs, each heard for itself; they stand in the line together.
    pub async fn ack_many(&self, caller: &Caller, wish: AckLeases) -> Result<AckedLeases, Error> {
        demand_some(caller, wish.leases.len())?;
        let heard = wish.leases.into_iter().map(|one| async move {
            let wish = AckLease { lease_epoch: one.lease_epoch };
            let (pulse, refused) = told_apart(self.ack(caller, &one.lease_id, wish).await);
            AckedLease { lease_id: one.lease_id, pulse, refused }
        });
        Ok(AckedLeases { leases: join_all(heard).await })
    }

    /// Several jobs are done, each heard for itself; they stand in the line together.
    pub async fn complete_many(
        &self,
        caller: &Caller,
        wish: CompleteLeases,
    ) -> Result<CompletedLeases, Error> {
        demand_some(caller, wish.leases.len())?;
        let heard = wish.leases.into_iter().map(|one| async move {
            let (job, refused) = told_apart(self.complete(caller, &one.lease_id, one.complete).await);
            CompletedLease { lease_id: one.lease_id, state: job.map(|job| job.state), refused }
        });
        Ok(CompletedLeases { leases: join_all(heard).await })
    }

    /// The worker is alive and may tell progress.
    pub async fn heartbeat(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: LeaseHeartbeat,
    ) -> Result<LeasePulse, Error> {
        let epoch = wish.lease_epoch;
        let answer = self.hear_heartbeat(caller, id, wish).await;
        self.watched(caller, id, epoch, answer).await
    }

    /// Keeps lines about a job; the oldest fall out.
    pub async fn log(&self, caller: &Caller, id: &LeaseId, wish: LogLines) -> Result<LogKept, Error> {
        let epoch = wish.lease_epoch;
        let answer = self.hear_log(caller, id, wish).await;
        self.watched(caller, id, epoch, answer).await
    }

    /// Takes in the bytes of an artifact. They become one when the job is completed under the same lease.
    pub async fn put_artifact(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: NewUpload,
        body: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Result<LeaseArtifact, Error> {
        let epoch = wish.lease_epoch;
        let answer = self.hear_artifact(caller, id, wish, body).await;
        self.watched(caller, id, epoch, answer).await
    }

    /// The job is done. The same success said twice is one success.
    pub async fn complete(&self, caller: &Caller, id: &LeaseId, wish: CompleteLease) -> Result<Job, Error> {
        let epoch = wish.lease_epoch;
        let answer = self.hear_complete(caller, id, wish).await;
        self.watched(caller, id, epoch, answer).await
    }

    /// The attempt failed; whether and when another follows is decided here.
    pub async fn fail(&self, caller: &Caller, id: &LeaseId, wish: FailLease) -> Result<Job, Error> {
        let epoch = wish.lease_epoch;
        let answer = self.hear_failure(caller, id, wish).await;
        self.watched(caller, id, epoch, answer).await
    }

    /// Gives a claimed job back unstarted; the attempt does not count.
    pub async fn release(&self, caller: &Caller, id: &LeaseId, wish: ReleaseLease) -> Result<Job, Error> {
        let epoch = wish.lease_epoch;
        let answer = self.hear_release(caller, id, wish).await;
        self.watched(caller, id, epoch, answer).await
    }

    /// Hands the answer on; a refusal that is the worker's doing is counted.
    async fn watched<T>(
        &self,
        caller: &Caller,
        id: &LeaseId,
        epoch: i64,
        answer: Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(kind) = answer.as_ref().err().and_then(violation) else { return answer };
        let (tenant, id, now) = (caller.tenant.clone(), id.clone(), self.engine.now());
        let counted: Result<(), Error> = self
            .engine
            .ledger()
            .write(move |tx| Box::pin(async move { count(tx, &tenant, &id, epoch, kind, now).await }))
            .await;
        if let Err(error) = counted {
            tracing::warn!(%error, "a violation of a lease could not be counted");
        }
        answer
    }
}

/// Refuses a request that speaks of no lease or of too many.
fn demand_some(caller: &Caller, leases: usize) -> Result<(), Error> {
    caller.demand_write(Scope::Worker)?;
    if (1..=MOST_SAID).contains(&leases) {
        return Ok(());
    }
    Err(Error::invalid("leases", format!("has 1 to {MOST_SAID} leases")))
}

/// One answer of several: what was taken, or why it was not.
fn told_apart<T>(answer: Result<T, Error>) -> (Option<T>, Option<LeaseRefusal>) {
    match answer {
        Ok(taken) => (Some(taken), None),
        Err(error) => {
            let retryable = error.is_retryable();
            (None, Some(LeaseRefusal { code: error.code, message: error.public, retryable }))
        }
    }
}

fn violation(error: &Error) -> Option<ViolationKind> {
    match error.code {
        Code::LeaseLost => Some(ViolationKind::Fence),
        Code::ArtifactDigestMismatch => Some(ViolationKind::Integrity),
        _ => None,
    }
}

/// Counts a violation against the worker that had the lease, and quarantines it when there were too many.
async fn count(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &LeaseId,
    epoch: i64,
    kind: ViolationKind,
    now: Micros,
) -> Result<(), Error> {
    let record = find(tx, tenant, id).await?;
    let Some(worker_id) = worker_under(tx, tenant, &record.job, epoch).await? else { return Ok(()) };
    let Some(worker) = worker_of_tenant(tx, tenant, &worker_id).await? else { return Ok(()) };
    if worker.wish == WorkerWish::Quarantine {
        return Ok(());
    }
    violations::add(tx, &worker_id, record.key, kind, now).await?;
    let seen = violations::since(tx, &worker_id, now.minus_ms(HOUR_MS)).await?;
    if seen < MOST_VIOLATIONS {
        return Ok(());
    }
    let reason = format!("{seen} violations of its leases within an hour");
    workers::wish(tx, &worker_id, WorkerWish::Quarantine, Some(&reason)).await?;
    // Who clears it begins to count anew.
    violations::forget_worker(tx, &worker_id).await?;
    let mut journal = Journal::default();
    note_itself(tenant, WorkerVerb::Quarantine, &worker, &reason, now, &mut journal);
    journal.leave(tx);
    Ok(())
}

/// The worker that claimed the job under this epoch.
async fn worker_under(
    tx: &mut Tx,
    tenant: &Tenant,
    job: &Job,
    epoch: i64,
) -> Result<Option<WorkerId>, Error> {
    if job.lease_epoch == epoch {
        return Ok(job.worker_id.clone());
    }
    let entries = newest_of_job(tx, tenant, &job.job_id).await?;
    let attempts = attempts::told_by(&entries);
    Ok(attempts.into_iter().find(|attempt| attempt.lease_epoch == epoch).map(|attempt| attempt.worker_id))
}
