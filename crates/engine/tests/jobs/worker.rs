//! The worker of the process.

use crate::support::World;
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, JobFilter, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::worker::WorkerState;
use stella_engine::handlers::{Done, Failure, Handler, JobContext, Registry};
use stella_engine::work::Lease;
use stella_engine::workers::WorkerVerb;
use tokio::sync::mpsc;

/// Does as the payload says.
struct Obedient;

#[async_trait]
impl Handler for Obedient {
    fn job_types(&self) -> &[&str] {
        &["obedient"]
    }
    async fn run(&self, ctx: &JobContext, lease: &Lease) -> Result<Done, Failure> {
        ctx.progress(1, 2, "half");
        match lease.payload["do"].as_str() {
            Some("panic") => panic!("as it was told"),
            Some("fail") => Err(Failure::new(ErrorClass::Validation, "TOLD", "As it was told.")),
            _ => Ok(Done { result: json!({ "done": lease.payload["n"] }), ..Done::default() }),
        }
    }
}

fn told(world: &World, what: &str, n: usize) -> SubmitJob {
    SubmitJob { job_type: "obedient".to_owned(), payload: json!({ "do": what, "n": n }), ..world.wish() }
}

pub(crate) async fn the_worker_does_what_it_can_and_reports_it(world: World) {
    let world = world.with(Registry::default().with(Obedient)).await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.submit(told(&world, "well", n)).await.job_id);
    }
    let bad = world.submit(told(&world, "fail", 0)).await;
    let foreign = world.submitted().await;
    world.engine.run_until_idle().await.unwrap();
    for (n, id) in ids.iter().enumerate() {
        let detail = world.detail(id).await;
        assert_eq!((detail.job.state, detail.result), (JobState::Succeeded, Some(json!({ "done": n }))));
    }
    let bad = world.job(&bad.job_id).await;
    assert_eq!((bad.state, bad.error_code.as_deref()), (JobState::Failed, Some("TOLD")));
    assert_eq!(world.state(&foreign.job_id).await, JobState::Queued);
    let workers = world.engine.workers().list(&world.caller, &PageQuery::default()).await.unwrap().items;
    assert!(workers.iter().any(|worker| worker.name == "local" && worker.state == WorkerState::Online));
    assert!(workers.iter().all(|worker| worker.in_flight == 0));
    world.assert_chain().await;
}

pub(crate) async fn a_worker_of_the_process_that_is_to_rest_takes_nothing_until_it_is_resumed(world: World) {
    let job = world.submit(world.wish()).await;
    let types = [job.job_type.clone()];
    let (work, workers) = (world.engine.work(), world.engine.workers());
    for verb in [WorkerVerb::Drain, WorkerVerb::Quarantine] {
        workers.apply(&world.caller, verb, &world.worker).await.unwrap();
        let (_, started) = work.exchange(&world.worker, Vec::new(), &types, 4).await.unwrap();
        let claimed = work.claim(&world.worker, &types, 4).await.unwrap();
        assert!(started.is_empty() && claimed.is_empty(), "it took a job after {verb:?}");
        assert_eq!(world.state(&job.job_id).await, JobState::Queued);
    }
    workers.apply(&world.caller, WorkerVerb::Resume, &world.worker).await.unwrap();
    let (_, started) = work.exchange(&world.worker, Vec::new(), &types, 4).await.unwrap();
    assert_eq!(started.len(), 1);
}

pub(crate) async fn a_handler_that_panics_is_a_failed_attempt(world: World) {
    let world = world.with(Registry::default().with(Obedient)).await;
    let job = world.submit(told(&world, "panic", 0)).await;
    world.engine.run_until_idle().await.unwrap();
    let job = world.job(&job.job_id).await;
    assert_eq!((job.state, job.error_code.as_deref()), (JobState::Failed, Some("PANICKED")));
}

/// Waits until nothing is open, woken by the feed.
async fn settled(world: &World) {
    let mut feed = world.engine.bus().feed();
    loop {
        feed.mark_unchanged();
        let query = PageQuery { page_token: None, page_size: Some(500) };
        let jobs = world.engine.jobs().list(&world.caller, &JobFilter::default(), &query).await.unwrap();
        if jobs.items.iter().all(|job| job.state.is_final()) {
            return;
        }
        feed.changed().await.unwrap();
    }
}

pub(crate) async fn a_running_worker_takes_new_jobs_and_ends_when_it_is_stopped(world: World) {
    let world = world.with(Registry::default().with(Obedient)).await;
    let running = world.engine.start();
    for n in 0..60 {
        world.submit(told(&world, "well", n)).await;
    }
    settled(&world).await;
    running.stop().await;
    let job = world.submit(told(&world, "well", 0)).await;
    assert_eq!(world.state(&job.job_id).await, JobState::Queued);
    let workers = world.engine.workers().list(&world.caller, &PageQuery::default()).await.unwrap().items;
    assert!(workers.iter().any(|worker| worker.state == WorkerState::Draining));
}

/// Never ends by itself; says when it began and when it was dropped.
struct Stuck {
    said: mpsc::UnboundedSender<(&'static str, JobId)>,
    asked: Arc<AtomicBool>,
}

struct Dropped(mpsc::UnboundedSender<(&'static str, JobId)>, JobId);

impl Drop for Dropped {
    fn drop(&mut self) {
        drop(self.0.send(("dropped", self.1.clone())));
    }
}

#[async_trait]
impl Handler for Stuck {
    fn job_types(&self) -> &[&str] {
        &["stuck"]
    }
    async fn run(&self, ctx: &JobContext, lease: &Lease) -> Result<Done, Failure> {
        let id = lease.job.job_id.clone();
        let _dropped = Dropped(self.said.clone(), id.clone());
        drop(self.said.send(("began", id.clone())));
        ctx.cancel.cancelled().await;
        self.asked.store(true, Ordering::SeqCst);
        drop(self.said.send(("asked", id)));
        std::future::pending().await
    }
}

pub(crate) async fn a_lost_lease_drops_the_work(world: World) {
    let (said, mut hear) = mpsc::unbounded_channel();
    let asked = Arc::new(AtomicBool::new(false));
    let world = world.with(Registry::default().with(Stuck { said, asked: asked.clone() })).await;
    let running = world.engine.start();
    let wish = SubmitJob { job_type: "stuck".to_owned(), ..world.wish() };
    let id = world.submit(wish).await.job_id;
    assert_eq!(hear.recv().await, Some(("began", id.clone())));
    world.engine.jobs().cancel(&world.caller, &id).await.unwrap();
    // Heartbeats come every third of a lease; the first one tells the handler, a later one finds the lease gone.
    let mut heard = Vec::new();
    while heard.last() != Some(&"dropped") {
        world.clock.advance_ms(5_000);
        match hear.try_recv() {
            Ok((what, _)) => heard.push(what),
            Err(_) => tokio::task::yield_now().await,
        }
    }
    assert_eq!(heard, ["asked", "dropped"]);
    assert!(asked.load(Ordering::SeqCst));
    settled(&world).await;
    assert_eq!(world.state(&id).await, JobState::Cancelled);
    running.stop().await;
}
