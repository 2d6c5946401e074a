//! One mounted endpoint: what the contract says of it, and the handler behind it.

use crate::ageing::Deprecated;
use crate::describe::Operation;
use crate::desk::{Desk, Hall};
use crate::handler::Handler;
use crate::refusal::Refusal;
use crate::take::Asking;
use axum::body::Body;
use axum::response::Response;
use futures::future::BoxFuture;
use std::sync::Arc;
use stella_contract::api::{ENDPOINTS, Endpoint, Method};

/// The largest body of an ordinary request.
const SMALL: usize = 1024 * 1024;

type Call<Place> = Arc<dyn Fn(Place, Asking) -> BoxFuture<'static, Result<Response, Refusal>> + Send + Sync>;

/// An endpoint with its handler.
#[derive(Clone)]
pub(crate) struct Mounted {
    pub(crate) endpoint: Endpoint,
    pub(crate) summary: &'static str,
    /// The largest body it takes, in bytes.
    pub(crate) limit: usize,
    pub(crate) door: DoorKind,
    /// That the address goes.
    pub(crate) deprecated: Option<Deprecated>,
    pub(crate) describe: fn(&mut Operation),
}

/// Who may come to the handler.
#[derive(Clone)]
pub(crate) enum DoorKind {
    /// Anybody.
    Hall(Call<Hall>),
    /// A known caller whom the wrapper let pass.
    Desk(Call<Desk>),
    /// The same, who sends more than is held in memory: the handler reads the body itself.
    Stream(StreamCall),
}

/// A handler that reads the body as it comes.
pub(crate) type StreamCall = fn(Desk, Asking, Body) -> BoxFuture<'static, Result<Response, Refusal>>;

/// Mounts a write of a known caller whose body is read as it comes.
pub(crate) fn put_stream(
    path: &str,
    summary: &'static str,
    call: StreamCall,
    describe: fn(&mut Operation),
) -> Mounted {
    let endpoint = listed(Method::Put, path);
    Mounted { endpoint, summary, limit: SMALL, door: DoorKind::Stream(call), deprecated: None, describe }
}

/// Mounts a read of a known caller.
pub(crate) fn get<S, H: Handler<Desk, S>>(path: &str, summary: &'static str, handler: H) -> Mounted {
    at_desk(Method::Get, path, summary, handler)
}

/// Mounts a request with a body of a known caller.
pub(crate) fn post<S, H: Handler<Desk, S>>(path: &str, summary: &'static str, handler: H) -> Mounted {
    at_desk(Method::Post, path, summary, handler)
}

/// Mounts what anybody may ask.
pub(crate) fn open<S, H: Handler<Hall, S>>(
    method: Method,
    path: &str,
    summary: &'static str,
    handler: H,
) -> Mounted {
    let call: Call<Hall> = Arc::new(move |hall, asking| handler.handle(hall, asking));
    mounted::<Hall, S, H>(method, path, summary, DoorKind::Hall(call))
}

fn at_desk<S, H: Handler<Desk, S>>(method: Method, path: &str, summary: &'static str, handler: H) -> Mounted {
    let call: Call<Desk> = Arc::new(move |desk, asking| handler.handle(desk, asking));
    mounted::<Desk, S, H>(method, path, summary, DoorKind::Desk(call))
}

fn mounted<Place, S, H: Handler<Place, S>>(
    method: Method,
    path: &str,
    summary: &'static str,
    door: DoorKind,
) -> Mounted {
    let endpoint = listed(method, path);
    Mounted { endpoint, summary, limit: SMALL, door, deprecated: None, describe: H::describe }
}

fn listed(method: Method, path: &str) -> Endpoint {
    let found = ENDPOINTS.iter().find(|endpoint| endpoint.method == method && endpoint.path == path);
    *found.unwrap_or_else(|| panic!("the contract does not list {} {path}", method.as_str()))
}

impl Mounted {
    /// The same for larger bodies.
    pub(crate) fn up_to(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The same for an address that goes; another follows.
    pub(crate) fn gone_to(self, successor: &'static str) -> Self {
        Self { deprecated: Some(Deprecated { successor }), ..self }
    }

    /// The name of the operation in the API document: method and path in one word.
    pub(crate) fn operation_id(&self) -> String {
        let words = self.endpoint.path.split(|c: char| !c.is_ascii_alphanumeric());
        let skipped = ["", "api", "v1", "console", "json"];
        let mut id = self.endpoint.method.as_str().to_ascii_lowercase();
        for word in words.filter(|word| !skipped.contains(word)) {
            let mut letters = word.chars();
            id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            id.extend(letters);
        }
        id
    }

    /// The section of the API document.
    pub(crate) fn tag(&self) -> &'static str {
        let path = self.endpoint.path;
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        if starts(&["/metrics", "/api/v1/slos"]) {
            return "ops";
        }
        if path.ends_with("/stream")
            || path.ends_with("/messages")
            || starts(&["/api/v1/feed", "/api/v1/events"])
        {
            return "live";
        }
        if starts(&["/api/v1/worker/"]) {
            return "worker";
        }
        if starts(&[
            "/api/v1/jobs",
            "/api/v1/edges",
            "/api/v1/history",
            "/api/v1/artifacts",
            "/api/v1/workers",
        ]) {
            return "jobs";
        }
        let limits = ["quotas", "throttles", "breakers", "blackouts", "pressure", "pools", "buckets"];
        let noun = path.strip_prefix("/api/v1/").unwrap_or("").split(['/', ':']).next().unwrap_or("");
        if limits.contains(&noun) {
            return "limits";
        }
        if starts(&["/api/v1/change-sets", "/api/v1/views"]) {
            return "change-sets";
        }
        if starts(&[
            "/api/v1/sources",
            "/api/v1/backfills",
            "/api/v1/vex",
            "/api/v1/targets",
            "/api/v1/sboms",
        ]) {
            return "inputs";
        }
        if starts(&["/api/v1/runs", "/api/v1/triggers", "/api/v1/webhooks"]) {
            return "runs";
        }
        if starts(&["/api/v1/policies"]) {
            return "policy";
        }
        if starts(&["/api/v1/findings"]) { "findings" } else { "core" }
    }
}
