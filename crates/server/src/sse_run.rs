//! The stream of one run.

use crate::describe::Operation;
use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::sse::{Events, HEARTBEAT_MS, event};
use axum::response::Response;
use axum::response::sse::Event;
use futures::stream;
use std::collections::VecDeque;
use stella_contract::event::{RunMessage, RunMessageBody, RunMessages};
use stella_contract::ids::RunId;

/// The messages of a run after this number, from now on.
pub(crate) async fn follow(desk: Desk, id: RunId, after: Option<i64>) -> Result<Events<RunMessage>, Refusal> {
    // The first look is taken before the answer starts, so that an unknown run is a 404 and not an empty stream.
    let first = desk.engine.runs().messages(&desk.caller, &id, after, 0).await?;
    let start = Follow { desk, after, ended: first.ended, waiting: VecDeque::new() }.taking(first);
    let events = stream::unfold(start, move |mut follow| {
        let id = id.clone();
        async move {
            loop {
                if let Some(event) = follow.waiting.pop_front() {
                    return Some((event, follow));
                }
                if follow.ended {
                    return None;
                }
                // A fault ends the stream; the client comes back and is told in an answer of its own.
                let (caller, after) = (&follow.desk.caller, follow.after);
                let batch =
                    follow.desk.engine.runs().messages(caller, &id, after, HEARTBEAT_MS).await.ok()?;
                follow = follow.taking(batch);
            }
        }
    });
    Ok(Events::of(events))
}

/// Where a reader of a run's stream stands.
struct Follow {
    desk: Desk,
    after: Option<i64>,
    ended: bool,
    waiting: VecDeque<Event>,
}

impl Follow {
    fn taking(mut self, batch: RunMessages) -> Self {
        self.ended = batch.ended;
        if batch.items.is_empty() && !self.ended {
            let seq = self.after.unwrap_or(0);
            let beat = RunMessage { seq, at: self.desk.engine.now(), body: RunMessageBody::Heartbeat {} };
            self.waiting.extend(event(seq, beat.body.name(), &beat));
        }
        for message in batch.items {
            self.after = Some(message.seq);
            self.waiting.extend(event(message.seq, message.body.name(), &message));
        }
        self
    }
}

impl Reply for Events<RunMessage> {
    fn respond(self) -> Result<Response, Refusal> {
        Ok(self.stream())
    }
    fn describe(operation: &mut Operation) {
        operation.answers_stream::<RunMessage>(
            "The run's messages. The event name is that of the message: snapshot first, then stateChanged, segmentProgress, deltaSummary, log; heartbeat every 15 s, reset when the asked id is too old, end when the run has ended.",
            "retry: 3000\nid: 7\nevent: stateChanged\ndata: {\"seq\":7,\"at\":\"2026-11-21T14:28:15.204Z\",\"event\":\"stateChanged\",\"from\":\"queued\",\"to\":\"running\"}\n\n",
        );
    }
}
