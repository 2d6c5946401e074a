//! The worker of this process: takes as many jobs as it has free hands, keeps their leases alive, reports what came of
//! them together with its next claim, and gives up at once what it no longer holds.

use crate::engine::Engine;
use crate::error::Error;
use crate::handlers::{Failure, Handler, JobContext, Registry};
use crate::report::Report;
use crate::work::{Fence, LEASE_MS, Lease, NewWorker, Progress};
use futures::FutureExt;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stella_contract::error::Code;
use stella_contract::ids::{JobId, WorkerId};
use stella_contract::job::ErrorClass;
use stella_ledger::leases::Beat;
use stella_ledger::{LedgerPlace, workers};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long to wait after the ledger did not answer.
const PAUSE_MS: i64 = 1_000;
/// How long an idle worker waits before it looks by itself.
const IDLE_MS: i64 = 30_000;

/// What the worker of a process is called.
const NAME: &str = "local";
const HOST: &str = "localhost";

/// One process at a time holds a SQLite ledger: a local worker that stands in it from before is dead, and nobody need
/// wait for its leases to end.
async fn bury_predecessors(engine: &Engine) -> Result<(), Error> {
    match engine.options().place {
        LedgerPlace::Postgres(_) => return Ok(()),
        LedgerPlace::Sqlite(_) => {}
    }
    let gone = engine
        .ledger()
        .write(|tx| Box::pin(async move { Ok::<_, Error>(workers::bury(tx, NAME, HOST).await?) }))
        .await?;
    if gone > 0 {
        tracing::info!(gone, "took over from the worker of an earlier process");
    }
    Ok(())
}

/// One job in hand.
#[derive(Clone)]
struct Held {
    fence: Fence,
    /// Asks the handler to end.
    cancel: CancellationToken,
    /// The lease is gone: drop the work.
    lost: CancellationToken,
    told: Arc<Mutex<Option<Progress>>>,
}

/// The jobs in hand, shared with the heartbeat.
#[derive(Clone, Default)]
struct Hands(Arc<Mutex<HashMap<JobId, Held>>>);

impl Hands {
    fn open(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn take(&self, fence: &Fence) -> Held {
        let held = Held {
            fence: fence.clone(),
            cancel: CancellationToken::new(),
            lost: CancellationToken::new(),
            told: Arc::default(),
        };
        self.open().insert(fence.job_id.clone(), held.clone());
        held
    }
    fn put_down(&self, fence: &Fence) {
        let mut open = self.open();
        if open.get(&fence.job_id).is_some_and(|held| held.fence == *fence) {
            open.remove(&fence.job_id);
        }
    }
}

/// A worker of this process.
pub(crate) struct Worker {
    engine: Engine,
    registry: Registry,
    id: WorkerId,
    concurrency: usize,
    hands: Hands,
    running: JoinSet<Option<Report>>,
}

impl Worker {
    /// Writes itself down and is ready to work.
    pub(crate) async fn register(
        engine: &Engine,
        registry: Registry,
        concurrency: usize,
    ) -> Result<Self, Error> {
        bury_predecessors(engine).await?;
        let worker = NewWorker {
            name: NAME.to_owned(),
            hostname: HOST.to_owned(),
            job_types: registry.job_types(),
            concurrency: i32::try_from(concurrency).unwrap_or(i32::MAX),
        };
        Ok(Self {
            id: engine.work().register(worker).await?,
            engine: engine.clone(),
            registry,
            concurrency,
            hands: Hands::default(),
            running: JoinSet::new(),
        })
    }

    /// Works until it is stopped, then takes nothing new and finishes what it holds.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let heart = Heart { engine: self.engine.clone(), id: self.id.clone(), hands: self.hands.clone() };
        let heart = tokio::spawn(heart.beat());
        let mut ready = self.engine.bus().ready();
        let mut reports = Vec::new();
        while !stop.is_cancelled() {
            ready.mark_unchanged();
            let free = self.concurrency.saturating_sub(self.running.len());
            if let Err(error) = self.turn(std::mem::take(&mut reports), free).await {
                tracing::warn!(code = %error.code, private = error.private, "a worker lost its turn");
                let until = self.engine.now().plus_ms(PAUSE_MS);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.engine.clock().sleep_until(until) => {}
                }
            }
            let has_free_hands = self.concurrency > self.running.len();
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = self.running.join_next() => reports.extend(ended.ok().flatten()),
                _ = ready.changed(), if has_free_hands => {}
                () = self.engine.clock().sleep_until(self.engine.now().plus_ms(IDLE_MS)) => {}
            }
            reports.extend(self.ended());
        }
        if let Err(error) = self.engine.work().drain(&self.id).await {
            tracing::warn!(code = %error.code, "a worker could not say that it ends");
        }
        while let Some(ended) = self.running.join_next().await {
            reports.extend(ended.ok().flatten());
        }
        if let Err(error) = self.turn(reports, 0).await {
            tracing::warn!(code = %error.code, "a worker could not report at its end");
        }
        heart.abort();
    }

    /// Takes jobs and does them until there are none; how many.
    pub(crate) async fn run_until_idle(&mut self) -> Result<usize, Error> {
        let (mut did, mut reports) = (0, Vec::new());
        loop {
            let started = self.turn(std::mem::take(&mut reports), self.concurrency).await?;
            if started == 0 {
                return Ok(did);
            }
            did += started;
            while let Some(ended) = self.running.join_next().await {
                reports.extend(ended.ok().flatten());
            }
        }
    }

    /// Reports, claims and starts up to `free` jobs, in one commit; how many were started.
    async fn turn(&mut self, reports: Vec<Report>, free: usize) -> Result<usize, Error> {
        if reports.is_empty() && free == 0 {
            return Ok(0);
        }
        let (types, work) = (self.registry.job_types(), self.engine.work());
        let (answers, leases) = work.exchange(&self.id, reports, &types, free).await?;
        for error in answers.into_iter().filter_map(Result::err) {
            tracing::info!(code = %error.code, "a report came to nothing: {}", error.public);
        }
        let started = leases.len();
        for lease in leases {
            let held = self.hands.take(&lease.fence);
            let handler = self.registry.get(&lease.job.job_type);
            let (engine, hands) = (self.engine.clone(), self.hands.clone());
            self.running.spawn(async move {
                let report = attempt(engine, handler, &lease, held).await;
                hands.put_down(&lease.fence);
                report
            });
        }
        Ok(started)
    }

    /// Reports of attempts that have ended by now.
    fn ended(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        while let Some(ended) = self.running.try_join_next() {
            reports.extend(ended.ok().flatten());
        }
        reports
    }
}

/// Does one job. What it returns is to be reported; `None` when that has happened or the lease is lost.
async fn attempt(
    engine: Engine,
    handler: Option<Arc<dyn Handler>>,
    lease: &Lease,
    held: Held,
) -> Option<Report> {
    let fence = lease.fence.clone();
    let Some(handler) = handler else {
        let failure =
            Failure::new(ErrorClass::Internal, "NO_HANDLER", "This worker cannot do this job type.");
        return Some(Report { fence, outcome: Err(failure) });
    };
    let ctx = JobContext { engine: engine.clone(), cancel: held.cancel, told: held.told };
    let work = AssertUnwindSafe(handler.run(&ctx, lease)).catch_unwind();
    let outcome = tokio::select! {
        biased;
        () = held.lost.cancelled() => return None,
        ended = work => ended.unwrap_or_else(|_| {
            Err(Failure::new(ErrorClass::Internal, "PANICKED", "The work on this job broke off; see the log."))
        }),
    };
    let done = match outcome {
        Ok(done) if done.effect.is_some() => done,
        outcome => return Some(Report { fence, outcome }),
    };
    // An effect that fails undoes its whole transaction, so it is written alone.
    match engine.work().complete(&fence, done).await {
        Ok(_) => None,
        Err(error) if matches!(error.code, Code::LeaseLost | Code::AlreadyFinished | Code::JobNotFound) => {
            tracing::info!(code = %error.code, "a result came to nothing: {}", error.public);
            None
        }
        Err(error) => Some(Report { fence, outcome: Err(error.into()) }),
    }
}

/// Keeps the leases of a worker alive. It runs beside the work, so that a long write of one job cannot cost another
/// its lease.
struct Heart {
    engine: Engine,
    id: WorkerId,
    hands: Hands,
}

impl Heart {
    async fn beat(self) {
        loop {
            let at = self.engine.now().plus_ms(self.pause_ms());
            self.engine.clock().sleep_until(at).await;
            let beats: Vec<Beat> = self
                .hands
                .open()
                .values()
                .map(|held| Beat {
                    fence: held.fence.clone(),
                    progress: held.told.lock().unwrap_or_else(PoisonError::into_inner).take(),
                })
                .collect();
            match self.engine.work().heartbeat(&self.id, beats).await {
                Ok(pulse) => {
                    let mut hands = self.hands.open();
                    pulse
                        .cancelled
                        .iter()
                        .filter_map(|id| hands.get(id))
                        .for_each(|held| held.cancel.cancel());
                    for held in pulse.lost.iter().filter_map(|id| hands.remove(id)) {
                        held.cancel.cancel();
                        held.lost.cancel();
                    }
                }
                Err(error) => tracing::warn!(code = %error.code, "a heartbeat was not heard"),
            }
        }
    }

    /// A third of the lease, ten per cent more or less.
    fn pause_ms(&self) -> i64 {
        let mut byte = [0_u8; 1];
        self.engine.chance().fill(&mut byte);
        let third = LEASE_MS / 3;
        third * 9 / 10 + third * i64::from(byte[0]) / 5 / 255
    }
}
