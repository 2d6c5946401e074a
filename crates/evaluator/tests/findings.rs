//! From records to findings: aliases merged, severities chosen, fixes named, the index kept up to date.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use stella_evaluator::{FeedIndex, FindingStatus, PackageKey, Severity, evaluate, parse_kev};
use support::{advisories, advisory, between, components, judge, record};

const DJANGO: &str = "pkg:pypi/django@2.2.10";

fn with(mut record: Value, field: &str, value: Value) -> Value {
    record[field] = value;
    record
}

fn django(id: &str, aliases: &[&str], fixed: &str) -> Value {
    with(record(id, "PyPI", "Django", "ECOSYSTEM", between("2.0", fixed)), "aliases", json!(aliases))
}

fn kev(cves: &[&str]) -> stella_evaluator::KevCatalogue {
    let entries: Vec<Value> =
        cves.iter().map(|cve| json!({"cveID": cve, "dateAdded": "2026-01-01"})).collect();
    let catalogue =
        json!({"catalogVersion": "1", "dateReleased": "2026-01-02T00:00:00Z", "vulnerabilities": entries});
    parse_kev(catalogue.to_string().as_bytes()).expect("the catalogue is of the right shape")
}

#[test]
fn records_of_one_vulnerability_become_one_finding() {
    let records = [
        with(django("PYSEC-2022-1", &["CVE-2022-28346"], "2.2.28"), "summary", json!("SQL injection")),
        with(
            django("GHSA-2gwj-7jmv-h26r", &["CVE-2022-28346"], "2.2.29"),
            "severity",
            json!([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]),
        ),
        django("PYSEC-2022-2", &["CVE-2022-0001"], "2.2.20"),
    ];
    let index = FeedIndex::build(7, &advisories(&records), Some(&kev(&["CVE-2022-28346"])));
    let evaluation = evaluate(&index, &components(&[DJANGO, DJANGO]));
    assert_eq!(evaluation.raw_matches.len(), 3);
    let [other, finding] = evaluation.findings.as_slice() else {
        panic!("two findings: {:?}", evaluation.findings)
    };
    assert_eq!(
        (&*other.vulnerability_id, other.kev, other.severity),
        ("CVE-2022-0001", false, Severity::Unknown)
    );
    assert_eq!(finding.vulnerability_id, "CVE-2022-28346");
    assert_eq!(finding.record_ids, ["GHSA-2gwj-7jmv-h26r", "PYSEC-2022-1"]);
    assert_eq!(finding.aliases, ["GHSA-2gwj-7jmv-h26r", "PYSEC-2022-1"]);
    assert_eq!((finding.severity, finding.score), (Severity::Critical, Some(9.8)));
    assert_eq!(finding.fixed_version.as_deref(), Some("2.2.28"));
    assert_eq!(finding.summary.as_deref(), Some("SQL injection"));
    assert_eq!((finding.status, finding.quieted, finding.kev), (FindingStatus::Affected, false, true));
    let steps: Vec<_> =
        finding.explain.iter().map(|step| format!("{}: {}", step.source, step.matched)).collect();
    assert_eq!(
        steps,
        [
            "GHSA-2gwj-7jmv-h26r: 2.2.10: range ECOSYSTEM introduced 2.0 fixed 2.2.29",
            "PYSEC-2022-1: 2.2.10: range ECOSYSTEM introduced 2.0 fixed 2.2.28",
            "KEV: CVE-2022-28346 is known to be exploited",
        ]
    );
    assert_eq!(index.generation(), 7);
    assert_eq!(index.kev_released(), Some("2026-01-02T00:00:00Z"));
}

#[test]
fn a_record_without_a_score_takes_its_twins() {
    let scored = with(
        record("GHSA-a", "npm", "other", "SEMVER", between("0", "1.0.0")),
        "database_specific",
        json!({"severity": "MODERATE"}),
    );
    let scored = with(scored, "aliases", json!(["CVE-2022-5"]));
    let evaluation = judge(&[scored, django("PYSEC-1", &["CVE-2022-5"], "3")], &[DJANGO]);
    assert_eq!(evaluation.findings[0].severity, Severity::Medium);
}

#[test]
fn severities_of_one_package_count_when_the_record_has_none() {
    let mut record = django("X-1", &[], "3");
    record["affected"][0]["severity"] =
        json!([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L"}]);
    assert_eq!(judge(&[record], &[DJANGO]).findings[0].score, Some(4.2));
}

#[test]
fn a_database_that_names_records_after_cves_meets_the_cve() {
    let record =
        record("DEBIAN-CVE-2024-3094", "Debian:12", "xz-utils", "ECOSYSTEM", between("0", "5.6.2-1"));
    let index = FeedIndex::build(1, &advisories(&[record]), Some(&kev(&["CVE-2024-3094"])));
    let evaluation = evaluate(&index, &components(&["pkg:deb/debian/xz-utils@5.6.1-1?distro=debian-12"]));
    assert_eq!(evaluation.findings[0].vulnerability_id, "CVE-2024-3094");
    assert!(evaluation.findings[0].kev);
    assert_eq!(evaluation.raw_matches[0].aliases, Vec::<String>::new());
}

#[test]
fn the_index_answers_which_packages_a_vulnerability_is_in() {
    let twin = with(
        record("GHSA-b", "npm", "Left-Pad", "SEMVER", between("0", "1.0.0")),
        "aliases",
        json!(["CVE-2022-5"]),
    );
    let index = FeedIndex::build(1, &advisories(&[twin, django("PYSEC-1", &["CVE-2022-5"], "3")]), None);
    let both = [PackageKey::new("PyPI", "django"), PackageKey::new("npm", "left-pad")];
    for name in ["CVE-2022-5", "GHSA-b", "PYSEC-1"] {
        assert_eq!(index.packages_of(name), both, "{name}");
        assert_eq!(index.vulnerability_id(name), Some("CVE-2022-5"));
    }
    assert_eq!(index.packages_of("CVE-1999-1"), []);
    assert_eq!(components(&[DJANGO])[0].keys(), [both[0].clone()]);
    let binary = &components(&["pkg:deb/debian/libssl3@3?distro=debian-12&upstream=openssl"])[0];
    assert_eq!(binary.keys(), [PackageKey::new("Debian", "openssl")]);
}

#[test]
fn changes_of_a_feed_say_which_packages_they_touch() {
    let mut index = FeedIndex::build(1, &advisories(&[django("PYSEC-1", &["CVE-2022-5"], "3")]), None);
    let other = advisory(&record("PYSEC-2", "PyPI", "flask", "ECOSYSTEM", between("0", "1")));
    let applied = index.apply(2, [&other], []);
    assert_eq!((applied.upserted, applied.removed, index.records(), index.generation()), (1, 0, 2, 2));
    assert_eq!(applied.packages, [PackageKey::new("PyPI", "flask")]);

    let withdrawn =
        advisory(&with(django("PYSEC-1", &["CVE-2022-5"], "3"), "withdrawn", json!("2026-01-01T00:00:00Z")));
    let applied = index.apply(3, [&withdrawn], ["PYSEC-2", "PYSEC-9"]);
    assert_eq!((applied.upserted, applied.removed, index.records()), (0, 2, 0));
    assert_eq!(applied.packages.len(), 2);
    assert!(evaluate(&index, &components(&[DJANGO])).findings.is_empty());
    assert!(!index.knows(&PackageKey::new("PyPI", "django")));
}

#[test]
fn a_new_exploited_list_touches_the_packages_of_what_came_and_went() {
    let records = [
        django("PYSEC-1", &["CVE-2022-5"], "3"),
        record("CVE-2022-6", "npm", "a", "SEMVER", between("0", "1.0.0")),
    ];
    let mut index = FeedIndex::build(1, &advisories(&records), Some(&kev(&["CVE-2022-5"])));
    assert_eq!(index.set_kev(2, &kev(&["CVE-2022-5"])), []);
    let touched = index.set_kev(3, &kev(&["CVE-2022-6", "CVE-1999-1"]));
    assert_eq!(touched, [PackageKey::new("PyPI", "django"), PackageKey::new("npm", "a")]);
    assert!(index.is_exploited("CVE-2022-6") && !index.is_exploited("PYSEC-1"));
}

#[test]
fn findings_go_through_json_unchanged() {
    let evaluation = judge(&[django("PYSEC-1", &["CVE-2022-5"], "3")], &[DJANGO, "pkg:generic/x@1"]);
    let text = serde_json::to_string(&evaluation).unwrap();
    assert!(
        text.contains(r#""vulnerabilityId":"CVE-2022-5""#) && text.contains(r#""reason":"no_order""#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<stella_evaluator::Evaluation>(&text).unwrap(), evaluation);
}

/// A small world of records whose names and packages collide often.
fn any_record() -> impl Strategy<Value = Value> {
    let aliases = prop::collection::vec(0..4_u8, 0..3);
    (0..8_u8, aliases, 0..3_u8, 1..6_u8, any::<bool>()).prop_map(
        |(id, aliases, package, fixed, withdrawn)| {
            let aliases: Vec<String> = aliases.into_iter().map(|alias| format!("CVE-2022-{alias}")).collect();
            let record = record(
                &format!("R-{id}"),
                "PyPI",
                &format!("p{package}"),
                "ECOSYSTEM",
                between("0", &format!("{fixed}.0")),
            );
            let record = with(record, "aliases", json!(aliases));
            if withdrawn { with(record, "withdrawn", json!("2026-01-01T00:00:00Z")) } else { record }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_changed_step_by_step_is_the_index_built_at_once(
        steps in prop::collection::vec((any_record(), prop::option::of(0..8_u8)), 0..12),
    ) {
        let mut stepwise = FeedIndex::default();
        let mut held: std::collections::BTreeMap<String, Value> = std::collections::BTreeMap::new();
        for (at, (record, removal)) in (1..).zip(&steps) {
            let removal = removal.map(|id| format!("R-{id}"));
            stepwise.apply(at, [&advisory(record)], removal.as_deref());
            if let Some(id) = removal {
                held.remove(&id);
            }
            held.insert(record["id"].as_str().unwrap().to_owned(), record.clone());
        }
        let records: Vec<Value> = held.into_values().collect();
        let at_once = FeedIndex::build(1, &advisories(&records), None);
        let components = components(&["pkg:pypi/p0@1.5", "pkg:pypi/p1@2.5", "pkg:pypi/p2@0.5"]);
        prop_assert_eq!(evaluate(&stepwise, &components), evaluate(&at_once, &components));
        prop_assert_eq!(stepwise.records(), at_once.records());
        prop_assert_eq!(stepwise.vulnerabilities(), at_once.vulnerabilities());
    }

    #[test]
    fn the_order_of_records_and_components_does_not_matter(
        records in prop::collection::vec(any_record(), 0..10).prop_shuffle(),
    ) {
        let mut unique = records;
        unique.sort_by_key(|record| record["id"].to_string());
        unique.dedup_by_key(|record| record["id"].to_string());
        let forward = judge(&unique, &["pkg:pypi/p0@1.5", "pkg:pypi/p1@2.5"]);
        unique.reverse();
        prop_assert_eq!(judge(&unique, &["pkg:pypi/p1@2.5", "pkg:pypi/p0@1.5"]), forward);
    }
}
