//! A schedule as every door shows it.

use super::cron_of;
use crate::blackouts::{FireHeld, FireHolds};
use crate::cron::Cron;
use crate::error::Error;
use std::collections::HashMap;
use stella_contract::cron_words::cron_words;
use stella_contract::ids::Tenant;
use stella_contract::schedule::{RECENT_RUNS, Schedule, ScheduleRun, ScheduleState};
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::schedules::{self, ScheduleRow};

/// Blackouts one after the other that are looked beyond.
const MOST_BLACKOUTS: usize = 100;

/// The views of these schedules, in their order.
pub(super) async fn many(tx: &mut Tx, rows: Vec<ScheduleRow>, now: Micros) -> Result<Vec<Schedule>, Error> {
    let ids: Vec<&str> = rows.iter().map(|row| row.schedule_id.as_str()).collect();
    let mut recent: HashMap<String, Vec<ScheduleRun>> = HashMap::new();
    for run in schedules::recent(tx, &ids, RECENT_RUNS).await? {
        recent.entry(run.schedule_id).or_default().push(ScheduleRun {
            run_id: run.run_id,
            state: run.state,
            error_code: run.error_code,
            partial: run.failed > 0 && run.state == stella_contract::run::RunState::Completed,
            created_at: run.created_at,
            finished_at: run.finished_at,
        });
    }
    let holds = FireHolds::read(tx).await?;
    rows.into_iter()
        .map(|row| {
            let runs = recent.remove(row.schedule_id.as_str()).unwrap_or_default();
            of(row, runs, &holds, now)
        })
        .collect()
}

/// The view of one.
pub(super) async fn one(tx: &mut Tx, row: ScheduleRow, now: Micros) -> Result<Schedule, Error> {
    let id = row.schedule_id.clone();
    let mut views = many(tx, vec![row], now).await?;
    views.pop().ok_or_else(|| Error::internal(format!("no view of {id}")))
}

fn of(
    row: ScheduleRow,
    recent_runs: Vec<ScheduleRun>,
    holds: &FireHolds,
    now: Micros,
) -> Result<Schedule, Error> {
    let cron = cron_of(&row)?;
    let resume_at = row.pause.as_ref().and_then(|pause| pause.resume_at);
    let since = match row.state {
        ScheduleState::Enabled => row.next_fire_at.map(|at| Micros(at.0 - 1)),
        ScheduleState::Paused => resume_at.map(|at| Micros(at.0 - 1)),
        ScheduleState::Disabled => None,
    };
    let earliest =
        since.and_then(|since| earliest(&cron, (&row.tenant, row.schedule_id.as_str()), holds, since));
    let pause = row.pause;
    Ok(Schedule {
        words: cron_words(&row.cron),
        next_fire_local: row.next_fire_at.map(|at| cron.planned(at).local),
        earliest_next_run: earliest.map(|at| at.max(now)),
        schedule_id: row.schedule_id,
        tenant: row.tenant,
        name: row.name,
        state: row.state,
        enabled: row.state != ScheduleState::Disabled,
        paused: row.state == ScheduleState::Paused,
        pause_reason: pause.as_ref().and_then(|pause| pause.reason.clone()),
        pause_ticket: pause.as_ref().and_then(|pause| pause.ticket.clone()),
        paused_by: pause.as_ref().map(|pause| pause.by.clone()),
        paused_at: pause.as_ref().map(|pause| pause.at),
        resume_at,
        cron: row.cron,
        timezone: row.time_zone,
        jitter_s: row.jitter_s,
        overlap_policy: row.overlap_policy,
        catchup_window_s: row.catchup_window_s,
        mode: row.mode,
        scope: row.scope,
        policy_snapshot_id: row.policy_snapshot_id,
        kev_first: row.kev_first,
        max_targets: row.max_targets,
        limits: row.limits,
        notify: row.notify,
        next_fire_at: row.next_fire_at,
        buffered_fire_at: row.buffered_at,
        last_fire_at: row.last_fire_at,
        last_run_id: row.last_run_id,
        missed_count: row.missed_count,
        recent_runs,
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

/// When the first fire after this time starts: its own time, or the end of the blackout that holds it. Those that are
/// left out do not count.
pub(super) fn earliest(
    cron: &Cron,
    (tenant, id): (&Tenant, &str),
    holds: &FireHolds,
    since: Micros,
) -> Option<Micros> {
    let mut since = since;
    for _ in 0..MOST_BLACKOUTS {
        let fire = cron.next(since)?;
        match holds.of(tenant, id, fire) {
            FireHeld::Free => return Some(fire),
            FireHeld::Until(until) => return Some(until),
            FireHeld::Skipped => since = Micros(holds.dark_until(tenant, id, fire)?.0 - 1),
        }
    }
    None
}
