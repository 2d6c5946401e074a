//! What one tenant has, another cannot see, count, follow, change or guess.

use crate::app::{Answer, App, tenant};
use serde_json::Value;
use stella_contract::scope::Scope;
use stella_engine::{Engine, LedgerPlace};
use stella_server::{Auth, Door, router};

struct Two {
    app: App,
    acme: String,
    globex: String,
}

impl Two {
    async fn open() -> Self {
        let app = App::bearer().await;
        let folder = tempfile::tempdir().unwrap();
        let mut options = app.options();
        options.place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
        options.tenants = vec![tenant("acme"), tenant("globex")];
        let engine = Engine::open(options).await.unwrap();
        let router = router(Door::new(engine.clone(), Auth::Bearer));
        let app = App::around(engine, router, folder);
        let all = || Scope::ALL.iter().copied();
        let acme = format!("Bearer {}", app.make_token("acme", all(), false).await);
        let globex = format!("Bearer {}", app.make_token("globex", all(), false).await);
        Self { app, acme, globex }
    }

    async fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let headers = [
            ("authorization", token),
            ("content-type", "application/json"),
            ("idempotency-key", "the-same"),
            ("x-stella-operator-reason", "why"),
            ("x-stella-operator-ticket", "OPS-1"),
        ];
        self.app.ask(method, path, &headers, body).await
    }
}

fn id(answer: &Answer, field: &str) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()[field].as_str().unwrap().to_owned()
}

const JOB: &str = r#"{"jobType":"demo.wait","payload":{}}"#;
const RUN: &str = r#"{"mode":"analysis-only"}"#;
const SOURCE: &str = r#"{"name":"list","sourceType":"kev","location":"/srv/kev.json"}"#;

#[tokio::test]
async fn another_tenant_s_things_are_not_there() {
    let two = Two::open().await;
    let job = id(&two.ask(&two.acme, "POST", "/api/v1/jobs", JOB).await, "jobId");
    let run = id(&two.ask(&two.acme, "POST", "/api/v1/runs", RUN).await, "runId");
    let source = id(&two.ask(&two.acme, "POST", "/api/v1/sources", SOURCE).await, "sourceId");
    let gets = [
        format!("/api/v1/jobs/{job}"),
        format!("/api/v1/jobs/{job}/history"),
        format!("/api/v1/runs/{run}"),
        format!("/api/v1/runs/{run}/segments"),
        format!("/api/v1/runs/{run}/deltas"),
        format!("/api/v1/runs/{run}/messages"),
        format!("/console/runs/{run}/stream"),
        format!("/api/v1/sources/{source}"),
        format!("/api/v1/findings?run={run}"),
    ];
    for path in &gets {
        assert_eq!(two.ask(&two.globex, "GET", path, "").await.status, 404, "{path}");
        if !path.ends_with("/stream") {
            assert_eq!(two.ask(&two.acme, "GET", path, "").await.status, 200, "{path}");
        }
    }
    let posts = [
        format!("/api/v1/jobs/{job}:cancel"),
        format!("/api/v1/runs/{run}:cancel"),
        format!("/api/v1/runs/{run}:retry"),
        format!("/api/v1/sources/{source}:run"),
    ];
    for path in &posts {
        assert_eq!(two.ask(&two.globex, "POST", path, "").await.status, 404, "{path}");
    }
    let state = two.ask(&two.acme, "GET", &format!("/api/v1/jobs/{job}"), "").await;
    assert_ne!(state.json()["job"]["state"], "cancelled");
}

#[tokio::test]
async fn another_tenant_s_things_are_neither_listed_nor_counted_nor_told() {
    let two = Two::open().await;
    for (path, body) in [("/api/v1/jobs", JOB), ("/api/v1/runs", RUN), ("/api/v1/sources", SOURCE)] {
        assert_eq!(two.ask(&two.acme, "POST", path, body).await.status, 201, "{path}");
        let list = two.ask(&two.globex, "GET", path, "").await.json();
        assert_eq!(list["items"], Value::Array(Vec::new()), "{path}");
        assert!(list["totalEstimate"].is_null() || list["totalEstimate"] == 0, "{path}");
    }
    let overview = two.ask(&two.globex, "GET", "/api/v1/overview", "").await.json();
    let open = &overview["jobs"];
    assert_eq!((open["queued"].as_i64(), open["pending"].as_i64()), (Some(0), Some(0)));
    assert_eq!((&overview["runs"]["planning"], &overview["inputs"]["sources"]), (&0.into(), &0.into()));
    assert_eq!(two.ask(&two.globex, "GET", "/api/v1/feed", "").await.json()["cursor"], 0);
    assert_ne!(two.ask(&two.acme, "GET", "/api/v1/feed", "").await.json()["cursor"], 0);
    let history = two.ask(&two.globex, "GET", "/api/v1/history/verify", "").await.json();
    assert_eq!(history["entries"], 1, "only that its own token was made");
}

#[tokio::test]
async fn the_same_idempotency_key_of_two_tenants_is_two_keys() {
    let two = Two::open().await;
    let one = two.ask(&two.acme, "POST", "/api/v1/jobs", JOB).await;
    let other =
        two.ask(&two.globex, "POST", "/api/v1/jobs", r#"{"jobType":"demo.wait","payload":{"a":1}}"#).await;
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (201, 201), "{}", other.text());
    assert_eq!(other.header("idempotency-replayed"), "");
    assert_ne!(one.json()["jobId"], other.json()["jobId"]);
}
