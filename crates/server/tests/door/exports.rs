use crate::app::App;
use sha2::{Digest, Sha256};

#[tokio::test]
async fn runs_come_as_a_file_with_their_manifest_in_a_header_where_that_is_accepted() {
    let app = App::local().await;
    app.post("/api/v1/runs", r#"{"mode":"analysis-only"}"#).await;
    let file = app.ask("GET", "/api/v1/runs/export?state=planning", &[("accept", "text/csv")], "").await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/csv"));
    let manifest: serde_json::Value = serde_json::from_str(file.header("x-stella-manifest")).unwrap();
    assert_eq!(manifest["sha256"], hex::encode(Sha256::digest(&file.body)));
    assert_eq!(manifest["count"], 1);
    let envelope = app.get("/api/v1/runs/export?state=error").await.json();
    assert_eq!((envelope["content"].as_str(), envelope["manifest"]["count"].as_i64()), (Some(""), Some(0)));
}

#[tokio::test]
async fn dead_letters_come_as_a_file_with_their_manifest_in_a_header_where_that_is_accepted() {
    let app = App::local().await;
    for (accept, media_type, ending) in
        [("text/csv", "text/csv", ".csv"), ("application/x-ndjson, */*", "application/x-ndjson", ".ndjson")]
    {
        let file = app.ask("GET", "/api/v1/deadletter/export", &[("accept", accept)], "").await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, media_type));
        let manifest: serde_json::Value = serde_json::from_str(file.header("x-stella-manifest")).unwrap();
        let sha256 = hex::encode(Sha256::digest(&file.body));
        assert_eq!(manifest["sha256"], sha256);
        assert_eq!(file.header("etag"), format!("\"{sha256}\""));
        let name = manifest["fileName"].as_str().unwrap();
        assert!(name.ends_with(ending) && file.header("content-disposition").contains(name), "{name}");
    }
    let envelope = app.get("/api/v1/deadletter/export?format=csv").await.json();
    assert_eq!(envelope["manifest"]["format"], "csv");
    assert!(envelope["content"].as_str().unwrap().starts_with("entryId,"), "{envelope}");
}
