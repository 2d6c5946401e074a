//! Entries as a file, with a manifest that says what is in it.

use super::{DeadLetterFilter, DeadLetterState};
use crate::ids::{RunId, SourceId, Tenant};
use crate::job::ErrorClass;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// The form of an export.
    ExportFormat {
        /// One JSON object per line.
        Ndjson = "ndjson",
        /// Comma-separated values with a heading.
        Csv = "csv",
    }
}

/// Which entries are exported, and how. The filter is that of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ExportDeadLetters {
    /// NDJSON when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ExportFormat>,
    /// With the payloads, secrets redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<bool>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeadLetterState>,
    /// Of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<ErrorClass>,
    /// Of this cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Of this job type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// Of this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// Of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Of this far side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// With this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Retryable ones only, or others only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Acknowledged ones only, or others only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    /// Looked after by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Dead-lettered then or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Micros>,
    /// Dead-lettered before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
    /// With this in its sentence or code, in any case of letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

impl ExportDeadLetters {
    /// An export of what this filter lets through.
    pub fn of(filter: DeadLetterFilter, format: ExportFormat, payload: bool) -> Self {
        Self {
            format: Some(format),
            payload: Some(payload),
            state: filter.state,
            category: filter.category,
            fingerprint: filter.fingerprint,
            job_type: filter.job_type,
            source: filter.source,
            run: filter.run,
            host: filter.host,
            error_code: filter.error_code,
            retryable: filter.retryable,
            acknowledged: filter.acknowledged,
            owner: filter.owner,
            since: filter.since,
            until: filter.until,
            q: filter.q,
        }
    }
    /// The filter of the list.
    pub fn filter(&self) -> DeadLetterFilter {
        DeadLetterFilter {
            state: self.state,
            category: self.category,
            fingerprint: self.fingerprint.clone(),
            job_type: self.job_type.clone(),
            source: self.source.clone(),
            run: self.run.clone(),
            host: self.host.clone(),
            error_code: self.error_code.clone(),
            retryable: self.retryable,
            acknowledged: self.acknowledged,
            owner: self.owner.clone(),
            since: self.since,
            until: self.until,
            q: self.q.clone(),
        }
    }
}

/// An exported file and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterExport {
    /// What it must be.
    pub manifest: ExportManifest,
    /// The file, byte for byte.
    pub content: String,
}

/// What an exported file must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportManifest {
    /// `stella.deadletter-export.v1`.
    pub schema: String,
    /// Its form.
    pub format: ExportFormat,
    /// A name for the file.
    pub file_name: String,
    /// Entries in it.
    pub count: u64,
    /// SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
    /// Whether payloads are in it.
    pub payload: bool,
    /// Whose entries.
    pub tenant: Tenant,
    /// When it was made.
    pub generated_at: Micros,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_has_every_filter_of_the_list() {
        let filter = DeadLetterFilter {
            state: Some(DeadLetterState::Open),
            category: Some(ErrorClass::Network),
            fingerprint: Some("0123456789abcdef".to_owned()),
            job_type: Some("ingest.kev".to_owned()),
            source: Some(SourceId::from_uuid("01890000-0000-7000-8000-000000000000")),
            run: Some("run:acme:20261121T140815Z:9c1f04ab".parse().unwrap()),
            host: Some("a.example".to_owned()),
            error_code: Some("X".to_owned()),
            retryable: Some(true),
            acknowledged: Some(false),
            owner: Some("ada".to_owned()),
            since: Some(Micros(1)),
            until: Some(Micros(2)),
            q: Some("part".to_owned()),
        };
        let export = ExportDeadLetters::of(filter.clone(), ExportFormat::Csv, true);
        assert_eq!(export.filter(), filter);
        let (of_list, of_export) =
            (serde_json::to_value(&filter).unwrap(), serde_json::to_value(&export).unwrap());
        for (name, value) in of_list.as_object().unwrap() {
            assert_eq!(&of_export[name], value, "{name}");
        }
    }
}
