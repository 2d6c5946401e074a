//! The stream of a tenant's feed.

use crate::describe::Operation;
use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::sse::{Events, HEARTBEAT_MS, event};
use axum::response::Response;
use axum::response::sse::Event;
use futures::stream;
use serde_json::json;
use std::collections::VecDeque;
use stella_contract::event::{FeedBatch, FeedEvent, FeedQuery};

/// The events after this number, from now on.
pub(crate) async fn follow(desk: Desk, cursor: Option<i64>) -> Result<Events<FeedEvent>, Refusal> {
    let first = desk.engine.feed().since(&desk.caller, FeedQuery { cursor, max_wait_ms: None }).await?;
    let waiting = VecDeque::from_iter(beat(&first));
    let start = (desk, first.cursor, told(first, waiting));
    let events = stream::unfold(start, |(desk, mut cursor, mut waiting)| async move {
        loop {
            if let Some(event) = waiting.pop_front() {
                return Some((event, (desk, cursor, waiting)));
            }
            let query = FeedQuery { cursor: Some(cursor), max_wait_ms: Some(HEARTBEAT_MS) };
            let batch = desk.engine.feed().since(&desk.caller, query).await.ok()?;
            cursor = batch.cursor;
            if batch.events.is_empty() && !batch.reset {
                waiting.extend(beat(&batch));
            }
            waiting = told(batch, waiting);
        }
    });
    Ok(Events::of(events))
}

fn told(batch: FeedBatch, mut waiting: VecDeque<Event>) -> VecDeque<Event> {
    if batch.reset {
        waiting.extend(event(batch.cursor, "reset", &json!({ "cursor": batch.cursor, "now": batch.now })));
    }
    for one in batch.events {
        waiting.extend(event(one.seq, "change", &one));
    }
    waiting
}

/// A heartbeat's id lets a reader that saw nothing else go on from there.
fn beat(batch: &FeedBatch) -> Option<Event> {
    let cursor = batch.events.first().map_or(batch.cursor, |event| event.seq - 1);
    event(cursor, "heartbeat", &json!({ "cursor": cursor, "now": batch.now }))
}

impl Reply for Events<FeedEvent> {
    fn respond(self) -> Result<Response, Refusal> {
        Ok(self.stream())
    }
    fn describe(operation: &mut Operation) {
        operation.answers_stream::<FeedEvent>(
            "The tenant's feed: `change` for each event; `heartbeat` first and every 15 s, with the cursor as its id; `reset` when the asked id is too old or of another ledger, and everything must be read anew.",
            "retry: 3000\nid: 41\nevent: change\ndata: {\"seq\":41,\"type\":\"orch.job.queued\",\"entity\":\"job\",\"id\":\"job_019aa6e1-0000-7000-8000-000000000000\",\"tenant\":\"acme\",\"correlationId\":\"4bf92f35\",\"at\":\"2026-11-21T14:28:15.204Z\",\"data\":{\"state\":\"queued\"}}\n\n",
        );
    }
}
