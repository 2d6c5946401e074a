//! The real window: started, used, closed and started again, on a screen and a bus of its own.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod aliases;
mod app;
mod bus;
mod repair;

use app::{App, Screen, start_again};
use bus::{Bus, Desktop};
use serde_json::{Value, json};
use stella_tests::fixtures;
use stella_tests::served::Home;

/// What every write names here.
fn cause() -> Value {
    json!({"x-stella-operator-reason": "desktop test", "x-stella-operator-ticket": "OPS-1", "content-type": "application/json"})
}

#[tokio::test]
async fn an_operator_imports_runs_is_told_and_finds_it_again_after_a_restart() {
    let (home, bus, screen) = (Home::default(), Bus::start(), Screen::start());
    let mut desktop = Desktop::on(&bus).await;
    let app = App::open(&home, &bus, &screen, &[]).await;

    let feed = home.write("feed/osv.ndjson", &fixtures::feed());
    let source = app
        .ask("POST", "/api/v1/sources", cause(), Some(add_source(feed.parent().unwrap().to_str().unwrap())))
        .await;
    let id = source["sourceId"].as_str().unwrap();
    app.ask("POST", &format!("/api/v1/sources/{id}:run"), cause(), Some("{}".to_owned())).await;
    app.ask_until("/api/v1/overview", |overview| overview["inputs"]["advisories"] == 2).await;
    let sbom = fixtures::sbom("checkout", "1.0.0", &[("quill", "2.0.1"), ("harbor", "3.0")]);
    app.ask("POST", "/api/v1/sboms?name=checkout", cause(), Some(sbom)).await;

    let run =
        app.ask("POST", "/api/v1/runs", cause(), Some(json!({"mode": "analysis-only"}).to_string())).await;
    let run_id = run["runId"].as_str().unwrap().to_owned();
    let told = desktop.next().await;
    assert_eq!(told.summary, "Run completed");
    assert_eq!(told.body, "+1 critical in 1 target");
    assert_eq!(told.application, "Stella Operator");
    assert_eq!(told.icon, "org.stella-ops.operator");
    assert!(told.actions.iter().any(|action| action == "default"), "{:?}", told.actions);
    assert!(
        told.hints.contains_key("desktop-entry") && told.hints.contains_key("urgency"),
        "{:?}",
        told.hints
    );

    // The program listens for clicks from a moment after it has sent the notification, so that one may go unheard.
    let page = format!("/ops/operations/scheduler/runs/{run_id}");
    app.arrives_at_by(&page, async || desktop.click(&told).await).await;
    app.visit("/ops/operations/findings").await;
    app.find_text("CVE-2026-1001").await;
    app.close().await;

    let app = App::open(&home, &bus, &screen, &[]).await;
    app.visit("/ops/operations/findings").await;
    app.find_text("CVE-2026-1001").await;
    app.close().await;
}

#[tokio::test]
async fn thirty_jobs_that_fail_alike_are_told_once_and_a_click_opens_their_queue() {
    let (home, bus, screen) = (Home::default(), Bus::start(), Screen::start());
    let mut desktop = Desktop::on(&bus).await;
    let app = App::open(&home, &bus, &screen, &[]).await;
    for n in 0..30 {
        // A source that is not there: such a job fails at its first attempt, and for good.
        let source = format!("src_01890000-0000-7000-8000-{n:012}");
        let wish = json!({"jobType": "ingest.advisory", "payload": {"sourceId": source, "force": false}});
        app.ask("POST", "/api/v1/jobs", cause(), Some(wish.to_string())).await;
    }
    let told = desktop.next().await;
    assert_eq!(told.summary, "30 jobs failed alike");
    let said =
        "30 jobs of type ingest.advisory failed for good in 15 minutes (validation): There is no source";
    assert!(told.body.starts_with(said), "{}", told.body);
    assert!(told.actions.iter().any(|action| action == "Open queue"), "{:?}", told.actions);

    let clusters = app.ask("GET", "/api/v1/deadletter/clusters", json!({}), None).await;
    assert_eq!((clusters["items"].as_array().unwrap().len(), &clusters["items"][0]["open"]), (1, &json!(30)));
    let fingerprint = clusters["items"][0]["fingerprint"].as_str().unwrap();
    let queue = format!("/ops/operations/dead-letter/queue?fingerprint={fingerprint}");
    app.arrives_at_by(&queue, async || desktop.click(&told).await).await;
    let incidents = app.ask("GET", "/api/v1/incidents?kind=deadletter.spike", json!({}), None).await;
    assert_eq!(incidents["items"].as_array().unwrap().len(), 1);
    assert!(!desktop.has_more(), "one spike is told once");
    app.close().await;
}

#[tokio::test]
async fn a_link_opens_its_page_in_the_window_that_is_there() {
    let (home, bus, screen) = (Home::default(), Bus::start(), Screen::start());
    let app = App::open(&home, &bus, &screen, &["stella://console/runs?tab=failures"]).await;
    app.arrives_at("/ops/operations/scheduler/runs?tab=failures").await;

    start_again(&home, &bus, &screen, "stella:///ops/jobengine/jobs?state=failed");
    app.arrives_at("/ops/operations/jobengine/jobs?state=failed").await;

    start_again(&home, &bus, &screen, "stella://example.org/etc/passwd");
    app.arrives_at("/ops/operations/jobengine/jobs?state=failed").await;
    app.close().await;
}

#[tokio::test]
async fn a_ledger_that_cannot_be_opened_is_named_and_opened_once_it_can_be() {
    let (home, bus, screen) = (Home::default(), Bus::start(), Screen::start());
    std::fs::write(home.ledger(), "this is no ledger").unwrap();
    let app = App::open(&home, &bus, &screen, &[]).await;
    app.find_text("LEDGER_NOT_ONE").await;

    std::fs::remove_file(home.ledger()).unwrap();
    let script = "const done = arguments[0]; window.__TAURI__.core.invoke('reopen_ledger').then(done, done);";
    let connection: Value = app.driver.execute_async(script, vec![]).await.unwrap().convert().unwrap();
    assert_eq!(connection["isOpen"], true, "{connection}");
    app.visit("/ops/operations/jobs-queues").await;
    app.close().await;
}

fn add_source(folder: &str) -> String {
    json!({"name": "fixtures", "sourceType": "advisory", "location": folder}).to_string()
}
