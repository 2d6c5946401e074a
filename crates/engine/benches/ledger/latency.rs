//! How long a job lies before an idle worker of the same process has it in hand.

use crate::Outcome;
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_contract::ids::Tenant;
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_engine::handlers::{Done, Failure, Handler, JobContext, Registry};
use stella_engine::work::Lease;
use stella_engine::{Caller, Engine, LedgerPlace, Options, SystemChance, SystemClock};
use tokio::sync::mpsc;

const JOB_TYPE: &str = "pickup";
/// A worker that has just ended one job is not idle yet.
const GAP: Duration = Duration::from_millis(5);

struct Told(mpsc::UnboundedSender<Instant>);

#[async_trait]
impl Handler for Told {
    fn job_types(&self) -> &[&str] {
        &[JOB_TYPE]
    }
    async fn run(&self, _: &JobContext, _: &Lease) -> Result<Done, Failure> {
        let listens = self.0.send(Instant::now()).is_ok();
        let alone = || Failure::new(ErrorClass::Internal, "BENCH_ENDED", "Nobody measures any more.");
        if listens { Ok(Done::default()) } else { Err(alone()) }
    }
}

/// Prints the time from the wish to the hand, for jobs that come one by one.
pub(crate) async fn pickup(name: &str, place: LedgerPlace, folder: &Path, jobs: usize) -> Outcome<()> {
    let tenant: Tenant = "acme".parse()?;
    let (tell, mut told) = mpsc::unbounded_channel();
    let options = Options {
        place,
        blobs: folder.join("blobs"),
        tenants: vec![tenant.clone()],
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance::default()),
        workers: 4,
    };
    let engine = Engine::open_with(options, Registry::default().with(Told(tell))).await?;
    let running = engine.start();
    let caller = Caller::local(tenant, "bench");
    let mut waits = Vec::with_capacity(jobs);
    for number in 0..jobs + jobs / 10 {
        tokio::time::sleep(GAP).await;
        let asked = Instant::now();
        let wish = SubmitJob { job_type: JOB_TYPE.to_owned(), ..SubmitJob::default() };
        engine.jobs().submit(&caller, wish).await?;
        let had = told.recv().await.ok_or("the worker is gone")?;
        // The first tenth does not count.
        if number >= jobs / 10 {
            waits.push(had.duration_since(asked));
        }
    }
    running.stop().await;
    engine.close().await;
    waits.sort();
    let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default().as_micros();
    println!("{name}: an idle worker has a new job in hand after {} µs (p50), {} µs (p99).", at(50), at(99));
    Ok(())
}
