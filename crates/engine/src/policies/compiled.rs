//! Snapshots ready to be asked: each is read once and kept. An id is the digest of the rules, so that what is kept under
//! it holds for every tenant that has it.

use crate::engine::Engine;
use crate::error::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::ids::{PolicySnapshotId, Tenant};
use stella_evaluator::Policy;

/// So many are kept; then all are forgotten, and those in use are read again.
const MOST: usize = 64;

/// Policies that were read lately.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    known: Mutex<HashMap<PolicySnapshotId, Arc<Policy>>>,
}

impl Compiled {
    fn get(&self, id: &PolicySnapshotId) -> Option<Arc<Policy>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn keep(&self, id: &PolicySnapshotId, policy: &Arc<Policy>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id.clone(), policy.clone());
    }
}

/// The snapshot of a tenant, ready to be asked; refuses one that is not there or whose rules are not those of its id.
pub(crate) async fn compiled(
    engine: &Engine,
    tenant: &Tenant,
    id: &PolicySnapshotId,
) -> Result<Arc<Policy>, Error> {
    let (wanted, owner) = (id.clone(), tenant.clone());
    let row = engine
        .ledger()
        .read(move |tx| Box::pin(async move { super::find(tx, &owner, &wanted).await }))
        .await?;
    if let Some(policy) = engine.compiled().get(id) {
        return Ok(policy);
    }
    let policy = super::read(row.source).await?.map_err(super::unsound)?;
    if super::id_of(&policy)? != *id {
        let sentence = format!("The rules kept under `{id}` are not those it stands for.");
        return Err(Error::new(stella_contract::error::Code::PolicyInvalid, sentence));
    }
    let policy = Arc::new(policy);
    engine.compiled().keep(id, &policy);
    Ok(policy)
}
