//! The planner: looks for runs in planning and plans them; tells that it is alive.

use crate::engine::Engine;
use crate::error::Error;
use crate::runs::plan;
use crate::tasks::{Activity, Task};
use async_trait::async_trait;
use std::sync::atomic::{AtomicI64, Ordering};
use stella_contract::run::{RunErrorCode, RunState};
use stella_contract::time::Micros;
use stella_ledger::{LedgerError, runs};

/// How often it tells that it is alive.
const BEAT_MS: i64 = 15_000;
/// Runs planned in one activation.
const MOST: i64 = 20;
/// The shards this planner plans: all of them.
const SHARDS: &str = "all";

/// Plans runs.
#[derive(Debug, Default)]
pub(super) struct Planner {
    /// When it last told that it is alive, in microseconds.
    beaten: AtomicI64,
}

#[async_trait]
impl Task for Planner {
    fn name(&self) -> &'static str {
        plan::PLANNER
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let next_at = self.beat(engine).await?;
        let waiting = engine
            .ledger()
            .read::<_, LedgerError, _>(|tx| {
                Box::pin(async move { runs::open(tx, &[RunState::Planning], MOST).await })
            })
            .await?;
        let mut did = 0;
        for run in waiting {
            match plan::plan(engine, run.run_key).await {
                Ok(planned) => did += usize::from(planned),
                // The next look may succeed; the run watch ends what takes too long.
                Err(error) if error.is_retryable() => {
                    tracing::warn!(run = %run.run_id, %error, private = error.private, "planning waits");
                }
                Err(error) => {
                    tracing::error!(run = %run.run_id, %error, private = error.private, "planning failed");
                    plan::give_up(engine, run.run_key, RunErrorCode::Internal).await?;
                    did += 1;
                }
            }
        }
        Ok(Activity { did, next_at: Some(next_at) })
    }
}

impl Planner {
    /// Tells that it is alive when that is due; when it is next due.
    async fn beat(&self, engine: &Engine) -> Result<Micros, Error> {
        let now = engine.now();
        let due = Micros(self.beaten.load(Ordering::Relaxed)).plus_ms(BEAT_MS);
        if now < due {
            return Ok(due);
        }
        engine
            .ledger()
            .write::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { runs::beat(tx, plan::PLANNER, SHARDS, now).await })
            })
            .await?;
        self.beaten.store(now.0, Ordering::Relaxed);
        Ok(now.plus_ms(BEAT_MS))
    }
}
