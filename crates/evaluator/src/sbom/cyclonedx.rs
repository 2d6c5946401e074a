//! CycloneDX JSON.

use super::{Gathered, Sbom, SbomFormat, Subject, digest};
use crate::error::{RecordCode, RecordError, read_json};
use crate::purl::{Purl, SourcePackage};
use serde::Deserialize;

const VERSIONS: [&str; 5] = ["1.2", "1.3", "1.4", "1.5", "1.6"];

#[derive(Deserialize)]
#[serde(expecting = "a CycloneDX document")]
struct Bom {
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(expecting = "the metadata object")]
struct Metadata {
    #[serde(default)]
    component: Option<Entry>,
}

#[derive(Deserialize)]
#[serde(expecting = "a component object")]
struct Entry {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    group: Option<String>,
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    hashes: Option<Vec<Hash>>,
    #[serde(default)]
    components: Option<Vec<Entry>>,
    #[serde(default)]
    properties: Option<Vec<Property>>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

pub(super) fn parse(bytes: &[u8], version: &str) -> Result<Sbom, RecordError> {
    if !VERSIONS.contains(&version) {
        let message = format!("CycloneDX {version} is not read here; export version 1.2 to 1.6");
        return Err(RecordError::new(RecordCode::Unsupported, message).at("specVersion"));
    }
    let bom: Bom = read_json(bytes)?;
    let mut gathered = Gathered::default();
    let described = bom.metadata.and_then(|metadata| metadata.component);
    if let Some(parts) = described.as_ref().and_then(|component| component.components.as_deref()) {
        gather(&mut gathered, parts, "metadata.component.components");
    }
    gather(&mut gathered, bom.components.as_deref().unwrap_or_default(), "components");
    Ok(gathered.finish(SbomFormat::CycloneDx, version, described.map(subject)))
}

/// Walks the tree; the JSON reader's depth limit bounds it.
fn gather(gathered: &mut Gathered, entries: &[Entry], path: &str) {
    for (at, entry) in entries.iter().enumerate() {
        let path = format!("{path}[{at}]");
        match entry.purl.as_deref().filter(|purl| !purl.is_empty()) {
            Some(purl) => {
                gathered.take(purl, entry.version.as_deref(), source(entry), &format!("{path}.purl"))
            }
            None if is_package(entry) => gathered.without_purl += 1,
            None => {}
        }
        gather(gathered, entry.components.as_deref().unwrap_or_default(), &format!("{path}.components"));
    }
}

/// Files, devices and the like are not expected to have a package URL.
fn is_package(entry: &Entry) -> bool {
    !matches!(
        entry.kind.as_deref(),
        Some(
            "file"
                | "device"
                | "device-driver"
                | "firmware"
                | "data"
                | "machine-learning-model"
                | "operating-system"
                | "cryptographic-asset"
                | "platform"
        )
    )
}

/// Trivy leaves the source package of a Debian or Alpine binary in properties instead of the purl.
fn source(entry: &Entry) -> Option<SourcePackage> {
    let properties = entry.properties.as_deref()?;
    let value = |key: &str| {
        let property = properties.iter().find(|property| {
            property.name.as_deref().and_then(|name| name.strip_prefix("aquasecurity:trivy:")) == Some(key)
        })?;
        property.value.as_deref().filter(|value| !value.is_empty())
    };
    let name = value("SrcName")?;
    let version = value("SrcVersion").map(|version| {
        let epoch = value("SrcEpoch").filter(|epoch| *epoch != "0").map(|epoch| format!("{epoch}:"));
        let release = value("SrcRelease").map(|release| format!("-{release}"));
        format!("{}{version}{}", epoch.unwrap_or_default(), release.unwrap_or_default())
    });
    Some(SourcePackage { name: name.to_owned(), version })
}

fn subject(entry: Entry) -> Subject {
    let from_purl = entry
        .purl
        .as_deref()
        .and_then(|purl| purl.parse::<Purl>().ok())
        .filter(|purl| purl.ty == "oci")
        .and_then(|purl| purl.version);
    let from_version = entry.version.as_deref().filter(|version| version.starts_with("sha256:"));
    let from_hash =
        entry.hashes.iter().flatten().find(|hash| hash.alg == "SHA-256").map(|hash| hash.content.as_str());
    let digest = from_purl.as_deref().or(from_version).or(from_hash).and_then(digest);
    let name = match entry.group.filter(|group| !group.is_empty()) {
        Some(group) => format!("{group}/{}", entry.name),
        None => entry.name,
    };
    Subject { name, version: entry.version.filter(|version| !version.is_empty()), digest }
}
