//! Dead letters: how they come, what operators do to them, and what comes of it.

use crate::support::World;
use serde_json::json;
use std::sync::Arc;
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, DeadLetter, DeadLetterFilter, DeadLetterState, ReplayDeadLetter, ResolutionCode,
    ResolveDeadLetter,
};
use stella_contract::error::Code;
use stella_contract::ids::DeadLetterId;
use stella_contract::job::{ErrorClass, Job, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_engine::Caller;
use stella_engine::dead_letters::DeadLetters;
use stella_engine::handlers::Failure;
use tokio::sync::Barrier;

pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

pub(crate) fn desk(world: &World) -> DeadLetters {
    world.engine.dead_letters()
}

/// A job that failed for good, with this failure.
pub(crate) async fn dead_with(world: &World, wish: SubmitJob, failure: Failure) -> Job {
    let job = world.submit(SubmitJob { max_attempts: Some(1), ..wish }).await;
    let lease = world.start().await;
    assert_eq!(lease.job.job_id, job.job_id);
    world.engine.work().fail(&lease.fence, failure).await.unwrap()
}

pub(crate) async fn dead(world: &World, class: ErrorClass) -> Job {
    dead_with(world, world.wish(), Failure::new(class, "BROKEN", "It broke.")).await
}

pub(crate) fn entry_of(job: &Job) -> DeadLetterId {
    DeadLetterId::from_uuid(job.job_id.uuid())
}

pub(crate) async fn entry(world: &World, id: &DeadLetterId) -> DeadLetter {
    desk(world).get(&world.caller, id).await.unwrap().entry
}

pub(crate) async fn all(world: &World, filter: &DeadLetterFilter) -> Vec<DeadLetter> {
    let query = PageQuery { page_token: None, page_size: Some(500) };
    desk(world).list(&world.caller, filter, &query).await.unwrap().items
}

pub(crate) async fn replay(world: &World, id: &DeadLetterId) -> Job {
    desk(world).replay(&world.caller, id, ReplayDeadLetter::default()).await.unwrap().job
}

/// What happened to an entry, oldest first, in short.
async fn kinds(world: &World, id: &DeadLetterId) -> Vec<String> {
    let mut history = desk(world).get(&world.caller, id).await.unwrap().history;
    history.reverse();
    history.into_iter().map(|one| one.kind.trim_start_matches("orch.deadletter.").to_owned()).collect()
}

pub(crate) fn resolution() -> ResolveDeadLetter {
    ResolveDeadLetter {
        resolution: ResolutionCode::FixedUpstream,
        note: "The feed answers again.".to_owned(),
    }
}

pub(crate) async fn a_job_that_failed_for_good_has_an_entry(world: World) {
    let job = world.submit(SubmitJob { max_attempts: Some(2), priority: Some(30), ..world.wish() }).await;
    let lease = world.start().await;
    world.fail(&lease.fence, ErrorClass::UpstreamError).await;
    let first_failed_at = world.now();
    assert_eq!(
        all(&world, &DeadLetterFilter::default()).await,
        [],
        "an attempt that is tried again makes none"
    );
    world.pass_ms(900_000).await;
    let lease = world.start().await;
    let mut failure = Failure::new(
        ErrorClass::UpstreamError,
        "SOURCE_UNREACHABLE",
        "https://ada:hunter2@a.example/x answered 503",
    );
    failure.http_status = Some(503);
    failure.host = Some("a.example".to_owned());
    world.engine.work().fail(&lease.fence, failure).await.unwrap();

    let id = entry_of(&job);
    let detail = desk(&world).get(&world.caller, &id).await.unwrap();
    let entry = &detail.entry;
    assert_eq!(entry.state, DeadLetterState::Open);
    assert_eq!((&entry.job_id, entry.job_type.as_str()), (&job.job_id, "exam"));
    assert_eq!((entry.category, entry.error_class), (ErrorClass::UpstreamError, ErrorClass::UpstreamError));
    assert_eq!(entry.error_message, "https://[redacted]@a.example/x answered 503");
    assert_eq!((entry.http_status, entry.host.as_deref()), (Some(503), Some("a.example")));
    assert_eq!((entry.attempts, entry.retryable, entry.replay_count), (2, true, 0));
    assert_eq!((entry.first_failed_at, entry.dead_lettered_at), (first_failed_at, world.now()));
    assert_eq!(entry.last_worker_id.as_ref(), Some(&world.worker));
    assert_eq!(entry.payload_digest, job.payload_digest);
    assert_eq!(detail.payload, json!({ "n": 1 }));
    assert_eq!(kinds(&world, &id).await, ["added"]);
    let told = world.job(&job.job_id).await.dead_letter_id;
    assert_eq!(told.map(|id| id.to_string()).as_deref(), Some(id.as_str()), "the job's page leads to it");
    world.assert_chain().await;
}

pub(crate) async fn a_job_whose_last_attempt_was_lost_has_an_entry(world: World) {
    let job = world.submit(SubmitJob { max_attempts: Some(1), ..world.wish() }).await;
    world.start().await;
    world.pass_ms(65_000).await;
    assert_eq!(world.state(&job.job_id).await, JobState::TimedOut);
    let entry = entry(&world, &entry_of(&job)).await;
    assert_eq!((entry.category, entry.state), (ErrorClass::LeaseLost, DeadLetterState::Open));
}

pub(crate) async fn a_cancelled_job_has_none(world: World) {
    let job = world.submitted().await;
    world.engine.jobs().cancel(&world.caller, &job.job_id).await.unwrap();
    assert_eq!(all(&world, &DeadLetterFilter::default()).await, []);
    let missing = desk(&world).get(&world.caller, &entry_of(&job)).await.unwrap_err();
    assert_eq!(missing.code, Code::NotFound);
}

pub(crate) async fn a_replay_that_succeeds_closes_the_entry(world: World) {
    let job = dead_with(
        &world,
        SubmitJob { priority: Some(30), ..world.wish() },
        Failure::new(ErrorClass::Auth, "X", "x"),
    )
    .await;
    let id = entry_of(&job);
    let new = replay(&world, &id).await;
    assert_eq!((new.replay_of.as_ref(), new.priority, new.attempt), (Some(&job.job_id), 75, 0));
    assert_eq!((new.payload_digest.as_str(), new.max_attempts), (job.payload_digest.as_str(), 1));
    assert_eq!(new.idempotency_key, format!("dlr:{id}:1"));
    let before = entry(&world, &id).await;
    assert_eq!((before.state, before.replay_count), (DeadLetterState::Replaying, 1));
    assert_eq!(
        (before.last_replay_job_id.as_ref(), before.last_replay_at),
        (Some(&new.job_id), Some(world.now()))
    );
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    assert_eq!(entry(&world, &id).await.state, DeadLetterState::Replayed);
    assert_eq!(kinds(&world, &id).await, ["added", "replaying", "replayed"]);
    let detail = desk(&world).get(&world.caller, &id).await.unwrap();
    assert_eq!(detail.replays.iter().map(|job| &job.job_id).collect::<Vec<_>>(), [&new.job_id]);
    assert_eq!(world.state(&job.job_id).await, JobState::Failed, "the original stays as it was");
    world.assert_chain().await;
}

pub(crate) async fn a_replay_that_fails_opens_the_entry_again_with_what_failed(world: World) {
    let job = dead(&world, ErrorClass::Network).await;
    let id = entry_of(&job);
    let new = replay(&world, &id).await;
    let lease = world.start().await;
    let failure = Failure::new(ErrorClass::Validation, "OTHER", "Something else.");
    world.engine.work().fail(&lease.fence, failure).await.unwrap();
    let detail = desk(&world).get(&world.caller, &id).await.unwrap();
    let entry = detail.entry;
    assert_eq!((entry.state, entry.replay_count), (DeadLetterState::Open, 1));
    assert_eq!((entry.category, entry.error_code.as_str()), (ErrorClass::Validation, "OTHER"));
    assert!(!entry.retryable);
    assert_eq!(kinds(&world, &id).await, ["added", "replaying", "reopened"]);
    assert_eq!(detail.history[0].data["before"]["errorCode"], "BROKEN", "the earlier failure is kept");
    assert_eq!(all(&world, &DeadLetterFilter::default()).await.len(), 1, "a replay has no entry of its own");
    let told = world.job(&new.job_id).await.dead_letter_id;
    assert_eq!(told.map(|id| id.to_string()).as_deref(), Some(id.as_str()));
    world.assert_chain().await;
}

pub(crate) async fn a_replay_that_is_cancelled_opens_the_entry_again(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    let new = replay(&world, &id).await;
    world.engine.jobs().cancel(&world.caller, &new.job_id).await.unwrap();
    let entry = entry(&world, &id).await;
    assert_eq!((entry.state, entry.error_code.as_str()), (DeadLetterState::Open, "BROKEN"));
}

pub(crate) async fn a_repeat_from_the_jobs_own_page_takes_the_entry_along(world: World) {
    let job = dead(&world, ErrorClass::Network).await;
    let id = entry_of(&job);
    let verb = stella_engine::verbs::Verb::Retry;
    world.engine.jobs().apply_to(&world.caller, verb, &job.job_id).await.unwrap();
    assert_eq!(entry(&world, &id).await.state, DeadLetterState::Replaying);
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    assert_eq!(entry(&world, &id).await.state, DeadLetterState::Replayed);
}

pub(crate) async fn an_edited_replay_keeps_the_original_and_writes_the_difference_down(world: World) {
    let wish = SubmitJob { payload: json!({ "n": 1, "token": "hunter2", "old": true }), ..world.wish() };
    let job = dead_with(&world, wish, Failure::new(ErrorClass::Validation, "X", "x")).await;
    let id = entry_of(&job);
    let edited = json!({ "n": 2, "token": "hunter3" });
    let wish = ReplayDeadLetter { payload: Some(edited.clone()), force: false };
    let started = desk(&world).replay(&world.caller, &id, wish).await.unwrap();
    assert_ne!(started.job.payload_digest, job.payload_digest);
    assert_eq!(started.entry.payload_digest, job.payload_digest, "the entry keeps the original");
    assert_eq!(world.start().await.payload, edited);
    let history = desk(&world).get(&world.caller, &id).await.unwrap().history;
    let said = history.iter().find(|one| one.kind == "orch.deadletter.edited").unwrap();
    assert_eq!(said.reason.as_deref(), Some("a test"));
    let expected = json!([
        { "op": "replace", "path": "/n", "value": 2 },
        { "op": "remove", "path": "/old" },
    ]);
    assert_eq!(said.data["payloadDiff"], expected);
    assert_eq!(said.data["payloadDigest"], json!(started.job.payload_digest));
    assert!(!said.data.to_string().contains("hunter"), "{}", said.data);

    let wrong = ReplayDeadLetter { payload: Some(json!([1])), force: false };
    let other = entry_of(&dead_one_more(&world).await);
    let error = desk(&world).replay(&world.caller, &other, wrong).await.unwrap_err();
    assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "payload"));
}

pub(crate) async fn an_edited_replay_keeps_the_secrets_that_its_editor_did_not_see(world: World) {
    let payload = json!({ "n": 1, "token": "hunter2", "url": "https://ada:hunter2@a.example/x" });
    let wish = SubmitJob { payload: payload.clone(), ..world.wish() };
    let id = entry_of(&dead_with(&world, wish, Failure::new(ErrorClass::Validation, "X", "x")).await);
    let mut edited = desk(&world).get(&world.caller, &id).await.unwrap().payload;
    assert_eq!(edited["token"], json!("[redacted]"));
    edited["n"] = json!(2);
    let mut moved = edited.clone();
    moved["other"] = edited["token"].clone();
    let wish = ReplayDeadLetter { payload: Some(moved), force: false };
    let error = desk(&world).replay(&world.caller, &id, wish).await.unwrap_err();
    assert!(error.code == Code::Invalid && error.fields[0].message.contains("`/other`"), "{error:?}");
    let wish = ReplayDeadLetter { payload: Some(edited), force: false };
    desk(&world).replay(&world.caller, &id, wish).await.unwrap();
    let mut expected = payload;
    expected["n"] = json!(2);
    assert_eq!(world.start().await.payload, expected);
    let history = desk(&world).get(&world.caller, &id).await.unwrap().history;
    let said = history.iter().find(|one| one.kind == "orch.deadletter.edited").unwrap();
    assert_eq!(said.data["payloadDiff"], json!([{ "op": "replace", "path": "/n", "value": 2 }]));
}

/// Another dead job while the ready one is held by its lease.
async fn dead_one_more(world: &World) -> Job {
    dead(world, ErrorClass::Network).await
}

pub(crate) async fn what_is_not_open_is_refused_by_name(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    let error = desk(&world).reopen(&world.caller, &id).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidTransition, "an open entry cannot be reopened");
    replay(&world, &id).await;
    let again = desk(&world).replay(&world.caller, &id, ReplayDeadLetter::default()).await.unwrap_err();
    let resolve = desk(&world).resolve(&world.caller, &id, resolution()).await.unwrap_err();
    let wish = AcknowledgeDeadLetter::default();
    let acknowledge = desk(&world).acknowledge(&world.caller, &id, wish).await.unwrap_err();
    for error in [again, resolve, acknowledge] {
        assert_eq!(error.code, Code::DeadletterNotOpen);
    }
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    let error = desk(&world).replay(&world.caller, &id, ReplayDeadLetter::default()).await.unwrap_err();
    assert_eq!(error.code, Code::DeadletterNotOpen, "what was replayed is closed");
    let error = desk(&world).reopen(&world.caller, &id).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidTransition, "and stays so");
}

pub(crate) async fn an_entry_is_resolved_with_code_and_note_and_reopened(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    for note in ["", "   ", &"x".repeat(1_001)] {
        let wish = ResolveDeadLetter { note: note.to_owned(), ..resolution() };
        let error = desk(&world).resolve(&world.caller, &id, wish).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "note"));
    }
    let longest = ResolveDeadLetter { note: "ü".repeat(1_000), ..resolution() };
    let resolved = desk(&world).resolve(&world.caller, &id, longest).await.unwrap();
    assert_eq!(
        (resolved.state, resolved.resolution),
        (DeadLetterState::Resolved, Some(ResolutionCode::FixedUpstream))
    );
    assert_eq!((resolved.resolved_by.as_deref(), resolved.resolved_at), (Some("ada"), Some(world.now())));
    let error = desk(&world).resolve(&world.caller, &id, resolution()).await.unwrap_err();
    assert_eq!(error.code, Code::DeadletterNotOpen);
    let open = desk(&world).reopen(&world.caller, &id).await.unwrap();
    assert_eq!((open.state, open.resolution, open.resolved_at), (DeadLetterState::Open, None, None));
    assert_eq!(kinds(&world, &id).await, ["added", "resolved", "reopened"]);
}

pub(crate) async fn every_resolution_code_is_kept(world: World) {
    for code in ResolutionCode::ALL {
        let id = entry_of(&dead(&world, ErrorClass::Network).await);
        let wish = ResolveDeadLetter { resolution: *code, note: "why".to_owned() };
        assert_eq!(desk(&world).resolve(&world.caller, &id, wish).await.unwrap().resolution, Some(*code));
    }
}

pub(crate) async fn an_entry_is_looked_after(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    let due_at = Some(world.now().plus_ms(DAY_MS));
    let wish =
        AcknowledgeDeadLetter { owner: Some("bob".to_owned()), note: Some("asked".to_owned()), due_at };
    let entry = desk(&world).acknowledge(&world.caller, &id, wish).await.unwrap();
    assert_eq!(
        (entry.state, entry.owner.as_deref(), entry.note.as_deref()),
        (DeadLetterState::Open, Some("bob"), Some("asked"))
    );
    assert_eq!((entry.acknowledged_by.as_deref(), entry.due_at), (Some("ada"), due_at));
    let entry = desk(&world).acknowledge(&world.caller, &id, AcknowledgeDeadLetter::default()).await.unwrap();
    assert_eq!(
        (entry.owner.as_deref(), entry.note.as_deref(), entry.due_at),
        (Some("ada"), Some("asked"), None)
    );
    let long = |field: &str| AcknowledgeDeadLetter {
        owner: (field == "owner").then(|| "x".repeat(129)),
        note: (field == "note").then(|| "x".repeat(1_001)),
        due_at: None,
    };
    for field in ["owner", "note"] {
        let error = desk(&world).acknowledge(&world.caller, &id, long(field)).await.unwrap_err();
        assert_eq!(error.fields[0].field, field);
    }
    let mine = DeadLetterFilter {
        owner: Some("ada".to_owned()),
        acknowledged: Some(true),
        ..DeadLetterFilter::default()
    };
    assert_eq!(all(&world, &mine).await.len(), 1);
}

pub(crate) async fn more_than_five_replays_need_force(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    for n in 1..=5 {
        replay(&world, &id).await;
        let lease = world.start().await;
        world.fail(&lease.fence, ErrorClass::Validation).await;
        assert_eq!(entry(&world, &id).await.replay_count, n);
    }
    let error = desk(&world).replay(&world.caller, &id, ReplayDeadLetter::default()).await.unwrap_err();
    assert_eq!(error.code, Code::ForceRequired);
    let wish = ReplayDeadLetter { force: true, payload: None };
    let started = desk(&world).replay(&world.caller, &id, wish).await.unwrap();
    assert_eq!(started.entry.replay_count, 6);
}

pub(crate) async fn another_tenant_or_scope_changes_nothing(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    let other = Caller::local("other".parse().unwrap(), "eve").because("a test", Some("OPS-1"));
    let error = desk(&world).get(&other, &id).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    let wish = ReplayDeadLetter::default();
    assert_eq!(desk(&world).replay(&other, &id, wish).await.unwrap_err().code, Code::NotFound);
    assert_eq!(desk(&world).resolve(&other, &id, resolution()).await.unwrap_err().code, Code::NotFound);
    let bare = Caller::local("acme".parse().unwrap(), "ada");
    let refused = desk(&world).replay(&bare, &id, ReplayDeadLetter::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::ReasonRequired);
    let ticketless = bare.because("why", None);
    let refused = desk(&world).resolve(&ticketless, &id, resolution()).await.unwrap_err();
    assert_eq!(refused.code, Code::TicketRequired);
    assert_eq!(entry(&world, &id).await.state, DeadLetterState::Open);
}

pub(crate) async fn replay_against_resolve_has_one_winner(world: World) {
    for _ in 0..25 {
        let id = entry_of(&dead(&world, ErrorClass::Auth).await);
        let barrier = Arc::new(Barrier::new(2));
        let (engine, caller, own, wait) =
            (world.engine.clone(), world.caller.clone(), id.clone(), barrier.clone());
        let resolver = tokio::spawn(async move {
            wait.wait().await;
            engine.dead_letters().resolve(&caller, &own, resolution()).await
        });
        barrier.wait().await;
        let replayed = desk(&world).replay(&world.caller, &id, ReplayDeadLetter::default()).await;
        let resolved = resolver.await.unwrap();
        let state = entry(&world, &id).await.state;
        match (replayed, resolved) {
            (Ok(started), Err(error)) => {
                assert_eq!((state, error.code), (DeadLetterState::Replaying, Code::DeadletterNotOpen));
                let lease = world.start().await;
                assert_eq!(lease.job.job_id, started.job.job_id);
                world.complete(&lease.fence).await.unwrap();
            }
            (Err(error), Ok(_)) => {
                assert_eq!((state, error.code), (DeadLetterState::Resolved, Code::DeadletterNotOpen));
                assert!(world.claim(1).await.is_empty(), "a refused replay leaves no job");
            }
            (replayed, resolved) => panic!("{replayed:?} and {resolved:?}"),
        }
    }
    world.assert_chain().await;
}
