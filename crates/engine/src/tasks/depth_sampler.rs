//! Notes the depth of every tenant's queue, the backlog of its runs and the rates of the hosts' buckets once a minute, and
//! keeps a week of them.

use crate::engine::Engine;
use crate::error::Error;
use crate::limits::bucket;
use crate::tasks::{Activity, Task};
use async_trait::async_trait;
use stella_contract::time::Micros;
use stella_ledger::bucket_samples::{self, RateRow};
use stella_ledger::buckets::{self, BucketRow};
use stella_ledger::{LedgerError, run_samples, samples};

const EVERY_MS: i64 = 60 * 1_000;
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Samples the queue's depth.
#[derive(Debug)]
pub(crate) struct DepthSampler;

#[async_trait]
impl Task for DepthSampler {
    fn name(&self) -> &'static str {
        "depth-sampler"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let newest =
            engine.ledger().read::<_, LedgerError, _>(|tx| Box::pin(samples::newest(tx))).await?.map(Micros);
        // A sample from the future is left by a clock that was set back; it must not stop the sampling.
        if let Some(due) =
            newest.map(|at| at.plus_ms(EVERY_MS)).filter(|due| now < *due && *due <= now.plus_ms(EVERY_MS))
        {
            return Ok(Activity { did: 0, next_at: Some(due) });
        }
        let tenants = engine.options().tenants.clone();
        let did = tenants.len();
        engine
            .ledger()
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    for tenant in tenants {
                        samples::take(tx, tenant.as_str(), now.0).await?;
                        run_samples::take(tx, tenant.as_str(), now.0).await?;
                    }
                    samples::forget(tx, now.minus_ms(KEPT_MS).0).await?;
                    run_samples::forget(tx, now.minus_ms(KEPT_MS).0).await?;
                    let rates: Vec<RateRow> =
                        buckets::all(tx).await?.into_iter().map(|row| rate(row, now)).collect();
                    bucket_samples::note(tx, &rates).await?;
                    bucket_samples::forget(tx, now.minus_ms(KEPT_MS).0).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(Activity { did, next_at: Some(now.plus_ms(EVERY_MS)) })
    }
}

/// The rate of a bucket now, as time and the rules have eased it.
fn rate(mut row: BucketRow, now: Micros) -> RateRow {
    bucket::refill(&mut row, now);
    RateRow { rate: bucket::rate_at(&row, now.0), tenant: row.tenant, host: row.host, at: now.0 }
}
