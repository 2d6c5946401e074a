//! The client against a server that plays back what it is told.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod endpoints;

use futures::TryStreamExt as _;
use serde_json::{Value, json};
use stella_contract::error::Code;
use stella_contract::job::{Cause, JobFilter, JobState};
use stella_contract::source::{AddSource, RunSource, SourceType};
use stella_contract::target::SbomPlace;
use stella_sdk::{Client, Error, Fault, Write, collect_all};
use wiremock::matchers::{body_json, body_string, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

async fn start() -> (MockServer, Client) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = MockServer::start().await;
    let client = Client::new(&server.uri(), Some("s3cret"), "acme".parse().unwrap()).unwrap();
    (server, client)
}

fn worker(name: &str) -> Value {
    json!({
        "workerId": "wrk_01890000-0000-7000-8000-000000000001", "name": name, "version": "0.1.0",
        "hostname": "bench", "jobTypes": ["scan.segment"], "concurrency": 2, "inFlight": 0, "state": "online", "wish": "work",
        "lastHeartbeatAt": "2026-11-21T09:00:00.000Z", "startedAt": "2026-11-21T08:00:00.000Z",
    })
}

fn source(name: &str) -> Value {
    json!({
        "sourceId": "src_01890000-0000-7000-8000-000000000001", "tenant": "acme", "name": name,
        "sourceType": "kev", "location": "/feeds/kev.json", "enabled": true, "health": "unknown",
        "recordCount": 0, "createdAt": "2026-11-21T08:00:00.000Z", "version": 1,
    })
}

fn refusal(code: &str, retry_after_ms: Option<u64>) -> Value {
    let mut error = json!({
        "code": code, "message": "So it is.", "traceId": "t-1", "trace_id": "t-1",
        "retryable": retry_after_ms.is_some(),
    });
    if let Some(ms) = retry_after_ms {
        error["retryAfterMs"] = ms.into();
    }
    json!({ "error": error })
}

#[tokio::test]
async fn every_request_names_token_and_tenant_and_a_filter_becomes_a_query() {
    let (server, client) = start().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/jobs"))
        .and(header("authorization", "Bearer s3cret"))
        .and(header("x-stella-tenant", "acme"))
        .and(query_param("state", "queued"))
        .and(query_param("jobType", "ingest.kev"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "items": [] })))
        .expect(1)
        .mount(&server)
        .await;
    let filter = JobFilter {
        state: Some(JobState::Queued),
        job_type: Some("ingest.kev".to_owned()),
        ..JobFilter::default()
    };
    let jobs = client.jobs().list(&filter, &Default::default()).await.unwrap();
    assert_eq!(jobs.items, []);
    assert!(!format!("{client:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_write_carries_reason_ticket_and_idempotency_key_beyond_ascii_too() {
    let (server, client) = start().await;
    Mock::given(method("POST"))
        .and(path("/api/v1/sources/src_01890000-0000-7000-8000-000000000001:run"))
        .and(header("x-stella-operator-ticket", "OPS-7"))
        .and(header("idempotency-key", "k1"))
        .and(header("if-match", "\"7\""))
        .and(body_json(json!({ "force": true })))
        .respond_with(ResponseTemplate::new(422).set_body_json(refusal("FEED_SUSPICIOUS", None)))
        .expect(1)
        .mount(&server)
        .await;
    let write = Write {
        cause: Cause { reason: Some("Prüfung → neu".to_owned()), ticket: Some("OPS-7".to_owned()) },
        idempotency_key: Some("k1".to_owned()),
        version: Some(7),
    };
    let id = "src_01890000-0000-7000-8000-000000000001".parse().unwrap();
    let error = client.sources().run(&id, &RunSource { force: true }, &write).await.unwrap_err();
    assert_eq!(error.problem().unwrap().code, Code::FeedSuspicious);
    let seen: Vec<Request> = server.received_requests().await.unwrap();
    assert_eq!(seen[0].headers["x-stella-operator-reason"].as_bytes(), "Prüfung → neu".as_bytes());
}

#[tokio::test]
async fn a_header_that_would_break_the_line_is_never_sent() {
    let (server, client) = start().await;
    let wish = AddSource {
        name: "kev".to_owned(),
        source_type: SourceType::Kev,
        location: "/feeds/kev.json".to_owned(),
    };
    let error = client.sources().add(&wish, &Write::because("a\r\nx-evil: 1")).await.unwrap_err();
    assert!(matches!(error, Error::Transport { fault: Fault::Unsendable, .. }), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_sbom_goes_out_byte_for_byte_and_its_place_in_the_query() {
    let (server, client) = start().await;
    let sbom = "{ \"bomFormat\" :\"CycloneDX\"}\n";
    Mock::given(method("POST"))
        .and(path("/api/v1/sboms"))
        .and(query_param("name", "till & tally"))
        .and(query_param("file", "a+b.json"))
        .and(query_param_is_missing("digest"))
        .and(header("content-type", "application/json"))
        .and(body_string(sbom))
        .respond_with(ResponseTemplate::new(422).set_body_json(refusal("SBOM_INVALID", None)))
        .expect(1)
        .mount(&server)
        .await;
    let place = SbomPlace {
        name: Some("till & tally".to_owned()),
        file: Some("a+b.json".to_owned()),
        ..SbomPlace::default()
    };
    let error = client.targets().import(&place, sbom.into(), &Write::default()).await.unwrap_err();
    assert_eq!(error.problem().unwrap().code, Code::SbomInvalid);
}

#[tokio::test]
async fn all_rows_are_read_page_after_page_until_no_token_comes() {
    let (server, client) = start().await;
    let page = |items: Value, next: Option<&str>| match next {
        Some(token) => json!({ "items": items, "nextPageToken": token }),
        None => json!({ "items": items }),
    };
    Mock::given(path("/api/v1/workers"))
        .and(query_param_is_missing("page_token"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(page(json!([worker("a"), worker("b")]), Some("p2"))),
        )
        .mount(&server)
        .await;
    Mock::given(path("/api/v1/workers"))
        .and(query_param("page_token", "p2"))
        .and(query_param("page_size", "500"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page(json!([worker("c")]), None)))
        .mount(&server)
        .await;
    let workers = collect_all(client.core().all_workers()).await.unwrap();
    assert_eq!(workers.iter().map(|worker| worker.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);

    // Who stops reading asks for no further page.
    server.reset().await;
    Mock::given(path("/api/v1/sources"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page(json!([source("kev")]), Some("more"))))
        .expect(1)
        .mount(&server)
        .await;
    let first = client.sources().all().try_next().await.unwrap();
    assert_eq!(first.unwrap().name, "kev");
}

#[tokio::test]
async fn a_read_is_asked_again_when_the_server_says_when_and_a_write_is_not() {
    let (server, client) = start().await;
    Mock::given(path("/api/v1/sources"))
        .respond_with(ResponseTemplate::new(503).set_body_json(refusal("STARTING", Some(1))))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/api/v1/sources"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "items": [source("kev")] })))
        .mount(&server)
        .await;
    assert_eq!(client.sources().list(&Default::default(), &Default::default()).await.unwrap().items.len(), 1);
    assert_eq!(server.received_requests().await.unwrap().len(), 3);

    server.reset().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(503).set_body_json(refusal("STARTING", Some(1))))
        .expect(1)
        .mount(&server)
        .await;
    let wish = AddSource { name: "x".to_owned(), source_type: SourceType::Kev, location: "/x".to_owned() };
    let error = client.sources().add(&wish, &Write::default()).await.unwrap_err();
    assert_eq!(error.problem().unwrap().code, Code::Starting);
}

#[tokio::test]
async fn a_read_is_given_up_after_four_times_and_when_the_pause_is_too_long() {
    let (server, client) = start().await;
    Mock::given(path("/api/v1/workers"))
        .respond_with(
            ResponseTemplate::new(429)
                .insert_header("retry-after", "0")
                .set_body_json(refusal("RATE_LIMITED", None)),
        )
        .expect(4)
        .mount(&server)
        .await;
    Mock::given(path("/api/v1/sources"))
        .respond_with(ResponseTemplate::new(429).set_body_json(refusal("RATE_LIMITED", Some(3_600_000))))
        .expect(1)
        .mount(&server)
        .await;
    assert!(client.core().workers(&Default::default()).await.is_err());
    assert!(client.sources().list(&Default::default(), &Default::default()).await.is_err());
}

#[tokio::test]
async fn who_answers_in_other_words_is_not_taken_for_the_product() {
    let (server, client) = start().await;
    Mock::given(path("/api/v1/session"))
        .respond_with(ResponseTemplate::new(502).set_body_string("<html>Bad gateway</html>"))
        .mount(&server)
        .await;
    Mock::given(path("/api/v1/overview"))
        .respond_with(ResponseTemplate::new(200).set_body_string("hello"))
        .mount(&server)
        .await;
    let refused = client.core().session().await.unwrap_err();
    assert!(refused.to_string().contains("502"), "{refused}");
    let unread = client.core().overview().await.unwrap_err();
    assert!(matches!(unread, Error::Transport { fault: Fault::Unreadable, .. }), "{unread}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let (server, _) = start().await;
    let address = server.uri();
    drop(server);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::new(&format!("http://{gone}"), None, "acme".parse().unwrap()).unwrap();
    let error = client.core().ready().await.unwrap_err();
    assert!(matches!(error, Error::Transport { fault: Fault::Unreachable, .. }), "{error} ({address})");
    assert!(error.to_string().contains(&gone.to_string()), "{error}");
}
