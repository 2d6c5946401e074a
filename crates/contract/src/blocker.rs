//! Why a job is not running: everything that holds it, at once.

use crate::ids::JobId;
use crate::job::{JobState, WaitReason};
use crate::scope::Scope;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What holds a job.
    BlockerKind {
        /// An upstream job has not ended.
        Dependency = "dependency",
        /// An upstream job failed.
        UpstreamFailed = "upstream_failed",
        /// Its time has not come.
        NotBefore = "not_before",
        /// It failed and waits for its next attempt.
        Backoff = "backoff",
        /// As many as a quota allows are at work.
        QuotaMaxActive = "quota_max_active",
        /// As many as a quota allows ran this hour.
        QuotaMaxPerHour = "quota_max_per_hour",
        /// A bucket, of a quota or of a host, is empty.
        RateLimited = "rate_limited",
        /// A breaker is open.
        BreakerOpen = "breaker_open",
        /// A blackout is on.
        Blackout = "blackout",
        /// The tenant is under critical pressure.
        Backpressure = "backpressure",
        /// A quota or its source is paused.
        Paused = "paused",
        /// Nobody works on its type. It tells why nothing happens; it does not keep a worker from taking the job.
        NoWorker = "no_worker",
    }
}

impl BlockerKind {
    /// As a waiting job says it; `None` for what does not make a job wait.
    pub const fn wait_reason(self) -> Option<WaitReason> {
        match self {
            Self::Dependency => Some(WaitReason::Dependency),
            Self::UpstreamFailed => Some(WaitReason::UpstreamFailed),
            Self::NotBefore => Some(WaitReason::NotBefore),
            Self::Backoff => Some(WaitReason::Backoff),
            Self::QuotaMaxActive => Some(WaitReason::QuotaMaxActive),
            Self::QuotaMaxPerHour => Some(WaitReason::QuotaMaxPerHour),
            Self::RateLimited => Some(WaitReason::RateLimited),
            Self::BreakerOpen => Some(WaitReason::BreakerOpen),
            Self::Blackout => Some(WaitReason::Blackout),
            Self::Backpressure => Some(WaitReason::Backpressure),
            Self::Paused => Some(WaitReason::Paused),
            Self::NoWorker => None,
        }
    }
}

/// One thing that holds a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// What holds it.
    pub kind: BlockerKind,
    /// The id of the thing: the upstream job, the quota, the bucket, the breaker, the blackout; else its name.
    pub holder: String,
    /// A sentence for people.
    pub sentence: String,
    /// The figure that is too high or too low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// What it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// When it lifts by itself; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
    /// What would lift it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift: Option<Lift>,
}

/// What an operator can do about a blocker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Lift {
    /// The label of the button.
    pub action: String,
    /// The same as a command.
    pub cli_command: String,
    /// The scope it needs.
    pub scope: Scope,
}

/// Why a job is where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The job.
    pub job_id: JobId,
    /// Where it stands.
    pub state: JobState,
    /// What its row says it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_reason: Option<WaitReason>,
    /// In one sentence.
    pub sentence: String,
    /// Everything that holds it, in the order of the reasons; empty when a worker may take it, has it, or had it.
    pub blockers: Vec<Blocker>,
    /// When it may start at the earliest; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_eligible_at: Option<Micros>,
    /// Its place among the ready jobs of its type, 1 for the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// When it was looked at.
    pub asked_at: Micros,
}
