//! What jobs left, by digest.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use bytes::Bytes;
use stella_bundle::digest;
use stella_contract::artifact::Artifact;
use stella_contract::scope::Scope;
use stella_ledger::artifacts;

/// What jobs left.
#[derive(Clone)]
pub struct Artifacts {
    engine: Engine,
}

impl Engine {
    /// What jobs left.
    pub fn artifacts(&self) -> Artifacts {
        Artifacts { engine: self.clone() }
    }
}

impl Artifacts {
    /// The bytes of an artifact of the caller's tenant.
    pub async fn read(&self, caller: &Caller, digest: &str) -> Result<Bytes, Error> {
        self.get(caller, digest).await?;
        self.engine.blobs().get(digest).await
    }
    /// The first artifact of the caller's tenant with these bytes.
    pub async fn get(&self, caller: &Caller, digest: &str) -> Result<Artifact, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, wanted) = (caller.tenant.clone(), digest.to_owned());
        let found: Option<Artifact> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move { Ok::<_, Error>(artifacts::by_digest(tx, &tenant, &wanted).await?) })
            })
            .await?;
        found.ok_or_else(|| Error::not_found("artifact", digest))
    }
}

/// SHA-256 of the sorted `name TAB digest LF` lines; `None` without artifacts.
pub(crate) fn outputs_hash<'a>(artifacts: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut lines: Vec<String> = artifacts.map(|(name, digest)| format!("{name}\t{digest}\n")).collect();
    if lines.is_empty() {
        return None;
    }
    lines.sort();
    Some(digest::of_bytes(lines.concat().as_bytes()))
}
