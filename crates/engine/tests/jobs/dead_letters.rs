//! Dead letters: how they come, what operators do to them, and what comes of it.

use crate::support::World;
use serde_json::{Value, json};
use std::sync::Arc;
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, BatchReplay, BatchResolve, DeadLetter, DeadLetterFilter, DeadLetterHealth,
    DeadLetterState, ExportDeadLetters, ExportFormat, ReplayDeadLetter, ResolutionCode, ResolveDeadLetter,
    SelectDeadLetters,
};
use stella_contract::error::Code;
use stella_contract::ids::DeadLetterId;
use stella_contract::job::{ErrorClass, Job, JobState, SubmitJob};
use stella_contract::page::PageQuery;
use stella_contract::time::Micros;
use stella_engine::Caller;
use stella_engine::dead_letters::DeadLetters;
use stella_engine::handlers::Failure;
use tokio::sync::Barrier;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn desk(world: &World) -> DeadLetters {
    world.engine.dead_letters()
}

/// A job that failed for good, with this failure.
async fn dead_with(world: &World, wish: SubmitJob, failure: Failure) -> Job {
    let job = world.submit(SubmitJob { max_attempts: Some(1), ..wish }).await;
    let lease = world.start().await;
    assert_eq!(lease.job.job_id, job.job_id);
    world.engine.work().fail(&lease.fence, failure).await.unwrap()
}

async fn dead(world: &World, class: ErrorClass) -> Job {
    dead_with(world, world.wish(), Failure::new(class, "BROKEN", "It broke.")).await
}

fn entry_of(job: &Job) -> DeadLetterId {
    DeadLetterId::from_uuid(job.job_id.uuid())
}

async fn entry(world: &World, id: &DeadLetterId) -> DeadLetter {
    desk(world).get(&world.caller, id).await.unwrap().entry
}

async fn all(world: &World, filter: &DeadLetterFilter) -> Vec<DeadLetter> {
    let query = PageQuery { page_token: None, page_size: Some(500) };
    desk(world).list(&world.caller, filter, &query).await.unwrap().items
}

async fn replay(world: &World, id: &DeadLetterId) -> Job {
    desk(world).replay(&world.caller, id, ReplayDeadLetter::default()).await.unwrap().job
}

/// What happened to an entry, oldest first, in short.
async fn kinds(world: &World, id: &DeadLetterId) -> Vec<String> {
    let mut history = desk(world).get(&world.caller, id).await.unwrap().history;
    history.reverse();
    history.into_iter().map(|one| one.kind.trim_start_matches("orch.deadletter.").to_owned()).collect()
}

fn resolution() -> ResolveDeadLetter {
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

pub(crate) async fn a_batch_runs_what_its_dry_run_showed_and_answers_per_entry(world: World) {
    let retryable = entry_of(&dead(&world, ErrorClass::Network).await);
    let stubborn = entry_of(&dead(&world, ErrorClass::Validation).await);
    let closed = entry_of(&dead(&world, ErrorClass::Network).await);
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    let ids = vec![retryable.clone(), stubborn.clone(), closed.clone()];
    let selection = SelectDeadLetters { ids: Some(ids.clone()), filter: None };
    let preview = desk(&world).preview(&world.caller, selection).await.unwrap();
    assert_eq!((preview.count, preview.resolvable, preview.replayable), (3, 2, 1));
    let left: Vec<(&str, u64)> = preview.left_out.iter().map(|one| (one.why.as_str(), one.count)).collect();
    assert_eq!(left, [("skipped:not_open", 1), ("skipped:not_retryable", 1)]);
    let categories: Vec<(ErrorClass, u64)> =
        preview.by_category.iter().map(|one| (one.category, one.count)).collect();
    assert_eq!(categories, [(ErrorClass::Network, 2), (ErrorClass::Validation, 1)]);
    assert_eq!((preview.by_source.len(), preview.by_source[0].count), (1, 3));

    let wish = |hash: Option<&str>, dry_run| BatchReplay {
        ids: Some(ids.clone()),
        selection_hash: hash.map(str::to_owned),
        dry_run,
        ..BatchReplay::default()
    };
    let dry = desk(&world).batch_replay(&world.caller, wish(None, true)).await.unwrap();
    assert_eq!((&dry.preview, dry.dry_run, dry.results.len()), (&preview, true, 0));
    let error = desk(&world).batch_replay(&world.caller, wish(None, false)).await.unwrap_err();
    assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "selectionHash"));
    let error = desk(&world).batch_replay(&world.caller, wish(Some("00"), false)).await.unwrap_err();
    assert_eq!(error.code, Code::SelectionChanged);

    let hash = Some(preview.selection_hash.as_str());
    let batch = desk(&world).batch_replay(&world.caller, wish(hash, false)).await.unwrap();
    let outcome = |id: &DeadLetterId| {
        let found = batch.results.iter().find(|one| one.entry_id == *id).unwrap();
        (found.outcome.clone(), found.job_id.is_some())
    };
    assert_eq!(outcome(&retryable), ("replayed".to_owned(), true));
    assert_eq!(outcome(&stubborn), ("skipped:not_retryable".to_owned(), false));
    assert_eq!(outcome(&closed), ("skipped:not_open".to_owned(), false));
    assert_eq!((batch.done, batch.skipped, batch.failed), (1, 2, 0));

    let error = desk(&world).batch_replay(&world.caller, wish(hash, false)).await.unwrap_err();
    assert_eq!(error.code, Code::SelectionChanged, "the run itself changed what was looked at");
}

pub(crate) async fn a_batch_by_filter_is_paced_at_five_a_second(world: World) {
    for _ in 0..12 {
        dead(&world, ErrorClass::Auth).await;
    }
    let filter = DeadLetterFilter { state: Some(DeadLetterState::Open), ..DeadLetterFilter::default() };
    let wish = BatchReplay { filter: Some(filter), force: true, ..BatchReplay::default() };
    let dry = BatchReplay { dry_run: true, ..wish.clone() };
    let preview = desk(&world).batch_replay(&world.caller, dry).await.unwrap().preview;
    assert_eq!((preview.count, preview.paced_over_s), (12, 2));
    let run = BatchReplay { selection_hash: Some(preview.selection_hash), ..wish };
    let batch = desk(&world).batch_replay(&world.caller, run).await.unwrap();
    assert_eq!(batch.done, 12);
    let mut waits = Vec::new();
    for result in &batch.results {
        let job = world.job(result.job_id.as_ref().unwrap()).await;
        waits.push(job.not_before.map_or(0, |at| at.ms_since(world.now())));
    }
    let expected: Vec<i64> = (0..12).map(|place| place * 200).collect();
    assert_eq!(waits, expected);
    assert_eq!(world.claim(20).await.len(), 1);
    world.pass_ms(1_000).await;
    assert_eq!(world.claim(20).await.len(), 5);
}

pub(crate) async fn a_batch_says_why_one_needs_force(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    for _ in 0..5 {
        replay(&world, &id).await;
        let lease = world.start().await;
        world.fail(&lease.fence, ErrorClass::Network).await;
    }
    let wish = BatchReplay { ids: Some(vec![id.clone()]), dry_run: true, ..BatchReplay::default() };
    let preview = desk(&world).batch_replay(&world.caller, wish.clone()).await.unwrap().preview;
    assert_eq!(preview.left_out[0].why, "error:FORCE_REQUIRED");
    let run = BatchReplay { dry_run: false, selection_hash: Some(preview.selection_hash), ..wish };
    let batch = desk(&world).batch_replay(&world.caller, run.clone()).await.unwrap();
    assert_eq!((batch.failed, batch.results[0].outcome.as_str()), (1, "error:FORCE_REQUIRED"));
    let forced = desk(&world).batch_replay(&world.caller, BatchReplay { force: true, ..run }).await.unwrap();
    assert_eq!(forced.done, 1);
}

pub(crate) async fn a_selection_is_ids_or_a_filter_and_not_too_many(world: World) {
    let id = entry_of(&dead(&world, ErrorClass::Network).await);
    let many: Vec<DeadLetterId> =
        (0..501).map(|n| DeadLetterId::from_uuid(&format!("01890000-0000-7000-8000-{n:012}"))).collect();
    for (ids, filter) in [
        (None, None),
        (Some(vec![id.clone()]), Some(DeadLetterFilter::default())),
        (Some(Vec::new()), None),
        (Some(many.clone()), None),
    ] {
        let error = desk(&world).preview(&world.caller, SelectDeadLetters { ids, filter }).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, "ids"));
    }
    let strange = SelectDeadLetters { ids: Some(many[..1].to_vec()), filter: None };
    assert_eq!(desk(&world).preview(&world.caller, strange).await.unwrap_err().code, Code::NotFound);
}

pub(crate) async fn a_batch_resolves_with_one_code_and_note(world: World) {
    let open = entry_of(&dead(&world, ErrorClass::Network).await);
    let closed = entry_of(&dead(&world, ErrorClass::Network).await);
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    let wish = BatchResolve {
        ids: None,
        filter: Some(DeadLetterFilter::default()),
        dry_run: true,
        selection_hash: None,
        resolution: ResolutionCode::Obsolete,
        note: "no longer needed".to_owned(),
    };
    let preview = desk(&world).batch_resolve(&world.caller, wish.clone()).await.unwrap().preview;
    let wrong = BatchResolve { note: " ".to_owned(), ..wish.clone() };
    assert_eq!(desk(&world).batch_resolve(&world.caller, wrong).await.unwrap_err().code, Code::Invalid);
    let run = BatchResolve { dry_run: false, selection_hash: Some(preview.selection_hash), ..wish };
    let batch = desk(&world).batch_resolve(&world.caller, run).await.unwrap();
    let outcomes: Vec<(&DeadLetterId, &str)> =
        batch.results.iter().map(|one| (&one.entry_id, one.outcome.as_str())).collect();
    assert_eq!(outcomes, [(&open, "resolved"), (&closed, "skipped:not_open")]);
    assert_eq!(entry(&world, &open).await.resolution, Some(ResolutionCode::Obsolete));
    assert_eq!(entry(&world, &closed).await.resolution, Some(ResolutionCode::FixedUpstream));
}

pub(crate) async fn entries_are_listed_by_every_filter_and_page_by_page(world: World) {
    let mut failure = Failure::new(ErrorClass::UpstreamError, "GONE", "https://a.example/1 answered 503");
    failure.host = Some("a.example".to_owned());
    dead_with(&world, world.wish(), failure).await;
    world.clock.advance_ms(1_000);
    let second = entry(&world, &entry_of(&dead(&world, ErrorClass::Validation).await)).await;
    for _ in 0..5 {
        dead(&world, ErrorClass::Network).await;
    }
    let of = async |filter: DeadLetterFilter| all(&world, &filter).await.len();
    let f = DeadLetterFilter::default;
    assert_eq!(of(f()).await, 7);
    assert_eq!(of(DeadLetterFilter { state: Some(DeadLetterState::Open), ..f() }).await, 7);
    assert_eq!(of(DeadLetterFilter { state: Some(DeadLetterState::Resolved), ..f() }).await, 0);
    assert_eq!(of(DeadLetterFilter { category: Some(ErrorClass::Network), ..f() }).await, 5);
    assert_eq!(of(DeadLetterFilter { fingerprint: Some(second.fingerprint), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { job_type: Some("exam".to_owned()), ..f() }).await, 7);
    assert_eq!(of(DeadLetterFilter { job_type: Some("other".to_owned()), ..f() }).await, 0);
    assert_eq!(of(DeadLetterFilter { host: Some("a.example".to_owned()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { error_code: Some("GONE".to_owned()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { retryable: Some(false), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { acknowledged: Some(false), ..f() }).await, 7);
    assert_eq!(of(DeadLetterFilter { since: Some(world.now()), ..f() }).await, 6);
    assert_eq!(of(DeadLetterFilter { until: Some(world.now()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { q: Some("ANSWERED".to_owned()), ..f() }).await, 1);
    assert_eq!(of(DeadLetterFilter { q: Some("%".to_owned()), ..f() }).await, 0, "a wildcard is a letter");

    let mut seen = Vec::new();
    let mut query = PageQuery { page_token: None, page_size: Some(3) };
    loop {
        let page = desk(&world).list(&world.caller, &f(), &query).await.unwrap();
        assert_eq!(page.total_estimate, Some(7));
        seen.extend(page.items.into_iter().map(|entry| (entry.dead_lettered_at, entry.entry_id.to_string())));
        match page.next_page_token {
            Some(token) => query.page_token = Some(token),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.reverse();
    assert_eq!((seen.len(), &seen), (7, &sorted), "each once, newest first");
    let other = DeadLetterFilter { retryable: Some(true), ..f() };
    query.page_token = query.page_token.or(Some("x".to_owned()));
    let error = desk(&world).list(&world.caller, &other, &query).await.unwrap_err();
    assert_eq!(error.code, Code::PageTokenInvalid);
}

pub(crate) async fn entries_of_one_cause_are_one_cluster(world: World) {
    for n in 0..4 {
        let message = format!("line {n}: cannot read `x{n}`");
        dead_with(&world, world.wish(), Failure::new(ErrorClass::ParseError, "FEED_INVALID", message)).await;
    }
    world.clock.advance_ms(2 * 60 * 60 * 1_000);
    let last = dead_with(
        &world,
        world.wish(),
        Failure::new(ErrorClass::ParseError, "FEED_INVALID", "line 9: cannot read `y`"),
    )
    .await;
    dead(&world, ErrorClass::Network).await;
    let query = PageQuery { page_token: None, page_size: Some(1) };
    let page = desk(&world).clusters(&world.caller, &DeadLetterFilter::default(), &query).await.unwrap();
    assert_eq!(page.total_estimate, Some(2));
    let cluster = &page.items[0];
    assert_eq!((cluster.count, cluster.open, cluster.category), (5, 5, ErrorClass::ParseError));
    assert_eq!(
        (cluster.sample.as_str(), &cluster.sample_entry_id),
        ("line 9: cannot read `y`", &entry_of(&last))
    );
    assert_eq!(
        (cluster.last_seen_at, cluster.first_seen_at),
        (world.now(), world.now().minus_ms(2 * 60 * 60 * 1_000))
    );
    assert_eq!(cluster.retryable_share, 0.0);
    assert_eq!(cluster.hours.len(), 24);
    assert_eq!((cluster.hours[21], cluster.hours[22], cluster.hours[23]), (0, 4, 1));
    let query = PageQuery { page_token: page.next_page_token, page_size: Some(1) };
    let page = desk(&world).clusters(&world.caller, &DeadLetterFilter::default(), &query).await.unwrap();
    assert_eq!((page.items[0].count, page.items[0].retryable_share), (1, 1.0));
    assert_eq!(page.next_page_token, None);
}

pub(crate) async fn the_figures_say_how_it_is_doing(world: World) {
    let stats = desk(&world).stats(&world.caller).await.unwrap();
    assert_eq!((stats.health, stats.open, stats.oldest_open_at), (DeadLetterHealth::Ok, 0, None));
    let oldest = world.now();
    for _ in 0..3 {
        dead(&world, ErrorClass::Network).await;
    }
    let closed = entry_of(&dead(&world, ErrorClass::Auth).await);
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    let watched = entry_of(&dead(&world, ErrorClass::Auth).await);
    desk(&world).acknowledge(&world.caller, &watched, AcknowledgeDeadLetter::default()).await.unwrap();
    let stats = desk(&world).stats(&world.caller).await.unwrap();
    assert_eq!((stats.health, stats.open, stats.resolved), (DeadLetterHealth::Note, 4, 1));
    assert_eq!((stats.retryable, stats.unacknowledged, stats.added24h), (3, 3, 5));
    assert_eq!(stats.oldest_open_at, Some(oldest));
    let common = stats.most_common.unwrap();
    assert_eq!((common.count, common.error_code.as_str()), (3, "BROKEN"));
    let categories: Vec<(ErrorClass, u64)> =
        stats.by_category.iter().map(|one| (one.category, one.count)).collect();
    assert_eq!(categories, [(ErrorClass::Network, 3), (ErrorClass::Auth, 1)]);
    assert_eq!(stats.heat.iter().map(|one| one.hours[23]).collect::<Vec<_>>(), [3, 2]);
}

pub(crate) async fn an_export_is_ordered_and_its_manifest_fits(world: World) {
    let wish = SubmitJob { payload: json!({ "apiKey": "hunter2", "n": 1 }), ..world.wish() };
    dead_with(&world, wish, Failure::new(ErrorClass::Auth, "X", "=cmd|'/C calc'!A0")).await;
    world.clock.advance_ms(1);
    dead(&world, ErrorClass::Network).await;
    let filter = DeadLetterFilter::default;
    let wish = ExportDeadLetters::of(filter(), ExportFormat::Ndjson, false);
    let export = desk(&world).export(&world.caller, &wish).await.unwrap();
    let lines: Vec<Value> = export.content.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((export.manifest.count, lines.len()), (2, 2));
    assert_eq!(
        export.manifest.sha256,
        stella_bundle::digest::of_bytes(export.content.as_bytes()).trim_start_matches("sha256:")
    );
    assert_eq!(
        (&lines[0]["errorCode"], &lines[1]["errorCode"]),
        (&json!("X"), &json!("BROKEN")),
        "oldest first"
    );
    assert_eq!(lines[0].get("payload"), None, "payloads only when they are asked for");
    let wish = ExportDeadLetters::of(filter(), ExportFormat::Ndjson, true);
    let export = desk(&world).export(&world.caller, &wish).await.unwrap();
    let first: Value = serde_json::from_str(export.content.lines().next().unwrap()).unwrap();
    assert_eq!(first["payload"], json!({ "apiKey": "[redacted]", "n": 1 }));

    let wish = ExportDeadLetters::of(filter(), ExportFormat::Csv, false);
    let export = desk(&world).export(&world.caller, &wish).await.unwrap();
    let mut rows = export.content.lines();
    assert!(rows.next().unwrap().starts_with("entryId,deadLetteredAt,state,"));
    assert!(rows.next().unwrap().contains("'=cmd|"), "{}", export.content);
    assert_eq!(export.manifest.count, 2);
    let again = desk(&world).export(&world.caller, &wish).await.unwrap();
    assert_eq!(export, again, "the same entries are the same bytes");
}

pub(crate) async fn closed_entries_are_forgotten_after_ninety_days_and_open_ones_never(world: World) {
    let job = dead(&world, ErrorClass::Network).await;
    let (closed, open) = (entry_of(&job), entry_of(&dead(&world, ErrorClass::Network).await));
    desk(&world).resolve(&world.caller, &closed, resolution()).await.unwrap();
    world.pass_ms(90 * DAY_MS).await;
    assert_eq!(entry(&world, &closed).await.state, DeadLetterState::Resolved);
    world.pass_ms(DAY_MS).await;
    assert_eq!(desk(&world).get(&world.caller, &closed).await.unwrap_err().code, Code::NotFound);
    assert_eq!(world.job(&job.job_id).await.dead_letter_id, None, "no link leads nowhere");
    assert_eq!(entry(&world, &open).await.state, DeadLetterState::Open);
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

pub(crate) async fn ten_thousand_entries_are_counted_and_paged(world: World) {
    let place = Micros(world.now().0);
    let entries: Vec<stella_ledger::dead_letters::NewDeadLetter> = (0..10_000_u32)
        .map(|n| stella_ledger::dead_letters::NewDeadLetter {
            job_id: stella_contract::ids::JobId::from_uuid(&stella_ledger::key::uuid_of(
                u64::try_from(place.0 / 1_000).unwrap(),
                n,
                u64::from(n),
            )),
            tenant: "acme".parse().unwrap(),
            run_id: None,
            source_id: None,
            job_type: "exam".to_owned(),
            priority: 50,
            failed: stella_ledger::dead_letters::Failed {
                category: ErrorClass::Network,
                error_code: "X".to_owned(),
                error_message: format!("It broke ({n})."),
                fingerprint: format!("{:016x}", n % 7),
                http_status: None,
                host: None,
                worker_id: None,
            },
            attempts: 1,
            dead_lettered_at: place.plus_ms(i64::from(n)),
            payload_digest: "sha256:0".to_owned(),
            correlation_id: "c".to_owned(),
        })
        .collect();
    let write = world.engine.ledger().write::<_, stella_engine::Error, _>(move |tx| {
        Box::pin(async move { Ok(stella_ledger::dead_letters::insert_many(tx, &entries).await?) })
    });
    write.await.unwrap();
    let query = PageQuery { page_token: None, page_size: Some(500) };
    let filter = DeadLetterFilter { fingerprint: Some(format!("{:016x}", 3)), ..DeadLetterFilter::default() };
    let page = desk(&world).list(&world.caller, &filter, &query).await.unwrap();
    assert_eq!((page.items.len(), page.total_estimate), (500, Some(1_429)));
    let clusters = desk(&world).clusters(&world.caller, &DeadLetterFilter::default(), &query).await.unwrap();
    assert_eq!(clusters.items.iter().map(|one| one.count).sum::<u64>(), 10_000);
    let wish = ExportDeadLetters::of(DeadLetterFilter::default(), ExportFormat::Csv, false);
    assert_eq!(desk(&world).export(&world.caller, &wish).await.unwrap().manifest.count, 10_000);
}
