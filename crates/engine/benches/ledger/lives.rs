//! What a ledger lives through besides plain work: steady load, failures until the dead letters, and a process that is
//! killed.

use crate::Outcome;
use crate::table::verdict_at_most;
use async_trait::async_trait;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stella_contract::ids::Tenant;
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_engine::handlers::{Done, Failure, Handler, JobContext, Registry};
use stella_engine::work::{Fence, Lease, MOST_CLAIMED, NewWorker, Report};
use stella_engine::{Caller, Clock, Engine, LedgerPlace, Options, SystemChance, SystemClock, TestClock};
use stella_ledger::{LedgerError, leases};
use tokio::sync::Notify;

const JOB_TYPE: &str = "lives";
/// The word with which this program starts itself to be killed.
const TO_BE_KILLED: &str = "--to-be-killed";

fn tenant() -> Outcome<Tenant> {
    Ok("acme".parse()?)
}

fn options(place: LedgerPlace, folder: &Path, workers: usize, clock: Arc<dyn Clock>) -> Outcome<Options> {
    Ok(Options {
        place,
        blobs: folder.join("blobs"),
        tenants: vec![tenant()?],
        clock,
        chance: Arc::new(SystemChance::default()),
        workers,
    })
}

async fn submit(engine: &Engine, jobs: usize, max_attempts: Option<i32>) -> Outcome<()> {
    let caller = Caller::local(tenant()?, "bench");
    for start in (0..jobs).step_by(1_000) {
        let wish = || SubmitJob { job_type: JOB_TYPE.to_owned(), max_attempts, ..SubmitJob::default() };
        let wishes = (start..jobs.min(start + 1_000)).map(|_| wish()).collect();
        engine.jobs().submit_many(&caller, wishes).await?;
    }
    Ok(())
}

/// Counts the jobs it is given and how long each lay there.
#[derive(Default)]
struct Seen {
    waits_us: Mutex<Vec<i64>>,
    count: AtomicUsize,
    came: Notify,
}

struct Watching(Arc<Seen>);

#[async_trait]
impl Handler for Watching {
    fn job_types(&self) -> &[&str] {
        &[JOB_TYPE]
    }
    async fn run(&self, _: &JobContext, lease: &Lease) -> Result<Done, Failure> {
        let waited = SystemClock.now().0 - lease.job.created_at.0;
        self.0.waits_us.lock().unwrap_or_else(PoisonError::into_inner).push(waited);
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.came.notify_one();
        Ok(Done::default())
    }
}

impl Seen {
    async fn wait_for(&self, jobs: usize) {
        while self.count.load(Ordering::SeqCst) < jobs {
            self.came.notified().await;
        }
    }
}

/// Producers and a worker together, for so long, at seven tenths of what the worker does alone.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate"
)]
pub(crate) async fn steady(
    name: &str,
    place: LedgerPlace,
    folder: &Path,
    jobs: usize,
    span: Duration,
) -> Outcome<()> {
    let seen = Arc::new(Seen::default());
    let options = options(place, folder, 100, Arc::new(SystemClock))?;
    let engine = Engine::open_with(options, Registry::default().with(Watching(seen.clone()))).await?;
    submit(&engine, jobs, None).await?;
    let (running, began) = (engine.start(), Instant::now());
    seen.wait_for(jobs).await;
    let alone = jobs as f64 / began.elapsed().as_secs_f64();
    seen.waits_us.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let tick = Duration::from_millis(10);
    let each = (alone * 0.7 * tick.as_secs_f64()).max(1.0) as usize;
    let (mut sent, mut most, began) = (jobs, 0, Instant::now());
    let mut ticks = tokio::time::interval(tick);
    while began.elapsed() < span {
        ticks.tick().await;
        submit(&engine, each, None).await?;
        sent += each;
        most = most.max(sent - seen.count.load(Ordering::SeqCst));
    }
    let offered = (sent - jobs) as f64 / began.elapsed().as_secs_f64();
    let left = sent - seen.count.load(Ordering::SeqCst);
    seen.wait_for(sent).await;
    running.stop().await;
    engine.close().await;
    let mut waits = std::mem::take(&mut *seen.waits_us.lock().unwrap_or_else(PoisonError::into_inner));
    waits.sort_unstable();
    let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
    println!(
        "{name}: steady at {offered:.0} jobs/s ({alone:.0} alone): a job is in hand after {} µs (p50), {} µs (p99; {}); at \
         most {most} lay there, {left} at the end.",
        at(50),
        at(99),
        verdict_at_most(at(99) as f64, 10_000.0, "µs")
    );
    Ok(())
}

/// Jobs that fail three times each and then lie in the dead letters. They fail in a way that no breaker counts: one
/// that opens lets a few probes through at a time, as it is meant to, and what is measured would be its pace.
#[expect(clippy::cast_precision_loss, reason = "a share")]
pub(crate) async fn retry_dead(name: &str, place: LedgerPlace, folder: &Path, jobs: usize) -> Outcome<()> {
    const ATTEMPTS: i32 = 3;
    let clock = Arc::new(TestClock::default());
    let engine = Engine::open_with(options(place, folder, 0, clock.clone())?, Registry::default()).await?;
    let worker = NewWorker {
        name: "bench".to_owned(),
        hostname: "localhost".to_owned(),
        job_types: vec![JOB_TYPE.to_owned()],
        concurrency: 100,
    };
    let (worker, types) = (engine.work().register(worker).await?, [JOB_TYPE.to_owned()]);
    submit(&engine, jobs, Some(ATTEMPTS)).await?;
    let (mut fences, mut attempts): (Vec<Fence>, usize) = (Vec::new(), 0);
    let (before, began) = (engine.ledger().commits(), Instant::now());
    while attempts < jobs * ATTEMPTS.unsigned_abs() as usize {
        let failure = || Failure::new(ErrorClass::UpstreamThrottle, "BENCH_BUSY", "The far side is busy.");
        let reports: Vec<Report> =
            fences.drain(..).map(|fence| Report { fence, outcome: Err(failure()) }).collect();
        attempts += reports.len();
        let (_, started) = engine.work().exchange(&worker, reports, &types, 100).await?;
        if started.is_empty() {
            // The next attempts are an hour away, at most.
            clock.advance_ms(3_600_000);
            engine.run_until_idle().await?;
        }
        fences.extend(started.into_iter().map(|lease| lease.fence));
    }
    let commits = (engine.ledger().commits() - before) as f64 / attempts as f64;
    let rate = attempts as f64 / began.elapsed().as_secs_f64();
    engine.close().await;
    println!(
        "{name}: failed {ATTEMPTS} times and dead: {rate:.0} attempts/s, {commits:.3} commits an attempt ({}).",
        verdict_at_most(commits, 0.03, "commits")
    );
    Ok(())
}

/// Whether this process was started to be killed; if so, it takes jobs and waits for that.
pub(crate) async fn is_to_be_killed() -> Outcome<bool> {
    let words: Vec<String> = std::env::args().collect();
    let [_, first, folder, waiting, held, ..] = words.as_slice() else { return Ok(false) };
    if first != TO_BE_KILLED {
        return Ok(false);
    }
    let (folder, waiting, held): (&Path, usize, usize) = (Path::new(folder), waiting.parse()?, held.parse()?);
    let place = LedgerPlace::Sqlite(folder.join("killed.db"));
    let options = options(place, folder, 0, Arc::new(SystemClock))?;
    let engine = Engine::open_with(options, Registry::default()).await?;
    // The name of the worker of a process, which the next process takes over from.
    let worker = NewWorker {
        name: "local".to_owned(),
        hostname: "localhost".to_owned(),
        job_types: vec![JOB_TYPE.to_owned()],
        concurrency: i32::try_from(held)?,
    };
    let (worker, types) = (engine.work().register(worker).await?, [JOB_TYPE.to_owned()]);
    submit(&engine, waiting + held, None).await?;
    let mut has = 0;
    while has < held {
        has += engine.work().claim(&worker, &types, MOST_CLAIMED.min(held - has)).await?.len();
    }
    println!("ready");
    std::io::stdout().flush()?;
    std::future::pending::<()>().await;
    Ok(true)
}

/// Another process is killed with jobs in hand; how soon this one works, and has taken all of them back.
pub(crate) async fn recovery(name: &str, folder: &Path, waiting: usize, held: usize) -> Outcome<()> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(TO_BE_KILLED)
        .arg(folder)
        .args([waiting.to_string(), held.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let said = child.stdout.take().ok_or("it was asked for above")?;
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    child.kill()?;
    child.wait()?;
    if line.trim() != "ready" {
        return Err("the process that was to be killed did not come so far".into());
    }
    let (seen, began) = (Arc::new(Seen::default()), Instant::now());
    let place = LedgerPlace::Sqlite(folder.join("killed.db"));
    let options = options(place, folder, 100, Arc::new(SystemClock))?;
    let engine = Engine::open_with(options, Registry::default().with(Watching(seen.clone()))).await?;
    let opened = began.elapsed();
    let running = engine.start();
    seen.wait_for(1).await;
    let first = began.elapsed();
    let most = i64::try_from(held)?;
    while overdue(&engine, most).await? > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let all = began.elapsed();
    running.stop().await;
    engine.close().await;
    println!(
        "{name}: after a kill with {held} jobs in hand and {waiting} waiting the ledger is open in {} ms, the first job \
         is in hand after {} ms ({}), all are taken back after {} ms.",
        opened.as_millis(),
        first.as_millis(),
        verdict_at_most((first - opened).as_secs_f64() * 1_000.0, 100.0, "ms after the opening"),
        all.as_millis()
    );
    Ok(())
}

/// Jobs that nobody alive holds and that were not taken back yet.
async fn overdue(engine: &Engine, most: i64) -> Outcome<usize> {
    let now = engine.now();
    let found = engine
        .ledger()
        .read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { leases::overdue(tx, now, now, most).await })
        })
        .await?;
    Ok(found.len())
}
