//! The engine at work: background tasks and the worker of this process, until they are stopped.

use crate::engine::Engine;
use crate::error::Error;
use crate::tasks::{self, Task};
use crate::worker::Worker;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a task waits when nothing is due and nothing happens.
const IDLE_MS: i64 = 30_000;
/// What rings within this time is looked at together. It is a pause of the process and no time of the rules.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long a task waits after it failed.
const PAUSE_MS: i64 = 1_000;
/// Rounds without an end in which something still changes mean that tasks work against each other.
const MOST_ROUNDS: usize = 10_000;

/// Tasks and workers at work. Dropping it ends them at once; what they held is taken back by its leases.
pub struct Running {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Engine {
    /// Starts the background tasks and the workers.
    pub fn start(&self) -> Running {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for task in tasks::all() {
            tasks.spawn(keep_looking(self.clone(), task, stop.clone()));
        }
        tasks.spawn(work(self.clone(), stop.clone()));
        Running { stop, tasks }
    }

    /// Runs tasks and workers in turn until nothing changes at the time the clock shows; for tests and for commands
    /// that wait for their own work.
    pub async fn run_until_idle(&self) -> Result<(), Error> {
        let tasks = tasks::for_a_while();
        let mut worker =
            Worker::register(self, self.registry().clone(), self.options().workers.max(1)).await?;
        for _ in 0..MOST_ROUNDS {
            let mut did = 0;
            for task in &tasks {
                did += task.activate(self).await?.did;
            }
            did += worker.run_until_idle().await?;
            if did == 0 {
                return Ok(());
            }
        }
        Err(Error::internal("the background tasks do not come to rest"))
    }
}

impl Running {
    /// Takes nothing new, finishes what is in hand, and returns when all have ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "background work ended badly");
            }
        }
    }
}

/// Looks when something is due, when something happened, and now and then.
async fn keep_looking(engine: Engine, task: Arc<dyn Task>, stop: CancellationToken) {
    let mut bell = engine.bus().work();
    while !stop.is_cancelled() {
        bell.mark_unchanged();
        let now = engine.now();
        let until = match task.activate(&engine).await {
            Ok(activity) => activity.next_at.map_or(now.plus_ms(IDLE_MS), |at| at.min(now.plus_ms(IDLE_MS))),
            Err(error) => {
                tracing::warn!(task = task.name(), code = %error.code, private = error.private, "a task failed");
                now.plus_ms(PAUSE_MS)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = engine.clock().sleep_until(until) => {}
            _ = bell.changed() => {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(TOGETHER) => {}
                }
            }
        }
    }
}

async fn work(engine: Engine, stop: CancellationToken) {
    let concurrency = engine.options().workers;
    if concurrency == 0 {
        return;
    }
    while !stop.is_cancelled() {
        match Worker::register(&engine, engine.registry().clone(), concurrency).await {
            Ok(worker) => return worker.run(stop).await,
            Err(error) => {
                tracing::warn!(code = %error.code, private = error.private, "the worker could not register");
                let until = engine.now().plus_ms(PAUSE_MS);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = engine.clock().sleep_until(until) => {}
                }
            }
        }
    }
}
