//! What is asked of runs.

use super::{RunErrorCode, RunMode, RunScope, RunState, RunTab, RunTrigger};
use crate::ids::{PolicySnapshotId, PreviewId, ScheduleId};
use crate::severities::Severities;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// A wish for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartRun {
    /// What to do.
    pub mode: RunMode,
    /// For which targets.
    #[serde(default)]
    pub scope: RunScope,
    /// Targets with exploited vulnerabilities first.
    #[serde(default)]
    pub kev_first: bool,
    /// 0 to 100 for its jobs; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub priority: Option<i32>,
    /// The preview it was decided on; refused when the index moved on since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_id: Option<PreviewId>,
    /// Plan even on an index older than 24 h; the reason is recorded.
    #[serde(default)]
    pub allow_stale: bool,
    /// The policy snapshot that judges the findings; the active one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_snapshot_id: Option<PolicySnapshotId>,
    /// Targets per segment, 10 to 500; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 10, maximum = 500))]
    pub segment_size: Option<u32>,
}

/// How a finished run is repeated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetryRun {
    /// Only the targets that were not evaluated; allowed for 24 hours after the end.
    pub only_failed: bool,
}

/// For how long after its end the failed targets of a run may be retried alone, in hours.
pub const ONLY_FAILED_HOURS: i64 = 24;

/// Which runs are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RunFilter {
    /// Of this tab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tab: Option<RunTab>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// Set off by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<RunTrigger>,
    /// Of this schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
    /// With new findings of one of these severities, commas between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severities>,
    /// Failed with this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<RunErrorCode>,
    /// Created at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Micros>,
    /// Created before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
    /// With segments of this planner shard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 63))]
    pub shard: Option<u8>,
    /// Judged by the policy snapshot of this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_revision: Option<i64>,
}
