//! Who may come how far: every case walks the contract's table, so that a new endpoint cannot be forgotten.

use crate::app::{Answer, App};
use stella_contract::api::{ENDPOINTS, Endpoint};
use stella_contract::scope::{REASON_MAX, Scope, TICKET_MAX};
use stella_server::{Auth, LocalOperator};

/// The path with something that looks right in place of each parameter.
fn path_of(endpoint: &Endpoint) -> String {
    let uuid = "019aa6e1-0000-7000-8000-000000000000";
    let noun = endpoint.path.split('/').find(|part| ["jobs", "sources", "targets", "runs"].contains(part));
    let id = match noun {
        Some("jobs") => format!("job_{uuid}"),
        Some("sources") => format!("src_{uuid}"),
        Some("targets") => format!("tgt_{uuid}"),
        Some("runs") => "run:acme:20261121T090000Z:9c1f04ab".to_owned(),
        _ => String::new(),
    };
    let digest = format!("sha256:{}", "a".repeat(64));
    endpoint.path.replace("{id}", &id).replace("{digest}", &digest)
}

fn closed() -> impl Iterator<Item = (&'static Endpoint, Scope)> {
    ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, endpoint.scope?)))
}

fn writes() -> impl Iterator<Item = (&'static Endpoint, Scope)> {
    closed().filter(|(endpoint, _)| endpoint.writes)
}

async fn knock(app: &App, endpoint: &Endpoint, headers: &[(&str, &str)]) -> Answer {
    app.ask(endpoint.method.as_str(), &path_of(endpoint), headers, "").await
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn nobody_comes_in_without_a_good_token() {
    let app = App::bearer().await;
    let good = app.token(Scope::ALL.iter().copied()).await;
    let one_time = app.engine.sessions().one_time(&crate::app::tenant("acme")).await.unwrap();
    let damaged = format!("Bearer {}0", &good[..good.len() - 1]);
    let wrong = ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer stl_0000", &damaged];
    let one_time = format!("Bearer {one_time}");
    for (endpoint, _) in closed() {
        let answer = knock(&app, endpoint, &[]).await;
        assert_eq!(answer.refusal(), refused(401, "UNAUTHENTICATED"), "{}", endpoint.path);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        for token in wrong.iter().chain([&one_time.as_str()]) {
            let answer = knock(&app, endpoint, &[("authorization", token)]).await;
            assert_eq!(answer.refusal(), refused(401, "UNAUTHENTICATED"), "{} {token}", endpoint.path);
        }
    }
}

#[tokio::test]
async fn an_expired_or_revoked_token_is_no_token() {
    let app = App::bearer().await;
    let secret = app.token([Scope::OrchRead]).await;
    let header = format!("Bearer {secret}");
    let headers = [("authorization", header.as_str())];
    assert_eq!(app.ask("GET", "/api/v1/session", &headers, "").await.status, 200);
    let bearer = app.engine.sessions().authenticate(&secret).await.unwrap();
    let owner = stella_engine::Caller::local(bearer.tenant.clone(), "ada");
    app.engine.sessions().revoke_token(&owner, &bearer.token_id).await.unwrap();
    let answer = app.ask("GET", "/api/v1/session", &headers, "").await;
    assert_eq!(answer.refusal(), refused(401, "UNAUTHENTICATED"));

    let header = format!("Bearer {}", app.token([Scope::OrchRead]).await);
    let headers = [("authorization", header.as_str())];
    assert_eq!(app.ask("GET", "/api/v1/session", &headers, "").await.status, 200);
    app.clock.advance_ms(3_600_000);
    let answer = app.ask("GET", "/api/v1/session", &headers, "").await;
    assert_eq!(answer.refusal(), refused(401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_token_without_the_scope_is_refused_and_the_scope_is_named() {
    let app = App::bearer().await;
    for (endpoint, scope) in closed() {
        let others = Scope::ALL.iter().copied().filter(|other| *other != scope);
        let token = format!("Bearer {}", app.token(others).await);
        let headers = [
            ("authorization", token.as_str()),
            ("x-stella-operator-reason", "why"),
            ("x-stella-operator-ticket", "OPS-1"),
        ];
        let answer = knock(&app, endpoint, &headers).await;
        assert_eq!(answer.refusal(), refused(403, "SCOPE_MISSING"), "{}", endpoint.path);
        assert!(answer.text().contains(scope.as_str()), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_token_reaches_no_tenant_but_its_own() {
    let app = App::bearer().await;
    let token = format!("Bearer {}", app.token(Scope::ALL.iter().copied()).await);
    for (endpoint, _) in closed() {
        let headers = [("authorization", token.as_str()), ("x-stella-tenant", "globex")];
        let answer = knock(&app, endpoint, &headers).await;
        assert_eq!(answer.refusal(), refused(403, "SCOPE_MISSING"), "{}", endpoint.path);
    }
}

#[tokio::test]
async fn a_read_only_caller_writes_nothing() {
    let app = App::bearer().await;
    let token = format!("Bearer {}", app.make_token("acme", Scope::ALL.iter().copied(), true).await);
    let operator = LocalOperator::new("ada");
    operator.set_read_only(true);
    let window = App::with(Auth::Local(operator)).await;
    for (endpoint, _) in writes() {
        let headers = [("authorization", token.as_str())];
        let answer = knock(&app, endpoint, &headers).await;
        assert_eq!(answer.refusal(), refused(403, "READ_ONLY"), "{}", endpoint.path);
        assert_eq!(
            knock(&window, endpoint, &[]).await.refusal(),
            refused(403, "READ_ONLY"),
            "{}",
            endpoint.path
        );
    }
}

#[tokio::test]
async fn a_write_says_why_where_its_scope_demands_it() {
    let app = App::local().await;
    let (long_reason, long_ticket) = ("x".repeat(REASON_MAX + 1), "x".repeat(TICKET_MAX + 1));
    for (endpoint, scope) in writes() {
        if scope.needs_reason() {
            for headers in [&[][..], &[("x-stella-operator-reason", "  ")]] {
                let answer = knock(&app, endpoint, headers).await;
                assert_eq!(answer.refusal(), refused(400, "REASON_REQUIRED"), "{}", endpoint.path);
            }
        }
        if scope.needs_ticket() {
            let answer = knock(&app, endpoint, &[("x-stella-operator-reason", "why")]).await;
            assert_eq!(answer.refusal(), refused(400, "TICKET_REQUIRED"), "{}", endpoint.path);
        }
        for headers in [
            [("x-stella-operator-reason", long_reason.as_str()), ("x-stella-operator-ticket", "OPS-1")],
            [("x-stella-operator-reason", "why"), ("x-stella-operator-ticket", long_ticket.as_str())],
        ] {
            let answer = knock(&app, endpoint, &headers).await;
            assert_eq!(answer.refusal(), refused(400, "REASON_TOO_LONG"), "{}", endpoint.path);
        }
    }
}

#[tokio::test]
async fn what_is_open_needs_no_token() {
    let app = App::bearer().await;
    for path in ["/health/live", "/health/ready", "/.well-known/openapi", "/openapi/orchestrator.json"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_one_time_token_opens_one_session_of_twelve_hours() {
    let app = App::bearer().await;
    let secret = app.engine.sessions().one_time(&crate::app::tenant("acme")).await.unwrap();
    let body = format!(r#"{{"oneTimeToken":"{secret}"}}"#);
    let opened = app.post("/api/v1/session:open", &body).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    let opened = opened.json();
    assert_eq!(
        (opened["tenant"].as_str(), opened["expiresAt"].as_str()),
        (Some("acme"), Some("2026-11-21T21:00:00.000Z"))
    );
    let token = format!("Bearer {}", opened["token"].as_str().unwrap());
    let session = app.ask("GET", "/api/v1/session", &[("authorization", &token)], "").await.json();
    assert_eq!(session["tenants"], serde_json::json!(["acme"]));
    assert_eq!(session["readOnly"], false);
    let again = app.post("/api/v1/session:open", &body).await;
    assert_eq!(again.refusal(), refused(401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn with_several_tenants_the_one_that_is_meant_must_be_named() {
    let app = App::local().await;
    let mut options = app.options();
    app.engine.close().await;
    drop(app);
    let folder = tempfile::tempdir().unwrap();
    options.place = stella_engine::LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    options.tenants = vec![crate::app::tenant("acme"), crate::app::tenant("globex")];
    let engine = stella_engine::Engine::open(options).await.unwrap();
    let door = stella_server::Door::new(engine.clone(), Auth::Local(LocalOperator::new("ada")));
    let app = App::around(engine, stella_server::router(door), folder);
    assert_eq!(app.get("/api/v1/session").await.refusal(), refused(403, "TENANT_REQUIRED"));
    let session = app.ask("GET", "/api/v1/session", &[("x-stella-tenant", "globex")], "").await;
    assert_eq!(session.json()["tenants"], serde_json::json!(["acme", "globex"]));
}
