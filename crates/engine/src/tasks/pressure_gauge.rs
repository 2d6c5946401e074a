//! Reads the gauges of every tenant every few seconds, steps its level of pressure, and every half minute looks at what
//! the pools of workers can bear.

use super::{Activity, Task};
use crate::engine::Engine;
use crate::error::Error;
use crate::gate::new_throttle;
use crate::journal::Journal;
use crate::limit_changes::{Change, Who, note_by};
use crate::limits::{levels, pool};
use crate::pressure::{Kept, kept, new_pool};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stella_contract::ids::Tenant;
use stella_contract::pressure::{GaugeReading, PressureGauge, PressureLevel};
use stella_contract::throttle::{ThrottleKind, ThrottleLevel, ThrottleReason};
use stella_contract::time::Micros;
use stella_ledger::pressure::PressureRow;
use stella_ledger::{Tx, limits, pressure, throttles};

/// How often the gauges are read.
const EVERY_MS: i64 = 5_000;
/// How often the pools are looked at.
const POOLS_EVERY_MS: i64 = 30_000;
/// Writes of which the percentile is taken.
const WRITES: usize = 60;
/// Attempts of the last minutes tell how a pool fails and how fast it is, those of the last hour what is usual.
const LATELY_MS: i64 = 300_000;
const USUAL_MS: i64 = 3_600_000;
const MOST_ENDED: i64 = 20_000;
const HEARD_MS: i64 = 90_000;
/// Of a larger disk only so much counts: a twentieth of many terabytes is no want of room.
const LARGE_DISK: u64 = 40 * 1024 * 1024 * 1024;

/// Reads the gauges.
#[derive(Debug, Default)]
pub(super) struct PressureGauges {
    machine: Machine,
    seen: Mutex<Seen>,
}

/// Whether the machine under the ledger is looked at: its disk and the speed of writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Machine {
    /// It is, for as long as the process runs.
    #[default]
    Measured,
    /// It is not: a command that only finishes its own work, or a test, must not depend on it.
    LeftAlone,
}

/// What only this process can know.
#[derive(Debug, Default)]
struct Seen {
    read_at: Option<Micros>,
    /// How long the newest writes of this task took, in milliseconds.
    writes: VecDeque<i64>,
    /// Shares of the places of each pool that were in use, since the pools were last looked at.
    shares: Vec<(String, f64)>,
    pools_at: Option<Micros>,
}

#[async_trait]
impl Task for PressureGauges {
    fn name(&self) -> &'static str {
        "pressure-gauges"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let now = engine.now();
        let read_at = self.seen().read_at;
        // A time in the future is left by a clock that was set back; it must not stop the reading.
        if let Some(next) =
            read_at.filter(|at| *at <= now).map(|at| at.plus_ms(EVERY_MS)).filter(|at| *at > now)
        {
            return Ok(Activity { did: 0, next_at: Some(next) });
        }
        let (write_p95, disk_free) = match self.machine {
            Machine::Measured => (self.write_p95(), disk_free(&engine.options().blobs)),
            Machine::LeftAlone => (None, None),
        };
        let looks_at_pools =
            self.seen().pools_at.is_none_or(|at| at.plus_ms(POOLS_EVERY_MS) <= now || at > now);
        let shares = if looks_at_pools { std::mem::take(&mut self.seen().shares) } else { Vec::new() };
        let own = engine.clone();
        let (did, in_use): (usize, Vec<(String, f64)>) = engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let mut did = 0;
                    for tenant in own.options().tenants.clone() {
                        did +=
                            usize::from(step(tx, &tenant, (write_p95, disk_free), now, &mut journal).await?);
                    }
                    if looks_at_pools {
                        look_at_pools(tx, &own, &shares, now).await?;
                    }
                    own.limits_seen(limits::in_force(tx).await?);
                    journal.leave(tx);
                    Ok::<_, Error>((did, in_use(tx, now).await?))
                })
            })
            .await?;
        let took = engine.now().ms_since(now);
        let mut seen = self.seen();
        seen.read_at = Some(now);
        seen.writes.push_back(took.max(0));
        if seen.writes.len() > WRITES {
            seen.writes.pop_front();
        }
        seen.shares.extend(in_use);
        if looks_at_pools {
            seen.pools_at = Some(now);
        }
        Ok(Activity { did, next_at: Some(now.plus_ms(EVERY_MS)) })
    }
}

impl PressureGauges {
    /// Gauges that look at the machine, or do not.
    pub(super) fn new(machine: Machine) -> Self {
        Self { machine, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The 95th percentile of this task's own writes, which wait in the same line as everybody's.
    fn write_p95(&self) -> Option<i64> {
        let mut sorted: Vec<i64> = self.seen().writes.iter().copied().collect();
        sorted.sort_unstable();
        pool::percentile(&sorted, 95)
    }
}

/// Room left on the disk of the ledger's folder, in percent.
#[expect(clippy::cast_precision_loss, reason = "a share in percent needs no more than 52 bits")]
fn disk_free(folder: &Path) -> Option<f64> {
    // The folder is made with the first blob; until then the disk is that of the nearest folder above.
    let there = folder.ancestors().find(|path| path.exists())?;
    let stats = fs4::statvfs(there).ok()?;
    let whole = stats.total_space().min(LARGE_DISK);
    (whole > 0).then(|| (100.0 * stats.available_space() as f64 / whole as f64).min(100.0))
}

/// Reads a tenant's gauges and steps its level; tells when the level changed.
async fn step(
    tx: &mut Tx,
    tenant: &Tenant,
    (write_p95, disk_free): (Option<i64>, Option<f64>),
    now: Micros,
    journal: &mut Journal,
) -> Result<bool, Error> {
    let depth = pressure::depth(tx, tenant.as_str()).await?;
    let oldest = depth.oldest.map(|at| real(now.ms_since(Micros(at)).max(0)));
    let readings = vec![
        levels::reading(PressureGauge::Queue, Some(real(depth.waiting))),
        levels::reading(PressureGauge::OldestQueued, Some(oldest.unwrap_or(0.0))),
        levels::reading(PressureGauge::WriteP95, write_p95.map(real)),
        levels::reading(PressureGauge::DiskFree, disk_free),
    ];
    let found = pressure::all(tx).await?.into_iter().find(|row| row.tenant == tenant.as_str());
    let before = match &found {
        Some(row) => kept(row)?.standing,
        None => levels::Standing::calm(now),
    };
    let after = levels::step(&before, &readings, now);
    let row = PressureRow {
        tenant: tenant.as_str().to_owned(),
        level: after.level.number(),
        since: after.since.0,
        asked: levels::asked(&readings).number(),
        gauges: serde_json::to_string(&Kept { standing: after.clone(), readings: readings.clone() })
            .map_err(Error::internal)?,
        read_at: now.0,
    };
    pressure::put(tx, &row).await?;
    if after.level == before.level {
        return Ok(false);
    }
    tell(tx, tenant, (before.level, after.level), &readings, now, journal).await?;
    tx.note_work();
    Ok(true)
}

async fn tell(
    tx: &mut Tx,
    tenant: &Tenant,
    (before, after): (PressureLevel, PressureLevel),
    readings: &[GaugeReading],
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let of = |level: PressureLevel| serde_json::json!({ "level": level, "gauges": readings });
    let change = Change {
        entity: "pressure",
        kind: "orch.pressure.changed",
        id: tenant.as_str(),
        before: Some(&serde_json::json!({ "level": before })),
        after: Some(&of(after)),
    };
    note_by(journal, Who::engine(tenant, "pressure-gauges"), &change, now)?;
    if after < PressureLevel::High {
        return Ok(());
    }
    let (kind, reason) = (ThrottleKind::Backpressure, ThrottleReason::Backpressure);
    let level = if after == PressureLevel::Critical { ThrottleLevel::Critical } else { ThrottleLevel::Warn };
    let met = new_throttle(tenant.as_str(), kind, tenant.as_str(), reason, level, now);
    Ok(throttles::meet_many(tx, &[met]).await?)
}

/// The share of each pool's places that is in use now.
async fn in_use(tx: &mut Tx, now: Micros) -> Result<Vec<(String, f64)>, Error> {
    let workers = pressure::workers(tx, now.minus_ms(HEARD_MS).0).await?;
    let (live, rows) = (limits::live(tx).await?, pressure::pools(tx).await?);
    let share = |name: &str, places: i64| {
        let bound = rows.iter().find(|row| row.pool == name).and_then(|row| row.max_held);
        let places = bound.unwrap_or(places);
        let held = live.iter().filter(|lease| lease.pool.as_deref() == Some(name)).count();
        real(i64::try_from(held).unwrap_or(i64::MAX)) / real(places.max(1))
    };
    Ok(workers.into_iter().map(|(name, places)| (name.clone(), share(&name, places))).collect())
}

async fn look_at_pools(
    tx: &mut Tx,
    engine: &Engine,
    shares: &[(String, f64)],
    now: Micros,
) -> Result<(), Error> {
    let mut ended = Vec::new();
    for tenant in &engine.options().tenants {
        ended.extend(pressure::ended(tx, tenant.as_str(), now.minus_ms(USUAL_MS).0, MOST_ENDED).await?);
    }
    let rows = pressure::pools(tx).await?;
    for (name, _) in pressure::workers(tx, now.minus_ms(HEARD_MS).0).await? {
        let found = rows.iter().find(|row| row.pool == name).cloned();
        let mut row = found.unwrap_or_else(|| new_pool(&name, now));
        let own: Vec<_> = ended.iter().filter(|(pool, ..)| *pool == name).collect();
        let lately: Vec<_> =
            own.iter().filter(|(.., ended_at)| *ended_at >= now.minus_ms(LATELY_MS).0).collect();
        let failed = lately.iter().filter(|(_, state, ..)| state != "succeeded").count();
        row.error_rate = ratio(failed, lately.len());
        let times = |of: &mut dyn Iterator<Item = i64>| {
            let mut sorted: Vec<i64> = of.collect();
            sorted.sort_unstable();
            sorted
        };
        let succeeded = |state: &str| state == "succeeded";
        row.p95_ms = pool::percentile(
            &times(&mut lately.iter().filter(|(_, state, ..)| succeeded(state)).map(|(_, _, ms, _)| *ms)),
            95,
        );
        row.median_ms = pool::percentile(
            &times(&mut own.iter().filter(|(_, state, ..)| succeeded(state)).map(|(_, _, ms, _)| *ms)),
            50,
        );
        let shares: Vec<f64> =
            shares.iter().filter(|(pool, _)| *pool == name).map(|(_, share)| *share).collect();
        row.utilisation = if shares.is_empty() {
            0.0
        } else {
            shares.iter().sum::<f64>() / real(i64::try_from(shares.len()).unwrap_or(i64::MAX))
        };
        let showing = pool::Showing {
            utilisation: row.utilisation,
            error_rate: row.error_rate,
            p95_ms: row.p95_ms,
            median_ms: row.median_ms,
        };
        row.recommended = pool::adjust(row.recommended, showing);
        if row.follows != 0 {
            row.max_held = Some(row.recommended);
        }
        row.adjusted_at = now.0;
        pressure::put_pool(tx, &row).await?;
    }
    Ok(())
}

fn ratio(part: usize, whole: usize) -> f64 {
    let real = |count: usize| real(i64::try_from(count).unwrap_or(i64::MAX));
    if whole == 0 { 0.0 } else { real(part) / real(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]
fn real(number: i64) -> f64 {
    number as f64
}
