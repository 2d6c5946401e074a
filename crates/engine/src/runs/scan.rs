//! A segment's job: its targets against the feed index, compared with what each had before, kept with the job's success.

use crate::engine::Engine;
use crate::error::Error;
use crate::feed_index::Feeds;
use crate::handlers::{Done, Effect, Failure, Handler, JobContext, NewArtifact};
use crate::journal::Journal;
use crate::runs::facts::Fact;
use crate::runs::keep::{self, Output, Scanned};
use crate::runs::policy;
use crate::work::Lease;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use stella_bundle::{canonical, digest};
use stella_contract::ids::{RunId, SegmentId, Tenant};
use stella_contract::job::ErrorClass;
use stella_contract::run::{RunErrorCode, RunMode};
use stella_contract::time::Micros;
use stella_evaluator::{Component, FeedIndex, VexIndex, evaluate};
use stella_ledger::runs::{self, RunRow};
use stella_ledger::segments::{self, Left, PlaceRow};
use stella_ledger::{Tx, findings, key_of_uuid};

/// The type of a segment's job.
pub(crate) const JOB_TYPE: &str = "scan.segment";
/// Targets between two looks at the cancel signal.
const STRIDE: usize = 10;

/// What a segment's job is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payload {
    /// The run.
    pub run_id: RunId,
    /// The segment.
    pub segment_id: SegmentId,
    /// What the run does.
    pub mode: RunMode,
}

/// Evaluates segments.
#[derive(Debug, Default)]
pub(crate) struct ScanSegment;

#[async_trait]
impl Handler for ScanSegment {
    fn job_types(&self) -> &[&str] {
        &[JOB_TYPE]
    }

    async fn run(&self, ctx: &JobContext, lease: &Lease) -> Result<Done, Failure> {
        let payload: Payload = serde_json::from_value(lease.payload.clone()).map_err(|error| {
            let message = format!("The payload of a segment's job cannot be read: {error}.");
            Failure::new(ErrorClass::SchemaMismatch, "PAYLOAD_UNREADABLE", message)
        })?;
        let segment_key = key_of_uuid(payload.segment_id.uuid());
        let feeds = ctx.engine.feeds(&lease.job.tenant).await?;
        let scanned = scan(ctx, segment_key, &feeds).await?;
        done(segment_key, &lease.job.tenant, &feeds.index, scanned).map_err(Failure::from)
    }
}

/// What a segment's evaluation reads of the ledger.
struct Input {
    run: RunRow,
    places: Vec<PlaceRow>,
    /// Per target, its packages.
    held: HashMap<i64, Vec<i64>>,
    /// Per package, what the evaluator wants of it, as JSON.
    bodies: HashMap<i64, String>,
}

async fn load(engine: &Engine, segment_key: i64) -> Result<Input, Error> {
    engine.ledger().read(move |tx| Box::pin(async move { load_in(tx, segment_key).await })).await
}

async fn load_in(tx: &mut Tx, segment_key: i64) -> Result<Input, Error> {
    let segment = segments::get(tx, segment_key).await?;
    let segment = segment.ok_or_else(|| Error::not_found("segment", segment_key))?;
    let run = runs::by_key(tx, segment.run_key).await?;
    let run = run.ok_or_else(|| Error::not_found("run", segment.run_key))?;
    let places = segments::places(tx, segment_key).await?;
    let targets: Vec<i64> = places.iter().map(|place| place.target_key).collect();
    let mut held: HashMap<i64, Vec<i64>> = HashMap::with_capacity(targets.len());
    let mut packages = BTreeSet::new();
    for (target, package) in findings::components(tx, &targets).await? {
        held.entry(target).or_default().push(package);
        packages.insert(package);
    }
    let packages: Vec<i64> = packages.into_iter().collect();
    let bodies = findings::packages(tx, &packages).await?.into_iter().collect();
    Ok(Input { run, places, held, bodies })
}

/// Evaluates the targets of a segment in strides, away from the threads that answer requests. Each package is judged
/// once, whichever targets hold it.
pub(crate) async fn scan(ctx: &JobContext, segment_key: i64, feeds: &Feeds) -> Result<Vec<Scanned>, Failure> {
    let mut input = load(&ctx.engine, segment_key).await?;
    let chosen = policy::of_run(&ctx.engine, &input.run).await?;
    let chosen = chosen.map_err(|sentence| {
        Failure::new(ErrorClass::Validation, RunErrorCode::PolicyMissing.as_str(), sentence)
    })?;
    let total = input.places.len();
    let mut scanned = Vec::with_capacity(total);
    let mut known = Known::default();
    for stride in std::mem::take(&mut input.places).chunks(STRIDE) {
        if ctx.cancel.is_cancelled() {
            let message = "The segment was cancelled or its lease is gone; nothing of it was kept.";
            return Err(Failure::new(ErrorClass::Internal, "CANCELLED", message));
        }
        let work: Vec<(PlaceRow, Vec<i64>)> = stride
            .iter()
            .map(|place| (place.clone(), input.held.remove(&place.target_key).unwrap_or_default()))
            .collect();
        let wanted: BTreeSet<i64> = work.iter().flat_map(|(_, packages)| packages.iter().copied()).collect();
        let bodies: Vec<(i64, String)> =
            wanted.iter().filter_map(|key| Some((*key, input.bodies.remove(key)?))).collect();
        let feeds = feeds.clone();
        let judged = tokio::task::spawn_blocking(move || {
            known.judge(&feeds.index, bodies)?;
            let scanned: Vec<Scanned> = work
                .into_iter()
                .map(|(place, packages)| known.scanned(place, &packages, &feeds.vex))
                .collect::<Result<_, Error>>()?;
            Ok::<_, Error>((known, scanned))
        });
        let judged = judged.await.map_err(|error| Failure::from(Error::internal(error)))??;
        known = judged.0;
        scanned.extend(judged.1);
        let processed = i64::try_from(scanned.len()).unwrap_or(i64::MAX);
        ctx.progress(processed, i64::try_from(total).unwrap_or(i64::MAX), "evaluating targets");
    }
    match &chosen {
        Some(judge) => Ok(policy::judge(&ctx.engine, judge, scanned).await?),
        None => Ok(scanned),
    }
}

/// What is known of packages so far; `None` for one that cannot be read.
#[derive(Default)]
struct Known {
    facts: HashMap<i64, Option<Vec<Arc<Fact>>>>,
}

impl Known {
    fn judge(&mut self, index: &FeedIndex, bodies: Vec<(i64, String)>) -> Result<(), Error> {
        for (key, body) in bodies {
            let Ok(component) = serde_json::from_str::<Component>(&body) else {
                self.facts.insert(key, None);
                continue;
            };
            let found = evaluate(index, std::slice::from_ref(&component)).findings;
            let facts = found.into_iter().map(|finding| Fact::of(finding).map(Arc::new));
            self.facts.insert(key, Some(facts.collect::<Result<Vec<_>, Error>>()?));
        }
        Ok(())
    }

    /// One target: the facts of its packages, each component and vulnerability once, after what is said of them in it.
    fn scanned(&self, place: PlaceRow, packages: &[i64], vex: &VexIndex) -> Result<Scanned, Error> {
        let mut facts: Vec<Arc<Fact>> = Vec::new();
        for key in packages {
            match self.facts.get(key) {
                Some(Some(of_package)) => facts.extend(of_package.iter().cloned()),
                // What cannot be read cannot be called clean.
                Some(None) | None => return Ok(Scanned { place, facts: None }),
            }
        }
        let key = |fact: &Arc<Fact>| (fact.row.purl.clone(), fact.row.vulnerability_id.clone());
        facts.sort_by_cached_key(key);
        facts.dedup_by(|one, two| key(one) == key(two));
        for fact in &mut facts {
            if let Some(after) = vex.apply(&place.digest, &fact.finding) {
                *fact = Arc::new(Fact::of(after)?);
            }
        }
        Ok(Scanned { place, facts: Some(facts) })
    }
}

/// The bytes that a segment leaves.
pub(crate) fn output(scanned: &[Scanned]) -> Result<Vec<u8>, Error> {
    canonical::to_vec(&Output::of(scanned)).map_err(Error::internal)
}

fn done(segment_key: i64, tenant: &Tenant, index: &FeedIndex, scanned: Vec<Scanned>) -> Result<Done, Error> {
    let output = output(&scanned)?;
    let findings: usize = scanned.iter().filter_map(|one| Some(one.facts.as_ref()?.len())).sum();
    let failed = scanned.iter().filter(|one| one.facts.is_none()).count();
    let result = json!({
        "targets": scanned.len(),
        "failedTargets": failed,
        "findings": findings,
        "feedGeneration": index.generation(),
    });
    let feed_generation = i64::try_from(index.generation()).unwrap_or(i64::MAX);
    let left = Left { output_digest: digest::of_bytes(&output), feed_generation };
    let tenant = tenant.clone();
    let effect: Effect = Box::new(move |tx: &mut Tx, now: Micros| {
        Box::pin(async move {
            keep::keep(tx, segment_key, &tenant, &left, &scanned, now).await?;
            // What there is to tell follows from the job's success: segment and run mirror it.
            Ok(Journal::default())
        })
    });
    let artifact = NewArtifact {
        name: "segment-output.json".to_owned(),
        kind: "segment-output".to_owned(),
        media_type: "application/json".to_owned(),
        bytes: output.into(),
        digest: None,
    };
    Ok(Done { result, artifacts: vec![artifact], effect: Some(effect) })
}
