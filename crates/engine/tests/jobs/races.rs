//! Two who want the same at the same time: a barrier lets them go together, again and again.

use crate::support::{World, new_worker};
use std::collections::BTreeSet;
use std::sync::Arc;
use stella_contract::error::Code;
use stella_contract::job::JobState;
use stella_contract::job::SubmitJob;
use tokio::sync::Barrier;

const ROUNDS: usize = 25;

pub(crate) async fn two_claimers_share_the_jobs_and_none_is_given_twice(world: World) {
    let mut submitted = BTreeSet::new();
    for _ in 0..ROUNDS {
        submitted.insert(world.submitted().await.job_id);
    }
    let other = world.engine.work().register(new_worker("two")).await.unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let mut claimers = Vec::new();
    for worker in [world.worker.clone(), other] {
        let (engine, barrier) = (world.engine.clone(), barrier.clone());
        claimers.push(tokio::spawn(async move {
            let mut got = Vec::new();
            for _ in 0..ROUNDS {
                barrier.wait().await;
                got.extend(engine.work().claim(&worker, &["exam".to_owned()], 1).await.unwrap());
            }
            got
        }));
    }
    let mut got = Vec::new();
    for claimer in claimers {
        got.extend(claimer.await.unwrap());
    }
    assert_eq!(got.len(), ROUNDS);
    let distinct: BTreeSet<_> = got.into_iter().map(|lease| lease.job.job_id).collect();
    assert_eq!(distinct, submitted);
}

pub(crate) async fn complete_against_expiry_has_one_winner(world: World) {
    for _ in 0..ROUNDS {
        let job = world.submit(SubmitJob { max_attempts: Some(1), ..world.wish() }).await;
        let lease = world.start().await;
        world.clock.advance_ms(65_000);
        let barrier = Arc::new(Barrier::new(2));
        let (engine, wait) = (world.engine.clone(), barrier.clone());
        let reaper = tokio::spawn(async move {
            wait.wait().await;
            engine.run_until_idle().await.unwrap();
        });
        barrier.wait().await;
        let report = world.complete(&lease.fence).await;
        reaper.await.unwrap();
        let ends = world.kinds(&job.job_id).await.split_off(4);
        match report {
            Ok(_) => assert_eq!(ends, ["succeeded"]),
            Err(error) => {
                assert_eq!(error.code, Code::AlreadyFinished);
                assert_eq!(ends, ["timed_out"]);
            }
        }
    }
}

pub(crate) async fn cancel_against_complete_has_one_winner(world: World) {
    for _ in 0..ROUNDS {
        let job = world.submitted().await;
        let lease = world.start().await;
        let barrier = Arc::new(Barrier::new(2));
        let (engine, caller, id, wait) =
            (world.engine.clone(), world.caller.clone(), job.job_id.clone(), barrier.clone());
        let canceller = tokio::spawn(async move {
            wait.wait().await;
            engine.jobs().cancel(&caller, &id).await
        });
        barrier.wait().await;
        // The worker holds its lease, so its report counts whoever is first.
        assert_eq!(world.complete(&lease.fence).await.unwrap().state, JobState::Succeeded);
        let ends = world.kinds(&job.job_id).await.split_off(4);
        match canceller.await.unwrap() {
            Ok(asked) => {
                assert_eq!(asked.state, JobState::Running);
                assert_eq!(ends, ["cancel_requested", "succeeded"]);
            }
            Err(error) => {
                assert_eq!(error.code, Code::InvalidTransition);
                assert_eq!(ends, ["succeeded"]);
            }
        }
    }
}

pub(crate) async fn two_reports_of_one_lease_are_one(world: World) {
    for _ in 0..ROUNDS {
        let job = world.submitted().await;
        let lease = world.start().await;
        let barrier = Arc::new(Barrier::new(2));
        let mut reporters = Vec::new();
        for _ in 0..2 {
            let (engine, fence, wait) = (world.engine.clone(), lease.fence.clone(), barrier.clone());
            reporters.push(tokio::spawn(async move {
                wait.wait().await;
                engine.work().complete(&fence, stella_engine::handlers::Done::default()).await
            }));
        }
        for reporter in reporters {
            assert_eq!(reporter.await.unwrap().unwrap().state, JobState::Succeeded);
        }
        assert_eq!(world.kinds(&job.job_id).await.split_off(4), ["succeeded"]);
    }
}
