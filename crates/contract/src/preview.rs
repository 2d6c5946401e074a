//! What a run would touch, before it starts (spec 05 §5.6).

use crate::ids::PreviewId;
use crate::run::{RunMode, RunScope};
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// What to preview: a `keys.json` is of this form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PreviewRequest {
    /// Package URLs, with or without a version.
    pub purls: Vec<String>,
    /// CVE, GHSA or record ids.
    pub vuln_ids: Vec<String>,
    /// Restricts further; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<RunScope>,
    /// `analysis-only` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
}

/// The answer. Nothing is written but the preview itself, kept for 15 minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Hand it to the run.
    pub preview_id: PreviewId,
    /// Targets it would touch.
    pub impacted_images: i64,
    /// The same by namespace, most first.
    pub by_namespace: Vec<NamedCount>,
    /// The same by planner shard.
    pub by_shard: Vec<i64>,
    /// Keys that name an exploited vulnerability.
    pub kev_hits: i64,
    /// The first 20 of them.
    pub sample: Vec<PreviewTarget>,
    /// Keys that name nothing here.
    pub unknown_keys: Vec<String>,
    /// Segments it would be cut into.
    pub estimated_segments: i64,
    /// How long it may take, in seconds; absent while there is no run to judge by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration_s: Option<i64>,
    /// The impact index it was answered from.
    pub index_generation: i64,
    /// When that index last changed; absent while it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_built_at: Option<Micros>,
    /// Its age, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_age_s: Option<i64>,
    /// Things worth knowing.
    pub warnings: Vec<String>,
    /// Until when it may be handed to a run.
    pub valid_until: Micros,
}

/// A name and how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NamedCount {
    /// The name.
    pub name: String,
    /// How many.
    pub count: i64,
}

/// One impacted target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PreviewTarget {
    /// Its image digest.
    pub digest: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}
