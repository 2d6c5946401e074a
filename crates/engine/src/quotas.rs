//! Quotas as their operators see them: look, change, pause, export, and what a change would bring (spec 02 §2.3).

mod export;
mod outlook;
mod view;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::gate::refill;
use crate::journal::Journal;
use crate::limit_changes::{Change, demand_version, demand_within, note};
use crate::page;
pub use export::Export;
pub(crate) use outlook::most_active;
use stella_contract::error::Code;
use stella_contract::ids::QuotaId;
use stella_contract::page::{Page, PageQuery};
use stella_contract::quota::{
    AddQuota, ChangeQuota, EVERY_TYPE, PauseQuota, Quota, QuotaFilter, QuotaLimits,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::quotas::QuotaRow;
use stella_ledger::{LedgerError, Tx, quotas};
pub(crate) use view::{limits_of, put_limits, view};

/// The most of each figure.
const MOST_ACTIVE: i64 = 100_000;
const MOST_PER_HOUR: i64 = 10_000_000;
const MOST_BURST: i64 = 1_000_000;
const MOST_REFILL: f64 = 100_000.0;
const MOST_WEIGHT: i64 = 1_000;
/// A change goes back within a month.
const LONGEST_REVERT_MS: i64 = 31 * 24 * 3_600 * 1_000;

/// The quotas.
#[derive(Clone)]
pub struct Quotas {
    engine: Engine,
}

impl Engine {
    /// The quotas.
    pub fn quotas(&self) -> Quotas {
        Quotas { engine: self.clone() }
    }
}

impl Quotas {
    /// The quotas that match, by job type.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &QuotaFilter,
        query: &PageQuery,
    ) -> Result<Page<Quota>, Error> {
        caller.demand(Scope::OrchRead)?;
        let mut all = self.all(caller).await?;
        all.retain(|quota| {
            filter.job_type.as_ref().is_none_or(|job_type| *job_type == quota.job_type)
                && filter.paused.is_none_or(|paused| paused == quota.paused)
        });
        page::cut(&(&caller.tenant, filter), query, all, |quota| {
            (quota.job_type.clone(), quota.quota_id.as_str().to_owned())
        })
    }

    /// One quota.
    pub async fn get(&self, caller: &Caller, id: &QuotaId) -> Result<Quota, Error> {
        caller.demand(Scope::OrchRead)?;
        let all = self.all(caller).await?;
        all.into_iter().find(|quota| quota.quota_id == *id).ok_or_else(|| Error::not_found("quota", id))
    }

    /// Makes a quota. A second one for a job type is refused.
    pub async fn add(&self, caller: &Caller, wish: AddQuota) -> Result<Quota, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        check_job_type(&wish.job_type)?;
        let limits = wished(&wish);
        check(&limits)?;
        let (engine, caller) = (self.engine.clone(), caller.clone());
        let job_type = wish.job_type.clone();
        let made = self
            .engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let id = QuotaId::from_uuid(&engine.uuid(now));
                    let row = fresh(&caller, &id, &wish.job_type, &limits, now);
                    let quota = keep(&engine, tx, &caller, None, row, "orch.quota.created", now).await?;
                    Ok::<_, Error>(quota)
                })
            })
            .await;
        made.map_err(|error: Error| if error.code == Code::Conflict { taken(&job_type) } else { error })
    }

    /// Changes what a quota allows; with `revertAt` only until then.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &QuotaId,
        expected: Option<i64>,
        wish: ChangeQuota,
    ) -> Result<Quota, Error> {
        self.alter(caller, id, expected, "orch.quota.changed", move |row, now| {
            let before = limits_of(row)?;
            let after = changed(before, &wish);
            check(&after)?;
            put_limits(row, &after);
            row.tokens = row.tokens.min(as_real(row.burst));
            match wish.revert_at {
                // A change on top of one that goes back goes back to what was before both.
                Some(at) => {
                    if at <= now || at > now.plus_ms(LONGEST_REVERT_MS) {
                        return Err(Error::invalid("revertAt", "lies in the future, at most 31 days away"));
                    }
                    row.revert_at = Some(at.0);
                    if row.revert_to.is_none() {
                        row.revert_to = Some(serde_json::to_string(&before).map_err(Error::internal)?);
                    }
                }
                None => (row.revert_at, row.revert_to) = (None, None),
            }
            Ok(())
        })
        .await
    }

    /// Stops new leases under a quota; what runs goes on.
    pub async fn pause(
        &self,
        caller: &Caller,
        id: &QuotaId,
        expected: Option<i64>,
        wish: PauseQuota,
    ) -> Result<Quota, Error> {
        let cause = caller.cause.clone();
        self.alter(caller, id, expected, "orch.quota.paused", move |row, now| {
            if wish.until.is_some_and(|until| until <= now) {
                return Err(Error::invalid("until", "lies in the future"));
            }
            row.paused = 1;
            row.pause_reason = cause.reason;
            row.pause_ticket = cause.ticket;
            row.paused_until = wish.until.map(|until| until.0);
            Ok(())
        })
        .await
    }

    /// Lets new leases start again. A quota that is not paused is refused as `INVALID_TRANSITION`.
    pub async fn resume(&self, caller: &Caller, id: &QuotaId, expected: Option<i64>) -> Result<Quota, Error> {
        self.alter(caller, id, expected, "orch.quota.resumed", |row, _| {
            if row.paused == 0 {
                return Err(Error::new(Code::InvalidTransition, "The quota is not paused."));
            }
            resumed(row);
            Ok(())
        })
        .await
    }

    /// Takes a quota away; the answer is what it was.
    pub async fn delete(&self, caller: &Caller, id: &QuotaId, expected: Option<i64>) -> Result<Quota, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let (engine, caller, id) = (self.engine.clone(), caller.clone(), id.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let row = found(tx, &caller, &id).await?;
                    demand_version(expected, row.version)?;
                    let before = view::one(tx, row, now).await?;
                    quotas::delete(tx, id.as_str()).await?;
                    let mut journal = Journal::default();
                    let change = Change {
                        entity: "quota",
                        kind: "orch.quota.deleted",
                        id: id.as_str(),
                        before: Some(&before),
                        after: None,
                    };
                    note(&mut journal, &caller, &change, now)?;
                    journal.leave(tx);
                    Ok(before)
                })
            })
            .await
    }

    /// Changes a quota in one transaction: found, of the expected version, altered, written down.
    async fn alter(
        &self,
        caller: &Caller,
        id: &QuotaId,
        expected: Option<i64>,
        kind: &'static str,
        alter: impl FnOnce(&mut QuotaRow, Micros) -> Result<(), Error> + Send + 'static,
    ) -> Result<Quota, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let (engine, caller, id) = (self.engine.clone(), caller.clone(), id.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let before = found(tx, &caller, &id).await?;
                    demand_version(expected, before.version)?;
                    let mut row = before.clone();
                    refill(&mut row, now);
                    alter(&mut row, now)?;
                    row.version += 1;
                    row.updated_at = now.0;
                    row.updated_by.clone_from(&caller.subject);
                    keep(&engine, tx, &caller, Some(before), row, kind, now).await
                })
            })
            .await
    }

    /// All quotas of the caller's tenant with their live values, from one snapshot.
    async fn all(&self, caller: &Caller) -> Result<Vec<Quota>, Error> {
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        self.engine.ledger().read(move |tx| Box::pin(async move { view(tx, &tenant, now).await })).await
    }
}

/// Writes a quota and notes the change.
async fn keep(
    engine: &Engine,
    tx: &mut Tx,
    caller: &Caller,
    before: Option<QuotaRow>,
    row: QuotaRow,
    kind: &'static str,
    now: Micros,
) -> Result<Quota, Error> {
    let before = match before {
        Some(before) => Some(view::one(tx, before, now).await?),
        None => None,
    };
    quotas::put(tx, &row).await?;
    engine.limits_changed();
    let after = view::one(tx, row, now).await?;
    let mut journal = Journal::default();
    let change = Change {
        entity: "quota",
        kind,
        id: after.quota_id.as_str(),
        before: before.as_ref(),
        after: Some(&after),
    };
    note(&mut journal, caller, &change, now)?;
    journal.leave(tx);
    Ok(after)
}

async fn found(tx: &mut Tx, caller: &Caller, id: &QuotaId) -> Result<QuotaRow, Error> {
    let row = quotas::get(tx, caller.tenant.as_str(), id.as_str()).await?;
    row.ok_or_else(|| Error::not_found("quota", id))
}

fn fresh(caller: &Caller, id: &QuotaId, job_type: &str, limits: &QuotaLimits, now: Micros) -> QuotaRow {
    let mut row = QuotaRow {
        quota_id: id.as_str().to_owned(),
        tenant: caller.tenant.as_str().to_owned(),
        job_type: job_type.to_owned(),
        max_active: 0,
        max_per_hour: 0,
        burst: 1,
        refill_per_second: 0.0,
        strategy: String::new(),
        weight: 1,
        reserved: 0,
        paused: 0,
        pause_reason: None,
        pause_ticket: None,
        paused_until: None,
        tokens: as_real(limits.burst),
        refilled_at: now.0,
        revert_at: None,
        revert_to: None,
        updated_by: caller.subject.clone(),
        created_at: now.0,
        updated_at: now.0,
        version: 1,
    };
    put_limits(&mut row, limits);
    row
}

/// Ends a pause.
pub(crate) fn resumed(row: &mut QuotaRow) {
    row.paused = 0;
    (row.pause_reason, row.pause_ticket, row.paused_until) = (None, None, None);
}

/// Goes back to what it was; what cannot be read is corrupt.
pub(crate) fn reverted(row: &mut QuotaRow) -> Result<(), Error> {
    let Some(text) = row.revert_to.take() else { return Ok(()) };
    let limits: QuotaLimits = serde_json::from_str(&text)
        .map_err(|_| LedgerError::corrupt("quotas", "revert_to", &row.quota_id))?;
    put_limits(row, &limits);
    row.tokens = row.tokens.min(as_real(row.burst));
    row.revert_at = None;
    Ok(())
}

fn wished(wish: &AddQuota) -> QuotaLimits {
    let usual = QuotaLimits::default();
    let max_per_hour = wish.max_per_hour.unwrap_or(usual.max_per_hour);
    QuotaLimits {
        max_active: wish.max_active.unwrap_or(usual.max_active),
        max_per_hour,
        burst: wish.burst.unwrap_or(usual.burst),
        refill_per_second: wish.refill_per_second.unwrap_or(as_real(max_per_hour) / 3_600.0),
        strategy: wish.strategy.unwrap_or(usual.strategy),
        weight: wish.weight.unwrap_or(usual.weight),
        reserved: wish.reserved.unwrap_or(usual.reserved),
    }
}

fn changed(before: QuotaLimits, wish: &ChangeQuota) -> QuotaLimits {
    let follows = wish.max_per_hour.map_or(before.refill_per_second, |most| as_real(most) / 3_600.0);
    QuotaLimits {
        max_active: wish.max_active.unwrap_or(before.max_active),
        max_per_hour: wish.max_per_hour.unwrap_or(before.max_per_hour),
        burst: wish.burst.unwrap_or(before.burst),
        refill_per_second: wish.refill_per_second.unwrap_or(follows),
        strategy: wish.strategy.unwrap_or(before.strategy),
        weight: wish.weight.unwrap_or(before.weight),
        reserved: wish.reserved.unwrap_or(before.reserved),
    }
}

fn check(limits: &QuotaLimits) -> Result<(), Error> {
    demand_within("maxActive", limits.max_active, 0..=MOST_ACTIVE)?;
    demand_within("maxPerHour", limits.max_per_hour, 0..=MOST_PER_HOUR)?;
    demand_within("burst", limits.burst, 1..=MOST_BURST)?;
    demand_within("weight", limits.weight, 1..=MOST_WEIGHT)?;
    demand_within("reserved", limits.reserved, 0..=MOST_ACTIVE)?;
    if !(0.0..=MOST_REFILL).contains(&limits.refill_per_second) {
        return Err(Error::invalid("refillPerSecond", format!("is 0 to {MOST_REFILL}")));
    }
    Ok(())
}

fn check_job_type(job_type: &str) -> Result<(), Error> {
    if job_type == EVERY_TYPE {
        return Ok(());
    }
    crate::intake::checked_job_type("jobType", job_type).map(drop)
}

fn taken(job_type: &str) -> Error {
    let sentence = format!("There is a quota of `{job_type}` in this tenant already. Change that one.");
    Error::new(Code::Conflict, sentence)
}

/// A count as a fraction.
#[expect(clippy::cast_precision_loss, reason = "the figures of a quota are far below 2^52")]
fn as_real(count: i64) -> f64 {
    count as f64
}
