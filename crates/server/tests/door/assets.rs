//! The web build beside the interface, from one origin.

use crate::app::{Answer, App};
use axum::body::Body;
use http::Request;
use stella_server::{Assets, Auth, Door, LocalOperator, router};

const SCRIPT: &str = "import init from '/ui-4d1f9c0a7be23356.js';init();";

struct Site {
    app: App,
}

impl Site {
    async fn open() -> Self {
        let page = format!("<!DOCTYPE html><html><script type=\"module\">{SCRIPT}</script></html>");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("icons")).unwrap();
        for (path, text) in [
            ("index.html", page.as_str()),
            ("ui-4d1f9c0a7be23356.js", "export default 1"),
            ("ui-4d1f9c0a7be23356_bg.wasm", "\0asm"),
            ("icons/mark.svg", "<svg/>"),
        ] {
            std::fs::write(folder.path().join(path), text).unwrap();
        }
        let app = App::local().await;
        let mut door = Door::new(app.engine.clone(), Auth::Local(LocalOperator::new("ada")));
        door.assets = Some(Assets::folder(folder.path()).unwrap());
        Self { app: App { router: router(door), ..app } }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(path).await
    }
}

#[tokio::test]
async fn a_page_of_the_ui_is_found_under_any_of_its_addresses() {
    let site = Site::open().await;
    let routes = [
        "/",
        "/index.html",
        "/ops/operations/jobengine",
        "/ops/operations/scheduler/runs/run:acme:20261121T090000Z:9c1f04ab?tab=active",
        "/console/runs/x",
        "/../../etc/passwd",
    ];
    for path in routes {
        let answer = site.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(answer.text().contains(SCRIPT), "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }
}

#[tokio::test]
async fn what_programs_ask_for_is_never_answered_with_a_page() {
    let site = Site::open().await;
    for path in ["/api/v1/nowhere", "/api", "/openapi/x", "/health", "/ui-0000000000000000.js"] {
        assert_eq!(site.get(path).await.refusal(), (404, "NOT_FOUND".to_owned()), "{path}");
    }
    let stream = site.get("/console/runs/run:acme:20261121T090000Z:9c1f04ab/stream").await;
    assert_eq!(stream.refusal(), (404, "NOT_FOUND".to_owned()));
    let posted = site.app.ask("POST", "/ops", &[], "").await;
    assert_eq!((posted.refusal(), posted.header("allow")), ((405, "BAD_REQUEST".to_owned()), "GET, HEAD"));
}

#[tokio::test]
async fn hashed_files_are_kept_for_ever_and_others_are_asked_for_again() {
    let site = Site::open().await;
    let wasm = site.get("/ui-4d1f9c0a7be23356_bg.wasm").await;
    assert_eq!(wasm.header("content-type"), "application/wasm");
    assert!(wasm.header("cache-control").contains("immutable"));
    let mark = site.get("/icons/mark.svg").await;
    assert_eq!((mark.header("content-type"), mark.header("cache-control")), ("image/svg+xml", "no-cache"));
    let again = [("if-none-match", mark.header("etag"))];
    let unchanged = site.app.ask("GET", "/icons/mark.svg", &again, "").await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
}

#[tokio::test]
async fn the_policy_lets_in_this_origin_and_the_page_s_own_script_only() {
    let site = Site::open().await;
    let page = site.get("/ops").await;
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        // SHA-256 of the script above, made with another program.
        "script-src 'self' 'wasm-unsafe-eval' 'sha256-UU8I8CAZkhnUrgBzQd1CItR7Z/eafdafeF8I41DRQNM=';",
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe-inline"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get_without_the_body() {
    let site = Site::open().await;
    for path in ["/", "/api/v1/jobs", "/health/live"] {
        let request = Request::head(path).body(Body::empty()).unwrap();
        let answer = site.app.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{path}");
    }
}

#[test]
fn a_folder_without_a_page_is_not_a_web_build() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Assets::folder(folder.path()).is_err());
    assert!(Assets::folder(&folder.path().join("missing")).is_err());
}
