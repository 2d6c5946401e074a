//! Sources (spec 03 §3.2).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::ids::SourceId;
use stella_contract::job::Job;
use stella_contract::page::{Page, PageQuery};
use stella_contract::source::{AddSource, RunSource, Source};

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
    pub async fn list(self, page: &PageQuery) -> Result<Page<Source>, Error> {
        self.0.get(SOURCES, &[page]).await
    }

    /// Every source.
    pub fn all(self) -> Rows<'a, Source> {
        rows(move |page| Box::pin(async move { self.list(&page).await }))
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
}
