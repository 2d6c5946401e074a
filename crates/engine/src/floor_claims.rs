//! How workers of other processes come in and take work: they register, and wait for jobs of their types.

use crate::caller::Caller;
use crate::error::Error;
use crate::floor::Floor;
use crate::intake::INLINE_PAYLOAD;
use crate::journal::Journal;
use crate::retry;
use crate::work::{ACK_MS, Claimer, LEASE_MS, Lease, claim};
use stella_contract::error::Code;
use stella_contract::ids::{Tenant, WorkerId};
use stella_contract::job::ErrorClass;
use stella_contract::lease::{
    ClaimWork, LONGEST_WAIT_S, Leases, MOST_CLAIMED, Provenance, RegisterWorker, RegisteredWorker,
    RetryHints, WorkLease,
};
use stella_contract::scope::Scope;
use stella_contract::worker::WorkerWish;
use stella_ledger::record::JobRecord;
use stella_ledger::workers::{self, WorkerRecord};
use stella_ledger::{LedgerError, Tx};

/// A heartbeat comes three times in a lease.
const HEARTBEAT_S: i64 = LEASE_MS / 3_000;
/// The most job types of one worker.
const MOST_TYPES: usize = 100;
/// The most jobs that one worker may hold.
const MOST_CONCURRENT: i32 = 256;

impl Floor {
    /// Writes a worker down.
    pub async fn register(&self, caller: &Caller, wish: RegisterWorker) -> Result<RegisteredWorker, Error> {
        caller.demand_write(Scope::Worker)?;
        check(&wish)?;
        let now = self.engine.now();
        let worker_id = WorkerId::from_uuid(&self.engine.uuid(now));
        let record = WorkerRecord {
            worker_id: worker_id.clone(),
            tenant: Some(caller.tenant.clone()),
            name: wish.name,
            version: wish.version,
            sdk: wish.sdk,
            hostname: wish.hostname,
            job_types: wish.job_types,
            concurrency: wish.concurrency,
            task_runner_id: wish.task_runner_id,
            wish: WorkerWish::Work,
            wish_reason: None,
            started_at: now,
            last_heartbeat_at: now,
            in_flight: 0,
        };
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { Ok::<_, Error>(workers::put(tx, &record).await?) }))
            .await?;
        Ok(RegisteredWorker { worker_id, heartbeat_s: HEARTBEAT_S })
    }

    /// Takes the most urgent ready jobs of the worker's types, or waits for one; `None` when none came in time.
    pub async fn claim(&self, caller: &Caller, wish: ClaimWork) -> Result<Option<Leases>, Error> {
        caller.demand_write(Scope::Worker)?;
        let (max, wait_s) = (wish.max.unwrap_or(1), wish.wait_s.unwrap_or(0));
        if !(1..=MOST_CLAIMED).contains(&max) {
            return Err(Error::invalid("max", format!("is 1 to {MOST_CLAIMED}")));
        }
        if wait_s > LONGEST_WAIT_S {
            return Err(Error::invalid("waitS", format!("is 0 to {LONGEST_WAIT_S}")));
        }
        let until = self.engine.now().plus_ms(i64::from(wait_s) * 1_000);
        let mut bell = self.engine.bus().ready();
        loop {
            bell.mark_unchanged();
            let taken = self.take(&caller.tenant, &wish, max).await?;
            if taken.drain || !taken.leases.is_empty() {
                return Ok(Some(taken));
            }
            if self.engine.now() >= until {
                return Ok(None);
            }
            tokio::select! {
                // Who rings the bell without end is the engine, which outlives this call.
                _ = bell.changed() => {}
                () = self.engine.clock().sleep_until(until) => {}
            }
        }
    }

    async fn take(&self, tenant: &Tenant, wish: &ClaimWork, max: u32) -> Result<Leases, Error> {
        let (tenant, wish, engine) = (tenant.clone(), wish.clone(), self.engine.clone());
        let (worker, claimed): (WorkerRecord, Vec<JobRecord>) = self
            .engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let found = worker_of_tenant(tx, &tenant, &wish.worker_id).await?;
                    let worker = found.ok_or_else(|| Error::not_found("worker", &wish.worker_id))?;
                    if worker.wish == WorkerWish::Quarantine {
                        let sentence = "This worker is quarantined. An operator clears it with `resume`.";
                        return Err(Error::new(Code::InvalidTransition, sentence));
                    }
                    workers::beat(tx, &worker.worker_id, engine.now()).await?;
                    if worker.wish == WorkerWish::Drain {
                        return Ok((worker, Vec::new()));
                    }
                    let types: Vec<String> = worker
                        .job_types
                        .iter()
                        .filter(|own| wish.job_types.is_empty() || wish.job_types.contains(own))
                        .cloned()
                        .collect();
                    let free = i64::from(worker.concurrency) - worker.in_flight;
                    let n = usize::try_from(free.min(i64::from(max))).unwrap_or(0);
                    let claimer = Claimer {
                        worker_id: worker.worker_id.clone(),
                        tenant: Some(tenant),
                        task_runner_id: worker.task_runner_id.clone(),
                    };
                    let mut journal = Journal::default();
                    let claimed = claim(&engine, tx, claimer, &types, n, &mut journal).await?;
                    journal.leave(tx);
                    Ok((worker, claimed))
                })
            })
            .await?;
        let leases = self.engine.work().leases(claimed).await?;
        Ok(Leases {
            leases: leases.into_iter().map(given).collect(),
            drain: worker.wish == WorkerWish::Drain,
        })
    }
}

/// The worker with this id, when it is of this tenant or of all.
pub(crate) async fn worker_of_tenant(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &WorkerId,
) -> Result<Option<WorkerRecord>, LedgerError> {
    let found = workers::get(tx, id).await?;
    Ok(found.filter(|worker| worker.tenant.as_ref().is_none_or(|own| own == tenant)))
}

fn check(wish: &RegisterWorker) -> Result<(), Error> {
    for (field, text) in [
        ("name", Some(&wish.name)),
        ("version", Some(&wish.version)),
        ("hostname", Some(&wish.hostname)),
        ("sdk", wish.sdk.as_ref()),
        ("taskRunnerId", wish.task_runner_id.as_ref()),
    ] {
        if text.is_some_and(|text| text.trim().is_empty() || text.chars().count() > 200) {
            return Err(Error::invalid(field, "has 1 to 200 characters"));
        }
    }
    if wish.job_types.is_empty() || wish.job_types.len() > MOST_TYPES {
        return Err(Error::invalid("jobTypes", format!("has 1 to {MOST_TYPES} job types")));
    }
    for job_type in &wish.job_types {
        crate::intake::checked_job_type("jobTypes", job_type)?;
    }
    if !(1..=MOST_CONCURRENT).contains(&wish.concurrency) {
        return Err(Error::invalid("concurrency", format!("is 1 to {MOST_CONCURRENT}")));
    }
    Ok(())
}

/// A lease as it goes through the door.
fn given(lease: Lease) -> WorkLease {
    let Lease { job, payload, fence } = lease;
    let is_small = usize::try_from(job.payload_size).is_ok_and(|size| size <= INLINE_PAYLOAD);
    let has_next = job.attempt < job.max_attempts;
    WorkLease {
        payload_ref: (!is_small).then(|| format!("/api/v1/worker/leases/{}/payload", fence.lease_id)),
        payload: is_small.then_some(payload),
        lease_until: job.lease_until.unwrap_or(job.created_at),
        ack_s: ACK_MS / 1_000,
        lease_s: LEASE_MS / 1_000,
        heartbeat_s: HEARTBEAT_S,
        timeout_s: job.timeout_s,
        attempt: job.attempt,
        retry_hints: RetryHints {
            max_attempts: job.max_attempts,
            attempt: job.attempt,
            next_delay_ms: has_next.then(|| retry::delay_ms(&job.job_id, job.attempt)),
            retryable_classes: ErrorClass::ALL.iter().copied().filter(|class| class.is_retryable()).collect(),
        },
        provenance: Provenance {
            tenant: job.tenant,
            project: job.project,
            correlation_id: job.correlation_id,
            task_runner_id: job.task_runner_id,
        },
        traceparent: job.traceparent,
        idempotency_key: job.idempotency_key,
        payload_digest: job.payload_digest,
        job_type: job.job_type,
        job_id: job.job_id,
        lease_id: fence.lease_id,
        lease_epoch: fence.lease_epoch,
    }
}
