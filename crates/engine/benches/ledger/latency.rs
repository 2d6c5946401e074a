//! How long a job lies before an idle worker of the same process has it in hand.

use crate::Outcome;
use crate::table::verdict_at_most;
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_contract::ids::Tenant;
use stella_contract::job::{ErrorClass, SubmitJob};
use stella_engine::handlers::{Done, Failure, Handler, JobContext, Registry};
use stella_engine::work::Lease;
use stella_engine::{Caller, Engine, LedgerPlace, Options, SystemChance, SystemClock};
use stella_ledger::testing::raw::Raw;
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

/// Prints the time from the wish to the hand, for jobs that come one by one, beside the time of one bare commit.
pub(crate) async fn pickup(
    name: &str,
    place: LedgerPlace,
    (mut raw, folder): (Raw, &Path),
    jobs: usize,
) -> Outcome<()> {
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
    let (mut waits, mut commits) = (Vec::with_capacity(jobs), Vec::with_capacity(jobs));
    for number in 0..jobs + jobs / 10 {
        tokio::time::sleep(GAP).await;
        let asked = Instant::now();
        let wish = SubmitJob { job_type: JOB_TYPE.to_owned(), ..SubmitJob::default() };
        engine.jobs().submit(&caller, wish).await?;
        let had = told.recv().await.ok_or("the worker is gone")?;
        // The first tenth does not count.
        if number >= jobs / 10 {
            waits.push(had.duration_since(asked));
            let began = Instant::now();
            raw.enqueue(1, 1).await?;
            commits.push(began.elapsed());
        }
    }
    running.stop().await;
    engine.close().await;
    raw.close().await;
    let at = |times: &mut Vec<Duration>, percent: usize| {
        times.sort();
        times.get(times.len() * percent / 100).copied().unwrap_or_default().as_secs_f64() * 1e6
    };
    let (half, most) = (at(&mut waits, 50), at(&mut waits, 99));
    let (floor, floor_most) = (at(&mut commits, 50), at(&mut commits, 99));
    let tail = if name.starts_with("SQLite") { 2.0 } else { 1.6 };
    println!(
        "{name}: an idle worker has a new job in hand after {half:.0} µs (p50; {}), {most:.0} µs (p99; {}); one bare \
         commit takes {floor:.0} and {floor_most:.0} µs.",
        verdict_at_most(half / floor, 1.3, "commits"),
        verdict_at_most(most / floor_most, tail, "commits")
    );
    Ok(())
}
