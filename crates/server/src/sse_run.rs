//! The stream of one run.

use crate::describe::Operation;
use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::sse::{self, Events, HEARTBEAT_MS};
use crate::tallies::Follower;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use stella_contract::event::{RunMessage, RunMessageBody};
use stella_contract::feature::Feature;
use stella_contract::ids::RunId;
use stella_engine::RunLines;

/// The messages of a run after this number, from now on.
pub(crate) async fn follow(desk: Desk, id: RunId, after: Option<i64>) -> Result<Events<RunMessage>, Refusal> {
    desk.engine.demand_feature(Feature::Sse).await?;
    // The first look is taken before the answer starts, so that an unknown run is a 404 and not an empty stream.
    let first = desk.engine.runs().lines(&desk.caller, &id, after, 0).await?;
    let follower = desk.tallies.follow();
    let start = Follow { desk, id, after, next: Some(first), ended: false, _follower: follower };
    let pieces = stream::unfold(start, |mut follow| async move {
        let pieces = follow.next_pieces().await?;
        Some((stream::iter(pieces), follow))
    });
    Ok(Events::of(pieces.flatten()))
}

/// Where a reader of a run's stream stands.
struct Follow {
    desk: Desk,
    id: RunId,
    after: Option<i64>,
    /// Messages that were read but not yet told.
    next: Option<RunLines>,
    ended: bool,
    /// Counts it while it is connected.
    _follower: Follower,
}

impl Follow {
    /// A snapshot is large and the same for all who come at once: its bytes are passed on and not copied.
    async fn next_pieces(&mut self) -> Option<Vec<Bytes>> {
        if self.ended {
            return None;
        }
        let batch = match self.next.take() {
            Some(batch) => batch,
            // A fault ends the stream; the client comes back and is told in an answer of its own.
            None => {
                let runs = self.desk.engine.runs();
                runs.lines(&self.desk.caller, &self.id, self.after, HEARTBEAT_MS).await.ok()?
            }
        };
        self.ended = batch.ended;
        let mut pieces = Vec::new();
        let mut piece = String::new();
        for line in &batch.lines {
            let RunMessage { seq, body, .. } = &line.message;
            self.after = Some(*seq);
            if let RunMessageBody::Snapshot { .. } = body {
                sse::open(&mut piece, *seq, body.name());
                pieces.extend([Bytes::from(std::mem::take(&mut piece)), line.json.clone()]);
                sse::close(&mut piece);
            } else {
                sse::write(&mut piece, *seq, body.name(), std::str::from_utf8(&line.json).ok()?);
            }
        }
        if batch.lines.is_empty() && !self.ended {
            let seq = self.after.unwrap_or(0);
            let beat = RunMessage { seq, at: self.desk.engine.now(), body: RunMessageBody::Heartbeat {} };
            // What cannot be written as JSON would end the stream; nothing of ours is such.
            sse::write(&mut piece, seq, beat.body.name(), &serde_json::to_string(&beat).ok()?);
        }
        if !piece.is_empty() {
            pieces.push(Bytes::from(piece));
        }
        Some(pieces)
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
