//! VEX inside CycloneDX documents: the analysis of each vulnerability.

use super::vers::Range;
use super::{ParsedVex, Statement, care, items, sha256, text};
use crate::ecosystem;
use crate::purl::Purl;
use crate::version::Order;
use serde_json::Value;
use std::collections::HashMap;
use stella_contract::finding::FindingStatus;

pub(super) fn read(document: &Value) -> ParsedVex {
    let known = references(document);
    let document_id = text(&document["serialNumber"]).unwrap_or_else(|| "CycloneDX".to_owned());
    let mut parsed = ParsedVex::default();
    for (at, vulnerability) in items(&document["vulnerabilities"]).iter().enumerate() {
        let path = format!("vulnerabilities[{at}]");
        // A vulnerability without an analysis is a report and no statement.
        if !vulnerability["analysis"].is_object() {
            continue;
        }
        statement(document, &document_id, vulnerability, &known, &path, &mut parsed);
    }
    parsed
}

fn statement(
    document: &Value,
    document_id: &str,
    vulnerability: &Value,
    known: &HashMap<String, Product>,
    path: &str,
    parsed: &mut ParsedVex,
) {
    let Some(id) = text(&vulnerability["id"]) else {
        return parsed.refuse(format!("{path}.id"), "the vulnerability has no id");
    };
    let analysis = &vulnerability["analysis"];
    let status = match analysis["state"].as_str() {
        Some("resolved" | "resolved_with_pedigree") => FindingStatus::Fixed,
        Some("exploitable") => FindingStatus::Affected,
        Some("in_triage") => FindingStatus::UnderInvestigation,
        Some("not_affected" | "false_positive") => FindingStatus::NotAffected,
        Some(_) | None => {
            let message = "expected resolved, resolved_with_pedigree, exploitable, in_triage, not_affected or false_positive";
            return parsed.refuse(format!("{path}.analysis.state"), message);
        }
    };
    let times = [
        &analysis["lastUpdated"],
        &analysis["firstIssued"],
        &vulnerability["updated"],
        &vulnerability["published"],
        &document["metadata"]["timestamp"],
    ];
    let Some(at) = times.into_iter().find_map(text) else {
        return parsed.refuse(format!("{path}.analysis"), "neither the analysis nor the document says when");
    };
    let whole = Statement {
        document_id: document_id.to_owned(),
        vulnerability_id: id.to_uppercase(),
        product: String::new(),
        component: None,
        versions: None,
        status,
        justification: text(&analysis["justification"]),
        statement: text(&analysis["detail"]),
        at,
    };
    for (place, affected) in items(&vulnerability["affects"]).iter().enumerate() {
        let path = format!("{path}.affects[{place}]");
        let reference = affected["ref"].as_str().unwrap_or_default();
        let Some(product) = identity(reference, known) else {
            let message = format!("`{reference}` leads to nothing that has a package URL or a sha256 digest");
            parsed.refuse(format!("{path}.ref"), message);
            continue;
        };
        let whole = Statement { product: product.identity.clone(), ..whole.clone() };
        match entries(&affected["versions"]) {
            [] => parsed.statements.push(whole),
            some => by_version(&whole, &product, some, &path, parsed),
        }
    }
}

/// The entries of a list of versions; an entry that stands alone, without a list, counts as one.
fn entries(versions: &Value) -> &[Value] {
    match versions {
        Value::Null => &[],
        Value::Array(entries) => entries,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(versions)
        }
    }
}

/// What is said of the versions in a list, and of no other version of the product.
fn by_version(whole: &Statement, product: &Product, entries: &[Value], path: &str, parsed: &mut ParsedVex) {
    let mut own: Option<FindingStatus> = None;
    let before = parsed.errors.len();
    for (place, entry) in entries.iter().enumerate() {
        let path = format!("{path}.versions[{place}]");
        let status = match entry["status"].as_str().or_else(|| entry["state"].as_str()) {
            None | Some("affected") => whole.status,
            Some("unaffected") => unaffected(whole.status),
            Some("unknown") => FindingStatus::UnderInvestigation,
            Some(_) => {
                parsed.refuse(format!("{path}.status"), "expected affected, unaffected or unknown");
                continue;
            }
        };
        let (version, range) = (text(&entry["version"]), text(&entry["range"]));
        let read = match (&version, &range) {
            (_, Some(range)) => Range::parse(range),
            (Some(version), None) => Ok(Range::of_one(version)),
            (None, None) => Err("the entry names neither a version nor a range".to_owned()),
        };
        let range_read = match read {
            Ok(read) => read,
            Err(message) => {
                parsed.refuse(path, message);
                continue;
            }
        };
        match (&product.version, &product.package) {
            // The reference is to one version already: the entry that holds it counts, of several the most careful.
            (Some(version), package) => {
                let order = package.as_ref().and_then(order_of);
                if range_read.contains(version, order) {
                    own = Some(own.map_or(status, |before| careful(before, status)));
                }
            }
            (None, Some(package)) => parsed.statements.push(match (version, range) {
                (Some(version), None) => {
                    let product = Purl { version: Some(version), ..package.clone() }.to_string();
                    Statement { product, status, ..whole.clone() }
                }
                (_, range) => Statement { versions: range, status, ..whole.clone() },
            }),
            (None, None) => {
                let message = "the versions of something that has no version of its own cannot be compared";
                parsed.refuse(path, message);
            }
        }
    }
    match (own, &product.version) {
        (Some(status), _) => parsed.statements.push(Statement { status, ..whole.clone() }),
        (None, Some(version)) if parsed.errors.len() == before => {
            let message = format!("nothing is said of {version}, the version that the reference leads to");
            parsed.refuse(format!("{path}.versions"), message);
        }
        (None, _) => {}
    }
}

/// What a version is that is said to be free of it, where this is what is said of the product.
const fn unaffected(status: FindingStatus) -> FindingStatus {
    match status {
        FindingStatus::Fixed => FindingStatus::Fixed,
        FindingStatus::Affected | FindingStatus::NotAffected | FindingStatus::UnderInvestigation => {
            FindingStatus::NotAffected
        }
    }
}

/// The more careful of two that are said of one version.
const fn careful(one: FindingStatus, two: FindingStatus) -> FindingStatus {
    if care(one) >= care(two) { one } else { two }
}

fn order_of(package: &Purl) -> Option<Order> {
    let ecosystem = package.osv().ecosystem;
    ecosystem::order_of(ecosystem::split(&ecosystem).0)
}

/// What a reference leads to.
#[derive(Debug, Clone)]
struct Product {
    /// Its package URL, or the digest of an image.
    identity: String,
    /// The package, where it is one.
    package: Option<Purl>,
    /// Its version, of the package URL or of the component.
    version: Option<String>,
}

impl Product {
    fn of(identity: String, version: Option<String>) -> Self {
        let package: Option<Purl> = identity.parse().ok();
        let own = package.as_ref().and_then(|package| package.version.clone());
        Self { identity, package, version: own.or(version) }
    }
}

/// Everything of the document that a reference may lead to, by its reference.
fn references(document: &Value) -> HashMap<String, Product> {
    let mut known = HashMap::new();
    let mut open: Vec<&Value> = items(&document["components"]).iter().collect();
    open.push(&document["metadata"]["component"]);
    while let Some(component) = open.pop() {
        open.extend(items(&component["components"]));
        let Some(reference) = text(&component["bom-ref"]) else { continue };
        let hash = items(&component["hashes"])
            .iter()
            .filter(|hash| hash["alg"] == "SHA-256")
            .find_map(|hash| hash["content"].as_str().and_then(sha256));
        if let Some(identity) = text(&component["purl"]).or(hash) {
            known.insert(reference, Product::of(identity, text(&component["version"])));
        }
    }
    known
}

/// A reference into this document, or into another one by a link that carries a package URL.
fn identity(reference: &str, known: &HashMap<String, Product>) -> Option<Product> {
    if let Some(product) = known.get(reference) {
        return Some(product.clone());
    }
    let inner = reference.split_once('#').map_or(reference, |(_, inner)| inner);
    if let Some(product) = known.get(inner) {
        return Some(product.clone());
    }
    let identity = inner.starts_with("pkg:").then(|| inner.to_owned()).or_else(|| sha256(inner))?;
    Some(Product::of(identity, None))
}

#[cfg(test)]
mod tests {
    use crate::vex::parse_vex;
    use stella_contract::finding::FindingStatus;

    #[test]
    fn an_analysis_is_a_statement_about_what_its_references_lead_to() {
        let text = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1",
            "metadata":{"timestamp":"2026-01-01T00:00:00Z"},
            "components":[{"bom-ref":"quill","purl":"pkg:pypi/quill@1.0","components":[{"bom-ref":"ink","purl":"pkg:pypi/ink@2"}]}],
            "vulnerabilities":[
            {"id":"CVE-2026-1","analysis":{"state":"false_positive","justification":"code_not_present","detail":"gone"},
             "affects":[{"ref":"quill"},{"ref":"ink"},{"ref":"urn:cdx:2/1#pkg:pypi/pen@3"},{"ref":"what"}]},
            {"id":"CVE-2026-2","analysis":{"state":"resolved","lastUpdated":"2026-02-01T00:00:00Z"},"affects":[{"ref":"quill"}]},
            {"id":"CVE-2026-3","affects":[{"ref":"quill"}]},
            {"id":"CVE-2026-4","analysis":{},"affects":[{"ref":"quill"}]}]}"#;
        let parsed = parse_vex(text).unwrap();
        let told: Vec<_> = parsed
            .statements
            .iter()
            .map(|one| (one.vulnerability_id.as_str(), one.product.as_str(), one.status, one.at.as_str()))
            .collect();
        let (clean, first) = (FindingStatus::NotAffected, "2026-01-01T00:00:00Z");
        assert_eq!(
            told,
            [
                ("CVE-2026-1", "pkg:pypi/quill@1.0", clean, first),
                ("CVE-2026-1", "pkg:pypi/ink@2", clean, first),
                ("CVE-2026-1", "pkg:pypi/pen@3", clean, first),
                ("CVE-2026-2", "pkg:pypi/quill@1.0", FindingStatus::Fixed, "2026-02-01T00:00:00Z"),
            ]
        );
        let paths: Vec<&str> = parsed.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["vulnerabilities[0].affects[3].ref", "vulnerabilities[3].analysis.state"]);
    }

    #[test]
    fn what_is_said_of_some_versions_is_said_of_no_others() {
        let text = include_bytes!("../../tests/fixtures/vex/cyclonedx-versions.json");
        let parsed = parse_vex(text).unwrap();
        let told: Vec<_> = parsed
            .statements
            .iter()
            .map(|one| (one.product.as_str(), one.versions.as_deref(), one.status))
            .collect();
        use FindingStatus as S;
        assert_eq!(
            told,
            [
                ("pkg:pypi/quill@1.0", None, S::Affected),
                ("pkg:pypi/quill", Some("vers:pypi/>=1.1|<1.9"), S::Affected),
                ("pkg:pypi/quill", Some("vers:pypi/>=2.0"), S::NotAffected),
                ("pkg:pypi/quill@1.9", None, S::UnderInvestigation),
                ("pkg:npm/ink@3.1.0", None, S::NotAffected),
                ("pkg:pypi/pen", Some("vers:pypi/<=1.5.0|7.0.0"), S::NotAffected),
                ("pkg:pypi/pen", Some("vers:pypi/>=4"), S::Fixed),
            ]
        );
        let refused: Vec<&str> = parsed.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(
            refused,
            [
                "vulnerabilities[1].affects[1].versions",
                "vulnerabilities[3].affects[0].versions[0].status",
                "vulnerabilities[3].affects[0].versions[1]",
                "vulnerabilities[3].affects[0].versions[2]",
            ]
        );
    }
}
