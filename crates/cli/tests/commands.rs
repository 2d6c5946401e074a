//! What the commands print and how they end, against a server that plays back what it is told.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod support;

use serde_json::json;
use support::{Stage, finding, job, page, problem, run, segment, source, stella, target};
use wiremock::matchers::{body_json, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, ResponseTemplate};

const RUN: &str = "run:acme:20261121T140815Z:9c1f04ab";
const JOB: &str = "job_01890000-0000-7000-8000-000000000001";

#[test]
fn help_names_every_command() {
    insta::assert_snapshot!(stella(&["--help"]));
}

#[test]
fn what_cannot_be_read_is_a_validation_error() {
    insta::assert_snapshot!(stella(&["runs", "show", "run:nonsense"]));
    assert!(stella(&["source", "run"]).starts_with("exit 1\n"));
    assert!(stella(&["source", "run", "--all", "--force"]).starts_with("exit 1\n"));
}

#[tokio::test]
async fn sources_are_listed_for_people_and_for_programs() {
    let stage = Stage::open().await;
    stage.gives("/api/v1/sources", page(json!([source("kev", 1404), source("osv-pypi", 2661)]), None)).await;
    insta::assert_snapshot!("sources_table", stage.stella(&["source", "list"]).await);
    insta::assert_snapshot!("sources_json", stage.stella(&["source", "list", "--format", "json"]).await);
    insta::assert_snapshot!("source_by_name", stage.stella(&["source", "show", "osv-pypi"]).await);
    insta::assert_snapshot!("source_unknown", stage.stella(&["source", "show", "nvd"]).await);
}

#[tokio::test]
async fn a_source_is_added_as_it_is_named_and_a_taken_name_is_refused() {
    let stage = Stage::open().await;
    Mock::given(method("POST"))
        .and(path("/api/v1/sources"))
        .and(header("x-stella-tenant", "acme"))
        .and(header("authorization", "Bearer s3cret"))
        .and(header("idempotency-key", "k1"))
        .and(body_json(json!({ "name": "kev", "sourceType": "kev", "location": "feeds/kev.json" })))
        .respond_with(ResponseTemplate::new(201).set_body_json(source("kev", 0)))
        .mount(&stage.server)
        .await;
    let add = ["source", "add", "--name", "kev", "--type", "kev", "--location", "feeds/kev.json"];
    insta::assert_snapshot!(
        "source_added",
        stage.stella(&[&add[..], &["--idempotency-key", "k1"]].concat()).await
    );

    stage.server.reset().await;
    stage.refuses(409, "CONFLICT", "There is already a source `kev`.").await;
    insta::assert_snapshot!("source_taken", stage.stella(&add).await);
}

#[tokio::test]
async fn a_source_is_read_to_its_end_and_the_report_is_told() {
    let stage = Stage::open().await;
    stage.gives("/api/v1/sources", page(json!([source("kev", 0)]), None)).await;
    Mock::given(method("POST"))
        .and(path(format!("/api/v1/sources/{}:run", support::SOURCE)))
        .respond_with(ResponseTemplate::new(202).set_body_json(job(JOB, "queued")))
        .mount(&stage.server)
        .await;
    let feed = json!({ "events": [], "cursor": 7, "reset": false, "now": "2026-11-21T09:00:00.000Z" });
    stage.gives("/api/v1/feed", feed).await;
    let result = json!({
        "unchanged": false, "bytes": 99, "digest": "sha256:00", "records": 12, "added": 2, "changed": 1,
        "removed": 0, "refused": 1,
        "errors": [{ "file": "b.json", "path": "$.id", "code": "schema_mismatch", "message": "expected an id" }],
        "warnings": ["3 records are withdrawn"],
    });
    let detail = json!({ "job": job(JOB, "succeeded"), "payload": {}, "result": result, "attempts": [], "artifacts": [] });
    stage.gives(&format!("/api/v1/jobs/{JOB}"), detail).await;
    insta::assert_snapshot!("source_run_wait", stage.stella(&["source", "run", "kev", "--wait"]).await);
}

#[tokio::test]
async fn a_job_that_failed_fails_the_command_that_waited_for_it() {
    let stage = Stage::open().await;
    stage.gives("/api/v1/sources", page(json!([source("kev", 0)]), None)).await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(202).set_body_json(job(JOB, "queued")))
        .mount(&stage.server)
        .await;
    let feed = |events: serde_json::Value, cursor: i64| json!({ "events": events, "cursor": cursor, "reset": false, "now": "2026-11-21T09:00:00.000Z" });
    let told = json!([{
        "seq": 8, "type": "orch.job.failed", "entity": "job", "id": JOB, "tenant": "acme",
        "correlationId": "c", "at": "2026-11-21T09:00:00.000Z", "data": {},
    }]);
    Mock::given(path("/api/v1/feed"))
        .and(query_param_is_missing("cursor"))
        .respond_with(ResponseTemplate::new(200).set_body_json(feed(json!([]), 7)))
        .mount(&stage.server)
        .await;
    Mock::given(path("/api/v1/feed"))
        .and(query_param("cursor", "7"))
        .and(query_param("maxWaitMs", "25000"))
        .respond_with(ResponseTemplate::new(200).set_body_json(feed(told, 8)))
        .expect(1)
        .mount(&stage.server)
        .await;
    let detail = |state: &str| {
        let mut detail = json!({ "job": job(JOB, state), "payload": {}, "attempts": [], "artifacts": [] });
        detail["job"]["errorCode"] = "FEED_SUSPICIOUS".into();
        detail["job"]["errorMessage"] = "The feed shrank from 12 records to 2.".into();
        ResponseTemplate::new(200).set_body_json(detail)
    };
    let there = || Mock::given(path(format!("/api/v1/jobs/{JOB}")));
    there().respond_with(detail("running")).up_to_n_times(1).mount(&stage.server).await;
    there().respond_with(detail("failed")).mount(&stage.server).await;
    insta::assert_snapshot!("source_run_failed", stage.stella(&["source", "run", "kev", "--wait"]).await);
}

#[tokio::test]
async fn one_sbom_that_cannot_be_read_does_not_keep_the_others_out() {
    let stage = Stage::open().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    for (name, text) in [("a.cdx.json", "{}"), ("deep/b.json", "{ }"), ("deep/c.txt", "no")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let imported =
        json!({ "target": target("till", "2.1"), "created": true, "unchanged": false, "warnings": [] });
    Mock::given(method("POST"))
        .and(path("/api/v1/sboms"))
        .and(query_param("file", "a.cdx.json"))
        .respond_with(
            ResponseTemplate::new(422).set_body_json(problem("SBOM_INVALID", "`bomFormat` is missing.")),
        )
        .expect(1)
        .mount(&stage.server)
        .await;
    Mock::given(path("/api/v1/sboms"))
        .and(query_param("file", "b.json"))
        .and(query_param("namespace", "shop"))
        .respond_with(ResponseTemplate::new(201).set_body_json(imported))
        .expect(1)
        .mount(&stage.server)
        .await;
    let place = folder.path().to_string_lossy().into_owned();
    let said = stage.stella(&["sbom", "add", &place, "--namespace", "shop"]).await;
    insta::assert_snapshot!("sbom_add", said.replace(&place, "FOLDER"));
}

#[tokio::test]
async fn targets_are_listed() {
    let stage = Stage::open().await;
    stage.gives("/api/v1/targets", page(json!([target("till", "2.1")]), None)).await;
    insta::assert_snapshot!("sbom_list", stage.stella(&["sbom", "list"]).await);
}

#[tokio::test]
async fn runs_are_listed_with_a_way_to_the_next_page() {
    let stage = Stage::open().await;
    Mock::given(path("/api/v1/runs"))
        .and(query_param("tab", "active"))
        .and(query_param("page_size", "1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page(json!([run("running")]), Some("t2"))))
        .mount(&stage.server)
        .await;
    insta::assert_snapshot!(
        "runs_page",
        stage.stella(&["runs", "list", "--tab", "active", "--page-size", "1"]).await
    );
}

#[tokio::test]
async fn all_pages_are_read_as_if_they_were_one() {
    let stage = Stage::open().await;
    Mock::given(path("/api/v1/runs"))
        .and(query_param_is_missing("page_token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page(json!([run("running")]), Some("t2"))))
        .mount(&stage.server)
        .await;
    Mock::given(path("/api/v1/runs"))
        .and(query_param("page_token", "t2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page(json!([run("completed")]), None)))
        .mount(&stage.server)
        .await;
    let said = stage.stella(&["runs", "list", "--all", "--format", "json"]).await;
    assert_eq!(said.matches("\"runId\"").count(), 2, "{said}");
    assert!(!said.contains("nextPageToken"), "{said}");
}

#[tokio::test]
async fn one_run_its_segments_and_its_changes_are_shown() {
    let stage = Stage::open().await;
    stage.gives(&format!("/api/v1/runs/{RUN}"), run("completed")).await;
    stage.gives(&format!("/api/v1/runs/{RUN}/segments"), page(json!([segment()]), None)).await;
    let change = json!({
        "kind": "severity_raised", "targetId": support::TARGET, "targetName": "till", "targetVersion": "2.1",
        "purl": "pkg:cargo/cinder-codec@0.4.7", "vulnerabilityId": "CVE-2026-99007", "severity": "critical",
        "severityBefore": "medium", "kev": true,
    });
    stage.gives(&format!("/api/v1/runs/{RUN}/deltas"), page(json!([change]), None)).await;
    insta::assert_snapshot!("run_show", stage.stella(&["runs", "show", RUN]).await);
    insta::assert_snapshot!("run_segments", stage.stella(&["runs", "segments", "--run", RUN]).await);
    insta::assert_snapshot!("run_deltas", stage.stella(&["runs", "deltas", RUN]).await);
}

#[tokio::test]
async fn a_preview_takes_its_keys_from_a_file() {
    let stage = Stage::open().await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, r#"{"purls":["pkg:pypi/saltmarsh"],"vulnIds":["CVE-2026-99014"]}"#).unwrap();
    Mock::given(method("POST"))
        .and(path("/api/v1/runs:preview"))
        .and(body_json(json!({
            "purls": ["pkg:pypi/saltmarsh"], "vulnIds": ["CVE-2026-99014"],
            "scope": { "kind": "selector", "namespaces": ["shop"], "repositories": [], "labels": {} },
        })))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "previewId": "prv_01890000-0000-7000-8000-000000000001", "impactedImages": 3,
            "byNamespace": [{ "name": "shop", "count": 2 }, { "name": "office", "count": 1 }],
            "byShard": [1, 2], "kevHits": 1,
            "sample": [{ "digest": "sha256:00", "name": "till-api", "version": "2026.11" }],
            "unknownKeys": [], "estimatedSegments": 1, "indexGeneration": 4, "warnings": [],
            "validUntil": "2026-11-21T09:15:00.000Z",
        })))
        .mount(&stage.server)
        .await;
    let keys = keys.to_string_lossy().into_owned();
    let said = stage.stella(&["runs", "preview", "--file", &keys, "--namespace", "shop"]).await;
    insta::assert_snapshot!("runs_preview", said);
}

fn told(events: &[(&str, i64, serde_json::Value)]) -> ResponseTemplate {
    let mut text = "retry: 3000\n\n: hello\n\n".to_owned();
    for (name, seq, fields) in events {
        let mut data = json!({ "seq": seq, "at": "2026-11-21T14:28:15.204Z", "event": name });
        for (field, value) in fields.as_object().unwrap() {
            data[field] = value.clone();
        }
        text.push_str(&format!("id: {seq}\nevent: {name}\ndata: {data}\n\n"));
    }
    ResponseTemplate::new(200).set_body_raw(text, "text/event-stream")
}

#[tokio::test]
async fn a_run_is_started_and_waited_for() {
    let stage = Stage::open().await;
    Mock::given(method("POST"))
        .and(path("/api/v1/runs"))
        .and(header("x-stella-operator-reason", "first look"))
        .and(body_json(json!({
            "mode": "analysis-only", "scope": { "kind": "keys", "purls": ["pkg:pypi/saltmarsh"], "vulnIds": [] },
            "kevFirst": true, "allowStale": false, "segmentSize": 20,
        })))
        .respond_with(ResponseTemplate::new(202).set_body_json(run("planning")))
        .mount(&stage.server)
        .await;
    Mock::given(path(format!("/console/runs/{RUN}/stream")))
        .respond_with(told(&[
            ("snapshot", 1, json!({ "run": run("planning"), "segments": [] })),
            ("stateChanged", 2, json!({ "from": "planning", "to": "queued" })),
            ("end", 3, json!({ "state": "completed" })),
        ]))
        .mount(&stage.server)
        .await;
    stage.gives(&format!("/api/v1/runs/{RUN}"), run("completed")).await;
    let submit = ["runs", "submit", "--purl", "pkg:pypi/saltmarsh", "--kev-first", "--segment-size", "20"];
    let said = stage.stella(&[&submit[..], &["--reason", "first look", "--wait"]].concat()).await;
    insta::assert_snapshot!("runs_submit_wait", said);
}

#[tokio::test]
async fn a_run_that_failed_fails_the_command_that_waited_for_it() {
    let stage = Stage::open().await;
    let mut failed = run("error");
    failed["errorCode"] = "ERR_RUN_009".into();
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(202).set_body_json(run("planning")))
        .mount(&stage.server)
        .await;
    Mock::given(path(format!("/console/runs/{RUN}/stream")))
        .respond_with(told(&[("end", 3, json!({ "state": "error" }))]))
        .mount(&stage.server)
        .await;
    stage.gives(&format!("/api/v1/runs/{RUN}"), failed).await;
    let said = stage.stella(&["runs", "submit", "--reason", "look", "--wait", "--format", "json"]).await;
    assert!(said.starts_with("exit 1\n"), "{said}");
    let (_, stderr) = said.split_once("--- stderr\n").unwrap();
    insta::assert_snapshot!("runs_submit_failed", stderr);
}

#[tokio::test]
async fn who_gives_up_waiting_is_told_that_the_run_goes_on() {
    let stage = Stage::open().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(202).set_body_json(run("planning")))
        .mount(&stage.server)
        .await;
    let said = stage.stella(&["runs", "submit", "--reason", "look", "--wait", "--timeout", "0"]).await;
    insta::assert_snapshot!("runs_submit_timeout", said);
}

#[tokio::test]
async fn a_stream_is_one_json_object_per_line() {
    let stage = Stage::open().await;
    Mock::given(path(format!("/console/runs/{RUN}/stream")))
        .and(header("last-event-id", "1"))
        .respond_with(told(&[
            ("stateChanged", 2, json!({ "from": "planning", "to": "running" })),
            ("deltaSummary", 3, json!({ "deltas": { "newCritical": 2 }, "processed": 5, "failed": 0 })),
            ("end", 4, json!({ "state": "completed" })),
        ]))
        .mount(&stage.server)
        .await;
    insta::assert_snapshot!("runs_stream", stage.stella(&["runs", "stream", RUN, "--after", "1"]).await);
}

#[tokio::test]
async fn findings_are_listed_explained_and_taken_apart() {
    let stage = Stage::open().await;
    stage.gives("/api/v1/findings", page(json!([finding()]), None)).await;
    let explanation = json!({
        "finding": finding(),
        "steps": [{ "source": "DEMO-2026-0003", "matched": "range ECOSYSTEM introduced 2.0 fixed 2.0.7 covers 2.0.4",
            "aliases": ["CVE-2026-99003"], "kev": true }],
    });
    stage.gives("/api/v1/findings/explain", explanation).await;
    let explain = ["findings", "explain", "--target", support::TARGET, "--purl", "pkg:pypi/saltmarsh@2.0.4"];
    insta::assert_snapshot!("findings_list", stage.stella(&["findings", "list", "--kev"]).await);
    let said = stage.stella(&[&explain[..], &["--vuln", "CVE-2026-99003"]].concat()).await;
    insta::assert_snapshot!("findings_explain", said);
    insta::assert_snapshot!("findings_matches", stage.stella(&["findings", "matches", "--csv"]).await);
    let asked = stage.asked().await;
    assert!(asked.contains(&"/api/v1/findings?kev=true".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn jobs_workers_and_the_history_are_shown() {
    let stage = Stage::open().await;
    stage.gives("/api/v1/jobs", page(json!([job(JOB, "queued")]), None)).await;
    let attempt = json!({
        "leaseEpoch": 1, "attempt": 1, "workerId": "wrk_01890000-0000-7000-8000-000000000001",
        "leasedAt": "2026-11-21T09:00:00.000Z", "outcome": "succeeded",
    });
    let detail = json!({
        "job": job(JOB, "succeeded"), "payload": { "sourceId": support::SOURCE }, "attempts": [attempt], "artifacts": [],
    });
    stage.gives(&format!("/api/v1/jobs/{JOB}"), detail).await;
    insta::assert_snapshot!("jobs_list", stage.stella(&["orch", "jobs", "list"]).await);
    insta::assert_snapshot!("job_show", stage.stella(&["orch", "jobs", "show", JOB]).await);
    stage.gives("/api/v1/history/verify", json!({ "entries": 12, "verifiedTo": 12 })).await;
    insta::assert_snapshot!("audit_sound", stage.stella(&["orch", "audit", "verify"]).await);
}

#[tokio::test]
async fn a_broken_history_is_exit_five() {
    let stage = Stage::open().await;
    let broken =
        json!({ "entries": 12, "verifiedTo": 6, "broken": { "seq": 7, "why": "its hash does not agree" } });
    stage.gives("/api/v1/history/verify", broken).await;
    insta::assert_snapshot!("audit_broken", stage.stella(&["orch", "audit", "verify"]).await);
}

#[tokio::test]
async fn each_kind_of_refusal_says_what_to_do_and_has_its_exit_code() {
    let stage = Stage::open().await;
    let cancel = ["runs", "cancel", "--run", RUN];
    let cases: [(u16, &str, &str, u8); 7] = [
        (400, "REASON_REQUIRED", "Cancelling a run needs a reason.", 1),
        (401, "UNAUTHENTICATED", "The token is unknown, expired or was taken back.", 2),
        (403, "SCOPE_MISSING", "This needs the scope `runs.manage`.", 2),
        (404, "NOT_FOUND", "There is no such run.", 4),
        (409, "INVALID_TRANSITION", "The run has already ended.", 3),
        (503, "LEDGER_LOCKED", "Another process holds this ledger.", 1),
        (500, "INTERNAL", "Something inside the product failed.", 1),
    ];
    let mut told = String::new();
    for (status, code, message, exit) in cases {
        stage.server.reset().await;
        stage.refuses(status, code, message).await;
        let said = stage.stella(&cancel).await;
        assert!(said.starts_with(&format!("exit {exit}\n")), "{said}");
        told.push_str(said.split_once("--- stderr\n").unwrap().1);
    }
    insta::assert_snapshot!("refusals", told);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_exit_six() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let said = stella(&["--server", &format!("http://{gone}"), "health"]);
    insta::assert_snapshot!("server_gone", said.replace(&gone, "GONE"));
}

#[test]
fn a_sealed_command_does_not_go_to_another_machine() {
    insta::assert_snapshot!("sealed", stella(&["--sealed", "--server", "https://stella.example", "health"]));
}

#[tokio::test]
async fn the_result_goes_to_a_file_when_one_is_named() {
    let stage = Stage::open().await;
    stage.gives("/api/v1/history/verify", json!({ "entries": 3, "verifiedTo": 3 })).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("check.json").to_string_lossy().into_owned();
    let said = stage.stella(&["orch", "audit", "verify", "--format", "json", "--output", &file]).await;
    assert_eq!(said, "exit 0\n--- stdout\n--- stderr\n");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\n  \"entries\": 3,\n  \"verifiedTo\": 3\n}\n");
}
