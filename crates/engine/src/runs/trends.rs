//! How runs have been doing for a day, all from one snapshot.

use crate::caller::Caller;
use crate::error::Error;
use crate::features;
use crate::runs::Runs;
use std::collections::BTreeMap;
use stella_contract::feature::Feature;
use stella_contract::job::JobState;
use stella_contract::run_trends::{
    BacklogPoint, DeterminismDay, RunHour, RunSeries, RunTrends, ScheduleBacklog, TriggerCount,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::run_figures::{self, AskedRow, EndedRow, SameRow, TookRow};
use stella_ledger::run_samples::{self, BacklogRow};
use stella_ledger::{LedgerError, Tx, overview};

const HOUR_US: i64 = 60 * 60 * 1_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// Days of which samples are told.
const DAYS: i64 = 30;
/// Hours that are told.
const HOURS: i64 = 24;
/// The span of one point of the backlog.
const POINT_US: i64 = 5 * 60 * 1_000_000;
/// The share of runs that the longer of the two durations covers, in hundredths.
const NEARLY_ALL: i64 = 95;

impl Runs {
    /// The last 24 hours of the tenant's runs.
    pub async fn trends(&self, caller: &Caller) -> Result<RunTrends, Error> {
        caller.demand(Scope::RunsRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                features::demand(tx, Feature::Dashboard).await?;
                let seen = Seen::read(tx, tenant.as_str(), now).await?;
                Ok(seen.told(now)?)
            })
        });
        read.await
    }
}

/// Everything the trends are made of.
#[derive(Debug, Default)]
struct Seen {
    queued: i64,
    active: i64,
    failed_ever: i64,
    took: Vec<TookRow>,
    backlog: Vec<BacklogRow>,
    asked: Vec<AskedRow>,
    ended: Vec<EndedRow>,
    same: Vec<SameRow>,
}

impl Seen {
    async fn read(tx: &mut Tx, tenant: &str, now: Micros) -> Result<Self, LedgerError> {
        let (day, hours) = (now.0 - HOURS * HOUR_US, first_hour(now));
        let jobs = overview::active(tx, tenant).await?;
        let runs = overview::open_runs(tx, tenant).await?;
        Ok(Self {
            queued: jobs
                .iter()
                .filter(|row| row.state == JobState::Queued.as_str())
                .map(|row| row.jobs)
                .sum(),
            active: runs.iter().map(|row| row.runs).sum(),
            failed_ever: run_figures::failed(tx, tenant).await?,
            took: run_figures::took(tx, tenant, day).await?,
            backlog: run_samples::since(tx, tenant, day, POINT_US).await?,
            asked: run_figures::asked(tx, tenant, hours, HOUR_US).await?,
            ended: run_figures::ended(tx, tenant, hours, HOUR_US).await?,
            same: run_figures::same(tx, tenant, now.0 - DAYS * DAY_US, DAY_US).await?,
        })
    }

    fn told(&self, now: Micros) -> Result<RunTrends, LedgerError> {
        let hours = self.hours(now)?;
        let ended: i64 = self.took.iter().map(|row| row.runs).sum();
        let ms: i64 = self.took.iter().map(|row| row.runs * row.ms).sum();
        let series = RunSeries {
            queue_depth: self.queued,
            runs_active: self.active,
            runs_error_total: self.failed_ever,
            runs_error_24h: hours.iter().map(|hour| hour.failed).sum(),
            runs_ended_24h: ended,
            duration_mean_ms: (ended > 0).then(|| ms / ended),
            duration_p95_ms: nearly_all(&self.took, ended),
        };
        let (backlog, by_schedule) = self.backlog();
        let day = |row: &SameRow| DeterminismDay {
            at: Micros(row.at),
            mean: row.mean,
            runs: row.runs,
            sample: row.sample,
        };
        let determinism = self.same.iter().map(day).collect();
        Ok(RunTrends { as_of: now, series, backlog, by_schedule, hours, determinism })
    }

    /// The tenant's backlog, and that of each schedule.
    fn backlog(&self) -> (Vec<BacklogPoint>, Vec<ScheduleBacklog>) {
        let (mut own, mut schedules) = (Vec::new(), BTreeMap::<&str, Vec<BacklogPoint>>::new());
        for row in &self.backlog {
            let point = BacklogPoint { at: Micros(row.at), planner: row.planner, executor: row.executor };
            match &row.schedule_id {
                None => own.push(point),
                Some(id) => schedules.entry(id).or_default().push(point),
            }
        }
        let schedules = schedules
            .into_iter()
            .map(|(id, backlog)| ScheduleBacklog { schedule_id: id.to_owned(), backlog });
        (own, schedules.collect())
    }

    fn hours(&self, now: Micros) -> Result<Vec<RunHour>, LedgerError> {
        let first = first_hour(now);
        let empty = |hour: i64| RunHour {
            at: Micros(first + hour * HOUR_US),
            by_trigger: Vec::new(),
            ended: 0,
            failed: 0,
            duration_mean_ms: None,
        };
        let mut hours: Vec<RunHour> = (0..HOURS).map(empty).collect();
        let place = |at: i64| usize::try_from((at - first) / HOUR_US).unwrap_or(usize::MAX);
        for row in &self.asked {
            let trigger = row
                .run_trigger
                .parse()
                .map_err(|_| LedgerError::corrupt("runs", "run_trigger", &row.run_trigger))?;
            if let Some(hour) = hours.get_mut(place(row.at)) {
                hour.by_trigger.push(TriggerCount { trigger, count: row.runs });
            }
        }
        for row in &self.ended {
            if let Some(hour) = hours.get_mut(place(row.at)) {
                (hour.ended, hour.failed) = (row.runs, row.failed);
                hour.duration_mean_ms = (row.runs > 0).then(|| row.ms / row.runs);
            }
        }
        Ok(hours)
    }
}

/// The start of the first hour that is told; the hour that has begun is the last.
const fn first_hour(now: Micros) -> i64 {
    (now.0.div_euclid(HOUR_US) - (HOURS - 1)) * HOUR_US
}

/// The duration that nearly all runs did not exceed; `took` begins with the shortest.
fn nearly_all(took: &[TookRow], runs: i64) -> Option<i64> {
    let wanted = (runs * NEARLY_ALL + 99) / 100;
    let mut reached = 0;
    for row in took {
        reached += row.runs;
        if reached >= wanted && wanted > 0 {
            return Some(row.ms);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::run::RunTrigger;

    const NOW: Micros = Micros(1_795_271_295_204_000);

    #[test]
    fn nearly_all_runs_did_not_take_longer() {
        let took = |rows: &[(i64, i64)]| -> Vec<TookRow> {
            rows.iter().map(|(ms, runs)| TookRow { ms: *ms, runs: *runs }).collect()
        };
        assert_eq!(nearly_all(&[], 0), None);
        assert_eq!(nearly_all(&took(&[(7, 1)]), 1), Some(7));
        assert_eq!(nearly_all(&took(&[(10, 95), (900, 5)]), 100), Some(10));
        assert_eq!(nearly_all(&took(&[(10, 94), (20, 1), (900, 5)]), 100), Some(20));
        assert_eq!(nearly_all(&took(&[(10, 90), (900, 10)]), 100), Some(900));
    }

    #[test]
    fn every_hour_of_a_day_is_there_and_the_last_is_the_one_that_has_begun() {
        let last = NOW.0.div_euclid(HOUR_US) * HOUR_US;
        let seen = Seen {
            asked: vec![
                AskedRow { at: last, run_trigger: "cron".to_owned(), runs: 3 },
                AskedRow { at: last - 23 * HOUR_US, run_trigger: "manual".to_owned(), runs: 1 },
            ],
            ended: vec![EndedRow { at: last, runs: 2, failed: 1, ms: 3_000 }],
            took: vec![TookRow { ms: 1_000, runs: 1 }, TookRow { ms: 2_000, runs: 1 }],
            ..Seen::default()
        };
        let told = seen.told(NOW).unwrap();
        assert_eq!((told.hours.len(), told.hours[23].at), (24, Micros(last)));
        assert_eq!(told.hours[0].by_trigger, [TriggerCount { trigger: RunTrigger::Manual, count: 1 }]);
        assert_eq!(told.hours[23].duration_mean_ms, Some(1_500));
        assert_eq!(told.hours[22].duration_mean_ms, None);
        assert_eq!((told.series.runs_ended_24h, told.series.runs_error_24h), (2, 1));
        assert_eq!((told.series.duration_mean_ms, told.series.duration_p95_ms), (Some(1_500), Some(2_000)));
    }

    #[test]
    fn the_backlog_of_a_schedule_stands_beside_the_tenants() {
        let row = |id: Option<&str>, at: i64, executor: i64| BacklogRow {
            schedule_id: id.map(str::to_owned),
            at,
            planner: 1,
            executor,
        };
        let seen = Seen {
            backlog: vec![row(None, 0, 9), row(None, POINT_US, 8), row(Some("sch_1"), 0, 4)],
            ..Seen::default()
        };
        let (own, schedules) = seen.backlog();
        assert_eq!(own.iter().map(|point| point.executor).collect::<Vec<_>>(), [9, 8]);
        assert_eq!((schedules.len(), schedules[0].schedule_id.as_str()), (1, "sch_1"));
    }
}
