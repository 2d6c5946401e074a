//! A job and its repeats: who was made from whom (spec 01 §1.8).

use crate::ids::JobId;
use crate::job::Job;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// How a job of a lineage came to be.
    Descent {
        /// It was submitted.
        Original = "original",
        /// An operator asked for another try at the priority it had.
        Retry = "retry",
        /// An operator asked for it once more, at high priority.
        Replay = "replay",
    }
}

/// A job with everything it repeats and everything that repeats it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Lineage {
    /// The job it was asked of.
    pub focus_job_id: JobId,
    /// The first of them.
    pub original_job_id: JobId,
    /// All of them, in the order of their making; the newest 500 when there are more.
    pub jobs: Vec<Kin>,
}

/// A job of a lineage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Kin {
    /// How it came to be.
    pub descent: Descent,
    /// The job it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<JobId>,
    /// The job.
    pub job: Job,
}
