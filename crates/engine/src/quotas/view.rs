//! A quota as every door shows it, with what is going on under it.

use crate::error::Error;
use crate::gate::refill;
use crate::limits::{bucket, hour};
use std::collections::BTreeMap;
use stella_contract::ids::Tenant;
use stella_contract::quota::{EVERY_TYPE, Quota, QuotaLimits, QuotaLive};
use stella_contract::time::Micros;
use stella_ledger::limits::{LiveLease, Ready};
use stella_ledger::quotas::{Minute, QuotaRow};
use stella_ledger::record::Cell;
use stella_ledger::{LedgerError, Tx, limits, quotas};

/// What goes on in a tenant, by job type.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    active: BTreeMap<String, i64>,
    waiting: BTreeMap<String, i64>,
    minutes: Vec<Minute>,
}

impl Scene {
    pub(crate) async fn of(tx: &mut Tx, tenant: &Tenant, rows: &[QuotaRow]) -> Result<Self, Error> {
        let mut scene = Self::default();
        let live: Vec<LiveLease> = limits::live(tx).await?;
        for lease in live.into_iter().filter(|lease| lease.tenant == tenant.as_str()) {
            *scene.active.entry(lease.job_type).or_default() += 1;
        }
        let ready: Vec<Ready> = limits::ready(tx).await?;
        for one in ready.into_iter().filter(|one| one.tenant == tenant.as_str()) {
            *scene.waiting.entry(one.job_type).or_default() += one.jobs;
        }
        for held in limits::waiting(tx, tenant).await? {
            *scene.waiting.entry(held.job_type).or_default() += held.jobs;
        }
        let ids: Vec<&str> = rows.iter().map(|row| row.quota_id.as_str()).collect();
        scene.minutes = quotas::minutes(tx, &ids).await?;
        Ok(scene)
    }
    /// Jobs of a type under a lease; of all for `*`.
    pub(crate) fn active(&self, job_type: &str) -> i64 {
        sum(&self.active, job_type)
    }
    /// Jobs of a type ready or held by a limit; of all for `*`.
    pub(crate) fn waiting(&self, job_type: &str) -> i64 {
        sum(&self.waiting, job_type)
    }
}

fn sum(by_type: &BTreeMap<String, i64>, job_type: &str) -> i64 {
    if job_type == EVERY_TYPE {
        return by_type.values().sum();
    }
    by_type.get(job_type).copied().unwrap_or(0)
}

/// All quotas of a tenant, by job type.
pub(crate) async fn view(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Vec<Quota>, Error> {
    let rows = quotas::of_tenants(tx, &[tenant.as_str()]).await?;
    let scene = Scene::of(tx, tenant, &rows).await?;
    rows.into_iter().map(|row| shown(row, &scene, now)).collect()
}

/// One quota.
pub(super) async fn one(tx: &mut Tx, row: QuotaRow, now: Micros) -> Result<Quota, Error> {
    let tenant = Cell { table: "quotas", id: &row.quota_id }.word("tenant", row.tenant.clone())?;
    let scene = Scene::of(tx, &tenant, std::slice::from_ref(&row)).await?;
    shown(row, &scene, now)
}

fn shown(mut row: QuotaRow, scene: &Scene, now: Micros) -> Result<Quota, Error> {
    let limits = limits_of(&row)?;
    refill(&mut row, now);
    let id = row.quota_id.clone();
    let cell = Cell { table: "quotas", id: &id };
    let own: Vec<Minute> =
        scene.minutes.iter().filter(|minute| minute.quota_id == row.quota_id).cloned().collect();
    let (used_last_hour, refused_last_hour) = hour::used(&own, now);
    let hour_at = (used_last_hour >= row.max_per_hour)
        .then(|| hour::room_at(&own, row.max_per_hour - 1, now))
        .flatten();
    let token_at =
        (row.tokens < 1.0).then(|| bucket::filled_at(row.tokens, 1.0, row.refill_per_second, now)).flatten();
    Ok(Quota {
        quota_id: cell.word("quota_id", row.quota_id)?,
        tenant: cell.word("tenant", row.tenant)?,
        limits,
        paused: row.paused != 0,
        pause_reason: row.pause_reason,
        pause_ticket: row.pause_ticket,
        paused_until: row.paused_until.map(Micros),
        revert_at: row.revert_at.map(Micros),
        revert_to: row.revert_to.map(|text| cell.json("revert_to", &text)).transpose()?,
        updated_by: row.updated_by,
        created_at: Micros(row.created_at),
        updated_at: Micros(row.updated_at),
        version: row.version,
        live: QuotaLive {
            active: scene.active(&row.job_type),
            waiting: scene.waiting(&row.job_type),
            used_last_hour,
            tokens: row.tokens,
            refused_last_hour,
            next_reset_at: hour_at.max(token_at),
        },
        job_type: row.job_type,
    })
}

/// What a quota allows, as its row says.
pub(crate) fn limits_of(row: &QuotaRow) -> Result<QuotaLimits, LedgerError> {
    Ok(QuotaLimits {
        max_active: row.max_active,
        max_per_hour: row.max_per_hour,
        burst: row.burst,
        refill_per_second: row.refill_per_second,
        strategy: Cell { table: "quotas", id: &row.quota_id }.word("strategy", row.strategy.clone())?,
        weight: row.weight,
        reserved: row.reserved,
    })
}

/// Puts what a quota allows into its row.
pub(crate) fn put_limits(row: &mut QuotaRow, limits: &QuotaLimits) {
    row.max_active = limits.max_active;
    row.max_per_hour = limits.max_per_hour;
    row.burst = limits.burst;
    row.refill_per_second = limits.refill_per_second;
    limits.strategy.as_str().clone_into(&mut row.strategy);
    row.weight = limits.weight;
    row.reserved = limits.reserved;
}
