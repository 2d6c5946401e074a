//! Two who want the last place at the same time: a barrier lets them go together, again and again.

use crate::scene::wide;
use crate::support::{World, new_worker};
use std::sync::Arc;
use stella_contract::job::JobState;
use stella_contract::quota::AddQuota;
use tokio::sync::Barrier;

const ROUNDS: usize = 15;

pub(crate) async fn two_claimers_against_a_quota_of_one_get_one_job(world: World) {
    world.submit_many(ROUNDS * 2).await;
    world.quota(AddQuota { max_active: Some(1), max_per_hour: Some(1_000), ..wide() }).await;
    let other = world.engine.work().register(new_worker("two")).await.unwrap();
    for _ in 0..ROUNDS {
        let barrier = Arc::new(Barrier::new(2));
        let mut claimers = Vec::new();
        for worker in [world.worker.clone(), other.clone()] {
            let (engine, barrier) = (world.engine.clone(), barrier.clone());
            claimers.push(tokio::spawn(async move {
                barrier.wait().await;
                engine.work().claim(&worker, &["exam".to_owned()], 4).await.unwrap()
            }));
        }
        let mut got = Vec::new();
        for claimer in claimers {
            got.extend(claimer.await.unwrap());
        }
        assert_eq!(got.len(), 1);
        world.engine.work().ack(&[got[0].fence.clone()]).await.unwrap();
        world.complete(&got[0].fence).await.unwrap();
        world.idle().await;
    }
    world.assert_chain().await;
}

pub(crate) async fn two_dispatchers_against_a_quota_of_one_make_one_job_ready(world: World) {
    let jobs = {
        world.quota(AddQuota { max_active: Some(1), max_per_hour: Some(1_000), ..wide() }).await;
        world.submit_many(6).await
    };
    for done in 0..5 {
        let barrier = Arc::new(Barrier::new(2));
        let mut dispatchers = Vec::new();
        for _ in 0..2 {
            let (engine, barrier) = (world.engine.clone(), barrier.clone());
            dispatchers.push(tokio::spawn(async move {
                barrier.wait().await;
                engine.run_until_idle().await.unwrap();
            }));
        }
        for dispatcher in dispatchers {
            dispatcher.await.unwrap();
        }
        assert_eq!(world.count(&jobs, JobState::Queued).await, 1, "after {done}");
        let lease = world.start_many(2).await;
        assert_eq!(lease.len(), 1);
        world.complete(&lease[0].fence).await.unwrap();
    }
}
