//! The stream of events for others: CloudEvents, each under the number of its history entry.

use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::sse::{self, Events, HEARTBEAT_MS};
use futures::stream;
use serde_json::json;
use stella_contract::event::FeedEvent;
use stella_engine::events::{Reader, Told};

/// The name of each event of the stream.
const NAME: &str = "cloudevent";

/// The events after this entry, from now on.
pub(crate) async fn follow(desk: Desk, after: Option<i64>) -> Result<Events<FeedEvent>, Refusal> {
    let events = desk.engine.events();
    let mut piece = String::new();
    let reader = match events.open(&desk.caller, after, "sse").await? {
        Some(reader) => reader,
        None => {
            let fresh = events.open(&desk.caller, None, "sse").await?;
            let fresh = fresh.ok_or_else(|| Refusal::internal("a history is ahead of itself"))?;
            tell_time(&mut piece, "reset", fresh.position(), &desk);
            fresh
        }
    };
    tell_time(&mut piece, "heartbeat", reader.position(), &desk);
    let follower = desk.tallies.follow();
    let start = (desk, reader, Some(piece), follower);
    Ok(Events::of(stream::unfold(start, |(desk, mut reader, waiting, follower)| async move {
        if let Some(piece) = waiting {
            return Some((piece, (desk, reader, None, follower)));
        }
        // A fault ends the stream; the client comes back and is told in an answer of its own.
        let told = desk.engine.events().next(&mut reader, HEARTBEAT_MS).await.ok()?;
        let piece = written(&told, &reader, &desk)?;
        Some((piece, (desk, reader, None, follower)))
    })))
}

fn written(told: &Told, reader: &Reader, desk: &Desk) -> Option<String> {
    let mut piece = String::new();
    for event in &told.events {
        // Numbers are written by us, so that they can be read back.
        let seq = event.sequence.parse().unwrap_or(reader.position());
        sse::write(&mut piece, seq, NAME, &serde_json::to_string(event).ok()?);
    }
    if piece.is_empty() {
        tell_time(&mut piece, "heartbeat", reader.position(), desk);
    }
    Some(piece)
}

fn tell_time(piece: &mut String, name: &str, cursor: i64, desk: &Desk) {
    sse::write(piece, cursor, name, &json!({ "cursor": cursor, "now": desk.engine.now() }).to_string());
}
