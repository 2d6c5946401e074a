//! The run sampler: has some segments of each completed run evaluated once more and notes whether they left the same.

use crate::engine::Engine;
use crate::error::Error;
use crate::runs::sample;
use crate::tasks::{Activity, Task};
use async_trait::async_trait;
use stella_ledger::{LedgerError, runs};

/// Runs sampled in one activation.
const MOST: i64 = 5;

/// Samples completed runs.
#[derive(Debug)]
pub(super) struct RunSampler;

#[async_trait]
impl Task for RunSampler {
    fn name(&self) -> &'static str {
        "run-sampler"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let since = sample::since(engine.now());
        let waiting = engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { runs::unsampled(tx, since, MOST).await })
            })
            .await?;
        let mut did = 0;
        for run in waiting {
            did += usize::from(sample::sample(engine, &run).await?);
        }
        Ok(Activity { did, next_at: None })
    }
}
