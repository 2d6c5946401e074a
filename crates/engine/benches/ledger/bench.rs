//! An engine that is measured: jobs go in and are worked off.

use crate::Outcome;
use crate::table::Cost;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use stella_contract::ids::{Tenant, WorkerId};
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_engine::handlers::{Done, Failure};
use stella_engine::work::{Fence, NewWorker, Report};
use stella_engine::{Caller, Engine, LedgerPlace, Options, SystemChance, SystemClock};
use stella_ledger::testing::raw::log_bytes;

const JOB_TYPE: &str = "bench";

/// The engine and who uses it.
pub(crate) struct Bench {
    engine: Engine,
    caller: Caller,
    worker: WorkerId,
    job_types: [String; 1],
    /// Where a Postgres is, to ask it what it wrote.
    url: Option<String>,
}

impl Bench {
    /// Opens a new ledger there.
    pub(crate) async fn open(place: LedgerPlace, folder: &Path) -> Outcome<Self> {
        let tenant: Tenant = "acme".parse()?;
        let url = match &place {
            LedgerPlace::Sqlite(_) => None,
            LedgerPlace::Postgres(url) => Some(url.clone()),
        };
        let engine = Engine::open(Options {
            place,
            blobs: folder.join("blobs"),
            tenants: vec![tenant.clone()],
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance::default()),
            workers: 0,
        })
        .await?;
        let worker = NewWorker {
            name: "bench".to_owned(),
            hostname: "localhost".to_owned(),
            job_types: vec![JOB_TYPE.to_owned()],
            concurrency: 100,
        };
        Ok(Self {
            worker: engine.work().register(worker).await?,
            engine,
            caller: Caller::local(tenant, "bench"),
            job_types: [JOB_TYPE.to_owned()],
            url,
        })
    }

    fn wish() -> SubmitJob {
        SubmitJob {
            job_type: JOB_TYPE.to_owned(),
            payload: json!({ "target": "pkg:deb/debian/bash@5.2.15-2", "reason": "bench" }),
            ..SubmitJob::default()
        }
    }

    /// Puts jobs in through so many callers, each waiting for its answer.
    pub(crate) async fn enqueue(&self, callers: usize, jobs: usize) -> Outcome<()> {
        let mut tasks = Vec::new();
        for at in 0..callers {
            let (engine, caller) = (self.engine.clone(), self.caller.clone());
            let own = jobs / callers + usize::from(at < jobs % callers);
            tasks.push(tokio::spawn(async move {
                for _ in 0..own {
                    engine.jobs().submit(&caller, Self::wish()).await?;
                }
                Ok::<(), stella_engine::Error>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    }

    /// Puts jobs in by the thousand.
    pub(crate) async fn bulk(&self, jobs: usize) -> Outcome<()> {
        self.many(jobs, Self::wish).await
    }

    /// Puts jobs in that lie there: ready, or not before tomorrow.
    pub(crate) async fn fill(&self, jobs: usize, is_due: bool) -> Outcome<()> {
        let tomorrow = self.engine.now().plus_ms(24 * 3_600_000);
        let not_before = (!is_due).then_some(tomorrow);
        self.many(jobs, || SubmitJob { not_before, ..Self::wish() }).await
    }

    async fn many(&self, jobs: usize, wish: impl Fn() -> SubmitJob) -> Outcome<()> {
        for start in (0..jobs).step_by(1_000) {
            let wishes = (start..jobs.min(start + 1_000)).map(|_| wish()).collect();
            self.engine.jobs().submit_many(&self.caller, wishes).await?;
        }
        Ok(())
    }

    /// Works jobs off, so many at a time; at most `jobs`, or all there are.
    pub(crate) async fn drain(&self, batch: usize, jobs: usize) -> Outcome<()> {
        self.work_off(batch, jobs, || Ok(Done::default())).await
    }

    /// The same with jobs that fail for good, all from one cause.
    pub(crate) async fn fail(&self, batch: usize, jobs: usize) -> Outcome<()> {
        let failure = || {
            let failure =
                Failure::new(ErrorClass::ParseError, "BENCH_BROKEN", "The advisory at line 12 is cut off.");
            Err(Failure { is_final: true, ..failure })
        };
        self.work_off(batch, jobs, failure).await
    }

    async fn work_off(
        &self,
        batch: usize,
        jobs: usize,
        outcome: impl Fn() -> Result<Done, Failure>,
    ) -> Outcome<()> {
        let (work, mut done) = (self.engine.work(), 0);
        let mut finished: Vec<Fence> = Vec::new();
        loop {
            let wanted = batch.min(jobs.saturating_sub(done + finished.len()));
            let reports: Vec<Report> =
                finished.drain(..).map(|fence| Report { fence, outcome: outcome() }).collect();
            done += reports.len();
            if reports.is_empty() && wanted == 0 {
                return Ok(());
            }
            let (_, started) = work.exchange(&self.worker, reports, &self.job_types, wanted).await?;
            if started.is_empty() && (wanted > 0 || done >= jobs) {
                return Ok(());
            }
            finished.extend(started.into_iter().map(|lease| lease.fence));
        }
    }

    /// What was spent so far.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    pub(crate) async fn cost(&self) -> Outcome<Cost> {
        let bytes = match &self.url {
            Some(url) => log_bytes(url).await? as f64,
            None => written()?,
        };
        Ok(Cost { commits: self.engine.ledger().commits() as f64, bytes, cpu_us: cpu_us()? })
    }

    /// Closes the ledger.
    pub(crate) async fn close(&self) {
        self.engine.close().await;
    }
}

/// Bytes that this process gave to the system so far.
fn written() -> Outcome<f64> {
    let text = std::fs::read_to_string("/proc/self/io")?;
    let line = text.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap_or("0");
    Ok(line.trim().parse()?)
}

/// Time of this process on a processor so far; the system counts it in hundredths of a second.
fn cpu_us() -> Outcome<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold blanks.
    let rest = text.rsplit(')').next().unwrap_or_default();
    let mut ticks = 0.0;
    for field in rest.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks * 10_000.0)
}
