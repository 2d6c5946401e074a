//! Objectives over HTTP, and what answers say of their age.

use crate::app::App;
use serde_json::{Value, json};

const MAKE: &str = r#"{"name":"Ingests succeed","sli":"job_success","target":0.995}"#;

async fn made(app: &App) -> Value {
    let made = app.post("/api/v1/slos", MAKE).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

#[tokio::test]
async fn an_objective_is_made_listed_changed_and_deleted() {
    let app = App::local().await;
    let slo = made(&app).await;
    let path = format!("/api/v1/slos/{}", slo["sloId"].as_str().unwrap());
    assert_eq!((slo["windowDays"].as_i64(), slo["enabled"].as_bool()), (Some(28), Some(true)));
    assert_eq!(slo["status"]["budgetRemaining"], 1.0);
    assert_eq!(app.get("/api/v1/slos").await.json()["items"][0]["sloId"], slo["sloId"]);
    let changed = app.post(&format!("{path}:update"), r#"{"target":0.9}"#).await.json();
    assert_eq!((changed["target"].as_f64(), changed["version"].as_i64()), (Some(0.9), Some(2)));
    assert_eq!(app.post(&format!("{path}:delete"), "").await.status, 200);
    assert_eq!(app.get(&path).await.refusal(), (404, "NOT_FOUND".to_owned()));
    let history = app.get("/api/v1/history/verify").await.json();
    assert_eq!((history["entries"].as_i64(), history["broken"].is_null()), (Some(3), true));
}

#[tokio::test]
async fn a_name_that_is_taken_and_a_threshold_that_is_not_counted_are_refused() {
    let app = App::local().await;
    made(&app).await;
    assert_eq!(app.post("/api/v1/slos", MAKE).await.refusal(), (409, "CONFLICT".to_owned()));
    let odd = r#"{"name":"Odd","sli":"queue_latency","target":0.9,"thresholdMs":1234}"#;
    let refused = app.post("/api/v1/slos", odd).await;
    assert_eq!(refused.refusal(), (422, "INVALID".to_owned()));
    assert_eq!(refused.json()["error"]["details"][0]["field"], "thresholdMs");
}

#[tokio::test]
async fn a_write_that_expects_an_older_version_is_refused() {
    let app = App::local().await;
    let slo = made(&app).await;
    let path = format!("/api/v1/slos/{}", slo["sloId"].as_str().unwrap());
    let tag = app.get(&path).await.header("etag").to_owned();
    assert!(tag.starts_with("\"1-"), "{tag}");
    let write = async |verb: &str, tag: &str, body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("x-stella-operator-reason", "a test asks"),
            ("if-match", tag),
        ];
        app.ask("POST", &format!("{path}:{verb}"), &headers, body).await
    };
    assert_eq!(write("update", &tag, r#"{"target":0.9}"#).await.status, 200);
    let stale = write("update", &tag, r#"{"target":0.8}"#).await;
    assert_eq!(stale.refusal(), (412, "VERSION_MISMATCH".to_owned()));
    assert_eq!(write("delete", "\"1\"", "").await.refusal(), (412, "VERSION_MISMATCH".to_owned()));
    assert_eq!(write("delete", "two", "").await.refusal(), (400, "BAD_REQUEST".to_owned()));
    assert_eq!(write("delete", "*", "").await.status, 200);
}

#[tokio::test]
async fn a_thing_that_did_not_change_is_not_sent_again() {
    let app = App::local().await;
    let job = app.post("/api/v1/jobs", r#"{"jobType":"demo.none","payload":{}}"#).await.json();
    let path = format!("/api/v1/jobs/{}", job["jobId"].as_str().unwrap());
    let first = app.get(&path).await;
    let tag = first.header("etag").to_owned();
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let known = app.ask("GET", &path, &[("if-none-match", &tag)], "").await;
    assert_eq!((known.status.as_u16(), known.body.len(), known.header("etag")), (304, 0, tag.as_str()));
    app.post(&format!("{path}:cancel"), "").await;
    let changed = app.ask("GET", &path, &[("if-none-match", &tag)], "").await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(app.get("/api/v1/jobs").await.header("etag"), "", "a list has no version");
}

#[tokio::test]
async fn an_address_that_goes_answers_as_before_says_what_follows_and_is_counted() {
    let app = App::local().await;
    let job = app.post("/api/v1/jobs", r#"{"jobType":"demo.none","payload":{}}"#).await.json();
    let id = job["jobId"].as_str().unwrap();
    let old = app.get(&format!("/api/v1/jobs/{id}/detail")).await;
    let new = app.get(&format!("/api/v1/jobs/{id}")).await;
    assert_eq!(old.json(), new.json());
    assert_eq!(old.header("deprecation"), "@1793491200");
    assert_eq!(old.header("sunset"), "Mon, 01 Nov 2027 00:00:00 GMT");
    assert_eq!(
        old.header("link"),
        format!(
            "</api/v1/jobs/{id}>; rel=\"successor-version\", </openapi/orchestrator.json>; rel=\"deprecation\""
        )
    );
    assert_eq!(new.header("deprecation"), "");
    let summary = app.get("/api/v1/jobs/summary").await;
    assert_eq!(summary.json()["queued"], 1);
    assert_eq!(summary.header("deprecation"), "@1793491200");
    let metrics = app.get("/metrics").await.text();
    for path in ["/api/v1/jobs/{id}/detail", "/api/v1/jobs/summary"] {
        let line = format!("orch_deprecated_requests_total{{path=\"{path}\"}} 1\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[tokio::test]
async fn job_types_are_told_with_depth_throughput_failures_and_24_points() {
    let app = App::local().await;
    for _ in 0..3 {
        app.post("/api/v1/jobs", r#"{"jobType":"demo.none","payload":{}}"#).await;
    }
    let stats = app.get("/api/v1/jobs/stats").await.json();
    let one = &stats["byType"][0];
    assert_eq!((&one["jobType"], &one["queued"]), (&json!("demo.none"), &json!(3)));
    assert_eq!(one["sparkline"].as_array().unwrap().len(), 24);
    assert_eq!(one["oldestQueuedAt"], "2026-11-21T09:00:00.000Z");
    assert!(one["failureRate"].is_null() && one["runP95Ms"].is_null(), "{one}");
}
