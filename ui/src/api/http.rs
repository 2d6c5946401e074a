//! The way over HTTP: `fetch` with an absolute address and a bearer token; the feed is a stream of server-sent events.

use super::problem::Problem;
use super::sse::{Event, Parser};
use super::transport::{Answer, FeedKind, FeedSink, Request, RunSink, Transport};
use crate::clock;
use futures::future::{Either, LocalBoxFuture, select};
use gloo_events::EventListener;
use gloo_net::http::{Headers, Method as Verb, RequestBuilder, Response};
use gloo_timers::future::TimeoutFuture;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use stella_contract::api::Method;
use stella_contract::event::{FeedBatch, FeedEvent, RunMessage, RunMessageBody, RunMessages};
use stella_contract::ids::RunId;
use stella_contract::time::Micros;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// HTTP to the origin the page came from.
pub struct Http {
    base: String,
    token: Rc<RefCell<Option<String>>>,
}

impl Http {
    /// The core at this origin; `token` may be filled in later.
    pub fn new(base: String, token: Rc<RefCell<Option<String>>>) -> Self {
        Self { base, token }
    }

    fn builder(&self, request: &Request) -> RequestBuilder {
        let headers = Headers::new();
        for (name, value) in &request.headers {
            headers.set(name, &as_bytes(value));
        }
        if let Some(token) = self.token.borrow().as_ref() {
            headers.set("authorization", &format!("Bearer {token}"));
        }
        let verb = match request.method {
            Method::Get => Verb::GET,
            Method::Post => Verb::POST,
            Method::Put => Verb::PUT,
        };
        RequestBuilder::new(&format!("{}{}", self.base, request.path)).method(verb).headers(headers)
    }
}

/// Told the events of each piece; of a piece that completes none, nothing.
type EventSink = Rc<dyn Fn(&[Event])>;

impl Http {
    /// Opens a stream of events after an id; reads it once it is given whom to tell.
    fn stream(
        &self,
        path: String,
        headers: Vec<(&'static str, String)>,
        after: Option<i64>,
    ) -> impl FnOnce(EventSink) -> LocalBoxFuture<'static, Problem> + use<> {
        let mut headers = headers;
        headers.push(("accept", "text/event-stream".into()));
        headers.extend(after.map(|id| ("last-event-id", id.to_string())));
        let abort = Abort::new();
        let request = Request { method: Method::Get, path: path.clone(), headers, body: None };
        let builder = self.builder(&request).abort_signal(abort.signal().as_ref());
        move |sink| {
            Box::pin(async move {
                let _abort = abort;
                let Ok(response) = builder.send().await else { return Problem::Unreachable };
                if content_type(&response) != "text/event-stream" {
                    return refused(&path, response).await;
                }
                read_events(response, &sink).await;
                Problem::Unreachable
            })
        }
    }
}

/// A header value is bytes to HTTP and characters to `fetch`: one character per byte of UTF-8.
fn as_bytes(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

impl Transport for Http {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Answer, Problem>> {
        let abort = Abort::new();
        let builder = self.builder(&request).abort_signal(abort.signal().as_ref());
        Box::pin(async move {
            // Given up with the request when it takes too long.
            let _abort = abort;
            let patience = TimeoutFuture::new(patience_ms(request.method));
            let answer = Box::pin(answer(builder, request.body));
            match select(answer, patience).await {
                Either::Left((answer, _)) => answer,
                Either::Right(((), _)) => Err(Problem::Unreachable),
            }
        })
    }

    fn follow(
        &self,
        headers: Vec<(&'static str, String)>,
        cursor: Option<i64>,
        sink: FeedSink,
    ) -> LocalBoxFuture<'static, Problem> {
        let (stream, at) =
            (self.stream("/api/v1/events/stream".to_owned(), headers, cursor), Cell::new(cursor));
        Box::pin(stream(Rc::new(move |events: &[Event]| {
            let batch = batch_of(events, at.get().unwrap_or(0), clock::now());
            at.set(Some(batch.cursor));
            sink(batch);
        })))
    }

    fn follow_run(
        &self,
        headers: Vec<(&'static str, String)>,
        run: &RunId,
        after: Option<i64>,
        sink: RunSink,
    ) -> LocalBoxFuture<'static, Option<Problem>> {
        let stream = self.stream(format!("/console/runs/{run}/stream"), headers, after);
        let ended = Rc::new(Cell::new(false));
        let told = ended.clone();
        let following = stream(Rc::new(move |events: &[Event]| {
            let messages = messages_of(events);
            told.set(told.get() || messages.ended);
            sink(messages);
        }));
        Box::pin(async move {
            let problem = following.await;
            (!ended.get()).then_some(problem)
        })
    }

    fn feed_kind(&self) -> FeedKind {
        FeedKind::Streaming
    }

    fn server(&self) -> Option<String> {
        Some(self.base.clone())
    }
}

/// How long an answer is awaited: a question is asked again, an order is not.
const fn patience_ms(method: Method) -> u32 {
    match method {
        Method::Get => 30_000,
        Method::Post | Method::Put => 120_000,
    }
}

async fn answer(builder: RequestBuilder, body: Option<String>) -> Result<Answer, Problem> {
    let ready = match body {
        Some(body) => builder.body(body),
        None => builder.build(),
    };
    let sent = ready.map_err(|_| Problem::Unreachable)?.send().await;
    let response = sent.map_err(|_| Problem::Unreachable)?;
    let body = response.text().await.map_err(|_| Problem::Unreachable)?;
    Ok(Answer { status: response.status(), content_type: content_type(&response), body })
}

/// Ends a request when dropped, or when the page is left: a page that the browser keeps for Back would otherwise keep
/// its stream, and six of those leave no connection for the next page.
struct Abort {
    controller: Option<web_sys::AbortController>,
    _on_leave: Option<EventListener>,
}

impl Abort {
    fn new() -> Self {
        let controller = web_sys::AbortController::new().ok();
        let on_leave = controller
            .clone()
            .zip(web_sys::window())
            .map(|(controller, window)| EventListener::new(&window, "pagehide", move |_| controller.abort()));
        Self { controller, _on_leave: on_leave }
    }
    fn signal(&self) -> Option<web_sys::AbortSignal> {
        self.controller.as_ref().map(web_sys::AbortController::signal)
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

fn content_type(response: &Response) -> String {
    let said = response.headers().get("content-type").unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What an answer that is no stream says.
async fn refused(path: &str, response: Response) -> Problem {
    let (status, content_type) = (response.status(), content_type(&response));
    let Ok(body) = response.text().await else { return Problem::Unreachable };
    let answer = Answer { status, content_type, body };
    match super::transport::accepted(path, &answer) {
        Err(problem) => problem,
        Ok(_) => Problem::Unreadable { path: path.to_owned(), why: "it is no stream of events".into() },
    }
}

/// Reads until the stream ends or breaks.
async fn read_events(response: Response, sink: &EventSink) {
    let Some(stream) = response.body() else { return };
    let Ok(reader) = stream.get_reader().dyn_into::<web_sys::ReadableStreamDefaultReader>() else { return };
    let mut parser = Parser::default();
    // Told at once, so that the page knows the connection stands before anything happens.
    sink(&[]);
    while let Ok(step) = JsFuture::from(reader.read()).await {
        let done = js_sys::Reflect::get(&step, &JsValue::from_str("done"));
        if done.is_ok_and(|done| done.is_truthy()) {
            return;
        }
        let Ok(value) = js_sys::Reflect::get(&step, &JsValue::from_str("value")) else { return };
        // A piece without an event is a sign of life all the same.
        sink(&parser.take(&js_sys::Uint8Array::new(&value).to_vec()));
    }
}

/// The messages of the events of one piece.
fn messages_of(events: &[Event]) -> RunMessages {
    let items: Vec<RunMessage> =
        events.iter().filter_map(|event| serde_json::from_str(&event.data).ok()).collect();
    let ended = items.iter().any(|message| matches!(message.body, RunMessageBody::End { .. }));
    RunMessages { items, ended }
}

/// What a heartbeat or a reset carries.
#[derive(serde::Deserialize)]
struct Beat {
    now: Micros,
}

/// Makes one batch of the events of one piece.
fn batch_of(events: &[Event], cursor: i64, now: Micros) -> FeedBatch {
    let mut batch = FeedBatch { events: Vec::new(), cursor, reset: false, now };
    for event in events {
        if let Some(id) = event.id.as_ref().and_then(|id| id.parse().ok()) {
            batch.cursor = id;
        }
        if event.name == "reset" {
            batch.reset = true;
        }
        if let Ok(beat) = serde_json::from_str::<Beat>(&event.data) {
            batch.now = beat.now;
        }
        if let Ok(one) = serde_json::from_str::<FeedEvent>(&event.data) {
            batch.cursor = batch.cursor.max(one.seq);
            batch.events.push(one);
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_on_after_its_last_event_and_a_reset_is_passed_on() {
        let data = r#"{"seq":8,"type":"orch.job.queued","entity":"job","id":"job_1","tenant":"acme",
            "correlationId":"c","at":"2026-11-21T14:28:15.204Z","data":{}}"#;
        let event = Event { name: "feed".into(), id: Some("8".into()), data: data.into() };
        let beat = Event {
            name: "heartbeat".into(),
            id: None,
            data: r#"{"cursor":8,"now":"2026-11-21T14:28:16.000Z"}"#.into(),
        };
        let batch = batch_of(&[event, beat.clone()], 5, Micros(1));
        assert_eq!((batch.cursor, batch.events.len(), batch.reset), (8, 1, false));
        let reset = Event { name: "reset".into(), id: Some("3".into()), data: "{}".into() };
        let batch = batch_of(&[reset], 8, Micros(1));
        assert_eq!((batch.cursor, batch.reset), (3, true));
        assert!(batch_of(&[], 8, Micros(1)).events.is_empty());
        let beaten = batch_of(&[beat], 8, Micros(1));
        assert_eq!((beaten.cursor, beaten.now.to_string()), (8, "2026-11-21T14:28:16.000Z".to_owned()));
    }

    #[test]
    fn the_last_message_of_a_run_ends_its_stream() {
        let event = |name: &str, data: &str| Event { name: name.into(), id: None, data: data.into() };
        let log = r#"{"seq":7,"at":"2026-11-21T14:28:15.204Z","event":"log","severity":"info","message":"m",
            "correlationId":"c"}"#;
        let end = r#"{"seq":8,"at":"2026-11-21T14:28:15.204Z","event":"end","state":"completed"}"#;
        assert!(!messages_of(&[event("log", log)]).ended);
        let last = messages_of(&[event("log", log), event("end", end)]);
        assert_eq!((last.items.len(), last.ended), (2, true));
    }

    #[test]
    fn header_values_go_over_the_wire_as_utf_8() {
        assert_eq!(as_bytes("ü"), "\u{c3}\u{bc}");
    }
}
