//! What is told of a finding, from its records over VEX to policy, for a fixture of each format and rule kind.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use stella_contract::time::Micros;
use stella_evaluator::{
    FeedIndex, Finding, PolicyInputs, PolicyTarget, VexIndex, evaluate, parse_kev, parse_policy, parse_vex,
};
use support::{advisories, between, components, record};

const QUILL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
const PEN: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";

fn known(id: &str, aliases: &[&str], package: &str, events: Value, vector: &str) -> Value {
    let mut record = record(id, "PyPI", package, "ECOSYSTEM", events);
    record["aliases"] = json!(aliases);
    record["severity"] = json!([{ "type": "CVSS_V3", "score": vector }]);
    record
}

/// A high one in quill, an exploited one in ink, a low one without a fix in pen.
fn findings() -> Vec<Finding> {
    let records = [
        known("PYSEC-2026-1", &["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"], "quill", between("0", "2.0"), QUILL),
        known("PYSEC-2026-2", &["CVE-2026-0002"], "ink", between("0", "3.0"), QUILL),
        known("PYSEC-2026-3", &["CVE-2026-0003"], "pen", json!([{ "introduced": "0" }]), PEN),
    ];
    let catalogue = json!({
        "catalogVersion": "1", "dateReleased": "2026-01-02T00:00:00Z",
        "vulnerabilities": [{ "cveID": "CVE-2026-0002", "dateAdded": "2026-01-01" }],
    });
    let kev = parse_kev(catalogue.to_string().as_bytes()).expect("the catalogue is of the right shape");
    let index = FeedIndex::build(1, &advisories(&records), Some(&kev));
    evaluate(&index, &components(&["pkg:pypi/quill@1.0", "pkg:pypi/ink@1.0", "pkg:pypi/pen@1.0"])).findings
}

fn target() -> PolicyTarget {
    PolicyTarget {
        name: "shop".to_owned(),
        version: "1.2".to_owned(),
        namespace: "prod".to_owned(),
        repository: "registry.example/shop".to_owned(),
        digest: format!("sha256:{}", "a".repeat(64)),
        labels: BTreeMap::from([("team".to_owned(), "till".to_owned())]),
    }
}

/// Everything that is told of every finding after this document and the fixture's policy.
fn told(document: Option<&[u8]>) -> String {
    let said = document.map(|bytes| parse_vex(bytes).expect("the fixture is sound"));
    assert!(said.iter().all(|said| said.errors.is_empty()), "{said:?}");
    let vex = VexIndex::of(said.map(|said| said.statements).unwrap_or_default());
    let policy = parse_policy(include_str!("fixtures/policy.yaml")).expect("the fixture is sound");
    let (target, now) = (target(), Micros::parse("2026-11-21T12:00:00Z").expect("it is a time"));
    let mut text = String::new();
    for finding in findings() {
        let finding = vex.apply(&target.digest, &finding).unwrap_or(finding);
        let inputs = PolicyInputs { finding: &finding, target: &target, epss: None, age_days: 3 };
        let after = policy.apply(&inputs, now);
        let verdict = after.verdict.map_or("none", |verdict| verdict.as_str());
        let quieted = if after.quieted { ", quieted" } else { "" };
        let head = format!(
            "{} in {}: {}, verdict {verdict}{quieted}",
            after.vulnerability_id, after.purl, after.status
        );
        let steps = after.explain.iter().map(|step| format!("  {}: {}", step.source, step.matched));
        for line in std::iter::once(head).chain(steps) {
            writeln!(text, "{line}").expect("a text takes everything");
        }
    }
    text
}

#[test]
fn a_finding_is_explained_by_its_records_and_the_rule_that_decided() {
    insta::assert_snapshot!(told(None));
}

#[test]
fn a_finding_is_explained_by_what_openvex_says() {
    insta::assert_snapshot!(told(Some(include_bytes!("fixtures/openvex.json"))));
}

#[test]
fn a_finding_is_explained_by_what_cyclonedx_says() {
    insta::assert_snapshot!(told(Some(include_bytes!("fixtures/cyclonedx-vex.json"))));
}

#[test]
fn a_finding_is_explained_by_what_csaf_says() {
    insta::assert_snapshot!(told(Some(include_bytes!("fixtures/csaf-vex.json"))));
}
