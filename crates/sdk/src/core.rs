//! The core itself: how it is, who asks, what it holds in sum, whether its history is sound.

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use bytes::Bytes;
use stella_contract::feature::{Feature, FeatureSwitch, SetFeature};
use stella_contract::history::ChainCheck;
use stella_contract::ids::WorkerId;
use stella_contract::overview::Overview;
use stella_contract::page::{Page, PageQuery};
use stella_contract::session::{OpenSession, OpenedSession, Ready, Session};
use stella_contract::worker::Worker;

/// The core a client speaks to.
#[derive(Debug, Clone, Copy)]
pub struct Core<'a>(&'a Client);

impl Client {
    /// The core itself.
    pub fn core(&self) -> Core<'_> {
        Core(self)
    }
}

impl<'a> Core<'a> {
    /// Whether the core answers requests, and what it still waits for.
    pub async fn ready(self) -> Result<Ready, Error> {
        self.0.get("/health/ready", &[]).await
    }

    /// Whether anything answers there at all.
    pub async fn live(self) -> Result<(), Error> {
        self.0.get_bytes("/health/live", &[]).await.map(|_| ())
    }

    /// One page of what can be switched off.
    pub async fn features(self, page: &PageQuery) -> Result<Page<FeatureSwitch>, Error> {
        self.0.get("/api/v1/features", &[page]).await
    }

    /// Switches a part of the product on or off.
    pub async fn set_feature(
        self,
        feature: Feature,
        wish: &SetFeature,
        write: &Write,
    ) -> Result<FeatureSwitch, Error> {
        self.0.post(&format!("/api/v1/features/{feature}:set"), wish, write).await
    }

    /// Where the document that describes every endpoint is, and of which version.
    pub async fn discover(self) -> Result<Bytes, Error> {
        self.0.get_bytes("/.well-known/openapi", &[]).await
    }

    /// Who is asking, as the core sees it.
    pub async fn session(self) -> Result<Session, Error> {
        self.0.get("/api/v1/session", &[]).await
    }

    /// Exchanges a one-time token for a session's.
    pub async fn open_session(self, one_time: &OpenSession) -> Result<OpenedSession, Error> {
        self.0.post("/api/v1/session:open", one_time, &Write::default()).await
    }

    /// The figures of the first page.
    pub async fn overview(self) -> Result<Overview, Error> {
        self.0.get("/api/v1/overview", &[]).await
    }

    /// Walks the history and says where it breaks.
    pub async fn verify_history(self) -> Result<ChainCheck, Error> {
        self.0.get("/api/v1/history/verify", &[]).await
    }

    /// The bytes of an artifact.
    pub async fn artifact(self, digest: &str) -> Result<Bytes, Error> {
        self.0.get_bytes(&format!("/api/v1/artifacts/{}", stella_contract::route::encode(digest)), &[]).await
    }

    /// The document that describes every endpoint.
    pub async fn openapi(self) -> Result<Bytes, Error> {
        self.0.get_bytes("/openapi/orchestrator.json", &[]).await
    }

    /// One page of the workers.
    pub async fn workers(self, page: &PageQuery) -> Result<Page<Worker>, Error> {
        self.0.get("/api/v1/workers", &[page]).await
    }

    /// Drains a worker: it takes nothing new.
    pub async fn drain_worker(self, id: &WorkerId, write: &Write) -> Result<Worker, Error> {
        self.0.post_nothing(&format!("/api/v1/workers/{id}:drain"), write).await
    }

    /// Lets a worker work again.
    pub async fn resume_worker(self, id: &WorkerId, write: &Write) -> Result<Worker, Error> {
        self.0.post_nothing(&format!("/api/v1/workers/{id}:resume"), write).await
    }

    /// Hears a worker no more, until it is resumed.
    pub async fn quarantine_worker(self, id: &WorkerId, write: &Write) -> Result<Worker, Error> {
        self.0.post_nothing(&format!("/api/v1/workers/{id}:quarantine"), write).await
    }

    /// Every worker.
    pub fn all_workers(self) -> Rows<'a, Worker> {
        rows(move |page| Box::pin(async move { self.workers(&page).await }))
    }
}
