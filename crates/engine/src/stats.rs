//! How each job type is doing, from one snapshot: what waits comes from small indexes of open jobs, the rest from what
//! was counted along the history, so that it takes as long with a million jobs as with a hundred.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::tally::{self, span_of};
use std::collections::BTreeMap;
use stella_contract::ids::Tenant;
use stella_contract::job::JobState;
use stella_contract::scope::Scope;
use stella_contract::stats::{BOUNDS_MS, JobStats, StatPoint, TypeStats, quantile};
use stella_contract::time::Micros;
use stella_ledger::counts::{self, HOUR_US, SumRow};
use stella_ledger::overview::{self, StateRow, WaitRow};
use stella_ledger::{LedgerError, Tx};

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Points of a sparkline.
const POINTS: i64 = 24;
/// A span that holds all times.
const WHOLE: i64 = i64::MAX;

/// The figures of job types.
#[derive(Clone)]
pub struct Stats {
    engine: Engine,
}

impl Engine {
    /// The figures of job types.
    pub fn stats(&self) -> Stats {
        Stats { engine: self.clone() }
    }
}

impl Stats {
    /// The figures of the tenant's job types.
    pub async fn jobs(&self, caller: &Caller) -> Result<JobStats, Error> {
        caller.demand(Scope::OrchRead)?;
        let engine = &self.engine;
        tally::catch_up(engine, &caller.tenant).await?;
        let (tenant, now) = (caller.tenant.clone(), engine.now());
        let read = engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| Box::pin(async move { read(tx, &tenant, now).await }));
        Ok(figures(&read.await?, now))
    }
}

struct Snapshot {
    waiting: Vec<WaitRow>,
    active: Vec<StateRow>,
    by_hour: Vec<SumRow>,
    of_day: Vec<SumRow>,
    of_hour: Vec<SumRow>,
}

async fn read(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Snapshot, LedgerError> {
    let day = span_of(now.minus_ms(POINTS * HOUR_MS));
    Ok(Snapshot {
        waiting: overview::waiting(tx, tenant.as_str()).await?,
        active: overview::active(tx, tenant.as_str()).await?,
        by_hour: counts::since(tx, tenant, &["ended"], first_hour(now), HOUR_US).await?,
        of_day: counts::since(tx, tenant, &["ended", "queue", "run"], day, WHOLE).await?,
        of_hour: counts::since(tx, tenant, &["ended"], span_of(now.minus_ms(HOUR_MS)), WHOLE).await?,
    })
}

const fn first_hour(now: Micros) -> i64 {
    (now.0.div_euclid(HOUR_US) - (POINTS - 1)) * HOUR_US
}

fn figures(snapshot: &Snapshot, now: Micros) -> JobStats {
    let mut types: BTreeMap<&str, TypeStats> = BTreeMap::new();
    let seen = snapshot.waiting.iter().map(|row| &row.job_type);
    let seen = seen.chain(snapshot.active.iter().map(|row| &row.job_type));
    for job_type in seen.chain(snapshot.of_day.iter().map(|row| &row.job_type)) {
        types.entry(job_type).or_insert_with(|| nothing(job_type, now));
    }
    let mut waits: BTreeMap<(&str, &str), Vec<i64>> = BTreeMap::new();
    for row in &snapshot.waiting {
        types.entry(&row.job_type).and_modify(|stats| stats.pending += row.jobs);
    }
    for row in &snapshot.active {
        types.entry(&row.job_type).and_modify(|stats| add_open(stats, row));
    }
    for row in &snapshot.of_day {
        let Some(stats) = types.get_mut(row.job_type.as_str()) else { continue };
        if row.kind == "ended" {
            add_ended(&mut stats.succeeded_24h, &mut stats.failed_24h, row);
            continue;
        }
        let places = waits.entry((&row.job_type, &row.kind)).or_insert_with(|| vec![0; BOUNDS_MS.len() + 1]);
        if let Some(place) = row.label.parse::<usize>().ok().and_then(|at| places.get_mut(at)) {
            *place += row.n;
        }
    }
    let minutes = now.ms_since(Micros(span_of(now.minus_ms(HOUR_MS)))) as f64 / 60_000.0;
    for row in &snapshot.of_hour {
        let add = |stats: &mut TypeStats| stats.throughput_per_min += row.n as f64 / minutes;
        types.entry(&row.job_type).and_modify(add);
    }
    for row in &snapshot.by_hour {
        let at = usize::try_from((row.at - first_hour(now)) / HOUR_US).unwrap_or(usize::MAX);
        let stats = types.get_mut(row.job_type.as_str());
        if let Some(point) = stats.and_then(|stats| stats.sparkline.get_mut(at)) {
            add_ended(&mut point.succeeded, &mut point.failed, row);
        }
    }
    for ((job_type, kind), places) in waits {
        let Some(stats) = types.get_mut(job_type) else { continue };
        let (p50, p95) = (quantile(&places, 0.5), quantile(&places, 0.95));
        match kind {
            "queue" => (stats.queue_p50_ms, stats.queue_p95_ms) = (p50, p95),
            _ => (stats.run_p50_ms, stats.run_p95_ms) = (p50, p95),
        }
    }
    let mut by_type: Vec<TypeStats> = types.into_values().collect();
    for stats in &mut by_type {
        let ended = stats.succeeded_24h + stats.failed_24h;
        stats.failure_rate = (ended > 0).then(|| stats.failed_24h as f64 / ended as f64);
    }
    by_type.sort_by_key(|stats| -(stats.pending + stats.queued + stats.active));
    JobStats { as_of: now, by_type }
}

fn nothing(job_type: &str, now: Micros) -> TypeStats {
    let point =
        |hour: i64| StatPoint { at: Micros(first_hour(now) + hour * HOUR_US), succeeded: 0, failed: 0 };
    TypeStats {
        job_type: job_type.to_owned(),
        pending: 0,
        queued: 0,
        active: 0,
        oldest_queued_at: None,
        throughput_per_min: 0.0,
        succeeded_24h: 0,
        failed_24h: 0,
        failure_rate: None,
        queue_p50_ms: None,
        queue_p95_ms: None,
        run_p50_ms: None,
        run_p95_ms: None,
        sparkline: (0..POINTS).map(point).collect(),
    }
}

fn add_open(stats: &mut TypeStats, row: &StateRow) {
    if row.state == JobState::Queued.as_str() {
        stats.queued += row.jobs;
        let oldest = row.oldest_queued_at.map(Micros);
        stats.oldest_queued_at = [stats.oldest_queued_at, oldest].into_iter().flatten().min();
        return;
    }
    stats.active += row.jobs;
}

fn add_ended(succeeded: &mut i64, failed: &mut i64, row: &SumRow) {
    match row.label.as_str() {
        "succeeded" => *succeeded += row.n,
        "failed" | "timed_out" => *failed += row.n,
        // Cancelled and skipped jobs did neither.
        _ => {}
    }
}
