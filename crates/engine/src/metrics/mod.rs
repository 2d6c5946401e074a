//! Figures for whoever watches from outside (spec 08 §8.1).
//!
//! Counters and histograms of jobs and runs come from the ledger, so that they outlive a restart; what only this
//! process knows (connections, refused leases, the time of its writes) starts at 0 with it. Nothing is told of a tenant
//! but its name on queue depth, active runs and open dead letters, and that is left out above 50 tenants.
//!
//! Two names of the specification are not served yet: `orch_kit_age_seconds`, since there are no kits, and
//! `scheduler_runner_images_total`, since changes are kept per finding and not per image, so that each scrape would have
//! to walk along all of them.

pub mod exposition;
mod of_jobs;
mod of_limits;
mod of_runs;
mod of_schedules;
mod of_slos;

use crate::engine::Engine;
use crate::error::Error;
use crate::tally;
use exposition::{Family, Kind};
use stella_contract::ids::Tenant;
use stella_ledger::ledger::WriteTimes;
use stella_ledger::{LedgerError, Tx};

/// Above so many tenants their names are left out.
const MOST_TENANTS: usize = 50;
/// The boundaries of duration histograms, in milliseconds; each is one of those between which durations are counted.
pub const SHOWN_MS: &[i64] = &[
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
    3_600_000,
];

/// The figures.
#[derive(Clone)]
pub struct Metrics {
    engine: Engine,
}

impl Engine {
    /// The figures.
    pub fn metrics(&self) -> Metrics {
        Metrics { engine: self.clone() }
    }
}

impl Metrics {
    /// All figures and these of the door, in the text format 0.0.4: two scrapes of one state are the same bytes. It asks
    /// for no caller, because it tells nothing of a tenant but what the specification names.
    pub async fn scrape(&self, of_the_door: Vec<Family>) -> Result<String, Error> {
        let engine = &self.engine;
        let tenants = engine.options().tenants.clone();
        for tenant in &tenants {
            tally::catch_up(engine, tenant).await?;
        }
        let now = engine.now();
        let read = engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                let mut families = of_jobs::read(tx, &tenants, now).await?;
                families.extend(of_limits::read(tx, &tenants, now).await?);
                families.extend(of_runs::read(tx, &tenants, now).await?);
                families.extend(of_schedules::read(tx, now).await?);
                families.extend(of_slos::read(tx, &tenants, now).await?);
                Ok(families)
            })
        });
        let mut families = read.await?;
        families.extend(of_writes(engine.ledger().write_times()));
        families.extend(of_the_door);
        Ok(exposition::text(families))
    }
}

/// How long writes took; nothing before the first.
fn of_writes(times: WriteTimes) -> Option<Family> {
    let count: i64 = times.places.iter().sum();
    if count == 0 {
        return None;
    }
    let help = "How long writes of this process took until the ledger had committed them.";
    let mut family = Family::new(Kind::Histogram, "orch_db_write_seconds", help);
    let bounds = SHOWN_MS.iter().map(|bound| *bound as f64 / 1_000.0);
    let up_to = bounds.zip(shown(&times.places)).collect();
    let value = exposition::Value::Durations { up_to, count, sum: times.us as f64 / 1_000_000.0 };
    family.samples.push((Vec::new(), value));
    Some(family)
}

/// The label that names a tenant; nothing where there are too many.
fn labelled(tenant: &Tenant, tenants: &[Tenant]) -> Vec<(&'static str, String)> {
    if tenants.len() > MOST_TENANTS {
        return Vec::new();
    }
    vec![("tenant", tenant.as_str().to_owned())]
}

/// How many durations did not exceed each boundary that is shown.
fn shown(counts: &[i64]) -> Vec<i64> {
    use stella_contract::stats::BOUNDS_MS;
    let up_to = |bound: i64| {
        let places = BOUNDS_MS.iter().take_while(|one| **one <= bound).count();
        counts.iter().take(places).sum()
    };
    SHOWN_MS.iter().map(|bound| up_to(*bound)).collect()
}

/// Open runs of a tenant.
async fn open_runs(tx: &mut Tx, tenant: &Tenant) -> Result<i64, LedgerError> {
    let rows = stella_ledger::overview::open_runs(tx, tenant.as_str()).await?;
    Ok(rows.iter().map(|row| row.runs).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::stats::BOUNDS_MS;

    #[test]
    fn every_boundary_that_is_shown_is_one_that_is_counted() {
        for bound in SHOWN_MS {
            assert!(BOUNDS_MS.contains(bound), "{bound}");
        }
    }
}
