//! What can be taken away of runs: the list as a file with its manifest, what a run left as evidence, and the text with
//! which somebody else is asked for help.

use crate::artifact::Artifact;
use crate::dead_letter::ExportFormat;
use crate::ids::{RunId, ScheduleId, SegmentId, Tenant};
use crate::run::{RunErrorCode, RunFilter, RunState, RunTab, RunTrigger};
use crate::severities::Severities;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// The most runs that can be named one by one.
pub const MOST_NAMED: usize = 200;
/// The most runs in one file.
pub const MOST_EXPORTED: u64 = 100_000;

/// Which runs are exported, and how. The filter is that of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ExportRuns {
    /// NDJSON when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ExportFormat>,
    /// Only these: ids with commas between them, at most 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            pattern = "^run:[a-z0-9][a-z0-9-]{0,62}:[0-9]{8}T[0-9]{6}Z:[0-9a-fA-F]{8}(,run:[a-z0-9][a-z0-9-]{0,62}:[0-9]{8}T[0-9]{6}Z:[0-9a-fA-F]{8}){0,199}$",
            example = "run:acme:20261121T140815Z:9c1f04ab"
        )
    )]
    pub runs: Option<String>,
    /// Of this tab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tab: Option<RunTab>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// Set off by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<RunTrigger>,
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
    /// Set off by this schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
    /// Judged by the policy snapshot of this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_revision: Option<i64>,
}

impl ExportRuns {
    /// An export of what this filter lets through; of these runs alone where any are named.
    pub fn of(filter: RunFilter, runs: &[RunId], format: ExportFormat) -> Self {
        let named: Vec<&str> = runs.iter().map(RunId::as_str).collect();
        Self {
            format: Some(format),
            runs: (!named.is_empty()).then(|| named.join(",")),
            tab: filter.tab,
            state: filter.state,
            trigger: filter.trigger,
            severity: filter.severity,
            error_code: filter.error_code,
            since: filter.since,
            until: filter.until,
            shard: filter.shard,
            schedule_id: filter.schedule_id,
            policy_revision: filter.policy_revision,
        }
    }
    /// The filter of the list.
    pub fn filter(&self) -> RunFilter {
        RunFilter {
            tab: self.tab,
            state: self.state,
            trigger: self.trigger,
            severity: self.severity.clone(),
            error_code: self.error_code,
            since: self.since,
            until: self.until,
            shard: self.shard,
            schedule_id: self.schedule_id.clone(),
            policy_revision: self.policy_revision,
        }
    }
}

/// An exported file and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunExport {
    /// What it must be.
    pub manifest: RunManifest,
    /// The file, byte for byte.
    pub content: String,
}

/// What an exported file must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunManifest {
    /// `stella.run-export.v1`.
    pub schema: String,
    /// Its form.
    pub format: ExportFormat,
    /// A name for the file.
    pub file_name: String,
    /// Runs in it.
    pub count: u64,
    /// SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
    /// Whose runs.
    pub tenant: Tenant,
    /// When it was made.
    pub generated_at: Micros,
}

/// What one segment of a run left. Order of lists: shard, ordinal, name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunEvidence {
    /// The segment.
    pub segment_id: SegmentId,
    /// Its shard.
    pub shard: i32,
    /// Its place within the shard.
    pub ordinal: i32,
    /// What it left: name, size and digest.
    pub artifact: Artifact,
}

/// A text for whoever is asked for help. Nothing is sent; secrets in it are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunEscalation {
    /// The run.
    pub run_id: RunId,
    /// A name for the file.
    pub file_name: String,
    /// The text.
    pub text: String,
    /// Log lines in it.
    pub log_lines: u32,
    /// When it was made.
    pub generated_at: Micros,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_has_every_filter_of_the_list() {
        let filter = RunFilter {
            tab: Some(RunTab::Failures),
            state: Some(RunState::Error),
            trigger: Some(RunTrigger::Cron),
            severity: "critical,high".parse().ok(),
            error_code: Some(RunErrorCode::IndexStale),
            since: Some(Micros(1)),
            until: Some(Micros(2)),
            shard: Some(3),
            schedule_id: Some(ScheduleId::from_uuid("01890000-0000-7000-8000-000000000000")),
            policy_revision: Some(4),
        };
        let run: RunId = "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap();
        let export = ExportRuns::of(filter.clone(), &[run.clone(), run], ExportFormat::Csv);
        assert_eq!(export.filter(), filter);
        assert_eq!(export.runs.as_deref().map(|runs| runs.split(',').count()), Some(2));
        let (of_list, of_export) =
            (serde_json::to_value(&filter).unwrap(), serde_json::to_value(&export).unwrap());
        for (name, value) in of_list.as_object().unwrap() {
            assert_eq!(&of_export[name], value, "{name}");
        }
    }
}
