//! Figures of jobs, their leases and the workers.

use super::exposition::{Family, Kind, Value};
use super::{SHOWN_MS, labelled, shown};
use crate::workers;
use std::collections::{BTreeMap, BTreeSet};
use stella_contract::ids::Tenant;
use stella_contract::job::JobState;
use stella_contract::stats::BOUNDS_MS;
use stella_contract::time::Micros;
use stella_contract::worker::WorkerState;
use stella_ledger::counts::{self, SumRow};
use stella_ledger::{LedgerError, Tx, overview};

pub(super) async fn read(tx: &mut Tx, tenants: &[Tenant], now: Micros) -> Result<Vec<Family>, LedgerError> {
    let mut families = open(tx, tenants).await?;
    let mut ever: Vec<SumRow> = Vec::new();
    for tenant in tenants {
        ever.extend(counts::ever(tx, tenant).await?);
    }
    families.extend(counted(&ever));
    families.push(latency(&ever));
    families.push(of_workers(tx, tenants, now).await?);
    Ok(families)
}

async fn open(tx: &mut Tx, tenants: &[Tenant]) -> Result<Vec<Family>, LedgerError> {
    let mut depth = Family::gauge("scheduler_queue_depth", "Jobs that are queued, by tenant.");
    let mut same = Family::gauge("orchestrator_queue_depth", "Jobs that are queued, by tenant.");
    let mut active = Family::gauge("orch_jobs_active", "Jobs that are leased or running, by type.");
    let mut leases = Family::gauge("orch_leases_active", "Leases that workers hold.");
    leases.add(Vec::new(), 0.0);
    for tenant in tenants {
        let mut queued = 0;
        for row in overview::active(tx, tenant.as_str()).await? {
            if row.state == JobState::Queued.as_str() {
                queued += row.jobs;
                continue;
            }
            active.add(vec![("job_type", row.job_type)], row.jobs as f64);
            leases.add(Vec::new(), row.jobs as f64);
        }
        depth.add(labelled(tenant, tenants), queued as f64);
        same.add(labelled(tenant, tenants), queued as f64);
    }
    Ok(vec![depth, same, active, leases])
}

/// Counters since ever, from what was counted along the history.
fn counted(ever: &[SumRow]) -> Vec<Family> {
    let mut jobs = Family::counter(
        "orch_jobs_total",
        "Jobs by type: submitted ones, and those that ended in each final state.",
    );
    let mut failures =
        Family::counter("orch_job_failures_total", "Attempts that failed, by type of job and category.");
    let mut retries = Family::counter(
        "orchestrator_step_retries_total",
        "Attempts that failed and were followed by another.",
    );
    let mut lost = Family::counter(
        "orch_lease_expired_total",
        "Leases that ended without a word of their worker, or were never acknowledged.",
    );
    let mut dead = Family::counter("orch_deadletter_added_total", "Jobs that failed for good, by category.");
    for family in [&mut retries, &mut lost] {
        family.add(Vec::new(), 0.0);
    }
    for row in ever {
        let job_type = || ("job_type", row.job_type.clone());
        let n = row.n as f64;
        match row.kind.as_str() {
            "made" => jobs.add(vec![job_type(), ("state", "submitted".to_owned())], n),
            "ended" => jobs.add(vec![job_type(), ("state", row.label.clone())], n),
            "failed" => failures.add(vec![job_type(), ("category", row.label.clone())], n),
            "dead" => dead.add(vec![("category", row.label.clone())], n),
            "again" => retries.add(Vec::new(), n),
            "lost" => lost.add(Vec::new(), n),
            // Durations are a histogram.
            _ => {}
        }
    }
    vec![jobs, failures, dead, retries, lost]
}

fn latency(ever: &[SumRow]) -> Family {
    let mut sums: BTreeMap<(&str, &str), (Vec<i64>, i64)> = BTreeMap::new();
    let timed = ever.iter().filter(|row| matches!(row.kind.as_str(), "queue" | "run" | "total"));
    for row in timed {
        let sum = sums.entry((&row.job_type, &row.kind)).or_insert_with(|| (vec![0; BOUNDS_MS.len() + 1], 0));
        if let Some(place) = row.label.parse::<usize>().ok().and_then(|at| sum.0.get_mut(at)) {
            *place += row.n;
        }
        sum.1 += row.ms;
    }
    let help = "How long jobs waited in the queue, ran, and took in all, by type.";
    let mut family = Family::new(Kind::Histogram, "orch_job_latency_seconds", help);
    for ((job_type, phase), (places, ms)) in sums {
        let labels = vec![("job_type", job_type.to_owned()), ("phase", phase.to_owned())];
        family.samples.push((labels, durations(&places, ms)));
    }
    family
}

/// A histogram of durations that were counted between the boundaries of the contract.
pub(super) fn durations(places: &[i64], ms: i64) -> Value {
    let bounds = SHOWN_MS.iter().map(|bound| *bound as f64 / 1_000.0);
    Value::Durations {
        up_to: bounds.zip(shown(places)).collect(),
        count: places.iter().sum(),
        sum: ms as f64 / 1_000.0,
    }
}

async fn of_workers(tx: &mut Tx, tenants: &[Tenant], now: Micros) -> Result<Family, LedgerError> {
    let mut family = Family::gauge("orch_worker_state", "Workers heard of within a day, by state.");
    for state in WorkerState::ALL {
        family.add(vec![("state", state.as_str().to_owned())], 0.0);
    }
    // A worker of all tenants is listed for each of them.
    let mut seen = BTreeSet::new();
    for tenant in tenants {
        let since = now.minus_ms(workers::FORGOTTEN_MS);
        for record in stella_ledger::workers::list(tx, tenant.as_str(), since).await? {
            let state = workers::state(&record, now);
            if seen.insert(record.worker_id) {
                family.add(vec![("state", state.as_str().to_owned())], 1.0);
            }
        }
    }
    Ok(family)
}
