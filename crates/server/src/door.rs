//! The router, put together.

use crate::assets::Assets;
use crate::audited;
use crate::auth::Auth;
use crate::envelope::{self, Trace, Traces};
use crate::hosts::{FromSocket, Hosts};
use crate::house::House;
use crate::limit::{Limiter, RequestLimit};
use crate::mounted::Mounted;
use crate::openapi::ApiDocument;
use crate::refusal::Refusal;
use crate::slot::EngineSlot;
use crate::table::table;
use crate::tallies::Tallies;
use crate::verbs;
use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use http::Uri;
use http::uri::PathAndQuery;
use std::sync::Arc;
use stella_contract::api::Method;
use stella_contract::error::Code;
use stella_engine::{Clock, SystemClock};
use tower::Layer;

/// What a door is made of.
pub struct Door {
    /// The engine, or why there is none.
    pub engine: EngineSlot,
    /// How callers are recognised.
    pub auth: Auth,
    /// The web build of the UI, where it is to be served.
    pub assets: Option<Assets>,
    /// The host names it answers to.
    pub hosts: Hosts,
    /// How many requests one token may make.
    pub limit: RequestLimit,
}

impl Door {
    /// A door without a UI that answers to loopback names.
    pub fn new(engine: impl Into<EngineSlot>, auth: Auth) -> Self {
        Self {
            engine: engine.into(),
            auth,
            assets: None,
            hosts: Hosts::default(),
            limit: RequestLimit::default(),
        }
    }
    /// The router behind this door.
    pub fn router(self) -> Router {
        router(self)
    }
}

/// The one router, for TCP and for the window in process.
pub fn router(door: Door) -> Router {
    let table = table();
    let document = Arc::new(ApiDocument::of(&table, SystemClock.now()));
    let house = House {
        slot: door.engine,
        auth: door.auth,
        document,
        limiter: Arc::new(Limiter::new(door.limit)),
        tallies: Arc::new(Tallies::default()),
    };
    let assets = door.assets;
    let mut inner = Router::new();
    for mounted in table {
        inner = inner.route(&verbs::inner_path(&mounted.endpoint), routed(house.clone(), mounted));
    }
    let inner = inner.fallback(move |request: Request| otherwise(assets, request));
    let inner = middleware::from_fn_with_state(Arc::new(door.hosts), enter).layer(inner);
    let inner = middleware::from_fn_with_state(Traces::default(), envelope::wrap).layer(inner);
    Router::new().fallback_service(inner)
}

/// Method and path of every mounted endpoint.
pub fn mounted() -> Vec<(&'static str, &'static str)> {
    table().iter().map(|mounted| (mounted.endpoint.method.as_str(), mounted.endpoint.path)).collect()
}

fn routed(house: House, mounted: Mounted) -> axum::routing::MethodRouter {
    let filter = match mounted.endpoint.method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
    };
    let handler = move |path: Result<RawPathParams, RawPathParamsRejection>, request: Request| async move {
        let path = path.map_err(|error| {
            Refusal::new(Code::BadRequest, "The path is not UTF-8 once decoded.").because(error.to_string())
        })?;
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let trace = request.extensions().get::<Trace>().map_or_else(String::new, |trace| trace.0.clone());
        Ok::<_, Refusal>(audited::pass(house, mounted, path, trace, request).await)
    };
    on(filter, handler)
}

/// Turns away foreign host names, and turns `{id}:verb` into the form that the inner router knows.
async fn enter(State(hosts): State<Arc<Hosts>>, mut request: Request, next: Next) -> Response {
    let socket = request.extensions().get::<FromSocket>().copied();
    if let Err(refusal) = hosts.check(request.headers(), request.uri(), socket) {
        return refusal.into_response();
    }
    let path = request.uri().path();
    if path.starts_with("/api/") && verbs::is_inner_form(path) {
        return Refusal::no_such_path(path).into_response();
    }
    if let Some(turned) = verbs::turn(path) {
        match with_path(request.uri(), &turned) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(refusal) => return refusal.into_response(),
        }
    }
    next.run(request).await
}

fn with_path(uri: &Uri, path: &str) -> Result<Uri, Refusal> {
    let text = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    let turned: Result<PathAndQuery, _> = text.parse();
    parts.path_and_query = Some(turned.map_err(|error| Refusal::internal(format!("turned path: {error}")))?);
    Uri::from_parts(parts).map_err(|error| Refusal::internal(format!("turned address: {error}")))
}

/// What is at no mounted path: a file or page of the UI, or nothing.
async fn otherwise(assets: Option<Assets>, request: Request) -> Result<Response, Refusal> {
    let path = request.uri().path();
    match assets {
        Some(assets) => assets.answer(request.method(), path, request.headers()),
        None => Err(Refusal::no_such_path(path)),
    }
}
