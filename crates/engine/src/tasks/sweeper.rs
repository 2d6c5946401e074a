//! Forgets what has had its time: ended tokens, kept answers of yesterday, records that sources no longer keep, the far
//! end of the feed.

use crate::engine::Engine;
use crate::error::Error;
use crate::tasks::{Activity, Task};
use crate::{feed, idempotency, retention};
use async_trait::async_trait;
use stella_ledger::{dead_letters, incidents, schedules, tokens, triggers, uploads, violations};

const EVERY_MS: i64 = 10 * 60 * 1_000;
/// An ended token is remembered for a day, so that whoever lists tokens sees that it ended.
const ENDED_TOKENS_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a worker brought for a job that it never completed; the longest attempt takes seven days.
const UPLOADS_MS: i64 = 8 * 24 * 60 * 60 * 1_000;
/// Closed dead letters and incidents that are over are kept for 90 days.
const CLOSED_ENTRIES_MS: i64 = stella_contract::kept::CLOSED_DAYS * 24 * 60 * 60 * 1_000;
/// What became of fires is kept as long.
const FIRES_MS: i64 = CLOSED_ENTRIES_MS;
/// Violations of workers count for an hour.
const VIOLATIONS_MS: i64 = 60 * 60 * 1_000;
/// An export is remembered for far longer than its signature holds.
const DELIVERIES_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Dead letters forgotten in one transaction.
const AT_ONCE: i64 = 1_000;

/// Sweeps.
#[derive(Debug)]
pub(crate) struct Sweeper;

#[async_trait]
impl Task for Sweeper {
    fn name(&self) -> &'static str {
        "sweeper"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let tenants = engine.options().tenants.clone();
        let swept = engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let tokens = tokens::forget_ended(tx, now.minus_ms(ENDED_TOKENS_MS).0).await?;
                    let answers =
                        stella_ledger::idempotency::forget(tx, now.minus_ms(idempotency::KEPT_MS).0).await?;
                    let uploads = uploads::sweep(tx, now.minus_ms(UPLOADS_MS)).await?;
                    let mut swept = tokens + answers + uploads;
                    swept += dead_letters::forget(tx, now.minus_ms(CLOSED_ENTRIES_MS), AT_ONCE).await?;
                    swept += incidents::forget(tx, now.minus_ms(CLOSED_ENTRIES_MS)).await?;
                    swept += schedules::forget(tx, now.minus_ms(FIRES_MS), AT_ONCE).await?;
                    swept += triggers::forget_deliveries(tx, now.minus_ms(DELIVERIES_MS), AT_ONCE).await?;
                    swept += violations::forget(tx, now.minus_ms(VIOLATIONS_MS)).await?;
                    for tenant in tenants {
                        swept += retention::purge(tx, &tenant, now).await?;
                        swept += stella_ledger::feed::trim(tx, &tenant, feed::KEPT).await?;
                    }
                    Ok(swept)
                })
            })
            .await?;
        Ok(Activity {
            did: usize::try_from(swept).unwrap_or(usize::MAX),
            next_at: Some(now.plus_ms(EVERY_MS)),
        })
    }
}
