//! The endpoints of the runs workspace beside single runs, and of what can be switched off.

use super::client::{Api, Result, with_query};
use stella_contract::event::FeedEvent;
use stella_contract::feature::{Feature, FeatureSwitch, SetFeature};
use stella_contract::ids::RunId;
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::run_alert::RunAlerts;
use stella_contract::run_export::{ExportRuns, RunEscalation, RunEvidence, RunExport};
use stella_contract::run_trends::RunTrends;

impl Api {
    /// How runs have been doing for a day.
    pub async fn run_trends(&self) -> Result<RunTrends> {
        self.get("/api/v1/runs/trends".into()).await
    }
    /// What is wrong with the scheduler now.
    pub async fn run_alerts(&self) -> Result<RunAlerts> {
        self.get("/api/v1/runs/alerts".into()).await
    }
    /// What runs went through lately, the newest first.
    pub async fn run_events(&self, page: &PageQuery) -> Result<Page<FeedEvent>> {
        self.get(with_query("/api/v1/runs/events", &(), page)?).await
    }
    /// Runs as a file.
    pub async fn export_runs(&self, wish: &ExportRuns) -> Result<RunExport> {
        self.get(with_query("/api/v1/runs/export", wish, &())?).await
    }
    /// A page of what a run's segments left.
    pub async fn run_evidence(&self, id: &RunId, page: &PageQuery) -> Result<Page<RunEvidence>> {
        self.get(with_query(&format!("/api/v1/runs/{id}/evidence"), &(), page)?).await
    }
    /// A text for whoever is asked for help with a run.
    pub async fn run_escalation(&self, id: &RunId) -> Result<RunEscalation> {
        self.get(format!("/api/v1/runs/{id}/escalation")).await
    }
    /// What can be switched off, and how it stands.
    pub async fn features(&self) -> Result<Page<FeatureSwitch>> {
        self.get("/api/v1/features".into()).await
    }
    /// Switches a part of the product on or off.
    pub async fn set_feature(
        &self,
        feature: Feature,
        wish: SetFeature,
        cause: &Cause,
    ) -> Result<FeatureSwitch> {
        self.post_json(format!("/api/v1/features/{feature}:set"), &wish, cause).await
    }
}
