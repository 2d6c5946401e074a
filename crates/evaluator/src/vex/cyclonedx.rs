//! VEX inside CycloneDX documents: the analysis of each vulnerability.

use super::{ParsedVex, Statement, items, sha256, text};
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
    known: &HashMap<String, String>,
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
    for (place, affected) in items(&vulnerability["affects"]).iter().enumerate() {
        let reference = affected["ref"].as_str().unwrap_or_default();
        let Some(product) = identity(reference, known) else {
            let message = format!("`{reference}` leads to nothing that has a package URL or a sha256 digest");
            parsed.refuse(format!("{path}.affects[{place}].ref"), message);
            continue;
        };
        parsed.statements.push(Statement {
            document_id: document_id.to_owned(),
            vulnerability_id: id.to_uppercase(),
            product,
            component: None,
            status,
            justification: text(&analysis["justification"]),
            statement: text(&analysis["detail"]),
            at: at.clone(),
        });
    }
}

/// Everything of the document that a reference may lead to, by its reference.
fn references(document: &Value) -> HashMap<String, String> {
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
            known.insert(reference, identity);
        }
    }
    known
}

/// A reference into this document, or into another one by a link that carries a package URL.
fn identity(reference: &str, known: &HashMap<String, String>) -> Option<String> {
    if let Some(identity) = known.get(reference) {
        return Some(identity.clone());
    }
    let inner = reference.split_once('#').map_or(reference, |(_, inner)| inner);
    if let Some(identity) = known.get(inner) {
        return Some(identity.clone());
    }
    inner.starts_with("pkg:").then(|| inner.to_owned()).or_else(|| sha256(inner))
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
}
