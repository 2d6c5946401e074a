//! Breakers: opened by failures, tried with probes, steered by hand.

use crate::support::World;
use stella_contract::blocker::BlockerKind;
use stella_contract::breaker::{AddBreaker, Breaker, BreakerFilter, BreakerKind, BreakerState};
use stella_contract::error::Code;
use stella_contract::job::{ErrorClass, Job, SubmitJob, WaitReason};
use stella_contract::page::PageQuery;
use stella_contract::throttle::{ThrottleFilter, ThrottleKind};

async fn one_shot(world: &World) -> Job {
    world.submit(SubmitJob { max_attempts: Some(1), ..world.wish() }).await
}

async fn fails(world: &World, n: usize, class: ErrorClass) {
    for _ in 0..n {
        one_shot(world).await;
        world.idle().await;
        let lease = world.start().await;
        world.fail(&lease.fence, class).await;
    }
}

async fn breaker(world: &World) -> Breaker {
    let all = world.engine.breakers().list(&world.caller, &BreakerFilter::default()).await.unwrap();
    all.items.into_iter().find(|breaker| breaker.key == "exam").expect("there is one")
}

pub(crate) async fn failures_open_the_breaker_of_the_type_and_probes_close_it(world: World) {
    fails(&world, 9, ErrorClass::Network).await;
    assert_eq!(
        world.engine.breakers().list(&world.caller, &BreakerFilter::default()).await.unwrap().items,
        []
    );
    fails(&world, 1, ErrorClass::Network).await;
    let open = breaker(&world).await;
    assert_eq!((open.state, open.kind, open.openings), (BreakerState::Open, BreakerKind::JobType, 1));
    assert_eq!((open.attempts, open.failures), (10, 10));
    assert_eq!(open.open_until, Some(world.now().plus_ms(60_000)));
    world.idle().await;
    let mut jobs = Vec::new();
    for _ in 0..5 {
        jobs.push(one_shot(&world).await);
    }
    let waiting = world.job(&jobs[0].job_id).await;
    assert_eq!(
        (waiting.wait_reason, waiting.next_eligible_at),
        (Some(WaitReason::BreakerOpen), open.open_until)
    );
    let filter = ThrottleFilter { active: Some(true), kind: Some(ThrottleKind::Breaker) };
    let throttles = world.engine.throttles();
    assert_eq!(throttles.list(&world.caller, &filter, &PageQuery::default()).await.unwrap().items.len(), 1);
    world.pass_ms(60_000).await;
    assert_eq!(breaker(&world).await.state, BreakerState::HalfOpen);
    let probes = world.start_many(5).await;
    assert_eq!(probes.len(), 3);
    world.idle().await;
    assert_eq!(world.held_by(&jobs[4].job_id).await, [BlockerKind::BreakerOpen]);
    assert_eq!(breaker(&world).await.probes_at_work, 3);
    for probe in &probes {
        assert_eq!(breaker(&world).await.state, BreakerState::HalfOpen);
        world.complete(&probe.fence).await.unwrap();
        world.idle().await;
    }
    let closed = breaker(&world).await;
    assert_eq!((closed.state, closed.openings, closed.failures), (BreakerState::Closed, 0, 0));
    assert_eq!(world.claim(5).await.len(), 2);
    assert_eq!(throttles.list(&world.caller, &filter, &PageQuery::default()).await.unwrap().items, []);
    world.assert_chain().await;
}

pub(crate) async fn a_probe_that_fails_opens_it_for_twice_as_long(world: World) {
    fails(&world, 10, ErrorClass::Network).await;
    for seconds in [120, 240, 480, 900, 900] {
        let wait = breaker(&world).await.open_until.unwrap().ms_since(world.now());
        world.pass_ms(wait).await;
        one_shot(&world).await;
        world.idle().await;
        let probe = world.start().await;
        world.fail(&probe.fence, ErrorClass::Network).await;
        let again = breaker(&world).await;
        assert_eq!(again.state, BreakerState::Open);
        assert_eq!(again.open_until, Some(world.now().plus_ms(seconds * 1_000)));
    }
}

pub(crate) async fn failures_that_would_not_mend_open_nothing(world: World) {
    fails(&world, 12, ErrorClass::SchemaMismatch).await;
    // Too many requests count for the bucket of the host, and this job has none.
    fails(&world, 12, ErrorClass::UpstreamThrottle).await;
    let all = world.engine.breakers().list(&world.caller, &BreakerFilter::default()).await.unwrap();
    assert_eq!(all.items, []);
}

pub(crate) async fn an_operator_opens_closes_and_resets_a_breaker(world: World) {
    let breakers = world.engine.breakers();
    let wish = AddBreaker { kind: BreakerKind::JobType, key: "exam".to_owned(), state: BreakerState::Open };
    let open = breakers.add(&world.caller, wish.clone()).await.unwrap();
    assert_eq!((open.state, open.forced, open.open_until), (BreakerState::Open, true, None));
    let job = world.submitted().await;
    let explained = world.explain(&job.job_id).await;
    assert_eq!(explained.blockers[0].holder, open.breaker_id.as_str());
    assert_eq!((explained.blockers[0].until, explained.next_eligible_at), (None, None));
    world.pass_ms(3_600_000).await;
    assert_eq!(breaker(&world).await.state, BreakerState::Open);
    let stale = breakers.reset(&world.caller, &open.breaker_id, Some(0)).await.unwrap_err();
    assert_eq!(stale.code, Code::VersionMismatch);
    let closed = breakers.close(&world.caller, &open.breaker_id, Some(open.version)).await.unwrap();
    assert_eq!((closed.state, closed.forced), (BreakerState::Closed, true));
    world.idle().await;
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    // Closed by force it stays closed, whatever fails.
    fails(&world, 20, ErrorClass::Network).await;
    assert_eq!(breaker(&world).await.state, BreakerState::Closed);
    let reset = breakers.reset(&world.caller, &open.breaker_id, None).await.unwrap();
    assert_eq!((reset.forced, reset.openings), (false, 0));
    for (field, wish) in [
        ("state", AddBreaker { state: BreakerState::HalfOpen, ..wish.clone() }),
        ("key", AddBreaker { key: "Exam!".to_owned(), ..wish.clone() }),
        ("key", AddBreaker { kind: BreakerKind::Host, key: "https://a.example/x".to_owned(), ..wish }),
    ] {
        assert_eq!(breakers.add(&world.caller, wish).await.unwrap_err().fields[0].field, field);
    }
}
