//! Policies, follow-up runs and findings as files, over HTTP.

use crate::app::App;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const SOURCE: &str = "- {name: exploited, when: kev, verdict: block, reason: exploited in the wild}";

async fn added(app: &App, source: &str) -> Value {
    let answer = app.post("/api/v1/policies", &json!({ "source": source }).to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_policy_is_checked_added_shown_compared_and_promoted() {
    let app = App::local().await;
    let check = app.post("/api/v1/policies:validate", &json!({ "source": SOURCE }).to_string()).await.json();
    assert_eq!((&check["problems"], &check["ruleCount"]), (&json!([]), &json!(1)));
    let first = added(&app, SOURCE).await;
    assert_eq!(first["policySnapshotId"], check["policySnapshotId"]);
    let again = app.post("/api/v1/policies", &json!({ "source": SOURCE }).to_string()).await;
    assert_eq!((again.json(), again.header("idempotency-replayed")), (first.clone(), "true"));
    let second = added(&app, "[]").await;

    let list = app.get("/api/v1/policies").await.json();
    let revisions: Vec<&Value> =
        list["items"].as_array().unwrap().iter().map(|one| &one["policyRevision"]).collect();
    assert_eq!(revisions, [&json!(2), &json!(1)]);
    let path = format!("/api/v1/policies/{}", first["policySnapshotId"].as_str().unwrap());
    let shown = app.get(&path).await.json();
    assert_eq!((&shown["rules"][0]["when"], &shown["source"]), (&json!("kev"), &json!(SOURCE)));
    let diff = format!(
        "/api/v1/policies/diff?from={}&to={}",
        second["policySnapshotId"].as_str().unwrap(),
        first["policySnapshotId"].as_str().unwrap()
    );
    assert_eq!(app.get(&diff).await.json()["changes"][0]["kind"], "added");

    let promotion = app.post(&format!("{path}:promote"), r#"{"followUp":true}"#).await.json();
    assert!(promotion["runId"].as_str().is_some_and(|id| id.starts_with("run:acme:")), "{promotion}");
    assert_eq!(app.get("/api/v1/policies/promotions").await.json()["items"][0], promotion);
    assert_eq!(app.get(&path).await.json()["snapshot"]["active"], true);
    let again = app.post(&format!("{path}:promote"), "").await;
    assert_eq!(again.refusal(), (409, "INVALID_TRANSITION".to_owned()));
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_is_refused_with_its_lines() {
    let app = App::local().await;
    let source =
        "- {name: a, when: kve, verdict: warn, reason: b}\n- {name: c, when: kev, verdict: deny, reason: d}";
    let refused = app.post("/api/v1/policies", &json!({ "source": source }).to_string()).await;
    assert_eq!(refused.refusal(), (422, "POLICY_INVALID".to_owned()));
    let details = refused.json()["error"]["details"].clone();
    let told: Vec<(&str, &str)> = details
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["field"].as_str().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("source:1:19", "POLICY_UNKNOWN_NAME"), ("source:2:33", "POLICY_SHAPE")]);
    assert_eq!(app.get("/api/v1/policies/sha256:no").await.refusal(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn rules_of_follow_up_runs_are_changed_at_the_version_they_were_read() {
    let app = App::local().await;
    let list = app.get("/api/v1/triggers").await.json();
    assert_eq!(
        (&list["items"][0]["kind"], &list["items"][0]["enabled"]),
        (&json!("concelier"), &json!(false))
    );
    let update = "/api/v1/triggers/excititor:update";
    let changed = app.post(update, r#"{"enabled":true,"minIntervalS":300}"#).await.json();
    assert_eq!(
        (&changed["enabled"], &changed["minIntervalS"], &changed["version"]),
        (&json!(true), &json!(300), &json!(1))
    );
    assert_eq!(app.post(update, r#"{"minIntervalS":-1}"#).await.refusal(), (422, "INVALID".to_owned()));
    assert_eq!(
        app.post("/api/v1/triggers/noone:update", "{}").await.refusal(),
        (404, "NOT_FOUND".to_owned())
    );
}

#[tokio::test]
async fn a_webhook_takes_what_is_signed_and_nothing_else() {
    let app = App::bearer().await;
    let path = "/api/v1/webhooks/acme/excititor";
    let body = json!({
        "exportId": "vex-1", "issuedAt": "2026-11-21T09:00:00.000Z",
        "changedClaims": [{ "vulnerabilityId": "CVE-2026-0001", "productKey": "pkg:pypi/ink" }],
    })
    .to_string();
    let send = async |signature: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("x-stella-signature", signature)];
        app.ask("POST", path, &headers, body).await
    };
    assert_eq!(send("sha256=00", &body).await.refusal(), (401, "UNAUTHENTICATED".to_owned()));
    let operator = stella_engine::Caller::local("acme".parse().unwrap(), "ada").because("a test", None);
    let kind = stella_contract::trigger::TriggerKind::Excititor;
    let secret = app.engine.triggers().rotate_secret(&operator, kind).await.unwrap().secret;
    let sign = |body: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    };
    assert_eq!(app.ask("POST", path, &[], &body).await.refusal(), (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(send(&sign("{}"), &body).await.refusal(), (401, "UNAUTHENTICATED".to_owned()));
    let taken = send(&sign(&body), &body).await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    assert_eq!((&taken.json()["exportId"], &taken.json()["replayed"]), (&json!("vex-1"), &json!(false)));
    let again = send(&sign(&body), &body).await;
    assert_eq!((&again.json()["replayed"], &again.json()["runId"]), (&json!(true), &taken.json()["runId"]));
    let nowhere = app.ask("POST", "/api/v1/webhooks/acme/noone", &[], &body).await;
    assert_eq!(nowhere.refusal(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn findings_leave_as_csv_under_their_own_name() {
    let app = App::local().await;
    let file = app.get("/api/v1/findings/export?verdict=block&quieted=false").await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"findings-acme-latest.csv\"");
    assert!(
        file.text().starts_with("severity,score,vector,kev,epss,status,verdict,rule,"),
        "{}",
        file.text()
    );
    assert!(file.text().ends_with("summary\r\n"));
    let odd = app.get("/api/v1/findings/export?verdict=maybe").await;
    assert_eq!(odd.status, 400);
}
