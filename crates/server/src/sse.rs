//! Server-sent events, and the number with which a client goes on after the last one it saw.

use crate::describe::Operation;
use crate::refusal::Refusal;
use crate::take::{Asking, Taken};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::Duration;
use stella_contract::error::Code;

/// How long a client waits before it connects again.
const RETRY: Duration = Duration::from_secs(3);
/// How long a stream may be silent.
pub(crate) const HEARTBEAT_MS: u64 = 15_000;

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

/// An endless answer; `T` is the JSON of its data lines.
pub(crate) struct Events<T> {
    events: BoxStream<'static, Event>,
    data: PhantomData<fn() -> T>,
}

impl<T> Events<T> {
    pub(crate) fn of(events: impl Stream<Item = Event> + Send + 'static) -> Self {
        Self { events: events.boxed(), data: PhantomData }
    }

    pub(crate) fn stream(self) -> Response {
        let first = stream::iter([Event::default().retry(RETRY)]);
        let mut response = Sse::new(first.chain(self.events).map(Ok::<_, Infallible>)).into_response();
        // A proxy that gathers bytes before it passes them on would hold events back.
        let (name, value) = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response.headers_mut().insert(name, value);
        response
    }
}

/// What cannot be written as JSON is left out; nothing of ours is such.
pub(crate) fn event<T: Serialize>(id: i64, name: &str, data: &T) -> Option<Event> {
    let data = serde_json::to_string(data).ok()?;
    Some(Event::default().id(id.to_string()).event(name).data(data))
}
