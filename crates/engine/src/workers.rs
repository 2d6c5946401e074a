//! Who does the work, and how they are doing.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::floor_claims::worker_of_tenant;
use crate::journal::{Draft, Journal, Tiding};
use crate::page;
use serde_json::json;
use stella_contract::history::Actor;
use stella_contract::ids::{Tenant, WorkerId};
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::worker::{Worker, WorkerState, WorkerWish};
use stella_ledger::workers::{self, WorkerRecord};

/// Silent for longer than this, it is no longer listed.
pub(crate) const FORGOTTEN_MS: i64 = 24 * 60 * 60 * 1_000;

/// The workers.
#[derive(Clone)]
pub struct Workers {
    engine: Engine,
}

impl Engine {
    /// The workers.
    pub fn workers(&self) -> Workers {
        Workers { engine: self.clone() }
    }
}

impl Workers {
    /// Everyone heard of in the last 24 hours, by name.
    pub async fn list(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Worker>, Error> {
        caller.demand(Scope::OrchRead)?;
        let now = self.engine.now();
        let (since, tenant) = (now.minus_ms(FORGOTTEN_MS), caller.tenant.clone());
        let found: Vec<WorkerRecord> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move { Ok::<_, Error>(workers::list(tx, tenant.as_str(), since).await?) })
            })
            .await?;
        let workers = found.into_iter().map(|record| view(record, now)).collect();
        page::cut(&("workers", &caller.tenant), query, workers, |worker: &Worker| {
            (worker.name.clone(), worker.worker_id.as_str().to_owned())
        })
    }
}

/// What an operator wants of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerVerb {
    /// It takes nothing new and ends when its hands are free.
    Drain,
    /// It works again.
    Resume,
    /// It is not heard any more.
    Quarantine,
}

impl WorkerVerb {
    const fn wish(self) -> WorkerWish {
        match self {
            Self::Drain => WorkerWish::Drain,
            Self::Resume => WorkerWish::Work,
            Self::Quarantine => WorkerWish::Quarantine,
        }
    }
    const fn kind(self) -> &'static str {
        match self {
            Self::Drain => "worker.draining",
            Self::Resume => "worker.online",
            Self::Quarantine => "worker.quarantined",
        }
    }
}

impl Workers {
    /// Drains, resumes or quarantines a worker of the caller's tenant, or of all. What is wanted already changes
    /// nothing. The jobs of a quarantined worker come back when their leases end.
    pub async fn apply(&self, caller: &Caller, verb: WorkerVerb, id: &WorkerId) -> Result<Worker, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let (caller, id, engine) = (caller.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let found = worker_of_tenant(tx, &caller.tenant, &id).await?;
                    let before = found.ok_or_else(|| Error::not_found("worker", &id))?;
                    let now = engine.now();
                    if before.wish == verb.wish() {
                        return Ok(view(before, now));
                    }
                    let reason = caller.cause.reason.clone().filter(|_| verb != WorkerVerb::Resume);
                    workers::wish(tx, &id, verb.wish(), reason.as_deref()).await?;
                    let after = WorkerRecord { wish: verb.wish(), wish_reason: reason, ..before.clone() };
                    let mut journal = Journal::default();
                    note(&caller, verb, &before, now, &mut journal);
                    journal.leave(tx);
                    if verb == WorkerVerb::Resume {
                        // What waited for it is not looked at before somebody says so.
                        tx.note_work();
                    }
                    Ok(view(after, now))
                })
            })
            .await
    }
}

fn note(caller: &Caller, verb: WorkerVerb, before: &WorkerRecord, now: Micros, journal: &mut Journal) {
    let by = (caller.actor(), caller.cause.clone());
    written(&caller.tenant, verb, before, by, &caller.correlation_id, now, journal);
}

/// Writes down and tells that the engine itself wants something else of a worker.
pub(crate) fn note_itself(
    tenant: &Tenant,
    verb: WorkerVerb,
    before: &WorkerRecord,
    reason: &str,
    now: Micros,
    journal: &mut Journal,
) {
    let actor = Actor { subject: "engine/floor".to_owned(), scopes: Vec::new() };
    let cause = Cause { reason: Some(reason.to_owned()), ticket: None };
    let correlation_id = format!("worker:{}", before.worker_id);
    written(tenant, verb, before, (actor, cause), &correlation_id, now, journal);
}

fn written(
    tenant: &Tenant,
    verb: WorkerVerb,
    before: &WorkerRecord,
    (actor, cause): (Actor, Cause),
    correlation_id: &str,
    now: Micros,
    journal: &mut Journal,
) {
    let data = json!({ "workerId": before.worker_id, "name": before.name });
    journal.enter(
        tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "worker",
            kind: verb.kind().to_owned(),
            from_state: Some(before.wish.as_str()),
            to_state: Some(verb.wish().as_str()),
            attempt: None,
            lease_epoch: None,
            actor,
            cause,
            correlation_id: correlation_id.to_owned(),
            occurred_at: now,
            data: data.clone(),
        },
    );
    journal.tell(
        tenant,
        Tiding {
            kind: verb.kind().to_owned(),
            entity: "worker",
            id: before.worker_id.as_str().to_owned(),
            run_id: None,
            correlation_id: correlation_id.to_owned(),
            at: now,
            data,
        },
    );
}

fn view(record: WorkerRecord, now: Micros) -> Worker {
    Worker {
        state: state(&record, now),
        worker_id: record.worker_id,
        tenant: record.tenant,
        name: record.name,
        version: record.version,
        sdk: record.sdk,
        hostname: record.hostname,
        job_types: record.job_types,
        concurrency: record.concurrency,
        in_flight: record.in_flight,
        wish: record.wish,
        wish_reason: record.wish_reason,
        last_heartbeat_at: record.last_heartbeat_at,
        started_at: record.started_at,
    }
}

/// Judged by the age of the last heartbeat.
pub(crate) fn state(record: &WorkerRecord, now: Micros) -> WorkerState {
    WorkerState::judge(now.ms_since(record.last_heartbeat_at), record.wish)
}
