//! A worker: counts the words of a text. `STELLA_SERVER`, `STELLA_TOKEN` and `STELLA_TENANT` say for whom.
#![expect(clippy::print_stderr, reason = "an example speaks to whoever runs it")]

use serde_json::json;
use stella_contract::job::ErrorClass;
use stella_contract::lease::LogLevel;
use stella_sdk::Client;
use stella_sdk::worker::{Failure, Finished, Task, Worker};

async fn count(task: Task) -> Result<Finished, Failure> {
    let text = task.payload()["text"].as_str().ok_or_else(|| {
        Failure::new(ErrorClass::SchemaMismatch, "NO_TEXT", "The payload has no `text`. Submit one that has.")
    })?;
    let words: Vec<&str> = text.split_whitespace().collect();
    task.log(LogLevel::Info, format!("{} bytes to read", text.len()));
    task.progress(words.len() as i64, words.len() as i64, "counted");
    task.put_json("words.json", &json!(words)).await?;
    Ok(json!({ "words": words.len() }).into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (server, token) = (std::env::var("STELLA_SERVER")?, std::env::var("STELLA_TOKEN")?);
    let tenant = std::env::var("STELLA_TENANT").unwrap_or_else(|_| "default".to_owned()).parse()?;
    let client = Client::new(&server, Some(&token), tenant)?;
    eprintln!("working for {server}; Ctrl+C ends it when its hands are free");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    Worker::new(client, "word-counter").concurrency(4).on("words.count", count).run_until(stop).await?;
    Ok(())
}
