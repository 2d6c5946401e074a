//! What comes from outside and is not what it should be: each gets a name, a place and a next step, and what was good
//! is kept.

use crate::client::{add_source, import, read_source, read_source_well, run_ended, signed_in, start_run};
use serde_json::{Value, json};
use std::process::Command;
use stella_contract::error::{Code, Problem};
use stella_contract::finding::FindingFilter;
use stella_contract::job::{Job, JobFilter, JobState};
use stella_contract::page::PageQuery;
use stella_contract::run::RunState;
use stella_contract::source::{IngestReport, SourceHealth, SourceType};
use stella_contract::target::{SbomImported, SbomPlace, TargetFilter};
use stella_sdk::{Client, Error, Write, collect_all};
use stella_tests::fixtures;
use stella_tests::served::{Home, Served};

/// What an SBOM may weigh at the door.
const SBOM_LIMIT: usize = 64 * 1024 * 1024;

async fn bring_in(client: &Client, name: &str, sbom: impl Into<Vec<u8>>) -> Result<SbomImported, Error> {
    let place = SbomPlace { name: Some(name.to_owned()), ..SbomPlace::default() };
    client.targets().import(&place, sbom.into().into(), &Write::because("a test")).await
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Problem {
    let error = outcome.expect_err("this cannot be taken in");
    error.problem().unwrap_or_else(|| panic!("the far side does not say why: {error}")).clone()
}

/// A served ledger that holds the two good records of one feed.
async fn with_a_good_feed(home: &Home) -> (Served, Client, stella_contract::ids::SourceId) {
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let served = Served::start(home, false);
    let client = signed_in(&served).await;
    let source = add_source(&client, "feed", SourceType::Advisory, &feed.display().to_string()).await;
    read_source_well(&client, &source).await;
    (served, client, source)
}

async fn report(client: &Client, job: &Job) -> IngestReport {
    let detail = client.jobs().get(&job.job_id).await.unwrap();
    serde_json::from_value(detail.result.expect("a reading leaves a report")).unwrap()
}

/// The first bytes of an archive whose directory at the end never came.
fn cut_off_archive() -> Vec<u8> {
    let name = b"PYSEC-2026-1.json";
    let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name);
    bytes.extend(b"{\"id\": \"PYSEC-2026-1\", \"modi");
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_cannot_be_read_is_named_and_the_records_of_last_time_stay() {
    let home = Home::default();
    let (_served, client, source) = with_a_good_feed(&home).await;
    let place = home.path().join("feed/records.ndjson");
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("a cut-off archive", cut_off_archive(), "fetch it again"),
        ("text that is none", b"<html>503 Service Unavailable</html>".to_vec(), "records.ndjson"),
        ("another shape", br#"{"vulnerabilities": [{"cveID": "CVE-2026-1001"}]}"#.to_vec(), "id"),
        ("brackets as far as a record goes", vec![b'['; 32 << 20], "nested deeper than 128"),
        ("a hundred megabytes of brackets", vec![b'['; 100_000_000], "larger than 33554432 bytes"),
    ];
    for (what, bytes, said) in cases {
        std::fs::write(&place, bytes).unwrap();
        let job = read_source(&client, &source).await;
        assert_eq!(job.state, JobState::Failed, "{what}");
        assert_eq!(job.error_code.as_deref(), Some("FEED_INVALID"), "{what}: {:?}", job.error_message);
        let message = job.error_message.expect("a failed job says why");
        assert!(message.contains(said) && message.contains("records.ndjson"), "{what}: {message}");
        let now = client.sources().get(&source).await.unwrap();
        assert_eq!(now.record_count, 2, "{what}");
        assert_ne!(now.health, SourceHealth::Healthy, "{what}");
        assert_eq!(now.last_error_code.as_deref(), Some("FEED_INVALID"), "{what}");
    }
    // And the good ones still find.
    import(&client, "shop", fixtures::sbom("shop", "1.0", &[("quill", "2.0.6")])).await;
    let run = run_ended(&client, &start_run(&client, 50).await).await;
    assert_eq!((run.state, run.deltas.new_critical), (RunState::Completed, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_record_becomes_a_line_of_the_report_and_the_good_ones_stay() {
    let home = Home::default();
    let (_served, client, source) = with_a_good_feed(&home).await;
    let third = fixtures::advisory("PYSEC-2026-3", "CVE-2026-1003", "harbor", "3.1", fixtures::CRITICAL);
    let feed = [
        fixtures::feed(),
        r#"{"id": "PYSEC-2026-4", "modified": "2026-01-02T03:04:05Z", "affected": "everything"}"#.to_owned(),
        third.to_string(),
        "{ not json".to_owned(),
    ];
    home.write("feed/records.ndjson", &feed.join("\n"));
    let job = read_source(&client, &source).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error_message);
    let report = report(&client, &job).await;
    assert_eq!((report.records, report.added, report.removed, report.refused), (3, 1, 0, 2));
    let told: Vec<_> =
        report.errors.iter().map(|one| (one.file.as_str(), one.path.as_str(), one.code.as_str())).collect();
    assert_eq!(
        told,
        [
            ("records.ndjson, line 3", "affected", "schema_mismatch"),
            ("records.ndjson, line 5", ".", "parse_error"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_comes_twice_counts_once_and_the_newer_record_stays() {
    let home = Home::default();
    let mut newer = fixtures::advisory("PYSEC-2026-1", "CVE-2026-1001", "quill", "2.1.0", fixtures::CRITICAL);
    newer["modified"] = json!("2026-02-02T00:00:00Z");
    let feed = home.write("feed/records.ndjson", &format!("{newer}\n{}", fixtures::feed()));
    let served = Served::start(&home, false);
    let client = signed_in(&served).await;
    let source = add_source(&client, "feed", SourceType::Advisory, &feed.display().to_string()).await;
    let job = read_source(&client, &source).await;
    let report = report(&client, &job).await;
    assert_eq!((job.state, report.records, report.refused), (JobState::Succeeded, 2, 0));
    assert_eq!(report.errors.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["duplicate_id"]);
    assert!(report.errors[0].message.contains("PYSEC-2026-1"), "{:?}", report.errors);
    // 2.0.9 is affected by the newer record alone.
    import(&client, "shop", fixtures::sbom("shop", "1.0", &[("quill", "2.0.9")])).await;
    let run = run_ended(&client, &start_run(&client, 50).await).await;
    assert_eq!(run.deltas.new_total(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sbom_that_cannot_be_read_is_named_with_its_place_and_the_older_one_stays() {
    let home = Home::default();
    let served = Served::start(&home, false);
    let client = signed_in(&served).await;
    import(&client, "shop", fixtures::sbom("shop", "1.0", &[("quill", "2.0.6")])).await;
    let cases: [(&str, Vec<u8>, Code, &str); 6] = [
        ("half of it", fixtures::sbom("shop", "1.0", &[])[..40].into(), Code::SbomInvalid, "column"),
        ("brackets up to the limit", vec![b'['; SBOM_LIMIT], Code::SbomInvalid, "128"),
        (
            "another shape",
            br#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": 7}]}"#.to_vec(),
            Code::SbomInvalid,
            "components[0].name",
        ),
        ("something else", br#"{"hello": "world"}"#.to_vec(), Code::SbomUnsupported, "CycloneDX"),
        (
            "a version to come",
            br#"{"bomFormat": "CycloneDX", "specVersion": "9.9"}"#.to_vec(),
            Code::SbomUnsupported,
            "1.2 to 1.6",
        ),
        ("a byte over the limit", vec![b' '; SBOM_LIMIT + 1], Code::PayloadTooLarge, "67108864"),
    ];
    for (what, bytes, code, said) in cases {
        let problem = refusal(bring_in(&client, "shop", bytes).await);
        assert_eq!(problem.code, code, "{what}: {problem}");
        assert!(problem.message.contains(said), "{what}: {problem}");
        assert!(!problem.trace_id.is_empty(), "{what} cannot be found in the log");
    }
    let targets = client.targets().list(&TargetFilter::default(), &PageQuery::default()).await.unwrap();
    let kept: Vec<_> = targets.items.iter().map(|one| (one.name.as_str(), one.component_count)).collect();
    assert_eq!(kept, [("shop", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn components_that_cannot_be_matched_are_counted_and_warned_of_and_the_others_are_evaluated() {
    let home = Home::default();
    let (_served, client, _) = with_a_good_feed(&home).await;
    let mut bom: Value = serde_json::from_str(&fixtures::sbom("shop", "1.0", &[("quill", "2.0.6")])).unwrap();
    let more = [
        json!({"type": "library", "name": "nameless", "version": "1"}),
        json!({"type": "library", "name": "gear", "version": "1", "purl": "pkg:nosuchplace/gear@1"}),
        json!({"type": "library", "name": "broken", "version": "1", "purl": "not a purl"}),
    ];
    bom["components"].as_array_mut().unwrap().extend(more);
    let imported = bring_in(&client, "shop", bom.to_string()).await.unwrap();
    assert_eq!(imported.target.skipped_components, 2, "{:?}", imported.warnings);
    let warned = imported.warnings.join("\n");
    assert!(warned.contains("purl") && warned.contains("nosuchplace"), "{warned}");
    let run = run_ended(&client, &start_run(&client, 50).await).await;
    assert_eq!(run.state, RunState::Completed, "{:?}", run.error_message);
    let found = collect_all(client.findings().all(FindingFilter::default())).await.unwrap();
    assert_eq!(found.iter().map(|one| one.purl.as_str()).collect::<Vec<_>>(), ["pkg:pypi/quill@2.0.6"]);

    // One without a single purl is taken in, says so, and is not called clean.
    let bare = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [{"type": "library", "name": "nameless", "version": "1"}]});
    let imported = bring_in(&client, "bare", bare.to_string()).await.unwrap();
    assert_eq!((imported.target.component_count, imported.target.skipped_components), (0, 1));
    assert!(!imported.warnings.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_or_tenant_sees_nothing_and_is_told_what_to_do() {
    let home = Home::default();
    let made = output(home.stella().args(["token", "create", "--name", "looker", "--scope", "orch:read"]));
    let token = made.out.trim();
    let served = Served::start(&home, false);
    let (all, page) = (JobFilter::default(), PageQuery::default());
    let ask = |token: Option<&str>, tenant: &str| {
        Client::new(&served.base, token, tenant.parse().unwrap()).unwrap()
    };

    let damaged = format!("{token}x");
    for wrong in [None, Some("nonsense"), Some(damaged.as_str())] {
        let problem = refusal(ask(wrong, "default").jobs().list(&all, &page).await);
        assert_eq!(problem.code, Code::Unauthenticated, "{wrong:?}: {problem}");
        assert!(
            !wrong.is_some_and(|wrong| problem.message.contains(wrong)),
            "a token is repeated: {problem}"
        );
    }
    assert_eq!(ask(Some(token), "default").jobs().list(&all, &page).await.unwrap().items, []);
    let problem = refusal(ask(Some(token), "globex").jobs().list(&all, &page).await);
    assert!([401, 403].contains(&problem.code.status()), "{problem}");
    // What it may not do names the scope that is missing.
    let wish = serde_json::from_value(json!({"jobType": "demo.echo", "payload": {}})).unwrap();
    let problem = refusal(ask(Some(token), "default").jobs().submit(&wish, &Write::because("a test")).await);
    assert_eq!(problem.code, Code::ScopeMissing);
    assert!(problem.message.contains("orch:submit"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_another_holds_is_named_with_the_way_to_it() {
    let home = Home::default();
    let _served = Served::start(&home, false);
    let said = output(home.stella().args(["source", "list"]));
    assert_ne!(said.code, 0, "{}", said.out);
    assert!(said.err.contains("LEDGER_LOCKED") && said.err.contains("--server"), "{}", said.err);
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn output(command: &mut Command) -> Said {
    let done = command.output().unwrap();
    Said {
        code: done.status.code().expect("it ends by itself"),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

#[test]
fn a_file_that_is_no_ledger_is_left_as_it_is_and_named() {
    let home = Home::default();
    let text = "Dear diary, this is no database.\n".repeat(1_000);
    for text in [text.as_str(), "short"] {
        home.write("ledger.db", text);
        for words in [&["source", "list"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            let said = output(home.stella().args(words));
            assert_eq!(said.code, 1, "{words:?}: {}", said.err);
            assert!(said.err.contains("LEDGER_NOT_ONE"), "{words:?}: {}", said.err);
            assert!(said.err.contains("ledger.db") && said.err.contains("next:"), "{words:?}: {}", said.err);
        }
        assert_eq!(std::fs::read_to_string(home.ledger()).unwrap(), text, "not a byte of it is touched");
    }
}

#[test]
fn bad_files_among_good_ones_are_named_and_the_good_ones_come_in() {
    let home = Home::default();
    home.write("sboms/a.json", "{ not json");
    home.write("sboms/b.json", &fixtures::sbom("shop", "1.0", &[("quill", "2.0.6")]));
    home.write("sboms/c.json", &fixtures::sbom("till", "1.0", &[("lantern", "1.3")]));
    let said = output(home.stella().args(["sbom", "add"]).arg(home.path().join("sboms")));
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("a.json") && said.err.contains("SBOM_INVALID"), "{}", said.err);
    assert!(said.out.contains("shop") && said.out.contains("till"), "{}", said.out);
    let missing = output(home.stella().args(["sbom", "add", "no-such-file.json"]));
    assert!(missing.code != 0 && missing.err.contains("no-such-file.json"), "{}", missing.err);
}
