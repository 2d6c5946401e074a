//! The ledger of a platform that has worked for a week: very many jobs in every state, dead letters of some forty causes,
//! a run whose graph has very many nodes, sources with gaps, limits, runs with findings, change-sets, views.
//!
//! It is made by the engine's own verbs under a clock that is moved, so that every row is one that the product writes; of
//! the jobs that ended on their own the ledger then makes ten of each, so that it does not take an hour.

mod graph;
mod inputs;
mod limits;
mod pile;
mod plans;
mod sets;
mod story;

use crate::served::Home;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use stella_contract::ids::{ChangeSetId, DeadLetterId, JobId, RunId, SourceId, WorkerId};
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_contract::time::Micros;
use stella_engine::handlers::{Done, Failure};
use stella_engine::tasks::{self, Task};
use stella_engine::work::{Lease, NewWorker, Report};
use stella_engine::{Caller, Clock, Engine, LedgerPlace, Options, SeededChance, TestClock};

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;
/// How long the platform has worked.
const WEEK: i64 = 7 * 24 * HOUR;
/// The most jobs in one call.
const AT_ONCE: usize = 1_000;

/// How much there is of what.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Jobs in all.
    pub jobs: usize,
    /// Jobs that failed for good.
    pub dead_letters: usize,
    /// Jobs in the graph of one run.
    pub nodes: usize,
    /// Targets with an SBOM.
    pub targets: usize,
    /// Runs, most of them long ended.
    pub runs: i64,
}

impl Size {
    /// What the product promises to carry.
    pub const FULL: Self =
        Self { jobs: 100_000, dead_letters: 10_000, nodes: 2_000, targets: 240, runs: 100_000 };
    /// The same in small.
    pub const SMALL: Self = Self { jobs: 3_000, dead_letters: 300, nodes: 200, targets: 24, runs: 300 };
}

/// What pages that are about one thing are opened with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// The first job of the graph.
    pub first: JobId,
    /// A job in the middle of the graph.
    pub middle: JobId,
    /// A job that failed for good.
    pub failed: JobId,
    /// Its entry.
    pub entry: DeadLetterId,
    /// A run that has ended, with changes.
    pub run: RunId,
    /// The run whose graph is large; it goes on.
    pub open_run: RunId,
    /// A source with gaps and backfills.
    pub source: SourceId,
    /// A change-set with many items.
    pub change_set: ChangeSetId,
}

/// The time by the clock of the machine, at which a server that is started next goes on.
#[expect(clippy::disallowed_methods, reason = "the programs under test read it too")]
pub fn now() -> Micros {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

/// Makes it in this home, so that it ends at this time.
pub async fn make(home: &Home, size: Size, until: Micros) -> Made {
    let mut world = World::open(home, until.minus_ms(WEEK)).await;
    let (source, run) = inputs::begin(&mut world, home, size).await;
    story::tell(&mut world, size, until).await;
    let source = inputs::go_on(&world, home, source).await;
    limits::make(&world).await;
    let (open_run, graph) = graph::make(&mut world, size).await;
    let (failed, entry) = sets::tend(&world).await;
    let change_set = sets::make(&world).await;
    plans::make(&world).await;
    pile::leave(&world, size, until).await;
    stella_ledger::multiply::jobs(world.engine.ledger(), story::COPIES as i64).await.unwrap();
    stella_ledger::multiply::runs(world.engine.ledger(), size.runs).await.unwrap();
    world.end().await;
    Made { first: graph.first, middle: graph.middle, failed, entry, run, open_run, source, change_set }
}

/// An engine under a clock that is moved, with workers to speak for.
struct World {
    engine: Engine,
    clock: Arc<TestClock>,
    tasks: Vec<Arc<dyn Task>>,
    hands: Vec<Hand>,
}

/// A worker and what it holds.
struct Hand {
    worker: WorkerId,
    job_types: Vec<String>,
    held: Vec<Lease>,
}

impl World {
    async fn open(home: &Home, at: Micros) -> Self {
        let clock = Arc::new(TestClock::at(at));
        let engine = Engine::open(Options {
            place: LedgerPlace::Sqlite(home.ledger()),
            blobs: home.path().join("blobs"),
            tenants: vec!["default".parse().unwrap()],
            clock: clock.clone(),
            chance: Arc::new(SeededChance::new(21)),
            workers: 2,
        })
        .await
        .unwrap();
        let mut world = Self { engine, clock, tasks: tasks::all(), hands: Vec::new() };
        for (name, job_types) in story::WORKERS {
            let job_types: Vec<String> = job_types.iter().map(ToString::to_string).collect();
            let new = NewWorker {
                name: (*name).to_owned(),
                hostname: format!("{name}.platform.example"),
                job_types: job_types.clone(),
                concurrency: 64,
            };
            let worker = world.engine.work().register(new).await.unwrap();
            world.hands.push(Hand { worker, job_types, held: Vec::new() });
        }
        world
    }

    /// An operator with a reason and a ticket.
    fn operator(&self, name: &str, reason: &str) -> Caller {
        Caller::local("default".parse().unwrap(), name).because(reason, Some("OPS-2114"))
    }

    fn now(&self) -> Micros {
        self.clock.now()
    }

    fn below(&self, limit: usize) -> usize {
        (self.engine.chance().number() % limit.max(1) as u64) as usize
    }

    /// Moves the clock to this time.
    fn go_to(&self, at: Micros) {
        self.clock.advance_ms(at.ms_since(self.now()).max(0));
    }

    async fn submit(&self, caller: &Caller, wishes: Vec<SubmitJob>) -> Vec<JobId> {
        let mut ids = Vec::with_capacity(wishes.len());
        let mut wishes = wishes.into_iter().peekable();
        while wishes.peek().is_some() {
            let some: Vec<SubmitJob> = wishes.by_ref().take(AT_ONCE).collect();
            let made = self.engine.jobs().submit_many(caller, some).await.unwrap();
            ids.extend(made.into_iter().map(|one| one.job.job_id));
        }
        ids
    }

    /// Lets the background tasks look once, without anybody to do what the workers of this process would do.
    async fn look(&self) {
        for task in &self.tasks {
            task.activate(&self.engine).await.unwrap();
        }
    }

    /// Lets the workers take, do and report, at most so many jobs; `outcome` says how each one ends.
    async fn work_off(&mut self, most: usize, outcome: impl Fn(&Self, &Lease) -> Result<Done, Failure>) {
        let mut taken = 0;
        loop {
            let mut at_work = false;
            for at in 0..self.hands.len() {
                let held = std::mem::take(&mut self.hands[at].held);
                let reports = held
                    .iter()
                    .map(|lease| Report { fence: lease.fence.clone(), outcome: outcome(self, lease) })
                    .collect();
                let room = most.saturating_sub(taken).min(64);
                let hand = &self.hands[at];
                let work = self.engine.work();
                let exchanged = work.exchange(&hand.worker, reports, &hand.job_types, room).await;
                let (answers, started) = exchanged.unwrap();
                for answer in answers {
                    answer.unwrap();
                }
                taken += started.len();
                at_work |= !started.is_empty();
                self.hands[at].held = started;
            }
            if !at_work {
                return;
            }
            self.clock.advance_ms(250 + self.below(9_000) as i64);
        }
    }

    async fn end(&self) {
        for hand in &self.hands {
            self.engine.work().heartbeat(&hand.worker, Vec::new()).await.unwrap();
        }
        self.engine.close().await;
    }
}

/// A wish from its JSON, as a client would send it.
fn wish<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn failure(class: ErrorClass, code: &str, message: String) -> Failure {
    Failure::new(class, code, message)
}
