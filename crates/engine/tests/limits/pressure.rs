//! Pressure: levels, what they refuse, and bounded pools.

use crate::support::World;
use stella_contract::blocker::BlockerKind;
use stella_contract::error::Code;
use stella_contract::job::{JobState, SubmitJob, WaitReason};
use stella_contract::pressure::{LimitPool, PressureGauge, PressureLevel};
use stella_engine::pressure::FireDelays;
use stella_ledger::LedgerError;
use stella_ledger::pressure::PressureRow;

async fn level(world: &World) -> PressureLevel {
    world.engine.pressure().get(&world.caller).await.unwrap().level
}

async fn refused(world: &World, priority: i32) -> Option<Code> {
    let wish = SubmitJob { priority: Some(priority), ..world.wish() };
    let answer = world.engine.jobs().submit(&world.caller, wish).await;
    answer.err().map(|error| {
        assert_eq!(error.retry_after_ms, Some(30_000));
        assert!(error.is_retryable());
        error.code
    })
}

/// Puts the tenant under pressure.
async fn put_level(world: &World, level: i64) {
    let now = world.now();
    world
        .engine
        .ledger()
        .write::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                let row = PressureRow {
                    tenant: "acme".to_owned(),
                    level,
                    since: now.0,
                    asked: level,
                    gauges: "{}".to_owned(),
                    read_at: now.0,
                };
                stella_ledger::pressure::put(tx, &row).await
            })
        })
        .await
        .unwrap();
}

pub(crate) async fn a_queue_that_waits_too_long_raises_the_level_and_low_priorities_are_refused(
    world: World,
) {
    let job = world.submitted().await;
    world.pass_ms(30 * 60_000 + 1_000).await;
    assert_eq!(level(&world).await, PressureLevel::Normal);
    for _ in 0..6 {
        world.pass_ms(5_000).await;
    }
    let told = world.engine.pressure().get(&world.caller).await.unwrap();
    assert_eq!((told.level, told.asked), (PressureLevel::High, PressureLevel::High));
    let oldest = told.gauges.iter().find(|one| one.gauge == PressureGauge::OldestQueued).unwrap();
    assert_eq!(oldest.level, PressureLevel::High);
    assert_eq!(refused(&world, 24).await, Some(Code::Backpressure));
    assert_eq!(refused(&world, 25).await, None);
    // Level 2 refuses at the door only; what is there is handed out.
    assert_eq!(world.held_by(&job.job_id).await, []);
    for lease in world.start_many(2).await {
        world.complete(&lease.fence).await.unwrap();
    }
    for _ in 0..24 {
        world.pass_ms(5_000).await;
        assert_eq!(level(&world).await, PressureLevel::High);
    }
    world.pass_ms(5_000).await;
    assert_eq!(level(&world).await, PressureLevel::Normal);
    assert_eq!(refused(&world, 0).await, None);
    world.assert_chain().await;
}

pub(crate) async fn under_critical_pressure_only_urgent_jobs_are_taken_in_and_handed_out(world: World) {
    let (low, urgent) =
        (world.submitted().await, world.submit(SubmitJob { priority: Some(75), ..world.wish() }).await);
    put_level(&world, 3).await;
    let leases = world.claim(2).await;
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].job.job_id, urgent.job_id);
    assert_eq!(world.state(&low.job_id).await, JobState::Pending);
    assert_eq!(world.waits(&low.job_id).await, Some(WaitReason::Backpressure));
    assert_eq!(world.held_by(&low.job_id).await, [BlockerKind::Backpressure]);
    assert_eq!(refused(&world, 74).await, Some(Code::Backpressure));
    assert_eq!(refused(&world, 75).await, None);
}

pub(crate) async fn under_pressure_the_fires_of_schedules_are_spread_over_half_a_minute(world: World) {
    let now = world.now();
    let delay = |schedule: String| {
        let (tenant, engine) = (world.caller.tenant.clone(), world.engine.clone());
        async move {
            engine
                .ledger()
                .read(move |tx| {
                    Box::pin(async move {
                        Ok::<_, stella_engine::error::Error>(
                            FireDelays::read(tx).await?.of(&tenant, &schedule, now),
                        )
                    })
                })
                .await
                .unwrap()
        }
    };
    assert_eq!(delay("nightly".to_owned()).await, 0);
    put_level(&world, 1).await;
    let mut delays = Vec::new();
    for n in 0..20 {
        delays.push(delay(format!("nightly-{n}")).await);
    }
    assert!(delays.iter().all(|ms| (0..=30_000).contains(ms)), "{delays:?}");
    assert!(delays.iter().max() > delays.iter().min(), "they do not all come at once: {delays:?}");
    // The same fire is delayed by the same time, however often it is asked for.
    assert_eq!(delay("nightly-7".to_owned()).await, delays[7]);
}

pub(crate) async fn a_bounded_pool_holds_no_more_jobs_than_its_bound(world: World) {
    let pressure = world.engine.pressure();
    let bound = |limit| LimitPool { pool: "one".to_owned(), limit, follow: false };
    let pool = pressure.limit_pool(&world.caller, bound(Some(2))).await.unwrap();
    assert_eq!((pool.limit, pool.fixed, pool.recommended), (2, true, 4));
    world.submit_many(5).await;
    assert_eq!(world.claim(5).await.len(), 2);
    assert_eq!(world.claim(5).await.len(), 0);
    let free = pressure.limit_pool(&world.caller, bound(None)).await.unwrap();
    assert_eq!((free.limit, free.fixed, free.in_use), (4, false, 2));
    assert_eq!(world.claim(5).await.len(), 3);
    for (code, wish) in [
        (Code::Invalid, bound(Some(0))),
        (Code::Invalid, bound(Some(65))),
        (Code::NotFound, LimitPool { pool: "nobody".to_owned(), limit: Some(1), follow: false }),
        (Code::Invalid, LimitPool { follow: true, ..bound(Some(1)) }),
    ] {
        assert_eq!(pressure.limit_pool(&world.caller, wish).await.unwrap_err().code, code);
    }
}

/// Dynamic concurrency: a pool that follows the rule loses three tenths of its places when its attempts fail.
pub(crate) async fn a_pool_that_follows_the_rule_is_bounded_by_what_the_rule_recommends(world: World) {
    let pressure = world.engine.pressure();
    let wish = LimitPool { pool: "one".to_owned(), limit: None, follow: true };
    let pool = pressure.limit_pool(&world.caller, wish).await.unwrap();
    assert_eq!((pool.limit, pool.fixed, pool.follows), (4, false, true));
    world.submit_many(30).await;
    let first = world.start_many(10).await;
    assert_eq!(first.len(), 4);
    for lease in &first {
        world.fail(&lease.fence, stella_contract::job::ErrorClass::Validation).await;
    }
    world.pass_ms(31_000).await;
    let pools = pressure.get(&world.caller).await.unwrap().pools;
    let failing = pools.into_iter().find(|pool| pool.pool == "one").unwrap();
    assert!(failing.limit < 4 && failing.limit == failing.recommended, "{failing:?}");
    let next = world.start_many(10).await.len();
    assert_eq!(i64::try_from(next).unwrap(), failing.limit, "no more start than the rule gives");
}
