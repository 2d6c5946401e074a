//! A source: where advisories, lists and SBOMs come from (spec 03 §3.2).

use crate::ids::{JobId, SourceId, Tenant};
use crate::job::ErrorClass;
use crate::time::Micros;
use crate::watermark::Window;
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
        /// VEX documents: OpenVEX, CycloneDX or CSAF.
        Vex = "vex",
        /// The EPSS list: how likely each vulnerability is exploited soon.
        Epss = "epss",
        /// SBOM files by the digest of their images.
        Registry = "registry",
        /// What a worker of one's own reads.
        Custom = "custom",
    }
}

impl SourceType {
    /// The type of the job that reads such a source.
    pub const fn job_type(self) -> &'static str {
        match self {
            Self::Advisory => "ingest.advisory",
            Self::Kev => "ingest.kev",
            Self::Sbom | Self::Registry => "ingest.sbom",
            Self::Vex => "ingest.vex",
            Self::Epss => "ingest.epss",
            Self::Custom => "ingest.custom",
        }
    }
    /// Whether its records have an event time, so that it has a watermark and can be backfilled.
    pub const fn has_event_time(self) -> bool {
        match self {
            Self::Advisory | Self::Kev | Self::Vex | Self::Epss | Self::Custom => true,
            Self::Sbom | Self::Registry => false,
        }
    }
}

words! {
    /// How a source is doing.
    SourceHealth {
        /// Never run.
        Unknown = "unknown",
        /// The last run succeeded, and not long ago.
        Healthy = "healthy",
        /// The last run failed or was throttled.
        Degraded = "degraded",
        /// Three runs in a row failed.
        Failing = "failing",
        /// No success for 24 h.
        Stale = "stale",
        /// An operator holds it.
        Paused = "paused",
        /// It is switched off.
        Disabled = "disabled",
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
    /// The far side, as buckets and breakers know it: host and, where it is not the usual one, port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The type of the job that reads it.
    #[serde(default)]
    pub job_type: String,
    /// Whether it may run.
    pub enabled: bool,
    /// Whether an operator holds it.
    #[serde(default)]
    pub paused: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_reason: Option<String>,
    /// How it is read.
    #[serde(flatten)]
    pub settings: SourceSettings,
    /// Whether it is asked for one window at a time (its location holds `{from}` or `{to}`) or read whole.
    #[serde(default)]
    pub windowed: bool,
    /// Where the unbroken run of completed windows ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_watermark: Option<Micros>,
    /// Seconds between that and now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_s: Option<i64>,
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
    /// The category of that failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_class: Option<ErrorClass>,
    /// Failures since the last success.
    #[serde(default)]
    pub failures_in_a_row: i64,
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

/// How a source is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SourceSettings {
    /// The length of a live window in seconds.
    pub fetch_window_s: i64,
    /// How far a live window reaches back over the one before, in seconds.
    pub overlap_s: i64,
    /// How late a record may come, in seconds: what is newer is not asked for yet.
    pub allowed_lateness_s: i64,
    /// Days that are kept; a backfill does not reach further back.
    pub retention_days: i64,
    /// Requests that may be made in one go.
    pub bucket_capacity: i64,
    /// Requests per second.
    pub bucket_rate: f64,
    /// The name of the secret that opens it, never the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_ref: Option<String>,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            fetch_window_s: 3_600,
            overlap_s: 300,
            allowed_lateness_s: 900,
            retention_days: 365,
            bucket_capacity: 10,
            bucket_rate: 1.0,
            auth_ref: None,
        }
    }
}

/// A change of a source; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpdateSource {
    /// The version that was read; another one is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 100,
            pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
        )
    )]
    pub name: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 2_000,
            pattern = "^(https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?(/[^\\x00]*)?|/[^\\x00]*)$"
        )
    )]
    pub location: Option<String>,
    /// Whether it may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The type of the job that reads it; of a custom source only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[a-z][a-z0-9.-]{1,63}$"))]
    pub job_type: Option<String>,
    /// The length of a live window in seconds, 60 to 604,800.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 60, maximum = 604_800))]
    pub fetch_window_s: Option<i64>,
    /// How far a live window reaches back, in seconds, 0 to 86,400.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 86_400))]
    pub overlap_s: Option<i64>,
    /// How late a record may come, in seconds, 0 to 604,800.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 604_800))]
    pub allowed_lateness_s: Option<i64>,
    /// Days that are kept, 1 to 3,650.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3_650))]
    pub retention_days: Option<i64>,
    /// Requests that may be made in one go, 1 to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10_000))]
    pub bucket_capacity: Option<i64>,
    /// Requests per second, above 0 and up to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(exclusive_minimum = 0, maximum = 1_000))]
    pub bucket_rate: Option<f64>,
    /// The name of the secret that opens it; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub auth_ref: Option<String>,
}

/// What one dry look at a source found. Nothing is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SourceTested {
    /// Whether it could be fetched and held something that can be read.
    pub ok: bool,
    /// Files read.
    pub files: i64,
    /// Bytes read.
    pub bytes: i64,
    /// Records that could be read.
    pub records: i64,
    /// Records that could not.
    pub refused: i64,
    /// The newest event time among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Micros>,
    /// The first of what could not be read.
    pub errors: Vec<RecordProblem>,
    /// The code of what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// What went wrong and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// A wish for a source. How it is read is told by a change of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddSource {
    /// Its name, unique within the tenant, 1 to 100 characters.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 100,
            pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
        )
    )]
    pub name: String,
    /// What it carries.
    pub source_type: SourceType,
    /// Where it is.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 2_000,
            pattern = "^(https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?(/[^\\x00]*)?|/[^\\x00]*)$"
        )
    )]
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
    /// The window of event time that was asked for; absent where the feed was read whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
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
/// Which sources are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SourceFilter {
    /// Of this kind only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_type: Option<SourceType>,
    /// Those that are switched on only, or those that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Those that an operator paused only, or the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}
