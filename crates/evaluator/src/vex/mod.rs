//! VEX: what somebody says of a vulnerability in a product, in three spellings, and what follows for a finding.

mod csaf;
mod cyclonedx;
mod index;
mod openvex;
mod vers;

pub use index::VexIndex;

use crate::error::{RecordCode, RecordError, read_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stella_contract::finding::FindingStatus;

/// One statement about one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
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
    /// When it was said, RFC 3339 as the document has it.
    pub at: String,
}

/// What a document says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedVex {
    /// What could be read.
    pub statements: Vec<Statement>,
    /// What could not.
    pub errors: Vec<RecordError>,
}

impl ParsedVex {
    fn refuse(&mut self, path: String, message: impl Into<String>) {
        self.errors.push(RecordError::new(RecordCode::SchemaMismatch, message).at(path));
    }
}

/// Reads a document in any of the spellings; one bad statement does not stop the others.
pub fn parse_vex(bytes: &[u8]) -> Result<ParsedVex, RecordError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(RecordError::new(RecordCode::Empty, "the document is empty; check the source"));
    }
    let document: Value = read_json(bytes)?;
    let context = document["@context"].as_str().unwrap_or_default();
    if context.contains("openvex") {
        return openvex::read(&document);
    }
    if document["bomFormat"] == "CycloneDX" {
        return Ok(cyclonedx::read(&document));
    }
    if document["document"]["csaf_version"].is_string() {
        return csaf::read(&document);
    }
    let message = "this is none of OpenVEX, CycloneDX and CSAF; check the source";
    Err(RecordError::new(RecordCode::SchemaMismatch, message))
}

/// `sha256:<64 hex>`, when the text is 64 hex digits, with or without the name of the algorithm.
fn sha256(text: &str) -> Option<String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| format!("sha256:{hex}"))
}

/// How careful a status is: of two that are said at one time, the more careful one counts.
const fn care(status: FindingStatus) -> u8 {
    match status {
        FindingStatus::Affected => 3,
        FindingStatus::UnderInvestigation => 2,
        FindingStatus::Fixed => 1,
        FindingStatus::NotAffected => 0,
    }
}

/// A text of a field.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The items of a list; none when it is no list.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_of_the_three_is_refused_by_name() {
        assert_eq!(parse_vex(b" ").unwrap_err().code, RecordCode::Empty);
        assert_eq!(parse_vex(b"{").unwrap_err().code, RecordCode::ParseError);
        let error = parse_vex(br#"{"hello":1}"#).unwrap_err();
        assert!(error.message.contains("OpenVEX, CycloneDX and CSAF"), "{error}");
    }

    #[test]
    fn a_digest_is_read_with_and_without_its_algorithm() {
        let hex = "AB".repeat(32);
        assert_eq!(sha256(&hex), Some(format!("sha256:{}", "ab".repeat(32))));
        assert_eq!(sha256(&format!("sha256:{hex}")), sha256(&hex));
        assert_eq!(sha256("sha256:12"), None);
    }
}
