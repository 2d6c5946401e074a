//! How many jobs a second the core takes in and works off, with its whole book-keeping: history, hash chain and feed.
//!
//! `cargo bench -p stella-engine --bench ledger` measures SQLite (`synchronous=FULL`) and, where its server is
//! installed, a Postgres with its own durability. Beside each case stands its limit: the same database and driver with
//! one narrow table and nothing else, measured in turns with it. Without `--bench` each measurement is done once and
//! small. Words choose the cases whose names hold one of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod bench;
mod latency;
mod table;

use bench::Bench;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use stella_engine::LedgerPlace;
use stella_ledger::testing::raw::Raw;
use stella_ledger::testing::{Durability, postgres_with};
use table::{Cost, Row, median};

/// The allocator of the program that is delivered.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much is measured.
#[derive(Clone, Copy)]
struct Scale {
    repetitions: usize,
    one_by_one: usize,
    bulk: usize,
    drain: usize,
    backlog: usize,
}

const FULL: Scale =
    Scale { repetitions: 6, one_by_one: 1_000, bulk: 10_000, drain: 1_000, backlog: 1_000_000 };
/// So that the program cannot rot.
const ONCE: Scale = Scale { repetitions: 1, one_by_one: 20, bulk: 1_000, drain: 100, backlog: 1_000 };

#[tokio::main]
async fn main() -> Outcome<()> {
    let scale = if std::env::args().any(|word| word == "--bench") { FULL } else { ONCE };
    let folder = tempfile::tempdir()?;
    println!("{:.0} appends of 4 KiB a second reach this disk.\n", appends(folder.path(), scale)?);
    table::head();
    let sqlite = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    let raw = LedgerPlace::Sqlite(folder.path().join("raw.db"));
    all("SQLite FULL", sqlite, raw, folder.path(), scale).await?;
    let pickup = is_wanted("pickup");
    if pickup {
        let place = LedgerPlace::Sqlite(folder.path().join("pickup.db"));
        latency::pickup("SQLite FULL", place, folder.path(), scale.one_by_one / 2).await?;
    }
    match postgres_with(Durability::Full).await {
        Ok(url) => {
            let place = LedgerPlace::Postgres(url);
            all("Postgres", place.clone(), place, folder.path(), scale).await?;
            if pickup {
                let place = LedgerPlace::Postgres(postgres_with(Durability::Full).await?);
                latency::pickup("Postgres", place, folder.path(), scale.one_by_one / 2).await?;
            }
        }
        Err(why) => eprintln!("without Postgres: {why}"),
    }
    Ok(())
}

/// Every case on one database.
async fn all(name: &str, place: LedgerPlace, raw: LedgerPlace, folder: &Path, scale: Scale) -> Outcome<()> {
    let bench = Bench::open(place, folder).await?;
    let mut raw = Raw::make(&raw).await?;
    for callers in [1, 16, 64, 256] {
        let jobs = if callers == 1 { scale.one_by_one } else { scale.one_by_one * 4 }.max(callers);
        let case = format!("{name}: enqueue, {callers} callers");
        in_turns(&case, scale, &bench, &mut raw, Work::Enqueue { callers, jobs }).await?;
        bench.drain(100, usize::MAX).await?;
    }
    let bulk = Work::Bulk { jobs: scale.bulk };
    in_turns(&format!("{name}: enqueue, 1,000 a call"), scale, &bench, &mut raw, bulk).await?;
    bench.drain(100, usize::MAX).await?;
    for batch in [1, 10, 100] {
        let jobs = if batch == 1 { scale.drain / 2 } else { scale.drain * 4 };
        let case = format!("{name}: drain, {batch} at a time");
        in_turns(&case, scale, &bench, &mut raw, Work::Drain { batch, jobs }).await?;
    }
    for (case, is_due) in [("waiting", true), ("not due yet", false)] {
        let case = format!("{name}: drain, 100 at a time, with {} {case}", scale.backlog);
        if !is_wanted(&case) {
            continue;
        }
        bench.fill(scale.backlog, is_due).await?;
        let jobs = scale.drain * 4;
        in_turns(&case, scale, &bench, &mut raw, Work::Drain { batch: 100, jobs }).await?;
    }
    let dead = Work::Fail { batch: 100, jobs: scale.drain * 4 };
    in_turns(&format!("{name}: fail into the dead letters, 100 at a time"), scale, &bench, &mut raw, dead)
        .await?;
    bench.close().await;
    raw.close().await;
    Ok(())
}

/// One case.
#[derive(Clone, Copy)]
enum Work {
    /// So many callers, each waiting for its answer.
    Enqueue { callers: usize, jobs: usize },
    /// A thousand in each call.
    Bulk { jobs: usize },
    /// From the queue to success, so many at a time.
    Drain { batch: usize, jobs: usize },
    /// From the queue into the dead letters, so many at a time; the limit only ends them.
    Fail { batch: usize, jobs: usize },
}

/// Whether the command line asks for this case.
fn is_wanted(case: &str) -> bool {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
    words.peek().is_none() || words.any(|word| case.contains(&word))
}

/// Measures a case and its limit in turns; the first time does not count, unless it is the only one.
async fn in_turns(case: &str, scale: Scale, bench: &Bench, raw: &mut Raw, work: Work) -> Outcome<()> {
    if !is_wanted(case) {
        return Ok(());
    }
    let (mut rates, mut limits, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.repetitions {
        prepare(bench, raw, work).await?;
        let (jobs, before, began) = (jobs_of(work), bench.cost().await?, Instant::now());
        ours(bench, work).await?;
        rates.push(table::rate(jobs, began.elapsed()));
        costs.push(bench.cost().await?.since(&before).of(jobs));
        let began = Instant::now();
        limit(raw, work).await?;
        limits.push(table::rate(jobs, began.elapsed()));
    }
    for figures in [&mut rates, &mut limits] {
        if figures.len() > 1 {
            figures.remove(0);
        }
    }
    table::row(&Row { case, rates: &rates, limit: median(&limits), cost: Cost::middle(&costs) });
    Ok(())
}

const fn jobs_of(work: Work) -> usize {
    match work {
        Work::Enqueue { jobs, .. }
        | Work::Bulk { jobs }
        | Work::Drain { jobs, .. }
        | Work::Fail { jobs, .. } => jobs,
    }
}

/// Puts in what is to be drained.
async fn prepare(bench: &Bench, raw: &mut Raw, work: Work) -> Outcome<()> {
    match work {
        Work::Enqueue { .. } | Work::Bulk { .. } => {}
        Work::Drain { jobs, .. } | Work::Fail { jobs, .. } => {
            bench.bulk(jobs).await?;
            raw.enqueue(jobs, 1_000).await?;
        }
    }
    Ok(())
}

async fn ours(bench: &Bench, work: Work) -> Outcome<()> {
    match work {
        Work::Enqueue { callers, jobs } => bench.enqueue(callers, jobs).await,
        Work::Bulk { jobs } => bench.bulk(jobs).await,
        Work::Drain { batch, jobs } => bench.drain(batch, jobs).await,
        Work::Fail { batch, jobs } => bench.fail(batch, jobs).await,
    }
}

async fn limit(raw: &mut Raw, work: Work) -> Outcome<()> {
    match work {
        Work::Enqueue { callers, jobs } => raw.enqueue(jobs, callers).await?,
        Work::Bulk { jobs } => raw.enqueue(jobs, 1_000).await?,
        Work::Drain { batch, jobs } | Work::Fail { batch, jobs } => raw.drain(jobs, batch).await?,
    }
    Ok(())
}

/// The disk alone: what one commit after the other cannot beat.
fn appends(folder: &Path, scale: Scale) -> Outcome<f64> {
    let mut file = std::fs::File::create(folder.join("raw"))?;
    let began = Instant::now();
    for _ in 0..scale.one_by_one {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
    }
    Ok(table::rate(scale.one_by_one, began.elapsed()))
}
