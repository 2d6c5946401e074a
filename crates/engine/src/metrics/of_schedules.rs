//! Figures of schedules: how many are at work, what they missed, what is overdue.

use super::exposition::Family;
use std::collections::BTreeMap;
use stella_contract::schedule::ScheduleState;
use stella_contract::time::Micros;
use stella_ledger::{LedgerError, Tx, exposition, schedules};

/// A fire that is not decided so long after its time is overdue.
const OVERDUE_MS: i64 = 60_000;

pub(super) async fn read(tx: &mut Tx, now: Micros) -> Result<Vec<Family>, LedgerError> {
    let mut of_state: BTreeMap<&str, i64> =
        ScheduleState::ALL.iter().map(|state| (state.as_str(), 0)).collect();
    for (_, state, count) in schedules::by_state(tx).await? {
        let Ok(state) = state.parse::<ScheduleState>() else { continue };
        *of_state.entry(state.as_str()).or_default() += count;
    }
    let mut states = Family::gauge("scheduler_schedules", "Schedules, by state.");
    for (state, count) in of_state {
        states.add(vec![("state", state.to_owned())], count as f64);
    }
    let mut missed = Family::counter(
        "scheduler_schedule_missed_total",
        "Fires whose time passed while nobody was there to start them, of the schedules there are.",
    );
    let counts = schedules::missed_by_tenant(tx).await?;
    missed.add(Vec::new(), counts.iter().map(|(_, count)| *count).sum::<i64>() as f64);
    let mut overdue =
        Family::gauge("scheduler_schedules_overdue", "Schedules whose fire is over a minute late.");
    overdue.add(Vec::new(), schedules::late(tx, now.minus_ms(OVERDUE_MS)).await? as f64);
    let mut backlog =
        Family::gauge("scheduler_runner_backlog", "Targets of open runs that are not evaluated yet.");
    for row in exposition::backlogs(tx).await? {
        let of =
            vec![("mode", row.mode), ("scheduleId", row.schedule_id.unwrap_or_else(|| "none".to_owned()))];
        backlog.add(of, row.backlog as f64);
    }
    Ok(vec![states, missed, overdue, backlog])
}
