//! Events for others over a WebSocket: each text frame is one CloudEvent, in the subprotocol `cloudevents.json`.
//!
//! Nothing is read ahead of the reader but one batch. A reader that leaves a frame unread for ten seconds is hung up
//! on; it comes back with the number of the last event it saw and misses nothing.

use crate::describe::Operation;
use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::sse::HEARTBEAT_MS;
use crate::take::{Asking, Taken};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures::FutureExt;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::cloud_event::{BUFFER, CloudEvent, SLOW_MS, SUBPROTOCOL};
use stella_contract::error::Code;
use stella_engine::events::Reader;

/// The place where the wrapper leaves a connection that may be turned into a WebSocket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upgradable(Arc<Mutex<Option<WebSocketUpgrade>>>);

impl Upgradable {
    pub(crate) fn of(upgrade: Option<WebSocketUpgrade>) -> Self {
        Self(Arc::new(Mutex::new(upgrade)))
    }
}

/// A connection that is to become a WebSocket.
pub(crate) struct Upgrade(WebSocketUpgrade);

impl Taken for Upgrade {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let found = asking.upgrade.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        found.map(Self).ok_or_else(|| {
            Refusal::new(
                Code::BadRequest,
                "This is a WebSocket. Connect with `Upgrade: websocket` over HTTP/1.1, or follow /api/v1/events/stream.",
            )
        })
    }
    fn describe(operation: &mut Operation) {
        for (name, value) in [("Connection", "Upgrade"), ("Upgrade", "websocket")] {
            operation.parameters.push(json!({
                "name": name, "in": "header", "required": false, "schema": { "type": "string" },
                "description": "As every WebSocket asks.", "example": value,
            }));
        }
    }
}

/// A connection that was turned.
pub(crate) struct Turned(Response);

impl Reply for Turned {
    fn respond(self) -> Result<Response, Refusal> {
        Ok(self.0)
    }
    fn describe(operation: &mut Operation) {
        operation.needs::<CloudEvent>();
        let text = format!(
            "The connection is a WebSocket now, in the subprotocol `{SUBPROTOCOL}` when it was asked for. Each text frame is a `CloudEvent`. The server pings every {} s. At most {BUFFER} events are read ahead; a reader that leaves a frame unread for {} s is hung up on with code 1013. A number in `after` that is ahead of the history is answered by closing with code 4404: start anew without it.",
            HEARTBEAT_MS / 1_000,
            SLOW_MS / 1_000,
        );
        operation.answer(101, &text, json!({}));
    }
}

/// The number in `after` is of another ledger.
const OTHER_LEDGER: u16 = 4404;

/// Turns the connection and tells what happens after this entry, from now on.
pub(crate) async fn follow(desk: Desk, upgrade: Upgrade, after: Option<i64>) -> Result<Turned, Refusal> {
    let reader = desk.engine.events().open(&desk.caller, after, "websocket").await?;
    let upgrade = upgrade.0.protocols([SUBPROTOCOL]).max_message_size(64 * 1024);
    Ok(Turned(upgrade.on_upgrade(move |socket| async move {
        match reader {
            Some(reader) => tell(desk, socket, reader).await,
            None => close(socket, OTHER_LEDGER, "this number is of another ledger: start anew"),
        }
    })))
}

async fn tell(desk: Desk, mut socket: WebSocket, mut reader: Reader) {
    let _follower = desk.tallies.follow();
    let events = desk.engine.events();
    loop {
        let told = tokio::select! {
            told = events.next(&mut reader, HEARTBEAT_MS) => told,
            heard = socket.recv() => match heard {
                // Whatever a reader says is not our business; that it hangs up is.
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        };
        let Ok(told) = told else {
            return close(socket, close_code::ERROR, "the events cannot be read: come back in a moment");
        };
        let mut frames = Vec::with_capacity(told.events.len());
        for event in &told.events {
            // Nothing of ours cannot be written as JSON.
            let Ok(text) = serde_json::to_string(event) else { return };
            frames.push(Message::Text(text.into()));
        }
        if frames.is_empty() {
            frames.push(Message::Ping(bytes::Bytes::new()));
        }
        for frame in frames {
            let until = desk.engine.now().plus_ms(SLOW_MS.cast_signed());
            let sent = tokio::select! {
                sent = socket.send(frame) => sent.is_ok(),
                () = desk.engine.clock().sleep_until(until) => {
                    return close(socket, close_code::AGAIN, "too slow: come back after the last number you saw");
                }
            };
            if !sent {
                return;
            }
        }
    }
}

/// Hangs up without waiting for the other side to hear it.
fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let _ = socket.send(frame).now_or_never();
}
