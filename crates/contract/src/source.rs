//! A source: where advisories, lists and SBOMs come from (spec 03 §3.2).

use crate::ids::{JobId, SourceId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What a source carries.
    SourceType {
        /// OSV records: one record, NDJSON, or a zip of records.
        Advisory = "advisory",
        /// The CISA catalogue of known exploited vulnerabilities.
        Kev = "kev",
        /// SBOM files of a folder.
        Sbom = "sbom",
    }
}

impl SourceType {
    /// The type of the job that reads such a source.
    pub const fn job_type(self) -> &'static str {
        match self {
            Self::Advisory => "ingest.advisory",
            Self::Kev => "ingest.kev",
            Self::Sbom => "ingest.sbom",
        }
    }
}

words! {
    /// How a source is doing.
    SourceHealth {
        /// Never run.
        Unknown = "unknown",
        /// The last run succeeded.
        Healthy = "healthy",
        /// The last run failed or was throttled.
        Degraded = "degraded",
        /// Three runs in a row failed.
        Failing = "failing",
        /// No success for 24 h.
        Stale = "stale",
    }
}

/// A source as every door shows it. Order of lists: name, then id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Its id.
    pub source_id: SourceId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its name, unique within the tenant.
    pub name: String,
    /// What it carries.
    pub source_type: SourceType,
    /// Where it is: `https://…`, `http://…`, or a path to a file or folder on the core's machine.
    pub location: String,
    /// Whether it may run.
    pub enabled: bool,
    /// How it is doing.
    pub health: SourceHealth,
    /// Records it holds now.
    pub record_count: i64,
    /// The newest `modified` time among its records, or the list's release date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
    /// When it last succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Micros>,
    /// When it last failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_at: Option<Micros>,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The code of that failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_code: Option<String>,
    /// The newest job that read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_job_id: Option<JobId>,
    /// The far side asked not to be called before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Micros>,
    /// When it was added.
    pub created_at: Micros,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// A wish for a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddSource {
    /// Its name, unique within the tenant, 1 to 100 characters.
    pub name: String,
    /// What it carries.
    pub source_type: SourceType,
    /// Where it is.
    pub location: String,
}

/// A wish to read a source now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RunSource {
    /// Take the feed even if it came empty or shrank by more than half; needs a reason.
    pub force: bool,
}

/// What one reading of a source did. It is the result of the ingest job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct IngestReport {
    /// The far side said nothing changed (`304`), or the bytes are those of last time.
    pub unchanged: bool,
    /// Bytes read.
    pub bytes: i64,
    /// `sha256:<64 hex>` of the bytes.
    pub digest: String,
    /// Records read and kept.
    pub records: i64,
    /// Records that were not there before.
    pub added: i64,
    /// Records that differ from before.
    pub changed: i64,
    /// Records that are no longer there.
    pub removed: i64,
    /// Records that could not be read.
    pub refused: i64,
    /// The first 100 of those.
    pub errors: Vec<RecordProblem>,
    /// Things worth knowing that stopped nothing.
    pub warnings: Vec<String>,
}

/// One record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RecordProblem {
    /// The file, or the entry of the archive.
    pub file: String,
    /// Where in it, as a JSON path or line.
    pub path: String,
    /// `parse_error`, `schema_mismatch`, `duplicate_id`, ...
    pub code: String,
    /// What is wrong and what is expected.
    pub message: String,
}
