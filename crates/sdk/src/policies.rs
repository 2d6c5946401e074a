//! Policies and follow-up runs (spec 11 §11.3, 05 §5.1).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use bytes::Bytes;
use stella_contract::ids::{PolicySnapshotId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::policy::{
    AddPolicy, CheckPolicy, PolicyCheck, PolicyDiff, PolicyDiffQuery, PolicyDocument, PolicyPromotion,
    PolicySnapshot, PromotePolicy,
};
use stella_contract::trigger::{
    ChangeTrigger, SIGNATURE_HEADER, Trigger, TriggerKind, WebhookSecret, WebhookTaken,
};

const POLICIES: &str = "/api/v1/policies";
const TRIGGERS: &str = "/api/v1/triggers";

/// The policies of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Policies<'a>(&'a Client);

/// The rules of follow-up runs of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Triggers<'a>(&'a Client);

impl Client {
    /// The tenant's policies.
    pub fn policies(&self) -> Policies<'_> {
        Policies(self)
    }

    /// The tenant's rules of follow-up runs.
    pub fn triggers(&self) -> Triggers<'_> {
        Triggers(self)
    }
}

impl<'a> Policies<'a> {
    /// One page of the snapshots, newest first.
    pub async fn list(self, page: &PageQuery) -> Result<Page<PolicySnapshot>, Error> {
        self.0.get(POLICIES, &[page]).await
    }

    /// Every snapshot, newest first.
    pub fn all(self) -> Rows<'a, PolicySnapshot> {
        rows(move |page| Box::pin(async move { self.list(&page).await }))
    }

    /// One snapshot with its rules.
    pub async fn get(self, id: &PolicySnapshotId) -> Result<PolicyDocument, Error> {
        self.0.get(&format!("{POLICIES}/{id}"), &[]).await
    }

    /// What is wrong with a policy, and what it would say of the findings there are.
    pub async fn check(self, wish: &CheckPolicy) -> Result<PolicyCheck, Error> {
        self.0.post(&format!("{POLICIES}:validate"), wish, &Write::default()).await
    }

    /// Adds a snapshot; equal rules are the same snapshot.
    pub async fn add(self, wish: &AddPolicy, write: &Write) -> Result<PolicySnapshot, Error> {
        self.0.post(POLICIES, wish, write).await
    }

    /// What differs between two snapshots.
    pub async fn diff(self, which: &PolicyDiffQuery) -> Result<PolicyDiff, Error> {
        self.0.get(&format!("{POLICIES}/diff"), &[which]).await
    }

    /// Makes a snapshot the active one.
    pub async fn promote(
        self,
        id: &PolicySnapshotId,
        wish: &PromotePolicy,
        write: &Write,
    ) -> Result<PolicyPromotion, Error> {
        self.0.post(&format!("{POLICIES}/{id}:promote"), wish, write).await
    }

    /// One page of the promotions, newest first.
    pub async fn promotions(self, page: &PageQuery) -> Result<Page<PolicyPromotion>, Error> {
        self.0.get(&format!("{POLICIES}/promotions"), &[page]).await
    }
}

impl Triggers<'_> {
    /// The rules, one per kind.
    pub async fn list(self) -> Result<Page<Trigger>, Error> {
        self.0.get(TRIGGERS, &[]).await
    }

    /// Changes a rule.
    pub async fn change(
        self,
        kind: TriggerKind,
        wish: &ChangeTrigger,
        write: &Write,
    ) -> Result<Trigger, Error> {
        self.0.post(&format!("{TRIGGERS}/{kind}:update"), wish, write).await
    }

    /// Makes a new secret for what others send; it is shown this once.
    pub async fn rotate_secret(self, kind: TriggerKind, write: &Write) -> Result<WebhookSecret, Error> {
        self.0.post_nothing(&format!("{TRIGGERS}/{kind}:rotateSecret"), write).await
    }

    /// Sends what was published, byte for byte, with its signature.
    pub async fn deliver(
        self,
        tenant: &Tenant,
        kind: TriggerKind,
        signature: &str,
        body: Bytes,
    ) -> Result<WebhookTaken, Error> {
        let path = format!("/api/v1/webhooks/{tenant}/{kind}");
        self.0.post_signed(&path, (SIGNATURE_HEADER, signature), body).await
    }
}
