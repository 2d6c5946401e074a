//! The load: four producers hand in jobs of three kinds, some waiting for others, some that fail once, some that fail
//! for good; a mender has those repeated with a payload that works.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use stella_contract::dead_letter::{DeadLetterFilter, DeadLetterState, ReplayDeadLetter};
use stella_contract::edge::{Dependency, EdgeKind};
use stella_contract::event::{FeedEvent, FeedQuery};
use stella_contract::ids::JobId;
use stella_contract::job::{Cause, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::quota::{AddQuota, EVERY_TYPE};
use stella_sdk::{Client, Error, Write};
use tokio::sync::watch;

/// What the workers do: as fast as it goes, few at once, and no more than so many per second.
pub(super) const STEP: &str = "demo.step";
pub(super) const LEAN: &str = "demo.lean";
pub(super) const PACED: &str = "demo.paced";
/// Jobs wait only for others of the same block, so that no graph grows without end.
const BLOCK: usize = 50;
/// So many jobs are open before the producers wait: enough that the workers never lack any.
const OPEN: usize = 300;

/// A quota of the load, in the numbers that are proved from the history afterwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) job_type: &'static str,
    pub(super) max_active: i64,
    pub(super) burst: i64,
    pub(super) refill_per_second: f64,
}

/// The workers have more hands than all of these together.
pub(super) const BOUNDS: [Bound; 3] = [
    Bound { job_type: EVERY_TYPE, max_active: 16, burst: 1_000, refill_per_second: 1_000.0 },
    Bound { job_type: LEAN, max_active: 2, burst: 1_000, refill_per_second: 1_000.0 },
    Bound { job_type: PACED, max_active: 4, burst: 5, refill_per_second: 10.0 },
];

/// Makes the quotas, before anything is handed in.
pub(super) async fn bound(client: &Client) {
    for bound in BOUNDS {
        let wish = AddQuota {
            job_type: bound.job_type.to_owned(),
            max_active: Some(bound.max_active),
            max_per_hour: Some(1_000_000),
            burst: Some(bound.burst),
            refill_per_second: Some(bound.refill_per_second),
            ..AddQuota::default()
        };
        client.quotas().add(&wish, &write()).await.unwrap();
    }
}

fn write() -> Write {
    let cause = Cause { reason: Some("a test".to_owned()), ticket: Some("TEST-1".to_owned()) };
    Write { cause, ..Write::default() }
}

/// A job that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub(super) number: usize,
    pub(super) job_id: JobId,
}

/// What the producers share: which numbers were handed in, and whether there is a server to hand them to.
pub(super) struct Load {
    pub(super) client: Client,
    pub(super) next: AtomicUsize,
    pub(super) unknown: AtomicUsize,
    pub(super) acknowledged: watch::Sender<Vec<Accepted>>,
    /// How many have ended, as the feed told.
    pub(super) ended: watch::Sender<usize>,
    pub(super) is_up: watch::Receiver<bool>,
    pub(super) stop: watch::Receiver<bool>,
}

/// Whether this number fails for good, until somebody changes its payload.
pub(super) const fn is_doomed(number: usize) -> bool {
    number % 13 == 5
}

fn job_type(number: usize) -> &'static str {
    match number % 10 {
        0..=5 => STEP,
        6 | 7 => LEAN,
        _ => PACED,
    }
}

/// What this number waits for: half of them for something of their block that was acknowledged before.
fn depends_on(number: usize, acknowledged: &[Accepted]) -> Vec<Dependency> {
    let kind = match number % 8 {
        1 | 5 => EdgeKind::OnSuccess,
        3 => EdgeKind::OnCompletion,
        6 => EdgeKind::OnFailure,
        _ => return Vec::new(),
    };
    let fits = |one: &&Accepted| {
        one.number / BLOCK == number / BLOCK && (kind != EdgeKind::OnFailure || is_doomed(one.number))
    };
    let upstream = acknowledged.iter().rev().find(fits);
    upstream.map(|one| Dependency { job_id: one.job_id.clone(), kind }).into_iter().collect()
}

fn wish(number: usize, acknowledged: &[Accepted]) -> SubmitJob {
    SubmitJob {
        job_type: job_type(number).to_owned(),
        payload: serde_json::json!({ "number": number, "doomed": is_doomed(number) }),
        idempotency_key: Some(format!("step-{number}")),
        max_attempts: Some(50),
        depends_on: depends_on(number, acknowledged),
        ..SubmitJob::default()
    }
}

/// Hands in one number after another; one without an answer is handed in again under the same key.
pub(super) async fn produce(load: Arc<Load>) {
    let (mut stop, mut ended) = (load.stop.clone(), load.ended.subscribe());
    while !*load.stop.borrow() {
        let has_room = |ended: &usize| load.acknowledged.borrow().len() < *ended + OPEN;
        tokio::select! {
            room = ended.wait_for(has_room) => drop(room.unwrap()),
            told = stop.changed() => told.unwrap(),
        }
        let number = load.next.fetch_add(1, Ordering::Relaxed);
        let wish = wish(number, &load.acknowledged.borrow());
        let mut is_up = load.is_up.clone();
        loop {
            match load.client.jobs().submit(&wish, &Write::because("a test")).await {
                Ok(job) => {
                    let accepted = Accepted { number, job_id: job.job_id };
                    load.acknowledged.send_modify(|all| all.push(accepted));
                    break;
                }
                Err(Error::Problem(problem)) if !problem.retryable => panic!("number {number}: {problem}"),
                Err(_) => {
                    load.unknown.fetch_add(1, Ordering::Relaxed);
                    drop(is_up.wait_for(|up| *up).await.unwrap());
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// Counts the jobs that end, along the feed and across every restart.
pub(super) async fn follow(load: Arc<Load>, mut cursor: i64) {
    let mut is_up = load.is_up.clone();
    loop {
        let query = FeedQuery { cursor: Some(cursor), max_wait_ms: Some(5_000) };
        match load.client.feed().since(query).await {
            Ok(batch) => {
                assert!(!batch.reset, "the feed has lost its place: {cursor}");
                cursor = batch.cursor;
                let finals = batch.events.iter().filter(|event| has_ended(event)).count();
                load.ended.send_modify(|ended| *ended += finals);
            }
            Err(_) => {
                drop(is_up.wait_for(|up| *up).await.unwrap());
                tokio::task::yield_now().await;
            }
        }
    }
}

fn has_ended(event: &FeedEvent) -> bool {
    let state = event.data.get("state").and_then(|state| state.as_str()?.parse::<JobState>().ok());
    event.entity == "job" && state.is_some_and(JobState::is_final)
}

/// Looks after the dead letters whenever jobs came in, until there are no producers any more.
pub(super) async fn mend_along(load: Arc<Load>) {
    let mut seen = load.acknowledged.subscribe();
    while !*load.stop.borrow() && seen.changed().await.is_ok() {
        // Without a server, or with an answer that got lost, it is for the next time.
        mend(&load.client).await.ok();
    }
}

/// Has the jobs of open entries repeated with a payload that works; how many entries were not closed before.
pub(super) async fn mend(client: &Client) -> Result<usize, Error> {
    let mut unsettled = 0;
    for state in [DeadLetterState::Open, DeadLetterState::Replaying] {
        let filter = DeadLetterFilter { state: Some(state), ..DeadLetterFilter::default() };
        let page = client.dead_letters().list(&filter, &PageQuery::default()).await?;
        unsettled += page.items.len();
        if state == DeadLetterState::Replaying {
            continue;
        }
        for entry in page.items {
            let mut payload = client.dead_letters().get(&entry.entry_id).await?.payload;
            payload["doomed"] = false.into();
            let wish = ReplayDeadLetter { payload: Some(payload), force: false };
            client.dead_letters().replay(&entry.entry_id, &wish, &write()).await?;
        }
    }
    Ok(unsettled)
}
