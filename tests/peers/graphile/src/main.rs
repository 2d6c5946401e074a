//! graphile_worker on the Postgres that `PEER_POSTGRES` names, with its local queue and batched completion. It deletes
//! what is done.

#[path = "../../common.rs"]
mod common;

use common::{Outcome, Peer, measure};
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, Worker, WorkerContext, WorkerOptions,
    WorkerUtils,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

struct Graphile {
    worker: Worker,
    utils: WorkerUtils,
}

#[derive(Clone, Serialize, Deserialize)]
struct Step(Value);

impl TaskHandler for Step {
    const IDENTIFIER: &'static str = "step";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {}
}

impl Peer for Graphile {
    const NAME: &'static str = "graphile_worker 0.14.1 (deletes)";

    async fn add(&self, payload: Value) -> Outcome<()> {
        self.utils.add_job(Step(payload), JobSpec::default()).await?;
        Ok(())
    }

    async fn add_all(&self, payloads: Vec<Value>) -> Outcome<()> {
        let spec = JobSpec::default();
        let jobs: Vec<_> = payloads.into_iter().map(|payload| (Step(payload), &spec)).collect();
        self.utils.add_jobs(&jobs).await?;
        Ok(())
    }

    async fn drain(&self, _: usize) -> Outcome<()> {
        Ok(self.worker.run_once().await?)
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let place = std::env::var("PEER_POSTGRES").map_err(|_| "PEER_POSTGRES names no database")?;
    let worker = WorkerOptions::default()
        .database_url(&place)
        .max_pg_conn(16)
        .concurrency(500)
        .local_queue(LocalQueueConfig::builder().size(5_000).build())
        .complete_job_batch_delay(Duration::from_millis(5))
        .listen_os_shutdown_signals(false)
        .define_job::<Step>()
        .init()
        .await?;
    let utils = worker.create_utils();
    measure(Graphile { worker, utils }).await
}
