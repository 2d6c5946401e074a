//! CISA's catalogue of known exploited vulnerabilities.

use crate::error::{RecordCode, RecordError, read_json};
use serde::{Deserialize, Serialize};

/// The catalogue, read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KevCatalogue {
    /// `2025.08.25`.
    pub version: String,
    /// When it was published, RFC 3339 as the catalogue has it.
    pub date_released: String,
    /// The exploited vulnerabilities, in the order of their CVE ids.
    pub entries: Vec<KevEntry>,
    /// Entries that could not be read.
    pub errors: Vec<RecordError>,
}

/// One exploited vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KevEntry {
    /// The CVE.
    #[serde(rename = "cveID")]
    pub cve: String,
    /// The day it was listed.
    pub date_added: String,
    /// What it is called.
    #[serde(default)]
    pub vulnerability_name: Option<String>,
    /// The day by which it must be dealt with.
    #[serde(default)]
    pub due_date: Option<String>,
    /// `Known` or `Unknown`.
    #[serde(default)]
    pub known_ransomware_campaign_use: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "the KEV catalogue, which is a JSON object")]
struct Catalogue {
    catalog_version: String,
    #[serde(default)]
    date_released: Option<String>,
    vulnerabilities: Vec<serde_json::Value>,
}

/// Reads the catalogue; one bad entry does not stop the others.
pub fn parse_kev(bytes: &[u8]) -> Result<KevCatalogue, RecordError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(RecordError::new(RecordCode::Empty, "the catalogue is empty; check the source"));
    }
    let catalogue: Catalogue = read_json(bytes)?;
    let mut entries: Vec<KevEntry> = Vec::with_capacity(catalogue.vulnerabilities.len());
    let mut errors = Vec::new();
    for (at, value) in catalogue.vulnerabilities.into_iter().enumerate() {
        match serde_json::from_value::<KevEntry>(value) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                let notice = RecordError::new(RecordCode::SchemaMismatch, error.to_string());
                errors.push(notice.at(format!("vulnerabilities[{at}]")));
            }
        }
    }
    if entries.is_empty() {
        let message = "the catalogue lists nothing; an empty list is not a clean bill, check the source";
        errors.push(RecordError::new(RecordCode::Empty, message).at("vulnerabilities"));
    }
    entries.sort_by(|a, b| a.cve.cmp(&b.cve));
    entries.dedup_by(|a, b| a.cve == b.cve);
    Ok(KevCatalogue {
        version: catalogue.catalog_version,
        date_released: catalogue.date_released.unwrap_or_default(),
        entries,
        errors,
    })
}
