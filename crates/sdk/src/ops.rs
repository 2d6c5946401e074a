//! Figures, objectives, how job types and runs are doing, and events for others.

use crate::client::{Client, Write};
use crate::error::{Error, Fault};
use crate::pages::{Rows, rows};
use crate::sse::Parser;
use crate::transport::ByteStream;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::collections::VecDeque;
use std::time::Duration;
use stella_contract::cloud_event::CloudEvent;
use stella_contract::gantt::Gantt;
use stella_contract::ids::{RunId, SloId};
use stella_contract::page::{Page, PageQuery};
use stella_contract::slo::{ChangeSlo, MakeSlo, Slo};
use stella_contract::stats::JobStats;

/// A live server is never silent for so long: it sends a heartbeat every 15 s.
const SILENCE: Duration = Duration::from_secs(45);

/// What whoever watches the core asks.
#[derive(Debug, Clone, Copy)]
pub struct Ops<'a>(&'a Client);

impl Client {
    /// What whoever watches the core asks.
    pub fn ops(&self) -> Ops<'_> {
        Ops(self)
    }
}

impl<'a> Ops<'a> {
    /// All figures, in the text format 0.0.4.
    pub async fn metrics(self) -> Result<String, Error> {
        let bytes = self.0.get_bytes("/metrics", &[]).await?;
        String::from_utf8(bytes.into()).map_err(|error| {
            Error::transport(Fault::Unreadable, format!("The figures cannot be read: {error}."))
        })
    }

    /// How each job type is doing.
    pub async fn job_stats(self) -> Result<JobStats, Error> {
        self.0.get("/api/v1/jobs/stats", &[]).await
    }

    /// A run over time.
    pub async fn timeline(self, run: &RunId) -> Result<Gantt, Error> {
        self.0.get(&format!("/api/v1/runs/{run}/timeline"), &[]).await
    }

    /// One page of the objectives.
    pub async fn slos(self, page: &PageQuery) -> Result<Page<Slo>, Error> {
        self.0.get("/api/v1/slos", &[page]).await
    }

    /// Every objective.
    pub fn all_slos(self) -> Rows<'a, Slo> {
        rows(move |page| Box::pin(async move { self.slos(&page).await }))
    }

    /// One objective.
    pub async fn slo(self, id: &SloId) -> Result<Slo, Error> {
        self.0.get(&format!("/api/v1/slos/{id}"), &[]).await
    }

    /// Sets an objective.
    pub async fn make_slo(self, wish: &MakeSlo, write: &Write) -> Result<Slo, Error> {
        self.0.post("/api/v1/slos", wish, write).await
    }

    /// Changes an objective.
    pub async fn change_slo(self, id: &SloId, wish: &ChangeSlo, write: &Write) -> Result<Slo, Error> {
        self.0.post(&format!("/api/v1/slos/{id}:update"), wish, write).await
    }

    /// Takes an objective away.
    pub async fn delete_slo(self, id: &SloId, write: &Write) -> Result<Slo, Error> {
        self.0.post_nothing(&format!("/api/v1/slos/{id}:delete"), write).await
    }

    /// Events as CloudEvents, those after this number of the history, or from now on. The stream ends with the error that
    /// broke it; whoever wants more opens it again after the last number.
    pub async fn events(
        self,
        after: Option<i64>,
    ) -> Result<BoxStream<'static, Result<CloudEvent, Error>>, Error> {
        let after = after.map(|after| after.to_string());
        let bytes = self.0.open("/api/v1/events/stream?format=cloudevents", after.as_deref()).await?;
        let line = Line { bytes, parser: Parser::default(), waiting: VecDeque::new(), is_over: false };
        Ok(futures::stream::unfold(line, |mut line| async move {
            let next = line.next().await?;
            line.is_over = next.is_err();
            Some((next, line))
        })
        .boxed())
    }
}

struct Line {
    bytes: ByteStream,
    parser: Parser,
    waiting: VecDeque<CloudEvent>,
    is_over: bool,
}

impl Line {
    async fn next(&mut self) -> Option<Result<CloudEvent, Error>> {
        loop {
            if self.is_over {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                return Some(Ok(event));
            }
            let piece = match tokio::time::timeout(SILENCE, self.bytes.next()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Some(Err(error)),
                Ok(None) => return Some(Err(Error::transport(Fault::Broken, "The stream ended."))),
                Err(_) => return Some(Err(Error::Timeout(SILENCE))),
            };
            for event in self.parser.feed(&piece) {
                // Heartbeats carry no event.
                if event.name != "cloudevent" {
                    continue;
                }
                match serde_json::from_str(&event.data) {
                    Ok(event) => self.waiting.push_back(event),
                    Err(error) => {
                        let why = format!("An event cannot be read: {error}.");
                        return Some(Err(Error::transport(Fault::Unreadable, why)));
                    }
                }
            }
        }
    }
}
