//! The dead letter in figures: entries by cause, by category and by source.

use super::{DeadLetterFilter, DeadLetterHealth};
use crate::ids::{DeadLetterId, RunId, SourceId};
use crate::job::ErrorClass;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Entries of one cause. Order of lists: `count` desc, then `fingerprint`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// What they share.
    pub fingerprint: String,
    /// How many match the filter.
    pub count: u64,
    /// How many of those are open.
    pub open: u64,
    /// The job type.
    pub job_type: String,
    /// The category.
    pub category: ErrorClass,
    /// The code of the newest.
    pub error_code: String,
    /// The far side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The sentence of the newest.
    pub sample: String,
    /// The newest.
    pub sample_entry_id: DeadLetterId,
    /// When the oldest failed for good.
    pub first_seen_at: Micros,
    /// When the newest failed for good.
    pub last_seen_at: Micros,
    /// The share that is retryable, 0.0 to 1.0.
    pub retryable_share: f64,
    /// The sources they read, at most ten.
    pub sources: Vec<SourceId>,
    /// How many sources there are.
    pub source_count: u64,
    /// Entries made in each of the last 24 hours, oldest hour first.
    pub hours: Vec<u32>,
    /// The run in which the oldest failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_run_id: Option<RunId>,
}

/// Which clusters are wanted. Without a state, those that have open entries.
pub type ClusterFilter = DeadLetterFilter;

/// The dead letter in figures, all from one snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterStats {
    /// How it is doing.
    pub health: DeadLetterHealth,
    /// Open entries.
    pub open: u64,
    /// Entries that a job is just repeating.
    pub replaying: u64,
    /// Entries that were repeated with success.
    pub replayed: u64,
    /// Entries that were closed.
    pub resolved: u64,
    /// Open entries that are retryable.
    pub retryable: u64,
    /// Open entries that nobody looks after.
    pub unacknowledged: u64,
    /// Entries made in the last 24 hours.
    pub added24h: u64,
    /// When the oldest open one failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_open_at: Option<Micros>,
    /// The most common cause of open ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_common: Option<CommonCause>,
    /// Open entries by category, the most first.
    pub by_category: Vec<CategoryCount>,
    /// Entries made in each of the last 24 hours by category, for those that have any.
    pub heat: Vec<CategoryHours>,
    /// When this was counted.
    pub at: Micros,
}

/// The most common cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CommonCause {
    /// What its entries share.
    pub fingerprint: String,
    /// The code of the newest.
    pub error_code: String,
    /// The sentence of the newest.
    pub error_message: String,
    /// How many are open.
    pub count: u64,
}

/// Entries of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategoryCount {
    /// The category.
    pub category: ErrorClass,
    /// How many.
    pub count: u64,
}

/// Entries of one category by hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategoryHours {
    /// The category.
    pub category: ErrorClass,
    /// Entries made in each of the last 24 hours, oldest hour first.
    pub hours: Vec<u32>,
}

/// Entries of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SourceCount {
    /// The source; absent for jobs without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<SourceId>,
    /// How many.
    pub count: u64,
}
