//! Targets and the SBOMs that make them (spec 11 §11.1).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use bytes::Bytes;
use stella_contract::ids::TargetId;
use stella_contract::page::{Page, PageQuery};
use stella_contract::target::{SbomImported, SbomPlace, Target, TargetFilter};

const TARGETS: &str = "/api/v1/targets";

/// The targets of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a>(&'a Client);

impl Client {
    /// The tenant's targets.
    pub fn targets(&self) -> Targets<'_> {
        Targets(self)
    }
}

impl<'a> Targets<'a> {
    /// One page of the targets that the filter lets through.
    pub async fn list(self, filter: &TargetFilter, page: &PageQuery) -> Result<Page<Target>, Error> {
        self.0.get(TARGETS, &[filter, page]).await
    }

    /// Every target that the filter lets through.
    pub fn all(self, filter: TargetFilter) -> Rows<'a, Target> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// One target.
    pub async fn get(self, id: &TargetId) -> Result<Target, Error> {
        self.0.get(&format!("{TARGETS}/{id}"), &[]).await
    }

    /// Brings in an SBOM, byte for byte.
    pub async fn import(self, place: &SbomPlace, sbom: Bytes, write: &Write) -> Result<SbomImported, Error> {
        self.0.post_bytes("/api/v1/sboms", &[place], sbom, write).await
    }
}
