//! How runs have been doing for a day: backlog in points of five minutes, runs in hours, and the four named series
//! (spec 05 §5.10).

use crate::run::RunTrigger;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// The last 24 hours of a tenant's runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunTrends {
    /// When it was looked.
    pub as_of: Micros,
    /// The four named series as they stand.
    pub series: RunSeries,
    /// The backlog of the tenant, oldest first: the highest of each five minutes.
    pub backlog: Vec<BacklogPoint>,
    /// The same for each schedule that had any, by id.
    pub by_schedule: Vec<ScheduleBacklog>,
    /// The last 24 whole or begun hours, oldest first.
    pub hours: Vec<RunHour>,
    /// How much came out the same when it was done once more, by day for 30 days, oldest first; days without a sample
    /// are left out.
    pub determinism: Vec<DeterminismDay>,
}

/// The figures that `/metrics` tells under these names, of one tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RunSeries {
    /// `scheduler_queue_depth`: jobs that are queued.
    pub queue_depth: i64,
    /// `scheduler_runs_active`: runs that have not ended.
    pub runs_active: i64,
    /// `scheduler_runs_error_total`: runs that ended in an error, ever.
    pub runs_error_total: i64,
    /// Of those, in the last 24 hours.
    pub runs_error_24h: i64,
    /// Runs that ended in the last 24 hours.
    pub runs_ended_24h: i64,
    /// `scheduler_runs_duration_seconds`: the mean of those, from their start, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_mean_ms: Option<i64>,
    /// The time that 95 of 100 of them did not exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_p95_ms: Option<i64>,
}

/// The backlog at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BacklogPoint {
    /// When.
    pub at: Micros,
    /// Planner backlog: runs still in planning.
    pub planner: i64,
    /// Executor backlog: targets of queued and running runs that are not evaluated yet.
    pub executor: i64,
}

/// The backlog of one schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ScheduleBacklog {
    /// The schedule.
    pub schedule_id: String,
    /// Its backlog, oldest first.
    pub backlog: Vec<BacklogPoint>,
}

/// Runs of one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunHour {
    /// Its beginning.
    pub at: Micros,
    /// Runs that were asked for in it, by what set them off; triggers without any are left out.
    pub by_trigger: Vec<TriggerCount>,
    /// Runs that ended in it.
    pub ended: i64,
    /// Of those, in an error.
    pub failed: i64,
    /// How long they took from their start, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_mean_ms: Option<i64>,
}

/// The samples of one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeterminismDay {
    /// Its beginning.
    pub at: Micros,
    /// The mean score of its runs, 0 to 1.
    pub mean: f64,
    /// Runs with a score.
    pub runs: i64,
    /// Segments that were evaluated once more.
    pub sample: i64,
}

/// Runs of one trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TriggerCount {
    /// What set them off.
    pub trigger: RunTrigger,
    /// How many.
    pub count: i64,
}
