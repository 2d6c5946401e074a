//! The router, an engine behind it, and a short way to ask.

use crate::told;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use stella_contract::ids::Tenant;
use stella_contract::scope::Scope;
use stella_engine::sessions::NewToken;
use stella_engine::{Caller, Engine, LedgerPlace, Options, SeededChance, TestClock};
use stella_server::{Auth, Door, LocalOperator, router};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) router: Router,
    pub(crate) folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn tenant(name: &str) -> Tenant {
    name.parse().unwrap()
}

impl App {
    /// The window's door, for the operator at this machine.
    pub(crate) async fn local() -> Self {
        Self::with(Auth::Local(LocalOperator::new("ada"))).await
    }

    /// The server's door, for whoever holds a token.
    pub(crate) async fn bearer() -> Self {
        Self::with(Auth::Bearer).await
    }

    pub(crate) async fn with(auth: Auth) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        let engine = Engine::open(options(&folder, &clock)).await.unwrap();
        let router = router(Door::new(engine.clone(), auth));
        Self { engine, clock, router, folder }
    }

    /// An app around an engine that a test opened itself.
    pub(crate) fn around(engine: Engine, router: Router, folder: TempDir) -> Self {
        Self { engine, clock: Arc::default(), router, folder }
    }

    /// A door without an engine of its own.
    pub(crate) fn without(router: Router) -> Bare {
        Bare(router)
    }

    /// What this app's engine was opened with.
    pub(crate) fn options(&self) -> Options {
        options(&self.folder, &self.clock)
    }

    /// A token of the first tenant with these scopes.
    pub(crate) async fn token(&self, scopes: impl IntoIterator<Item = Scope>) -> String {
        self.make_token("acme", scopes, false).await
    }

    pub(crate) async fn make_token(
        &self,
        of: &str,
        scopes: impl IntoIterator<Item = Scope>,
        read_only: bool,
    ) -> String {
        let scopes: BTreeSet<Scope> = scopes.into_iter().collect();
        let wish = NewToken { name: "robot".to_owned(), scopes, read_only, ttl_ms: 3_600_000 };
        let maker = Caller::local(tenant(of), "ada");
        self.engine.sessions().create_token(&maker, wish).await.unwrap().secret
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// A JSON body with a reason and a ticket, so that only what a test leaves out is missing.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("x-stella-operator-reason", "a test asks"),
            ("x-stella-operator-ticket", "OPS-1"),
        ];
        self.ask("POST", path, &headers, body).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.start(request).await).await
    }

    /// The answer before its body is read, for streams.
    pub(crate) async fn start(&self, request: Request<Body>) -> Response {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        told::demand(method.as_str(), &path, response.status().as_u16());
        response
    }
}

/// A door alone.
pub(crate) struct Bare(Router);

impl Bare {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = Answer::read(self.0.clone().oneshot(request).await.unwrap()).await;
        told::demand("GET", path.split('?').next().unwrap_or(path), answer.status.as_u16());
        answer
    }
}

fn options(folder: &TempDir, clock: &Arc<TestClock>) -> Options {
    Options {
        place: LedgerPlace::Sqlite(folder.path().join("ledger.db")),
        blobs: folder.path().join("blobs"),
        tenants: vec![tenant("acme")],
        clock: clock.clone(),
        chance: Arc::new(SeededChance::new(7)),
        workers: 1,
    }
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Self { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a refusal, after a check that it has all the envelope must have.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let error = &json["error"];
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("x-stella-api-version"), "v1");
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 10), "{json}");
        assert_eq!(error["traceId"], self.header("x-stella-correlation-id"), "{json}");
        assert_eq!(error["traceId"], error["trace_id"], "{json}");
        assert!(error["retryable"].is_boolean(), "{json}");
        error["code"].as_str().unwrap().to_owned()
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.code())
    }
}
