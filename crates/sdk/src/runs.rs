//! Runs (spec 05 §5.3–5.6).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use crate::run_stream::RunStream;
use stella_contract::event::{FeedEvent, RunMessages, RunMessagesQuery};
use stella_contract::finding::FindingChange;
use stella_contract::ids::{RunId, SegmentId};
use stella_contract::page::{Page, PageQuery};
use stella_contract::preview::{Preview, PreviewRequest};
use stella_contract::run::{RetryRun, Run, RunFilter, StartRun};
use stella_contract::run_alert::RunAlerts;
use stella_contract::run_diff::{DiffQuery, FindingPair, RunDiff, SegmentPair};
use stella_contract::run_export::{ExportRuns, RunEscalation, RunEvidence, RunExport};
use stella_contract::run_trends::RunTrends;
use stella_contract::segment::Segment;

const RUNS: &str = "/api/v1/runs";

/// The runs of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a>(&'a Client);

impl Client {
    /// The tenant's runs.
    pub fn runs(&self) -> Runs<'_> {
        Runs(self)
    }
}

impl<'a> Runs<'a> {
    /// One page of the runs that the filter lets through.
    pub async fn list(self, filter: &RunFilter, page: &PageQuery) -> Result<Page<Run>, Error> {
        self.0.get(RUNS, &[filter, page]).await
    }

    /// Every run that the filter lets through.
    pub fn all(self, filter: RunFilter) -> Rows<'a, Run> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// One run.
    pub async fn get(self, id: &RunId) -> Result<Run, Error> {
        self.0.get(&format!("{RUNS}/{id}"), &[]).await
    }

    /// One page of a run's segments.
    pub async fn segments(self, id: &RunId, page: &PageQuery) -> Result<Page<Segment>, Error> {
        self.0.get(&format!("{RUNS}/{id}/segments"), &[page]).await
    }

    /// Every segment of a run.
    pub fn all_segments(self, id: RunId) -> Rows<'a, Segment> {
        rows(move |page| {
            let id = id.clone();
            Box::pin(async move { self.segments(&id, &page).await })
        })
    }

    /// One page of what a run changed.
    pub async fn deltas(self, id: &RunId, page: &PageQuery) -> Result<Page<FindingChange>, Error> {
        self.0.get(&format!("{RUNS}/{id}/deltas"), &[page]).await
    }

    /// Everything a run changed.
    pub fn all_deltas(self, id: RunId) -> Rows<'a, FindingChange> {
        rows(move |page| {
            let id = id.clone();
            Box::pin(async move { self.deltas(&id, &page).await })
        })
    }

    /// What a run told since a number; waits for news as long as the query says.
    pub async fn messages(self, id: &RunId, query: RunMessagesQuery) -> Result<RunMessages, Error> {
        let path = format!("{RUNS}/{id}/messages");
        self.0.get_slow(&path, &[&query], query.max_wait_ms.unwrap_or(0)).await
    }

    /// Everything a run tells, live, after this number or from a snapshot on; broken connections are made anew.
    pub fn stream(self, id: RunId, last_id: Option<i64>) -> RunStream {
        RunStream::new(self.0.clone(), id, last_id)
    }

    /// How the tenant's runs have been doing for a day.
    pub async fn trends(self) -> Result<RunTrends, Error> {
        self.0.get(&format!("{RUNS}/trends"), &[]).await
    }

    /// What is wrong with the scheduler now.
    pub async fn alerts(self) -> Result<RunAlerts, Error> {
        self.0.get(&format!("{RUNS}/alerts"), &[]).await
    }

    /// One page of what runs went through, newest first.
    pub async fn events(self, page: &PageQuery) -> Result<Page<FeedEvent>, Error> {
        self.0.get(&format!("{RUNS}/events"), &[page]).await
    }

    /// Runs as a file with its manifest.
    pub async fn export(self, wish: &ExportRuns) -> Result<RunExport, Error> {
        self.0.get(&format!("{RUNS}/export"), &[wish]).await
    }

    /// One page of what a run's segments left.
    pub async fn evidence(self, id: &RunId, page: &PageQuery) -> Result<Page<RunEvidence>, Error> {
        self.0.get(&format!("{RUNS}/{id}/evidence"), &[page]).await
    }

    /// A text for whoever is asked for help with a run.
    pub async fn escalation(self, id: &RunId) -> Result<RunEscalation, Error> {
        self.0.get(&format!("{RUNS}/{id}/escalation"), &[]).await
    }

    /// What a run would touch.
    pub async fn preview(self, wish: &PreviewRequest) -> Result<Preview, Error> {
        self.0.post(&format!("{RUNS}:preview"), wish, &Write::default()).await
    }

    /// Starts a run.
    pub async fn start(self, wish: &StartRun, write: &Write) -> Result<Run, Error> {
        self.0.post(RUNS, wish, write).await
    }

    /// Cancels a run; a run that is already cancelled stays so.
    pub async fn cancel(self, id: &RunId, write: &Write) -> Result<Run, Error> {
        self.0.post_nothing(&format!("{RUNS}/{id}:cancel"), write).await
    }

    /// Repeats a finished run; the answer is the new one.
    pub async fn retry(self, id: &RunId, how: &RetryRun, write: &Write) -> Result<Run, Error> {
        self.0.post(&format!("{RUNS}/{id}:retry"), how, write).await
    }

    /// Has a failed segment of a running run evaluated once more.
    pub async fn retry_segment(self, id: &SegmentId, write: &Write) -> Result<Segment, Error> {
        self.0.post_nothing(&format!("/api/v1/segments/{id}:retry"), write).await
    }

    /// A run held against another.
    pub async fn diff(self, id: &RunId, query: &DiffQuery) -> Result<RunDiff, Error> {
        self.0.get(&format!("{RUNS}/{id}/diff"), &[query]).await
    }

    /// One page of the segments of two runs, place by place.
    pub async fn diff_segments(
        self,
        id: &RunId,
        query: &DiffQuery,
        page: &PageQuery,
    ) -> Result<Page<SegmentPair>, Error> {
        self.0.get(&format!("{RUNS}/{id}/diff/segments"), &[query, page]).await
    }

    /// One page of the findings that differ between two runs.
    pub async fn diff_findings(
        self,
        id: &RunId,
        query: &DiffQuery,
        page: &PageQuery,
    ) -> Result<Page<FindingPair>, Error> {
        self.0.get(&format!("{RUNS}/{id}/diff/findings"), &[query, page]).await
    }

    /// Every finding that differs between two runs.
    pub fn all_diff_findings(self, id: RunId, query: DiffQuery) -> Rows<'a, FindingPair> {
        rows(move |page| {
            let (id, query) = (id.clone(), query.clone());
            Box::pin(async move { self.diff_findings(&id, &query, &page).await })
        })
    }
}
