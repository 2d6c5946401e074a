//! What holds jobs by the hundred thousand: limits ask for a job's tenant, type, priority and source, so that one answer
//! for each of these is the answer for all of them. With it a list of what waits for a reason says what each of its jobs
//! says of itself.

use super::{Gate, Look, next_eligible_at, wait_reason};
use crate::error::Error;
use std::collections::BTreeSet;
use stella_contract::blocker::Blocker;
use stella_contract::filter::JobMatch;
use stella_contract::ids::{SourceId, Tenant};
use stella_contract::job::{JobState, WaitReason};
use stella_contract::time::Micros;
use stella_ledger::limits::{self, InForce};
use stella_ledger::listing::{HeldLane, Told, Wanted};
use stella_ledger::record::{Cell, JobRecord};
use stella_ledger::{Tx, buckets};

/// The filter with what limits hold now, when it asks for a reason to wait.
pub(crate) async fn wanted(tx: &mut Tx, tenant: &Tenant, of: JobMatch, now: Micros) -> Result<Wanted, Error> {
    let held = if of.waits.is_empty() { Vec::new() } else { held_lanes(tx, tenant, now).await? };
    Ok(Wanted { of, held })
}

/// What holds the tenant's ready jobs, and those that wait for a limit, by type, priority and source; only what is held
/// at all.
pub(crate) async fn held_lanes(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Vec<HeldLane>, Error> {
    let in_force = limits::in_force(tx).await?;
    let sources: Vec<SourceId> = buckets::locations(tx, tenant.as_str())
        .await?
        .into_iter()
        .filter_map(|(id, _)| id.parse().ok())
        .collect();
    if in_force.is_nothing() && sources.is_empty() {
        return Ok(Vec::new());
    }
    let mut ready = limits::ready_lanes(tx).await?;
    ready.iter_mut().for_each(|record| record.job.tenant = tenant.clone());
    let limited = limits::limited_lanes(tx, tenant).await?;
    let mut lanes = of_state(tx, &ready, &sources, in_force, Look::Claim, now).await?;
    lanes.extend(of_state(tx, &limited, &sources, in_force, Look::Dispatch, now).await?);
    Ok(lanes)
}

/// What holds the jobs for which these stand, one for each type and priority.
async fn of_state(
    tx: &mut Tx,
    records: &[JobRecord],
    sources: &[SourceId],
    in_force: InForce,
    look: Look,
    now: Micros,
) -> Result<Vec<HeldLane>, Error> {
    let Some(any) = records.first() else { return Ok(Vec::new()) };
    let own = records.iter().map(|record| standing_for(&record.job.job_type, None, record));
    // A job of no type meets only what its source meets, and what every job of the tenant meets.
    let reading = sources.iter().map(|id| standing_for("", Some(id.clone()), any));
    let all: Vec<JobRecord> = own.chain(reading).collect();
    let gate = Gate::open(tx, &all, in_force, look, now).await?;
    let (own, reading) = all.split_at(records.len());
    let by_source: Vec<(&SourceId, Vec<Blocker>)> =
        sources.iter().zip(reading.iter().map(|record| gate.met_by_source(record))).collect();
    let lanes = own.iter().map(|record| {
        let shared = gate.met_by_all(record);
        let with = |more: &[Blocker]| told(&[&shared[..], more].concat());
        let held = by_source.iter().filter(|(_, more)| !more.is_empty());
        HeldLane {
            state: record.job.state,
            job_type: record.job.job_type.clone(),
            priority: record.job.priority,
            hold: told(&shared),
            sources: held.filter_map(|(id, more)| Some((id.as_str().to_owned(), with(more)?))).collect(),
        }
    });
    Ok(lanes.filter(|lane| lane.hold.is_some() || !lane.sources.is_empty()).collect())
}

fn told(held: &[Blocker]) -> Option<Told> {
    Some(Told { reason: wait_reason(held)?, until: next_eligible_at(held) })
}

/// A job of this type and source, else like another.
fn standing_for(job_type: &str, source_id: Option<SourceId>, like: &JobRecord) -> JobRecord {
    let mut record = like.clone();
    record.job.job_type = job_type.to_owned();
    record.job.source_id = source_id;
    record
}

impl Gate {
    /// What jobs of this tenant, type and priority meet, whatever they read.
    fn met_by_all(&self, record: &JobRecord) -> Vec<Blocker> {
        let mut found = Vec::new();
        self.shared(record, &mut found);
        found
    }

    /// What jobs that read this source meet, whatever they are.
    fn met_by_source(&self, record: &JobRecord) -> Vec<Blocker> {
        let mut found = Vec::new();
        self.of_source(record, &mut found);
        self.blackouts(record, &mut found);
        found
    }
}

/// Jobs that wait for a limit, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) state: JobState,
    pub(crate) hold: Told,
    pub(crate) job_type: String,
    pub(crate) source_id: Option<String>,
    pub(crate) jobs: i64,
}

/// How many of the tenant's jobs wait for limits, those that are ready and held among them.
pub(crate) async fn waiting(tx: &mut Tx, tenant: &Tenant, now: Micros) -> Result<Vec<Waiting>, Error> {
    let lanes = held_lanes(tx, tenant, now).await?;
    let mut rows = limits::waiting(tx, tenant).await?;
    let types: BTreeSet<&str> = lanes
        .iter()
        .filter(|lane| lane.state == JobState::Queued)
        .map(|lane| lane.job_type.as_str())
        .collect();
    if !types.is_empty() {
        rows.extend(limits::ready_of(tx, tenant, &types.into_iter().collect::<Vec<_>>()).await?);
    }
    let cell = Cell { table: "jobs", id: tenant.as_str() };
    let mut found = Vec::new();
    for row in rows {
        let state: JobState = cell.word("state", row.state)?;
        let written: Option<WaitReason> = cell.maybe("wait_reason", row.wait_reason)?;
        let written = written.map(|reason| Told { reason, until: row.next_eligible_at.map(Micros) });
        let lane = lanes.iter().find(|lane| {
            (lane.state, &lane.job_type, i64::from(lane.priority)) == (state, &row.job_type, row.priority)
        });
        let hold = lane.and_then(|lane| lane.hold_of(row.source_id.as_deref())).or(written);
        if let Some(hold) = hold {
            let (job_type, source_id, jobs) = (row.job_type, row.source_id, row.jobs);
            found.push(Waiting { state, hold, job_type, source_id, jobs });
        }
    }
    Ok(found)
}

/// Whether a limit may hold this job other than its row says.
pub(crate) fn may_be_held(record: &JobRecord) -> bool {
    match record.job.state {
        JobState::Queued => true,
        JobState::Pending => {
            record.job.wait_reason.is_some_and(|reason| limits::LIMIT_REASONS.contains(&reason))
        }
        JobState::Leased
        | JobState::Running
        | JobState::Succeeded
        | JobState::Failed
        | JobState::TimedOut
        | JobState::Cancelled
        | JobState::Skipped => false,
    }
}
