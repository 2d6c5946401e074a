//! Targets: SBOMs come in, are listed and looked at.

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::impact::refuse_controls;
use crate::journal::{Draft, Journal, Tiding};
use crate::page;
use crate::sbom::{self, Prepared};
use bytes::Bytes;
use serde_json::json;
use std::collections::HashMap;
use stella_contract::ids::{TargetId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::target::{SbomImported, SbomPlace, Target, TargetFilter};
use stella_contract::time::Micros;
use stella_ledger::targets::{self, TargetRow, TargetSearch};
use stella_ledger::{LedgerError, Tx, components, impact, key_of_uuid};

/// SBOMs and what they describe.
#[derive(Clone)]
pub struct Targets {
    engine: Engine,
}

impl Engine {
    /// SBOMs and what they describe.
    pub fn targets(&self) -> Targets {
        Targets { engine: self.clone() }
    }
}

/// Who stores SBOMs and why, for the history.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) tenant: Tenant,
    pub(crate) by: By,
    pub(crate) correlation_id: String,
    pub(crate) at: Micros,
}

/// What became of one SBOM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) row: TargetRow,
    pub(crate) change: Change,
}

/// How an SBOM relates to what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// There was no such target.
    Created,
    /// It took the place of another SBOM, or the target moved.
    Replaced,
    /// These very bytes were there, in this very place.
    Unchanged,
}

impl Change {
    const fn kind(self) -> &'static str {
        match self {
            Self::Created => "orch.target.created",
            Self::Replaced => "orch.target.replaced",
            Self::Unchanged => "orch.target.unchanged",
        }
    }
}

impl Targets {
    /// Takes an SBOM in. The target it becomes, its components and the impact index change together.
    pub async fn import(
        &self,
        caller: &Caller,
        place: SbomPlace,
        bytes: Bytes,
    ) -> Result<SbomImported, Error> {
        caller.demand_write(Scope::OrchSubmit)?;
        let tenant = caller.tenant.clone();
        let prepared = tokio::task::spawn_blocking(move || sbom::prepare(tenant.as_str(), &place, &bytes))
            .await
            .map_err(Error::internal)??;
        let warnings = prepared.warnings.clone();
        let origin = Origin {
            tenant: caller.tenant.clone(),
            by: By { actor: caller.actor(), cause: caller.cause.clone() },
            correlation_id: caller.correlation_id.clone(),
            at: self.engine.now(),
        };
        let stored = store(&self.engine, origin, vec![prepared]).await?;
        let stored = stored.into_iter().next().ok_or_else(|| Error::internal("one SBOM in, none stored"))?;
        Ok(SbomImported {
            target: view(stored.row)?,
            created: stored.change == Change::Created,
            unchanged: stored.change == Change::Unchanged,
            warnings,
        })
    }

    /// Targets by name, version and id.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &TargetFilter,
        query: &PageQuery,
    ) -> Result<Page<Target>, Error> {
        caller.demand(Scope::OrchRead)?;
        refuse_controls("q", &filter.q)?;
        refuse_controls("namespace", &filter.namespace)?;
        let after: Option<(String, String, String)> = page::after(filter, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), filter.clone(), i64::from(query.size()) + 1);
        let (rows, count) = self
            .engine
            .ledger()
            .read(|tx| {
                Box::pin(async move {
                    let search = TargetSearch {
                        namespace: wanted.namespace.as_deref(),
                        part_of_name: wanted.q.as_deref().map(str::trim).filter(|part| !part.is_empty()),
                    };
                    let after = after
                        .as_ref()
                        .map(|(name, version, id)| (name.as_str(), version.as_str(), id.as_str()));
                    let rows = targets::list(tx, tenant.as_str(), search, after, limit).await?;
                    let count = targets::total(tx, tenant.as_str(), search).await?;
                    Ok::<_, LedgerError>((rows, count))
                })
            })
            .await?;
        let items = rows.into_iter().map(view).collect::<Result<Vec<_>, _>>()?;
        page::of(filter, query, items, page::total(count), |target| {
            (target.name.clone(), target.version.clone(), target.target_id.as_str().to_owned())
        })
    }

    /// One target.
    pub async fn get(&self, caller: &Caller, target_id: &TargetId) -> Result<Target, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, key) = (caller.tenant.clone(), key_of_uuid(target_id.uuid()));
        let row = self
            .engine
            .ledger()
            .read(|tx| Box::pin(async move { targets::get(tx, tenant.as_str(), key).await }))
            .await?;
        match row.filter(|row| row.target_id == target_id.as_str()) {
            Some(row) => view(row),
            None => Err(Error::not_found("target", target_id)),
        }
    }
}

/// Stores SBOMs of one tenant in one transaction and answers in their order. No two may have the same identity.
pub(crate) async fn store(
    engine: &Engine,
    origin: Origin,
    mut prepared: Vec<Prepared>,
) -> Result<Vec<Stored>, Error> {
    for one in &mut prepared {
        let uuid = engine.uuid(origin.at);
        one.row.target_key = key_of_uuid(&uuid);
        one.row.target_id = TargetId::from_uuid(&uuid).as_str().to_owned();
        (one.row.created_at, one.row.updated_at) = (origin.at.0, origin.at.0);
    }
    engine.ledger().write(move |tx| Box::pin(async move { write(tx, &origin, prepared).await })).await
}

async fn write(tx: &mut Tx, origin: &Origin, prepared: Vec<Prepared>) -> Result<Vec<Stored>, Error> {
    let tenant = origin.tenant.as_str();
    let identities: Vec<&str> = prepared.iter().map(|one| one.row.identity.as_str()).collect();
    let existing = targets::by_identities(tx, tenant, &identities).await?;
    let mut existing: HashMap<String, TargetRow> =
        existing.into_iter().map(|row| (row.identity.clone(), row)).collect();

    let mut stored = Vec::with_capacity(prepared.len());
    let mut refilled: Vec<&Prepared> = Vec::new();
    let mut written = Vec::new();
    for one in &prepared {
        let before = existing.remove(&one.row.identity);
        let holds_others = before.as_ref().is_none_or(|before| before.sbom_digest != one.row.sbom_digest);
        let outcome = settle(&one.row, before);
        if outcome.change != Change::Unchanged {
            written.push(outcome.row.clone());
        }
        if holds_others {
            refilled.push(one);
        }
        stored.push(outcome);
    }
    if written.is_empty() {
        return Ok(stored);
    }
    targets::upsert_many(tx, &written).await?;
    let grown = refill(tx, tenant, &refilled, &stored).await?;
    impact::sboms_changed(tx, tenant, grown, origin.at.0).await?;
    note(origin, &stored).leave(tx);
    Ok(stored)
}

/// The row as it is to be: what the SBOM says over what an evaluation left.
fn settle(new: &TargetRow, before: Option<TargetRow>) -> Stored {
    let Some(before) = before else { return Stored { row: new.clone(), change: Change::Created } };
    let row = TargetRow {
        target_key: before.target_key,
        target_id: before.target_id.clone(),
        labels: before.labels.clone(),
        findings: before.findings,
        critical: before.critical,
        last_run_id: before.last_run_id.clone(),
        created_at: before.created_at,
        ..new.clone()
    };
    if (TargetRow { updated_at: before.updated_at, ..row.clone() }) == before {
        return Stored { row: before, change: Change::Unchanged };
    }
    Stored { row, change: Change::Replaced }
}

/// Gives the targets their components; by how many rows the index grew.
async fn refill(
    tx: &mut Tx,
    tenant: &str,
    refilled: &[&Prepared],
    stored: &[Stored],
) -> Result<i64, LedgerError> {
    let keys: HashMap<&str, i64> =
        stored.iter().map(|stored| (stored.row.identity.as_str(), stored.row.target_key)).collect();
    let packages: Vec<_> = refilled.iter().flat_map(|one| one.packages.iter().cloned()).collect();
    let held: Vec<(i64, Vec<&str>)> = refilled
        .iter()
        .filter_map(|one| {
            let key = keys.get(one.row.identity.as_str())?;
            Some((*key, one.packages.iter().map(|package| package.digest.as_str()).collect()))
        })
        .collect();
    components::replace_many(tx, tenant, &packages, &held).await
}

fn note(origin: &Origin, stored: &[Stored]) -> Journal {
    let mut journal = Journal::default();
    for one in stored.iter().filter(|one| one.change != Change::Unchanged) {
        let data = json!({
            "targetId": one.row.target_id,
            "name": one.row.name,
            "version": one.row.version,
            "digest": one.row.digest,
            "sbomDigest": one.row.sbom_digest,
            "components": one.row.component_count,
        });
        journal.enter(
            &origin.tenant,
            Draft {
                job_id: None,
                run_id: None,
                entity: "target",
                kind: one.change.kind().to_owned(),
                from_state: None,
                to_state: None,
                attempt: None,
                lease_epoch: None,
                actor: origin.by.actor.clone(),
                cause: origin.by.cause.clone(),
                correlation_id: origin.correlation_id.clone(),
                occurred_at: origin.at,
                data: data.clone(),
            },
        );
        journal.tell(
            &origin.tenant,
            Tiding {
                kind: one.change.kind().to_owned(),
                entity: "target",
                id: one.row.target_id.clone(),
                run_id: None,
                correlation_id: origin.correlation_id.clone(),
                at: origin.at,
                data,
            },
        );
    }
    journal
}

/// A row as every door shows it.
pub(crate) fn view(row: TargetRow) -> Result<Target, Error> {
    let corrupt = |column| LedgerError::corrupt("targets", column, row.target_key);
    let last_run_id = match &row.last_run_id {
        Some(text) => Some(text.parse().map_err(|_| corrupt("last_run_id"))?),
        None => None,
    };
    Ok(Target {
        target_id: row.target_id.parse().map_err(|_| corrupt("target_id"))?,
        tenant: row.tenant.parse().map_err(|_| corrupt("tenant"))?,
        labels: serde_json::from_str(&row.labels).map_err(|_| corrupt("labels"))?,
        last_run_id,
        name: row.name,
        version: row.version,
        digest: row.digest,
        is_image: row.is_image != 0,
        namespace: row.namespace,
        repository: row.repository,
        sbom_format: row.sbom_format,
        sbom_digest: row.sbom_digest,
        component_count: row.component_count,
        skipped_components: row.skipped_components,
        findings: row.findings,
        critical: row.critical,
        created_at: Micros(row.created_at),
        updated_at: Micros(row.updated_at),
    })
}
