//! SPDX JSON.

use super::{Gathered, Sbom, SbomFormat, Subject, digest};
use crate::error::{RecordCode, RecordError, read_json};
use serde::Deserialize;

const VERSIONS: [&str; 2] = ["SPDX-2.2", "SPDX-2.3"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an SPDX document")]
struct Document {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    packages: Option<Vec<Package>>,
    #[serde(default)]
    document_describes: Option<Vec<String>>,
    #[serde(default)]
    relationships: Option<Vec<Relationship>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "a package object")]
struct Package {
    #[serde(rename = "SPDXID", default)]
    id: Option<String>,
    name: String,
    #[serde(default)]
    version_info: Option<String>,
    #[serde(default)]
    external_refs: Option<Vec<Reference>>,
    #[serde(default)]
    checksums: Option<Vec<Checksum>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    reference_type: Option<String>,
    #[serde(default)]
    reference_locator: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: String,
    checksum_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    #[serde(default)]
    spdx_element_id: Option<String>,
    #[serde(default)]
    related_spdx_element: Option<String>,
    #[serde(default)]
    relationship_type: Option<String>,
}

pub(super) fn parse(bytes: &[u8], version: &str) -> Result<Sbom, RecordError> {
    if !VERSIONS.contains(&version) {
        let message = format!("{version} is not read here; export SPDX-2.2 or SPDX-2.3 as JSON");
        return Err(RecordError::new(RecordCode::Unsupported, message).at("spdxVersion"));
    }
    let document: Document = read_json(bytes)?;
    let mut gathered = Gathered::default();
    let described = described(&document);
    for (at, package) in document.packages.iter().flatten().enumerate() {
        gather(&mut gathered, package, &format!("packages[{at}]"), described == package.id.as_deref());
    }
    let subject = subject(&document, described);
    let number = version.strip_prefix("SPDX-").unwrap_or(version);
    Ok(gathered.finish(SbomFormat::Spdx, number, subject))
}

fn gather(gathered: &mut Gathered, package: &Package, path: &str, is_subject: bool) {
    let version = package.version_info.as_deref().filter(|version| *version != "NOASSERTION");
    let mut has_purl = false;
    for (at, reference) in package.external_refs.iter().flatten().enumerate() {
        let (Some("purl"), Some(locator)) =
            (reference.reference_type.as_deref(), &reference.reference_locator)
        else {
            continue;
        };
        has_purl = true;
        gathered.take(locator, version, None, &format!("{path}.externalRefs[{at}].referenceLocator"));
    }
    if !has_purl && !is_subject {
        gathered.without_purl += 1;
    }
}

/// The id of the one thing the document says it describes.
fn described(document: &Document) -> Option<&str> {
    if let Some([only]) = document.document_describes.as_deref() {
        return Some(only);
    }
    let mut related = document
        .relationships
        .iter()
        .flatten()
        .filter(|relationship| {
            relationship.relationship_type.as_deref() == Some("DESCRIBES")
                && relationship.spdx_element_id.as_deref() == Some("SPDXRef-DOCUMENT")
        })
        .filter_map(|relationship| relationship.related_spdx_element.as_deref());
    let first = related.next()?;
    related.next().is_none().then_some(first)
}

fn subject(document: &Document, described: Option<&str>) -> Option<Subject> {
    let package = document
        .packages
        .iter()
        .flatten()
        .find(|package| described.is_some() && package.id.as_deref() == described);
    let Some(package) = package else {
        let name = document.name.clone().filter(|name| !name.is_empty())?;
        return Some(Subject { name, version: None, digest: None });
    };
    let is_sha256 = |checksum: &&Checksum| checksum.algorithm == "SHA256";
    let version =
        package.version_info.clone().filter(|version| version != "NOASSERTION" && !version.is_empty());
    let from_version = version.as_deref().and_then(digest);
    let checksum = package
        .checksums
        .iter()
        .flatten()
        .find(is_sha256)
        .and_then(|checksum| digest(&checksum.checksum_value));
    Some(Subject { name: package.name.clone(), version, digest: from_version.or(checksum) })
}
