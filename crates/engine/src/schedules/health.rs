//! How the scheduler is doing (spec 05 §5.1): nobody at work is a failure, a fire time without a run a warning.

use super::Schedules;
use crate::caller::Caller;
use crate::error::Error;
use stella_contract::schedule::{ScheduleFilter, ScheduleState, SchedulerHealth, SchedulerStatus};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::{runs, schedules};

/// Who was not heard of for so long is not at work.
const SILENT_MS: i64 = 90_000;
/// A fire that is not decided so long after its time is overdue.
const OVERDUE_MS: i64 = 60_000;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

impl Schedules {
    /// How the scheduler is doing, and what shows it.
    pub async fn health(&self, caller: &Caller) -> Result<SchedulerHealth, Error> {
        caller.demand(Scope::RunsRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let of = |state| ScheduleFilter { state: Some(state), ..ScheduleFilter::default() };
                let schedules = schedules::count(tx, &tenant, &ScheduleFilter::default()).await?;
                let enabled = schedules::count(tx, &tenant, &of(ScheduleState::Enabled)).await?;
                let paused = schedules::count(tx, &tenant, &of(ScheduleState::Paused)).await?;
                let overdue = schedules::overdue(tx, &tenant, now.minus_ms(OVERDUE_MS)).await?;
                let missed_24h = schedules::missed_since(tx, &tenant, Micros(now.0 - DAY_US)).await?;
                let next = schedules::upcoming(tx, &tenant, None, Micros(i64::MAX), 1).await?.pop();
                let today = Micros(now.0.div_euclid(DAY_US) * DAY_US);
                let last_beat_at = runs::last_beat(tx).await?;
                let (status, sentence) = verdict(last_beat_at, overdue, missed_24h, now);
                Ok(SchedulerHealth {
                    status,
                    sentence,
                    schedules,
                    enabled,
                    paused,
                    overdue,
                    missed_24h,
                    last_fire_at: schedules::last_fire(tx, &tenant).await?,
                    next_fire_at: next.as_ref().and_then(|row| row.next_fire_at),
                    next_schedule: next.map(|row| row.name),
                    completed_today: runs::completed_of_schedules(tx, &tenant, today).await?,
                    last_beat_at,
                    as_of: now,
                })
            })
        });
        read.await
    }
}

fn verdict(beat: Option<Micros>, overdue: i64, missed: i64, now: Micros) -> (SchedulerStatus, String) {
    match beat {
        None => {
            return (SchedulerStatus::Fail, "The scheduler was never at work. Start the core.".to_owned());
        }
        Some(beat) if now.ms_since(beat) > SILENT_MS => {
            let sentence = format!(
                "The scheduler was last heard of {} s ago. Start the core again, or look at its log.",
                now.ms_since(beat) / 1_000
            );
            return (SchedulerStatus::Fail, sentence);
        }
        Some(_) => {}
    }
    let times = |count: i64| if count == 1 { "1 fire".to_owned() } else { format!("{count} fires") };
    match (overdue, missed) {
        (0, 0) => (SchedulerStatus::Ok, "Every fire of the last 24 hours was decided in time.".to_owned()),
        (0, missed) => {
            let sentence = format!("{} of the last 24 hours passed without a run.", times(missed));
            (SchedulerStatus::Warn, sentence)
        }
        (overdue, _) => {
            let sentence = format!("{} should have been decided over a minute ago.", times(overdue));
            (SchedulerStatus::Warn, sentence)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_a_failure_and_a_passed_fire_a_warning() {
        let now = Micros(1_795_271_295_000_000);
        let of = |beat_s: Option<i64>, overdue, missed| {
            verdict(beat_s.map(|seconds| now.minus_ms(seconds * 1_000)), overdue, missed, now).0
        };
        assert_eq!(of(None, 0, 0), SchedulerStatus::Fail);
        assert_eq!(of(Some(91), 0, 0), SchedulerStatus::Fail);
        assert_eq!(of(Some(90), 0, 0), SchedulerStatus::Ok);
        assert_eq!(of(Some(5), 1, 0), SchedulerStatus::Warn);
        assert_eq!(of(Some(5), 0, 3), SchedulerStatus::Warn);
    }
}
