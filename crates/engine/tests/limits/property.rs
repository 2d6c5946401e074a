//! The dispatcher, claims and the answer to "why is it not running?" say the same, whatever happened before.

use crate::scene::wide;
use crate::support::World;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use stella_contract::blackout::{AddBlackout, BlackoutTarget, BlackoutTargetKind};
use stella_contract::blocker::BlockerKind;
use stella_contract::breaker::{AddBreaker, BreakerFilter, BreakerKind, BreakerState};
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::quota::{AddQuota, ChangeQuota, PauseQuota, Quota, QuotaFilter};
use stella_engine::work::Lease;

const STEPS: usize = 90;

pub(crate) async fn a_job_can_be_claimed_exactly_when_nothing_is_said_to_hold_it(world: World) {
    let mut chance = StdRng::seed_from_u64(7);
    let (mut open, mut held): (Vec<JobId>, Vec<Lease>) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        act(&world, &mut chance, &mut open, &mut held).await;
        world.idle().await;
        check(&world, step, &mut open, &mut held).await;
    }
    world.assert_chain().await;
}

async fn quotas(world: &World) -> Vec<Quota> {
    let (filter, page) = (QuotaFilter::default(), PageQuery::default());
    world.engine.quotas().list(&world.caller, &filter, &page).await.unwrap().items
}

/// One thing that may happen.
pub(crate) async fn act(world: &World, chance: &mut StdRng, open: &mut Vec<JobId>, held: &mut Vec<Lease>) {
    match chance.random_range(0..14) {
        0..=4 => {
            let priority = Some(chance.random_range(0..=100));
            let max_attempts = Some(chance.random_range(1..=2));
            let wish = SubmitJob { priority, max_attempts, ..world.wish() };
            open.push(world.submit(wish).await.job_id);
        }
        5 => {
            let job_type = if chance.random_bool(0.5) { "exam" } else { "*" };
            let wish = AddQuota {
                job_type: job_type.to_owned(),
                max_active: Some(chance.random_range(0..4)),
                max_per_hour: Some(chance.random_range(1..30)),
                burst: Some(chance.random_range(1..6)),
                refill_per_second: Some(0.05),
                ..wide()
            };
            // A second one of a type is refused, which is as good a step as any.
            let _ = world.engine.quotas().add(&world.caller, wish).await;
        }
        6 => {
            for quota in quotas(world).await.into_iter().take(1) {
                let wish =
                    ChangeQuota { max_active: Some(chance.random_range(0..5)), ..ChangeQuota::default() };
                world.engine.quotas().change(&world.caller, &quota.quota_id, None, wish).await.unwrap();
            }
        }
        7 => {
            for quota in quotas(world).await.into_iter().take(1) {
                let until = Some(world.now().plus_ms(chance.random_range(1_000..60_000)));
                let wish = PauseQuota { until };
                world.engine.quotas().pause(&world.caller, &quota.quota_id, None, wish).await.unwrap();
            }
        }
        8 => {
            let end = Some(world.now().plus_ms(chance.random_range(1_000..30_000)));
            let wish = AddBlackout {
                targets: vec![BlackoutTarget { kind: BlackoutTargetKind::Tenant, key: String::new() }],
                start: Some(world.now()),
                end,
                cron: None,
                duration_s: None,
                time_zone: None,
                action: None,
                drain_before_s: None,
            };
            world.engine.blackouts().add(&world.caller, wish).await.unwrap();
        }
        9 => {
            let state = if chance.random_bool(0.3) { BreakerState::Open } else { BreakerState::Closed };
            let wish = AddBreaker { kind: BreakerKind::JobType, key: "exam".to_owned(), state };
            world.engine.breakers().add(&world.caller, wish).await.unwrap();
        }
        10 => {
            let all = world.engine.breakers().list(&world.caller, &BreakerFilter::default()).await.unwrap();
            for breaker in all.items {
                world.engine.breakers().reset(&world.caller, &breaker.breaker_id, None).await.unwrap();
            }
        }
        11 => world.clock.advance_ms(chance.random_range(1_000..50_000)),
        _ => {
            let fails = chance.random_bool(0.4);
            for lease in held.drain(..) {
                // Its time may have run out meanwhile.
                if fails {
                    let failure =
                        stella_engine::handlers::Failure::new(ErrorClass::Network, "GONE", "It is gone.");
                    let _ = world.engine.work().fail(&lease.fence, failure).await;
                } else {
                    let _ = world.complete(&lease.fence).await;
                }
            }
        }
    }
}

async fn check(world: &World, step: usize, open: &mut Vec<JobId>, held: &mut Vec<Lease>) {
    let mut free = Vec::new();
    let mut still = Vec::new();
    for id in open.drain(..) {
        let explained = world.explain(&id).await;
        let job = world.job(&id).await;
        let blockers: Vec<_> =
            explained.blockers.iter().filter(|blocker| blocker.kind != BlockerKind::NoWorker).collect();
        match job.state {
            JobState::Pending => {
                let first = blockers.first().and_then(|blocker| blocker.kind.wait_reason());
                assert_eq!(job.wait_reason, first, "step {step}: {id} {explained:?}");
                assert!(first.is_some(), "step {step}: {id} waits for nothing");
                assert_eq!(explained.wait_reason, first);
                still.push(id);
            }
            JobState::Queued => {
                if blockers.is_empty() {
                    free.push(id.clone());
                }
                still.push(id);
            }
            JobState::Leased | JobState::Running => {
                assert_eq!(explained.blockers, [], "step {step}");
                still.push(id);
            }
            JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped => assert_eq!(explained.blockers, [], "step {step}"),
        }
    }
    *open = still;
    let before: Vec<(String, i64)> = actives(world).await;
    let claimed = world.start_many(1).await;
    assert_eq!(claimed.is_empty(), free.is_empty(), "step {step}: {free:?} {claimed:?}");
    for lease in &claimed {
        assert!(free.contains(&lease.job.job_id), "step {step}: {lease:?}");
    }
    held.extend(claimed);
    // A quota that was lowered below its use lets that end; a claim never adds to it.
    for ((id, active), quota) in before.iter().zip(quotas(world).await) {
        assert_eq!(*id, quota.quota_id.as_str());
        assert!(quota.live.active <= quota.limits.max_active.max(*active), "step {step}: {quota:?}");
        assert!(quota.live.used_last_hour <= quota.limits.max_per_hour, "step {step}: {quota:?}");
    }
}

async fn actives(world: &World) -> Vec<(String, i64)> {
    quotas(world)
        .await
        .into_iter()
        .map(|quota| (quota.quota_id.as_str().to_owned(), quota.live.active))
        .collect()
}
