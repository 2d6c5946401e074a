//! What is said of products and how likely they are attacked, beside what runs find.

use super::*;
use stella_contract::finding::FindingStatus;
use stella_contract::vex::VexFilter;

on_both! {
    what_vex_says_does_not_apply_is_quieted_and_says_so => quieted;
    what_the_newest_statement_says_counts => newest;
    findings_say_how_likely_they_are_exploited => likely;
}

fn statement(cve: &str, product: &Value, status: &str, day: u32) -> Value {
    json!({
        "vulnerability": { "name": cve }, "products": [product], "status": status,
        "justification": "vulnerable_code_not_in_execute_path", "timestamp": format!("2026-11-{day:02}T00:00:00Z"),
    })
}

fn document(statements: &[Value]) -> String {
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:acme:vex:1", "author": "acme",
        "timestamp": "2026-11-01T00:00:00Z", "version": 1, "statements": statements,
    });
    document.to_string()
}

async fn quieted(place: LedgerPlace) {
    let world = World::small(place).await;
    world.run().await;
    let beta = json!({ "@id": "pkg:pypi/beta@1.0" });
    let said = document(&[
        statement("CVE-2026-0002", &beta, "not_affected", 2),
        statement("cve-2026-0003", &beta, "under_investigation", 2),
    ]);
    world.read("said.json", SourceType::Vex, &said).await;

    let run = world.run().await;
    assert_eq!(run.deltas.to_string(), "−1 quieted", "a VEX change alone quiets");
    let findings = world.findings(FindingFilter::default()).await;
    let told: Vec<(String, FindingStatus, bool)> = findings
        .iter()
        .map(|one| (format!("{} {}", one.target_name, one.vulnerability_id), one.status, one.quieted))
        .collect();
    let open = FindingStatus::Affected;
    assert_eq!(
        told,
        [
            ("shop CVE-2026-0001".to_owned(), open, false),
            ("shop CVE-2026-0002".to_owned(), FindingStatus::NotAffected, true),
            ("shop CVE-2026-0003".to_owned(), FindingStatus::UnderInvestigation, false),
            ("till CVE-2026-0003".to_owned(), open, false),
        ]
    );
    let quiet = &findings[1];
    let findings = world.engine.findings();
    let why = findings.explain(&world.caller, &quiet.target_id, &quiet.purl, &quiet.vulnerability_id).await;
    let last = why.unwrap().steps.pop().unwrap();
    assert_eq!(last.source, "VEX urn:acme:vex:1");
    assert!(last.matched.contains("not_affected (vulnerable_code_not_in_execute_path)"), "{last:?}");

    let of = |cve: &str| VexFilter { vulnerability: Some(cve.to_owned()), source: None };
    let page = PageQuery::default();
    let listed = world.engine.vex().list(&world.caller, &of("cve-2026-0002"), &page).await.unwrap();
    assert_eq!((listed.items.len(), listed.total_estimate), (1, Some(1)));
    assert_eq!(listed.items[0].product, "pkg:pypi/beta@1.0");
    assert_eq!(listed.items[0].status, FindingStatus::NotAffected);
    let none = world.engine.vex().list(&world.caller, &of("CVE-1999-0001"), &page).await.unwrap();
    assert_eq!(none.items, []);

    // Nothing is said any more, so that it counts again.
    world.read("said.json", SourceType::Vex, &document(&[])).await;
    assert_eq!(world.run().await.deltas.to_string(), "+1 unquieted");
}

async fn newest(place: LedgerPlace) {
    let world = World::small(place).await;
    let beta = json!({ "@id": "pkg:pypi/beta" });
    let first = statement("CVE-2026-0002", &beta, "fixed", 2);
    world.read("said.json", SourceType::Vex, &document(std::slice::from_ref(&first))).await;
    world.run().await;
    let kept = |findings: Vec<Finding>| {
        findings.into_iter().find(|one| one.vulnerability_id == "CVE-2026-0002").unwrap()
    };
    let one = kept(world.findings(FindingFilter::default()).await);
    assert_eq!((one.status, one.quieted), (FindingStatus::Fixed, true));
    let later = statement("CVE-2026-0002", &beta, "affected", 3);
    world.read("said.json", SourceType::Vex, &document(&[first, later])).await;
    world.run().await;
    let one = kept(world.findings(FindingFilter::default()).await);
    assert_eq!((one.status, one.quieted), (FindingStatus::Affected, false));
}

async fn likely(place: LedgerPlace) {
    let world = World::small(place).await;
    world.run().await;
    let list = |day: u32, score: &str| {
        format!(
            "#model_version:v2025.03.14,score_date:2026-11-{day:02}T00:00:00+0000\ncve,epss,percentile\nCVE-2026-0001,{score},0.9\nCVE-2026-0002,0.1,0.5\n"
        )
    };
    world.read("epss.csv", SourceType::Epss, &list(1, "0.25")).await;
    let generation = world.engine.feed_index(&world.caller.tenant).await.unwrap().generation();
    let findings = world.findings(FindingFilter::default()).await;
    let told: Vec<(Option<f64>, Option<f64>)> =
        findings.iter().map(|one| (one.epss, one.epss_percentile)).collect();
    assert_eq!(told, [(Some(0.25), Some(0.9)), (Some(0.1), Some(0.5)), (None, None), (None, None)]);
    world.read("epss.csv", SourceType::Epss, &list(2, "0.75")).await;
    let first = world.findings(FindingFilter::default()).await.remove(0);
    assert_eq!(first.epss, Some(0.75));
    let why = world.engine.findings();
    let why =
        why.explain(&world.caller, &first.target_id, &first.purl, &first.vulnerability_id).await.unwrap();
    assert_eq!(why.finding.epss, Some(0.75));
    let after = world.engine.feed_index(&world.caller.tenant).await.unwrap().generation();
    assert_eq!(after, generation, "scores are looked up, so that nothing is evaluated anew");
}
