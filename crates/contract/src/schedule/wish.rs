//! What is asked of schedules.

use super::{OverlapPolicy, ScheduleLimits, ScheduleNotify, ScheduleState};
use crate::run::{RunMode, RunScope};
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Which schedules are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduleFilter {
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ScheduleState>,
    /// Whose runs do this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Whose name holds this text; case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 80, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub name: Option<String>,
}

/// A wish for a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MakeSchedule {
    /// 1 to 80 characters, unique within the tenant.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 80,
            pattern = "^[^\\s\\x00-\\x1f\\x7f-\\x9f]([^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f])?$"
        )
    )]
    pub name: String,
    /// When it fires: five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`.
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub cron: String,
    /// The IANA zone in which it is read; `UTC` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub timezone: Option<String>,
    /// 0 to 3,600; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3_600))]
    pub jitter_s: Option<i64>,
    /// `skip` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_policy: Option<OverlapPolicy>,
    /// 10 to 31,536,000; 600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 10, maximum = 31_536_000))]
    pub catchup_window_s: Option<i64>,
    /// What its runs do.
    pub mode: RunMode,
    /// For which targets; all when absent.
    #[serde(default)]
    pub scope: RunScope,
    /// The policy its runs use; the active one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub policy_snapshot_id: Option<String>,
    /// Targets with exploited vulnerabilities first.
    #[serde(default)]
    pub kev_first: bool,
    /// 1 to 1,000,000; 50,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub max_targets: Option<i64>,
    /// What bounds its runs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub limits: Option<ScheduleLimits>,
    /// Of which runs somebody is told.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub notify: Option<ScheduleNotify>,
    /// Whether it is switched on; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What is to be different about a schedule; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChangeSchedule {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 80,
            pattern = "^[^\\s\\x00-\\x1f\\x7f-\\x9f]([^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f])?$"
        )
    )]
    pub name: Option<String>,
    /// When it fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub cron: Option<String>,
    /// The IANA zone in which it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub timezone: Option<String>,
    /// 0 to 3,600.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3_600))]
    pub jitter_s: Option<i64>,
    /// What becomes of a fire while the run before is still open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_policy: Option<OverlapPolicy>,
    /// 10 to 31,536,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 10, maximum = 31_536_000))]
    pub catchup_window_s: Option<i64>,
    /// What its runs do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// For which targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<RunScope>,
    /// The policy its runs use; an empty text means the active one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^(sha256:[0-9a-f]{64})?$"))]
    pub policy_snapshot_id: Option<String>,
    /// Targets with exploited vulnerabilities first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kev_first: Option<bool>,
    /// 1 to 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub max_targets: Option<i64>,
    /// What bounds its runs.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub limits: Option<ScheduleLimits>,
    /// Of which runs somebody is told.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub notify: Option<ScheduleNotify>,
}

/// For how long a schedule is paused. The reason and the ticket stand in the headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PauseSchedule {
    /// When it resumes by itself; by hand when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Micros>,
}

/// A run of a schedule, now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TriggerSchedule {
    /// Start it even beside a run of the schedule that is still open.
    pub allow_overlap: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_needs_a_name_a_time_and_a_mode_and_reads_the_rest_as_absent() {
        let text = r#"{"name":"nightly","cron":"30 2 * * *","mode":"analysis-only"}"#;
        let wish: MakeSchedule = serde_json::from_str(text).unwrap();
        assert_eq!((wish.scope, wish.jitter_s, wish.limits), (RunScope::All, None, None));
        assert!(serde_json::from_str::<MakeSchedule>(r#"{"name":"n","cron":"@daily"}"#).is_err());
        let limits: ScheduleLimits = serde_json::from_str(r#"{"parallelism":8}"#).unwrap();
        assert_eq!(limits, ScheduleLimits { parallelism: 8, ..ScheduleLimits::default() });
    }
}
