//! Sources (spec 03 §3.2).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::ids::SourceId;
use stella_contract::job::Job;
use stella_contract::page::{Page, PageQuery};
use stella_contract::source::{AddSource, RunSource, Source, SourceFilter, SourceTested, UpdateSource};
use stella_contract::vex::{VexFilter, VexStatement};
use stella_contract::watermark::{ResetWatermark, SkipWindow, Watermark, Watermarks};

const SOURCES: &str = "/api/v1/sources";

/// The sources of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a>(&'a Client);

impl Client {
    /// The tenant's sources.
    pub fn sources(&self) -> Sources<'_> {
        Sources(self)
    }
}

impl<'a> Sources<'a> {
    /// One page of the sources.
    pub async fn list(self, filter: &SourceFilter, page: &PageQuery) -> Result<Page<Source>, Error> {
        self.0.get(SOURCES, &[filter, page]).await
    }

    /// Every source.
    pub fn all(self) -> Rows<'a, Source> {
        rows(move |page| Box::pin(async move { self.list(&SourceFilter::default(), &page).await }))
    }

    /// One source.
    pub async fn get(self, id: &SourceId) -> Result<Source, Error> {
        self.0.get(&format!("{SOURCES}/{id}"), &[]).await
    }

    /// Adds a source.
    pub async fn add(self, wish: &AddSource, write: &Write) -> Result<Source, Error> {
        self.0.post(SOURCES, wish, write).await
    }

    /// Has a source read now; the answer is the job that does it.
    pub async fn run(self, id: &SourceId, wish: &RunSource, write: &Write) -> Result<Job, Error> {
        self.0.post(&format!("{SOURCES}/{id}:run"), wish, write).await
    }

    /// Looks at a source once; nothing is kept.
    pub async fn test(self, id: &SourceId, write: &Write) -> Result<SourceTested, Error> {
        self.0.post_nothing(&format!("{SOURCES}/{id}:test"), write).await
    }

    /// Changes a source.
    pub async fn update(self, id: &SourceId, wish: &UpdateSource, write: &Write) -> Result<Source, Error> {
        self.0.post(&format!("{SOURCES}/{id}:update"), wish, write).await
    }

    /// Holds a source and its backfills.
    pub async fn pause(self, id: &SourceId, write: &Write) -> Result<Source, Error> {
        self.0.post_nothing(&format!("{SOURCES}/{id}:pause"), write).await
    }

    /// Lets a source go on.
    pub async fn resume(self, id: &SourceId, write: &Write) -> Result<Source, Error> {
        self.0.post_nothing(&format!("{SOURCES}/{id}:resume"), write).await
    }

    /// How far a source has been read, with the map of its gaps.
    pub async fn watermarks(self, id: &SourceId) -> Result<Watermarks, Error> {
        self.0.get(&format!("{SOURCES}/{id}/watermarks"), &[]).await
    }

    /// Sends the low watermark of a source back.
    pub async fn reset_watermark(
        self,
        id: &SourceId,
        wish: &ResetWatermark,
        write: &Write,
    ) -> Result<Watermark, Error> {
        self.0.post(&format!("{SOURCES}/{id}:resetWatermark"), wish, write).await
    }

    /// Lets a window pass unread.
    pub async fn skip_window(
        self,
        id: &SourceId,
        wish: &SkipWindow,
        write: &Write,
    ) -> Result<Watermark, Error> {
        self.0.post(&format!("{SOURCES}/{id}:skipWindow"), wish, write).await
    }

    /// One page of what is said of vulnerabilities in products.
    pub async fn vex(self, filter: &VexFilter, page: &PageQuery) -> Result<Page<VexStatement>, Error> {
        self.0.get("/api/v1/vex", &[filter, page]).await
    }
}
