//! The coming fires of all schedules in one order, and what will become of each as things stand.

use super::{Schedules, cron_of, find};
use crate::blackouts::{FireHeld, FireHolds};
use crate::caller::Caller;
use crate::cron::Cron;
use crate::error::Error;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use stella_contract::ids::RunId;
use stella_contract::schedule::{
    FireProspect, MOST_UPCOMING, OverlapPolicy, ScheduleFilter, ScheduleState, UPCOMING_DAYS, UpcomingFire,
    UpcomingFires, UpcomingQuery,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::LedgerError;
use stella_ledger::schedules::{self, ScheduleRow};

impl Schedules {
    /// The coming fires of schedules at work or paused until a time: of 14 days, at most 200, the first one first.
    pub async fn upcoming(&self, caller: &Caller, asked: UpcomingQuery) -> Result<UpcomingFires, Error> {
        caller.demand(Scope::RunsRead)?;
        let now = self.engine.now();
        let until = now.plus_ms(UPCOMING_DAYS * 24 * 3_600 * 1_000);
        let tenant = caller.tenant.clone();
        // The first fires of all are among the first fires of so many.
        let limit = i64::try_from(MOST_UPCOMING).unwrap_or(i64::MAX) + 1;
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let only = asked.schedule_id.as_ref();
                if let Some(only) = only {
                    find(tx, &tenant, only).await?;
                }
                let mut rows = schedules::upcoming(tx, &tenant, only, until, limit).await?;
                rows.extend(schedules::resuming(tx, &tenant, only, until, limit).await?);
                let paused =
                    ScheduleFilter { state: Some(ScheduleState::Paused), ..ScheduleFilter::default() };
                let paused = schedules::count(tx, &tenant, &paused).await?;
                let open = schedules::open_runs(tx).await?;
                Ok((rows, Around { holds: FireHolds::read(tx).await?, open: newest(open) }, paused))
            })
        });
        let (rows, around, paused) = read.await?;
        let mut items = merged(&rows, &around, until)?;
        let truncated = items.len() > MOST_UPCOMING;
        items.truncate(MOST_UPCOMING);
        Ok(UpcomingFires { items, until, truncated, paused, as_of: now })
    }
}

/// What decides about a fire beside its schedule.
struct Around {
    holds: FireHolds,
    open: HashMap<String, RunId>,
}

/// The open run of each schedule.
fn newest(open: Vec<(String, String)>) -> HashMap<String, RunId> {
    open.into_iter().filter_map(|(schedule, run)| Some((schedule, run.parse().ok()?))).collect()
}

/// The fires of all these schedules in one order, one more than is told.
fn merged(rows: &[ScheduleRow], around: &Around, until: Micros) -> Result<Vec<UpcomingFire>, LedgerError> {
    let crons: Vec<Cron> = rows.iter().map(cron_of).collect::<Result<_, _>>()?;
    let first = rows.iter().zip(&crons).enumerate();
    let first = first.filter_map(|(at, (row, cron))| Some(Reverse((first_fire(row, cron)?, at))));
    let mut heap: BinaryHeap<Reverse<(Micros, usize)>> = first.collect();
    let mut open = around.open.clone();
    let mut items = Vec::new();
    while let Some(Reverse((fire, at))) = heap.pop() {
        if items.len() > MOST_UPCOMING || fire > until {
            break;
        }
        let (row, cron) = (&rows[at], &crons[at]);
        let open = open.remove(row.schedule_id.as_str());
        items.push(item(row, cron, fire, (&around.holds, open)));
        if let Some(next) = cron.next(fire).filter(|next| *next <= until) {
            heap.push(Reverse((next, at)));
        }
    }
    Ok(items)
}

/// The next fire of a schedule at work; of a paused one the first after its pause.
fn first_fire(row: &ScheduleRow, cron: &Cron) -> Option<Micros> {
    match row.state {
        ScheduleState::Enabled => row.next_fire_at,
        ScheduleState::Paused => cron.next(Micros(row.acts_at?.0 - 1)),
        ScheduleState::Disabled => None,
    }
}

fn item(
    row: &ScheduleRow,
    cron: &Cron,
    fire: Micros,
    (holds, open_run_id): (&FireHolds, Option<RunId>),
) -> UpcomingFire {
    let held = holds.of(&row.tenant, row.schedule_id.as_str(), fire);
    let (prospect, held_until) = match (held, &open_run_id, row.overlap_policy) {
        (FireHeld::Skipped, ..) => (FireProspect::LeftOut, None),
        (FireHeld::Until(until), ..) => (FireProspect::Held, Some(until)),
        (FireHeld::Free, Some(_), OverlapPolicy::Skip) => (FireProspect::SkipsIfOpen, None),
        (FireHeld::Free, Some(_), OverlapPolicy::BufferOne) => (FireProspect::WaitsIfOpen, None),
        (FireHeld::Free, Some(_), OverlapPolicy::Allow) | (FireHeld::Free, None, _) => {
            (FireProspect::Starts, None)
        }
    };
    UpcomingFire {
        schedule_id: row.schedule_id.clone(),
        name: row.name.clone(),
        state: row.state,
        mode: row.mode,
        scope: row.scope.clone(),
        policy_snapshot_id: row.policy_snapshot_id.clone(),
        kev_first: row.kev_first,
        overlap_policy: row.overlap_policy,
        timezone: row.time_zone.clone(),
        fire: cron.planned(fire),
        prospect,
        held_until,
        open_run_id,
    }
}
