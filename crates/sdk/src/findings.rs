//! Findings (spec 11 §11.3).

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Rows, rows};
use crate::transport::ByteStream;
use stella_contract::finding::{ExplainQuery, Explanation, Finding, FindingFilter};
use stella_contract::page::{Page, PageQuery};

const FINDINGS: &str = "/api/v1/findings";

/// The findings of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Findings<'a>(&'a Client);

impl Client {
    /// The tenant's findings.
    pub fn findings(&self) -> Findings<'_> {
        Findings(self)
    }
}

impl<'a> Findings<'a> {
    /// One page of the findings that the filter lets through.
    pub async fn list(self, filter: &FindingFilter, page: &PageQuery) -> Result<Page<Finding>, Error> {
        self.0.get(FINDINGS, &[filter, page]).await
    }

    /// Every finding that the filter lets through.
    pub fn all(self, filter: FindingFilter) -> Rows<'a, Finding> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// The findings that the filter lets through as CSV, in pieces as they come.
    pub async fn export(self, filter: &FindingFilter) -> Result<ByteStream, Error> {
        self.0.open_document(&format!("{FINDINGS}/export"), &[filter]).await
    }

    /// Why a finding stands.
    pub async fn explain(self, which: &ExplainQuery) -> Result<Explanation, Error> {
        self.0.get(&format!("{FINDINGS}/explain"), &[which]).await
    }
}
