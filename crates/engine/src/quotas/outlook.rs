//! All quotas in figures, and when the backlog would be gone under another limit.

use super::Quotas;
use super::view::{Scene, view};
use crate::caller::Caller;
use crate::error::Error;
use crate::gate;
use crate::limit_changes::demand_within;
use std::collections::BTreeMap;
use stella_contract::ids::Tenant;
use stella_contract::job::WaitReason;
use stella_contract::quota::{
    DrainBound, DrainEstimate, EVERY_TYPE, HeldBy, Quota, QuotaStrategy, QuotaSummary, WhatIf,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::limits::Ended;
use stella_ledger::quotas::QuotaRow;
use stella_ledger::{Tx, limits, pressure, quotas};

/// The quotas that a summary names.
const NAMED: usize = 5;
/// What ended in these minutes tells how fast things go.
const OBSERVED_MIN: i64 = 15;
const MINUTE_MS: i64 = 60_000;
/// A worker that was not heard of for so long does not work.
const HEARD_MS: i64 = 90_000;
/// A backlog that lasts longer than this does not shrink, as far as anybody can say.
const LONGEST_MS: f64 = 365.0 * 24.0 * 3_600_000.0;

impl Quotas {
    /// All quotas of the tenant in figures.
    pub async fn summary(&self, caller: &Caller) -> Result<QuotaSummary, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        self.engine.ledger().read(move |tx| Box::pin(async move { summed_up(tx, &tenant, now).await })).await
    }

    /// When the backlog of a job type would be gone under an imagined limit. Nothing changes.
    pub async fn what_if(&self, caller: &Caller, wish: WhatIf) -> Result<DrainEstimate, Error> {
        caller.demand(Scope::OrchRead)?;
        super::check_job_type(&wish.job_type)?;
        for (field, number, most) in [
            ("maxActive", wish.max_active, super::MOST_ACTIVE),
            ("maxPerHour", wish.max_per_hour, super::MOST_PER_HOUR),
        ] {
            if let Some(number) = number {
                demand_within(field, number, 0..=most)?;
            }
        }
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        self.engine
            .ledger()
            .read(move |tx| Box::pin(async move { imagined(tx, &tenant, wish, now).await }))
            .await
    }
}

async fn summed_up(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<QuotaSummary, Error> {
    let mut quotas = view(tx, tenant, now).await?;
    let scene = Scene::of(tx, tenant, &[]).await?;
    let mut held: BTreeMap<WaitReason, i64> = BTreeMap::new();
    for waiting in gate::waiting(tx, tenant, now).await? {
        *held.entry(waiting.hold.reason).or_default() += waiting.jobs;
    }
    let whole = |figure: fn(&Quota) -> i64| {
        // The row of the whole tenant counts everything once; without it the rows of the types add up.
        let own = quotas.iter().find(|quota| quota.job_type == EVERY_TYPE).map(figure);
        own.unwrap_or_else(|| quotas.iter().map(figure).sum())
    };
    let (used_last_hour, refused_last_hour) = (
        whole(|quota| quota.live.used_last_hour),
        quotas.iter().map(|quota| quota.live.refused_last_hour).sum(),
    );
    let (count, paused) = (quotas.len(), quotas.iter().filter(|quota| quota.paused).count());
    quotas.sort_by(|one, two| tightness(two).total_cmp(&tightness(one)));
    quotas.truncate(NAMED);
    Ok(QuotaSummary {
        quotas: i64::try_from(count).unwrap_or(i64::MAX),
        paused: i64::try_from(paused).unwrap_or(i64::MAX),
        active: scene.active(EVERY_TYPE),
        waiting: scene.waiting(EVERY_TYPE),
        used_last_hour,
        refused_last_hour,
        held_by: held.into_iter().map(|(wait_reason, jobs)| HeldBy { wait_reason, jobs }).collect(),
        tightest: quotas,
    })
}

/// How near a quota is to its limit: 1 is at it.
fn tightness(quota: &Quota) -> f64 {
    if quota.paused {
        return f64::INFINITY;
    }
    if quota.limits.strategy == QuotaStrategy::Unlimited {
        return 0.0;
    }
    let share = |used: i64, most: i64| real(used) / real(most.max(1));
    share(quota.live.active, quota.limits.max_active)
        .max(share(quota.live.used_last_hour, quota.limits.max_per_hour))
}

/// The quotas that bound the jobs of a type: its own and that of the tenant.
fn bounding<'a>(rows: &'a [QuotaRow], job_type: &'a str) -> impl Iterator<Item = &'a QuotaRow> + Clone {
    rows.iter()
        .filter(move |row| row.job_type == job_type || row.job_type == EVERY_TYPE)
        .filter(|row| row.strategy != QuotaStrategy::Unlimited.as_str())
}

/// How many jobs of a type may be at work at once, where a quota says so.
pub(crate) fn most_active(rows: &[QuotaRow], job_type: &str) -> Option<i64> {
    bounding(rows, job_type).map(|row| row.max_active).min()
}

/// What bounds the jobs of a type.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    max_active: Option<i64>,
    max_per_hour: Option<i64>,
    paused: bool,
    places: i64,
}

async fn imagined(tx: &mut Tx, tenant: &Tenant, wish: WhatIf, now: Micros) -> Result<DrainEstimate, Error> {
    let rows = quotas::of_tenants(tx, &[tenant.as_str()]).await?;
    let scene = Scene::of(tx, tenant, &rows).await?;
    let since = now.minus_ms(OBSERVED_MIN * MINUTE_MS);
    let ended = limits::ended(tx, tenant, &wish.job_type, since, stella_ledger::key::first_at(since)).await?;
    let workers = pressure::workers(tx, now.minus_ms(HEARD_MS).0).await?;
    let own = bounding(&rows, &wish.job_type);
    let as_is = Bounds {
        max_active: most_active(&rows, &wish.job_type),
        max_per_hour: own.clone().map(|row| row.max_per_hour).min(),
        paused: rows
            .iter()
            .any(|row| row.paused != 0 && (row.job_type == wish.job_type || row.job_type == EVERY_TYPE)),
        places: workers.iter().map(|(_, places)| places).sum(),
    };
    // Only the row of the type itself is imagined; that of the tenant stays.
    let others = own.filter(|row| row.job_type != wish.job_type);
    let (tenant_active, tenant_hour) =
        (others.clone().map(|row| row.max_active).min(), others.map(|row| row.max_per_hour).min());
    let imagined = Bounds {
        max_active: wish.max_active.map_or(as_is.max_active, |most| Some(least(most, tenant_active))),
        max_per_hour: wish.max_per_hour.map_or(as_is.max_per_hour, |most| Some(least(most, tenant_hour))),
        ..as_is
    };
    let (backlog, active) = (scene.waiting(&wish.job_type), scene.active(&wish.job_type));
    let mean_ms = (ended.ended > 0).then(|| (ended.took.unwrap_or(0) / ended.ended / 1_000).max(1));
    let (projected, bound_by) = throughput(&imagined, mean_ms);
    let (now_projected, _) = throughput(&as_is, mean_ms);
    let arrivals = per_minute(ended.came);
    let gone = |rate: Option<f64>| drained_at(backlog + active, rate?, arrivals, now);
    Ok(DrainEstimate {
        job_type: wish.job_type,
        backlog,
        active,
        throughput_per_minute: throughput_of(&ended),
        arrivals_per_minute: arrivals,
        mean_ms,
        projected_per_minute: projected,
        bound_by,
        drained_at: gone(projected),
        drained_at_now: gone(now_projected),
    })
}

fn least(most: i64, other: Option<i64>) -> i64 {
    other.map_or(most, |other| other.min(most))
}

fn throughput_of(ended: &Ended) -> f64 {
    per_minute(ended.ended)
}

fn per_minute(jobs: i64) -> f64 {
    real(jobs) / real(OBSERVED_MIN)
}

/// Jobs that would end per minute, and what bounds them.
fn throughput(bounds: &Bounds, mean_ms: Option<i64>) -> (Option<f64>, DrainBound) {
    if bounds.paused {
        return (Some(0.0), DrainBound::Paused);
    }
    let Some(mean_ms) = mean_ms else { return (None, DrainBound::Unknown) };
    let at_once = |places: i64| real(places) * real(MINUTE_MS) / real(mean_ms);
    let candidates = [
        bounds.max_per_hour.map(|most| (real(most) / 60.0, DrainBound::MaxPerHour)),
        bounds.max_active.map(|most| (at_once(most), DrainBound::MaxActive)),
        Some((at_once(bounds.places), DrainBound::Workers)),
    ];
    let least = candidates.into_iter().flatten().min_by(|one, two| one.0.total_cmp(&two.0));
    least.map_or((None, DrainBound::Unknown), |(rate, bound)| (Some(rate), bound))
}

/// When so many jobs are gone while others come; `None` when they do not become fewer.
fn drained_at(jobs: i64, per_minute: f64, arrivals: f64, now: Micros) -> Option<Micros> {
    if jobs == 0 {
        return Some(now);
    }
    let net = per_minute - arrivals;
    if net <= 0.0 {
        return None;
    }
    let ms = (real(jobs) / net * real(MINUTE_MS)).ceil();
    (ms <= LONGEST_MS).then(|| now.plus_ms(whole(ms)))
}

#[expect(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^52")]
fn real(count: i64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "at most a year in milliseconds")]
fn whole(ms: f64) -> i64 {
    ms as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_bound_counts() {
        let bounds = Bounds { max_active: Some(2), max_per_hour: Some(600), paused: false, places: 8 };
        assert_eq!(throughput(&bounds, Some(30_000)), (Some(4.0), DrainBound::MaxActive));
        assert_eq!(throughput(&bounds, Some(1_000)), (Some(10.0), DrainBound::MaxPerHour));
        let free = Bounds { max_active: None, max_per_hour: None, ..bounds };
        assert_eq!(throughput(&free, Some(60_000)), (Some(8.0), DrainBound::Workers));
        assert_eq!(throughput(&free, None), (None, DrainBound::Unknown));
        assert_eq!(throughput(&Bounds { paused: true, ..free }, None), (Some(0.0), DrainBound::Paused));
    }

    #[test]
    fn a_backlog_is_gone_when_more_end_than_come() {
        let now = Micros(0);
        assert_eq!(drained_at(20, 4.0, 2.0, now), Some(now.plus_ms(600_000)));
        assert_eq!(drained_at(20, 4.0, 4.0, now), None);
        assert_eq!(drained_at(0, 0.0, 4.0, now), Some(now));
    }
}
