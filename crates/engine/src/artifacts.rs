//! What jobs left, by digest.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::page;
use bytes::Bytes;
use stella_bundle::{canonical, digest};
use stella_contract::artifact::Artifact;
use stella_contract::error::Code;
use stella_contract::ids::JobId;
use stella_contract::lease::LARGEST_JSON_ARTIFACT;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_ledger::{artifacts, jobs};

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

/// The longest name of an artifact, in bytes.
const LONGEST_NAME: usize = 200;

impl Artifacts {
    /// What a job left, by name.
    pub async fn of_job(
        &self,
        caller: &Caller,
        id: &JobId,
        query: &PageQuery,
    ) -> Result<Page<Artifact>, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let found: Vec<Artifact> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    if jobs::get(tx, &tenant, &wanted).await?.is_none() {
                        return Err(Error::not_found("job", &wanted));
                    }
                    Ok::<_, Error>(artifacts::of_job(tx, &tenant, &wanted).await?)
                })
            })
            .await?;
        page::cut(&("artifacts", id), query, found, |artifact: &Artifact| artifact.name.clone())
    }
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

/// A name stands in paths, headers and the lines of the outputs hash.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let is_plain = |c: char| !c.is_control() && c != '/' && c != '\\';
    if name.is_empty()
        || name.len() > LONGEST_NAME
        || name == "."
        || name == ".."
        || !name.chars().all(is_plain)
    {
        let why = format!("has 1 to {LONGEST_NAME} bytes without control characters and slashes");
        return Err(Error::invalid("name", why));
    }
    Ok(())
}

/// Whether artifacts of this media type are kept in their canonical form.
pub(crate) fn is_json(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The bytes as they are kept and hashed: JSON in its canonical form, everything else as it is.
pub(crate) fn canonical_form(name: &str, media_type: &str, bytes: Bytes) -> Result<Bytes, Error> {
    if !is_json(media_type) {
        return Ok(bytes);
    }
    if bytes.len() as u64 > LARGEST_JSON_ARTIFACT {
        return Err(too_large(name, LARGEST_JSON_ARTIFACT));
    }
    let unfit = |error: &dyn std::fmt::Display| {
        Error::invalid("artifacts", format!("`{name}` is said to be {media_type} and is not"))
            .with_private(error)
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| unfit(&error))?;
    Ok(Bytes::from(canonical::to_vec(&value).map_err(|error| unfit(&error))?))
}

/// An artifact of more bytes than are kept.
pub(crate) fn too_large(name: &str, most: u64) -> Error {
    let sentence = format!("Artifact `{name}` has more than {most} bytes. Split it.");
    Error::new(Code::PayloadTooLarge, sentence)
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
