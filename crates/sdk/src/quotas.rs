//! Quotas (spec 02 §2.3).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use bytes::Bytes;
use stella_contract::ids::QuotaId;
use stella_contract::page::{Page, PageQuery};
use stella_contract::quota::{
    AddQuota, ChangeQuota, DrainEstimate, ExportQuery, PauseQuota, Quota, QuotaFilter, QuotaSummary, WhatIf,
};

const QUOTAS: &str = "/api/v1/quotas";

/// The quotas of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Quotas<'a>(&'a Client);

impl Client {
    /// The tenant's quotas.
    pub fn quotas(&self) -> Quotas<'_> {
        Quotas(self)
    }
}

impl<'a> Quotas<'a> {
    /// One page of the quotas that the filter lets through.
    pub async fn list(self, filter: &QuotaFilter, page: &PageQuery) -> Result<Page<Quota>, Error> {
        self.0.get(QUOTAS, &[filter, page]).await
    }

    /// Every quota that the filter lets through.
    pub fn all(self, filter: QuotaFilter) -> Rows<'a, Quota> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// One quota.
    pub async fn get(self, id: &QuotaId) -> Result<Quota, Error> {
        self.0.get(&format!("{QUOTAS}/{id}"), &[]).await
    }

    /// Makes a quota.
    pub async fn add(self, wish: &AddQuota, write: &Write) -> Result<Quota, Error> {
        self.0.post(QUOTAS, wish, write).await
    }

    /// Changes a quota.
    pub async fn change(self, id: &QuotaId, wish: &ChangeQuota, write: &Write) -> Result<Quota, Error> {
        self.0.post(&format!("{QUOTAS}/{id}:update"), wish, write).await
    }

    /// Lets nothing new start under a quota.
    pub async fn pause(self, id: &QuotaId, wish: &PauseQuota, write: &Write) -> Result<Quota, Error> {
        self.0.post(&format!("{QUOTAS}/{id}:pause"), wish, write).await
    }

    /// Lets jobs start under a quota again.
    pub async fn resume(self, id: &QuotaId, write: &Write) -> Result<Quota, Error> {
        self.0.post_nothing(&format!("{QUOTAS}/{id}:resume"), write).await
    }

    /// Takes a quota away; the answer is what it was.
    pub async fn delete(self, id: &QuotaId, write: &Write) -> Result<Quota, Error> {
        self.0.post_nothing(&format!("{QUOTAS}/{id}:delete"), write).await
    }

    /// All quotas in figures.
    pub async fn summary(self) -> Result<QuotaSummary, Error> {
        self.0.get(&format!("{QUOTAS}/summary"), &[]).await
    }

    /// A snapshot of all quotas, as the bytes of its JSON or CSV.
    pub async fn export(self, query: &ExportQuery) -> Result<Bytes, Error> {
        self.0.get_bytes(&format!("{QUOTAS}/export"), &[query]).await
    }

    /// When the backlog would be gone under another limit.
    pub async fn what_if(self, wish: &WhatIf) -> Result<DrainEstimate, Error> {
        self.0.post(&format!("{QUOTAS}:whatIf"), wish, &Write::default()).await
    }
}
