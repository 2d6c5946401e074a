//! How a request reaches the core. Two ways: HTTP, and the window's own door; every page works over either.

use super::problem::Problem;
use futures::future::LocalBoxFuture;
use std::rc::Rc;
use stella_contract::api::Method;
use stella_contract::error::Envelope;
use stella_contract::event::{FeedBatch, RunMessages};
use stella_contract::ids::RunId;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Headers; the transport adds the token.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, lower case, without parameters.
    pub content_type: String,
    /// What was sent.
    pub body: String,
}

/// How the live feed is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// Batches are asked for one after the other.
    Polling,
    /// Events come as they happen.
    Streaming,
}

/// What the live feed tells while it is open.
pub type FeedSink = Rc<dyn Fn(FeedBatch)>;

/// What a run's stream tells while it is open.
pub type RunSink = Rc<dyn Fn(RunMessages)>;

/// A way to the core.
pub trait Transport {
    /// Sends one request.
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Answer, Problem>>;

    /// Follows the feed from a cursor on, until it breaks. Dropping the future ends it.
    fn follow(
        &self,
        headers: Vec<(&'static str, String)>,
        cursor: Option<i64>,
        sink: FeedSink,
    ) -> LocalBoxFuture<'static, Problem>;

    /// Follows a run from a message on, until it has ended (`None`) or the connection breaks.
    fn follow_run(
        &self,
        headers: Vec<(&'static str, String)>,
        run: &RunId,
        after: Option<i64>,
        sink: RunSink,
    ) -> LocalBoxFuture<'static, Option<Problem>>;

    /// How the feed is connected.
    fn feed_kind(&self) -> FeedKind;

    /// The address of the core for other programs; none where no port is open.
    fn server(&self) -> Option<String> {
        None
    }

    /// Whether this is the window, with dialogs and preferences of its own.
    fn is_shell(&self) -> bool {
        self.feed_kind() == FeedKind::Polling
    }
}

/// Reads an answer: a value, or why not.
pub fn read<T: serde::de::DeserializeOwned>(path: &str, answer: &Answer) -> Result<T, Problem> {
    let text = accepted(path, answer)?;
    // `null` is what an answer without a body means.
    let text = if text.is_empty() { "null" } else { text };
    serde_json::from_str(text).map_err(|error| unreadable(path, &error))
}

/// The text of an answer that is no refusal.
pub fn accepted<'a>(path: &str, answer: &'a Answer) -> Result<&'a str, Problem> {
    let ok = (200..300).contains(&answer.status);
    // A server that knows nothing of the path answers with the page itself and status 200.
    if answer.content_type == "text/html" {
        return Err(Problem::Unreadable {
            path: path.to_owned(),
            why: format!("status {} and a page instead of data", answer.status),
        });
    }
    if ok {
        return Ok(&answer.body);
    }
    match serde_json::from_str::<Envelope>(&answer.body) {
        Ok(envelope) => Err(envelope.error.into()),
        Err(_) => Err(Problem::Unreadable {
            path: path.to_owned(),
            why: format!("status {} without an explanation", answer.status),
        }),
    }
}

fn unreadable(path: &str, error: &serde_json::Error) -> Problem {
    Problem::Unreadable { path: path.to_owned(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::error::Code;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer { status, content_type: content_type.into(), body: body.into() }
    }

    #[test]
    fn a_page_in_place_of_data_is_not_data() {
        let found = read::<Vec<i32>>("/api/v1/jobs", &answer(200, "text/html", "<!DOCTYPE html>"));
        assert!(matches!(found, Err(Problem::Unreadable { .. })));
    }

    #[test]
    fn a_refusal_keeps_its_code_and_its_fields() {
        let body = r#"{"error":{"code":"INVALID","message":"No.","traceId":"t1","retryable":false,
            "details":[{"field":"name","code":"EMPTY","message":"Give a name"}]}}"#;
        let problem = read::<()>("/x", &answer(422, "application/json", body)).unwrap_err();
        assert_eq!(problem.refused(), Some(Code::Invalid));
        assert_eq!(problem.of_field("name"), Some("Give a name"));
        assert_eq!(problem.trace(), Some("t1"));
    }

    #[test]
    fn an_empty_answer_reads_as_nothing() {
        assert_eq!(read::<Option<i32>>("/x", &answer(204, "", "")), Ok(None));
        assert!(read::<()>("/x", &answer(502, "text/plain", "Bad gateway")).is_err());
    }
}
