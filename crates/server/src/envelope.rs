//! The outermost layer: gives every request its trace id, every answer its version header, and puts every refusal,
//! whoever made it, into the one envelope. A panic becomes an INTERNAL like any other.

use crate::refusal::Refusal;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use stella_contract::api;
use stella_contract::error::Envelope;
use stella_engine::{Chance, SystemChance};
use tracing::Instrument;

/// The header that carries the trace id of an answer.
pub(crate) const CORRELATION_HEADER: &str = "x-stella-correlation-id";

/// The trace id of a request; also the correlation id of what it causes.
#[derive(Debug, Clone)]
pub(crate) struct Trace(pub(crate) String);

/// Makes trace ids for requests that bring none.
#[derive(Clone, Default)]
pub(crate) struct Traces(Arc<SystemChance>);

pub(crate) async fn wrap(State(traces): State<Traces>, mut request: Request, next: Next) -> Response {
    let trace = Trace(trace_id(request.headers(), &traces));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(trace.clone());
    let span = tracing::info_span!(
        "request", %method, %path, trace_id = %trace.0,
        tenant = tracing::field::Empty, subject = tracing::field::Empty, status = tracing::field::Empty,
    );
    let outcome = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let response = outcome.unwrap_or_else(|panic| Refusal::internal(said(&*panic)).into_response());
    span.in_scope(|| finish(response, &trace, method.as_str(), &path))
}

fn finish(response: Response, trace: &Trace, method: &str, path: &str) -> Response {
    let status = response.status();
    tracing::Span::current().record("status", status.as_u16());
    let mut response = match response.extensions().get::<Refusal>().cloned() {
        Some(refusal) => enveloped(response, &refusal, trace),
        None if status == StatusCode::METHOD_NOT_ALLOWED => {
            let allow = response.headers().get(header::ALLOW).cloned();
            let refusal = Refusal::method_not_allowed(method, path, allow);
            enveloped(refusal.clone().into_response(), &refusal, trace)
        }
        None => response,
    };
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static(api::VERSION_HEADER), HeaderValue::from_static(api::VERSION));
    if let Ok(value) = HeaderValue::from_str(&trace.0) {
        headers.insert(HeaderName::from_static(CORRELATION_HEADER), value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Writes the body, and logs what the body does not say.
fn enveloped(response: Response, refusal: &Refusal, trace: &Trace) -> Response {
    let private = refusal.private.as_deref().unwrap_or("");
    if refusal.status.is_server_error() {
        tracing::error!(code = %refusal.code, private, "{}", refusal.message);
    } else {
        tracing::debug!(code = %refusal.code, private, "{}", refusal.message);
    }
    let envelope = Envelope { error: refusal.problem(&trace.0) };
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = serde_json::to_vec(&envelope).expect("an envelope holds only strings, numbers and flags");
    Response::from_parts(parts, Body::from(body))
}

/// The caller's own id, the trace id of its `traceparent`, or a fresh one.
fn trace_id(headers: &HeaderMap, traces: &Traces) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text(CORRELATION_HEADER)
        .filter(|id| is_plain(id))
        .or_else(|| text("traceparent").and_then(trace_of))
        .map_or_else(|| traces.fresh(), str::to_owned)
}

/// Short and of characters that need no quoting in a log, so that nobody can write lines into it.
fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

/// The trace id of a W3C `traceparent`; nothing of one that is malformed or all zeros.
fn trace_of(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let sound = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    (sound && trace.bytes().any(|byte| byte != b'0')).then_some(trace)
}

impl Traces {
    fn fresh(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.0.fill(&mut bytes);
        hex::encode(bytes)
    }
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_taken_from_a_sound_traceparent_only() {
        let sound = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_of(sound), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for wrong in [
            "",
            "00-4bf92f35-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_that_could_break_a_log_line_is_not_taken_over() {
        let mut headers = HeaderMap::new();
        headers.insert(CORRELATION_HEADER, HeaderValue::from_static("mine-1"));
        assert_eq!(trace_id(&headers, &Traces::default()), "mine-1");
        headers.insert(CORRELATION_HEADER, HeaderValue::from_static("two words"));
        assert_eq!(trace_id(&headers, &Traces::default()).len(), 32);
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_of_ours_and_the_next_request_is_answered() {
        async fn fall() -> &'static str {
            panic!("the secret of the house");
        }
        let router = axum::Router::new()
            .route("/fall", axum::routing::get(fall))
            .route("/stand", axum::routing::get(async || "standing"))
            .layer(axum::middleware::from_fn_with_state(Traces::default(), wrap));
        let ask = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            tower::ServiceExt::oneshot(router.clone(), request).await.unwrap()
        };
        let fallen = ask("/fall").await;
        assert_eq!(fallen.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = fallen.headers()[CORRELATION_HEADER].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(fallen.into_body(), 10_000).await.unwrap();
        let envelope: Envelope = serde_json::from_slice(&body).unwrap();
        assert_eq!((envelope.error.code.as_str(), envelope.error.trace_id), ("INTERNAL", id));
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
        assert_eq!(ask("/stand").await.status(), StatusCode::OK);
    }
}
