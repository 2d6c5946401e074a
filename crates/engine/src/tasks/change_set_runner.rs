//! Carries running change-sets out, several in turn; forgets dry runs that nobody started.

use super::{Activity, Task};
use crate::change_sets::carry_out;
use crate::engine::Engine;
use crate::error::Error;
use async_trait::async_trait;
use stella_contract::time::Micros;
use stella_ledger::{LedgerError, change_sets};

/// A dry run that was not started within this time is forgotten.
const DRAFT_KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// Change-sets that are carried out in turn.
const MOST: i64 = 100;

/// Carries change-sets out.
pub(super) struct ChangeSetRunner;

#[async_trait]
impl Task for ChangeSetRunner {
    fn name(&self) -> &'static str {
        "change-set-runner"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let read = engine.ledger().read::<_, LedgerError, _>(|tx| {
            Box::pin(async move {
                Ok((change_sets::running(tx, MOST).await?, change_sets::oldest_draft_at(tx).await?))
            })
        });
        let (running, oldest_draft) = read.await?;
        let mut activity = Activity::default();
        for set_key in running {
            match carry_out(engine, set_key).await {
                Ok(carried) => {
                    activity.did += carried.did;
                    activity.next_at = earlier(activity.next_at, carried.next_at);
                }
                // The others go on; this one is tried again.
                Err(error) => {
                    tracing::warn!(set_key, %error, private = error.private, "a change-set waits");
                }
            }
        }
        let due = oldest_draft.map(|at| at.plus_ms(DRAFT_KEPT_MS));
        activity.next_at = earlier(activity.next_at, due);
        if due.is_some_and(|due| due < engine.now()) {
            activity.did += usize::from(forget(engine).await?);
        }
        Ok(activity)
    }
}

async fn forget(engine: &Engine) -> Result<bool, Error> {
    let before = engine.now().minus_ms(DRAFT_KEPT_MS);
    let write = engine.ledger().write::<_, LedgerError, _>(move |tx| {
        Box::pin(async move { change_sets::forget_draft(tx, before).await })
    });
    Ok(write.await?)
}

fn earlier(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    one.into_iter().chain(other).min()
}
