//! An engine on a fresh ledger with a clock that stands still, and a worker to speak for.

use std::sync::Arc;
use stella_contract::history::HistoryEntry;
use stella_contract::ids::{JobId, WorkerId};
use stella_contract::job::{ErrorClass, Job, JobDetail, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::time::Micros;
use stella_engine::handlers::{Done, Failure, Registry};
use stella_engine::work::{Fence, Lease, NewWorker};
use stella_engine::{Caller, Clock, Engine, Error, LedgerPlace, Options, SeededChance, TestClock};

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) caller: Caller,
    pub(crate) worker: WorkerId,
    pub(crate) options: Options,
    _folder: tempfile::TempDir,
}

pub(crate) async fn sqlite() -> World {
    let folder = tempfile::tempdir().unwrap();
    let place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    open(place, folder, Registry::default()).await
}

pub(crate) async fn postgres() -> World {
    let url = stella_ledger::testing::postgres().await.unwrap_or_else(|why| panic!("{why}"));
    open(LedgerPlace::Postgres(url), tempfile::tempdir().unwrap(), Registry::default()).await
}

async fn open(place: LedgerPlace, folder: tempfile::TempDir, registry: Registry) -> World {
    let clock = Arc::new(TestClock::default());
    let options = Options {
        place,
        blobs: folder.path().join("blobs"),
        tenants: vec!["acme".parse().unwrap()],
        clock: clock.clone(),
        chance: Arc::new(SeededChance::new(11)),
        workers: 2,
    };
    let engine = Engine::open_with(options.clone(), registry).await.unwrap();
    let worker = engine.work().register(new_worker("one")).await.unwrap();
    let caller = Caller::local("acme".parse().unwrap(), "ada").because("a test", Some("OPS-1"));
    World { engine, clock, caller, worker, options, _folder: folder }
}

pub(crate) fn new_worker(name: &str) -> NewWorker {
    NewWorker {
        name: name.to_owned(),
        hostname: "h".to_owned(),
        job_types: vec!["exam".to_owned()],
        concurrency: 4,
    }
}

impl World {
    /// The same ledger with handlers.
    pub(crate) async fn with(self, registry: Registry) -> Self {
        let Self { engine, clock, caller, worker, options, _folder } = self;
        engine.close().await;
        drop(engine);
        let engine = Engine::open_with(options.clone(), registry).await.unwrap();
        Self { engine, clock, caller, worker, options, _folder }
    }
    pub(crate) fn wish(&self) -> SubmitJob {
        SubmitJob {
            job_type: "exam".to_owned(),
            payload: serde_json::json!({ "n": 1 }),
            ..SubmitJob::default()
        }
    }
    pub(crate) async fn submit(&self, wish: SubmitJob) -> Job {
        self.engine.jobs().submit(&self.caller, wish).await.unwrap().job
    }
    pub(crate) async fn submitted(&self) -> Job {
        self.submit(self.wish()).await
    }
    pub(crate) async fn claim(&self, n: usize) -> Vec<Lease> {
        self.engine.work().claim(&self.worker, &["exam".to_owned()], n).await.unwrap()
    }
    /// Claims and starts one job.
    pub(crate) async fn start(&self) -> Lease {
        let mut lease = self.claim(1).await.pop().expect("a job is ready");
        lease.job = self.engine.work().ack(std::slice::from_ref(&lease.fence)).await.unwrap().remove(0);
        lease
    }
    pub(crate) async fn complete(&self, fence: &Fence) -> Result<Job, Error> {
        self.engine.work().complete(fence, Done::default()).await
    }
    pub(crate) async fn fail(&self, fence: &Fence, class: ErrorClass) -> Job {
        self.engine.work().fail(fence, Failure::new(class, "BROKEN", "It broke.")).await.unwrap()
    }
    pub(crate) async fn detail(&self, id: &JobId) -> JobDetail {
        self.engine.jobs().get(&self.caller, id).await.unwrap()
    }
    pub(crate) async fn job(&self, id: &JobId) -> Job {
        self.detail(id).await.job
    }
    pub(crate) async fn state(&self, id: &JobId) -> JobState {
        self.job(id).await.state
    }
    pub(crate) async fn history(&self, id: &JobId) -> Vec<HistoryEntry> {
        let query = PageQuery { page_token: None, page_size: Some(500) };
        let mut entries = self.engine.jobs().history(&self.caller, id, &query).await.unwrap().items;
        entries.reverse();
        entries
    }
    /// What happened to a job, in short.
    pub(crate) async fn kinds(&self, id: &JobId) -> Vec<String> {
        let short = |entry: HistoryEntry| entry.kind.trim_start_matches("orch.job.").to_owned();
        self.history(id).await.into_iter().filter(|entry| entry.entity == "job").map(short).collect()
    }
    /// Lets time pass and the background tasks look.
    pub(crate) async fn pass_ms(&self, ms: i64) {
        self.clock.advance_ms(ms);
        self.engine.run_until_idle().await.unwrap();
    }
    pub(crate) fn now(&self) -> Micros {
        self.clock.now()
    }
    /// The chain of the whole tenant is sound.
    pub(crate) async fn assert_chain(&self) {
        let check = self.engine.history().verify(&self.caller).await.unwrap();
        assert_eq!(check.broken, None);
        assert_eq!(check.entries, check.verified_to);
    }
}
