//! What a job costs in commits, bytes and statements. None of it depends on how fast the machine is, so these figures
//! are pinned here and rates are left to the benchmark. This program is alone in its process, because it counts what
//! the process writes.
//!
//! The bounds are our own: those of a bare queue (13 KB for one commit, 1.5 KB for a job of a hundred) leave no room
//! for two hashed entries of the history and an event of the feed with each step, which are always written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the figures are worth reading where it passes, too")]

mod statements;

use serde_json::json;
use statements::Statements;
use std::sync::Arc;
use stella_contract::ids::WorkerId;
use stella_contract::job::SubmitJob;
use stella_engine::handlers::{Done, Registry};
use stella_engine::work::{NewWorker, Report};
use stella_engine::{Caller, Engine, LedgerPlace, Options, SeededChance, TestClock};
use stella_ledger::testing::raw::log_bytes;
use tokio::sync::Barrier;

/// The most that one job may cost.
struct Bound {
    commits: f64,
    kilobytes: f64,
    statements: f64,
}

struct World {
    engine: Engine,
    caller: Caller,
    worker: WorkerId,
    /// Where a Postgres is, to ask it what it wrote.
    url: Option<String>,
    statements: Statements,
}

/// What was spent so far.
struct Spent {
    commits: u64,
    bytes: u64,
    statements: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_costs_few_commits_bytes_and_statements() {
    let statements = Statements::count();
    let folder = tempfile::tempdir().unwrap();
    let place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    let sqlite = World::open(place, &folder, statements.clone()).await;
    let url = stella_ledger::testing::postgres().await.unwrap_or_else(|why| panic!("{why}"));
    let postgres = World::open(LedgerPlace::Postgres(url), &folder, statements).await;

    // Begin, insert, book, commit; the measuring itself asks Postgres once.
    let one = |kilobytes| Bound { commits: 1.0, kilobytes, statements: 4.1 };
    costs(&sqlite, "one by one", 50, one(40.0), sqlite.one_by_one(50)).await;
    costs(&postgres, "one by one", 50, one(3.0), postgres.one_by_one(50)).await;

    // Callers that come while one commit is made share the next.
    let shared = |kilobytes| Bound { commits: 0.2, kilobytes, statements: 0.7 };
    costs(&sqlite, "16 callers", 320, shared(12.0), sqlite.together(16, 20)).await;
    costs(&postgres, "16 callers", 320, shared(3.0), postgres.together(16, 20)).await;

    let bulk = |kilobytes| Bound { commits: 0.001, kilobytes, statements: 0.045 };
    costs(&sqlite, "1,000 a call", 4_000, bulk(2.2), sqlite.bulk(4_000)).await;
    costs(&postgres, "1,000 a call", 4_000, bulk(2.8), postgres.bulk(4_000)).await;

    let drain = |kilobytes| Bound { commits: 0.012, kilobytes, statements: 0.115 };
    costs(&sqlite, "drained, 100 at a time", 4_000, drain(7.5), sqlite.drain(100, 4_000)).await;
    costs(&postgres, "drained, 100 at a time", 4_000, drain(4.8), postgres.drain(100, 4_000)).await;

    sqlite.engine.close().await;
    postgres.engine.close().await;
}

impl World {
    async fn open(place: LedgerPlace, folder: &tempfile::TempDir, statements: Statements) -> Self {
        let url = match &place {
            LedgerPlace::Sqlite(_) => None,
            LedgerPlace::Postgres(url) => Some(url.clone()),
        };
        let options = Options {
            place,
            blobs: folder.path().join("blobs"),
            tenants: vec!["acme".parse().unwrap()],
            clock: Arc::new(TestClock::default()),
            chance: Arc::new(SeededChance::new(7)),
            workers: 0,
        };
        let engine = Engine::open_with(options, Registry::default()).await.unwrap();
        let worker = NewWorker {
            name: "costs".to_owned(),
            hostname: "localhost".to_owned(),
            job_types: vec!["exam".to_owned()],
            concurrency: 100,
        };
        let worker = engine.work().register(worker).await.unwrap();
        let world =
            Self { caller: Caller::local("acme".parse().unwrap(), "ada"), engine, worker, url, statements };
        // The first claim learns that no limit is in force.
        world.one_by_one(1).await;
        world.drain(1, 1).await;
        world
    }

    async fn spent(&self) -> Spent {
        let bytes = match &self.url {
            Some(url) => log_bytes(url).await.unwrap().unsigned_abs(),
            None => written(),
        };
        Spent { commits: self.engine.ledger().commits(), bytes, statements: self.statements.so_far() }
    }

    fn wish() -> SubmitJob {
        let payload = json!({ "target": "pkg:deb/debian/bash@5.2.15-2", "reason": "costs" });
        SubmitJob { job_type: "exam".to_owned(), payload, ..SubmitJob::default() }
    }

    async fn one_by_one(&self, jobs: u32) {
        for _ in 0..jobs {
            self.engine.jobs().submit(&self.caller, Self::wish()).await.unwrap();
        }
    }

    async fn together(&self, callers: usize, rounds: usize) {
        let barrier = Arc::new(Barrier::new(callers));
        let mut tasks = Vec::new();
        for _ in 0..callers {
            let (engine, caller, barrier) = (self.engine.clone(), self.caller.clone(), barrier.clone());
            tasks.push(tokio::spawn(async move {
                for _ in 0..rounds {
                    // All of them come at the same time, again and again.
                    barrier.wait().await;
                    engine.jobs().submit(&caller, Self::wish()).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    }

    async fn bulk(&self, jobs: u32) {
        for _ in 0..jobs / 1_000 {
            let wishes = (0..1_000).map(|_| Self::wish()).collect();
            self.engine.jobs().submit_many(&self.caller, wishes).await.unwrap();
        }
    }

    async fn drain(&self, batch: usize, jobs: usize) {
        let (work, types, mut done) = (self.engine.work(), ["exam".to_owned()], 0);
        let mut reports = Vec::new();
        loop {
            done += reports.len();
            let wanted = batch.min(jobs - done);
            let (_, started) =
                work.exchange(&self.worker, std::mem::take(&mut reports), &types, wanted).await.unwrap();
            if started.is_empty() {
                return;
            }
            let ended = |fence| Report { fence, outcome: Ok(Done::default()) };
            reports.extend(started.into_iter().map(|lease| ended(lease.fence)));
        }
    }
}

/// Runs the work and holds what each job cost against the bound.
async fn costs(world: &World, case: &str, jobs: u32, bound: Bound, work: impl Future<Output = ()>) {
    let before = world.spent().await;
    work.await;
    let after = world.spent().await;
    let database = if world.url.is_some() { "Postgres" } else { "SQLite" };
    let each = |before: u64, after: u64| (after - before) as f64 / f64::from(jobs);
    let commits = each(before.commits, after.commits);
    let kilobytes = each(before.bytes, after.bytes) / 1_000.0;
    let statements = each(before.statements, after.statements);
    println!("{database}, {case}: {commits:.3} commits, {kilobytes:.2} kB, {statements:.3} statements a job");
    assert!(commits <= bound.commits, "{database}, {case}: {commits} commits a job");
    assert!(kilobytes <= bound.kilobytes, "{database}, {case}: {kilobytes} kB a job");
    assert!(statements <= bound.statements, "{database}, {case}: {statements} statements a job");
}

/// Bytes that this process gave to the system so far.
fn written() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap();
    text.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().trim().parse().unwrap()
}
