//! The far side: its bucket, its wishes for peace, an operator's rate.

use crate::support::World;
use stella_contract::blocker::BlockerKind;
use stella_contract::error::Code;
use stella_contract::job::{ErrorClass, Job, JobState, WaitReason};
use stella_contract::page::PageQuery;
use stella_contract::pressure::{Bucket, OverrideBucket};
use stella_contract::source::{AddSource, RunSource, SourceType, UpdateSource};
use stella_contract::throttle::{Throttle, ThrottleFilter, ThrottleKind, ThrottleReason};
use stella_engine::handlers::Failure;
use stella_engine::work::Lease;

const TYPE: &str = "ingest.kev";

async fn read(world: &World, name: &str) -> Job {
    let location = format!("https://feeds.example/{name}.json");
    let wish = AddSource { name: name.to_owned(), source_type: SourceType::Kev, location };
    let source = world.engine.sources().add(&world.caller, wish).await.unwrap();
    world.engine.sources().run(&world.caller, &source.source_id, RunSource::default()).await.unwrap()
}

async fn claim(world: &World, n: usize) -> Vec<Lease> {
    let leases = world.engine.work().claim(&world.worker, &[TYPE.to_owned()], n).await.unwrap();
    let fences: Vec<_> = leases.iter().map(|lease| lease.fence.clone()).collect();
    if !fences.is_empty() {
        world.engine.work().ack(&fences).await.unwrap();
    }
    leases
}

async fn bucket(world: &World) -> Bucket {
    world.engine.pressure().get(&world.caller).await.unwrap().buckets.remove(0)
}

async fn active(world: &World) -> Vec<Throttle> {
    let filter = ThrottleFilter { active: Some(true), kind: Some(ThrottleKind::Bucket) };
    world.engine.throttles().list(&world.caller, &filter, &PageQuery::default()).await.unwrap().items
}

pub(crate) async fn a_host_that_asks_for_peace_is_left_alone(world: World) {
    let (first, second) = (read(&world, "one").await, read(&world, "two").await);
    let lease = claim(&world, 1).await.remove(0);
    assert_eq!(lease.job.job_id, first.job_id);
    let mut failure = Failure::new(ErrorClass::UpstreamThrottle, "HTTP_429", "Too many requests.");
    failure.retry_after_ms = Some(120_000);
    world.engine.work().fail(&lease.fence, failure).await.unwrap();
    let now = bucket(&world).await;
    assert_eq!((now.current_rate, now.tokens, now.host.as_str()), (0.5, 0.0, "feeds.example"));
    let until = now.frozen_until.expect("it is left alone");
    // As long as it asked for, and up to a tenth more.
    assert!((120_000..=132_000).contains(&until.ms_since(world.now())), "{until}");
    let throttle = active(&world).await.remove(0);
    assert_eq!((throttle.reason, throttle.hits), (ThrottleReason::Upstream429, 1));
    assert_eq!((throttle.key.as_str(), throttle.until), ("feeds.example", Some(until)));
    assert_eq!((throttle.rate_now, throttle.rate_base), (Some(0.5), Some(1.0)));
    assert_eq!(throttle.last_status, Some(429));
    assert_eq!(claim(&world, 2).await, []);
    assert_eq!(world.waits(&second.job_id).await, Some(WaitReason::RateLimited));
    assert_eq!(world.held_by(&second.job_id).await, [BlockerKind::RateLimited]);
    let throttle = active(&world).await.remove(0);
    assert_eq!(throttle.affected_jobs, 1);
    assert!(throttle.hits > 1);
    // At the end of the peace one token has to gather at half the rate.
    world.pass_ms(until.ms_since(world.now()) + 2_000).await;
    assert_eq!(claim(&world, 2).await.len(), 1);
    // The other attempt takes the next token; then nothing waits for the host any more.
    world.pass_ms(5_000).await;
    assert_eq!(claim(&world, 2).await.len(), 1);
    world.idle().await;
    let old = world
        .engine
        .throttles()
        .list(&world.caller, &ThrottleFilter { active: Some(false), kind: None }, &PageQuery::default())
        .await
        .unwrap();
    assert!(old.items.iter().any(|one| one.throttle_id == throttle.throttle_id), "{old:?}");
}

pub(crate) async fn a_host_that_fails_is_called_more_slowly_and_an_operator_may_set_the_rate(world: World) {
    read(&world, "one").await;
    let lease = claim(&world, 1).await.remove(0);
    let failure = Failure::new(ErrorClass::UpstreamError, "HTTP_500", "It failed.");
    world.engine.work().fail(&lease.fence, failure).await.unwrap();
    let before = bucket(&world).await;
    assert!((before.current_rate - 0.8).abs() < 1e-9);
    let pressure = world.engine.pressure();
    let wish = OverrideBucket { rate: Some(5.0), until: Some(world.now().plus_ms(60_000)) };
    let set = pressure
        .override_bucket(&world.caller, &before.bucket_id, Some(before.version), wish.clone())
        .await
        .unwrap();
    assert_eq!((set.current_rate, set.overridden_by.as_deref()), (5.0, Some("ada")));
    let late = pressure.override_bucket(&world.caller, &before.bucket_id, Some(before.version), wish).await;
    assert_eq!(late.unwrap_err().code, Code::VersionMismatch);
    let long = OverrideBucket { rate: Some(5.0), until: Some(world.now().plus_ms(24 * 3_600_000 + 1)) };
    let refused = pressure.override_bucket(&world.caller, &before.bucket_id, None, long).await.unwrap_err();
    assert_eq!(refused.fields[0].field, "until");
    let negative = OverrideBucket { rate: Some(-1.0), until: None };
    let refused = pressure.override_bucket(&world.caller, &before.bucket_id, None, negative).await;
    assert_eq!(refused.unwrap_err().fields[0].field, "rate");
    world.pass_ms(60_000).await;
    let after = bucket(&world).await;
    assert_eq!((after.override_until, after.overridden_by), (None, None));
    assert!(after.current_rate <= 1.0);
}

pub(crate) async fn what_a_source_says_of_its_bucket_is_what_the_bucket_of_its_host_is_made_of(world: World) {
    let mut jobs = Vec::new();
    for n in 0..6 {
        jobs.push(read(&world, &format!("s{n}")).await);
    }
    let tight = UpdateSource { bucket_capacity: Some(2), bucket_rate: Some(0.5), ..UpdateSource::default() };
    let source = jobs[0].source_id.clone().unwrap();
    world.engine.sources().update(&world.caller, &source, tight).await.unwrap();
    // Of the sources of one host the strictest counts.
    assert_eq!(claim(&world, 6).await.len(), 2);
    let now = bucket(&world).await;
    assert_eq!((now.capacity, now.base_rate, now.current_rate), (2.0, 0.5, 0.5));
    world.idle().await;
    assert_eq!(world.waits(&jobs[5].job_id).await, Some(WaitReason::RateLimited));
    world.pass_ms(2_000).await;
    assert_eq!(claim(&world, 6).await.len(), 1);
    let wide = UpdateSource { bucket_capacity: Some(50), bucket_rate: Some(5.0), ..UpdateSource::default() };
    world.engine.sources().update(&world.caller, &source, wide).await.unwrap();
    world.pass_ms(3_000).await;
    assert_eq!(claim(&world, 6).await.len(), 3, "the other sources of the host allow one per second");
}

pub(crate) async fn the_burst_of_a_host_is_its_bucket(world: World) {
    let mut jobs = Vec::new();
    for n in 0..12 {
        jobs.push(read(&world, &format!("s{n:02}")).await);
    }
    assert_eq!(claim(&world, 12).await.len(), 10);
    world.idle().await;
    let mut held = 0;
    for job in &jobs {
        held += usize::from(world.waits(&job.job_id).await == Some(WaitReason::RateLimited));
    }
    assert_eq!(held, 2);
    let throttle = active(&world).await.remove(0);
    world.engine.throttles().clear(&world.caller, &throttle.throttle_id).await.unwrap();
    world.idle().await;
    assert_eq!(world.count(&jobs, JobState::Queued).await, 1);
    let again = world.engine.throttles().clear(&world.caller, &throttle.throttle_id).await.unwrap_err();
    assert_eq!(again.code, Code::InvalidTransition);
}

/// What the page draws: the rate falls when the host asks for peace and comes back by itself.
pub(crate) async fn the_rate_of_a_host_is_told_as_it_was_over_two_hours(world: World) {
    read(&world, "one").await;
    world.pass_ms(60_000).await;
    let lease = claim(&world, 1).await.remove(0);
    let mut failure = Failure::new(ErrorClass::UpstreamThrottle, "HTTP_429", "Too many requests.");
    failure.retry_after_ms = Some(30_000);
    world.engine.work().fail(&lease.fence, failure).await.unwrap();
    for _ in 0..10 {
        world.pass_ms(60_000).await;
    }
    let told = bucket(&world).await;
    assert_eq!((told.rates.len(), told.rates.last()), (60, Some(&told.current_rate)));
    let lowest = told.rates.iter().copied().fold(1.0, f64::min);
    assert!(lowest < 0.8, "{told:?}");
    assert_eq!(told.rates[0], 1.0, "before anything was wrong");
    assert!(told.current_rate > lowest, "it comes back: {told:?}");
    let mut falls = told.rates.windows(2).filter(|pair| pair[1] < pair[0]);
    assert!(falls.next().is_some() && falls.next().is_none(), "it fell once: {told:?}");
}
