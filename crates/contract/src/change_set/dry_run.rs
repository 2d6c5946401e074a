//! What a dry run tells of a change-set before it starts.

use super::ItemRefusal;
use serde::{Deserialize, Serialize};

/// What a dry run found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// Things selected.
    pub selected: i64,
    /// Of them, those the verb can be done to now.
    pub eligible: i64,
    /// Why the others cannot, most first.
    pub refusals: Vec<RefusalCount>,
    /// By state, most first.
    pub by_state: Vec<ShareCount>,
    /// By job type, most first; at most 20.
    pub by_type: Vec<ShareCount>,
    /// By category of the last failure, most first.
    pub by_category: Vec<ShareCount>,
    /// By source, most first; at most 20.
    pub by_source: Vec<ShareCount>,
    /// What the queues of the job types would have to take; empty where the verb makes no work.
    pub impact: Vec<QueueImpact>,
    /// How long it takes at its pace, in seconds; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<i64>,
}

/// A reason for refusal and how many it meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefusalCount {
    /// The reason as a word.
    pub code: ItemRefusal,
    /// The reason as a sentence.
    pub reason: String,
    /// How many.
    pub count: i64,
}

/// Part of a selection that has something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ShareCount {
    /// What they have in common.
    pub name: String,
    /// How many are selected.
    pub selected: i64,
    /// How many of them the verb can be done to.
    pub eligible: i64,
}

/// What the queue of a job type would have to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueueImpact {
    /// The job type.
    pub job_type: String,
    /// Jobs that would be added.
    pub added: i64,
    /// Jobs of the type that wait now.
    pub waiting: i64,
    /// Jobs of the type at work now.
    pub at_work: i64,
    /// As many may be at work at once, where a quota says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_active: Option<i64>,
}
