//! The authorisation matrix: every endpoint of the contract against everything a caller may lack. It is made from the
//! contract's table, so that a new endpoint is in it without a word here; and each refusal must leave both tenants'
//! books as they were.

use crate::app::{Answer, App, tenant};
use axum::body::Body;
use http::Request;
use stella_contract::api::{ENDPOINTS, Endpoint};
use stella_contract::scope::{REASON_MAX, Scope, TICKET_MAX};
use stella_engine::{Caller, Engine, LedgerPlace};
use stella_ledger::LedgerError;
use stella_ledger::chains::{self, Tip};
use stella_server::{Auth, Door, LocalOperator, router};

const REASON: (&str, &str) = ("x-stella-operator-reason", "why");
const TICKET: (&str, &str) = ("x-stella-operator-ticket", "OPS-1");
const TENANTS: [&str; 2] = ["acme", "globex"];

/// Two tenants behind one door, and where their books stand.
struct House {
    app: App,
}

impl House {
    async fn open(auth: Auth) -> Self {
        let app = App::bearer().await;
        let folder = tempfile::tempdir().unwrap();
        let mut options = app.options();
        options.place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
        options.tenants = TENANTS.map(tenant).to_vec();
        let clock = app.clock.clone();
        let engine = Engine::open(options).await.unwrap();
        let router = router(Door::new(engine.clone(), auth));
        Self { app: App { clock, ..App::around(engine, router, folder) } }
    }

    async fn token(&self, scopes: impl IntoIterator<Item = Scope>) -> String {
        format!("Bearer {}", self.app.token(scopes).await)
    }

    async fn knock(&self, endpoint: &Endpoint, headers: &[(&str, &str)]) -> Answer {
        self.app.ask(endpoint.method.as_str(), &path_of(endpoint), headers, "").await
    }

    /// Knocks and demands this refusal and that nothing was written down or told to anybody.
    async fn must_refuse(
        &self,
        endpoint: &Endpoint,
        headers: &[(&str, &str)],
        (status, code): (u16, &str),
        case: &str,
    ) -> Answer {
        let before = self.tips().await;
        let answer = self.knock(endpoint, headers).await;
        let asked = format!("{case}: {} {}", endpoint.method.as_str(), endpoint.path);
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{asked}");
        assert_eq!(self.tips().await, before, "{asked} left a trace");
        answer
    }

    async fn tips(&self) -> Vec<Tip> {
        let mut tips = Vec::new();
        for name in TENANTS.map(tenant) {
            let read =
                self.app.engine.ledger().read::<_, LedgerError, _>(move |tx| {
                    Box::pin(async move { chains::tip(tx, &name).await })
                });
            tips.push(read.await.unwrap());
        }
        tips
    }
}

/// Every parameter filled with something: who may come in is settled before anybody reads it.
fn path_of(endpoint: &Endpoint) -> String {
    let mut path = String::new();
    let mut rest = endpoint.path;
    while let Some((before, after)) = rest.split_once('{') {
        let (_, behind) = after.split_once('}').unwrap();
        path.push_str(before);
        path.push_str("some");
        rest = behind;
    }
    path + rest
}

fn all() -> impl Iterator<Item = Scope> {
    Scope::ALL.iter().copied()
}

fn closed() -> impl Iterator<Item = (&'static Endpoint, Scope)> {
    ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, endpoint.scope?)))
}

fn writes() -> impl Iterator<Item = (&'static Endpoint, Scope)> {
    closed().filter(|(endpoint, _)| endpoint.writes)
}

#[test]
fn what_anybody_may_ask_is_this_short_list() {
    let open: Vec<&str> =
        ENDPOINTS.iter().filter(|endpoint| endpoint.scope.is_none()).map(|one| one.path).collect();
    insta::assert_debug_snapshot!(open, @r#"
    [
        "/health/live",
        "/health/ready",
        "/metrics",
        "/.well-known/openapi",
        "/openapi/orchestrator.json",
        "/api/v1/session:open",
        "/api/v1/webhooks/{tenant}/{kind}",
    ]
    "#);
}

#[tokio::test]
async fn without_a_token_or_with_one_nobody_made_every_endpoint_refuses() {
    let house = House::open(Auth::Bearer).await;
    let good = house.app.token(all()).await;
    let one_time = house.app.engine.sessions().one_time(&tenant("acme")).await.unwrap();
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Basic YTpi".to_owned(),
        "Bearer stl_0000".to_owned(),
        format!("Bearer {}0", &good[..good.len() - 1]),
        format!("Bearer {one_time}"),
    ];
    for (endpoint, _) in closed() {
        let answer = house.must_refuse(endpoint, &[REASON, TICKET], (401, "UNAUTHENTICATED"), "none").await;
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{}", endpoint.path);
        for token in &wrong {
            let headers = [("authorization", token.as_str()), REASON, TICKET];
            house.must_refuse(endpoint, &headers, (401, "UNAUTHENTICATED"), "unknown").await;
        }
    }
}

#[tokio::test]
async fn with_a_token_that_has_expired_or_was_revoked_every_endpoint_refuses() {
    let house = House::open(Auth::Bearer).await;
    let revoked = house.app.token(all()).await;
    let bearer = house.app.engine.sessions().authenticate(&revoked).await.unwrap();
    let owner = Caller::local(tenant("acme"), "ada");
    house.app.engine.sessions().revoke_token(&owner, &bearer.token_id).await.unwrap();
    let revoked = format!("Bearer {revoked}");
    let expired = house.token(all()).await;
    let first = closed().next().unwrap().0;
    let fresh = house.knock(first, &[("authorization", &expired)]).await;
    assert_eq!(fresh.status, 200, "the token must have been good");
    house.app.clock.advance_ms(3_600_000);
    for (endpoint, _) in closed() {
        for (token, case) in [(&revoked, "revoked"), (&expired, "expired")] {
            let headers = [("authorization", token.as_str()), REASON, TICKET];
            house.must_refuse(endpoint, &headers, (401, "UNAUTHENTICATED"), case).await;
        }
    }
}

#[tokio::test]
async fn without_its_scope_every_endpoint_refuses_and_names_it() {
    let house = House::open(Auth::Bearer).await;
    for scope in all() {
        let token = house.token(all().filter(|other| *other != scope)).await;
        for (endpoint, _) in closed().filter(|(_, needed)| *needed == scope) {
            let headers = [("authorization", token.as_str()), REASON, TICKET];
            let answer = house.must_refuse(endpoint, &headers, (403, "SCOPE_MISSING"), "wrong scope").await;
            assert!(answer.text().contains(scope.as_str()), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn with_a_token_of_one_tenant_every_endpoint_refuses_the_other() {
    let house = House::open(Auth::Bearer).await;
    let token = house.token(all()).await;
    for (endpoint, _) in closed() {
        for other in ["globex", "nobody"] {
            let headers = [("authorization", token.as_str()), ("x-stella-tenant", other), REASON, TICKET];
            house.must_refuse(endpoint, &headers, (403, "SCOPE_MISSING"), "other tenant").await;
        }
    }
}

#[tokio::test]
async fn with_a_read_only_token_or_window_every_write_refuses() {
    let house = House::open(Auth::Bearer).await;
    let token = format!("Bearer {}", house.app.make_token("acme", all(), true).await);
    let operator = LocalOperator::new("ada");
    operator.set_read_only(true);
    let window = House::open(Auth::Local(operator)).await;
    for (endpoint, _) in writes() {
        let headers = [("authorization", token.as_str()), REASON, TICKET];
        house.must_refuse(endpoint, &headers, (403, "READ_ONLY"), "read-only token").await;
        let headers = [("x-stella-tenant", "acme"), REASON, TICKET];
        window.must_refuse(endpoint, &headers, (403, "READ_ONLY"), "read-only window").await;
    }
}

#[tokio::test]
async fn without_the_reason_or_ticket_of_its_scope_every_write_refuses() {
    let house = House::open(Auth::Bearer).await;
    let token = house.token(all()).await;
    let token = ("authorization", token.as_str());
    for (endpoint, scope) in writes() {
        if scope.needs_reason() {
            for blank in ["", "  "] {
                let headers = [token, (REASON.0, blank), TICKET];
                house.must_refuse(endpoint, &headers, (400, "REASON_REQUIRED"), "blank reason").await;
            }
            house.must_refuse(endpoint, &[token, TICKET], (400, "REASON_REQUIRED"), "no reason").await;
        }
        if scope.needs_ticket() {
            for headers in [&[token, REASON][..], &[token, REASON, (TICKET.0, " ")]] {
                house.must_refuse(endpoint, headers, (400, "TICKET_REQUIRED"), "no ticket").await;
            }
        }
    }
}

#[tokio::test]
async fn with_a_reason_or_ticket_that_is_too_long_every_write_refuses() {
    let house = House::open(Auth::Bearer).await;
    let token = house.token(all()).await;
    let token = ("authorization", token.as_str());
    let (long_reason, long_ticket) = ("x".repeat(REASON_MAX + 1), "x".repeat(TICKET_MAX + 1));
    for (endpoint, _) in writes() {
        for headers in [[token, (REASON.0, &long_reason), TICKET], [token, REASON, (TICKET.0, &long_ticket)]]
        {
            house.must_refuse(endpoint, &headers, (400, "REASON_TOO_LONG"), "too long").await;
        }
    }
}

/// The other side of the matrix: it would prove nothing if these refusals came to everybody.
#[tokio::test]
async fn who_lacks_nothing_is_refused_for_none_of_these_reasons() {
    let house = House::open(Auth::Bearer).await;
    let token = house.token(all()).await;
    for (endpoint, _) in closed() {
        let mut request = Request::builder().method(endpoint.method.as_str()).uri(path_of(endpoint));
        for (name, value) in [("authorization", token.as_str()), REASON, TICKET] {
            request = request.header(name, value);
        }
        let response = house.app.start(request.body(Body::empty()).unwrap()).await;
        let status = response.status();
        assert!(status != 401 && status != 403, "{} {status}", endpoint.path);
        if status == 400 {
            let code = Answer::read(response).await.code();
            assert!(!code.starts_with("REASON") && !code.starts_with("TICKET"), "{} {code}", endpoint.path);
        }
    }
}
