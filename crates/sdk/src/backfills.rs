//! Backfills (spec 03 §3.4).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::backfill::{Backfill, BackfillFilter, BackfillWindow, CreateBackfill, StartBackfill};
use stella_contract::ids::BackfillId;
use stella_contract::page::{Page, PageQuery};

const BACKFILLS: &str = "/api/v1/backfills";

/// The backfills of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Backfills<'a>(&'a Client);

impl Client {
    /// The tenant's backfills.
    pub fn backfills(&self) -> Backfills<'_> {
        Backfills(self)
    }
}

impl<'a> Backfills<'a> {
    /// One page of the backfills that match.
    pub async fn list(self, filter: &BackfillFilter, page: &PageQuery) -> Result<Page<Backfill>, Error> {
        self.0.get(BACKFILLS, &[filter, page]).await
    }

    /// One backfill.
    pub async fn get(self, id: &BackfillId) -> Result<Backfill, Error> {
        self.0.get(&format!("{BACKFILLS}/{id}"), &[]).await
    }

    /// One page of the windows of a backfill.
    pub async fn windows(self, id: &BackfillId, page: &PageQuery) -> Result<Page<BackfillWindow>, Error> {
        self.0.get(&format!("{BACKFILLS}/{id}/windows"), &[page]).await
    }

    /// Every window of a backfill.
    pub fn all_windows(self, id: &'a BackfillId) -> Rows<'a, BackfillWindow> {
        rows(move |page| Box::pin(async move { self.windows(id, &page).await }))
    }

    /// Drafts a backfill.
    pub async fn create(self, wish: &CreateBackfill, write: &Write) -> Result<Backfill, Error> {
        self.0.post(BACKFILLS, wish, write).await
    }

    /// Says what a backfill would do; a start needs the digest of it.
    pub async fn preview(self, id: &BackfillId, write: &Write) -> Result<Backfill, Error> {
        self.verb(id, "preview", write).await
    }

    /// Starts a backfill on the preview that was looked at.
    pub async fn start(
        self,
        id: &BackfillId,
        wish: &StartBackfill,
        write: &Write,
    ) -> Result<Backfill, Error> {
        self.0.post(&format!("{BACKFILLS}/{id}:start"), wish, write).await
    }

    /// Holds a backfill.
    pub async fn pause(self, id: &BackfillId, write: &Write) -> Result<Backfill, Error> {
        self.verb(id, "pause", write).await
    }

    /// Lets a backfill go on.
    pub async fn resume(self, id: &BackfillId, write: &Write) -> Result<Backfill, Error> {
        self.verb(id, "resume", write).await
    }

    /// Stops a backfill and its jobs.
    pub async fn cancel(self, id: &BackfillId, write: &Write) -> Result<Backfill, Error> {
        self.verb(id, "cancel", write).await
    }

    async fn verb(self, id: &BackfillId, verb: &str, write: &Write) -> Result<Backfill, Error> {
        self.0.post_nothing(&format!("{BACKFILLS}/{id}:{verb}"), write).await
    }
}
