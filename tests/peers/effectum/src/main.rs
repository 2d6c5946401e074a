//! effectum as it comes: SQLite with a rollback journal, finished jobs kept.

#[path = "../../common.rs"]
mod common;

use common::{Outcome, Peer, measure};
use effectum::{Job, JobRunner, Queue, RunningJob, Worker};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

struct Effectum(Queue);

/// Does nothing but say so.
async fn nothing(_: RunningJob, done: UnboundedSender<()>) -> Result<(), effectum::Error> {
    done.send(()).ok();
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

    async fn drain(&self, jobs: usize) -> Outcome<()> {
        let (done, mut ended) = unbounded_channel();
        let runner = JobRunner::builder("step", nothing).build();
        let worker = Worker::builder(&self.0, done);
        let worker = worker.min_concurrency(100).max_concurrency(200).jobs([runner]).build().await?;
        for _ in 0..jobs {
            ended.recv().await.ok_or("the worker is gone")?;
        }
        // It waits until what has ended is written down, too.
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
