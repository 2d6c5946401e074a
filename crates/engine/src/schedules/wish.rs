//! What is demanded of a schedule before it is kept. Pure.

use crate::cron::Cron;
use crate::error::Error;
use crate::limit_changes::demand_within;
use crate::runs::wish as run_wish;
use stella_contract::ids::PolicySnapshotId;
use stella_contract::run::StartRun;
use stella_contract::time::Micros;
use stella_ledger::schedules::ScheduleRow;

/// The longest name.
const LONGEST_NAME: usize = 80;
/// A catch-up window is ten seconds to a year.
const CATCHUP_S: std::ops::RangeInclusive<i64> = 10..=365 * 24 * 3_600;

/// Refuses what cannot be, with the field that is wrong; the cron that was read, and its zone as the database spells it.
pub(super) fn check(row: &mut ScheduleRow) -> Result<Cron, Error> {
    let length = row.name.chars().count();
    if !(1..=LONGEST_NAME).contains(&length) || row.name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("1 to {LONGEST_NAME} characters that can be seen")));
    }
    row.cron = row.cron.split_whitespace().collect::<Vec<_>>().join(" ");
    let cron = Cron::read(&row.cron, &row.time_zone)?;
    cron.zone_name().clone_into(&mut row.time_zone);
    demand_within("jitterS", row.jitter_s, 0..=3_600)?;
    demand_within("catchupWindowS", row.catchup_window_s, CATCHUP_S)?;
    demand_within("maxTargets", row.max_targets, 1..=1_000_000)?;
    demand_within("limits.parallelism", row.limits.parallelism, 1..=64)?;
    demand_within("limits.targetsPerMinute", row.limits.targets_per_minute, 1..=100_000)?;
    if let Some(policy) = &row.policy_snapshot_id
        && policy.parse::<PolicySnapshotId>().is_err()
    {
        return Err(Error::invalid("policySnapshotId", "is the id of a policy snapshot"));
    }
    run_wish::check(&run_of(row))?;
    Ok(cron)
}

/// The run that each fire of a schedule wishes for.
pub(super) fn run_of(row: &ScheduleRow) -> StartRun {
    StartRun {
        mode: row.mode,
        scope: row.scope.clone(),
        kev_first: row.kev_first,
        priority: None,
        preview_id: None,
        allow_stale: false,
        segment_size: None,
        policy_snapshot_id: row.policy_snapshot_id.as_deref().and_then(|id| id.parse().ok()),
    }
}

/// Refuses to resume by itself in the past.
pub(super) fn check_resume(resume_at: Option<Micros>, now: Micros) -> Result<(), Error> {
    match resume_at {
        Some(at) if at <= now => Err(Error::invalid("resumeAt", "lies in the future")),
        Some(_) | None => Ok(()),
    }
}
