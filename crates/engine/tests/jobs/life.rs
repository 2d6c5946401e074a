//! Attempts: how they begin, how they end, what follows.

use crate::support::World;
use bytes::Bytes;
use serde_json::json;
use stella_contract::error::Code;
use stella_contract::history::Actor;
use stella_contract::job::{Cause, ErrorClass, JobState, SubmitJob, WaitReason};
use stella_engine::handlers::{Done, Effect, Failure, NewArtifact};
use stella_engine::journal::{Draft, Journal};
use stella_engine::{Error, retry};

fn artifact(name: &str, bytes: &'static [u8]) -> NewArtifact {
    NewArtifact {
        name: name.to_owned(),
        kind: "report".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: Bytes::from_static(bytes),
        digest: None,
    }
}

pub(crate) async fn a_job_goes_from_submission_to_success(world: World) {
    let job = world.submitted().await;
    assert_eq!((job.state, job.queued_at, job.attempt), (JobState::Queued, Some(world.now()), 0));
    world.clock.advance_ms(1_000);
    let lease = world.start().await;
    assert_eq!((lease.job.state, lease.job.attempt, lease.job.lease_epoch), (JobState::Running, 1, 1));
    world.clock.advance_ms(1_000);
    let done = Done {
        result: json!({ "records": 3, "password": "x" }),
        artifacts: vec![artifact("b.txt", b"two"), artifact("a.txt", b"one")],
        effect: None,
    };
    let job = world.engine.work().complete(&lease.fence, done).await.unwrap();
    assert_eq!((job.state, job.progress, job.ended_at), (JobState::Succeeded, 1.0, Some(world.now())));
    // sha256 of "a.txt TAB digest LF b.txt TAB digest LF", computed apart from this program.
    let expected = "sha256:c162f32bff0e8f40402500abc5da392f1f4cdea807ec0feaefdf79a802f9ecab";
    assert_eq!(job.outputs_hash.as_deref(), Some(expected));
    let detail = world.detail(&job.job_id).await;
    assert_eq!(detail.result, Some(json!({ "records": 3, "password": "[redacted]" })));
    let names: Vec<&str> = detail.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    assert_eq!(names, ["a.txt", "b.txt"]);
    let bytes = world.engine.artifacts().read(&world.caller, &detail.artifacts[1].digest).await.unwrap();
    assert_eq!(bytes, "two");
    let attempt = &detail.attempts[0];
    assert_eq!((attempt.attempt, attempt.outcome.as_deref()), (1, Some("succeeded")));
    assert_eq!((attempt.started_at, attempt.ended_at), (job.started_at, job.ended_at));
    assert_eq!(world.kinds(&job.job_id).await, ["submitted", "queued", "leased", "started", "succeeded"]);
    let entries = world.history(&job.job_id).await;
    let actors: Vec<&str> = entries.iter().map(|entry| entry.actor.subject.as_str()).collect();
    let worker = world.worker.as_str();
    assert_eq!(actors, ["ada", "ada", worker, worker, worker]);
    assert_eq!(entries[0].reason.as_deref(), Some("a test"));
    world.assert_chain().await;
}

pub(crate) async fn a_job_waits_for_its_time(world: World) {
    let at = world.now().plus_ms(60_000);
    let job = world.submit(SubmitJob { not_before: Some(at), ..world.wish() }).await;
    assert_eq!((job.state, job.wait_reason), (JobState::Pending, Some(WaitReason::NotBefore)));
    world.pass_ms(59_999).await;
    assert_eq!(world.state(&job.job_id).await, JobState::Pending);
    assert_eq!(world.claim(1).await, []);
    world.pass_ms(1).await;
    let job = world.job(&job.job_id).await;
    assert_eq!((job.state, job.wait_reason, job.next_eligible_at), (JobState::Queued, None, None));
    assert_eq!(world.start().await.job.job_id, job.job_id);
}

pub(crate) async fn a_failure_is_retried_after_the_waits_of_the_rule_and_then_failed(world: World) {
    let job = world.submitted().await;
    for attempt in 1..=5 {
        let lease = world.start().await;
        assert_eq!((lease.job.attempt, lease.job.lease_epoch), (attempt, i64::from(attempt)));
        let failed = world.fail(&lease.fence, ErrorClass::Network).await;
        assert_eq!((failed.state, failed.wait_reason), (JobState::Pending, Some(WaitReason::Backoff)));
        let delay = i64::try_from(retry::delay_ms(&job.job_id, attempt)).unwrap();
        assert_eq!(failed.next_eligible_at, Some(world.now().plus_ms(delay)));
        world.pass_ms(delay - 1).await;
        assert_eq!(world.state(&job.job_id).await, JobState::Pending, "attempt {attempt}");
        world.pass_ms(1).await;
    }
    let lease = world.start().await;
    let dead = world.fail(&lease.fence, ErrorClass::Network).await;
    assert_eq!((dead.state, dead.attempt, dead.ended_at), (JobState::Failed, 6, Some(world.now())));
    assert_eq!((dead.error_code.as_deref(), dead.error_class), (Some("BROKEN"), Some(ErrorClass::Network)));
    let detail = world.detail(&job.job_id).await;
    assert_eq!(detail.attempts.len(), 6);
    assert!(detail.attempts.iter().all(|attempt| attempt.outcome.as_deref() == Some("failed")));
    assert_eq!(world.kinds(&job.job_id).await.last().map(String::as_str), Some("failed"));
    world.assert_chain().await;
}

pub(crate) async fn a_failure_that_will_not_mend_is_not_retried(world: World) {
    for class in ErrorClass::ALL {
        world.submitted().await;
        let lease = world.start().await;
        let after = world.fail(&lease.fence, *class).await;
        let expected = if class.is_retryable() { JobState::Pending } else { JobState::Failed };
        assert_eq!(after.state, expected, "{class}");
    }
}

pub(crate) async fn the_far_side_may_ask_for_more_time(world: World) {
    world.submitted().await;
    let lease = world.start().await;
    let mut failure = Failure::new(
        ErrorClass::UpstreamThrottle,
        "TOO_MANY",
        "https://ada:hunter2@example.org said 429, Authorization: Bearer abc",
    );
    failure.retry_after_ms = Some(7_200_000);
    let job = world.engine.work().fail(&lease.fence, failure).await.unwrap();
    assert_eq!(job.next_eligible_at, Some(world.now().plus_ms(7_200_000)));
    let message = job.error_message.unwrap();
    assert_eq!(message, "https://[redacted]@example.org said 429, Authorization: Bearer [redacted]");
}

pub(crate) async fn a_digest_that_is_not_the_bytes_leaves_the_job_running(world: World) {
    let job = world.submitted().await;
    let lease = world.start().await;
    let wrong = NewArtifact { digest: Some(format!("sha256:{}", "0".repeat(64))), ..artifact("a", b"one") };
    let done = Done { artifacts: vec![wrong], ..Done::default() };
    let error = world.engine.work().complete(&lease.fence, done).await.unwrap_err();
    assert_eq!(error.code, Code::ArtifactDigestMismatch);
    assert_eq!(world.state(&job.job_id).await, JobState::Running);
    let right = Done { artifacts: vec![artifact("a", b"one")], ..Done::default() };
    assert!(world.engine.work().complete(&lease.fence, right).await.is_ok());
}

/// An effect that writes one entry of the history, and then may fail.
fn effect(fails: bool) -> Option<Effect> {
    Some(Box::new(move |tx, now| {
        Box::pin(async move {
            tx.note_work();
            let mut out = Journal::default();
            let draft = Draft {
                job_id: None,
                run_id: None,
                entity: "source",
                kind: "exam.effect".to_owned(),
                from_state: None,
                to_state: None,
                attempt: None,
                lease_epoch: None,
                actor: Actor { subject: "exam".to_owned(), scopes: Vec::new() },
                cause: Cause::default(),
                correlation_id: "exam".to_owned(),
                occurred_at: now,
                data: json!({}),
            };
            out.enter(&"acme".parse().unwrap(), draft);
            if fails { Err(Error::invalid("effect", "fails")) } else { Ok(out) }
        })
    }))
}

pub(crate) async fn an_effect_is_kept_with_the_success_or_not_at_all(world: World) {
    let entries = async || world.engine.history().verify(&world.caller).await.unwrap().entries;
    let job = world.submitted().await;
    let lease = world.start().await;
    let before = entries().await;
    let failing = Done { result: json!(1), effect: effect(true), ..Done::default() };
    let error = world.engine.work().complete(&lease.fence, failing).await.unwrap_err();
    assert_eq!((error.code, entries().await), (Code::Invalid, before));
    assert_eq!(world.state(&job.job_id).await, JobState::Running);
    let sound = Done { result: json!(2), effect: effect(false), ..Done::default() };
    world.engine.work().complete(&lease.fence, sound).await.unwrap();
    assert_eq!(entries().await, before + 2);
    assert_eq!(world.detail(&job.job_id).await.result, Some(json!(2)));
    // Nor does it run for a lease that is not held.
    let late = Done { effect: effect(false), ..Done::default() };
    let other = stella_engine::work::Fence { lease_epoch: 9, ..lease.fence };
    assert_eq!(world.engine.work().complete(&other, late).await.unwrap_err().code, Code::LeaseLost);
    assert_eq!(entries().await, before + 2);
}

pub(crate) async fn the_same_report_twice_is_one_report(world: World) {
    let job = world.submitted().await;
    let lease = world.start().await;
    let first = world.complete(&lease.fence).await.unwrap();
    let second = world.complete(&lease.fence).await.unwrap();
    assert_eq!(first, second);
    let failure = Failure::new(ErrorClass::Internal, "X", "x");
    let error = world.engine.work().fail(&lease.fence, failure).await.unwrap_err();
    assert_eq!(error.code, Code::AlreadyFinished);
    assert_eq!(world.kinds(&job.job_id).await.iter().filter(|kind| *kind == "succeeded").count(), 1);
}

pub(crate) async fn a_claim_given_back_does_not_count(world: World) {
    let job = world.submitted().await;
    let lease = world.claim(1).await.remove(0);
    let given = world.engine.work().release(std::slice::from_ref(&lease.fence)).await.unwrap();
    assert_eq!((given[0].state, given[0].attempt, given[0].lease_epoch), (JobState::Queued, 0, 1));
    let error = world.engine.work().ack(&[lease.fence]).await.unwrap_err();
    assert_eq!(error.code, Code::LeaseLost);
    let lease = world.start().await;
    assert_eq!((lease.job.attempt, lease.job.lease_epoch), (1, 2));
    // What has started cannot be given back.
    let error = world.engine.work().release(&[lease.fence]).await.unwrap_err();
    assert_eq!(error.code, Code::LeaseLost);
    let attempts = world.detail(&job.job_id).await.attempts;
    assert_eq!(attempts[1].outcome.as_deref(), Some("released"));
}

pub(crate) async fn a_job_leaves_two_hundred_artifacts_and_not_one_more(world: World) {
    let job = world.submitted().await;
    let lease = world.start().await;
    let done = |count: usize| Done {
        artifacts: (0..count)
            .map(|n| NewArtifact {
                name: format!("a{n:03}.txt"),
                kind: "thing".to_owned(),
                media_type: "text/plain".to_owned(),
                bytes: Bytes::from(n.to_string()),
                digest: None,
            })
            .collect(),
        ..Done::default()
    };
    let refused = world.engine.work().complete(&lease.fence, done(201)).await.unwrap_err();
    assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, "artifacts"));
    assert_eq!(world.state(&job.job_id).await, JobState::Running);
    world.engine.work().complete(&lease.fence, done(200)).await.unwrap();
    assert_eq!(world.detail(&job.job_id).await.artifacts.len(), 200);
}
