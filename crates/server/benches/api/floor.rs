//! Workers of other processes: what they claim, acknowledge and complete over HTTP, each job with requests of its own or
//! those that were claimed together with one request.

use crate::Outcome;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use stella_contract::ids::Tenant;
use stella_contract::job::SubmitJob;
use stella_contract::lease::{
    AckLease, AckLeases, ClaimWork, CompleteLease, CompleteLeases, NamedCompletion, NamedLease,
    RegisterWorker, WorkLease,
};
use stella_contract::scope::Scope;
use stella_engine::sessions::NewToken;
use stella_engine::{Caller, Engine};
use stella_sdk::Client;
use stella_server::{Auth, Door};
use tokio::net::TcpListener;

const JOB_TYPE: &str = "floor";
/// Jobs a second that are to be reached.
const AIM: f64 = 10_000.0;

/// How workers speak of the jobs that they claimed together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// Of each by itself.
    Each,
    /// Of all in one request.
    Together,
}

/// So many workers that hold as many jobs each, until all jobs have ended.
pub(crate) async fn drain(
    engine: &Engine,
    tenant: &Tenant,
    workers: usize,
    jobs: usize,
    manner: Manner,
) -> Outcome<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = open(engine).await?;
    let caller = Caller::local(tenant.clone(), "bench");
    let scopes = BTreeSet::from([Scope::Worker]);
    let wish = NewToken { name: "bench".to_owned(), scopes, read_only: false, ttl_ms: 3_600_000 };
    let token = engine.sessions().create_token(&caller, wish).await?.secret;
    fill(engine, &caller, jobs).await?;
    let client = Client::new(&format!("http://{address}"), Some(&token), tenant.clone())?;
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let working = (0..workers).map(|at| tokio::spawn(work(client.clone(), at, done.clone(), manner)));
    for worker in futures::future::try_join_all(working).await? {
        worker?;
    }
    let (done, seconds) = (done.load(Ordering::SeqCst), began.elapsed().as_secs_f64());
    if done != jobs {
        return Err(format!("{done} of {jobs} jobs were done").into());
    }
    let how = match manner {
        Manner::Each => "each by itself",
        Manner::Together => "those claimed together in one request",
    };
    let rate = jobs as f64 / seconds;
    let word = if rate >= AIM { "reached" } else { "missed" };
    println!(
        "| claim, ack, complete: {workers} workers of {workers}, {how} (aim {AIM:.0}: {word}) | {rate:.0}/s | | |"
    );
    Ok(())
}

async fn open(engine: &Engine) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Door::new(engine.clone(), Auth::Bearer).router();
    tokio::spawn(stella_server::serve(listener, router, std::future::pending()));
    Ok(address)
}

async fn fill(engine: &Engine, caller: &Caller, jobs: usize) -> Outcome<()> {
    for start in (0..jobs).step_by(1_000) {
        let wish = || SubmitJob { job_type: JOB_TYPE.to_owned(), ..SubmitJob::default() };
        let wishes = (start..jobs.min(start + 1_000)).map(|_| wish()).collect();
        engine.jobs().submit_many(caller, wishes).await?;
    }
    Ok(())
}

async fn work(client: Client, at: usize, done: Arc<AtomicUsize>, manner: Manner) -> Outcome<()> {
    let introduction = RegisterWorker {
        name: format!("bench-{at}"),
        version: "1".to_owned(),
        sdk: None,
        hostname: "localhost".to_owned(),
        job_types: vec![JOB_TYPE.to_owned()],
        concurrency: 16,
        task_runner_id: None,
    };
    let worker_id = client.floor().register(&introduction).await?.worker_id;
    let wish = ClaimWork { worker_id, job_types: Vec::new(), max: Some(16), wait_s: Some(0) };
    while let Some(given) = client.floor().claim(&wish).await? {
        let count = given.leases.len();
        match manner {
            Manner::Each => {
                let ended = given.leases.into_iter().map(|lease| end(client.clone(), lease));
                futures::future::try_join_all(ended).await?;
            }
            Manner::Together => end_all(&client, given.leases).await?,
        }
        done.fetch_add(count, Ordering::SeqCst);
    }
    Ok(())
}

async fn end_all(client: &Client, leases: Vec<WorkLease>) -> Outcome<()> {
    let named = leases
        .iter()
        .map(|lease| NamedLease { lease_id: lease.lease_id.clone(), lease_epoch: lease.lease_epoch });
    let acked = client.floor().ack_many(&AckLeases { leases: named.collect() }).await?;
    if let Some(refused) = acked.leases.iter().find_map(|one| one.refused.as_ref()) {
        return Err(refused.message.clone().into());
    }
    let named = leases
        .into_iter()
        .map(|lease| NamedCompletion { lease_id: lease.lease_id, complete: completion(lease.lease_epoch) });
    let ended = client.floor().complete_many(&CompleteLeases { leases: named.collect() }).await?;
    match ended.leases.iter().find_map(|one| one.refused.as_ref()) {
        Some(refused) => Err(refused.message.clone().into()),
        None => Ok(()),
    }
}

fn completion(lease_epoch: i64) -> CompleteLease {
    CompleteLease { lease_epoch, artifacts: Vec::new(), outputs_hash: None, result: None, watermark: None }
}

async fn end(client: Client, lease: WorkLease) -> Outcome<()> {
    let lease_epoch = lease.lease_epoch;
    client.floor().ack(&lease.lease_id, &AckLease { lease_epoch }).await?;
    client.floor().complete(&lease.lease_id, &completion(lease_epoch)).await?;
    Ok(())
}
