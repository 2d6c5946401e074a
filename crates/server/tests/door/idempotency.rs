//! A repeated write is the same write.

use crate::app::{Answer, App};

const JOB: &str = r#"{"jobType":"demo.wait","payload":{"ms":1}}"#;

async fn submit(app: &App, key: &str, body: &str) -> Answer {
    app.ask("POST", "/api/v1/jobs", &[("content-type", "application/json"), ("idempotency-key", key)], body)
        .await
}

#[tokio::test]
async fn the_same_key_and_body_gets_the_first_answer_again_and_makes_nothing() {
    let app = App::local().await;
    let first = submit(&app, "k-1", JOB).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (201, ""), "{}", first.text());
    let again = submit(&app, "k-1", JOB).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.body, first.body);
    assert_eq!(app.get("/api/v1/jobs").await.json()["items"].as_array().unwrap().len(), 1);
    let other = submit(&app, "k-2", JOB).await;
    assert_ne!(other.json()["jobId"], first.json()["jobId"]);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let app = App::local().await;
    submit(&app, "k-1", JOB).await;
    let other = submit(&app, "k-1", r#"{"jobType":"demo.wait","payload":{"ms":2}}"#).await;
    assert_eq!(other.refusal(), (422, "IDEMPOTENCY_KEY_REUSED".to_owned()));
}

#[tokio::test]
async fn a_refused_write_leaves_its_key_free() {
    let app = App::local().await;
    assert_eq!(submit(&app, "k-1", r#"{"jobType":"NOT A TYPE","payload":{}}"#).await.status, 422);
    assert_eq!(submit(&app, "k-1", JOB).await.status, 201);
}

#[tokio::test]
async fn a_key_of_one_path_says_nothing_about_another() {
    let app = App::local().await;
    let one = submit(&app, "k-1", JOB).await.json();
    let two = submit(&app, "k-2", JOB).await.json();
    let cancel = async |job: &serde_json::Value| {
        let path = format!("/api/v1/jobs/{}:cancel", job["jobId"].as_str().unwrap());
        let headers = [
            ("idempotency-key", "c-1"),
            ("x-stella-operator-reason", "not needed any more"),
            ("x-stella-operator-ticket", "OPS-1"),
        ];
        app.ask("POST", &path, &headers, "").await
    };
    let (first, second) = (cancel(&one).await, cancel(&two).await);
    assert_eq!(
        (first.status.as_u16(), second.status.as_u16()),
        (200, 200),
        "{} {}",
        first.text(),
        second.text()
    );
    assert_eq!(second.header("idempotency-replayed"), "");
    assert_eq!(second.json()["jobId"], two["jobId"]);
}
