//! The endpoints of a source's reading: watermarks, holding, trying, and reading again.

use super::client::{Api, Result, with_query};
use stella_contract::backfill::{Backfill, BackfillFilter, BackfillWindow, CreateBackfill, StartBackfill};
use stella_contract::ids::{BackfillId, SourceId};
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::source::{Source, SourceTested, UpdateSource};
use stella_contract::watermark::{ResetWatermark, SkipWindow, Watermark, Watermarks};

/// What an operator may do to a backfill beside starting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackfillVerb {
    /// Makes no more jobs.
    Pause,
    /// Goes on.
    Resume,
    /// Ends it and its jobs.
    Cancel,
}

impl BackfillVerb {
    /// As the address and the command line spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}

impl Api {
    /// How far a source has been read.
    pub async fn watermarks(&self, id: &SourceId) -> Result<Watermarks> {
        self.get(format!("/api/v1/sources/{id}/watermarks")).await
    }
    /// One dry look at a source.
    pub async fn test_source(&self, id: &SourceId) -> Result<SourceTested> {
        self.post(format!("/api/v1/sources/{id}:test"), None, &Cause::default()).await
    }
    /// Changes how a source is read.
    pub async fn update_source(&self, id: &SourceId, wish: &UpdateSource, cause: &Cause) -> Result<Source> {
        self.post_json(format!("/api/v1/sources/{id}:update"), wish, cause).await
    }
    /// Holds a source.
    pub async fn pause_source(&self, id: &SourceId, cause: &Cause) -> Result<Source> {
        self.post(format!("/api/v1/sources/{id}:pause"), None, cause).await
    }
    /// Lets a source go on.
    pub async fn resume_source(&self, id: &SourceId, cause: &Cause) -> Result<Source> {
        self.post(format!("/api/v1/sources/{id}:resume"), None, cause).await
    }
    /// Sends a source's low watermark back.
    pub async fn reset_watermark(
        &self,
        id: &SourceId,
        wish: &ResetWatermark,
        cause: &Cause,
    ) -> Result<Watermark> {
        self.post_json(format!("/api/v1/sources/{id}:resetWatermark"), wish, cause).await
    }
    /// Lets a window pass unread.
    pub async fn skip_window(&self, id: &SourceId, wish: &SkipWindow, cause: &Cause) -> Result<Watermark> {
        self.post_json(format!("/api/v1/sources/{id}:skipWindow"), wish, cause).await
    }

    /// A page of backfills.
    pub async fn backfills(&self, filter: &BackfillFilter, page: &PageQuery) -> Result<Page<Backfill>> {
        self.get(with_query("/api/v1/backfills", filter, page)?).await
    }
    /// One backfill.
    pub async fn backfill(&self, id: &BackfillId) -> Result<Backfill> {
        self.get(format!("/api/v1/backfills/{id}")).await
    }
    /// A page of a backfill's windows.
    pub async fn backfill_windows(&self, id: &BackfillId, page: &PageQuery) -> Result<Page<BackfillWindow>> {
        self.get(with_query(&format!("/api/v1/backfills/{id}/windows"), &(), page)?).await
    }
    /// Asks for a backfill; nothing is read before it is previewed and started.
    pub async fn create_backfill(&self, wish: &CreateBackfill, cause: &Cause) -> Result<Backfill> {
        self.post_json("/api/v1/backfills".into(), wish, cause).await
    }
    /// What a backfill would do.
    pub async fn preview_backfill(&self, id: &BackfillId, cause: &Cause) -> Result<Backfill> {
        self.post(format!("/api/v1/backfills/{id}:preview"), None, cause).await
    }
    /// Starts what was previewed.
    pub async fn start_backfill(
        &self,
        id: &BackfillId,
        wish: &StartBackfill,
        cause: &Cause,
    ) -> Result<Backfill> {
        self.post_json(format!("/api/v1/backfills/{id}:start"), wish, cause).await
    }
    /// Holds a backfill, lets it go on, or ends it.
    pub async fn steer_backfill(
        &self,
        id: &BackfillId,
        verb: BackfillVerb,
        cause: &Cause,
    ) -> Result<Backfill> {
        self.post(format!("/api/v1/backfills/{id}:{}", verb.as_str()), None, cause).await
    }
}
