//! What a job leaves behind: named bytes under their digest (spec 01 §1.7).

use crate::ids::{ArtifactId, JobId, RunId};
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// One output of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Its id.
    pub artifact_id: ArtifactId,
    /// The job that left it.
    pub job_id: JobId,
    /// The run of that job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Unique within the job.
    pub name: String,
    /// What it is: `segment-output`, `ingest-report`, ...
    pub kind: String,
    /// Its media type.
    pub media_type: String,
    /// Its size.
    pub size_bytes: i64,
    /// `sha256:<64 hex>` of its bytes.
    pub digest: String,
    /// When it was stored.
    pub created_at: Micros,
}
