//! Lists are pages by key.

use crate::app::App;
use serde_json::Value;
use std::collections::BTreeSet;
use stella_contract::api::ENDPOINTS;

async fn submit_many(app: &App, count: usize) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for number in 0..count {
        let job = app
            .post("/api/v1/jobs", &format!(r#"{{"jobType":"demo.wait","payload":{{"n":{number}}}}}"#))
            .await;
        assert_eq!(job.status, 201, "{}", job.text());
        ids.insert(job.json()["jobId"].as_str().unwrap().to_owned());
    }
    ids
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|job| job["jobId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let app = App::local().await;
    let made = submit_many(&app, 7).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/jobs?page_size=3".to_owned();
    loop {
        let page = app.get(&path).await.json();
        seen.extend(ids(&page));
        let Some(token) = page["nextPageToken"].as_str() else { break };
        path = format!("/api/v1/jobs?limit=3&continuationToken={token}");
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(seen.iter().cloned().collect::<BTreeSet<_>>(), made);
    let newest_first: Vec<String> = made.into_iter().rev().collect();
    assert_eq!(seen, newest_first);
}

#[tokio::test]
async fn a_token_is_good_for_the_filters_it_was_given_under_and_for_no_others() {
    let app = App::local().await;
    submit_many(&app, 3).await;
    let page = app.get("/api/v1/jobs?page_size=1").await.json();
    let token = page["nextPageToken"].as_str().unwrap();
    let other = app.get(&format!("/api/v1/jobs?page_size=1&state=failed&page_token={token}")).await;
    assert_eq!(other.refusal(), (400, "PAGE_TOKEN_INVALID".to_owned()));
    for path in ["/api/v1/runs", "/api/v1/targets", "/api/v1/sources", "/api/v1/findings"] {
        let other = app.get(&format!("{path}?page_token={token}")).await;
        assert_eq!(other.refusal(), (400, "PAGE_TOKEN_INVALID".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn every_list_answers_with_a_page_even_when_it_is_empty() {
    let app = App::local().await;
    let lists =
        ["jobs", "workers", "sources", "targets", "runs", "findings"].map(|noun| format!("/api/v1/{noun}"));
    for path in &lists {
        assert!(ENDPOINTS.iter().any(|endpoint| endpoint.path == path), "{path}");
        let answer = app.get(path).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.text());
        assert_eq!(answer.json()["items"], serde_json::json!([]), "{path}");
    }
}
