//! How many jobs a second the core takes in and works off, with its whole book-keeping: history, hash chain and feed.
//!
//! `cargo bench -p stella-engine --bench ledger` measures SQLite (`synchronous=FULL`) and, where its server is
//! installed, a Postgres with its own durability, at least five times each after one time that does not count, beside
//! the raw limit of the same disk in the same minute. Without `--bench` each measurement is done once and small.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_contract::ids::{Tenant, WorkerId};
use stella_contract::job::SubmitJob;
use stella_engine::handlers::Done;
use stella_engine::work::{Fence, NewWorker, Report};
use stella_engine::{Caller, Engine, LedgerPlace, Options, SystemChance, SystemClock};
use stella_ledger::testing::{Durability, postgres_with};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const JOB_TYPE: &str = "bench";

/// How much is measured.
#[derive(Clone, Copy)]
struct Scale {
    repetitions: usize,
    one_by_one: usize,
    bulk: usize,
    drain: usize,
}

const FULL: Scale = Scale { repetitions: 6, one_by_one: 1_000, bulk: 10_000, drain: 1_000 };
/// So that the program cannot rot.
const ONCE: Scale = Scale { repetitions: 1, one_by_one: 20, bulk: 1_000, drain: 100 };

#[tokio::main]
async fn main() -> Outcome<()> {
    let scale = if std::env::args().any(|word| word == "--bench") { FULL } else { ONCE };
    println!("| case | jobs/s, median | min | max |");
    println!("|---|--:|--:|--:|");
    let folder = tempfile::tempdir()?;
    row("limit: 4 KiB appended and on the disk", scale, || raw(folder.path(), scale)).await?;
    let place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    all("SQLite FULL", place, folder.path(), scale).await?;
    match postgres_with(Durability::Full).await {
        Ok(url) => all("Postgres", LedgerPlace::Postgres(url), folder.path(), scale).await?,
        Err(why) => eprintln!("without Postgres: {why}"),
    }
    Ok(())
}

/// Every case on one database.
async fn all(name: &str, place: LedgerPlace, folder: &Path, scale: Scale) -> Outcome<()> {
    let tenant: Tenant = "acme".parse()?;
    let engine = Engine::open(Options {
        place,
        blobs: folder.join("blobs"),
        tenants: vec![tenant.clone()],
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance::default()),
        workers: 0,
    })
    .await?;
    let caller = Caller::local(tenant, "bench");
    let worker = NewWorker {
        name: "bench".to_owned(),
        hostname: "localhost".to_owned(),
        job_types: vec![JOB_TYPE.to_owned()],
        concurrency: 100,
    };
    let bench = Bench {
        worker: engine.work().register(worker).await?,
        engine,
        caller,
        job_types: [JOB_TYPE.to_owned()],
    };
    row(&format!("{name}: enqueue 1 by 1"), scale, || bench.enqueue(1, scale.one_by_one)).await?;
    bench.drain(100, usize::MAX).await?;
    row(&format!("{name}: enqueue, 16 callers"), scale, || bench.enqueue(16, scale.one_by_one * 4)).await?;
    bench.drain(100, usize::MAX).await?;
    row(&format!("{name}: enqueue, 1,000 a call"), scale, || bench.bulk(scale.bulk)).await?;
    for batch in [1, 10, 100] {
        let jobs = if batch == 1 { scale.drain / 2 } else { scale.drain * 4 };
        bench.bulk(jobs * (scale.repetitions + 1)).await?;
        let case = format!("{name}: claim, start, complete, {batch} at a time");
        row(&case, scale, || bench.drain(batch, jobs)).await?;
    }
    bench.engine.close().await;
    Ok(())
}

struct Bench {
    engine: Engine,
    caller: Caller,
    worker: WorkerId,
    job_types: [String; 1],
}

impl Bench {
    fn wish() -> SubmitJob {
        SubmitJob {
            job_type: JOB_TYPE.to_owned(),
            payload: json!({ "target": "pkg:deb/debian/bash@5.2.15-2", "reason": "bench" }),
            ..SubmitJob::default()
        }
    }

    /// Jobs a second with so many callers, each waiting for its answer.
    async fn enqueue(&self, callers: usize, jobs: usize) -> Outcome<f64> {
        let began = Instant::now();
        let mut tasks = Vec::new();
        for _ in 0..callers {
            let (engine, caller) = (self.engine.clone(), self.caller.clone());
            tasks.push(tokio::spawn(async move {
                for _ in 0..jobs / callers {
                    engine.jobs().submit(&caller, Self::wish()).await?;
                }
                Ok::<(), stella_engine::Error>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(rate(jobs, began.elapsed()))
    }

    /// Jobs a second when they come by the thousand.
    async fn bulk(&self, jobs: usize) -> Outcome<f64> {
        let began = Instant::now();
        for start in (0..jobs).step_by(1_000) {
            let wishes = (start..jobs.min(start + 1_000)).map(|_| Self::wish()).collect();
            self.engine.jobs().submit_many(&self.caller, wishes).await?;
        }
        Ok(rate(jobs, began.elapsed()))
    }

    /// Jobs a second from the queue to success, so many at a time; at most `jobs`, or all there are.
    async fn drain(&self, batch: usize, jobs: usize) -> Outcome<f64> {
        let (work, began, mut done) = (self.engine.work(), Instant::now(), 0);
        let mut finished: Vec<Fence> = Vec::new();
        loop {
            let wanted = batch.min(jobs.saturating_sub(done + finished.len()));
            let reports: Vec<Report> =
                finished.drain(..).map(|fence| Report { fence, outcome: Ok(Done::default()) }).collect();
            done += reports.len();
            if reports.is_empty() && wanted == 0 {
                break;
            }
            let (_, started) = work.exchange(&self.worker, reports, &self.job_types, wanted).await?;
            if started.is_empty() && (wanted > 0 || done >= jobs) {
                break;
            }
            finished.extend(started.into_iter().map(|lease| lease.fence));
        }
        Ok(rate(done, began.elapsed()))
    }
}

/// The disk alone: what one commit after the other cannot beat.
async fn raw(folder: &Path, scale: Scale) -> Outcome<f64> {
    let mut file = std::fs::File::create(folder.join("raw"))?;
    let began = Instant::now();
    for _ in 0..scale.one_by_one {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
    }
    Ok(rate(scale.one_by_one, began.elapsed()))
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
fn rate(jobs: usize, took: Duration) -> f64 {
    jobs as f64 / took.as_secs_f64()
}

/// Measures a case again and again; the first time does not count, unless it is the only one. Words of the command line
/// choose the cases whose names hold one of them.
async fn row<F: Future<Output = Outcome<f64>>>(
    case: &str,
    scale: Scale,
    measure: impl Fn() -> F,
) -> Outcome<()> {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
    if words.peek().is_some() && !words.any(|word| case.contains(&word)) {
        return Ok(());
    }
    let mut rates = Vec::new();
    for _ in 0..scale.repetitions {
        rates.push(measure().await?);
    }
    if rates.len() > 1 {
        rates.remove(0);
    }
    rates.sort_by(f64::total_cmp);
    let (median, last) = (rates[rates.len() / 2], rates[rates.len() - 1]);
    println!("| {case} | {median:.0} | {:.0} | {last:.0} |", rates[0]);
    Ok(())
}
