//! The core, asked from inside a page that is signed in: over HTTP in a browser, through the window's own door in it.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

const ASK: &str = r#"
const [method, path, body, token, done] = arguments;
const headers = {
  "content-type": "application/json",
  "x-stella-operator-reason": "a test", "x-stella-operator-ticket": "OPS-1", "x-stella-tenant": "default",
};
const refused = error => done({ status: 0, body: String(error) });
if (window.__TAURI__) {
  window.__TAURI__.core.invoke("api", { method, path, headers, body }).then(done, refused);
} else {
  headers.authorization = "Bearer " + (token ?? JSON.parse(sessionStorage.getItem("stella.token")));
  fetch(path, { method, headers, body: body ?? undefined })
    .then(async answer => done({ status: answer.status, body: await answer.text() })).catch(refused);
}
"#;

/// The way in.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    driver: &'a WebDriver,
    /// Who asks; the page's own session where none is named. In the window everything is allowed.
    token: Option<&'a str>,
}

impl<'a> Door<'a> {
    /// As the page itself.
    pub fn of(driver: &'a WebDriver) -> Self {
        Self { driver, token: None }
    }

    /// As the bearer of this token.
    pub fn bearing(self, token: Option<&'a str>) -> Self {
        Self { token, ..self }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None).await
    }

    /// Writes JSON, or a text as it stands.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.ask("POST", path, Some(body)).await
    }

    /// Asks, and answers with the body; whatever is no success ends the test.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let body = body.map(|body| match body {
            Value::String(text) => text,
            other => other.to_string(),
        });
        let arguments = vec![json!(method), json!(path), json!(body), json!(self.token)];
        let answer: Value = self.driver.execute_async(ASK, arguments).await.unwrap().convert().unwrap();
        let status = answer["status"].as_i64().unwrap_or_default();
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
        serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or(Value::Null)
    }
}
