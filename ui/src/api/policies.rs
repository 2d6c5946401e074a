//! The endpoints of policies, follow-up runs, and what is said of products.

use super::client::{Api, Result, with_query};
use super::transport::accepted;
use stella_contract::api::Method;
use stella_contract::finding::FindingFilter;
use stella_contract::ids::PolicySnapshotId;
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::policy::{
    AddPolicy, CheckPolicy, PolicyCheck, PolicyDiff, PolicyDiffQuery, PolicyDocument, PolicyPromotion,
    PolicySnapshot, PromotePolicy,
};
use stella_contract::trigger::{ChangeTrigger, Trigger, TriggerKind, WebhookSecret};
use stella_contract::vex::{VexFilter, VexStatement};

impl Api {
    /// A page of policy snapshots, newest first.
    pub async fn policies(&self, page: &PageQuery) -> Result<Page<PolicySnapshot>> {
        self.get(with_query("/api/v1/policies", &(), page)?).await
    }
    /// One snapshot with its rules.
    pub async fn policy(&self, id: &PolicySnapshotId) -> Result<PolicyDocument> {
        self.get(format!("/api/v1/policies/{id}")).await
    }
    /// What is wrong with a policy, and what it would say of the findings there are.
    pub async fn check_policy(&self, wish: &CheckPolicy) -> Result<PolicyCheck> {
        self.post_json("/api/v1/policies:validate".into(), wish, &Cause::default()).await
    }
    /// Adds a snapshot.
    pub async fn add_policy(&self, wish: &AddPolicy, cause: &Cause) -> Result<PolicySnapshot> {
        self.post_json("/api/v1/policies".into(), wish, cause).await
    }
    /// What differs between two snapshots.
    pub async fn diff_policies(&self, which: &PolicyDiffQuery) -> Result<PolicyDiff> {
        self.get(with_query("/api/v1/policies/diff", which, &())?).await
    }
    /// Makes a snapshot the active one.
    pub async fn promote_policy(
        &self,
        id: &PolicySnapshotId,
        wish: &PromotePolicy,
        cause: &Cause,
    ) -> Result<PolicyPromotion> {
        self.post_json(format!("/api/v1/policies/{id}:promote"), wish, cause).await
    }
    /// A page of promotions, newest first.
    pub async fn promotions(&self, page: &PageQuery) -> Result<Page<PolicyPromotion>> {
        self.get(with_query("/api/v1/policies/promotions", &(), page)?).await
    }

    /// The rules of follow-up runs.
    pub async fn triggers(&self) -> Result<Page<Trigger>> {
        self.get("/api/v1/triggers".into()).await
    }
    /// Changes a rule of follow-up runs.
    pub async fn change_trigger(
        &self,
        kind: TriggerKind,
        wish: &ChangeTrigger,
        cause: &Cause,
    ) -> Result<Trigger> {
        self.post_json(format!("/api/v1/triggers/{kind}:update"), wish, cause).await
    }
    /// Makes a new secret for what others send; it is told this once.
    pub async fn rotate_webhook_secret(&self, kind: TriggerKind, cause: &Cause) -> Result<WebhookSecret> {
        self.post(format!("/api/v1/triggers/{kind}:rotateSecret"), None, cause).await
    }

    /// A page of VEX statements.
    pub async fn vex(&self, filter: &VexFilter, page: &PageQuery) -> Result<Page<VexStatement>> {
        self.get(with_query("/api/v1/vex", filter, page)?).await
    }
    /// The findings that match, as CSV.
    pub async fn export_findings(&self, filter: &FindingFilter) -> Result<String> {
        let path = with_query("/api/v1/findings/export", filter, &())?;
        let answer = self.send(Method::Get, path.clone(), None, &Cause::default()).await?;
        accepted(&path, &answer).map(str::to_owned)
    }
}
