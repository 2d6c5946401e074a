//! Who does the work, and how they are doing.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::worker::{Worker, WorkerState};
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
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Worker>, Error> {
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
        Ok(found.into_iter().map(|record| view(record, now)).collect())
    }
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
