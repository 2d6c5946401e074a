//! Makes jobs ready whose time has come.

use super::{Activity, Task};
use crate::change::{JobChange, settle};
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::engine_itself;
use crate::journal::Journal;
use async_trait::async_trait;
use stella_contract::job::{JobEvent, JobState};
use stella_contract::time::Micros;
use stella_ledger::jobs;

/// Jobs made ready in one transaction.
const AT_ONCE: i64 = 500;

/// Makes jobs ready whose time has come.
pub(super) struct Dispatcher;

#[async_trait]
impl Task for Dispatcher {
    fn name(&self) -> &'static str {
        "dispatcher"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let next: Option<Micros> = engine
            .ledger()
            .read(move |tx| Box::pin(async move { Ok::<_, Error>(jobs::next_eligible(tx).await?) }))
            .await?;
        if next.is_none_or(|at| at > now) {
            return Ok(Activity { did: 0, next_at: next });
        }
        let by = engine_itself(self.name());
        let (did, next_at) = engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let keys: Vec<i64> =
                        jobs::eligible(tx, now, AT_ONCE).await?.iter().map(|record| record.key).collect();
                    let ready = jobs::queue_many(tx, &keys, now).await?;
                    let changes: Vec<JobChange> = ready
                        .into_iter()
                        .map(|record| JobChange::along(JobEvent::Queue, JobState::Pending, record))
                        .collect();
                    let mut journal = Journal::default();
                    settle(tx, &changes, &by, now, &mut journal).await?;
                    journal.write(tx).await?;
                    Ok::<_, Error>((changes.len(), jobs::next_eligible(tx).await?))
                })
            })
            .await?;
        Ok(Activity { did, next_at })
    }
}
