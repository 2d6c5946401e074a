//! Streams and long polls.

use crate::app::App;
use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use http::Request;

/// The events of a stream, one block of lines each.
pub(crate) struct Stream {
    bytes: BodyDataStream,
    text: String,
}

impl Stream {
    pub(crate) async fn open(app: &App, path: &str, last_event_id: Option<&str>) -> Self {
        let mut request = Request::get(path);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = app.start(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        Self { bytes: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event: id, name, data. Nothing when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, String, serde_json::Value)> {
        let block = self.block().await?;
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim_start_matches(':').trim().to_owned()
        };
        Some((field("id"), field("event"), serde_json::from_str(&field("data")).unwrap()))
    }

    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let piece = self.bytes.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }
}

async fn submit(app: &App) -> String {
    let job = app.post("/api/v1/jobs", r#"{"jobType":"demo.wait","payload":{}}"#).await;
    assert_eq!(job.status, 201, "{}", job.text());
    job.json()["jobId"].as_str().unwrap().to_owned()
}

/// A cursor of `i64::MIN` once ended in a fault of the product.
#[tokio::test]
async fn a_cursor_at_either_end_of_the_numbers_is_told_to_read_everything_anew() {
    let app = App::local().await;
    submit(&app).await;
    for cursor in [i64::MIN, -1, i64::MAX] {
        let batch = app.get(&format!("/api/v1/feed?cursor={cursor}")).await;
        assert_eq!((batch.status.as_u16(), &batch.json()["reset"]), (200, &true.into()), "{cursor}");
    }
}

#[tokio::test]
async fn the_feed_tells_what_happens_and_goes_on_after_the_last_number_seen() {
    let app = App::local().await;
    let mut stream = Stream::open(&app, "/api/v1/events/stream", None).await;
    assert_eq!(stream.block().await.unwrap(), "retry: 3000");
    let (id, name, data) = stream.next().await.unwrap();
    assert_eq!((id.as_str(), name.as_str(), data["cursor"].as_i64()), ("0", "heartbeat", Some(0)));
    let first = submit(&app).await;
    let (id, name, data) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), data["entity"].as_str()), ("change", Some("job")));
    assert_eq!((data["id"].as_str(), data["seq"].to_string()), (Some(first.as_str()), id.clone()));
    drop(stream);

    let second = submit(&app).await;
    let mut stream = Stream::open(&app, "/api/v1/events/stream", Some(&id)).await;
    assert_eq!(stream.block().await.unwrap(), "retry: 3000");
    assert_eq!(stream.next().await.unwrap().1, "heartbeat");
    let (next, _, data) = stream.next().await.unwrap();
    assert_eq!(next.parse::<i64>().unwrap(), id.parse::<i64>().unwrap() + 1);
    assert_eq!(data["id"], second.as_str());
}

#[tokio::test]
async fn a_reader_from_another_ledger_is_told_to_read_anew() {
    let app = App::local().await;
    submit(&app).await;
    let mut stream = Stream::open(&app, "/api/v1/events/stream", Some("999")).await;
    stream.block().await.unwrap();
    assert_eq!(stream.next().await.unwrap().1, "heartbeat");
    let (_, name, data) = stream.next().await.unwrap();
    assert_eq!(name, "reset");
    let newest = app.get("/api/v1/feed").await.json()["cursor"].clone();
    assert_eq!(data["cursor"], newest);
}

#[tokio::test]
async fn the_long_poll_answers_in_batches() {
    let app = App::local().await;
    let start = app.get("/api/v1/feed?maxWaitMs=30000").await.json();
    assert_eq!((start["cursor"].as_i64(), start["reset"].as_bool()), (Some(0), Some(false)));
    let (batch, id) = tokio::join!(app.get("/api/v1/feed?cursor=0&maxWaitMs=30000"), submit(&app));
    assert_eq!(batch.json()["events"][0]["id"], id.as_str());
}

const RUN: &str = r#"{"mode":"analysis-only","scope":{"kind":"all"}}"#;

#[tokio::test]
async fn a_run_is_told_from_a_snapshot_to_its_end_and_the_server_closes() {
    let app = App::local().await;
    let run = app.post("/api/v1/runs", RUN).await;
    assert_eq!(run.status, 201, "{}", run.text());
    let id = run.json()["runId"].as_str().unwrap().to_owned();
    let path = format!("/console/runs/{id}/stream");
    let mut stream = Stream::open(&app, &path, None).await;
    assert_eq!(stream.block().await.unwrap(), "retry: 3000");
    let (_, name, data) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), data["run"]["runId"].as_str()), ("snapshot", Some(id.as_str())));
    let cancelled = app.post(&format!("/api/v1/runs/{id}:cancel"), "").await;
    assert_eq!(cancelled.json()["state"], "cancelled", "{}", cancelled.text());
    let mut told = Vec::new();
    let mut last = String::new();
    while let Some((id, name, data)) = stream.next().await {
        assert_eq!(data["event"], name.as_str());
        assert_eq!(data["seq"].to_string(), id);
        last = id;
        told.push(name);
    }
    assert!(told.iter().any(|name| name == "stateChanged"), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("end"), "{told:?}");

    let mut again = Stream::open(&app, &path, Some(&last)).await;
    assert_eq!(again.block().await.unwrap(), "retry: 3000");
    assert_eq!(again.next().await.unwrap().1, "end", "who missed the end is told it again");
    assert!(again.next().await.is_none(), "nothing follows an end");
}

#[tokio::test]
async fn a_run_stream_goes_on_after_the_last_number_or_starts_anew_when_it_is_too_old() {
    let app = App::local().await;
    let id = app.post("/api/v1/runs", RUN).await.json()["runId"].as_str().unwrap().to_owned();
    app.post(&format!("/api/v1/runs/{id}:cancel"), "").await;
    let path = format!("/console/runs/{id}/stream");
    let mut whole = Vec::new();
    let messages = app.get(&format!("/api/v1/runs/{id}/messages?after=0")).await.json();
    assert_eq!(messages["ended"], true);
    for message in messages["items"].as_array().unwrap() {
        whole.push(message["seq"].as_i64().unwrap());
    }
    assert!(whole.len() > 1, "{messages}");
    let mut stream = Stream::open(&app, &path, Some(&whole[0].to_string())).await;
    stream.block().await.unwrap();
    let mut seen = Vec::new();
    while let Some((id, ..)) = stream.next().await {
        seen.push(id.parse::<i64>().unwrap());
    }
    assert_eq!(seen, whole[1..]);
    let mut stream = Stream::open(&app, &path, Some("99999")).await;
    stream.block().await.unwrap();
    assert_eq!(stream.next().await.unwrap().1, "reset");
    assert_eq!(stream.next().await.unwrap().1, "snapshot");
}

#[tokio::test]
async fn an_unknown_run_has_no_stream() {
    let app = App::local().await;
    let answer = app.get("/console/runs/run:acme:20261121T090000Z:9c1f04ab/stream").await;
    assert_eq!(answer.refusal(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_stream_that_is_switched_off_is_refused_by_name_and_the_messages_are_still_there() {
    let app = App::local().await;
    let off = app.post("/api/v1/features/runs.sse.enabled:set", r#"{"enabled":false}"#).await;
    assert_eq!((off.status.as_u16(), off.json()["enabled"].as_bool()), (200, Some(false)));
    let run = app.post("/api/v1/runs", r#"{"mode":"analysis-only"}"#).await.json();
    let id = run["runId"].as_str().unwrap();
    let refused = app.get(&format!("/console/runs/{id}/stream")).await;
    assert_eq!(refused.refusal(), (409, "FEATURE_OFF".to_owned()));
    assert_eq!(app.get(&format!("/api/v1/runs/{id}/messages")).await.status, 200);
    let session = app.get("/api/v1/session").await.json();
    assert_eq!(session["switchedOff"], serde_json::json!(["runs.sse.enabled"]));
}
