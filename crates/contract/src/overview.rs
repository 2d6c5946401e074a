//! The figures of Jobs & Queues, all from one snapshot (spec 05 §5.10).

use crate::job::WaitReason;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// The execution overview of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// When the snapshot was taken.
    pub as_of: Micros,
    /// The job engine.
    pub jobs: JobFigures,
    /// Why pending jobs wait, most first.
    pub waiting: Vec<WaitCount>,
    /// Jobs by type, most open first.
    pub by_type: Vec<TypeFigures>,
    /// The scheduler.
    pub runs: RunFigures,
    /// The workers.
    pub workers: WorkerFigures,
    /// What has come in.
    pub inputs: InputFigures,
    /// Queue depth of the last 24 h in 5-minute points, oldest first.
    pub depth: Vec<DepthPoint>,
}

/// Jobs by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct JobFigures {
    pub pending: i64,
    pub queued: i64,
    pub leased: i64,
    pub running: i64,
    pub succeeded_24h: i64,
    pub failed_24h: i64,
    /// When the job that waits longest in the queue was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_queued_at: Option<Micros>,
}

/// How many pending jobs wait for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WaitCount {
    /// The reason.
    pub reason: WaitReason,
    /// How many.
    pub count: i64,
    /// When the first of them may go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_eligible_at: Option<Micros>,
}

/// Jobs of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TypeFigures {
    /// The type.
    pub job_type: String,
    /// Pending and queued.
    pub waiting: i64,
    /// Leased and running.
    pub active: i64,
    /// Succeeded in 24 h.
    pub succeeded_24h: i64,
    /// Failed or timed out in 24 h.
    pub failed_24h: i64,
}

/// Runs by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct RunFigures {
    pub planning: i64,
    pub queued: i64,
    pub running: i64,
    pub completed_24h: i64,
    pub error_24h: i64,
    /// New findings of runs that ended in 24 h.
    pub new_findings_24h: i64,
    pub kev_added_24h: i64,
    pub kev_removed_24h: i64,
    /// Targets of open runs not yet evaluated.
    pub executor_backlog: i64,
    /// When the planner last beat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planner_beat_at: Option<Micros>,
    /// Schedules, whether they are at work or not.
    pub schedules: i64,
    /// The next fire of any schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_fire_at: Option<Micros>,
}

/// Workers by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct WorkerFigures {
    pub online: i64,
    pub late: i64,
    pub offline: i64,
    pub draining: i64,
    pub slots: i64,
    pub slots_in_use: i64,
}

/// What has come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct InputFigures {
    pub sources: i64,
    pub sources_failing: i64,
    pub advisories: i64,
    pub kev_entries: i64,
    pub targets: i64,
    pub components: i64,
    pub findings: i64,
    pub findings_critical: i64,
    pub advisories_last_hour: i64,
    /// The number of the impact index.
    pub index_generation: i64,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_built_at: Option<Micros>,
}

/// The queue at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DepthPoint {
    /// When.
    pub at: Micros,
    /// Eligible and waiting for a worker.
    pub queued: i64,
    /// Held by a limit or backoff.
    pub held: i64,
}
