//! Runs held against each other, and segments done once more.

use super::client::{Api, Result, with_query};
use stella_contract::ids::{RunId, SegmentId};
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::run_diff::{DiffQuery, FindingPair, RunDiff, SegmentPair};
use stella_contract::segment::Segment;

impl Api {
    /// A run held against another.
    pub async fn run_diff(&self, id: &RunId, query: &DiffQuery) -> Result<RunDiff> {
        self.get(with_query(&format!("/api/v1/runs/{id}/diff"), query, &())?).await
    }
    /// A page of the segments of two runs, place by place.
    pub async fn run_diff_segments(
        &self,
        id: &RunId,
        query: &DiffQuery,
        page: &PageQuery,
    ) -> Result<Page<SegmentPair>> {
        self.get(with_query(&format!("/api/v1/runs/{id}/diff/segments"), query, page)?).await
    }
    /// A page of the findings that differ between two runs.
    pub async fn run_diff_findings(
        &self,
        id: &RunId,
        query: &DiffQuery,
        page: &PageQuery,
    ) -> Result<Page<FindingPair>> {
        self.get(with_query(&format!("/api/v1/runs/{id}/diff/findings"), query, page)?).await
    }
    /// Has a failed segment of a running run evaluated once more.
    pub async fn retry_segment(&self, id: &SegmentId, cause: &Cause) -> Result<Segment> {
        self.post(format!("/api/v1/segments/{id}:retry"), None, cause).await
    }
}
