//! OpenVEX documents.

use super::{ParsedVex, Statement, items, sha256, text};
use crate::error::{RecordCode, RecordError};
use serde_json::Value;
use stella_contract::finding::FindingStatus;

pub(super) fn read(document: &Value) -> Result<ParsedVex, RecordError> {
    let Some(document_id) = text(&document["@id"]) else {
        let message = "the document has no `@id`; mend it at its source";
        return Err(RecordError::new(RecordCode::SchemaMismatch, message).at("@id"));
    };
    let mut parsed = ParsedVex::default();
    for (at, said) in items(&document["statements"]).iter().enumerate() {
        statement(document, &document_id, said, &format!("statements[{at}]"), &mut parsed);
    }
    Ok(parsed)
}

fn statement(document: &Value, document_id: &str, said: &Value, path: &str, parsed: &mut ParsedVex) {
    let vulnerability = &said["vulnerability"];
    let name =
        text(vulnerability).or_else(|| text(&vulnerability["name"])).or_else(|| text(&vulnerability["@id"]));
    let Some(name) = name else {
        return parsed.refuse(format!("{path}.vulnerability"), "the statement names no vulnerability");
    };
    let status = match said["status"].as_str() {
        Some("not_affected") => FindingStatus::NotAffected,
        Some("affected") => FindingStatus::Affected,
        Some("fixed") => FindingStatus::Fixed,
        Some("under_investigation") => FindingStatus::UnderInvestigation,
        Some(_) | None => {
            let message = "expected not_affected, affected, fixed or under_investigation";
            return parsed.refuse(format!("{path}.status"), message);
        }
    };
    // What a statement leaves out it takes from its document.
    let times =
        [&said["last_updated"], &said["timestamp"], &document["last_updated"], &document["timestamp"]];
    let Some(at) = times.into_iter().find_map(text) else {
        return parsed
            .refuse(format!("{path}.timestamp"), "neither the statement nor the document says when");
    };
    let products = items(&said["products"]);
    if products.is_empty() {
        return parsed.refuse(format!("{path}.products"), "the statement names no product");
    }
    for (place, product) in products.iter().enumerate() {
        let Some(id) = identity(product) else {
            let message = "the product has neither a package URL nor a sha256 digest";
            parsed.refuse(format!("{path}.products[{place}]"), message);
            continue;
        };
        let inner: Vec<Option<String>> =
            items(&product["subcomponents"]).iter().filter_map(identity).map(Some).collect();
        let components = if inner.is_empty() { vec![None] } else { inner };
        parsed.statements.extend(components.into_iter().map(|component| {
            Statement {
                document_id: document_id.to_owned(),
                vulnerability_id: name.to_uppercase(),
                product: id.clone(),
                component,
                versions: None,
                status,
                justification: text(&said["justification"]),
                statement: text(&said["impact_statement"])
                    .or_else(|| text(&said["action_statement"]))
                    .or_else(|| text(&said["status_notes"])),
                at: at.clone(),
            }
        }));
    }
}

/// A package URL or digest, from the product's id, its identifiers or its hashes.
fn identity(product: &Value) -> Option<String> {
    let named = text(product).or_else(|| text(&product["@id"]));
    let purl = text(&product["identifiers"]["purl"]).or(named.clone().filter(|id| id.starts_with("pkg:")));
    let hash = || product["hashes"]["sha-256"].as_str().and_then(sha256);
    purl.or_else(hash).or_else(|| named.as_deref().and_then(sha256))
}

#[cfg(test)]
mod tests {
    use crate::vex::parse_vex;
    use stella_contract::finding::FindingStatus;

    #[test]
    fn statements_are_read_with_what_they_take_from_their_document() {
        let text = br#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:doc:1","timestamp":"2026-01-01T00:00:00Z",
            "statements":[
            {"vulnerability":{"name":"cve-2026-1"},"status":"not_affected","justification":"component_not_present",
             "products":[{"@id":"pkg:oci/app@sha256%3Aaa","subcomponents":[{"@id":"pkg:pypi/quill@1.0"},{"@id":"pkg:pypi/ink"}]}]},
            {"vulnerability":"CVE-2026-2","status":"fixed","timestamp":"2026-02-01T00:00:00Z","products":["pkg:pypi/quill@1.0"]},
            {"vulnerability":{"name":"CVE-2026-3"},"status":"fine","products":["pkg:pypi/quill"]},
            {"vulnerability":{"name":"CVE-2026-4"},"status":"affected","products":[{"@id":"the shop"}]}]}"#;
        let parsed = parse_vex(text).unwrap();
        let told: Vec<_> = parsed
            .statements
            .iter()
            .map(|one| (one.vulnerability_id.as_str(), one.component.as_deref(), one.status, one.at.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "CVE-2026-1",
                    Some("pkg:pypi/quill@1.0"),
                    FindingStatus::NotAffected,
                    "2026-01-01T00:00:00Z"
                ),
                ("CVE-2026-1", Some("pkg:pypi/ink"), FindingStatus::NotAffected, "2026-01-01T00:00:00Z"),
                ("CVE-2026-2", None, FindingStatus::Fixed, "2026-02-01T00:00:00Z"),
            ]
        );
        let paths: Vec<&str> = parsed.errors.iter().map(|error| error.path.as_str()).collect();
        assert_eq!(paths, ["statements[2].status", "statements[3].products[0]"]);
    }
}
