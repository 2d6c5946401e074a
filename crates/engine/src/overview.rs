//! The figures of Jobs & Queues, all from one snapshot.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::gate::{self, Waiting};
use crate::tally;
use crate::workers;
use std::collections::BTreeMap;
use std::str::FromStr;
use stella_contract::ids::Tenant;
use stella_contract::job::{JobState, WaitReason};
use stella_contract::overview::{
    DepthPoint, InputFigures, JobFigures, Overview, RunFigures, TypeFigures, WaitCount, WorkerFigures,
};
use stella_contract::run::RunState;
use stella_contract::scope::Scope;
use stella_contract::source::IngestReport;
use stella_contract::time::Micros;
use stella_contract::worker::WorkerState;
use stella_ledger::overview::{self, EndedRunRow, InputRow, OpenRunRow, StateRow, WaitRow};
use stella_ledger::samples::{self, DepthRow};
use stella_ledger::workers::WorkerRecord;
use stella_ledger::{LedgerError, Tx};

const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The span of one point of the depth chart.
const POINT_US: i64 = 5 * 60 * 1_000_000;

/// The execution overview.
#[derive(Clone)]
pub struct OverviewDesk {
    engine: Engine,
}

impl Engine {
    /// The execution overview.
    pub fn overview(&self) -> OverviewDesk {
        OverviewDesk { engine: self.clone() }
    }
}

/// Everything the figures are made of, read in one snapshot.
#[derive(Debug, Default)]
struct Snapshot {
    waiting: Vec<WaitRow>,
    /// Ready jobs that a limit holds, by reason; they count as queued.
    held: Vec<WaitRow>,
    active: Vec<StateRow>,
    ended: Vec<StateRow>,
    open_runs: Vec<OpenRunRow>,
    ended_runs: Vec<EndedRunRow>,
    planner_beat: Option<i64>,
    schedules: i64,
    next_fire: Option<Micros>,
    workers: Vec<WorkerRecord>,
    inputs: InputRow,
    ingest_reports: Vec<String>,
    depth: Vec<DepthRow>,
}

impl OverviewDesk {
    /// The figures of the caller's tenant.
    pub async fn get(&self, caller: &Caller) -> Result<Overview, Error> {
        caller.demand(Scope::OrchRead)?;
        tally::catch_up(&self.engine, &caller.tenant).await?;
        let now = self.engine.now();
        let tenant = caller.tenant.clone();
        let snapshot = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| Box::pin(async move { read(tx, &tenant, now).await }))
            .await?;
        Ok(figures(&snapshot, now)?)
    }
}

async fn read(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Snapshot, Error> {
    let day = now.minus_ms(DAY_MS).0;
    let (held, limited): (Vec<Waiting>, Vec<Waiting>) = gate::waiting(tx, tenant, now)
        .await?
        .into_iter()
        .partition(|waiting| waiting.state == JobState::Queued);
    let held = held.into_iter().map(told).collect();
    let tenant = tenant.as_str();
    let mut waiting = overview::waiting_for_no_limit(tx, tenant).await?;
    waiting.extend(limited.into_iter().map(told));
    Ok(Snapshot {
        waiting,
        held,
        active: overview::active(tx, tenant).await?,
        ended: overview::ended(tx, tenant, day).await?,
        open_runs: overview::open_runs(tx, tenant).await?,
        ended_runs: overview::ended_runs(tx, tenant, day).await?,
        planner_beat: overview::planner_beat(tx).await?,
        schedules: overview::schedules(tx, tenant).await?,
        next_fire: overview::next_fire(tx, tenant).await?.map(Micros),
        workers: stella_ledger::workers::list(tx, tenant, now.minus_ms(workers::FORGOTTEN_MS)).await?,
        inputs: overview::inputs(tx, tenant).await?,
        ingest_reports: overview::ingest_reports(tx, tenant, now.minus_ms(HOUR_MS).0).await?,
        depth: samples::since(tx, tenant, day, POINT_US).await?,
    })
}

fn told(waiting: Waiting) -> WaitRow {
    WaitRow {
        job_type: waiting.job_type,
        wait_reason: waiting.hold.reason.as_str().to_owned(),
        jobs: waiting.jobs,
        next_eligible_at: waiting.hold.until.map(|at| at.0),
    }
}

fn figures(snapshot: &Snapshot, now: Micros) -> Result<Overview, LedgerError> {
    Ok(Overview {
        as_of: now,
        jobs: jobs(snapshot)?,
        waiting: waiting(snapshot.waiting.iter().chain(&snapshot.held))?,
        by_type: by_type(snapshot)?,
        runs: runs(snapshot)?,
        workers: worker_figures(&snapshot.workers, now),
        inputs: inputs(snapshot),
        depth: snapshot
            .depth
            .iter()
            .map(|row| DepthPoint { at: Micros(row.at), queued: row.queued, held: row.held })
            .collect(),
    })
}

fn jobs(snapshot: &Snapshot) -> Result<JobFigures, LedgerError> {
    let mut figures = JobFigures {
        pending: snapshot.waiting.iter().map(|row| row.jobs).sum(),
        oldest_queued_at: snapshot
            .active
            .iter()
            .filter(|row| row.state == JobState::Queued.as_str())
            .filter_map(|row| row.oldest_queued_at)
            .min()
            .map(Micros),
        ..JobFigures::default()
    };
    for row in snapshot.active.iter().chain(&snapshot.ended) {
        match state_of(row)? {
            JobState::Pending => figures.pending += row.jobs,
            JobState::Queued => figures.queued += row.jobs,
            JobState::Leased => figures.leased += row.jobs,
            JobState::Running => figures.running += row.jobs,
            JobState::Succeeded => figures.succeeded_24h += row.jobs,
            JobState::Failed | JobState::TimedOut => figures.failed_24h += row.jobs,
            JobState::Cancelled | JobState::Skipped => {}
        }
    }
    Ok(figures)
}

/// Reasons with the most jobs first; equals in the order of the words.
fn waiting<'a>(rows: impl Iterator<Item = &'a WaitRow>) -> Result<Vec<WaitCount>, LedgerError> {
    let mut counts: BTreeMap<WaitReason, WaitCount> = BTreeMap::new();
    for row in rows {
        let reason: WaitReason = word(&row.wait_reason, "wait_reason")?;
        let count = counts.entry(reason).or_insert(WaitCount { reason, count: 0, next_eligible_at: None });
        count.count += row.jobs;
        let next = row.next_eligible_at.map(Micros);
        count.next_eligible_at = [count.next_eligible_at, next].into_iter().flatten().min();
    }
    let mut counts: Vec<WaitCount> = counts.into_values().collect();
    counts.sort_by_key(|count| -count.count);
    Ok(counts)
}

/// Types with the most open jobs first; equals by name.
fn by_type(snapshot: &Snapshot) -> Result<Vec<TypeFigures>, LedgerError> {
    let mut types: BTreeMap<&str, TypeFigures> = BTreeMap::new();
    for row in &snapshot.waiting {
        of_type(&mut types, &row.job_type).waiting += row.jobs;
    }
    for row in snapshot.active.iter().chain(&snapshot.ended) {
        let figures = of_type(&mut types, &row.job_type);
        match state_of(row)? {
            JobState::Pending | JobState::Queued => figures.waiting += row.jobs,
            JobState::Leased | JobState::Running => figures.active += row.jobs,
            JobState::Succeeded => figures.succeeded_24h += row.jobs,
            JobState::Failed | JobState::TimedOut => figures.failed_24h += row.jobs,
            JobState::Cancelled | JobState::Skipped => {}
        }
    }
    let mut types: Vec<TypeFigures> = types.into_values().collect();
    types.sort_by_key(|figures| -(figures.waiting + figures.active));
    Ok(types)
}

fn of_type<'a, 'r>(types: &'a mut BTreeMap<&'r str, TypeFigures>, job_type: &'r str) -> &'a mut TypeFigures {
    types.entry(job_type).or_insert_with(|| TypeFigures {
        job_type: job_type.to_owned(),
        waiting: 0,
        active: 0,
        succeeded_24h: 0,
        failed_24h: 0,
    })
}

fn runs(snapshot: &Snapshot) -> Result<RunFigures, LedgerError> {
    let mut figures = RunFigures {
        planner_beat_at: snapshot.planner_beat.map(Micros),
        schedules: snapshot.schedules,
        next_fire_at: snapshot.next_fire,
        ..RunFigures::default()
    };
    for row in &snapshot.open_runs {
        figures.executor_backlog += row.backlog.max(0);
        match run_state_of(&row.state)? {
            RunState::Planning => figures.planning += row.runs,
            RunState::Queued => figures.queued += row.runs,
            RunState::Running => figures.running += row.runs,
            RunState::Completed | RunState::Cancelled | RunState::Error => {}
        }
    }
    for row in &snapshot.ended_runs {
        figures.new_findings_24h += row.new_findings;
        figures.kev_added_24h += row.kev_added;
        figures.kev_removed_24h += row.kev_removed;
        match run_state_of(&row.state)? {
            RunState::Completed => figures.completed_24h += row.runs,
            RunState::Error => figures.error_24h += row.runs,
            RunState::Planning | RunState::Queued | RunState::Running | RunState::Cancelled => {}
        }
    }
    Ok(figures)
}

fn worker_figures(rows: &[WorkerRecord], now: Micros) -> WorkerFigures {
    let mut figures = WorkerFigures::default();
    for row in rows {
        let state = workers::state(row, now);
        match state {
            WorkerState::Online => figures.online += 1,
            WorkerState::Late => figures.late += 1,
            WorkerState::Offline => figures.offline += 1,
            WorkerState::Draining => figures.draining += 1,
            WorkerState::Quarantined => {}
        }
        if matches!(state, WorkerState::Online | WorkerState::Late) {
            figures.slots += i64::from(row.concurrency);
        }
        figures.slots_in_use += row.in_flight;
    }
    figures
}

fn inputs(snapshot: &Snapshot) -> InputFigures {
    let row = &snapshot.inputs;
    InputFigures {
        sources: row.sources,
        sources_failing: row.sources_failing,
        advisories: row.advisories,
        kev_entries: row.kev_entries,
        targets: row.targets,
        components: row.components,
        findings: row.findings,
        findings_critical: row.findings_critical,
        // A report that cannot be read is of a job of another make; it counts nothing.
        advisories_last_hour: snapshot
            .ingest_reports
            .iter()
            .filter_map(|text| serde_json::from_str::<IngestReport>(text).ok())
            .map(|report| report.added + report.changed)
            .sum(),
        index_generation: row.index_generation,
        index_built_at: row.index_built_at.map(Micros),
    }
}

fn state_of(row: &StateRow) -> Result<JobState, LedgerError> {
    word(&row.state, "state")
}

fn run_state_of(state: &str) -> Result<RunState, LedgerError> {
    state.parse().map_err(|_| LedgerError::corrupt("runs", "state", state))
}

fn word<W: FromStr>(text: &str, column: &'static str) -> Result<W, LedgerError> {
    text.parse().map_err(|_| LedgerError::corrupt("jobs", column, text))
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
