//! Makes the windows of running backfills into jobs.

use super::{Activity, Task};
use crate::backfills;
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::engine_itself;
use async_trait::async_trait;
use stella_ledger::LedgerError;

/// Makes the windows of running backfills into jobs.
pub(super) struct BackfillFeeder;

#[async_trait]
impl Task for BackfillFeeder {
    fn name(&self) -> &'static str {
        "backfill_feeder"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let running = engine
            .ledger()
            .read::<_, LedgerError, _>(|tx| {
                Box::pin(async move { stella_ledger::backfills::running(tx).await })
            })
            .await?;
        // Nothing is written on the days, and those are most, on which there is no backfill.
        if running.is_empty() {
            return Ok(Activity::default());
        }
        let (worker, by, now) = (engine.clone(), engine_itself(self.name()), engine.now());
        let fed = engine
            .ledger()
            .write(move |tx| Box::pin(async move { backfills::feed(&worker, tx, &by, now).await }))
            .await?;
        Ok(Activity { did: fed.windows, next_at: fed.next_at })
    }
}
