//! Software bills of materials: CycloneDX JSON and SPDX JSON, read into one list of components.

mod cyclonedx;
mod spdx;

use crate::ecosystem;
use crate::error::{RecordCode, RecordError, read_json};
use crate::purl::{Purl, SourcePackage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format an SBOM came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SbomFormat {
    /// CycloneDX JSON 1.2 to 1.6.
    CycloneDx,
    /// SPDX JSON 2.2 and 2.3.
    Spdx,
}

/// An SBOM, read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom {
    /// Where it came from.
    pub format: SbomFormat,
    /// The version of that format.
    pub spec_version: String,
    /// What it describes, where it says so. The subject is not one of the components.
    pub subject: Option<Subject>,
    /// What is in it: one entry per purl, in the order of purls.
    pub components: Vec<Component>,
    /// Components without a readable purl; they cannot be matched.
    #[serde(default)]
    pub skipped: usize,
    /// What could not be used, and why.
    pub warnings: Vec<RecordError>,
}

/// What an SBOM describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The image digest, `sha256:<64 hex>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A component as the matcher wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// The package URL in its normal form.
    pub purl: String,
    /// The purl as the SBOM has it, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_purl: Option<String>,
    /// OSV's ecosystem with the distribution's release: `PyPI`, `Debian:12`.
    pub ecosystem: String,
    /// The name as OSV spells it.
    pub name: String,
    /// The version with its epoch; empty when the SBOM has none.
    pub version: String,
    /// The source package, for distributions that publish advisories by source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
}

impl Component {
    /// The component a package URL names.
    pub fn from_purl(text: &str) -> Result<Self, crate::purl::PurlError> {
        let purl: Purl = text.parse()?;
        let canonical = purl.to_string();
        let package = purl.osv();
        Ok(Self {
            given_purl: (canonical != text).then(|| text.to_owned()),
            purl: canonical,
            ecosystem: package.ecosystem,
            name: package.name,
            version: package.version.unwrap_or_default(),
            source: package.source,
        })
    }

    /// The purl as the SBOM has it.
    pub fn given_purl(&self) -> &str {
        self.given_purl.as_deref().unwrap_or(&self.purl)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an SBOM, which is a JSON object")]
struct Probe {
    #[serde(default)]
    bom_format: Option<serde_json::Value>,
    #[serde(default)]
    spec_version: Option<serde_json::Value>,
    #[serde(default)]
    spdx_version: Option<serde_json::Value>,
}

/// Reads an SBOM of any format we know; the error names what is wrong with the whole.
pub fn parse_sbom(bytes: &[u8]) -> Result<Sbom, RecordError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(RecordError::new(RecordCode::Empty, "the SBOM is empty; export it again"));
    }
    let probe: Probe = read_json(bytes)?;
    let says_cyclonedx = probe.bom_format.as_ref().is_some_and(|format| format == "CycloneDX");
    match (says_cyclonedx, probe.spec_version, probe.spdx_version) {
        (true, version, _) => cyclonedx::parse(bytes, &text_of(version)),
        (false, _, Some(version)) => spdx::parse(bytes, &text_of(Some(version))),
        (false, Some(version), None) if probe.bom_format.is_none() => {
            cyclonedx::parse(bytes, &text_of(Some(version)))
        }
        (false, _, None) => Err(RecordError::new(
            RecordCode::Unsupported,
            "neither `bomFormat` (CycloneDX) nor `spdxVersion` (SPDX) says what this is; export CycloneDX JSON 1.2 to 1.6 or SPDX JSON 2.2 or 2.3",
        )),
    }
}

fn text_of(value: Option<serde_json::Value>) -> String {
    match value {
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => "none".to_owned(),
    }
}

/// Gathers components and warnings while a format's reader walks its own tree.
#[derive(Default)]
struct Gathered {
    components: BTreeMap<String, Component>,
    warnings: Vec<RecordError>,
    without_purl: usize,
    unreadable_purls: usize,
}

impl Gathered {
    /// Takes a component by its purl; a version beside the purl stands in when the purl has none.
    fn take(&mut self, purl: &str, beside: Option<&str>, source: Option<SourcePackage>, path: &str) {
        let mut component = match Component::from_purl(purl) {
            Ok(component) => component,
            Err(error) => {
                self.unreadable_purls += 1;
                self.warnings.push(RecordError::new(RecordCode::SchemaMismatch, error.to_string()).at(path));
                return;
            }
        };
        if component.version.is_empty() {
            component.version = beside.unwrap_or_default().to_owned();
        }
        if component.source.is_none() {
            component.source = source;
        }
        self.components.entry(component.purl.clone()).or_insert(component);
    }

    fn finish(mut self, format: SbomFormat, spec_version: &str, subject: Option<Subject>) -> Sbom {
        if self.without_purl > 0 {
            let none_has_one = self.components.is_empty();
            let advice = if none_has_one {
                "nothing in this SBOM can be matched; let the tool that writes it add package URLs"
            } else {
                "they are not matched; let the tool that writes the SBOM add package URLs"
            };
            let message = format!("{} components have no package URL: {advice}", self.without_purl);
            self.warnings.push(RecordError::new(RecordCode::NoPurl, message));
        } else if self.components.is_empty() {
            let message = "the SBOM lists no component, so nothing can be matched; check how it was made";
            self.warnings.push(RecordError::new(RecordCode::Empty, message));
        }
        let components: Vec<Component> = self.components.into_values().collect();
        self.warnings.extend(unknown_ecosystems(&components));
        let skipped = self.without_purl + self.unreadable_purls;
        let spec_version = spec_version.to_owned();
        Sbom { format, spec_version, subject, components, skipped, warnings: self.warnings }
    }
}

/// One warning per ecosystem without an order, with its count.
fn unknown_ecosystems(components: &[Component]) -> Vec<RecordError> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for component in components {
        let (base, _) = ecosystem::split(&component.ecosystem);
        if ecosystem::order_of(base).is_none() {
            *counts.entry(base).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .map(|(base, count)| {
            let message = format!("{count} components are of ecosystem `{base}`, whose versions have no known order; they match only by exact version");
            RecordError::new(RecordCode::UnknownEcosystem, message)
        })
        .collect()
}

/// `sha256:<64 hex>` from a digest in any of the usual spellings.
fn digest(text: &str) -> Option<String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let is_digest = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| format!("sha256:{}", hex.to_ascii_lowercase()))
}
