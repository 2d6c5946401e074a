//! A run with a graph of very many jobs, half of it done: planned, fetched, normalised, evaluated, merged, told.

use super::{Size, World, failure, wish};
use serde_json::json;
use stella_contract::ids::{JobId, RunId};
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_engine::handlers::{Done, Failure, NewArtifact};
use stella_engine::work::Lease;

/// Two jobs of the graph.
pub(super) struct Graph {
    pub(super) first: JobId,
    pub(super) middle: JobId,
}

pub(super) async fn make(world: &mut World, size: Size) -> (RunId, Graph) {
    let caller = world.operator("ada", "the monthly rebuild");
    let start = wish(json!({"mode": "analysis-only", "scope": {"kind": "all"}, "kevFirst": true}));
    let (run, _) = world.engine.runs().start(&caller, start, None).await.unwrap();
    world.look().await;
    let run = run.run_id;
    let side = (size.nodes / 50).max(2);
    let first = layer(world, &run, "graph.plan", 1, |_| Vec::new()).await;
    let fetched = layer(world, &run, "graph.fetch", side, |_| vec![first[0].clone()]).await;
    let normalised =
        layer(world, &run, "graph.normalise", side * 10, |at| vec![fetched[at / 10].clone()]).await;
    let left = size.nodes - 2 - side * 12;
    let evaluated = layer(world, &run, "graph.evaluate", left, |at| {
        let at = at * normalised.len() / left;
        let beside = (at + 1) % normalised.len();
        vec![normalised[at].clone(), normalised[beside].clone()]
    })
    .await;
    let share = evaluated.len().div_ceil(side);
    let merged = layer(world, &run, "graph.merge", side, |at| {
        evaluated.iter().skip(at * share).take(share).cloned().collect()
    })
    .await;
    layer(world, &run, "graph.report", 1, |_| merged.clone()).await;
    for part in [1, side, side * 10, left * 2 / 5] {
        world.clock.advance_ms(2_000);
        world.look().await;
        world.work_off(part, outcome).await;
    }
    world.look().await;
    (run, Graph { first: first[0].clone(), middle: normalised[normalised.len() / 2].clone() })
}

async fn layer(
    world: &World,
    run: &RunId,
    job_type: &str,
    count: usize,
    upstream: impl Fn(usize) -> Vec<JobId>,
) -> Vec<JobId> {
    let caller = world.operator("ada", "the monthly rebuild");
    let wishes = (0..count).map(|at| {
        let depends_on: Vec<_> =
            upstream(at).iter().map(|id| json!({"jobId": id, "kind": "on_success"})).collect();
        wish::<SubmitJob>(json!({
            "jobType": job_type, "payload": {"part": at}, "runId": run, "dependsOn": depends_on,
        }))
    });
    world.submit(&caller, wishes.collect()).await
}

fn outcome(world: &World, lease: &Lease) -> Result<Done, Failure> {
    if lease.job.job_type == "graph.evaluate" && world.below(40) == 0 {
        let message = "The mirror answered 503 for this part. Look at its status page.";
        return Err(failure(ErrorClass::UpstreamError, "HTTP_503", message.to_owned()));
    }
    let report = json!({"part": lease.payload["part"], "job": lease.job.job_id}).to_string();
    let artifact = NewArtifact {
        name: "report.json".to_owned(),
        kind: "report".to_owned(),
        media_type: "application/json".to_owned(),
        bytes: report.into(),
        digest: None,
    };
    Ok(Done { result: json!({"documents": 12}), artifacts: vec![artifact], effect: None })
}
