//! VEX: what somebody says of a vulnerability in a product (spec 11 §11.3).

use crate::finding::FindingStatus;
use crate::ids::SourceId;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// One statement about one product as every door shows it. Order of lists: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VexStatement {
    /// The source it came from.
    pub source_id: SourceId,
    /// The document it stands in.
    pub document_id: String,
    /// The vulnerability, in upper case.
    pub vulnerability_id: String,
    /// The product: a package URL, or `sha256:<64 hex>` of an image.
    pub product: String,
    /// The package inside the product that it is about; absent: the product as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The versions of the product that it is about, `vers:npm/>=1.0|<2.0`; absent: those its package URL names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
    /// What it says.
    pub status: FindingStatus,
    /// Why it does not apply, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// The same in a sentence, or what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// When it was said.
    pub at: Micros,
}

/// Which statements are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct VexFilter {
    /// About this vulnerability only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vulnerability: Option<String>,
    /// Of this source only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
}
