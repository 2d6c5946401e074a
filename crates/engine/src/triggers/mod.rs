//! Follow-up runs: what comes in is gathered, and a run over what it touches follows. A burst of readings makes one run.
//!
//! | file | holds |
//! |---|---|
//! | `follow` | gathered keys become a run |
//! | `webhook` | what others send, signed |

pub(crate) mod follow;
mod webhook;

pub use webhook::Delivery;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::impact;
use crate::journal::{Draft, Journal, Tiding};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use stella_contract::error::Code;
use stella_contract::history::Actor;
use stella_contract::ids::Tenant;
use stella_contract::job::Cause;
use stella_contract::run::RunMode;
use stella_contract::scope::Scope;
use stella_contract::source::SourceType;
use stella_contract::time::Micros;
use stella_contract::trigger::{
    ChangeTrigger, TRIGGER_INTERVAL_S, Trigger, TriggerKind, TriggerScope, WebhookSecret,
};
use stella_evaluator::Purl;
use stella_ledger::triggers::{self, Keys, TriggerRow};
use stella_ledger::{LedgerError, Tx};

/// The least time between two runs when nothing is said.
const INTERVAL_S: i64 = 60;
/// Bytes of a secret.
const SECRET_BYTES: usize = 32;

/// Follow-up rules.
#[derive(Clone)]
pub struct Triggers {
    engine: Engine,
}

impl Engine {
    /// Follow-up rules.
    pub fn triggers(&self) -> Triggers {
        Triggers { engine: self.clone() }
    }
}

impl Triggers {
    /// The rules of the tenant, one per kind.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Trigger>, Error> {
        caller.demand(Scope::RunsRead)?;
        let tenant = caller.tenant.clone();
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                let rows = triggers::of_tenant(tx, &tenant).await?;
                let gathered = triggers::gathered(tx, &tenant).await?;
                let mut all = Vec::with_capacity(TriggerKind::ALL.len());
                for kind in TriggerKind::ALL.iter().copied() {
                    let row = rows.iter().find(|row| row.kind == kind).cloned();
                    let keys = gathered.iter().find(|(name, _)| name == kind.as_str());
                    let keys = keys.map_or(0, |(_, count)| *count);
                    all.push(view(row.unwrap_or_else(|| unset(&tenant, kind)), keys));
                }
                Ok(all)
            })
        });
        Ok(read.await?)
    }

    /// Changes a rule, if it still has this version.
    pub async fn change(
        &self,
        caller: &Caller,
        kind: TriggerKind,
        wish: ChangeTrigger,
        version: Option<i64>,
    ) -> Result<Trigger, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let (least, most) = TRIGGER_INTERVAL_S;
        if wish.min_interval_s.is_some_and(|seconds| !(least..=most).contains(&seconds)) {
            return Err(Error::invalid("minIntervalS", format!("{least} to {most} seconds")));
        }
        let (caller, now) = (caller.clone(), self.engine.now());
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                let mut row = of(tx, &caller.tenant, kind).await?;
                if version.is_some_and(|version| version != row.version) {
                    return Err(changed());
                }
                row.enabled = wish.enabled.unwrap_or(row.enabled);
                row.mode = wish.mode.unwrap_or(row.mode);
                row.scope = wish.scope.unwrap_or(row.scope);
                row.min_interval_s = wish.min_interval_s.unwrap_or(row.min_interval_s);
                store(tx, &mut row).await?;
                let said = json!({
                    "kind": kind,
                    "enabled": row.enabled,
                    "mode": row.mode,
                    "scope": row.scope,
                    "minIntervalS": row.min_interval_s,
                });
                note(tx, &caller, kind, "scheduler.trigger.updated", said, now);
                let gathered = triggers::gathered(tx, &caller.tenant).await?;
                let keys = gathered.iter().find(|(name, _)| name == kind.as_str());
                Ok(view(row, keys.map_or(0, |(_, count)| *count)))
            })
        });
        write.await
    }

    /// Makes a new secret for what others send; the one before no longer holds. Nobody can ask for it again.
    pub async fn rotate_secret(&self, caller: &Caller, kind: TriggerKind) -> Result<WebhookSecret, Error> {
        caller.demand_write(Scope::RunsManage)?;
        let mut bytes = [0_u8; SECRET_BYTES];
        self.engine.chance().fill(&mut bytes);
        let secret = format!("whs_{}", hex::encode(bytes));
        let (caller, now, kept) = (caller.clone(), self.engine.now(), secret.clone());
        let write = self.engine.ledger().write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let mut row = of(tx, &caller.tenant, kind).await?;
                row.secret = Some(kept);
                row.secret_made_at = Some(now);
                store(tx, &mut row).await?;
                note(tx, &caller, kind, "scheduler.trigger.secret_rotated", json!({ "kind": kind }), now);
                Ok(())
            })
        });
        write.await?;
        Ok(WebhookSecret { kind, secret, made_at: now })
    }
}

async fn of(tx: &mut Tx, tenant: &Tenant, kind: TriggerKind) -> Result<TriggerRow, LedgerError> {
    Ok(triggers::get(tx, tenant, kind).await?.unwrap_or_else(|| unset(tenant, kind)))
}

async fn store(tx: &mut Tx, row: &mut TriggerRow) -> Result<(), Error> {
    if !triggers::store(tx, row).await? {
        return Err(changed());
    }
    row.version += 1;
    Ok(())
}

fn changed() -> Error {
    Error::new(Code::VersionMismatch, "The rule changed since it was read. Read it again.")
}

/// A rule that nobody wrote down yet: switched off.
fn unset(tenant: &Tenant, kind: TriggerKind) -> TriggerRow {
    TriggerRow {
        tenant: tenant.clone(),
        kind,
        enabled: false,
        mode: RunMode::AnalysisOnly,
        scope: TriggerScope::Changed,
        min_interval_s: INTERVAL_S,
        everything: false,
        pending_since: None,
        last_run_id: None,
        last_run_at: None,
        secret: None,
        secret_made_at: None,
        last_delivery_at: None,
        version: 0,
    }
}

fn view(row: TriggerRow, pending_keys: i64) -> Trigger {
    Trigger {
        kind: row.kind,
        enabled: row.enabled,
        mode: row.mode,
        scope: row.scope,
        min_interval_s: row.min_interval_s,
        pending_keys,
        pending_since: row.pending_since,
        next_run_at: row.pending_since.filter(|_| row.enabled).map(|since| follow::due(&row, since)),
        last_run_id: row.last_run_id,
        last_run_at: row.last_run_at,
        webhook_path: format!("/api/v1/webhooks/{}/{}", row.tenant, row.kind),
        webhook_secret_made_at: row.secret_made_at,
        last_delivery_at: row.last_delivery_at,
        version: row.version,
    }
}

/// What a reading changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Vulnerabilities or records.
    pub(crate) vuln_ids: Vec<String>,
    /// Packages of records that are gone or changed, by ecosystem and name.
    pub(crate) packages: Vec<(String, String)>,
}

impl Touched {
    /// These vulnerabilities.
    pub(crate) fn of(vuln_ids: impl IntoIterator<Item = String>) -> Self {
        Self { vuln_ids: vuln_ids.into_iter().collect(), packages: Vec::new() }
    }

    /// The keys of a run over it; what no key can be written for makes it a run over everything.
    fn keys(self) -> Keys {
        let mut keys = Keys::default();
        let ids: BTreeSet<String> = self.vuln_ids.iter().map(|id| id.to_ascii_uppercase()).collect();
        for id in ids {
            if impact::keys(&[], std::slice::from_ref(&id)).is_ok() {
                keys.vuln_ids.push(id);
            } else {
                keys.everything = true;
            }
        }
        for (ecosystem, name) in self.packages {
            match Purl::of_osv(&ecosystem, &name) {
                Some(purl) => keys.purls.push(purl.to_string()),
                None => keys.everything = true,
            }
        }
        keys
    }
}

/// What comes in with sources of this type.
fn kind_of(source_type: SourceType) -> Option<TriggerKind> {
    match source_type {
        SourceType::Advisory | SourceType::Kev => Some(TriggerKind::Concelier),
        SourceType::Vex => Some(TriggerKind::Excititor),
        SourceType::Sbom | SourceType::Registry | SourceType::Epss | SourceType::Custom => None,
    }
}

/// Gathers what a reading changed, when a run is to follow.
pub(crate) async fn gather(
    tx: &mut Tx,
    tenant: &Tenant,
    source_type: SourceType,
    touched: Touched,
    now: Micros,
) -> Result<(), LedgerError> {
    let Some(kind) = kind_of(source_type) else { return Ok(()) };
    if !triggers::get(tx, tenant, kind).await?.is_some_and(|row| row.enabled) {
        return Ok(());
    }
    let keys = touched.keys();
    if keys.is_none() {
        return Ok(());
    }
    triggers::gather(tx, tenant, kind, &keys, now).await?;
    tx.note_work();
    Ok(())
}

/// Writes down and tells what happened to a rule.
fn note(tx: &mut Tx, caller: &Caller, kind: TriggerKind, event: &str, said: Value, now: Micros) {
    let who = (caller.actor(), caller.cause.clone(), caller.correlation_id.clone());
    note_by(tx, &caller.tenant, who, kind, event, said, now);
}

fn note_by(
    tx: &mut Tx,
    tenant: &Tenant,
    (actor, cause, correlation_id): (Actor, Cause, String),
    kind: TriggerKind,
    event: &str,
    said: Value,
    now: Micros,
) {
    let mut journal = Journal::default();
    journal.enter(
        tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "trigger",
            kind: event.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor,
            cause,
            correlation_id: correlation_id.clone(),
            occurred_at: now,
            data: said.clone(),
        },
    );
    journal.tell(
        tenant,
        Tiding {
            kind: event.to_owned(),
            entity: "trigger",
            id: kind.as_str().to_owned(),
            run_id: None,
            correlation_id,
            at: now,
            data: said,
        },
    );
    journal.leave(tx);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_key_can_be_written_for_makes_it_a_run_over_everything() {
        let touched = Touched {
            vuln_ids: vec!["cve-2026-0001".to_owned(), "CVE-2026-0001".to_owned()],
            packages: vec![("PyPI".to_owned(), "ink".to_owned())],
        };
        let keys = touched.clone().keys();
        assert_eq!(keys.vuln_ids, ["CVE-2026-0001"]);
        assert_eq!(keys.purls, ["pkg:pypi/ink"]);
        assert!(!keys.everything);
        let odd = Touched { packages: vec![("Debian".to_owned(), "curl".to_owned())], ..touched.clone() };
        assert!(odd.keys().everything);
        assert!(Touched { vuln_ids: vec!["odd".to_owned()], ..touched }.keys().everything);
    }
}
