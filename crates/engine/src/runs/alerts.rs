//! What is wrong with the scheduler right now, and what runs went through lately.

use crate::caller::Caller;
use crate::error::Error;
use crate::runs::Runs;
use crate::{features, page};
use stella_contract::event::FeedEvent;
use stella_contract::feature::Feature;
use stella_contract::incident::Severity;
use stella_contract::page::{Page, PageQuery};
use stella_contract::run_alert::{
    DEEP_QUEUE, DEEP_QUEUE_MS, PLANNER_GONE_MS, PLANNER_SILENT_MS, PLANNING_LATE_MS, REPEATED, REPEATED_MS,
    RunAlert, RunAlertKind, RunAlerts,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::run_figures::{self, CodeRow, DeepRow, PlanningRow};
use stella_ledger::{LedgerError, Tx, feed, runs};

/// How often the queue's depth is sampled. A sample that is two of these old says nothing of now.
const SAMPLED_MS: i64 = 60_000;

impl Runs {
    /// What is wrong for the tenant, the worst first.
    pub async fn alerts(&self, caller: &Caller) -> Result<RunAlerts, Error> {
        caller.demand(Scope::RunsRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                features::demand(tx, Feature::Dashboard).await?;
                let seen = Seen::read(tx, tenant.as_str(), now).await?;
                Ok(RunAlerts { as_of: now, items: seen.told(now)? })
            })
        });
        read.await
    }

    /// What runs went through, the newest first: made, planned, started, ended. It is kept as long as the feed is.
    pub async fn events(&self, caller: &Caller, query: &PageQuery) -> Result<Page<FeedEvent>, Error> {
        caller.demand(Scope::RunsRead)?;
        let before: Option<i64> = page::after(&"run events", query)?;
        let tenant = caller.tenant.clone();
        let limit = i64::from(query.size()) + 1;
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                features::demand(tx, Feature::Dashboard).await?;
                Ok(feed::of_runs(tx, &tenant, before.unwrap_or(i64::MAX), limit).await?)
            })
        });
        page::of(&"run events", query, read.await?, None, |event: &FeedEvent| event.seq)
    }
}

/// What the warnings are made of.
#[derive(Debug, Default)]
struct Seen {
    beat: Option<Micros>,
    planning: Option<PlanningRow>,
    deep: DeepRow,
    codes: Vec<(CodeRow, Option<String>)>,
}

impl Seen {
    async fn read(tx: &mut Tx, tenant: &str, now: Micros) -> Result<Self, LedgerError> {
        let mut codes = Vec::new();
        for row in run_figures::codes(tx, tenant, now.minus_ms(REPEATED_MS).0, REPEATED).await? {
            let newest = run_figures::newest_of(tx, tenant, row.last_at, &row.error_code).await?;
            codes.push((row, newest));
        }
        Ok(Self {
            beat: runs::last_beat(tx).await?,
            planning: run_figures::longest_in_planning(tx, tenant).await?,
            deep: run_figures::deep(tx, tenant, DEEP_QUEUE).await?,
            codes,
        })
    }

    fn told(&self, now: Micros) -> Result<Vec<RunAlert>, LedgerError> {
        let mut alerts: Vec<RunAlert> = self.silent(now).into_iter().collect();
        alerts.extend(self.lag(now)?);
        alerts.extend(self.deep_queue(now));
        for (row, newest) in &self.codes {
            let corrupt = |column| LedgerError::corrupt("runs", column, &row.error_code);
            let newest = newest.as_deref().map(str::parse).transpose();
            alerts.push(RunAlert {
                kind: RunAlertKind::RepeatedCode,
                severity: Severity::Warning,
                since: Micros(row.first_at),
                count: row.runs,
                run_id: newest.map_err(|_| corrupt("run_id"))?,
                error_code: Some(row.error_code.parse().map_err(|_| corrupt("error_code"))?),
            });
        }
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.severity));
        Ok(alerts)
    }

    fn silent(&self, now: Micros) -> Option<RunAlert> {
        let beat = self.beat?;
        let severity = match now.ms_since(beat) {
            age if age > PLANNER_GONE_MS => Severity::Critical,
            age if age > PLANNER_SILENT_MS => Severity::Warning,
            _ => return None,
        };
        Some(RunAlert {
            kind: RunAlertKind::PlannerSilent,
            severity,
            since: beat,
            count: 1,
            run_id: None,
            error_code: None,
        })
    }

    fn lag(&self, now: Micros) -> Result<Option<RunAlert>, LedgerError> {
        let Some(row) = &self.planning else { return Ok(None) };
        let since = Micros(row.created_at);
        if now.ms_since(since) <= PLANNING_LATE_MS {
            return Ok(None);
        }
        let run_id = row.run_id.parse().map_err(|_| LedgerError::corrupt("runs", "run_id", &row.run_id))?;
        Ok(Some(RunAlert {
            kind: RunAlertKind::PlannerLag,
            severity: Severity::Warning,
            since,
            count: 1,
            run_id: Some(run_id),
            error_code: None,
        }))
    }

    fn deep_queue(&self, now: Micros) -> Option<RunAlert> {
        let (newest, queued) = (Micros(self.deep.newest?), self.deep.queued?);
        // The first deep sample comes with the minute after the last shallow one.
        let first = self.deep.last_shallow.map(|at| Micros(at).plus_ms(SAMPLED_MS));
        let since = first.or(self.deep.oldest.map(Micros))?;
        let is_fresh = now.ms_since(newest) <= 2 * SAMPLED_MS;
        let lasts = now.ms_since(since) >= DEEP_QUEUE_MS;
        (is_fresh && lasts && queued > DEEP_QUEUE).then_some(RunAlert {
            kind: RunAlertKind::QueueDepth,
            severity: Severity::Warning,
            since,
            count: queued,
            run_id: None,
            error_code: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_795_271_295_204_000);

    fn ago(ms: i64) -> Micros {
        NOW.minus_ms(ms)
    }

    fn kinds(seen: &Seen) -> Vec<(RunAlertKind, Severity)> {
        seen.told(NOW).unwrap().into_iter().map(|alert| (alert.kind, alert.severity)).collect()
    }

    #[test]
    fn a_planner_is_silent_after_ninety_seconds_and_gone_after_five_minutes() {
        let silent = |ms| kinds(&Seen { beat: Some(ago(ms)), ..Seen::default() });
        assert_eq!(silent(90_000), []);
        assert_eq!(silent(90_001), [(RunAlertKind::PlannerSilent, Severity::Warning)]);
        assert_eq!(silent(300_001), [(RunAlertKind::PlannerSilent, Severity::Critical)]);
        assert_eq!(kinds(&Seen::default()), [], "a ledger that never had one is not told off");
    }

    #[test]
    fn planning_is_late_after_two_minutes() {
        let waiting = |ms| {
            let run_id = "run:acme:20261121T140815Z:9c1f04ab".to_owned();
            let planning = Some(PlanningRow { run_id, created_at: ago(ms).0 });
            kinds(&Seen { planning, ..Seen::default() })
        };
        assert_eq!(waiting(120_000), []);
        assert_eq!(waiting(120_001), [(RunAlertKind::PlannerLag, Severity::Warning)]);
    }

    #[test]
    fn a_queue_is_deep_once_every_sample_of_ten_minutes_was() {
        let deep = |queued: i64, shallow: Option<i64>, oldest: i64, newest: i64| {
            let deep = DeepRow {
                newest: Some(ago(newest).0),
                queued: Some(queued),
                last_shallow: shallow.map(|ms| ago(ms).0),
                oldest: Some(ago(oldest).0),
            };
            kinds(&Seen { deep, ..Seen::default() }).len()
        };
        let (minute, hour) = (60_000, 3_600_000);
        assert_eq!(deep(1_001, Some(11 * minute), hour, 0), 1);
        assert_eq!(deep(1_001, Some(10 * minute), hour, 0), 0, "it has not lasted");
        assert_eq!(deep(1_000, Some(11 * minute), hour, 0), 0, "it is not deep");
        assert_eq!(deep(5_000, None, 10 * minute, 0), 1, "nothing shallow is known");
        assert_eq!(deep(5_000, None, hour, 3 * minute), 0, "what was sampled long ago says nothing of now");
    }

    #[test]
    fn a_code_that_comes_again_is_told_after_what_is_worse() {
        let row = CodeRow {
            error_code: "ERR_RUN_009".to_owned(),
            runs: 3,
            first_at: ago(9_000).0,
            last_at: ago(1_000).0,
        };
        let seen = Seen { codes: vec![(row, None)], beat: Some(ago(400_000)), ..Seen::default() };
        assert_eq!(
            kinds(&seen),
            [
                (RunAlertKind::PlannerSilent, Severity::Critical),
                (RunAlertKind::RepeatedCode, Severity::Warning)
            ]
        );
    }
}
