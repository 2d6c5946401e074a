//! How sure one may be that a run says the same when it is done again: some of its segments are evaluated once more and
//! what they leave is compared, byte for byte (spec 05 §5.11). Nothing of the second evaluation is kept.

use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::handlers::JobContext;
use crate::impact;
use crate::journal::Journal;
use crate::runs::{scan, steps};
use std::sync::Arc;
use stella_bundle::digest;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_ledger::runs::{self, RunRow};
use stella_ledger::segments::{self, OutputRow};
use stella_ledger::{LedgerError, epss};
use tokio_util::sync::CancellationToken;

/// Who samples, as the history names it.
const SAMPLER: &str = "run-sampler";
/// One segment in so many is evaluated once more.
const ONE_IN: usize = 50;
/// The most segments of one run.
const MOST: usize = 20;

/// What a sample showed; nothing when what is matched moved on since, so that a difference would mean nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Compared {
    compared: usize,
    identical: usize,
}

impl Compared {
    fn score(self) -> Option<f64> {
        (self.compared > 0).then(|| self.identical as f64 / self.compared as f64)
    }
}

/// Samples the run, which has ended, and notes what came of it; whether it was still to be done. The stream of the run
/// is at its end and is told nothing; history and feed are.
pub(crate) async fn sample(engine: &Engine, run: &RunRow) -> Result<bool, Error> {
    let run_key = run.run_key;
    let left =
        engine.ledger().read(move |tx| Box::pin(async move { segments::outputs(tx, run_key).await })).await?;
    let chosen = choose(&run.run_id.to_string(), left);
    let compared = match is_as_planned(engine, run).await? {
        true => compare(engine, run, &chosen).await,
        false => Ok(Compared::default()),
    };
    match compared {
        Ok(compared) => note(engine, run_key, compared).await,
        Err(error) if error.is_retryable() => Err(error),
        // Tried again it would fail again, and hold up the runs behind it.
        Err(error) => {
            tracing::warn!(run = %run.run_id, %error, private = error.private, "a run cannot be sampled");
            note(engine, run_key, Compared::default()).await
        }
    }
}

/// The same run always has the same segments chosen: by the hash of run and segment, so that no part of it is favoured.
fn choose(run_id: &str, mut left: Vec<OutputRow>) -> Vec<OutputRow> {
    let most = left.len().div_ceil(ONE_IN).min(MOST);
    left.sort_by_cached_key(|one| digest::of_bytes(format!("{run_id} {}", one.segment_id).as_bytes()));
    left.truncate(most);
    left
}

async fn compare(engine: &Engine, run: &RunRow, chosen: &[OutputRow]) -> Result<Compared, Error> {
    let tenant: &Tenant = &run.wish.tenant;
    let feeds = engine.feeds(tenant).await?;
    let generation = i64::try_from(feeds.index.generation()).unwrap_or(i64::MAX);
    let context =
        JobContext { engine: engine.clone(), cancel: CancellationToken::new(), told: Arc::default() };
    let mut compared = Compared::default();
    for segment in chosen.iter().filter(|segment| segment.feed_generation == generation) {
        let scanned = scan::scan(&context, segment.segment_key, &feeds).await;
        let scanned = scanned.map_err(|failure| Error::internal(failure.message))?;
        let again = digest::of_bytes(&scan::output(&scanned)?);
        compared.compared += 1;
        compared.identical += usize::from(again == segment.output_digest);
    }
    // An SBOM that came in the meantime makes another output, and rightly so.
    Ok(if is_as_planned(engine, run).await? { compared } else { Compared::default() })
}

/// Whether advisories, SBOMs and the scores that rules may ask for are what they were when the run was planned.
async fn is_as_planned(engine: &Engine, run: &RunRow) -> Result<bool, Error> {
    let (tenant, now) = (run.wish.tenant.clone(), engine.now());
    let (generation, planned_at) = (run.impact_index_generation, run.planned_at.unwrap_or(now));
    let read = engine.ledger().read::<_, LedgerError, _>(move |tx| {
        Box::pin(async move {
            let is_same = impact::state(tx, &tenant, now).await?.generation == generation;
            Ok(is_same && !epss::read_since(tx, tenant.as_str(), planned_at.0).await?)
        })
    });
    Ok(read.await?)
}

async fn note(engine: &Engine, run_key: i64, compared: Compared) -> Result<bool, Error> {
    let now = engine.now();
    let write = engine.ledger().write(move |tx| {
        Box::pin(async move {
            let Some(mut run) = runs::by_key(tx, run_key).await? else { return Ok(false) };
            if run.determinism_sample.is_some() {
                return Ok(false);
            }
            let sample = i64::try_from(compared.compared).unwrap_or(i64::MAX);
            runs::sampled(tx, run_key, sample, compared.score()).await?;
            (run.determinism_sample, run.determinism_score) = (Some(sample), compared.score());
            run.version += 1;
            let mut journal = Journal::default();
            steps::sampled(&run, &By::itself(SAMPLER), now, &mut journal);
            journal.leave(tx);
            Ok(true)
        })
    });
    write.await
}

/// Since when an ended run is still worth sampling.
pub(crate) fn since(now: Micros) -> Micros {
    const WORTH_MS: i64 = 60 * 60 * 1_000;
    now.minus_ms(WORTH_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(count: i64) -> Vec<OutputRow> {
        let one = |key| OutputRow {
            segment_key: key,
            segment_id: format!("seg_{key}"),
            output_digest: "sha256:0".to_owned(),
            feed_generation: 1,
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn a_fiftieth_is_chosen_at_least_one_and_at_most_twenty_and_always_the_same() {
        let numbers: Vec<usize> =
            [0, 1, 50, 51, 1_000, 5_000].map(|all| choose("run:a", left(all)).len()).into();
        assert_eq!(numbers, [0, 1, 1, 2, 20, 20]);
        let mut turned = left(1_000);
        turned.reverse();
        assert_eq!(choose("run:a", left(1_000)), choose("run:a", turned));
        assert_ne!(choose("run:a", left(1_000)), choose("run:b", left(1_000)));
    }
}
