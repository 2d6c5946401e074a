//! Server-sent events, and the number with which a client goes on after the last one it saw.

use crate::describe::Operation;
use crate::refusal::Refusal;
use crate::take::{Asking, Taken};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use http::{HeaderName, HeaderValue, header};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::marker::PhantomData;
use stella_contract::error::Code;

/// How long a client waits before it connects again.
const RETRY: &str = "retry: 3000\n\n";
/// How long a stream may be silent.
pub(crate) const HEARTBEAT_MS: u64 = stella_contract::kept::PING_S * 1_000;

/// The header with which a client goes on after the last event it saw; nothing when it starts anew.
pub(crate) struct LastEventId(pub(crate) Option<i64>);

impl Taken for LastEventId {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let said = asking.headers.get("last-event-id").filter(|value| !value.is_empty());
        let Some(said) = said else { return Ok(Self(None)) };
        let number = said.to_str().ok().and_then(|text| text.parse().ok());
        number.map(|number| Self(Some(number))).ok_or_else(|| {
            Refusal::new(
                Code::BadRequest,
                "`Last-Event-ID` must be the number of an event of this stream. Leave it out to start anew.",
            )
        })
    }
    fn describe(operation: &mut Operation) {
        operation.resumes();
    }
}

/// An endless answer, in pieces of one or more whole events; `T` is the JSON of its data lines.
pub(crate) struct Events<T> {
    pieces: BoxStream<'static, Bytes>,
    data: PhantomData<fn() -> T>,
}

impl<T> Events<T> {
    pub(crate) fn of<P: Into<Bytes> + 'static>(pieces: impl Stream<Item = P> + Send + 'static) -> Self {
        Self { pieces: pieces.map(Into::into).boxed(), data: PhantomData }
    }

    pub(crate) fn stream(self) -> Response {
        let first = stream::iter([Bytes::from_static(RETRY.as_bytes())]);
        let pieces = first.chain(self.pieces).map(Ok::<_, Infallible>);
        let mut response = Response::new(Body::from_stream(pieces));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // A proxy that gathers bytes before it passes them on would hold events back.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response
    }
}

/// Adds one event; `json` is one line, as serde writes it.
pub(crate) fn write(piece: &mut String, id: i64, name: &str, json: &str) {
    open(piece, id, name);
    piece.push_str(json);
    close(piece);
}

/// Adds what stands before the JSON of an event.
pub(crate) fn open(piece: &mut String, id: i64, name: &str) {
    // Writing into a string cannot fail.
    let _ = write!(piece, "id: {id}\nevent: {name}\ndata: ");
}

/// Adds what stands after it.
pub(crate) fn close(piece: &mut String) {
    piece.push_str("\n\n");
}
