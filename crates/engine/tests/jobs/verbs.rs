//! What operators do to jobs: retry, replay, prioritise, and what of it is refused.

use crate::support::World;
use serde_json::json;
use stella_contract::error::Code;
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, Job, JobState, SubmitJob};
use stella_contract::lineage::Descent;
use stella_engine::verbs::Verb;

async fn failed(world: &World) -> Job {
    world.submit(SubmitJob { payload: json!({ "n": 7 }), priority: Some(30), ..world.wish() }).await;
    let lease = world.start().await;
    world.fail(&lease.fence, ErrorClass::Validation).await
}

async fn apply(world: &World, verb: Verb, id: &JobId) -> Result<Job, Code> {
    world.engine.jobs().apply_to(&world.caller, verb, id).await.map_err(|error| error.code)
}

pub(crate) async fn a_replay_is_a_new_job_with_the_same_payload_at_high_priority(world: World) {
    let old = failed(&world).await;
    let new = apply(&world, Verb::Replay, &old.job_id).await.unwrap();
    assert_eq!(new.replay_of, Some(old.job_id.clone()));
    assert_eq!((new.state, new.priority, new.attempt), (JobState::Queued, 75, 0));
    assert_eq!((&new.payload_digest, &new.inputs_hash), (&old.payload_digest, &old.inputs_hash));
    assert_eq!(new.correlation_id, old.correlation_id);
    assert_eq!(new.idempotency_key, format!("replay:{}:1", old.job_id));
    assert_eq!((new.reason.as_deref(), new.ticket.as_deref()), (Some("a test"), Some("OPS-1")));
    assert_eq!(world.job(&old.job_id).await, old);
    let lease = world.start().await;
    assert_eq!(lease.payload, json!({ "n": 7 }));
    assert!(world.kinds(&old.job_id).await.contains(&"replayed".to_owned()));
    // What had succeeded may be done once more; more urgent than a replay stays so.
    world.complete(&lease.fence).await.unwrap();
    let third = apply(&world, Verb::Replay, &new.job_id).await.unwrap();
    assert_eq!(third.idempotency_key, format!("replay:{}:2", new.job_id));
    world.assert_chain().await;
}

pub(crate) async fn a_retry_keeps_the_priority(world: World) {
    let old = failed(&world).await;
    let new = apply(&world, Verb::Retry, &old.job_id).await.unwrap();
    assert_eq!((new.retry_of, new.replay_of), (Some(old.job_id.clone()), None));
    assert_eq!(new.priority, 30);
    assert_eq!(new.idempotency_key, format!("retry:{}:1", old.job_id));
}

pub(crate) async fn a_large_payload_is_repeated_too(world: World) {
    let large = json!({ "text": "x".repeat(70_000) });
    let old = world.submit(SubmitJob { payload: large.clone(), ..world.wish() }).await;
    world.engine.jobs().cancel(&world.caller, &old.job_id).await.unwrap();
    apply(&world, Verb::Retry, &old.job_id).await.unwrap();
    assert_eq!(world.start().await.payload, large);
}

pub(crate) async fn what_has_not_ended_or_is_being_repeated_is_not_repeated(world: World) {
    let open = world.submitted().await;
    assert_eq!(apply(&world, Verb::Replay, &open.job_id).await, Err(Code::InvalidTransition));
    assert_eq!(apply(&world, Verb::Retry, &open.job_id).await, Err(Code::InvalidTransition));
    let lease = world.start().await;
    assert_eq!(apply(&world, Verb::Retry, &open.job_id).await, Err(Code::InvalidTransition));
    world.complete(&lease.fence).await.unwrap();
    assert_eq!(apply(&world, Verb::Retry, &open.job_id).await, Err(Code::InvalidTransition));
    let old = failed(&world).await;
    let new = apply(&world, Verb::Replay, &old.job_id).await.unwrap();
    assert_eq!(apply(&world, Verb::Replay, &old.job_id).await, Err(Code::InvalidTransition));
    assert_eq!(apply(&world, Verb::Retry, &old.job_id).await, Err(Code::InvalidTransition));
    world.engine.jobs().cancel(&world.caller, &new.job_id).await.unwrap();
    assert!(apply(&world, Verb::Retry, &old.job_id).await.is_ok());
}

pub(crate) async fn a_priority_changes_as_long_as_the_job_is_open(world: World) {
    let (first, second) = (world.submitted().await, world.submitted().await);
    let changed = apply(&world, Verb::Prioritize(90), &second.job_id).await.unwrap();
    assert_eq!((changed.priority, changed.version), (90, second.version + 1));
    let lease = world.start().await;
    assert_eq!(lease.job.job_id, second.job_id);
    assert_eq!(apply(&world, Verb::Prioritize(10), &second.job_id).await.map(|job| job.priority), Ok(10));
    world.complete(&lease.fence).await.unwrap();
    assert_eq!(apply(&world, Verb::Prioritize(1), &second.job_id).await, Err(Code::InvalidTransition));
    assert_eq!(apply(&world, Verb::Prioritize(101), &first.job_id).await, Err(Code::Invalid));
    let history = world.history(&second.job_id).await;
    let entry = history.iter().find(|entry| entry.kind == "orch.job.prioritized").unwrap();
    assert_eq!((&entry.data, entry.reason.as_deref()), (&json!({ "from": 50, "to": 90 }), Some("a test")));
    world.assert_chain().await;
}

pub(crate) async fn each_of_many_has_its_own_answer_and_a_look_beforehand_tells_the_same(world: World) {
    let ended = failed(&world).await;
    let open = world.submitted().await;
    let nobody: JobId = "job_01890000-0000-7000-8000-000000000000".parse().unwrap();
    let ids = [open.job_id.clone(), nobody, ended.job_id.clone()];
    let jobs = world.engine.jobs();
    for verb in [Verb::Cancel, Verb::Prioritize(3), Verb::Retry, Verb::Replay] {
        let code =
            |outcome: &Result<Job, stella_engine::Error>| outcome.as_ref().err().map(|error| error.code);
        let judged = jobs.judge(&world.caller, verb, &ids).await.unwrap();
        let told: Vec<_> = judged.iter().map(|(_, outcome)| code(outcome)).collect();
        assert_eq!(told[1], Some(Code::JobNotFound));
        assert_eq!(told.iter().filter(|code| code.is_none()).count(), 1, "{verb:?}: {told:?}");
        if verb == Verb::Cancel {
            continue;
        }
        let done = jobs.apply(&world.caller, verb, &ids).await.unwrap();
        assert_eq!(done.iter().map(|(_, outcome)| code(outcome)).collect::<Vec<_>>(), told, "{verb:?}");
        if matches!(verb, Verb::Retry) {
            let new = done[2].1.as_ref().unwrap().job_id.clone();
            jobs.cancel(&world.caller, &new).await.unwrap();
        }
    }
}

pub(crate) async fn a_lineage_is_told_from_each_of_its_jobs(world: World) {
    let one = failed(&world).await;
    let two = apply(&world, Verb::Retry, &one.job_id).await.unwrap();
    let lease = world.start().await;
    world.fail(&lease.fence, ErrorClass::Validation).await;
    let three = apply(&world, Verb::Replay, &two.job_id).await.unwrap();
    for id in [&one.job_id, &two.job_id, &three.job_id] {
        let lineage = world.engine.jobs().lineage(&world.caller, id).await.unwrap();
        assert_eq!((&lineage.focus_job_id, &lineage.original_job_id), (id, &one.job_id));
        let told: Vec<_> = lineage.jobs.iter().map(|kin| (kin.descent, kin.of.clone())).collect();
        let expected = [
            (Descent::Original, None),
            (Descent::Retry, Some(one.job_id.clone())),
            (Descent::Replay, Some(two.job_id.clone())),
        ];
        assert_eq!(told, expected);
    }
}

pub(crate) async fn verbs_need_scope_reason_and_ticket(world: World) {
    let job = failed(&world).await;
    for verb in [Verb::Cancel, Verb::Retry, Verb::Replay, Verb::Prioritize(1)] {
        let mut bare = world.caller.clone();
        bare.cause.ticket = None;
        let code = |error: stella_engine::Error| error.code;
        let jobs = world.engine.jobs();
        assert_eq!(jobs.apply_to(&bare, verb, &job.job_id).await.map_err(code), Err(Code::TicketRequired));
        bare.cause.reason = None;
        assert_eq!(jobs.apply_to(&bare, verb, &job.job_id).await.map_err(code), Err(Code::ReasonRequired));
        bare.scopes.clear();
        assert_eq!(jobs.apply_to(&bare, verb, &job.job_id).await.map_err(code), Err(Code::ScopeMissing));
    }
}

pub(crate) async fn a_claim_nobody_acknowledges_is_timed_out_on_the_last_attempt(world: World) {
    let job = world.submit(SubmitJob { max_attempts: Some(2), ..world.wish() }).await;
    // Two that do not count, one that does, and the last.
    for attempt in [0, 0, 1] {
        assert_eq!(world.claim(1).await.len(), 1);
        world.pass_ms(15_000).await;
        let again = world.job(&job.job_id).await;
        assert_eq!((again.state, again.attempt), (JobState::Queued, attempt));
    }
    assert_eq!(world.claim(1).await.len(), 1);
    world.pass_ms(15_000).await;
    let ended = world.job(&job.job_id).await;
    assert_eq!((ended.state, ended.attempt), (JobState::TimedOut, 2));
    assert_eq!(ended.error_code.as_deref(), Some("ACK_TIMEOUT"));
    let mut history = world.history(&job.job_id).await;
    history.retain(|entry| entry.entity == "job");
    let last = history.pop().unwrap();
    assert_eq!((last.from_state.as_deref(), last.to_state.as_deref()), (Some("leased"), Some("timed_out")));
}

pub(crate) async fn a_failure_told_on_the_last_attempt_is_failed_whatever_its_class(world: World) {
    for class in [ErrorClass::Timeout, ErrorClass::LeaseLost, ErrorClass::Network] {
        world.submit(SubmitJob { max_attempts: Some(1), ..world.wish() }).await;
        let lease = world.start().await;
        assert_eq!(world.fail(&lease.fence, class).await.state, JobState::Failed);
    }
}
