//! A claim goes through the gate: what a limit refuses goes back to wait, and the claim goes on to others.

use super::{Gate, Look, next_eligible_at, wait_reason};
use crate::change::{JobChange, settle_again};
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::engine_itself;
use crate::journal::Journal;
use std::collections::{BTreeMap, BTreeSet};
use stella_contract::job::{JobEvent, JobState};
use stella_contract::time::Micros;
use stella_ledger::claims::{self, Chosen, Claim};
use stella_ledger::jobs::{self, Hold};
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, pressure};

/// How often a claim looks for others after some were refused.
const ROUNDS: usize = 4;
/// Further jobs looked at in each of these rounds.
const MORE: usize = 256;

/// Hands out the most urgent ready jobs that nothing holds. Without limits and sources it costs what a bare claim costs.
pub(crate) async fn claim(
    engine: &Engine,
    tx: &mut Tx,
    wish: &Claim,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let chosen = claims::choose(tx, wish, wish.chances.len()).await?;
    if chosen.keys.is_empty() {
        return Ok(Vec::new());
    }
    engine.limits_seen(chosen.limits);
    if chosen.limits.is_nothing() && !chosen.sourced {
        return Ok(claims::take(tx, &chosen.keys, wish).await?);
    }
    let keys = admitted(tx, wish, chosen, journal).await?;
    Ok(claims::take(tx, &keys, wish).await?)
}

async fn admitted(
    tx: &mut Tx,
    wish: &Claim,
    first: Chosen,
    journal: &mut Journal,
) -> Result<Vec<i64>, Error> {
    let wanted = places(tx, wish, &first).await?;
    let mut admitted: Vec<i64> = Vec::with_capacity(wanted);
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    let mut gate: Option<Gate> = None;
    let (mut chosen, mut asked) = (first, wish.chances.len());
    for _ in 0..ROUNDS {
        if admitted.len() >= wanted {
            break;
        }
        let fresh: Vec<i64> = chosen.keys.iter().copied().filter(|key| seen.insert(*key)).collect();
        let records = in_order(jobs::get_many(tx, &fresh).await?, &fresh);
        let open = match gate.take() {
            None => Gate::open(tx, &records, chosen.limits, Look::Claim, wish.now).await?,
            Some(mut open) => {
                open.learn_sources(tx, &records).await?;
                open
            }
        };
        let open = gate.insert(open);
        let mut holds = Vec::new();
        for record in &records {
            if admitted.len() >= wanted {
                break;
            }
            let blockers = open.blockers(record);
            let Some(reason) = wait_reason(&blockers) else {
                open.admit(record);
                admitted.push(record.key);
                continue;
            };
            open.refuse(record, &blockers);
            let next_eligible_at = next_eligible_at(&blockers);
            holds.push(Hold { key: record.key, wait_reason: reason, next_eligible_at });
        }
        hold(tx, &holds, wish.now, journal).await?;
        if holds.is_empty() || chosen.keys.len() < asked {
            break;
        }
        asked = admitted.len() + MORE;
        chosen = claims::choose(tx, wish, asked).await?;
    }
    if let Some(gate) = gate {
        gate.close(tx).await?;
    }
    Ok(admitted)
}

/// How many jobs the worker may take: what it asks for, within an operator's bound on its pool.
async fn places(tx: &mut Tx, wish: &Claim, chosen: &Chosen) -> Result<usize, Error> {
    let wanted = wish.chances.len();
    if !chosen.limits.has_pools() {
        return Ok(wanted);
    }
    let Some((pool, Some(most))) = pressure::pool_of(tx, wish.worker_id.as_str()).await? else {
        return Ok(wanted);
    };
    let live = stella_ledger::limits::live(tx).await?;
    let held = live.iter().filter(|lease| lease.pool.as_ref() == Some(&pool)).count();
    let free = usize::try_from(most).unwrap_or(0).saturating_sub(held);
    Ok(wanted.min(free))
}

/// The records in the order of the keys; rows come in the order of the table.
fn in_order(records: Vec<JobRecord>, keys: &[i64]) -> Vec<JobRecord> {
    let mut by_key: BTreeMap<i64, JobRecord> =
        records.into_iter().map(|record| (record.key, record)).collect();
    keys.iter().filter_map(|key| by_key.remove(key)).collect()
}

/// Puts ready jobs back to wait.
pub(super) async fn hold(
    tx: &mut Tx,
    holds: &[Hold],
    now: Micros,
    journal: &mut Journal,
) -> Result<usize, Error> {
    if holds.is_empty() {
        return Ok(0);
    }
    let held = jobs::hold_many(tx, holds).await?;
    let changes: Vec<JobChange> =
        held.into_iter().map(|record| JobChange::along(JobEvent::Hold, JobState::Queued, record)).collect();
    settle_again(tx, &changes, &engine_itself("gate"), now, journal).await?;
    tx.note_work();
    Ok(changes.len())
}
