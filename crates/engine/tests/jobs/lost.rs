//! Workers that vanish, stall or never start.

use crate::support::World;
use stella_contract::error::Code;
use stella_contract::job::{ErrorClass, JobState, SubmitJob, WaitReason};
use stella_engine::handlers::Failure;
use stella_engine::retry;
use stella_engine::work::Progress;
use stella_ledger::leases::Beat;

pub(crate) async fn a_late_report_after_lease_loss_changes_nothing(world: World) {
    let job = world.submitted().await;
    let old = world.start().await;
    world.pass_ms(65_000).await;
    world.pass_ms(10_000).await;
    let new = world.start().await;
    let (before, history) = (world.job(&job.job_id).await, world.kinds(&job.job_id).await);
    assert_eq!(world.complete(&old.fence).await.unwrap_err().code, Code::LeaseLost);
    let failure = Failure::new(ErrorClass::Internal, "X", "x");
    assert_eq!(world.engine.work().fail(&old.fence, failure).await.unwrap_err().code, Code::LeaseLost);
    let beats = vec![Beat { fence: old.fence.clone(), progress: None }];
    let pulse = world.engine.work().heartbeat(&world.worker, beats).await.unwrap();
    assert_eq!(pulse.lost, std::slice::from_ref(&job.job_id));
    assert_eq!(world.job(&job.job_id).await, before);
    assert_eq!(world.kinds(&job.job_id).await, history);
    assert!(world.complete(&new.fence).await.is_ok());
}

pub(crate) async fn a_vanished_worker_loses_the_job_after_the_grace_and_at_last_it_is_timed_out(
    world: World,
) {
    let job = world.submit(SubmitJob { max_attempts: Some(2), ..world.wish() }).await;
    world.start().await;
    world.pass_ms(64_999).await;
    assert_eq!(world.state(&job.job_id).await, JobState::Running);
    world.pass_ms(1).await;
    let lost = world.job(&job.job_id).await;
    assert_eq!((lost.state, lost.wait_reason), (JobState::Pending, Some(WaitReason::Backoff)));
    assert_eq!(lost.error_class, Some(ErrorClass::LeaseLost));
    let delay = i64::try_from(retry::delay_ms(&job.job_id, 1)).unwrap();
    assert_eq!(lost.next_eligible_at, Some(world.now().plus_ms(delay)));
    world.pass_ms(delay).await;
    world.start().await;
    world.pass_ms(65_000).await;
    let dead = world.detail(&job.job_id).await;
    assert_eq!((dead.job.state, dead.job.attempt), (JobState::TimedOut, 2));
    let outcomes: Vec<Option<&str>> =
        dead.attempts.iter().map(|attempt| attempt.outcome.as_deref()).collect();
    assert_eq!(outcomes, [Some("lease_expired"); 2]);
}

pub(crate) async fn a_heartbeat_keeps_the_lease(world: World) {
    let job = world.submitted().await;
    let lease = world.start().await;
    for beat in 1..=5 {
        world.pass_ms(59_000).await;
        let progress = Some(Progress { processed: beat, total: 10, message: None });
        let beats = vec![Beat { fence: lease.fence.clone(), progress }];
        let pulse = world.engine.work().heartbeat(&world.worker, beats).await.unwrap();
        assert_eq!((pulse.lost, pulse.cancelled), (vec![], vec![]));
    }
    let job = world.job(&job.job_id).await;
    assert_eq!((job.state, job.processed, job.progress), (JobState::Running, 5, 0.5));
    // Signs of life are told, not written down.
    assert_eq!(world.kinds(&job.job_id).await, ["submitted", "queued", "leased", "started"]);
}

pub(crate) async fn an_attempt_over_its_limit_is_taken_back_though_it_beats(world: World) {
    let job = world.submit(SubmitJob { timeout_s: Some(90), max_attempts: Some(1), ..world.wish() }).await;
    let lease = world.start().await;
    for ms in [50_000, 39_999] {
        world.pass_ms(ms).await;
        let beats = vec![Beat { fence: lease.fence.clone(), progress: None }];
        world.engine.work().heartbeat(&world.worker, beats).await.unwrap();
        assert_eq!(world.state(&job.job_id).await, JobState::Running);
    }
    world.pass_ms(1).await;
    let job = world.detail(&job.job_id).await;
    assert_eq!((job.job.state, job.job.error_class), (JobState::TimedOut, Some(ErrorClass::Timeout)));
    assert_eq!(job.attempts[0].outcome.as_deref(), Some("attempt_timeout"));
    assert_eq!(world.complete(&lease.fence).await.unwrap_err().code, Code::AlreadyFinished);
}

pub(crate) async fn a_claim_nobody_acknowledged_counts_from_the_third_in_a_row(world: World) {
    let job = world.submitted().await;
    for (claims, counted) in [(1, 0), (2, 0), (3, 1), (4, 2)] {
        assert_eq!(world.claim(1).await.len(), 1);
        world.pass_ms(14_999).await;
        assert_eq!(world.state(&job.job_id).await, JobState::Leased);
        world.pass_ms(1).await;
        let back = world.job(&job.job_id).await;
        assert_eq!((back.state, back.attempt, back.lease_epoch), (JobState::Queued, counted, claims));
    }
    // An acknowledged claim ends the row.
    let lease = world.start().await;
    world.fail(&lease.fence, ErrorClass::Network).await;
    world.pass_ms(900_000).await;
    world.claim(1).await;
    world.pass_ms(15_000).await;
    let back = world.job(&job.job_id).await;
    assert_eq!((back.state, back.attempt), (JobState::Queued, 3));
    let outcome = world.detail(&job.job_id).await.attempts[0].outcome.clone();
    assert_eq!(outcome.as_deref(), Some("ack_timeout"));
}
