//! Workers of other processes: what they do against the rules of their leases, and what they tell of their sources.

use crate::support::World;
use crate::together::{busy, stand_in_line};
use bytes::Bytes;
use futures::future::join_all;
use futures::{FutureExt as _, StreamExt as _};
use stella_contract::error::Code;
use stella_contract::ids::{SourceId, WorkerId};
use stella_contract::job::{ErrorClass, JobState, SubmitJob};
use stella_contract::lease::{AckLease, ClaimWork, CompleteLease, ReadUpTo, RegisterWorker, WorkLease};
use stella_contract::page::PageQuery;
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_contract::watermark::{Watermark, Window};
use stella_contract::worker::{Worker, WorkerState};
use stella_engine::Error;
use stella_engine::floor::NewUpload;
use stella_engine::workers::WorkerVerb;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

async fn register(world: &World, job_type: &str) -> WorkerId {
    let wish = RegisterWorker {
        name: "outside".to_owned(),
        version: "1".to_owned(),
        sdk: None,
        hostname: "elsewhere".to_owned(),
        job_types: vec![job_type.to_owned()],
        concurrency: 16,
        task_runner_id: None,
    };
    world.engine.floor().register(&world.caller, wish).await.unwrap().worker_id
}

/// Claims and starts what it gets.
async fn start(world: &World, worker_id: &WorkerId) -> Vec<WorkLease> {
    let wish = ClaimWork { worker_id: worker_id.clone(), job_types: Vec::new(), max: Some(16), wait_s: None };
    let leases = world.engine.floor().claim(&world.caller, wish).await.unwrap().unwrap().leases;
    for lease in &leases {
        let ack = AckLease { lease_epoch: lease.lease_epoch };
        world.engine.floor().ack(&world.caller, &lease.lease_id, ack).await.unwrap();
    }
    leases
}

fn bare(lease: &WorkLease) -> CompleteLease {
    CompleteLease {
        lease_epoch: lease.lease_epoch,
        artifacts: Vec::new(),
        outputs_hash: None,
        result: None,
        watermark: None,
    }
}

async fn complete(world: &World, lease: &WorkLease, watermark: Option<ReadUpTo>) -> Result<(), Error> {
    let wish = CompleteLease { watermark, ..bare(lease) };
    world.engine.floor().complete(&world.caller, &lease.lease_id, wish).await.map(|_| ())
}

async fn worker(world: &World, id: &WorkerId) -> Worker {
    let all = world.engine.workers().list(&world.caller, &PageQuery::default()).await.unwrap().items;
    all.into_iter().find(|one| one.worker_id == *id).unwrap()
}

/// Leases that the worker lost because it was silent.
async fn lost(world: &World, worker_id: &WorkerId, count: usize) -> Vec<WorkLease> {
    for _ in 0..count {
        world.submitted().await;
    }
    let leases = start(world, worker_id).await;
    assert_eq!(leases.len(), count);
    world.pass_ms(65_000).await;
    leases
}

pub(crate) async fn a_worker_that_breaks_its_leases_five_times_in_an_hour_is_quarantined(world: World) {
    let id = register(&world, "exam").await;
    let leases = lost(&world, &id, 6).await;
    for lease in &leases[..4] {
        assert_eq!(complete(&world, lease, None).await.unwrap_err().code, Code::LeaseLost);
    }
    assert_ne!(worker(&world, &id).await.state, WorkerState::Quarantined, "four are none too many");
    assert_eq!(complete(&world, &leases[4], None).await.unwrap_err().code, Code::LeaseLost);
    let quarantined = worker(&world, &id).await;
    assert_eq!(quarantined.state, WorkerState::Quarantined);
    assert_eq!(quarantined.wish_reason.as_deref(), Some("5 violations of its leases within an hour"));
    let wish = ClaimWork { worker_id: id.clone(), job_types: Vec::new(), max: None, wait_s: None };
    let refused = world.engine.floor().claim(&world.caller, wish).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidTransition);
    world.assert_chain().await;
    // An operator clears it, and counting begins anew.
    world.engine.workers().apply(&world.caller, WorkerVerb::Resume, &id).await.unwrap();
    assert_eq!(complete(&world, &leases[5], None).await.unwrap_err().code, Code::LeaseLost);
    assert_ne!(worker(&world, &id).await.state, WorkerState::Quarantined);
}

pub(crate) async fn violations_of_an_hour_ago_do_not_count(world: World) {
    let id = register(&world, "exam").await;
    let leases = lost(&world, &id, 8).await;
    for half in leases.chunks(4) {
        for lease in half {
            complete(&world, lease, None).await.unwrap_err();
        }
        world.clock.advance_ms(60 * 60 * 1_000);
    }
    assert_ne!(worker(&world, &id).await.state, WorkerState::Quarantined);
}

pub(crate) async fn bytes_that_are_not_what_was_said_count_too(world: World) {
    let id = register(&world, "exam").await;
    let job = world.submitted().await;
    let lease = start(&world, &id).await.remove(0);
    for _ in 0..5 {
        assert_ne!(worker(&world, &id).await.state, WorkerState::Quarantined);
        let wish = NewUpload {
            lease_epoch: lease.lease_epoch,
            name: "a.bin".to_owned(),
            kind: "thing".to_owned(),
            media_type: "application/octet-stream".to_owned(),
            digest: stella_bundle::digest::of_bytes(b"something"),
        };
        let body = futures::stream::once(async { Ok(Bytes::from_static(b"another")) }).boxed();
        let answer = world.engine.floor().put_artifact(&world.caller, &lease.lease_id, wish, body).await;
        assert_eq!(answer.unwrap_err().code, Code::ArtifactDigestMismatch);
        assert_eq!(world.state(&job.job_id).await, JobState::Running);
        world.clock.advance_ms(1);
    }
    assert_eq!(worker(&world, &id).await.state, WorkerState::Quarantined);
}

async fn add(world: &World, name: &str, source_type: SourceType) -> SourceId {
    let location = format!("https://{name}.example/api");
    let wish = AddSource { name: name.to_owned(), source_type, location };
    world.engine.sources().add(&world.caller, wish).await.unwrap().source_id
}

async fn read(world: &World, source: &SourceId, worker_id: &WorkerId) -> WorkLease {
    world.engine.sources().run(&world.caller, source, RunSource::default()).await.unwrap();
    start(world, worker_id).await.remove(0)
}

async fn mark(world: &World, source: &SourceId) -> Watermark {
    world.engine.sources().watermarks(&world.caller, source).await.unwrap().items.remove(0)
}

pub(crate) async fn how_far_a_worker_of_ones_own_read_its_source_is_kept_with_its_success(world: World) {
    let source = add(&world, "events", SourceType::Custom).await;
    let id = register(&world, "ingest.custom").await;
    let (start, end) = (world.now().minus_ms(2 * DAY_MS), world.now().minus_ms(DAY_MS));
    let told = ReadUpTo {
        start: Some(start),
        end,
        newest: Some(end.minus_ms(5)),
        last_event_hash: Some("sha256:1".to_owned()),
        cursor: Some("page-7".to_owned()),
    };
    let lease = read(&world, &source, &id).await;
    complete(&world, &lease, Some(told)).await.unwrap();
    let first = mark(&world, &source).await;
    assert_eq!((first.coverage_from, first.low_watermark), (Some(start), Some(end)));
    assert_eq!((first.high_watermark, first.cursor.as_deref()), (Some(end.minus_ms(5)), Some("page-7")));
    assert_eq!(first.last_event_hash.as_deref(), Some("sha256:1"));
    let shown = world.engine.sources().get(&world.caller, &source).await.unwrap();
    assert_eq!(shown.last_success_at, Some(world.now()));
    // The next one goes on where this one ended; what lies apart waits beside it.
    let next = |from: Option<i64>, to: i64| ReadUpTo {
        start: from.map(|ms| end.plus_ms(ms)),
        end: end.plus_ms(to),
        newest: None,
        last_event_hash: None,
        cursor: None,
    };
    let lease = read(&world, &source, &id).await;
    complete(&world, &lease, Some(next(None, 1_000))).await.unwrap();
    assert_eq!(mark(&world, &source).await.low_watermark, Some(end.plus_ms(1_000)));
    let lease = read(&world, &source, &id).await;
    complete(&world, &lease, Some(next(Some(2_000), 3_000))).await.unwrap();
    let apart = mark(&world, &source).await;
    assert_eq!(apart.low_watermark, Some(end.plus_ms(1_000)));
    let beside = Window { start: end.plus_ms(2_000), end: end.plus_ms(3_000) };
    assert_eq!((apart.completed_ranges, apart.cursor.as_deref()), (vec![beside], Some("page-7")));
    world.assert_chain().await;
}

pub(crate) async fn a_watermark_that_cannot_be_is_refused_and_the_job_goes_on(world: World) {
    let custom = register(&world, "ingest.custom").await;
    let source = add(&world, "events", SourceType::Custom).await;
    let lease = read(&world, &source, &custom).await;
    let at = |start: Option<i64>, end: i64| ReadUpTo {
        start: start.map(|ms| world.now().plus_ms(ms)),
        end: world.now().plus_ms(end),
        newest: None,
        last_event_hash: None,
        cursor: None,
    };
    for (field, told) in [
        ("watermark.end", at(None, 1_000)),
        ("watermark.start", at(Some(-10), -10)),
        ("watermark.cursor", ReadUpTo { cursor: Some("x".repeat(1_001)), ..at(None, -10) }),
    ] {
        let refused = complete(&world, &lease, Some(told)).await.unwrap_err();
        assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, field));
    }
    assert_eq!(world.state(&lease.job_id).await, JobState::Running);
    complete(&world, &lease, None).await.unwrap();
    // Only a job that reads a source of one's own tells one.
    let kev = register(&world, "ingest.kev").await;
    let list = add(&world, "list", SourceType::Kev).await;
    let exam = register(&world, "exam").await;
    world.submitted().await;
    for lease in [read(&world, &list, &kev).await, start(&world, &exam).await.remove(0)] {
        let refused = complete(&world, &lease, Some(at(None, -10))).await.unwrap_err();
        assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, "watermark"));
        complete(&world, &lease, None).await.unwrap();
    }
}

pub(crate) async fn a_failed_job_says_its_cause_and_whether_another_try_may_help(world: World) {
    world.submit(SubmitJob { max_attempts: Some(2), ..world.wish() }).await;
    let waiting = world.fail(&world.start().await.fence, ErrorClass::Network).await;
    assert_eq!((waiting.state, waiting.retryable), (JobState::Pending, Some(true)));
    world.pass_ms(DAY_MS).await;
    let dead = world.fail(&world.start().await.fence, ErrorClass::Validation).await;
    assert_eq!((dead.state, dead.retryable), (JobState::Failed, Some(false)));
    let letters = world.engine.dead_letters();
    let entry = letters.list(&world.caller, &Default::default(), &PageQuery::default()).await.unwrap();
    assert_eq!(dead.error_fingerprint.as_ref(), Some(&entry.items[0].fingerprint));
    assert_ne!(waiting.error_fingerprint, dead.error_fingerprint);
    assert_eq!(world.submitted().await.error_fingerprint, None);
}

/// Claims without a start.
async fn claim(world: &World, worker_id: &WorkerId) -> WorkLease {
    let wish = ClaimWork { worker_id: worker_id.clone(), job_types: Vec::new(), max: Some(1), wait_s: None };
    let mut leases = world.engine.floor().claim(&world.caller, wish).await.unwrap().unwrap().leases;
    leases.pop().unwrap()
}

pub(crate) async fn of_two_who_start_one_job_at_the_same_time_only_the_holder_does(world: World) {
    let (slow, quick) = (register(&world, "exam").await, register(&world, "exam").await);
    let job = world.submitted().await;
    let stale = claim(&world, &slow).await;
    world.pass_ms(20_000).await;
    let held = claim(&world, &quick).await;
    assert_eq!((&stale.job_id, &held.job_id), (&job.job_id, &job.job_id));
    let (go_on, busy) = busy(&world).await;
    let ack = |lease: &WorkLease| {
        let (floor, caller) = (world.engine.floor(), world.caller.clone());
        let (id, wish) = (lease.lease_id.clone(), AckLease { lease_epoch: lease.lease_epoch });
        async move { floor.ack(&caller, &id, wish).await.map(|_| ()) }.boxed()
    };
    // The holder says it twice, and the one who lost the job in between.
    let mut said = vec![ack(&held), ack(&stale), ack(&held)];
    stand_in_line(&mut said).await;
    go_on.notify_one();
    let heard = join_all(said).await;
    busy.await.unwrap().unwrap();
    assert_eq!(heard[1].as_ref().unwrap_err().code, Code::LeaseLost);
    assert!(heard[0].is_ok() && heard[2].is_ok(), "{heard:?}");
    assert_eq!(world.state(&job.job_id).await, JobState::Running);
    let started = world.kinds(&job.job_id).await.iter().filter(|kind| *kind == "started").count();
    assert_eq!(started, 1);
}

pub(crate) async fn what_workers_end_at_the_same_time_ends_in_one_commit_each_for_itself(world: World) {
    let id = register(&world, "exam").await;
    for _ in 0..4 {
        world.submitted().await;
    }
    let leases = start(&world, &id).await;
    let (go_on, busy) = busy(&world).await;
    let before = world.engine.ledger().commits();
    let complete = |lease: &WorkLease, lease_epoch: i64| {
        let (floor, caller) = (world.engine.floor(), world.caller.clone());
        let (id, wish) = (lease.lease_id.clone(), CompleteLease { lease_epoch, ..bare(lease) });
        async move { floor.complete(&caller, &id, wish).await }.boxed()
    };
    // All of them, one of them twice, one under an epoch that was never given, and one that names what it never brought.
    let mut said: Vec<_> = leases[..3].iter().map(|lease| complete(lease, lease.lease_epoch)).collect();
    said.push(complete(&leases[0], leases[0].lease_epoch));
    said.push(complete(&leases[3], leases[3].lease_epoch + 1));
    let named = CompleteLease { outputs_hash: Some("x".to_owned()), ..bare(&leases[3]) };
    let (floor, caller, lease) = (world.engine.floor(), world.caller.clone(), leases[3].lease_id.clone());
    said.push(async move { floor.complete(&caller, &lease, named).await }.boxed());
    stand_in_line(&mut said).await;
    go_on.notify_one();
    let heard = join_all(said).await;
    busy.await.unwrap().unwrap();
    for (lease, answer) in leases[..3].iter().chain([&leases[0]]).zip(&heard) {
        let job = answer.as_ref().unwrap();
        assert_eq!((&job.job_id, job.state), (&lease.job_id, JobState::Succeeded));
        let ended = world.kinds(&job.job_id).await.iter().filter(|kind| *kind == "succeeded").count();
        assert_eq!(ended, 1);
    }
    assert_eq!(heard[4].as_ref().unwrap_err().code, Code::LeaseLost);
    assert_eq!(heard[5].as_ref().unwrap_err().code, Code::ArtifactDigestMismatch);
    assert_eq!(world.state(&leases[3].job_id).await, JobState::Running, "its worker may still end it");
    // What kept the writer busy, all that was said, and the two violations, which may share theirs.
    let commits = world.engine.ledger().commits() - before;
    assert!((3..=4).contains(&commits), "{commits} commits");
    world.assert_chain().await;
}
