//! Causes of which nobody is called. What fails is written down, counted and shown all the same; only the spike is not
//! told to windows and others outside.

use super::DeadLetters;
use crate::caller::Caller;
use crate::error::Error;
use crate::journal::{Draft, Journal, Tiding};
use crate::page;
use serde_json::json;
use stella_contract::dead_letter::{Mute, MuteCause, UnmuteCause};
use stella_contract::error::Code;
use stella_contract::ids::Tenant;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::mutes::{self, MuteRow};
use stella_ledger::{LedgerError, Tx};

/// The noun under which history and feed speak of causes.
const ENTITY: &str = "dead_letter_cluster";

impl DeadLetters {
    /// The mutes that are in force, by cause.
    pub async fn mutes(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Mute>, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        let rows = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| {
                Box::pin(async move { mutes::in_force(tx, tenant.as_str(), now.0).await })
            })
            .await?;
        let mutes = rows.into_iter().map(view).collect();
        page::cut(&("mutes", &caller.tenant), query, mutes, |mute: &Mute| mute.fingerprint.clone())
    }

    /// Calls nobody of this cause, for good or until a time. A second time says anew until when.
    pub async fn mute(&self, caller: &Caller, wish: MuteCause) -> Result<Mute, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let fingerprint = checked(&wish.fingerprint)?;
        let (engine, caller) = (self.engine.clone(), caller.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    if wish.until.is_some_and(|until| until <= now) {
                        return Err(Error::invalid("until", "lies in the future"));
                    }
                    let row = MuteRow {
                        tenant: caller.tenant.as_str().to_owned(),
                        fingerprint,
                        until: wish.until.map(|until| until.0),
                        reason: caller.cause.reason.clone(),
                        ticket: caller.cause.ticket.clone(),
                        muted_by: caller.subject.clone(),
                        muted_at: now.0,
                    };
                    mutes::put(tx, &row).await?;
                    note(tx, &caller, &row, "orch.deadletter.muted", now);
                    Ok(view(row))
                })
            })
            .await
    }

    /// Calls again of this cause; the answer is the mute that ended.
    pub async fn unmute(&self, caller: &Caller, wish: UnmuteCause) -> Result<Mute, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let fingerprint = checked(&wish.fingerprint)?;
        let (engine, caller) = (self.engine.clone(), caller.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let tenant = caller.tenant.as_str();
                    let before = mutes::in_force(tx, tenant, now.0).await?;
                    let Some(row) = before.into_iter().find(|row| row.fingerprint == fingerprint) else {
                        return Err(Error::not_found("muted cause", &fingerprint));
                    };
                    mutes::remove(tx, tenant, &fingerprint).await?;
                    note(tx, &caller, &row, "orch.deadletter.unmuted", now);
                    Ok(view(row))
                })
            })
            .await
    }
}

/// The causes of a tenant of which nobody is called now.
pub(crate) async fn silent(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Vec<String>, LedgerError> {
    let rows = mutes::in_force(tx, tenant.as_str(), now.0).await?;
    Ok(rows.into_iter().map(|row| row.fingerprint).collect())
}

fn checked(fingerprint: &str) -> Result<String, Error> {
    let is_hex = fingerprint.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if fingerprint.len() == 16 && is_hex {
        return Ok(fingerprint.to_owned());
    }
    Err(Error::new(
        Code::Invalid,
        format!("`{fingerprint}` is not the fingerprint of a cause: 16 hex digits."),
    ))
}

fn note(tx: &mut Tx, caller: &Caller, row: &MuteRow, kind: &str, now: Micros) {
    let mut journal = Journal::default();
    let said = json!({ "fingerprint": row.fingerprint, "until": row.until.map(Micros) });
    journal.enter(
        &caller.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: ENTITY,
            kind: kind.to_owned(),
            from_state: None,
            to_state: None,
            attempt: None,
            lease_epoch: None,
            actor: caller.actor(),
            cause: caller.cause.clone(),
            correlation_id: caller.correlation_id.clone(),
            occurred_at: now,
            data: said.clone(),
        },
    );
    journal.tell(
        &caller.tenant,
        Tiding {
            kind: kind.to_owned(),
            entity: ENTITY,
            id: row.fingerprint.clone(),
            run_id: None,
            correlation_id: caller.correlation_id.clone(),
            at: now,
            data: said,
        },
    );
    journal.leave(tx);
}

fn view(row: MuteRow) -> Mute {
    Mute {
        fingerprint: row.fingerprint,
        until: row.until.map(Micros),
        reason: row.reason,
        ticket: row.ticket,
        muted_by: row.muted_by,
        muted_at: Micros(row.muted_at),
    }
}
