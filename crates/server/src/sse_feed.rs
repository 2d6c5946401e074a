//! The stream of a tenant's feed.

use crate::describe::Operation;
use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::sse::{self, Events, HEARTBEAT_MS};
use axum::response::Response;
use futures::stream;
use serde_json::json;
use stella_contract::cloud_event::CloudEvent;
use stella_contract::event::{FeedEvent, FeedQuery};
use stella_engine::feed::FeedLines;

/// The events after this number, from now on.
pub(crate) async fn follow(desk: Desk, cursor: Option<i64>) -> Result<Events<FeedEvent>, Refusal> {
    let query = FeedQuery { cursor, max_wait_ms: None };
    let first = desk.engine.feed().lines(&desk.caller, query).await?;
    let mut piece = String::new();
    // Its id lets a reader that sees nothing else go on from where it started.
    let start = first.lines.first().map_or(first.cursor, |line| line.event.seq - 1);
    tell_time(&mut piece, "heartbeat", start, &first);
    tell(&mut piece, &first);
    let follower = desk.tallies.follow();
    let start = (desk, first.cursor, Some(piece), follower);
    Ok(Events::of(stream::unfold(start, |(desk, cursor, waiting, follower)| async move {
        if let Some(piece) = waiting {
            return Some((piece, (desk, cursor, None, follower)));
        }
        let query = FeedQuery { cursor: Some(cursor), max_wait_ms: Some(HEARTBEAT_MS) };
        // A fault ends the stream; the client comes back and is told in an answer of its own.
        let batch = desk.engine.feed().lines(&desk.caller, query).await.ok()?;
        let mut piece = String::new();
        tell(&mut piece, &batch);
        if piece.is_empty() {
            tell_time(&mut piece, "heartbeat", batch.cursor, &batch);
        }
        Some((piece, (desk, batch.cursor, None, follower)))
    })))
}

fn tell(piece: &mut String, batch: &FeedLines) {
    if batch.reset {
        tell_time(piece, "reset", batch.cursor, batch);
    }
    // Room for the lines around each `data`.
    piece.reserve(batch.lines.iter().map(|line| line.json.len() + 48).sum());
    for line in &batch.lines {
        sse::write(piece, line.event.seq, "change", &line.json);
    }
}

fn tell_time(piece: &mut String, name: &str, cursor: i64, batch: &FeedLines) {
    sse::write(piece, cursor, name, &json!({ "cursor": cursor, "now": batch.now }).to_string());
}

impl Reply for Events<FeedEvent> {
    fn respond(self) -> Result<Response, Refusal> {
        Ok(self.stream())
    }
    fn describe(operation: &mut Operation) {
        operation.needs::<CloudEvent>();
        operation.answers_stream::<FeedEvent>(
            "The tenant's feed: `change` for each event; `heartbeat` first and every 15 s, with the cursor as its id; `reset` when the asked id is too old or of another ledger, and everything must be read anew. With `format=cloudevents` each event is named `cloudevent`, its data is a `CloudEvent` and its id the number of a history entry.",
            "retry: 3000\nid: 41\nevent: change\ndata: {\"seq\":41,\"type\":\"orch.job.queued\",\"entity\":\"job\",\"id\":\"job_019aa6e1-0000-7000-8000-000000000000\",\"tenant\":\"acme\",\"correlationId\":\"4bf92f35\",\"at\":\"2026-11-21T14:28:15.204Z\",\"data\":{\"state\":\"queued\"}}\n\n",
        );
    }
}
