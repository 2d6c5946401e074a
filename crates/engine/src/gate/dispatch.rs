//! The dispatcher at the gate: waiting jobs whose time has come, and jobs that a limit held and may hold no more.

use super::{Gate, Look, next_eligible_at, wait_reason};
use crate::change::{JobChange, settle, tell_waits};
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::engine_itself;
use crate::journal::Journal;
use std::collections::HashMap;
use stella_contract::ids::Tenant;
use stella_contract::job::{JobEvent, JobState};
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::jobs::{self, Hold};
use stella_ledger::limits::{self, InForce};
use stella_ledger::record::JobRecord;

/// Jobs whose time has come looked at in one transaction.
const AT_ONCE: i64 = 500;
/// Lanes of limited jobs looked at in one transaction, and jobs at the head of each.
const LANES: usize = 200;
const HEADS: i64 = 200;
/// Jobs of a lane whose rows say when they may go on; of the others it is told when somebody looks.
const TIMED: usize = 8;
/// While a limit holds jobs, somebody looks again after so long.
const TICK_MS: i64 = 1_000;

/// What one look of the dispatcher did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dispatched {
    /// Jobs that became ready or wait for something else than before.
    pub(crate) changed: usize,
    /// When to look again.
    pub(crate) next_at: Option<Micros>,
    /// Which limits were in force.
    pub(crate) in_force: InForce,
}

/// Makes waiting jobs ready that nothing holds any more, and says anew of the others why they wait.
pub(crate) async fn dispatch(
    tx: &mut Tx,
    subject: &str,
    now: Micros,
    journal: &mut Journal,
) -> Result<Dispatched, Error> {
    let in_force = limits::in_force(tx).await?;
    let mut records = jobs::eligible(tx, now, AT_ONCE).await?;
    let lanes = limits::lanes(tx, LANES).await?;
    for lane in &lanes {
        let heads = limits::heads(tx, lane, HEADS).await?;
        records.retain(|record| heads.iter().all(|head| head.key != record.key));
        records.extend(heads);
    }
    // The most urgent job of all lanes takes the first place, then the oldest.
    records.sort_by_key(|record| (std::cmp::Reverse(record.job.priority), record.key));
    let mut changed = 0;
    if !records.is_empty() {
        let (ready, waiting) = sorted(tx, &records, in_force, now).await?;
        let queued = jobs::queue_many(tx, &ready, now).await?;
        let changes: Vec<JobChange> = queued
            .into_iter()
            .map(|record| JobChange::along(JobEvent::Queue, JobState::Pending, record))
            .collect();
        settle(tx, &changes, &engine_itself(subject), now, journal).await?;
        limits::explain_many(tx, &waiting).await?;
        told(&records, &waiting, now, journal)?;
        changed = changes.len() + waiting.len();
    }
    let mut next_at = jobs::next_eligible(tx).await?;
    if !lanes.is_empty() {
        let tick = now.plus_ms(TICK_MS);
        next_at = Some(next_at.map_or(tick, |at| at.min(tick)));
    }
    Ok(Dispatched { changed, next_at, in_force })
}

/// Those that may become ready, and those that wait for something else, or until another time, than their rows say.
async fn sorted(
    tx: &mut Tx,
    records: &[JobRecord],
    in_force: InForce,
    now: Micros,
) -> Result<(Vec<i64>, Vec<Hold>), Error> {
    let mut gate = Gate::open(tx, records, in_force, Look::Dispatch, now).await?;
    let (mut ready, mut waiting) = (Vec::new(), Vec::new());
    let mut timed: HashMap<(&Tenant, &str), usize> = HashMap::new();
    for record in records {
        let blockers = gate.blockers(record);
        let Some(reason) = wait_reason(&blockers) else {
            gate.admit(record);
            ready.push(record.key);
            continue;
        };
        // The others of its lane are looked at with the first; each with a time of its own, thousands would be due for
        // every token, and all but one in vain.
        let in_lane = timed.entry((&record.job.tenant, &record.job.job_type)).or_default();
        let is_of_limit = limits::LIMIT_REASONS.contains(&reason);
        *in_lane += usize::from(is_of_limit);
        let next_eligible_at = next_eligible_at(&blockers).filter(|_| !is_of_limit || *in_lane <= TIMED);
        if record.job.wait_reason != Some(reason) {
            gate.refuse(record, &blockers);
        }
        if record.job.wait_reason != Some(reason)
            || differ(record.job.next_eligible_at, next_eligible_at, now)
        {
            waiting.push(Hold { key: record.key, wait_reason: reason, next_eligible_at });
        }
    }
    gate.close(tx).await?;
    Ok((ready, waiting))
}

/// Whether two times are different news: a fraction of a second is none, as long as the old one is not over.
fn differ(told: Option<Micros>, found: Option<Micros>, now: Micros) -> bool {
    match (told, found) {
        (Some(told), Some(found)) => told <= now || told.ms_since(found).abs() >= TICK_MS,
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    }
}

/// Tells of those that wait for another reason now; another time alone is no news.
fn told(records: &[JobRecord], waiting: &[Hold], now: Micros, journal: &mut Journal) -> Result<(), Error> {
    let news: Vec<JobRecord> = waiting
        .iter()
        .filter_map(|hold| {
            let before = records.iter().find(|record| record.key == hold.key)?;
            let differs = before.job.wait_reason != Some(hold.wait_reason);
            differs.then(|| {
                let mut after = before.clone();
                after.job.wait_reason = Some(hold.wait_reason);
                after.job.next_eligible_at = hold.next_eligible_at;
                after
            })
        })
        .collect();
    tell_waits(&news, now, journal)
}

/// Jobs that are about to be queued and that a limit holds.
pub(crate) async fn at_the_door(
    engine: &Engine,
    tx: &mut Tx,
    queued: &[JobRecord],
    now: Micros,
) -> Result<Vec<Hold>, Error> {
    let in_force = limits::in_force(tx).await?;
    engine.limits_seen(in_force);
    if in_force.is_nothing() {
        return Ok(Vec::new());
    }
    let mut gate = Gate::open(tx, queued, in_force, Look::Dispatch, now).await?;
    let mut holds = Vec::new();
    for record in queued {
        let blockers = gate.blockers(record);
        let Some(wait_reason) = wait_reason(&blockers) else {
            gate.admit(record);
            continue;
        };
        gate.refuse(record, &blockers);
        let next_eligible_at = next_eligible_at(&blockers);
        holds.push(Hold { key: record.key, wait_reason, next_eligible_at });
    }
    gate.close(tx).await?;
    Ok(holds)
}
