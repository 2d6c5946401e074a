//! Makes jobs ready that nothing holds any more.

use super::{Activity, Task};
use crate::engine::Engine;
use crate::error::Error;
use crate::gate;
use crate::journal::Journal;
use async_trait::async_trait;
use stella_contract::time::Micros;
use stella_ledger::{jobs, limits};

/// Makes jobs ready that nothing holds any more.
pub(super) struct Dispatcher;

#[async_trait]
impl Task for Dispatcher {
    fn name(&self) -> &'static str {
        "dispatcher"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let (next, is_limited): (Option<Micros>, bool) = engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let next = jobs::next_eligible(tx).await?;
                    Ok::<_, Error>((next, !limits::lanes(tx, 1).await?.is_empty()))
                })
            })
            .await?;
        if !is_limited && next.is_none_or(|at| at > now) {
            return Ok(Activity { did: 0, next_at: next });
        }
        let (own, name) = (engine.clone(), self.name());
        engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let done = gate::dispatch(tx, name, now, &mut journal).await?;
                    own.limits_seen(done.in_force);
                    journal.leave(tx);
                    Ok::<_, Error>(Activity { did: done.changed, next_at: done.next_at })
                })
            })
            .await
    }
}
