use crate::app::App;

#[tokio::test]
async fn a_foreign_host_name_is_turned_away_before_anything_else() {
    let app = App::local().await;
    for host in ["evil.example", "127.0.0.1.evil.example", "192.168.0.9:8443"] {
        for path in ["/api/v1/session", "/health/live", "/openapi/orchestrator.json", "/nowhere"] {
            let answer = app.ask("GET", path, &[("host", host)], "").await;
            assert_eq!(answer.refusal(), (421, "BAD_REQUEST".to_owned()), "{host} {path}");
        }
    }
    for host in ["localhost:8443", "127.0.0.1", "[::1]:9"] {
        assert_eq!(app.ask("GET", "/health/live", &[("host", host)], "").await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_turned_away() {
    let app = App::local().await;
    let ask = async |origin: &str| {
        app.ask("GET", "/health/live", &[("host", "127.0.0.1:8443"), ("origin", origin)], "").await
    };
    assert_eq!(ask("http://127.0.0.1:8443").await.status, 200);
    for origin in ["http://evil.example", "null"] {
        assert_eq!(ask(origin).await.refusal(), (403, "BAD_REQUEST".to_owned()), "{origin}");
    }
}
