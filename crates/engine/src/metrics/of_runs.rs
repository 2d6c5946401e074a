//! Figures of the scheduler: runs, their planning and their segments.

use super::exposition::{Family, Kind};
use super::of_jobs::durations;
use super::{labelled, open_runs};
use std::collections::BTreeMap;
use stella_contract::ids::Tenant;
use stella_contract::run::RunState;
use stella_contract::stats::{BOUNDS_MS, bucket_of};
use stella_contract::time::Micros;
use stella_ledger::exposition::{self, DurationRow, RunRow};
use stella_ledger::{LedgerError, Tx};

pub(super) async fn read(tx: &mut Tx, tenants: &[Tenant], now: Micros) -> Result<Vec<Family>, LedgerError> {
    let mut active = Family::gauge("scheduler_runs_active", "Runs that have not ended, by tenant.");
    for tenant in tenants {
        active.add(labelled(tenant, tenants), open_runs(tx, tenant).await? as f64);
    }
    let mut segments = Family::counter(
        "scheduler_runner_segments_total",
        "Segments of finished runs, by mode and how they ended.",
    );
    for row in exposition::segments(tx).await? {
        segments.add(vec![("mode", row.mode), ("status", row.state)], row.segments as f64);
    }
    let mut ages =
        Family::gauge("orch_planner_heartbeat_age_seconds", "Time since each planner was last alive.");
    for (planner, at) in exposition::planner_beats(tx).await? {
        ages.add(vec![("planner", planner)], now.ms_since(Micros(at)) as f64 / 1_000.0);
    }
    let mut families = vec![active, segments, ages];
    families.extend(counted(&exposition::runs(tx).await?));
    let took = exposition::durations(tx).await?;
    let planned = exposition::planning(tx).await?;
    families.extend([
        histogram(
            "scheduler_runs_duration_seconds",
            "How long finished runs took from their start.",
            &took,
            |_| Vec::new(),
        ),
        histogram(
            "orchestrator_run_duration_seconds",
            "The same as scheduler_runs_duration_seconds.",
            &took,
            |_| Vec::new(),
        ),
        histogram(
            "scheduler_run_duration_seconds",
            "Alias of scheduler_runs_duration_seconds by mode and result; goes with the next version.",
            &took,
            |row| vec![("mode", row.mode.clone()), ("result", row.state.clone())],
        ),
        histogram(
            "scheduler_planner_latency_seconds",
            "How long a run waited to be planned.",
            &planned,
            |_| Vec::new(),
        ),
    ]);
    Ok(families)
}

fn counted(rows: &[RunRow]) -> Vec<Family> {
    let mut all = Family::counter("orchestrator_runs_total", "Runs that ended, by mode and result.");
    let mut errors = Family::counter("scheduler_runs_error_total", "Runs that ended in an error.");
    errors.add(Vec::new(), 0.0);
    let mut planned =
        Family::counter("scheduler_planner_runs_total", "Runs the planner has seen, by mode and status.");
    let mut delta = Family::counter("scheduler_runner_delta_total", "New findings of finished runs.");
    let mut critical = Family::counter("scheduler_runner_delta_critical_total", "New critical ones.");
    let mut high = Family::counter("scheduler_runner_delta_high_total", "New high ones.");
    let mut kev =
        Family::counter("scheduler_runner_delta_kev_total", "Findings that became known to be exploited.");
    let mut images = Family::counter(
        "scheduler_runner_images_total",
        "Targets that finished runs evaluated, by mode and whether their findings changed.",
    );
    for row in rows {
        let mode = || ("mode", row.mode.clone());
        let Ok(state) = row.state.parse::<RunState>() else { continue };
        if row.planned > 0 {
            planned.add(vec![mode(), ("status", "planned".to_owned())], row.planned as f64);
        }
        if state == RunState::Error && row.runs > row.planned {
            let unplanned = (row.runs - row.planned) as f64;
            planned.add(vec![mode(), ("status", "failed".to_owned())], unplanned);
        }
        if !state.is_final() {
            continue;
        }
        all.add(vec![mode(), ("result", row.state.clone())], row.runs as f64);
        if state == RunState::Error {
            errors.add(Vec::new(), row.runs as f64);
        }
        for (family, found) in [
            (&mut delta, row.new_findings),
            (&mut critical, row.new_critical),
            (&mut high, row.new_high),
            (&mut kev, row.kev_added),
        ] {
            family.add(vec![mode()], found as f64);
        }
        for (delta, targets) in
            [("changed", row.changed_targets), ("unchanged", row.targets - row.changed_targets)]
        {
            images.add(vec![mode(), ("delta", delta.to_owned())], targets as f64);
        }
    }
    vec![all, errors, planned, delta, critical, high, kev, images]
}

type Labels = Vec<(&'static str, String)>;

fn histogram(
    name: &'static str,
    help: &'static str,
    rows: &[DurationRow],
    labels: impl Fn(&DurationRow) -> Labels,
) -> Family {
    let mut sums: BTreeMap<Labels, (Vec<i64>, i64)> = BTreeMap::new();
    for row in rows {
        let ms = row.ms.max(0);
        let sum = sums.entry(labels(row)).or_insert_with(|| (vec![0; BOUNDS_MS.len() + 1], 0));
        sum.0[bucket_of(ms)] += row.runs;
        sum.1 += ms * row.runs;
    }
    let mut family = Family::new(Kind::Histogram, name, help);
    family.samples =
        sums.into_iter().map(|(labels, (places, ms))| (labels, durations(&places, ms))).collect();
    family
}
