//! A run watched live: the server's events, over every broken connection, until the run has ended (spec 05 §5.9).

use crate::client::Client;
use crate::error::{Error, Fault};
use crate::sse::{Event, Parser};
use crate::transport::ByteStream;
use futures::stream::{BoxStream, Stream, StreamExt as _};
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use stella_contract::error::Code;
use stella_contract::event::{RunMessage, RunMessageBody, RunMessagesQuery};
use stella_contract::ids::RunId;

/// A live server is never silent for so long: it sends a heartbeat every 15 s.
const SILENCE: Duration = Duration::from_secs(45);
/// The longest wait between two attempts to connect.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// How long one question for news waits where there is no stream.
const POLL_MS: u64 = 25_000;
/// After so many attempts in a row without a message the watcher is told.
const ATTEMPTS_MAX: u32 = 12;

/// What a run tells. It ends after the run's `end`, or with the error that cannot be waited out.
pub struct RunStream(BoxStream<'static, Result<RunMessage, Error>>);

impl std::fmt::Debug for RunStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunStream")
    }
}

impl Stream for RunStream {
    type Item = Result<RunMessage, Error>;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl RunStream {
    pub(crate) fn new(client: Client, run: RunId, last_id: Option<i64>) -> Self {
        let watch = Watch {
            client,
            path: format!("/console/runs/{run}/stream"),
            run,
            way: Way::Stream,
            last_id: last_id.map(|id| id.to_string()),
            line: None,
            waiting: VecDeque::new(),
            failures: 0,
            over: false,
        };
        let messages = futures::stream::unfold(watch, |mut watch| async move {
            let next = watch.next().await?;
            watch.over |= match &next {
                Ok(message) => matches!(message.body, RunMessageBody::End { .. }),
                Err(_) => true,
            };
            Some((next, watch))
        });
        Self(messages.boxed())
    }
}

/// How news come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As they happen.
    Stream,
    /// They are asked for, because streams are switched off on this server.
    Poll,
}

struct Watch {
    client: Client,
    run: RunId,
    path: String,
    way: Way,
    last_id: Option<String>,
    line: Option<Line>,
    waiting: VecDeque<Event>,
    failures: u32,
    over: bool,
}

struct Line {
    bytes: ByteStream,
    parser: Parser,
}

impl Watch {
    async fn next(&mut self) -> Option<Result<RunMessage, Error>> {
        if self.over {
            return None;
        }
        loop {
            if let Some(event) = self.waiting.pop_front() {
                match self.message(&event) {
                    Some(message) => return Some(message),
                    None => continue,
                }
            }
            let heard = match self.way {
                Way::Stream => self.listen().await,
                Way::Poll => self.ask().await,
            };
            if let Err(error) = heard
                && let Err(error) = self.recover(error).await
            {
                return Some(Err(error));
            }
        }
    }

    /// Brings the next events, over a new connection if there is none.
    async fn listen(&mut self) -> Result<(), Error> {
        let line = match &mut self.line {
            Some(line) => line,
            None => {
                let bytes = self.client.open(&self.path, self.last_id.as_deref()).await?;
                self.line.insert(Line { bytes, parser: Parser::default() })
            }
        };
        let piece =
            tokio::time::timeout(SILENCE, line.bytes.next()).await.map_err(|_| Error::Timeout(SILENCE))?;
        let piece = piece.unwrap_or_else(|| {
            Err(Error::transport(Fault::Broken, "The stream ended before the run did."))
        })?;
        self.waiting.extend(line.parser.feed(&piece));
        Ok(())
    }

    /// Asks for the messages after the last one, and waits for them there.
    async fn ask(&mut self) -> Result<(), Error> {
        let after = self.last_id.as_deref().and_then(|id| id.parse().ok());
        let query = RunMessagesQuery { after, max_wait_ms: Some(POLL_MS) };
        for message in self.client.runs().messages(&self.run, query).await?.items {
            let data = serde_json::to_string(&message)
                .map_err(|error| Error::transport(Fault::Unreadable, error.to_string()))?;
            let (id, name) = (message.seq.to_string(), message.body.name().to_owned());
            self.waiting.push_back(Event { id, name, data });
        }
        Ok(())
    }

    /// Waits 1, 2, 4 … 30 s before the next attempt. What the server refuses for good is not tried again.
    async fn recover(&mut self, error: Error) -> Result<(), Error> {
        self.line = None;
        self.failures += 1;
        let told = match &error {
            Error::Problem(problem) if problem.code == Code::FeatureOff && self.way == Way::Stream => {
                self.way = Way::Poll;
                return Ok(());
            }
            Error::Problem(problem) if !problem.retryable => return Err(error),
            Error::Problem(problem) => problem.retry_after_ms.map(Duration::from_millis),
            Error::Transport { fault: Fault::Unsendable, .. } => return Err(error),
            Error::Transport { .. } | Error::Timeout(_) => None,
        };
        if self.failures >= ATTEMPTS_MAX {
            return Err(error);
        }
        let wait = told.unwrap_or_else(|| backoff(self.failures)).min(WAIT_MAX);
        tracing::debug!(failures = self.failures, wait_s = wait.as_secs(), %error, "the stream broke");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// A name this version does not know is passed over, so that a newer server can say more.
    fn message(&mut self, event: &Event) -> Option<Result<RunMessage, Error>> {
        self.failures = 0;
        if !event.id.is_empty() {
            self.last_id = Some(event.id.clone());
        }
        if !NAMES.contains(&event.name.as_str()) {
            return None;
        }
        Some(serde_json::from_str(&event.data).map_err(|error| {
            let what = format!(
                "The event `{}` cannot be read: {error}. Is the server of another version?",
                event.name
            );
            Error::transport(Fault::Unreadable, what)
        }))
    }
}

/// The names of [`RunMessageBody`].
const NAMES: &[&str] =
    &["snapshot", "stateChanged", "segmentProgress", "deltaSummary", "log", "heartbeat", "reset", "end"];

fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(5)).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;
    use bytes::Bytes;
    use futures::TryStreamExt as _;
    use http::{Request, Response};
    use std::sync::{Arc, Mutex};
    use stella_contract::run::RunState;

    /// Plays one script per connection and keeps the ids it was asked to go on from.
    #[derive(Debug, Default)]
    struct Stage {
        scripts: Mutex<VecDeque<Script>>,
        asked: Mutex<Vec<Option<String>>>,
    }

    #[derive(Debug)]
    enum Script {
        Says(Vec<&'static str>),
        SaysAndHangs(Vec<&'static str>),
        Refuses(u16, &'static str),
        IsGone,
    }

    #[async_trait::async_trait]
    impl Transport for Stage {
        async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, Error> {
            let last_id = request.headers().get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
            self.asked.lock().unwrap().push(last_id);
            let pieces = |said: Vec<&'static str>| {
                futures::stream::iter(said.into_iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))))
            };
            match self.scripts.lock().unwrap().pop_front().expect("no more connections are expected") {
                Script::Says(said) => Ok(Response::new(pieces(said).boxed())),
                Script::SaysAndHangs(said) => {
                    Ok(Response::new(pieces(said).chain(futures::stream::pending()).boxed()))
                }
                Script::Refuses(status, body) => {
                    let answer = Response::builder().status(status).body(pieces(vec![body]).boxed());
                    Ok(answer.unwrap())
                }
                Script::IsGone => Err(Error::transport(Fault::Unreachable, "It is gone.")),
            }
        }
    }

    async fn watch(scripts: Vec<Script>) -> (Result<Vec<RunMessage>, Error>, Vec<Option<String>>) {
        let stage = Arc::new(Stage { scripts: Mutex::new(scripts.into()), asked: Mutex::default() });
        let client = Client::over(stage.clone(), None, "acme".parse().unwrap());
        let run = "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap();
        let messages = client.runs().stream(run, None).try_collect().await;
        let asked = stage.asked.lock().unwrap().clone();
        (messages, asked)
    }

    const STARTED: &str = "id: 2\nevent: stateChanged\ndata: {\"seq\":2,\"at\":\"2026-11-21T14:28:15.204Z\",\
         \"event\":\"stateChanged\",\"from\":\"queued\",\"to\":\"running\"}\n\n";
    const ENDED: &str = "id: 3\nevent: end\ndata: {\"seq\":3,\"at\":\"2026-11-21T14:28:16.204Z\",\
         \"event\":\"end\",\"state\":\"completed\"}\n\n";

    fn numbers(messages: &[RunMessage]) -> Vec<i64> {
        messages.iter().map(|message| message.seq).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_breaks_goes_on_after_the_last_number_seen() {
        let (messages, asked) = watch(vec![
            Script::Says(vec![&STARTED[..40], &STARTED[40..], "id: 3\nevent: end\nda"]),
            Script::IsGone,
            Script::Says(vec![ENDED]),
        ])
        .await;
        let messages = messages.unwrap();
        assert_eq!(numbers(&messages), [2, 3]);
        assert_eq!(messages[1].body, RunMessageBody::End { state: RunState::Completed });
        assert_eq!(asked, [None, Some("2".to_owned()), Some("2".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_is_left_and_made_anew() {
        let (messages, asked) =
            watch(vec![Script::SaysAndHangs(vec![STARTED]), Script::Says(vec![ENDED])]).await;
        assert_eq!(numbers(&messages.unwrap()), [2, 3]);
        assert_eq!(asked.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn where_streams_are_switched_off_the_messages_are_asked_for() {
        let off =
            r#"{"error":{"code":"FEATURE_OFF","message":"It is off.","traceId":"t","retryable":false}}"#;
        let said = r#"{"items":[{"seq":2,"at":"2026-11-21T14:28:15.204Z","event":"stateChanged","from":"queued","to":"running"}],"ended":false}"#;
        let last = r#"{"items":[{"seq":3,"at":"2026-11-21T14:28:16.204Z","event":"end","state":"completed"}],"ended":true}"#;
        let (messages, asked) =
            watch(vec![Script::Refuses(409, off), Script::Says(vec![said]), Script::Says(vec![last])]).await;
        assert_eq!(numbers(&messages.unwrap()), [2, 3]);
        assert_eq!(asked.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_newer_server_says_is_passed_over() {
        let newer = "id: 9\nevent: weather\ndata: sunny\n\n: comment\n\n";
        let (messages, _) = watch(vec![Script::Says(vec![newer, ENDED])]).await;
        assert_eq!(numbers(&messages.unwrap()), [3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_for_good_ends_the_watch_at_once() {
        let body =
            r#"{"error":{"code":"NOT_FOUND","message":"No such run.","traceId":"t","retryable":false}}"#;
        let (messages, asked) = watch(vec![Script::Refuses(404, body)]).await;
        assert_eq!(messages.unwrap_err().to_string(), "No such run. (NOT_FOUND)");
        assert_eq!(asked.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_away_is_given_up() {
        let (messages, asked) = watch((0..ATTEMPTS_MAX).map(|_| Script::IsGone).collect()).await;
        assert_eq!(messages.unwrap_err().to_string(), "It is gone.");
        assert_eq!(asked.len(), ATTEMPTS_MAX as usize);
    }

    #[test]
    fn the_waits_double_up_to_half_a_minute() {
        let waits: Vec<u64> = (1..9).map(|failures| backoff(failures).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn every_message_the_contract_knows_is_read() {
        let bodies = [
            RunMessageBody::Heartbeat {},
            RunMessageBody::Reset {},
            RunMessageBody::End { state: RunState::Error },
        ];
        assert!(bodies.iter().all(|body| NAMES.contains(&body.name())));
        assert_eq!(NAMES.len(), 8);
    }
}
