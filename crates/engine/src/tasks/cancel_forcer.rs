//! Ends running jobs that were asked to end and did not.

use super::{Activity, Task};
use crate::change::settle;
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::{cancelled, engine_itself};
use crate::journal::Journal;
use async_trait::async_trait;
use stella_contract::job::JobState;
use stella_contract::time::Micros;
use stella_ledger::leases::{self, Due};
use stella_ledger::{Tx, jobs};

/// How long a worker has to end a job after it was asked to.
pub(crate) const PATIENCE_MS: i64 = 60_000;
/// Jobs ended in one transaction.
const AT_ONCE: i64 = 500;

/// Ends running jobs that were asked to end and did not.
pub(super) struct CancelForcer;

#[async_trait]
impl Task for CancelForcer {
    fn name(&self) -> &'static str {
        "cancel-forcer"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let due: Due = engine
            .ledger()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(leases::next_due(tx).await?) }))
            .await?;
        let next_at = due.cancel_requested_at.map(|at| Micros(at).plus_ms(PATIENCE_MS));
        let now = engine.now();
        if next_at.is_none_or(|at| at > now) {
            return Ok(Activity { did: 0, next_at });
        }
        let name = self.name();
        let did: usize = engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let did = force(tx, name, now, &mut journal).await?;
                    journal.leave(tx);
                    Ok::<_, Error>(did)
                })
            })
            .await?;
        Ok(Activity { did, next_at: None })
    }
}

async fn force(tx: &mut Tx, name: &str, now: Micros, journal: &mut Journal) -> Result<usize, Error> {
    let unheeded = leases::unheeded(tx, now.minus_ms(PATIENCE_MS), AT_ONCE).await?;
    let keys: Vec<i64> = unheeded.iter().map(|record| record.key).collect();
    let ended = jobs::cancel_many(tx, &keys, now).await?;
    let changes: Vec<_> = ended.into_iter().map(|record| cancelled(JobState::Running, record)).collect();
    settle(tx, &changes, &engine_itself(name), now, journal).await?;
    Ok(changes.len())
}
