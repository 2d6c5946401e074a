//! effectum as it comes: SQLite with a rollback journal, finished jobs kept.

#[path = "../../common.rs"]
mod common;

use common::{Outcome, Peer, measure};
use effectum::{Job, JobRunner, Queue, RunningJob, Worker};
use serde_json::Value;
use std::time::Duration;

struct Effectum(Queue);

async fn nothing(_: RunningJob, (): ()) -> Result<(), effectum::Error> {
    Ok(())
}

fn job(payload: &Value) -> Outcome<Job> {
    Ok(Job::builder("step").json_payload(payload)?.build())
}

impl Peer for Effectum {
    const NAME: &'static str = "effectum 0.7.0";

    async fn add(&self, payload: Value) -> Outcome<()> {
        self.0.add_job(job(&payload)?).await?;
        Ok(())
    }

    async fn add_all(&self, payloads: Vec<Value>) -> Outcome<()> {
        self.0.add_jobs(payloads.iter().map(job).collect::<Outcome<Vec<_>>>()?).await?;
        Ok(())
    }

    async fn drain(&self, _: usize) -> Outcome<()> {
        let runner = JobRunner::builder("step", nothing).build();
        let worker = Worker::builder(&self.0, ());
        let worker = worker.min_concurrency(100).max_concurrency(200).jobs([runner]).build().await?;
        loop {
            let left = self.0.num_active_jobs().await?;
            if left.pending + left.running == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        worker.unregister(None).await?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    measure(Effectum(Queue::new(&folder.path().join("queue.db")).await?)).await?;
    folder.close()?;
    // Its writer drops a pool outside of the runtime, which panics: the program ends before that.
    std::process::exit(0);
}
