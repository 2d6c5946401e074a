//! A target: one SBOM under one image digest, or under a name and version (spec 11 §11.1).

use crate::ids::{RunId, TargetId, Tenant};
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A target as every door shows it. Order of lists: name, version, id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its id.
    pub target_id: TargetId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it is called.
    pub name: String,
    /// Its version; empty when the SBOM names none.
    pub version: String,
    /// `sha256:<64 hex>` of the image; of name and version where there is no image.
    pub digest: String,
    /// Whether `digest` is an image's.
    pub is_image: bool,
    /// Where it runs.
    pub namespace: String,
    /// Where it comes from.
    pub repository: String,
    /// Free words.
    pub labels: BTreeMap<String, String>,
    /// `CycloneDX 1.6`, `SPDX 2.3`, ...
    pub sbom_format: String,
    /// `sha256:<64 hex>` of the SBOM's bytes.
    pub sbom_digest: String,
    /// Components with a package URL.
    pub component_count: i64,
    /// Components without one; they cannot be evaluated.
    pub skipped_components: i64,
    /// Findings of the last evaluation; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<i64>,
    /// Critical ones among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<i64>,
    /// The run of the last evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_id: Option<RunId>,
    /// When its SBOM first came.
    pub created_at: Micros,
    /// When its SBOM last changed.
    pub updated_at: Micros,
}

/// Where an SBOM belongs. What is absent is taken from the SBOM itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SbomPlace {
    /// What the target is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 300, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub name: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 300, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub version: Option<String>,
    /// `sha256:<64 hex>` of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 300, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub namespace: Option<String>,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 300, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub repository: Option<String>,
    /// The file it was read from, for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SbomImported {
    /// The target it became or replaced the SBOM of.
    pub target: Target,
    /// Whether the target is new.
    pub created: bool,
    /// Whether these very bytes were there before.
    pub unchanged: bool,
    /// Things worth knowing that stopped nothing.
    pub warnings: Vec<String>,
}

/// Which targets are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct TargetFilter {
    /// In this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub namespace: Option<String>,
    /// Part of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub q: Option<String>,
}
