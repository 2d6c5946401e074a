//! CSAF 2.0 documents of the VEX profile.

use super::{ParsedVex, Statement, items, sha256, text};
use crate::error::{RecordCode, RecordError};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use stella_contract::finding::FindingStatus;

/// The lists of a product status that say something, and what.
const LISTS: [(&str, FindingStatus); 6] = [
    ("known_affected", FindingStatus::Affected),
    ("first_affected", FindingStatus::Affected),
    ("known_not_affected", FindingStatus::NotAffected),
    ("fixed", FindingStatus::Fixed),
    ("first_fixed", FindingStatus::Fixed),
    ("under_investigation", FindingStatus::UnderInvestigation),
];

/// What a product id of the tree means: a product, or a package inside of one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Meant {
    product: String,
    component: Option<String>,
}

pub(super) fn read(document: &Value) -> Result<ParsedVex, RecordError> {
    let tracking = &document["document"]["tracking"];
    let (Some(document_id), Some(at)) = (text(&tracking["id"]), text(&tracking["current_release_date"]))
    else {
        let message = "the document has no tracking id or no current release date; mend it at its source";
        return Err(RecordError::new(RecordCode::SchemaMismatch, message).at("document.tracking"));
    };
    let known = products(&document["product_tree"]);
    let groups = groups(&document["product_tree"]);
    let mut parsed = ParsedVex::default();
    for (place, vulnerability) in items(&document["vulnerabilities"]).iter().enumerate() {
        let path = format!("vulnerabilities[{place}]");
        let id = text(&vulnerability["cve"])
            .or_else(|| items(&vulnerability["ids"]).iter().find_map(|id| text(&id["text"])));
        let Some(id) = id else {
            parsed.refuse(path, "the vulnerability has neither a CVE nor another id");
            continue;
        };
        for (list, status) in LISTS {
            for (at_product, product) in items(&vulnerability["product_status"][list]).iter().enumerate() {
                let product_id = product.as_str().unwrap_or_default();
                let Some(meant) = known.get(product_id) else {
                    let path = format!("{path}.product_status.{list}[{at_product}]");
                    let message =
                        format!("the product `{product_id}` has neither a package URL nor a sha256 digest");
                    parsed.refuse(path, message);
                    continue;
                };
                parsed.statements.push(Statement {
                    document_id: document_id.clone(),
                    vulnerability_id: id.to_uppercase(),
                    product: meant.product.clone(),
                    component: meant.component.clone(),
                    versions: None,
                    status,
                    justification: about(&vulnerability["flags"], product_id, &groups, "label"),
                    statement: about(&vulnerability["threats"], product_id, &groups, "details")
                        .or_else(|| about(&vulnerability["remediations"], product_id, &groups, "details")),
                    at: at.clone(),
                });
            }
        }
    }
    Ok(parsed)
}

/// What a list of remarks says about a product, named itself or by a group it is in; a remark that names neither
/// products nor groups is about all.
fn about(remarks: &Value, product_id: &str, groups: &Groups<'_>, field: &str) -> Option<String> {
    let names = |remark: &&Value| {
        let (ids, group_ids) = (items(&remark["product_ids"]), items(&remark["group_ids"]));
        let in_group = |id: &Value| {
            let members = id.as_str().and_then(|id| groups.get(id));
            members.is_some_and(|members| members.contains(product_id))
        };
        (ids.is_empty() && group_ids.is_empty())
            || ids.iter().any(|id| id == product_id)
            || group_ids.iter().any(in_group)
    };
    items(remarks).iter().filter(names).find_map(|remark| text(&remark[field]))
}

/// The products of each group, by the group's id.
type Groups<'a> = HashMap<&'a str, HashSet<&'a str>>;

fn groups(tree: &Value) -> Groups<'_> {
    let mut groups = Groups::new();
    for group in items(&tree["product_groups"]) {
        if let Some(id) = group["group_id"].as_str() {
            groups
                .entry(id)
                .or_default()
                .extend(items(&group["product_ids"]).iter().filter_map(Value::as_str));
        }
    }
    groups
}

/// The products of the tree that can be known outside of the document, by their ids.
fn products(tree: &Value) -> HashMap<String, Meant> {
    let mut known: HashMap<String, Meant> = HashMap::new();
    let mut take = |product: &Value| {
        if let (Some(id), Some(identity)) = (text(&product["product_id"]), identity(product)) {
            known.insert(id, Meant { product: identity, component: None });
        }
    };
    items(&tree["full_product_names"]).iter().for_each(&mut take);
    let mut open: Vec<&Value> = items(&tree["branches"]).iter().collect();
    while let Some(branch) = open.pop() {
        open.extend(items(&branch["branches"]));
        take(&branch["product"]);
    }
    for relation in items(&tree["relationships"]) {
        let name = |field: &str| relation[field].as_str().and_then(|id| known.get(id)).cloned();
        let (Some(component), Some(product)) =
            (name("product_reference"), name("relates_to_product_reference"))
        else {
            continue;
        };
        if let Some(id) = text(&relation["full_product_name"]["product_id"]) {
            known.insert(id, Meant { product: product.product, component: Some(component.product) });
        }
    }
    known
}

fn identity(product: &Value) -> Option<String> {
    let helper = &product["product_identification_helper"];
    let hash = || {
        items(&helper["hashes"])
            .iter()
            .flat_map(|hash| items(&hash["file_hashes"]))
            .filter(|hash| hash["algorithm"] == "sha256")
            .find_map(|hash| hash["value"].as_str().and_then(sha256))
    };
    text(&helper["purl"]).or_else(hash)
}

#[cfg(test)]
mod tests {
    use crate::vex::parse_vex;
    use stella_contract::finding::FindingStatus;

    #[test]
    fn the_tree_says_what_a_product_is_and_the_status_what_is_said_of_it() {
        let text = br#"{"document":{"csaf_version":"2.0","category":"csaf_vex","tracking":{"id":"ACME-1","current_release_date":"2026-01-01T00:00:00Z"}},
            "product_tree":{"branches":[{"branches":[
              {"product":{"product_id":"app","product_identification_helper":{"purl":"pkg:oci/app@sha256%3Aaa"}}},
              {"product":{"product_id":"quill","product_identification_helper":{"purl":"pkg:pypi/quill@1.0"}}}]},
              {"product":{"product_id":"plain","name":"only a name"}}],
             "relationships":[{"category":"default_component_of","product_reference":"quill","relates_to_product_reference":"app",
               "full_product_name":{"product_id":"app:quill"}}]},
            "vulnerabilities":[{"cve":"CVE-2026-1","product_status":{"known_not_affected":["app:quill"],"known_affected":["quill","plain"]},
              "flags":[{"label":"vulnerable_code_not_in_execute_path","product_ids":["app:quill"]}],
              "threats":[{"category":"impact","details":"never called","product_ids":["app:quill"]}]}]}"#;
        let parsed = parse_vex(text).unwrap();
        let [affected, clean] = parsed.statements.as_slice() else { panic!("{parsed:?}") };
        assert_eq!(
            (affected.product.as_str(), affected.status),
            ("pkg:pypi/quill@1.0", FindingStatus::Affected)
        );
        assert_eq!(affected.justification, None);
        assert_eq!(
            (clean.product.as_str(), clean.component.as_deref()),
            ("pkg:oci/app@sha256%3Aaa", Some("pkg:pypi/quill@1.0"))
        );
        assert_eq!(clean.status, FindingStatus::NotAffected);
        assert_eq!(clean.justification.as_deref(), Some("vulnerable_code_not_in_execute_path"));
        assert_eq!(clean.statement.as_deref(), Some("never called"));
        assert_eq!(parsed.errors[0].path, "vulnerabilities[0].product_status.known_affected[1]");
    }

    #[test]
    fn a_remark_about_a_group_is_about_each_product_of_it_and_about_no_other() {
        let text = include_bytes!("../../tests/fixtures/vex/csaf-groups.json");
        let parsed = parse_vex(text).unwrap();
        assert_eq!(parsed.errors, []);
        let told: Vec<_> = parsed
            .statements
            .iter()
            .map(|one| (one.product.as_str(), one.justification.as_deref(), one.statement.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("pkg:pypi/ink@2.0", None, Some("Take 3.0 of everything.")),
                (
                    "pkg:pypi/quill@1.0",
                    Some("component_not_present"),
                    Some("It is not part of either edition.")
                ),
                (
                    "pkg:pypi/quill@1.1",
                    Some("component_not_present"),
                    Some("It is not part of either edition.")
                ),
            ]
        );
    }
}
