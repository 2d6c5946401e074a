//! Due fires: decided, written down, and their runs begun, all in one transaction. Killed at any line, a node has either
//! fired or left everything to the next look, of itself or of another.

use super::change::{step, store};
use super::trigger::{Firing, note, start_many};
use super::verdict::{Around, Verdict, look};
use super::{SCHEDULER, cron_of};
use crate::blackouts::FireHolds;
use crate::change::By;
use crate::error::Error;
use crate::journal::Journal;
use crate::pressure::FireDelays;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use stella_contract::ids::{RunId, ScheduleId};
use stella_contract::schedule::{FireOutcome, OverlapPolicy, ScheduleEvent, ScheduleState};
use stella_contract::time::Micros;
use stella_ledger::schedules::{self, FireRow, ScheduleRow};
use stella_ledger::{LedgerError, Tx};

/// Schedules acted on in one transaction.
pub(crate) const AT_ONCE: i64 = 2_000;
/// Fires looked at in one transaction; of one schedule that slept for long there may be tens of thousands.
const MOST_LOOKS: usize = 20_000;

/// Whether there is something to do now, and else when.
pub(crate) async fn due_at(tx: &mut Tx, now: Micros) -> Result<Option<Micros>, LedgerError> {
    if !schedules::unblocked(tx, 1).await?.is_empty() {
        return Ok(Some(now));
    }
    schedules::next_act(tx).await
}

/// Does what is due about schedules; about how many it did something.
pub(crate) async fn act(tx: &mut Tx, now: Micros) -> Result<usize, Error> {
    let mut journal = Journal::default();
    // What waits comes first: its run is then the one before for what is due.
    let mut did = start_waiting(tx, now, &mut journal).await?;
    let due = schedules::due(tx, now, AT_ONCE).await?;
    let (enabled, others): (Vec<ScheduleRow>, Vec<ScheduleRow>) =
        due.into_iter().partition(|row| row.state == ScheduleState::Enabled);
    for row in others {
        resume(tx, row, now, &mut journal).await?;
        did += 1;
    }
    did += fire(tx, enabled, now, &mut journal).await?;
    journal.leave(tx);
    if did > 0 {
        tx.note_work();
    }
    Ok(did)
}

/// The time of a pause has come. What was due during it is dropped; what is due since is looked at next.
async fn resume(tx: &mut Tx, mut row: ScheduleRow, now: Micros, journal: &mut Journal) -> Result<(), Error> {
    let since = row.acts_at.unwrap_or(now);
    let cron = cron_of(&row)?;
    step(&mut row, ScheduleEvent::Resume)?;
    row.next_fire_at = cron.next(Micros(since.0 - 1));
    row.acts_at = row.next_fire_at;
    row.updated_at = now;
    store(tx, &mut row).await?;
    let told = ("scheduler.schedule.resumed", json!({ "nextFireAt": row.next_fire_at }));
    note(&row, told, &By::itself(SCHEDULER), now, journal);
    Ok(())
}

/// Starts the fires whose run before has ended.
async fn start_waiting(tx: &mut Tx, now: Micros, journal: &mut Journal) -> Result<usize, Error> {
    let mut rows = schedules::unblocked(tx, AT_ONCE).await?;
    let firings: Vec<Firing<'_>> =
        rows.iter().filter_map(|row| Some(Firing { row, due: row.buffered_at? })).collect();
    let started = start_many(tx, &firings, now, journal).await?;
    schedules::started(tx, &started).await?;
    let mut of: HashMap<ScheduleId, (Micros, RunId)> =
        started.into_iter().map(|(id, due, run)| (id, (due, run))).collect();
    for row in &mut rows {
        row.buffered_at = None;
        begun(row, of.remove(&row.schedule_id), now, journal);
    }
    schedules::advance(tx, &rows).await?;
    Ok(rows.len())
}

/// Decides the due fires of these schedules.
async fn fire(
    tx: &mut Tx,
    rows: Vec<ScheduleRow>,
    now: Micros,
    journal: &mut Journal,
) -> Result<usize, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let mut verdicts = verdicts(tx, rows, now).await?;
    let fires: Vec<FireRow> = verdicts.iter().flat_map(|verdict| fires_of(verdict, now)).collect();
    // A fire that is known already is over, whatever this look would do with it.
    let decided: HashSet<(String, i64)> = schedules::decide(tx, &fires).await?.into_iter().collect();
    let firings: Vec<Firing<'_>> = verdicts
        .iter()
        .filter_map(|verdict| Some(Firing { row: &verdict.row, due: verdict.start()? }))
        .filter(|firing| decided.contains(&(firing.row.schedule_id.as_str().to_owned(), firing.due.0)))
        .collect();
    let started = start_many(tx, &firings, now, journal).await?;
    schedules::started(tx, &started).await?;
    let mut of: HashMap<ScheduleId, (Micros, RunId)> =
        started.into_iter().map(|(id, due, run)| (id, (due, run))).collect();
    for verdict in &mut verdicts {
        tell_others(verdict, now, journal);
        let run = of.remove(&verdict.row.schedule_id);
        begun(&mut verdict.row, run, now, journal);
    }
    let rows: Vec<ScheduleRow> = verdicts.into_iter().map(|verdict| verdict.row).collect();
    schedules::advance(tx, &rows).await?;
    Ok(rows.len())
}

async fn verdicts(tx: &mut Tx, rows: Vec<ScheduleRow>, now: Micros) -> Result<Vec<Verdict>, Error> {
    let (holds, delays) = (FireHolds::read(tx).await?, FireDelays::read(tx).await?);
    let open: HashSet<String> = match rows.iter().all(|row| row.overlap_policy == OverlapPolicy::Allow) {
        true => HashSet::new(),
        false => schedules::open_runs(tx).await?.into_iter().map(|(id, _)| id).collect(),
    };
    let (mut left, mut verdicts) = (MOST_LOOKS, Vec::with_capacity(rows.len()));
    for mut row in rows {
        if left == 0 {
            break;
        }
        let verdict = match cron_of(&row) {
            Ok(cron) => {
                let has_open_run = open.contains(row.schedule_id.as_str());
                let around = Around { holds: &holds, delays: &delays, has_open_run, now };
                look(&row, &cron, around, left)
            }
            Err(error) => {
                // It was read when it was kept; the database of zones may have lost its zone since. The others go on.
                tracing::error!(schedule = %row.schedule_id, %error, "a schedule cannot be read and no longer fires");
                row.acts_at = None;
                Verdict { row, fires: Vec::new(), missed_beside: 0, looked: 1 }
            }
        };
        left = left.saturating_sub(verdict.looked);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

fn fires_of(verdict: &Verdict, now: Micros) -> impl Iterator<Item = FireRow> + '_ {
    verdict.fires.iter().map(move |(due_at, outcome)| FireRow {
        schedule_id: verdict.row.schedule_id.clone(),
        due_at: *due_at,
        outcome: *outcome,
        run_id: None,
        decided_at: now,
    })
}

/// Notes the run that a fire started.
fn begun(row: &mut ScheduleRow, run: Option<(Micros, RunId)>, now: Micros, journal: &mut Journal) {
    let Some((due, run_id)) = run else { return };
    let data = json!({ "dueAt": due, "runId": run_id, "delayMs": now.ms_since(due) });
    row.last_fire_at = Some(due);
    row.last_run_id = Some(run_id);
    note(row, ("scheduler.schedule.fired", data), &By::itself(SCHEDULER), now, journal);
}

/// Says of fires that started no run why.
fn tell_others(verdict: &Verdict, now: Micros, journal: &mut Journal) {
    let by = By::itself(SCHEDULER);
    for (due, outcome) in &verdict.fires {
        let why = match outcome {
            FireOutcome::SkippedOverlap => "overlap",
            FireOutcome::SkippedBlackout => "blackout",
            FireOutcome::Buffered => {
                let told = ("scheduler.schedule.buffered", json!({ "dueAt": due }));
                note(&verdict.row, told, &by, now, journal);
                continue;
            }
            FireOutcome::Started | FireOutcome::Missed => continue,
        };
        let told = ("scheduler.schedule.skipped", json!({ "dueAt": due, "why": why }));
        note(&verdict.row, told, &by, now, journal);
    }
    let missed = verdict.missed();
    if missed > 0 {
        let newest = verdict.fires.iter().rfind(|(_, outcome)| *outcome == FireOutcome::Missed);
        let data = json!({ "count": missed, "newest": newest.map(|(due, _)| due) });
        note(&verdict.row, ("scheduler.schedule.missed", data), &by, now, journal);
    }
}
