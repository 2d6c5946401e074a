//! What a cron text would do, whether it is kept or not; and the coming fires of all schedules.

use super::{Schedules, cron_of, find, view, wish};
use crate::blackouts::FireHolds;
use crate::caller::Caller;
use crate::cron::{Cron, changes, offset_text};
use crate::error::Error;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use stella_contract::cron_words::cron_words;
use stella_contract::schedule::{
    DAYLIGHT_RULE, FireBlackout, MOST_UPCOMING, PREVIEWED, PreviewSchedule, SchedulePreview, UPCOMING_DAYS,
    UpcomingFire, UpcomingFires, UpcomingQuery,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::LedgerError;
use stella_ledger::schedules::{self, ScheduleRow};

/// Fires that are counted one by one.
const MOST_COUNTED: usize = 1_000;
/// A blackout is told when it begins within so long.
const BLACKOUT_MS: i64 = 7 * 24 * 3_600 * 1_000;

impl Schedules {
    /// What a cron text does in its zone: the next fires, what changes of the clock do to them, what holds them.
    pub async fn preview(&self, caller: &Caller, asked: PreviewSchedule) -> Result<SchedulePreview, Error> {
        caller.demand(Scope::RunsRead)?;
        let now = self.engine.now();
        wish::check_resume(asked.resume_at, now)?;
        let cron = Cron::read(&asked.cron, asked.timezone.as_deref().unwrap_or("UTC"))?;
        let (tenant, id) = (caller.tenant.clone(), asked.schedule_id.clone());
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                if let Some(id) = &id {
                    find(tx, &tenant, id).await?;
                }
                FireHolds::read(tx).await
            })
        });
        let holds = read.await?;
        let whose = (&caller.tenant, asked.schedule_id.as_ref().map_or("", |id| id.as_str()));
        let since = asked.resume_at.map_or(now, |at| Micros(at.0 - 1));
        let earliest = view::earliest(&cron, whose, &holds, since);
        let dropped = match earliest {
            Some(earliest) => count(&cron, now, earliest),
            None => 0,
        };
        let blackout = holds.next(whose.0, whose.1, (now, now.plus_ms(BLACKOUT_MS))).map(|blackout| {
            let fires = count(&cron, Micros(blackout.from.max(now).0 - 1), blackout.until);
            FireBlackout { fires, ..blackout }
        });
        Ok(SchedulePreview {
            words: cron_words(&asked.cron),
            timezone: cron.zone_name().to_owned(),
            offset: offset_text(&cron, now),
            fires: cron.after(now).take(PREVIEWED).map(|at| cron.planned(at)).collect(),
            daylight_rule: DAYLIGHT_RULE.to_owned(),
            clock_changes: changes(&cron, now),
            earliest_next_run: earliest.map(|at| cron.planned(at)),
            dropped,
            blackout,
            as_of: now,
        })
    }

    /// The coming fires of enabled schedules: of 14 days, at most 200, the first one first.
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
                Ok(schedules::upcoming(tx, &tenant, only, until, limit).await?)
            })
        });
        let mut items = merged(&read.await?, until)?;
        let truncated = items.len() > MOST_UPCOMING;
        items.truncate(MOST_UPCOMING);
        Ok(UpcomingFires { items, until, truncated, as_of: now })
    }
}

/// Fires after one time and before another; of very many, the first thousand are counted.
fn count(cron: &Cron, after: Micros, before: Micros) -> i64 {
    let fires = cron.after(after).take_while(|fire| *fire < before).take(MOST_COUNTED).count();
    i64::try_from(fires).unwrap_or(i64::MAX)
}

/// The fires of all these schedules in one order, one more than is told.
fn merged(rows: &[ScheduleRow], until: Micros) -> Result<Vec<UpcomingFire>, LedgerError> {
    let crons: Vec<Cron> = rows.iter().map(cron_of).collect::<Result<_, _>>()?;
    let first = rows.iter().enumerate().filter_map(|(at, row)| Some(Reverse((row.next_fire_at?, at))));
    let mut heap: BinaryHeap<Reverse<(Micros, usize)>> = first.collect();
    let mut items = Vec::new();
    while let Some(Reverse((fire, at))) = heap.pop() {
        if items.len() > MOST_UPCOMING {
            break;
        }
        let (row, cron) = (&rows[at], &crons[at]);
        items.push(UpcomingFire {
            schedule_id: row.schedule_id.clone(),
            name: row.name.clone(),
            mode: row.mode,
            timezone: row.time_zone.clone(),
            fire: cron.planned(fire),
        });
        if let Some(next) = cron.next(fire).filter(|next| *next <= until) {
            heap.push(Reverse((next, at)));
        }
    }
    Ok(items)
}
