//! The way through the window: its commands instead of a network. Nothing is pushed; the feed is asked for in turns.

use super::problem::Problem;
use super::transport::{Answer, FeedKind, FeedSink, Request, RunSink, Transport, read};
use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stella_contract::api::Method;
use stella_contract::error::Problem as Refusal;
use stella_contract::event::{FeedBatch, RunMessages};
use stella_contract::ids::RunId;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "core"], js_name = invoke, catch)]
    async fn invoke_js(command: &str, arguments: JsValue) -> Result<JsValue, JsValue>;
}

/// How long the core may hold a question for news.
const PATIENCE_MS: u64 = 25_000;

/// Whether the page runs in the window.
pub fn is_here() -> bool {
    web_sys::window().is_some_and(|window| {
        js_sys::Reflect::get(&window, &JsValue::from_str("__TAURI__")).is_ok_and(|found| found.is_object())
    })
}

/// Calls a command of the window. Values travel as JSON.
pub async fn invoke<T: serde::de::DeserializeOwned>(
    command: &str,
    arguments: &impl Serialize,
) -> Result<T, Problem> {
    let unreadable = |why: String| Problem::Unreadable { path: command.to_owned(), why };
    let text = serde_json::to_string(arguments).map_err(|error| unreadable(error.to_string()))?;
    let arguments = js_sys::JSON::parse(&text).map_err(|_| unreadable("arguments".into()))?;
    match invoke_js(command, arguments).await {
        Ok(value) => {
            let text = text_of(&value).unwrap_or_else(|| "null".into());
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
        }
        Err(refused) => {
            let text = text_of(&refused).unwrap_or_default();
            Err(serde_json::from_str::<Refusal>(&text).map_or(Problem::Unreachable, Problem::from))
        }
    }
}

fn text_of(value: &JsValue) -> Option<String> {
    js_sys::JSON::stringify(value).ok().and_then(|text| text.as_string())
}

#[derive(Serialize)]
struct Call {
    method: &'static str,
    path: String,
    headers: BTreeMap<&'static str, String>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Returned {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

/// The window's own door to the core.
pub struct Shell;

impl Transport for Shell {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Answer, Problem>> {
        Box::pin(send(request))
    }

    fn follow(
        &self,
        headers: Vec<(&'static str, String)>,
        cursor: Option<i64>,
        sink: FeedSink,
    ) -> LocalBoxFuture<'static, Problem> {
        Box::pin(async move {
            // The first question waits for nothing: it tells that the connection stands, and where to go on.
            let mut wait = 0;
            let mut cursor = cursor;
            loop {
                let from = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
                let path = format!("/api/v1/feed?maxWaitMs={wait}{from}");
                let request =
                    Request { method: Method::Get, path: path.clone(), headers: headers.clone(), body: None };
                let answer = match send(request).await {
                    Ok(answer) => answer,
                    Err(problem) => return problem,
                };
                match read::<FeedBatch>(&path, &answer) {
                    Ok(batch) => {
                        cursor = Some(batch.cursor);
                        wait = PATIENCE_MS;
                        sink(batch);
                    }
                    Err(problem) => return problem,
                }
            }
        })
    }

    fn follow_run(
        &self,
        headers: Vec<(&'static str, String)>,
        run: &RunId,
        after: Option<i64>,
        sink: RunSink,
    ) -> LocalBoxFuture<'static, Option<Problem>> {
        let base = format!("/api/v1/runs/{run}/messages");
        Box::pin(async move {
            let mut wait = 0;
            let mut after = after;
            loop {
                let from = after.map(|seq| format!("&after={seq}")).unwrap_or_default();
                let path = format!("{base}?maxWaitMs={wait}{from}");
                let request =
                    Request { method: Method::Get, path: path.clone(), headers: headers.clone(), body: None };
                let messages =
                    match send(request).await.and_then(|answer| read::<RunMessages>(&path, &answer)) {
                        Ok(messages) => messages,
                        Err(problem) => return Some(problem),
                    };
                after = messages.items.iter().map(|message| message.seq).max().or(after);
                wait = PATIENCE_MS;
                let ended = messages.ended;
                sink(messages);
                if ended {
                    return None;
                }
            }
        })
    }

    fn feed_kind(&self) -> FeedKind {
        FeedKind::Polling
    }
}

async fn send(request: Request) -> Result<Answer, Problem> {
    let call = Call {
        method: request.method.as_str(),
        path: request.path,
        headers: request.headers.into_iter().collect(),
        body: request.body,
    };
    let returned: Returned = invoke("api", &call).await?;
    let said = returned.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let content_type = said.map_or("", |(_, value)| value).split(';').next().unwrap_or_default();
    Ok(Answer {
        status: returned.status,
        content_type: content_type.trim().to_ascii_lowercase(),
        body: returned.body,
    })
}
