//! What a cron text would do, whether it is kept or not.

use super::{Schedules, find, view, wish};
use crate::blackouts::FireHolds;
use crate::caller::Caller;
use crate::cron::{Cron, changes, offset_text};
use crate::error::Error;
use stella_contract::cron_words::cron_words;
use stella_contract::schedule::{DAYLIGHT_RULE, FireBlackout, PREVIEWED, PreviewSchedule, SchedulePreview};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;

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
}

/// Fires after one time and before another; of very many, the first thousand are counted.
fn count(cron: &Cron, after: Micros, before: Micros) -> i64 {
    let fires = cron.after(after).take_while(|fire| *fire < before).take(MOST_COUNTED).count();
    i64::try_from(fires).unwrap_or(i64::MAX)
}
