//! How a caller becomes known. What each endpoint refuses is in the matrix.

use crate::app::App;
use stella_server::{Auth, LocalOperator};

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
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
