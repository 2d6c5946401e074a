//! How many jobs a second the core takes in and works off, with its whole book-keeping: history, hash chain and feed.
//!
//! `cargo bench -p stella-engine --bench ledger` measures SQLite (`synchronous=FULL`) and, where its server is
//! installed, a Postgres with its own durability. Beside each case stand, measured in turns with it, its limit: the same
//! database and driver with one narrow table and nothing else; and the same writes bare: plain statements that leave the
//! very rows a job leaves, history, feed and all, so that what our rules cost can be told from what is kept. Without `--bench` each measurement is done once and
//! small. Words choose the cases whose names hold one of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod bench;
mod latency;
mod lives;
mod table;

use bench::Bench;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use stella_engine::LedgerPlace;
use stella_ledger::testing::bare::Bare;
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
    span: Duration,
}

const FULL: Scale = Scale {
    repetitions: 6,
    one_by_one: 1_000,
    bulk: 10_000,
    drain: 1_000,
    backlog: 1_000_000,
    span: Duration::from_secs(20),
};
/// So that the program cannot rot.
const ONCE: Scale = Scale {
    repetitions: 1,
    one_by_one: 20,
    bulk: 1_000,
    drain: 100,
    backlog: 1_000,
    span: Duration::from_millis(200),
};

#[tokio::main]
async fn main() -> Outcome<()> {
    if lives::is_to_be_killed().await? {
        return Ok(());
    }
    let scale = if std::env::args().any(|word| word == "--bench") { FULL } else { ONCE };
    let folder = tempfile::tempdir()?;
    println!("{:.0} appends of 4 KiB a second reach this disk.\n", appends(folder.path(), scale)?);
    table::head();
    let sqlite = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    let raw = LedgerPlace::Sqlite(folder.path().join("raw.db"));
    let bare = LedgerPlace::Sqlite(folder.path().join("bare.db"));
    all("SQLite FULL", sqlite, Beside::make(&raw, &bare).await?, folder.path(), scale).await?;
    let pickup = is_wanted("pickup");
    if pickup {
        let place = LedgerPlace::Sqlite(folder.path().join("pickup.db"));
        let raw = Raw::make(&LedgerPlace::Sqlite(folder.path().join("pickup-raw.db"))).await?;
        latency::pickup("SQLite FULL", place, (raw, folder.path()), scale.one_by_one / 2).await?;
    }
    let new = |name: &str| LedgerPlace::Sqlite(folder.path().join(name));
    if is_wanted("steady") {
        lives::steady("SQLite FULL", new("steady.db"), folder.path(), scale.drain * 4, scale.span).await?;
    }
    if is_wanted("retry_dead") {
        lives::retry_dead("SQLite FULL", new("dead.db"), folder.path(), scale.drain * 4).await?;
    }
    if is_wanted("recovery") {
        let (waiting, held) = (scale.drain * 100, scale.drain * 10);
        lives::recovery("SQLite FULL", folder.path(), waiting, held).await?;
    }
    match postgres_with(Durability::Full).await {
        Ok(url) => {
            let place = LedgerPlace::Postgres(url);
            let bare = LedgerPlace::Postgres(postgres_with(Durability::Full).await?);
            let beside = Beside::make(&place, &bare).await?;
            all("Postgres", place, beside, folder.path(), scale).await?;
            if pickup {
                let place = LedgerPlace::Postgres(postgres_with(Durability::Full).await?);
                let raw = Raw::make(&place).await?;
                latency::pickup("Postgres", place, (raw, folder.path()), scale.one_by_one / 2).await?;
            }
            if is_wanted("steady") {
                let place = LedgerPlace::Postgres(postgres_with(Durability::Full).await?);
                lives::steady("Postgres", place, folder.path(), scale.drain * 4, scale.span).await?;
            }
            if is_wanted("retry_dead") {
                let place = LedgerPlace::Postgres(postgres_with(Durability::Full).await?);
                lives::retry_dead("Postgres", place, folder.path(), scale.drain * 4).await?;
            }
        }
        Err(why) => eprintln!("without Postgres: {why}"),
    }
    Ok(())
}

/// What our cases are measured beside.
struct Beside {
    raw: Raw,
    bare: Bare,
}

impl Beside {
    async fn make(raw: &LedgerPlace, bare: &LedgerPlace) -> Outcome<Self> {
        Ok(Self { raw: Raw::make(raw).await?, bare: Bare::make(bare).await? })
    }
}

/// Every case on one database.
#[expect(clippy::cast_precision_loss, reason = "megabytes")]
async fn all(name: &str, place: LedgerPlace, mut beside: Beside, folder: &Path, scale: Scale) -> Outcome<()> {
    let bench = Bench::open(place, folder).await?;
    for callers in [1, 16, 64, 256] {
        let jobs = if callers == 1 { scale.one_by_one } else { scale.one_by_one * 4 }.max(callers);
        let case = format!("{name}: enqueue, {callers} callers");
        in_turns(&case, scale, &bench, &mut beside, Work::Enqueue { callers, jobs }).await?;
        bench.drain(100, usize::MAX).await?;
    }
    let bulk = Work::Bulk { jobs: scale.bulk };
    in_turns(&format!("{name}: enqueue, 1,000 a call"), scale, &bench, &mut beside, bulk).await?;
    bench.drain(100, usize::MAX).await?;
    let mut alone = None;
    for batch in [1, 10, 100] {
        let jobs = if batch == 1 { scale.drain / 2 } else { scale.drain * 4 };
        let case = format!("{name}: drain, {batch} at a time");
        alone = in_turns(&case, scale, &bench, &mut beside, Work::Drain { batch, jobs }).await?;
    }
    for (case, is_due) in [("waiting", true), ("not due yet", false)] {
        let (words, case) = (case, format!("{name}: drain, 100 at a time, with {} {case}", scale.backlog));
        if !is_wanted(&case) {
            continue;
        }
        let before = resident()?;
        bench.fill(scale.backlog, is_due).await?;
        let more = resident()?.saturating_sub(before);
        println!(
            "{name}: {} jobs {words} take {more} MiB of this process's memory ({}).",
            scale.backlog,
            table::verdict_at_most(more as f64, 40.0, "MiB")
        );
        let jobs = scale.drain * 4;
        let deep = in_turns(&case, scale, &bench, &mut beside, Work::Drain { batch: 100, jobs }).await?;
        if let (Some(alone), Some(deep)) = (alone, deep) {
            let share = deep / alone;
            println!("{case}: {share:.2} of the rate without them; {}.", table::verdict(share, Some(0.85)));
        }
    }
    let dead = Work::Fail { batch: 100, jobs: scale.drain * 4 };
    in_turns(&format!("{name}: fail into the dead letters, 100 at a time"), scale, &bench, &mut beside, dead)
        .await?;
    bench.close().await;
    beside.raw.close().await;
    beside.bare.close().await;
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

/// Measures a case, its limit and the same writes bare in turns; the first time does not count, unless it is the only
/// one.
async fn in_turns(
    case: &str,
    scale: Scale,
    bench: &Bench,
    beside: &mut Beside,
    work: Work,
) -> Outcome<Option<f64>> {
    if !is_wanted(case) {
        return Ok(None);
    }
    let (mut rates, mut limits, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    let (mut costs, mut bare_costs) = (Vec::new(), Vec::new());
    for _ in 0..scale.repetitions {
        prepare(bench, beside, work).await?;
        let (jobs, before, began) = (jobs_of(work), bench.cost().await?, Instant::now());
        ours(bench, work).await?;
        rates.push(table::rate(jobs, began.elapsed()));
        costs.push(bench.cost().await?.since(&before).of(jobs));
        let began = Instant::now();
        limit(&mut beside.raw, work).await?;
        limits.push(table::rate(jobs, began.elapsed()));
        let (before, began) = (bench.cost().await?, Instant::now());
        plain(&mut beside.bare, work).await?;
        bare.push(table::rate(jobs, began.elapsed()));
        bare_costs.push(bench.cost().await?.since(&before).of(jobs).cpu_us);
    }
    for figures in [&mut rates, &mut limits, &mut bare, &mut bare_costs] {
        if figures.len() > 1 {
            figures.remove(0);
        }
    }
    table::row(&Row {
        case,
        rates: &rates,
        limit: median(&limits),
        bare: median(&bare),
        cost: Cost::middle(&costs),
        bare_cpu_us: median(&bare_costs),
        aim: aim_of(case, work),
    });
    Ok(Some(median(&rates)))
}

/// The share of the limit that each case is to reach.
fn aim_of(case: &str, work: Work) -> Option<f64> {
    let of = |sqlite, postgres| Some(if case.starts_with("SQLite") { sqlite } else { postgres });
    match work {
        Work::Enqueue { callers: 1, .. } => of(0.75, 0.90),
        Work::Enqueue { callers: 16, .. } => of(0.60, 0.70),
        Work::Enqueue { .. } => of(0.60, 0.60),
        Work::Bulk { .. } => of(0.65, 0.60),
        Work::Drain { batch: 1, .. } => of(0.80, 0.80),
        Work::Drain { batch: 100, .. } => of(0.40, 0.70),
        Work::Drain { .. } | Work::Fail { .. } => None,
    }
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
async fn prepare(bench: &Bench, beside: &mut Beside, work: Work) -> Outcome<()> {
    match work {
        Work::Enqueue { .. } | Work::Bulk { .. } => {}
        Work::Drain { jobs, .. } | Work::Fail { jobs, .. } => {
            bench.bulk(jobs).await?;
            beside.raw.enqueue(jobs, 1_000).await?;
            beside.bare.enqueue(jobs, 1_000).await?;
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

async fn plain(bare: &mut Bare, work: Work) -> Outcome<()> {
    match work {
        Work::Enqueue { callers, jobs } => bare.enqueue(jobs, callers).await?,
        Work::Bulk { jobs } => bare.enqueue(jobs, 1_000).await?,
        Work::Drain { batch, jobs } | Work::Fail { batch, jobs } => bare.drain(jobs, batch).await?,
    }
    Ok(())
}

/// MiB of memory that this process has.
fn resident() -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1_024)
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
