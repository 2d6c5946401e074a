//! Whatever goes wrong comes back in the one envelope.

use crate::app::{App, tenant};
use axum::body::Body;
use http::Request;
use stella_contract::error::Code;
use stella_engine::{Engine, Error, LedgerPlace};
use stella_server::{Auth, Door, EngineSlot, LocalOperator, router};

const JSON: (&str, &str) = ("content-type", "application/json");
const JOB: &str = r#"{"jobType":"demo.wait","payload":{}}"#;

/// Method, path, headers and body; the status and the code of the refusal.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[tokio::test]
async fn every_bad_request_is_answered_in_the_envelope() {
    let app = App::local().await;
    let long = "x".repeat(300);
    let cases: &[Case] = &[
        ("GET", "/nowhere", &[], "", 404, "NOT_FOUND"),
        ("GET", "/api/v1/nowhere", &[], "", 404, "NOT_FOUND"),
        ("GET", "/api/v1/jobs/", &[], "", 404, "NOT_FOUND"),
        ("GET", "/api/v1/jobs/%FF", &[], "", 400, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs/run_1", &[], "", 404, "NOT_FOUND"),
        ("POST", "/api/v1/jobs/x/~cancel", &[JSON], "", 404, "NOT_FOUND"),
        ("DELETE", "/api/v1/jobs", &[], "", 405, "BAD_REQUEST"),
        ("PATCH", "/health/live", &[], "", 405, "BAD_REQUEST"),
        ("POST", "/api/v1/session", &[], "", 405, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs/job_x:cancel", &[], "", 405, "BAD_REQUEST"),
        ("POST", "/api/v1/jobs/job_x:explode", &[], "", 405, "BAD_REQUEST"),
        ("POST", "/api/v1/jobs", &[], JOB, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "/api/v1/jobs", &[("content-type", "text/plain")], JOB, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "/api/v1/jobs", &[JSON], "", 400, "BAD_REQUEST"),
        ("POST", "/api/v1/jobs", &[JSON], "{", 400, "BAD_REQUEST"),
        ("POST", "/api/v1/jobs", &[JSON], "[]", 422, "INVALID"),
        ("POST", "/api/v1/jobs", &[JSON], r#"{"jobType":7,"payload":{}}"#, 422, "INVALID"),
        ("POST", "/api/v1/jobs", &[JSON, ("content-length", "99999999")], JOB, 413, "PAYLOAD_TOO_LARGE"),
        ("POST", "/api/v1/jobs", &[JSON, ("idempotency-key", &long)], JOB, 400, "BAD_REQUEST"),
        ("POST", "/api/v1/jobs", &[JSON, ("idempotency-key", "two words")], JOB, 400, "BAD_REQUEST"),
        (
            "POST",
            "/api/v1/sboms",
            &[("content-type", "application/xml")],
            "<bom/>",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("POST", "/api/v1/sboms", &[JSON], "", 400, "BAD_REQUEST"),
        ("POST", "/api/v1/session:open", &[JSON], "{}", 422, "INVALID"),
        ("GET", "/api/v1/jobs?stat=queued", &[], "", 400, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs?state=asleep", &[], "", 400, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs?page_size=-1", &[], "", 400, "BAD_REQUEST"),
        ("GET", "/api/v1/jobs?page_token=%25%25", &[], "", 400, "PAGE_TOKEN_INVALID"),
        ("GET", "/api/v1/findings/explain", &[], "", 400, "BAD_REQUEST"),
        ("GET", "/api/v1/feed?maxWaitMs=soon", &[], "", 400, "BAD_REQUEST"),
        ("GET", "/api/v1/events/stream", &[("last-event-id", "abc")], "", 400, "BAD_REQUEST"),
    ];
    for (method, path, headers, body, status, code) in cases {
        let answer = app.ask(method, path, headers, body).await;
        assert_eq!(answer.refusal(), (*status, (*code).to_owned()), "{method} {path} {body}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_right() {
    let app = App::local().await;
    let answer = app.ask("DELETE", "/api/v1/jobs", &[], "").await;
    assert!(answer.header("allow").contains("GET") && answer.header("allow").contains("POST"));
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_cut_off() {
    let app = App::local().await;
    let pieces = futures::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])));
    let request =
        Request::post("/api/v1/runs:preview").header(JSON.0, JSON.1).body(Body::from_stream(pieces)).unwrap();
    assert_eq!(app.send(request).await.refusal(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
}

#[tokio::test]
async fn a_client_may_bring_its_own_trace_id() {
    let app = App::local().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = app.ask("GET", "/nowhere", &[("traceparent", parent)], "").await;
    assert_eq!(answer.json()["error"]["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let answer = app.ask("GET", "/nowhere", &[("x-stella-correlation-id", "mine-1")], "").await;
    assert_eq!(answer.json()["error"]["traceId"], "mine-1");
    let fresh = (app.get("/nowhere").await, app.get("/nowhere").await);
    assert_ne!(fresh.0.header("x-stella-correlation-id"), fresh.1.header("x-stella-correlation-id"));
}

#[tokio::test]
async fn without_a_ledger_everything_says_what_is_wrong_with_it() {
    for (code, retryable) in [
        (Code::LedgerLocked, true),
        (Code::LedgerNewer, false),
        (Code::LedgerOtherSchema, false),
        (Code::LedgerNotOne, false),
        (Code::NoSpace, true),
        (Code::NotWritable, false),
    ] {
        let slot = EngineSlot::of(Err(Error::new(code, "What is wrong and what to do about it.")));
        let app = App::without(router(Door::new(slot, Auth::Local(LocalOperator::new("ada")))));
        for path in ["/health/ready", "/api/v1/session", "/api/v1/jobs", "/api/v1/events/stream"] {
            let answer = app.get(path).await;
            assert_eq!(answer.refusal(), (503, code.as_str().to_owned()), "{path}");
            assert_eq!(answer.json()["error"]["retryable"], retryable, "{code}");
        }
        assert_eq!(app.get("/health/live").await.status, 200);
        assert_eq!(app.get("/openapi/orchestrator.json").await.status, 200);
    }
}

#[tokio::test]
async fn a_second_engine_on_the_same_ledger_is_told_who_has_it() {
    let app = App::local().await;
    let second = Engine::open(app.options()).await;
    let slot = EngineSlot::of(second);
    let door = App::without(router(Door::new(slot.clone(), Auth::Local(LocalOperator::new("ada")))));
    assert_eq!(door.get("/health/ready").await.refusal(), (503, "LEDGER_LOCKED".to_owned()));
    slot.open(app.engine.clone());
    assert_eq!(door.get("/health/ready").await.json()["ready"], true);
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    std::fs::write(&path, "this is a letter to a friend, not a database at all".repeat(100)).unwrap();
    let app = App::local().await;
    let mut options = app.options();
    options.place = LedgerPlace::Sqlite(path);
    let slot = EngineSlot::of(Engine::open(options).await);
    let door = App::without(router(Door::new(slot, Auth::Local(LocalOperator::new("ada")))));
    assert_eq!(door.get("/health/ready").await.refusal(), (503, "LEDGER_NOT_ONE".to_owned()));
}

#[tokio::test]
async fn while_the_core_starts_clients_are_told_to_come_back() {
    let slot = EngineSlot::starting();
    let door = App::without(router(Door::new(slot.clone(), Auth::Bearer)));
    let answer = door.get("/health/ready").await;
    assert_eq!(answer.refusal(), (503, "STARTING".to_owned()));
    assert_eq!(
        (answer.header("retry-after"), answer.json()["error"]["retryAfterMs"].as_i64()),
        ("1", Some(1_000))
    );
    let app = App::local().await;
    slot.open(app.engine.clone());
    assert_eq!(door.get("/health/ready").await.status, 200);
    assert_eq!(tenant("acme"), app.options().tenants[0]);
}
