//! Schedules over HTTP.

use crate::app::App;
use serde_json::{Value, json};

const NIGHTLY: &str =
    r#"{"name":"nightly","cron":"30 2 * * *","timezone":"Europe/Sofia","mode":"analysis-only"}"#;

async fn made(app: &App) -> Value {
    let made = app.post("/api/v1/schedules", NIGHTLY).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

#[tokio::test]
async fn a_schedule_is_made_paused_resumed_run_and_deleted() {
    let app = App::local().await;
    let one = made(&app).await;
    let path = format!("/api/v1/schedules/{}", one["scheduleId"].as_str().unwrap());
    assert_eq!(
        (&one["jitterS"], &one["overlapPolicy"], &one["catchupWindowS"], &one["maxTargets"]),
        (&json!(30), &json!("skip"), &json!(600), &json!(50_000))
    );
    assert_eq!(one["limits"], json!({ "parallelism": 4, "targetsPerMinute": 600 }));
    assert_eq!(
        (&one["words"], &one["enabled"], &one["paused"]),
        (&json!("at 02:30"), &json!(true), &json!(false))
    );
    assert_eq!(app.get("/api/v1/schedules").await.json()["items"][0]["scheduleId"], one["scheduleId"]);
    let paused = app.post(&format!("{path}:pause"), "").await.json();
    assert_eq!((&paused["paused"], &paused["nextFireAt"]), (&json!(true), &Value::Null));
    let resumed = app.post(&format!("{path}:resume"), "").await.json();
    assert_eq!(resumed["nextFireAt"], one["nextFireAt"]);
    let run = app.post(&format!("{path}:trigger"), "").await;
    assert_eq!((run.status.as_u16(), &run.json()["scheduleId"]), (201, &one["scheduleId"]));
    let of_it =
        app.get(&format!("/api/v1/runs?scheduleId={}", one["scheduleId"].as_str().unwrap())).await.json();
    assert_eq!(of_it["items"].as_array().unwrap().len(), 1);
    assert_eq!(app.get(&format!("{path}/fires")).await.json()["items"], json!([]));
    let coming = app.get("/api/v1/schedules/upcoming").await.json();
    assert_eq!(coming["items"].as_array().unwrap().len(), 14);
    assert_eq!(app.get("/api/v1/schedules/health").await.json()["schedules"], 1);
    assert_eq!(app.post(&format!("{path}:delete"), "").await.status, 200);
    assert_eq!(app.get(&path).await.refusal(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_cron_text_that_cannot_be_read_is_refused_with_its_field() {
    let app = App::local().await;
    let wrong = NIGHTLY.replace("30 2 * * *", "30 25 * * *");
    let refused = app.post("/api/v1/schedules", &wrong).await;
    assert_eq!(refused.refusal(), (422, "CRON_INVALID".to_owned()));
    let detail = &refused.json()["error"]["details"][0];
    assert_eq!((&detail["field"], &detail["code"]), (&json!("cron.hour"), &json!("CRON_INVALID")));
    let preview = app.post("/api/v1/schedules:preview", r#"{"cron":"30 25 * * *"}"#).await;
    assert_eq!(preview.refusal(), (422, "CRON_INVALID".to_owned()));
    let told =
        app.post("/api/v1/schedules:preview", r#"{"cron":"@daily","timezone":"Asia/Kolkata"}"#).await.json();
    assert_eq!(told["fires"].as_array().unwrap().len(), 5);
    assert_eq!((&told["words"], &told["offset"]), (&json!("at 00:00"), &json!("+05:30")));
}

#[tokio::test]
async fn a_change_that_expects_an_older_version_is_refused() {
    let app = App::local().await;
    let one = made(&app).await;
    let path = format!("/api/v1/schedules/{}", one["scheduleId"].as_str().unwrap());
    let tag = app.get(&path).await.header("etag").to_owned();
    let write = async |tag: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("x-stella-operator-reason", "a test asks"),
            ("if-match", tag),
        ];
        app.ask("POST", &format!("{path}:update"), &headers, r#"{"cron":"@weekly"}"#).await
    };
    assert_eq!(write(&tag).await.status, 200);
    assert_eq!(write(&tag).await.refusal(), (412, "VERSION_MISMATCH".to_owned()));
}
