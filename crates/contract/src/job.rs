//! A job: its states, the arrows between them, and what every door shows of it (spec 01).

mod failure;
mod wish;

pub use failure::ErrorClass;
pub use wish::{JobFilter, SubmitJob};

use crate::NoSuchArrow;
use crate::ids::{JobId, LeaseId, RunId, SourceId, Tenant, WorkerId};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where a job stands.
    JobState {
        /// In: submit, backoff, a limit that now refuses it. Out: the dispatcher, cancel, skip. `waitReason` says why.
        Pending = "pending",
        /// In: the dispatcher, a lease given back. Out: a claim, a limit, cancel.
        Queued = "queued",
        /// In: a worker's claim. Out: its ack, its release, no ack in time, cancel. Without an ack again and again it is
        /// timed out at last.
        Leased = "leased",
        /// In: the worker's ack. Out: its report, lease loss, cancel.
        Running = "running",
        /// In: the worker's complete. Final.
        Succeeded = "succeeded",
        /// In: a failure with no attempt left or of a class that is not retried. Final; has a dead-letter entry.
        Failed = "failed",
        /// In: lease loss, time limit or no ack in time on the last attempt. Final; has a dead-letter entry.
        TimedOut = "timed_out",
        /// In: operator, run cancel or policy. Final.
        Cancelled = "cancelled",
        /// In: the run ended while an upstream job had failed. Final.
        Skipped = "skipped",
    }
}

words! {
    /// What can happen to a job.
    JobEvent {
        /// The dispatcher finds nothing that holds it.
        Queue = "queue",
        /// The dispatcher finds a limit that now refuses it.
        Hold = "hold",
        /// A worker takes it.
        Claim = "claim",
        /// The worker starts.
        Ack = "ack",
        /// The worker gives it back unstarted, or did not ack in time.
        Release = "release",
        /// The worker is alive and may tell progress.
        Heartbeat = "heartbeat",
        /// The worker is done.
        Complete = "complete",
        /// The attempt failed or was lost, and another is left.
        Retry = "retry",
        /// The attempt failed for good.
        Fail = "fail",
        /// The last attempt was lost, ran over its limit or was never acknowledged.
        TimeOut = "time_out",
        /// A cancel is asked of a running job; the worker is told with its next heartbeat.
        AskCancel = "ask_cancel",
        /// It is cancelled now.
        Cancel = "cancel",
        /// Its run ended while an upstream job had failed.
        Skip = "skip",
    }
}

words! {
    /// Why a pending job waits.
    WaitReason {
        /// An upstream job has not ended.
        Dependency = "dependency",
        /// An upstream job failed.
        UpstreamFailed = "upstream_failed",
        /// Its time has not come.
        NotBefore = "not_before",
        /// It failed and waits for its next attempt.
        Backoff = "backoff",
        /// As many as allowed are at work.
        QuotaMaxActive = "quota_max_active",
        /// As many as allowed ran this hour.
        QuotaMaxPerHour = "quota_max_per_hour",
        /// The host's bucket is empty.
        RateLimited = "rate_limited",
        /// The breaker is open.
        BreakerOpen = "breaker_open",
        /// A blackout is on.
        Blackout = "blackout",
        /// The queue is too deep.
        Backpressure = "backpressure",
        /// It is paused.
        Paused = "paused",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: JobState, event: JobEvent) -> Result<JobState, NoSuchArrow> {
    use JobEvent as E;
    use JobState as S;
    match (state, event) {
        (S::Pending, E::Queue) => Ok(S::Queued),
        (S::Queued, E::Hold) => Ok(S::Pending),
        (S::Queued, E::Claim) => Ok(S::Leased),
        (S::Leased, E::Ack) => Ok(S::Running),
        (S::Leased, E::Release) => Ok(S::Queued),
        // A claim nobody acknowledged counts from the third in a row on, and may be the last.
        (S::Leased, E::TimeOut) => Ok(S::TimedOut),
        (S::Leased | S::Running, E::Heartbeat) => Ok(state),
        (S::Running, E::Complete) => Ok(S::Succeeded),
        (S::Running, E::Retry) => Ok(S::Pending),
        (S::Running, E::Fail) => Ok(S::Failed),
        (S::Running, E::TimeOut) => Ok(S::TimedOut),
        (S::Running, E::AskCancel) => Ok(S::Running),
        (S::Pending | S::Queued | S::Leased | S::Running, E::Cancel) => Ok(S::Cancelled),
        (S::Pending, E::Skip) => Ok(S::Skipped),
        (state, event) => Err(NoSuchArrow { entity: "job", state: state.as_str(), event: event.as_str() }),
    }
}

/// The states from which `event` is possible, asked of [`next`], so that the two cannot disagree.
pub fn states_before(event: JobEvent) -> Vec<JobState> {
    JobState::ALL.iter().copied().filter(|state| next(*state, event).is_ok()).collect()
}

impl JobState {
    /// Whether nothing more can happen to it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Queued | Self::Leased | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::TimedOut | Self::Cancelled | Self::Skipped => true,
        }
    }
}

/// Why an operator may not cancel a job in this state; `None` when they may.
pub fn cancel_refusal(state: JobState) -> Option<&'static str> {
    match next(state, JobEvent::Cancel) {
        Ok(_) => None,
        Err(_) => Some("The job has already ended"),
    }
}

/// Why an operator may not give a job in this state another try; `None` when they may.
pub fn retry_refusal(state: JobState) -> Option<&'static str> {
    match state {
        JobState::Failed | JobState::TimedOut | JobState::Cancelled => None,
        JobState::Succeeded => Some("The job succeeded; replay it to do it once more"),
        JobState::Skipped => Some("The job was never started; retry the job before it, or replay this one"),
        JobState::Pending | JobState::Queued | JobState::Leased | JobState::Running => {
            Some("The job has not ended yet")
        }
    }
}

/// Why an operator may not do a job in this state once more; `None` when they may.
pub fn replay_refusal(state: JobState) -> Option<&'static str> {
    if state.is_final() { None } else { Some("The job has not ended yet") }
}

/// Why an operator may not change the priority of a job in this state; `None` when they may.
pub fn prioritize_refusal(state: JobState) -> Option<&'static str> {
    if state.is_final() { Some("The job has already ended") } else { None }
}

/// The priority at which a replay enters at least.
pub const REPLAY_PRIORITY: i32 = 75;

/// The priority that jobs shall have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrioritizeJob {
    /// 0 to 100; low 25, normal 50, high 75, critical 90.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub priority: i32,
}

/// Who asked for something and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// A job as every door shows it. Order of lists: `createdAt` desc, then id desc.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub job_id: JobId,
    /// Whose it is.
    pub tenant: Tenant,
    /// A part of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The source it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<SourceId>,
    /// What it does: `ingest.advisory`, `scan.segment`, ...
    pub job_type: String,
    /// 0 to 100; low 25, normal 50, high 75, critical 90.
    pub priority: i32,
    /// Where it stands.
    pub state: JobState,
    /// Why it is pending; of a queued job, what holds it back by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_reason: Option<WaitReason>,
    /// When it may start at the earliest; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_eligible_at: Option<Micros>,
    /// Not to start before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Micros>,
    /// SHA-256 of the canonical payload.
    pub payload_digest: String,
    /// Bytes of the canonical payload.
    pub payload_size: i64,
    /// Unique with tenant and job type.
    pub idempotency_key: String,
    /// Attempts started and counted so far.
    pub attempt: i32,
    /// Attempts allowed, the first included.
    pub max_attempts: i32,
    /// Wall time of one attempt, in seconds.
    pub timeout_s: i64,
    /// The lease it is under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
    /// How often it was claimed; fences older writers.
    pub lease_epoch: i64,
    /// When the lease ends unless renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Micros>,
    /// The worker that holds or last held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    /// 0.0 to 1.0.
    pub progress: f64,
    /// What it is doing, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_message: Option<String>,
    /// Items done.
    pub processed: i64,
    /// Items in all; 0 while not known.
    pub total: i64,
    /// Code of the last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Class of the last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_class: Option<ErrorClass>,
    /// Sentence of the last failure, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Failures of one cause share it: 16 hex digits, as dead letters have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_fingerprint: Option<String>,
    /// Whether another try may help without anybody changing anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// The job this one repeats, at high priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<JobId>,
    /// The failed job this one is another try of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    /// Its entry among the dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_id: Option<String>,
    /// The task runner that the worker holding it works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_runner_id: Option<String>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// The trace it belongs to, as W3C Trace Context writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Who submitted it.
    pub created_by: String,
    /// Why it was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket it was submitted under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// SHA-256 of type and payload digest.
    pub inputs_hash: String,
    /// SHA-256 of the sorted `name TAB digest LF` lines of its artifacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs_hash: Option<String>,
    /// When it was submitted.
    pub created_at: Micros,
    /// When it was last queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Micros>,
    /// When it first ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Micros>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
    /// From its first start to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// When a cancel was asked of it while it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<Micros>,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// A job with what only its own page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobDetail {
    /// The job.
    pub job: Job,
    /// Its payload, secrets redacted.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: serde_json::Value,
    /// Its result, when it succeeded and left one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub result: Option<serde_json::Value>,
    /// Its attempts, newest first.
    pub attempts: Vec<Attempt>,
    /// What it left.
    pub artifacts: Vec<crate::artifact::Artifact>,
}

/// One claim of a job and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The lease epoch, 1 for the first.
    pub lease_epoch: i64,
    /// The counted attempt.
    pub attempt: i32,
    /// Who tried.
    pub worker_id: WorkerId,
    /// When it was claimed.
    pub leased_at: Micros,
    /// When the worker started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Micros>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
    /// How: `succeeded`, `failed`, `released`, `ack_timeout`, `lease_expired`, `attempt_timeout`, `cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Code of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Sentence of the failure, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as text: a reviewer sees any new arrow as one added line.
    #[test]
    fn the_arrows_of_a_job_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in JobState::ALL {
            for event in JobEvent::ALL {
                if let Ok(to) = next(*state, *event) {
                    lines.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let expected = "\
pending --queue--> queued
pending --cancel--> cancelled
pending --skip--> skipped
queued --hold--> pending
queued --claim--> leased
queued --cancel--> cancelled
leased --ack--> running
leased --release--> queued
leased --heartbeat--> leased
leased --time_out--> timed_out
leased --cancel--> cancelled
running --heartbeat--> running
running --complete--> succeeded
running --retry--> pending
running --fail--> failed
running --time_out--> timed_out
running --ask_cancel--> running
running --cancel--> cancelled";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_final_state_has_no_way_out() {
        for state in JobState::ALL.iter().filter(|state| state.is_final()) {
            for event in JobEvent::ALL {
                assert!(next(*state, *event).is_err(), "{state} --{event}-->");
            }
            assert!(cancel_refusal(*state).is_some());
        }
    }

    #[test]
    fn what_an_operator_may_do_in_each_state() {
        let mut lines = Vec::new();
        for state in JobState::ALL {
            let verbs = [
                ("cancel", cancel_refusal(*state)),
                ("retry", retry_refusal(*state)),
                ("replay", replay_refusal(*state)),
                ("prioritize", prioritize_refusal(*state)),
            ];
            let may: Vec<&str> =
                verbs.iter().filter(|(_, why)| why.is_none()).map(|(verb, _)| *verb).collect();
            lines.push(format!("{state}: {}", may.join(" ")));
        }
        let expected = "\
pending: cancel prioritize
queued: cancel prioritize
leased: cancel prioritize
running: cancel prioritize
succeeded: replay
failed: retry replay
timed_out: retry replay
cancelled: retry replay
skipped: replay";
        assert_eq!(lines.join("\n"), expected);
    }
}
