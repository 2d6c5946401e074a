//! The core, asked from inside a page that is signed in: over HTTP in a browser, through the window's own door in it.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

const ASK: &str = r#"
const [method, path, body, done] = arguments;
const headers = {
  "content-type": "application/json",
  "x-stella-operator-reason": "a test", "x-stella-operator-ticket": "OPS-1", "x-stella-tenant": "default",
};
const refused = error => done({ status: 0, body: String(error) });
if (window.__TAURI__) {
  window.__TAURI__.core.invoke("api", { method, path, headers, body }).then(done, refused);
} else {
  headers.authorization = "Bearer " + JSON.parse(sessionStorage.getItem("stella.token"));
  fetch(path, { method, headers, body: body ?? undefined })
    .then(async answer => done({ status: answer.status, body: await answer.text() })).catch(refused);
}
"#;

/// Asks, and answers with the body; whatever is no success ends the test.
pub async fn ask(driver: &WebDriver, method: &str, path: &str, body: Option<Value>) -> Value {
    let body = body.map(|body| match body {
        Value::String(text) => text,
        other => other.to_string(),
    });
    let arguments = vec![json!(method), json!(path), json!(body)];
    let answer: Value = driver.execute_async(ASK, arguments).await.unwrap().convert().unwrap();
    let status = answer["status"].as_i64().unwrap_or_default();
    assert!((200..300).contains(&status), "{method} {path}: {answer}");
    serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or(Value::Null)
}

/// Reads.
pub async fn get(driver: &WebDriver, path: &str) -> Value {
    ask(driver, "GET", path, None).await
}

/// Writes.
pub async fn post(driver: &WebDriver, path: &str, body: Value) -> Value {
    ask(driver, "POST", path, Some(body)).await
}
