use crate::app::App;

#[tokio::test]
async fn a_foreign_host_name_is_turned_away_before_anything_else() {
    let app = App::local().await;
    for host in ["evil.example", "127.0.0.1.evil.example", "192.168.0.9:8443"] {
        for path in ["/api/v1/session", "/health/live", "/openapi/orchestrator.json", "/nowhere"] {
            let answer = app.ask("GET", path, &[("host", host)], "").await;
            assert_eq!(answer.refusal(), (400, "BAD_REQUEST".to_owned()), "{host} {path}");
        }
    }
    for host in ["localhost:8443", "127.0.0.1", "[::1]:9"] {
        assert_eq!(app.ask("GET", "/health/live", &[("host", host)], "").await.status, 200, "{host}");
    }
}
