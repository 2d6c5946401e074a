//! Small submissions that wait for the writer at the same time are taken in together and answered apart.

use crate::support::World;
use futures::future::{join_all, poll_fn};
use serde_json::json;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use stella_contract::error::Code;
use stella_contract::job::SubmitJob;
use stella_contract::page::PageQuery;
use stella_engine::jobs::Submitted;
use stella_engine::{Caller, Error};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

type Waiting<A> = Pin<Box<dyn Future<Output = Result<A, Error>> + Send>>;

/// Keeps the writer busy until it is told to go on.
pub(crate) async fn busy(world: &World) -> (Arc<Notify>, JoinHandle<Result<(), Error>>) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits, engine) = (begun.clone(), go_on.clone(), world.engine.clone());
    let held = tokio::spawn(async move {
        engine
            .ledger()
            .write(move |_| {
                Box::pin(async move {
                    told.notify_one();
                    waits.notified().await;
                    Ok(())
                })
            })
            .await
    });
    begun.notified().await;
    (go_on, held)
}

fn submits(world: &World, caller: &Caller) -> Waiting<Submitted> {
    let (jobs, caller, wish) = (world.engine.jobs(), caller.clone(), world.wish());
    Box::pin(async move { jobs.submit(&caller, wish).await })
}

/// Asks each once, so that all stand in the line when this returns.
pub(crate) async fn stand_in_line<A>(waiting: &mut [Waiting<A>]) {
    for one in waiting {
        let is_answered = poll_fn(|context| Poll::Ready(one.as_mut().poll(context).is_ready())).await;
        assert!(!is_answered, "the writer is busy");
    }
}

pub(crate) async fn submissions_of_many_callers_share_a_commit_and_each_is_answered_for_itself(world: World) {
    let other = Caller::local("acme".parse().unwrap(), "grace").because("another cause", None);
    let (go_on, held) = busy(&world).await;
    let before = world.engine.ledger().commits();
    let mut waiting: Vec<Waiting<Submitted>> =
        (0..20).map(|at| submits(&world, if at % 2 == 0 { &world.caller } else { &other })).collect();
    stand_in_line(&mut waiting).await;
    go_on.notify_one();
    let made = join_all(waiting).await;
    held.await.unwrap().unwrap();
    let mut ids = BTreeSet::new();
    for (at, made) in made.into_iter().enumerate() {
        let job = made.unwrap().job;
        let (subject, reason) = if at % 2 == 0 { ("ada", "a test") } else { ("grace", "another cause") };
        assert_eq!((job.created_by.as_str(), job.reason.as_deref()), (subject, Some(reason)));
        let told = world.history(&job.job_id).await;
        assert!(told.iter().all(|entry| entry.actor.subject == subject), "{told:?}");
        ids.insert(job.job_id);
    }
    assert_eq!(ids.len(), 20);
    // The one that kept the writer busy, and one for all.
    assert_eq!(world.engine.ledger().commits() - before, 2);
    world.assert_chain().await;
}

pub(crate) async fn submissions_under_keys_share_a_commit_and_one_that_misuses_its_key_is_refused_alone(
    world: World,
) {
    let keyed = |key: &str, reason: &str, caller: &Caller| -> Waiting<Submitted> {
        let payload = json!({ "reason": reason });
        let wish = SubmitJob { idempotency_key: Some(key.to_owned()), payload, ..world.wish() };
        let (jobs, caller) = (world.engine.jobs(), caller.clone());
        Box::pin(async move { jobs.submit(&caller, wish).await })
    };
    let other = Caller::local("acme".parse().unwrap(), "grace");
    let first = keyed("old", "a", &world.caller).await.unwrap().job.job_id;
    let (go_on, held) = busy(&world).await;
    let before = world.engine.ledger().commits();
    let mut waiting = vec![
        keyed("old", "a", &world.caller),
        keyed("old", "b", &world.caller),
        keyed("new", "c", &world.caller),
        keyed("new", "c", &other),
        keyed("new", "d", &other),
        submits(&world, &other),
    ];
    stand_in_line(&mut waiting).await;
    go_on.notify_one();
    let made = join_all(waiting).await;
    held.await.unwrap().unwrap();
    let told: Vec<Result<bool, Code>> =
        made.iter().map(|one| one.as_ref().map(|made| made.replayed).map_err(|error| error.code)).collect();
    let reused = Err(Code::IdempotencyKeyReused);
    assert_eq!(told, [Ok(true), reused, Ok(false), Ok(true), reused, Ok(false)]);
    let id = |at: usize| made[at].as_ref().unwrap().job.job_id.clone();
    assert_eq!((id(0), id(2)), (first, id(3)));
    assert_eq!(world.engine.ledger().commits() - before, 2);
    world.assert_chain().await;
}

pub(crate) async fn a_caller_that_goes_away_takes_no_neighbour_with_it(world: World) {
    let (go_on, held) = busy(&world).await;
    let mut waiting: Vec<Waiting<Submitted>> = (0..2).map(|_| submits(&world, &world.caller)).collect();
    stand_in_line(&mut waiting).await;
    // The first one called the writer for both.
    drop(waiting.remove(0));
    go_on.notify_one();
    let made = waiting.remove(0).await.unwrap();
    held.await.unwrap().unwrap();
    let query = PageQuery { page_token: None, page_size: Some(10) };
    let page = world.engine.jobs().list(&world.caller, &Default::default(), &query).await.unwrap();
    let kept: BTreeSet<_> = page.items.into_iter().map(|job| job.job_id).collect();
    assert!(kept.contains(&made.job.job_id));
    assert_eq!(kept.len(), 2, "what was submitted is kept, whoever still listens");
}

pub(crate) async fn a_submission_to_a_closed_ledger_is_refused_and_does_not_hang(world: World) {
    world.engine.close().await;
    let refused = submits(&world, &world.caller).await.unwrap_err();
    assert_eq!(refused.code, Code::LedgerUnavailable);
}
