//! What workers did against the rules of their leases.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use stella_contract::ids::WorkerId;
use stella_contract::time::Micros;

/// Which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViolationKind {
    /// It spoke under a lease that was no longer its own.
    Fence,
    /// It brought other bytes than it said.
    Integrity,
}

impl ViolationKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Integrity => "integrity",
        }
    }
}

/// Notes a violation; several of one job at one moment are one.
pub async fn add(
    tx: &mut Tx,
    worker_id: &WorkerId,
    job_key: i64,
    kind: ViolationKind,
    at: Micros,
) -> Result<(), LedgerError> {
    let mut query = Query::new("insert into worker_violations (worker_id, at, job_key, kind) values (");
    query.bind(worker_id.as_str()).push(", ").bind(at.0).push(", ").bind(job_key).push(", ");
    query.bind(kind.as_str()).push(") on conflict (worker_id, at, job_key) do nothing");
    query.execute(tx).await?;
    Ok(())
}

/// How many a worker has since then.
pub async fn since(tx: &mut Tx, worker_id: &WorkerId, since: Micros) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from worker_violations where worker_id = ");
    query.bind(worker_id.as_str()).push(" and at > ").bind(since.0);
    query.fetch_count(tx).await
}

/// Forgets those of a worker.
pub async fn forget_worker(tx: &mut Tx, worker_id: &WorkerId) -> Result<u64, LedgerError> {
    let mut query = Query::new("delete from worker_violations where worker_id = ");
    query.bind(worker_id.as_str());
    query.execute(tx).await
}

/// Forgets those of before.
pub async fn forget(tx: &mut Tx, before: Micros) -> Result<u64, LedgerError> {
    let mut query = Query::new("delete from worker_violations where at < ");
    query.bind(before.0);
    query.execute(tx).await
}
