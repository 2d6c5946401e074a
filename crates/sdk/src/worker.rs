//! A worker: it registers, waits for work, keeps its leases alive beside the work, and reports, in the right order and
//! whatever the network does. A lease that is lost drops the work; what came of it is discarded.
//!
//! Times of the server are never looked at: clocks differ. Every deadline is a duration that the server said.

mod attempt;
mod task;
mod together;

pub(crate) use attempt::outputs_hash;
pub use task::{Failure, Finished, Task};

use crate::client::Client;
use crate::error::Error;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use stella_contract::ids::WorkerId;
use stella_contract::lease::{ClaimWork, LONGEST_WAIT_S, Leases, MOST_CLAIMED, RegisterWorker, ReleaseLease};
use together::Together;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long it waits before it asks again after the server did not answer.
const PAUSE: Duration = Duration::from_secs(2);

type Handler = Arc<dyn Fn(Task) -> BoxFuture<'static, Result<Finished, Failure>> + Send + Sync>;

/// A worker that is being put together.
#[derive(Clone)]
pub struct Worker {
    client: Client,
    name: String,
    hostname: String,
    concurrency: usize,
    task_runner_id: Option<String>,
    handlers: BTreeMap<String, Handler>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("client", &self.client)
            .field("name", &self.name)
            .field("job_types", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker of this name that speaks through the client; its token needs the scope `worker`.
    pub fn new(client: Client, name: &str) -> Self {
        Self {
            client,
            name: name.to_owned(),
            hostname: std::env::var("HOSTNAME").unwrap_or_else(|_| "unknown".to_owned()),
            concurrency: 1,
            task_runner_id: None,
            handlers: BTreeMap::new(),
        }
    }

    /// Does jobs of this type with this function.
    #[must_use]
    pub fn on<F, Fut>(mut self, job_type: &str, handler: F) -> Self
    where
        F: Fn(Task) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Finished, Failure>> + Send + 'static,
    {
        self.handlers.insert(job_type.to_owned(), Arc::new(move |task| handler(task).boxed()));
        self
    }

    /// Holds so many jobs at most; 1 when nothing is said.
    #[must_use]
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { concurrency: concurrency.clamp(1, 256), ..self }
    }

    /// Runs on this machine.
    #[must_use]
    pub fn hostname(self, hostname: &str) -> Self {
        Self { hostname: hostname.to_owned(), ..self }
    }

    /// Works for this task runner.
    #[must_use]
    pub fn task_runner(self, id: &str) -> Self {
        Self { task_runner_id: Some(id.to_owned()), ..self }
    }

    /// Works until it is told to drain or `stop` comes, then takes nothing new and finishes what it holds. It fails only
    /// when it cannot begin.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let registered = self.client.floor().register(&self.introduction()).await?;
        tracing::info!(worker = %registered.worker_id, "registered");
        let drain = CancellationToken::new();
        let mut hands: JoinSet<()> = JoinSet::new();
        let together = Together::listen(&self.client);
        let mut stop = std::pin::pin!(stop);
        while !drain.is_cancelled() {
            let free = self.concurrency.saturating_sub(hands.len());
            if free == 0 {
                tokio::select! {
                    () = &mut stop => break,
                    () = drain.cancelled() => break,
                    _ = hands.join_next() => {}
                }
                continue;
            }
            let claim = self.claim(&registered.worker_id, free, hands.is_empty());
            let taken = tokio::select! {
                () = &mut stop => break,
                taken = claim => taken,
            };
            match taken {
                Ok(None) => {}
                Ok(Some(leases)) => {
                    if leases.drain {
                        drain.cancel();
                    }
                    self.begin(leases, &together, &mut hands, &drain);
                }
                Err(error) if is_final(&error) => {
                    tracing::error!(%error, "the server does not take this worker");
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "a claim failed and is repeated");
                    tokio::select! {
                        () = &mut stop => break,
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                }
            }
            while hands.try_join_next().is_some() {}
        }
        while hands.join_next().await.is_some() {}
        Ok(())
    }

    fn introduction(&self) -> RegisterWorker {
        RegisterWorker {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sdk: Some(concat!("rust/", env!("CARGO_PKG_VERSION")).to_owned()),
            hostname: self.hostname.clone(),
            job_types: self.handlers.keys().cloned().collect(),
            concurrency: i32::try_from(self.concurrency).unwrap_or(1),
            task_runner_id: self.task_runner_id.clone(),
        }
    }

    /// Idle hands wait long; busy ones look again soon, so that what becomes free is used.
    async fn claim(&self, worker: &WorkerId, free: usize, is_idle: bool) -> Result<Option<Leases>, Error> {
        let wish = ClaimWork {
            worker_id: worker.clone(),
            job_types: Vec::new(),
            max: Some(u32::try_from(free).unwrap_or(1).min(MOST_CLAIMED)),
            wait_s: Some(if is_idle { LONGEST_WAIT_S } else { 5 }),
        };
        self.client.floor().claim(&wish).await
    }

    fn begin(&self, leases: Leases, together: &Together, hands: &mut JoinSet<()>, drain: &CancellationToken) {
        for lease in leases.leases {
            let (client, drain) = (self.client.clone(), drain.clone());
            match self.handlers.get(&lease.job_type).cloned() {
                Some(handler) => {
                    hands.spawn(attempt::attempt(client, together.clone(), lease, handler, drain));
                }
                None => {
                    hands.spawn(async move {
                        let reason = "this worker has no handler for the job type".to_owned();
                        let wish = ReleaseLease { lease_epoch: lease.lease_epoch, reason };
                        if let Err(error) = client.floor().release(&lease.lease_id, &wish).await {
                            tracing::warn!(%error, "a job could not be given back");
                        }
                    });
                }
            }
        }
    }
}

/// Whether asking again cannot help: the token or the worker itself is refused.
fn is_final(error: &Error) -> bool {
    error.problem().is_some_and(|problem| matches!(problem.code.status(), 401 | 403 | 404 | 409 | 422))
}
