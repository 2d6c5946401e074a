//! The main job, as an operator does it.

use crate::client::{add_source, import, read_source, read_source_well, run_ended, signed_in, start_run};
use stella_contract::finding::{ChangeKind, FindingFilter, Severity};
use stella_contract::job::JobState;
use stella_contract::page::PageQuery;
use stella_contract::run::RunState;
use stella_contract::source::SourceType;
use stella_sdk::{Client, collect_all};
use stella_tests::fixtures;
use stella_tests::served::{Home, Served};

/// Vulnerability and component of every finding that stands, sorted.
async fn standing(client: &Client) -> Vec<(String, String)> {
    let findings = collect_all(client.findings().all(FindingFilter::default())).await.unwrap();
    let mut pairs: Vec<_> = findings.into_iter().map(|one| (one.vulnerability_id, one.purl)).collect();
    pairs.sort();
    pairs
}

fn pair(vulnerability: &str, purl: &str) -> (String, String) {
    (vulnerability.to_owned(), purl.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_and_sboms_become_findings_and_later_ones_become_deltas() {
    let home = Home::default();
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let list = home.write("kev.json", &fixtures::kev(&["CVE-2026-1001"]));
    let served = Served::start(&home, false);
    let client = signed_in(&served).await;
    let advisories = add_source(&client, "feed", SourceType::Advisory, &feed.display().to_string()).await;
    let exploited = add_source(&client, "kev", SourceType::Kev, &list.display().to_string()).await;
    read_source_well(&client, &advisories).await;
    read_source_well(&client, &exploited).await;
    let shop = [("quill", "2.0.6"), ("lantern", "1.3"), ("harbor", "3.0"), ("candle", "3.2")];
    import(&client, "shop", fixtures::sbom("shop", "1.0", &shop)).await;

    // What stands after the first look.
    let first = run_ended(&client, &start_run(&client, 50).await).await;
    assert_eq!(first.state, RunState::Completed, "{:?}", first.error_message);
    assert_eq!((first.deltas.new_critical, first.deltas.new_total(), first.deltas.kev_added), (1, 2, 1));
    let quill = pair("CVE-2026-1001", "pkg:pypi/quill@2.0.6");
    let lantern = pair("CVE-2026-1002", "pkg:pypi/lantern@1.3");
    assert_eq!(standing(&client).await, [quill.clone(), lantern.clone()]);

    // A newer SBOM resolves one.
    let shop = [("quill", "2.0.7"), ("lantern", "1.3"), ("harbor", "3.0"), ("candle", "3.2")];
    import(&client, "shop", fixtures::sbom("shop", "1.1", &shop)).await;
    let second = run_ended(&client, &start_run(&client, 50).await).await;
    assert_eq!(
        (second.deltas.resolved_critical, second.deltas.resolved_total(), second.deltas.new_total()),
        (1, 1, 0)
    );
    assert_eq!(standing(&client).await, std::slice::from_ref(&lantern));

    // A newer feed brings another.
    home.write("feed/records.ndjson", &fixtures::later_feed());
    read_source_well(&client, &advisories).await;
    let third = run_ended(&client, &start_run(&client, 50).await).await;
    let changes = client.runs().deltas(&third.run_id, &PageQuery::default()).await.unwrap().items;
    let told: Vec<_> =
        changes.iter().map(|one| (one.kind, one.vulnerability_id.as_str(), one.severity)).collect();
    assert_eq!(told, [(ChangeKind::New, "CVE-2026-1003", Severity::Critical)]);
    assert_eq!(standing(&client).await, [lantern, pair("CVE-2026-1003", "pkg:pypi/harbor@3.0")]);

    // The first run still shows what it found.
    let filter = FindingFilter { run: Some(first.run_id), ..FindingFilter::default() };
    let then = collect_all(client.findings().all(filter)).await.unwrap();
    assert_eq!(then.len(), 2);
    assert!(then.iter().any(|one| pair(&one.vulnerability_id, &one.purl) == quill && one.kev));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_feed_is_refused_and_what_was_good_is_kept() {
    let home = Home::default();
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let served = Served::start(&home, false);
    let client = signed_in(&served).await;
    let source = add_source(&client, "feed", SourceType::Advisory, &feed.display().to_string()).await;
    read_source_well(&client, &source).await;
    home.write("feed/records.ndjson", "");
    let job = read_source(&client, &source).await;
    assert_eq!((job.state, job.error_code.as_deref()), (JobState::Failed, Some("FEED_SUSPICIOUS")));
    let source = client.sources().get(&source).await.unwrap();
    assert_eq!(source.record_count, 2);
    assert_eq!(source.last_error_code.as_deref(), Some("FEED_SUSPICIOUS"));
}
