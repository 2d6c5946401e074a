//! Operators who change their mind.

use crate::support::World;
use stella_contract::error::Code;
use stella_contract::job::{ErrorClass, JobState, SubmitJob};
use stella_contract::scope::Scope;
use stella_engine::Caller;
use stella_ledger::leases::Beat;

pub(crate) async fn a_waiting_job_is_cancelled_at_once(world: World) {
    let queued = world.submitted().await;
    let later = Some(world.now().plus_ms(1_000));
    let pending = world.submit(SubmitJob { not_before: later, ..world.wish() }).await;
    let leased = world.claim(1).await.remove(0);
    assert_eq!(leased.job.job_id, queued.job_id);
    let ready = world.submitted().await;
    assert_eq!(ready.state, JobState::Queued);
    for id in [&pending.job_id, &ready.job_id, &leased.job.job_id] {
        let job = world.engine.jobs().cancel(&world.caller, id).await.unwrap();
        assert_eq!((job.state, job.ended_at), (JobState::Cancelled, Some(world.now())));
    }
    let error = world.engine.work().ack(&[leased.fence]).await.unwrap_err();
    assert_eq!(error.code, Code::LeaseLost);
    let last = world.history(&pending.job_id).await.pop().unwrap();
    assert_eq!((last.actor.subject.as_str(), last.reason.as_deref()), ("ada", Some("a test")));
    assert_eq!(last.ticket.as_deref(), Some("OPS-1"));
    world.pass_ms(2_000).await;
    assert_eq!(world.state(&pending.job_id).await, JobState::Cancelled);
}

pub(crate) async fn a_running_job_is_asked_told_with_the_heartbeat_and_ended_by_force(world: World) {
    let job = world.submitted().await;
    let lease = world.start().await;
    let asked = world.engine.jobs().cancel(&world.caller, &job.job_id).await.unwrap();
    assert_eq!((asked.state, asked.cancel_requested_at), (JobState::Running, Some(world.now())));
    world.pass_ms(30_000).await;
    // Asking again changes nothing, and does not start the patience anew.
    let again = world.engine.jobs().cancel(&world.caller, &job.job_id).await.unwrap();
    assert_eq!(again.cancel_requested_at, asked.cancel_requested_at);
    let beats = vec![Beat { fence: lease.fence.clone(), progress: None }];
    let pulse = world.engine.work().heartbeat(&world.worker, beats).await.unwrap();
    assert_eq!(pulse.cancelled, std::slice::from_ref(&job.job_id));
    world.pass_ms(29_999).await;
    assert_eq!(world.state(&job.job_id).await, JobState::Running);
    world.pass_ms(1).await;
    assert_eq!(world.state(&job.job_id).await, JobState::Cancelled);
    assert_eq!(world.complete(&lease.fence).await.unwrap_err().code, Code::AlreadyFinished);
    let kinds = world.kinds(&job.job_id).await;
    assert_eq!(kinds[4..], ["cancel_requested", "cancelled"]);
    assert_eq!(world.detail(&job.job_id).await.attempts[0].outcome.as_deref(), Some("cancelled"));
}

pub(crate) async fn a_complete_before_the_force_wins(world: World) {
    let job = world.submitted().await;
    let lease = world.start().await;
    world.engine.jobs().cancel(&world.caller, &job.job_id).await.unwrap();
    world.pass_ms(59_999).await;
    assert_eq!(world.complete(&lease.fence).await.unwrap().state, JobState::Succeeded);
    world.pass_ms(60_000).await;
    assert_eq!(world.state(&job.job_id).await, JobState::Succeeded);
}

pub(crate) async fn a_failure_after_the_wish_to_cancel_is_a_cancel(world: World) {
    let reported = world.submitted().await;
    let lease = world.start().await;
    world.engine.jobs().cancel(&world.caller, &reported.job_id).await.unwrap();
    assert_eq!(world.fail(&lease.fence, ErrorClass::Network).await.state, JobState::Cancelled);
    // A worker that vanished is taken to have ended it.
    let vanished = world.submitted().await;
    world.start().await;
    world.pass_ms(30_000).await;
    world.engine.jobs().cancel(&world.caller, &vanished.job_id).await.unwrap();
    world.pass_ms(35_000).await;
    assert_eq!(world.state(&vanished.job_id).await, JobState::Cancelled);
}

pub(crate) async fn what_has_ended_cannot_be_cancelled(world: World) {
    let job = world.submitted().await;
    let lease = world.start().await;
    world.complete(&lease.fence).await.unwrap();
    let before = world.kinds(&job.job_id).await;
    let error = world.engine.jobs().cancel(&world.caller, &job.job_id).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidTransition);
    assert_eq!(world.kinds(&job.job_id).await, before);
}

pub(crate) async fn a_cancel_needs_scope_reason_and_ticket(world: World) {
    let job = world.submitted().await;
    let bare = Caller::local("acme".parse().unwrap(), "ada");
    let mut reader = world.caller.clone();
    reader.scopes = [Scope::OrchRead].into();
    let mut looker = world.caller.clone();
    looker.read_only = true;
    for (caller, code) in [
        (bare.clone(), Code::ReasonRequired),
        (bare.because("why", None), Code::TicketRequired),
        (reader, Code::ScopeMissing),
        (looker, Code::ReadOnly),
    ] {
        assert_eq!(world.engine.jobs().cancel(&caller, &job.job_id).await.unwrap_err().code, code);
    }
    assert_eq!(world.state(&job.job_id).await, JobState::Queued);
}
