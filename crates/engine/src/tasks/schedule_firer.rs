//! The scheduler: fires what is due, and sleeps until the next fire. Fire times lie in the ledger, so that whichever node
//! looks first fires, and none fires twice.

use crate::engine::Engine;
use crate::error::Error;
use crate::schedules::{SCHEDULER, fire};
use crate::tasks::{Activity, Task};
use async_trait::async_trait;
use stella_contract::time::Micros;
use stella_ledger::LedgerError;

/// What many schedules are due about is done in turns, so that other writers come between.
const MOST_TURNS: usize = 1_000;

/// Fires schedules.
#[derive(Debug, Default)]
pub(super) struct ScheduleFirer;

#[async_trait]
impl Task for ScheduleFirer {
    fn name(&self) -> &'static str {
        SCHEDULER
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let mut did = 0;
        for _ in 0..MOST_TURNS {
            let now = engine.now();
            let due_at = engine
                .ledger()
                .read::<_, LedgerError, _>(move |tx| Box::pin(async move { fire::due_at(tx, now).await }))
                .await?;
            if due_at.is_none_or(|at: Micros| at > now) {
                return Ok(Activity { did, next_at: due_at });
            }
            did += engine
                .ledger()
                .write::<_, Error, _>(move |tx| Box::pin(async move { fire::act(tx, now).await }))
                .await?;
        }
        Ok(Activity { did, next_at: Some(engine.now()) })
    }
}
