//! Workers of other processes, over a socket: every case of the conformance list, a worker of the sdk, and what only the
//! server's side can tell.

use crate::app::{App, tenant};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use stella_contract::error::Code;
use stella_contract::ids::JobId;
use stella_contract::job::{Cause, ErrorClass, JobState, SubmitJob};
use stella_contract::lease::{
    AckLeases, ClaimWork, CompleteLease, CompleteLeases, LogLevel, NamedCompletion, NamedLease,
    RegisterWorker,
};
use stella_contract::scope::Scope;
use stella_contract::worker::{WorkerState, WorkerWish};
use stella_engine::{Engine, LedgerPlace};
use stella_sdk::conformance;
use stella_sdk::worker::{Failure, Task, Worker};
use stella_sdk::{Client, Write};
use stella_server::{Auth, Door, router};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

/// The scopes of a client that plays worker and operator.
const SCOPES: [Scope; 4] = [Scope::Worker, Scope::OrchSubmit, Scope::OrchRead, Scope::OrchOperate];

async fn served(app: &App) -> SocketAddr {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(stella_server::serve(listener, app.router.clone(), std::future::pending()));
    address
}

async fn client(app: &App, scopes: impl IntoIterator<Item = Scope>) -> Client {
    let (address, token) = (served(app).await, app.token(scopes).await);
    Client::new(&format!("http://{address}"), Some(&token), tenant("acme")).unwrap()
}

fn because() -> Write {
    let cause = Cause { reason: Some("a test".to_owned()), ticket: Some("OPS-1".to_owned()) };
    Write { cause, ..Write::default() }
}

async fn stands_every_case(app: App) {
    let client = client(&app, SCOPES).await;
    let verdicts = conformance::run(&client, &[]).await;
    assert_eq!(verdicts.len(), conformance::CASES.len());
    let broken: Vec<_> = verdicts.iter().filter(|verdict| verdict.broken.is_some()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_stands_every_case_of_the_worker_contract_on_sqlite() {
    stands_every_case(App::bearer().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_stands_every_case_of_the_worker_contract_on_postgres() {
    let base = App::bearer().await;
    let url = stella_ledger::testing::postgres().await.unwrap_or_else(|why| panic!("{why}"));
    let folder = tempfile::tempdir().unwrap();
    let mut options = base.options();
    options.place = LedgerPlace::Postgres(url);
    options.blobs = folder.path().join("blobs");
    let engine = Engine::open(options).await.unwrap();
    let router = router(Door::new(engine.clone(), Auth::Bearer));
    stands_every_case(App::around(engine, router, folder)).await;
}

#[test]
fn the_ids_of_cases_are_distinct_and_in_order() {
    let ids: Vec<&str> = conformance::CASES.iter().map(|case| case.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
}

/// Waits along the feed until the job has ended.
async fn ended(app: &App, client: &Client, id: &JobId) -> stella_contract::job::JobDetail {
    let mut feed = app.engine.bus().feed();
    loop {
        feed.mark_unchanged();
        let detail = client.jobs().get(id).await.unwrap();
        if detail.job.state.is_final() {
            return detail;
        }
        feed.changed().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_the_sdk_does_what_it_is_given_and_ends_when_it_is_stopped() {
    let app = App::bearer().await;
    let client = client(&app, SCOPES).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let work = async |task: Task| -> Result<stella_sdk::worker::Finished, Failure> {
        task.log(LogLevel::Info, "begun");
        match task.payload()["do"].as_str() {
            Some("panic") => panic!("as it was told"),
            Some("fail") => Err(Failure::new(ErrorClass::Validation, "TOLD", "As it was told.")),
            _ => {
                task.put_json("out.json", &json!({ "b": 1, "a": 2 })).await?;
                Ok(json!({ "bytes": task.payload()["text"].as_str().unwrap_or("").len() }).into())
            }
        }
    };
    let worker = Worker::new(client.clone(), "tested").concurrency(2).on("tested", work);
    let working = tokio::spawn(worker.run_until(async { drop(stopped.await) }));
    let submit = async |payload| {
        let wish = SubmitJob { job_type: "tested".to_owned(), payload, ..SubmitJob::default() };
        client.jobs().submit(&wish, &because()).await.unwrap().job_id
    };
    let large = submit(json!({ "text": "x".repeat(70_000) })).await;
    let told = [
        (submit(json!({ "do": "fail" })).await, "TOLD"),
        (submit(json!({ "do": "panic" })).await, "PANICKED"),
    ];
    let done = ended(&app, &client, &large).await;
    assert_eq!((done.job.state, done.result), (JobState::Succeeded, Some(json!({ "bytes": 70_000 }))));
    assert_eq!(done.artifacts[0].name, "out.json");
    for (id, code) in told {
        let job = ended(&app, &client, &id).await.job;
        assert_eq!((job.state, job.error_code.as_deref()), (JobState::Failed, Some(code)));
    }
    let page = stella_contract::page::PageQuery::default();
    assert_eq!(client.jobs().log(&large, &page).await.unwrap().items[0].message, "begun");
    stop.send(()).unwrap();
    working.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_waits_for_work_and_is_answered_when_some_comes() {
    let app = App::bearer().await;
    let client = client(&app, SCOPES).await;
    let wish = introduction();
    let worker_id = client.floor().register(&wish).await.unwrap().worker_id;
    let claim = ClaimWork { worker_id, job_types: Vec::new(), max: None, wait_s: Some(20) };
    let (begun, asker) = (Arc::new(Notify::new()), client.clone());
    let told = begun.clone();
    let waiting = tokio::spawn(async move {
        told.notify_one();
        asker.floor().claim(&claim).await
    });
    begun.notified().await;
    let wish = SubmitJob { job_type: "tested".to_owned(), payload: json!({}), ..SubmitJob::default() };
    let job = client.jobs().submit(&wish, &because()).await.unwrap();
    // The clock stands still, so that only the job itself can have ended the wait.
    let given = waiting.await.unwrap().unwrap().unwrap();
    assert_eq!(given.leases[0].job_id, job.job_id);
}

fn introduction() -> RegisterWorker {
    RegisterWorker {
        name: "tested".to_owned(),
        version: "1".to_owned(),
        sdk: None,
        hostname: "h".to_owned(),
        job_types: vec!["tested".to_owned()],
        concurrency: 1,
        task_runner_id: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantined_worker_is_not_heard_until_it_is_resumed() {
    let app = App::bearer().await;
    let client = client(&app, SCOPES).await;
    let worker_id = client.floor().register(&introduction()).await.unwrap().worker_id;
    let claim = ClaimWork { worker_id: worker_id.clone(), job_types: Vec::new(), max: None, wait_s: None };
    let quarantined = client.core().quarantine_worker(&worker_id, &because()).await.unwrap();
    assert_eq!((quarantined.state, quarantined.wish), (WorkerState::Quarantined, WorkerWish::Quarantine));
    assert_eq!(quarantined.wish_reason.as_deref(), Some("a test"));
    let refused = client.floor().claim(&claim).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code.as_str(), "INVALID_TRANSITION");
    client.core().resume_worker(&worker_id, &because()).await.unwrap();
    assert!(client.floor().claim(&claim).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_another_tenant_sees_neither_worker_nor_lease() {
    let app = App::bearer().await;
    let address = served(&app).await;
    let of = async |name: &str| {
        let token = app.make_token(name, SCOPES, false).await;
        Client::new(&format!("http://{address}"), Some(&token), tenant(name)).unwrap()
    };
    let (own, other) = (of("acme").await, of("other").await);
    let own_worker = own.floor().register(&introduction()).await.unwrap().worker_id;
    let other_worker = other.floor().register(&introduction()).await.unwrap().worker_id;
    let wish = SubmitJob { job_type: "tested".to_owned(), payload: json!({}), ..SubmitJob::default() };
    own.jobs().submit(&wish, &because()).await.unwrap();
    let claim = |worker_id| ClaimWork { worker_id, job_types: Vec::new(), max: None, wait_s: None };
    assert!(other.floor().claim(&claim(other_worker)).await.unwrap().is_none());
    let foreign = other.floor().claim(&claim(own_worker.clone())).await.unwrap_err();
    assert_eq!(foreign.problem().unwrap().code.as_str(), "NOT_FOUND");
    let lease = own.floor().claim(&claim(own_worker.clone())).await.unwrap().unwrap().leases.remove(0);
    let ack = stella_contract::lease::AckLease { lease_epoch: lease.lease_epoch };
    let foreign = other.floor().ack(&lease.lease_id, &ack).await.unwrap_err();
    assert_eq!(foreign.problem().unwrap().code.as_str(), "NOT_FOUND");
    let listed = other.core().workers(&stella_contract::page::PageQuery::default()).await.unwrap();
    assert!(listed.items.iter().all(|worker| worker.worker_id != own_worker));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_scope_nobody_is_a_worker() {
    let app = App::bearer().await;
    let client = client(&app, [Scope::OrchRead, Scope::OrchSubmit]).await;
    let refused = client.floor().register(&introduction()).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code.as_str(), "SCOPE_MISSING");
}

/// Claims of a worker that has just registered, one for each job.
async fn taken(client: &Client, jobs: usize) -> Vec<NamedLease> {
    let wish = RegisterWorker { concurrency: 16, ..introduction() };
    let worker_id = client.floor().register(&wish).await.unwrap().worker_id;
    for _ in 0..jobs {
        let wish = SubmitJob { job_type: "tested".to_owned(), payload: json!({}), ..SubmitJob::default() };
        client.jobs().submit(&wish, &because()).await.unwrap();
    }
    let claim = ClaimWork { worker_id, job_types: Vec::new(), max: Some(16), wait_s: None };
    let given = client.floor().claim(&claim).await.unwrap().unwrap().leases;
    given
        .into_iter()
        .map(|lease| NamedLease { lease_id: lease.lease_id, lease_epoch: lease.lease_epoch })
        .collect()
}

fn completion(lease: &NamedLease) -> NamedCompletion {
    let complete = CompleteLease {
        lease_epoch: lease.lease_epoch,
        artifacts: Vec::new(),
        outputs_hash: None,
        result: None,
        watermark: None,
    };
    NamedCompletion { lease_id: lease.lease_id.clone(), complete }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_several_leases_is_heard_of_each_for_itself() {
    let app = App::bearer().await;
    let client = client(&app, SCOPES).await;
    let mut leases = taken(&client, 3).await;
    leases[1].lease_epoch += 7;
    let acked = client.floor().ack_many(&AckLeases { leases: leases.clone() }).await.unwrap().leases;
    let codes: Vec<Option<Code>> = acked.iter().map(|one| one.refused.as_ref().map(|no| no.code)).collect();
    assert_eq!(codes, [None, Some(Code::LeaseLost), None]);
    let runs: Vec<bool> = acked.iter().map(|one| one.pulse.is_some()).collect();
    assert_eq!(runs, [true, false, true]);
    let wish = CompleteLeases { leases: leases.iter().map(completion).collect() };
    for _ in 0..2 {
        // Said twice, it is said once.
        let ended = client.floor().complete_many(&wish).await.unwrap().leases;
        let states: Vec<Option<JobState>> = ended.iter().map(|one| one.state).collect();
        assert_eq!(states, [Some(JobState::Succeeded), None, Some(JobState::Succeeded)]);
        assert_eq!(ended[1].refused.as_ref().map(|no| no.code), Some(Code::LeaseLost));
    }
    leases[1].lease_epoch -= 7;
    let late = client.floor().ack_many(&AckLeases { leases: vec![leases.swap_remove(1)] }).await.unwrap();
    assert!(late.leases[0].pulse.is_some(), "the refusal left the job as it was: {late:?}");
    let none = client.floor().ack_many(&AckLeases { leases: Vec::new() }).await.unwrap_err();
    assert_eq!(none.problem().unwrap().code.status(), 422);
}
