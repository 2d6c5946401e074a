//! Blackouts: what they hold, until when, and what they say of schedules.

use crate::support::World;
use stella_contract::blackout::{AddBlackout, BlackoutAction, BlackoutTarget, BlackoutTargetKind};
use stella_contract::blocker::BlockerKind;
use stella_contract::error::Code;
use stella_contract::job::{JobState, WaitReason};
use stella_contract::page::PageQuery;
use stella_engine::blackouts::{FireHeld, FireHolds};

fn of(kind: BlackoutTargetKind, key: &str) -> AddBlackout {
    AddBlackout {
        targets: vec![BlackoutTarget { kind, key: key.to_owned() }],
        start: None,
        end: None,
        cron: None,
        duration_s: None,
        time_zone: None,
        action: None,
        drain_before_s: None,
    }
}

fn lasting(world: &World, from_s: i64, until_s: i64) -> AddBlackout {
    AddBlackout {
        start: Some(world.now().plus_ms(from_s * 1_000)),
        end: Some(world.now().plus_ms(until_s * 1_000)),
        ..of(BlackoutTargetKind::JobType, "exam")
    }
}

pub(crate) async fn nothing_starts_during_a_blackout_and_what_runs_goes_on(world: World) {
    let blackouts = world.engine.blackouts();
    let wish = AddBlackout { drain_before_s: Some(60), ..lasting(&world, 120, 300) };
    let made = blackouts.add(&world.caller, wish).await.unwrap();
    assert_eq!((made.active, made.reason.as_str()), (false, "a test"));
    let jobs = world.submit_many(2).await;
    let running = world.start_many(1).await.remove(0);
    world.pass_ms(60_000).await;
    assert_eq!(world.claim(2).await, []);
    let waiting = world.job(&jobs[1].job_id).await;
    assert_eq!((waiting.wait_reason, waiting.next_eligible_at), (Some(WaitReason::Blackout), made.times.end));
    assert_eq!(world.complete(&running.fence).await.unwrap().state, JobState::Succeeded);
    let listed = blackouts.list(&world.caller, &PageQuery::default()).await.unwrap().items;
    assert!(listed[0].active);
    world.pass_ms(240_000).await;
    assert_eq!(world.state(&jobs[1].job_id).await, JobState::Queued);
    assert_eq!(world.claim(2).await.len(), 1);
}

pub(crate) async fn overlapping_blackouts_hold_until_the_latest_end(world: World) {
    let blackouts = world.engine.blackouts();
    let first = blackouts.add(&world.caller, lasting(&world, 0, 100)).await.unwrap();
    blackouts.add(&world.caller, lasting(&world, 50, 300)).await.unwrap();
    let every_tenant = AddBlackout {
        start: Some(world.now()),
        end: Some(world.now().plus_ms(10_000)),
        ..of(BlackoutTargetKind::Tenant, "")
    };
    blackouts.add(&world.caller, every_tenant).await.unwrap();
    let job = world.submitted().await;
    assert_eq!(world.held_by(&job.job_id).await, [BlockerKind::Blackout, BlockerKind::Blackout]);
    // The second begins before the first is over, and both are on by then.
    world.pass_ms(60_000).await;
    assert_eq!(world.job(&job.job_id).await.next_eligible_at, Some(first.created_at.plus_ms(300_000)));
    let stale = blackouts.delete(&world.caller, &first.blackout_id, Some(7)).await.unwrap_err();
    assert_eq!(stale.code, Code::VersionMismatch);
    blackouts.delete(&world.caller, &first.blackout_id, None).await.unwrap();
    world.pass_ms(240_000).await;
    assert_eq!(world.claim(1).await.len(), 1);
}

pub(crate) async fn a_blackout_leaves_out_or_holds_the_fires_of_its_schedules(world: World) {
    let blackouts = world.engine.blackouts();
    let ask = |schedule: &'static str| {
        let (tenant, now, engine) = (world.caller.tenant.clone(), world.now(), world.engine.clone());
        async move {
            engine
                .ledger()
                .read(move |tx| {
                    Box::pin(async move {
                        Ok::<_, stella_engine::error::Error>(
                            FireHolds::read(tx).await?.of(&tenant, schedule, now),
                        )
                    })
                })
                .await
                .unwrap()
        }
    };
    assert_eq!(ask("nightly").await, FireHeld::Free);
    let (start, end) = (Some(world.now()), Some(world.now().plus_ms(60_000)));
    let hold = AddBlackout { start, end, ..of(BlackoutTargetKind::Schedule, "nightly") };
    blackouts.add(&world.caller, hold.clone()).await.unwrap();
    assert_eq!(ask("nightly").await, FireHeld::Until(end.unwrap()));
    assert_eq!(ask("hourly").await, FireHeld::Free);
    let skip = AddBlackout { action: Some(BlackoutAction::Skip), ..hold };
    blackouts.add(&world.caller, skip).await.unwrap();
    assert_eq!(ask("nightly").await, FireHeld::Skipped);
    // A blackout of a schedule holds no jobs.
    let job = world.submitted().await;
    assert_eq!(world.held_by(&job.job_id).await, []);
}

pub(crate) async fn a_wish_for_a_blackout_that_cannot_be_is_refused(world: World) {
    let good = lasting(&world, 0, 60);
    let target = |kind, key: &str| vec![BlackoutTarget { kind, key: key.to_owned() }];
    for (field, wish) in [
        ("targets", AddBlackout { targets: Vec::new(), ..good.clone() }),
        (
            "targets[0].key",
            AddBlackout { targets: target(BlackoutTargetKind::Tenant, "acme"), ..good.clone() },
        ),
        ("targets[0].key", AddBlackout { targets: target(BlackoutTargetKind::Host, ""), ..good.clone() }),
        (
            "targets[0].key",
            AddBlackout { targets: target(BlackoutTargetKind::Source, "one"), ..good.clone() },
        ),
        (
            "targets[0].key",
            AddBlackout { targets: target(BlackoutTargetKind::JobType, "No"), ..good.clone() },
        ),
        ("end", AddBlackout { end: good.start, ..good.clone() }),
        ("start", AddBlackout { start: None, ..good.clone() }),
        ("drainBeforeS", AddBlackout { drain_before_s: Some(-1), ..good.clone() }),
    ] {
        let refused = world.engine.blackouts().add(&world.caller, wish).await.unwrap_err();
        assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, field));
    }
}
