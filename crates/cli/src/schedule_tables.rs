//! Schedules, fires and previews as they are printed.

use crate::table::{Table, or_dash};
use stella_contract::schedule::{
    PlannedFire, Schedule, ScheduleFire, SchedulePreview, ScheduleState, SchedulerHealth, UpcomingFire,
    UpcomingFires,
};
use stella_contract::time::Micros;

pub(crate) fn of_many(schedules: &[Schedule]) -> Table {
    let headings = &["NAME", "STATE", "WHEN", "ZONE", "NEXT FIRE", "LAST RUN", "MISSED"];
    Table::new(headings).rows(schedules, |schedule| {
        [
            schedule.name.clone(),
            schedule.state.to_string(),
            schedule.words.clone().unwrap_or_else(|| schedule.cron.clone()),
            schedule.timezone.clone(),
            or_dash(schedule.next_fire_at.as_ref()),
            schedule.recent_runs.first().map_or_else(|| "-".to_owned(), |run| run.state.to_string()),
            schedule.missed_count.to_string(),
        ]
    })
}

pub(crate) fn of_one(schedule: &Schedule) -> Table {
    let at = |time: Option<Micros>| time.map(|time| time.to_string()).unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let notify = match (schedule.notify.min_severity, schedule.notify.on_kev) {
        (Some(severity), true) => format!("{severity} or worse, and known exploited"),
        (Some(severity), false) => format!("{severity} or worse"),
        (None, _) => "every run that ends".to_owned(),
    };
    Table::of_one([
        ("id", schedule.schedule_id.to_string()),
        ("name", schedule.name.clone()),
        ("state", schedule.state.to_string()),
        ("cron", schedule.cron.clone()),
        ("in words", text(&schedule.words)),
        ("zone", schedule.timezone.clone()),
        ("next fire", at(schedule.next_fire_at)),
        ("in its zone", text(&schedule.next_fire_local)),
        ("earliest next run", at(schedule.earliest_next_run)),
        ("pause reason", text(&schedule.pause_reason)),
        ("ticket", text(&schedule.pause_ticket)),
        ("paused by", text(&schedule.paused_by)),
        ("resumes", at(schedule.resume_at)),
        ("overlap", schedule.overlap_policy.to_string()),
        ("catch-up", format!("{} s, the newest missed fire only", schedule.catchup_window_s)),
        ("jitter", format!("{} s", schedule.jitter_s)),
        ("mode", schedule.mode.to_string()),
        ("scope", schedule.scope.to_string()),
        ("policy", text(&schedule.policy_snapshot_id)),
        ("KEV first", schedule.kev_first.to_string()),
        (
            "limits",
            format!(
                "{} targets, {} parallel, {} targets/min",
                schedule.max_targets, schedule.limits.parallelism, schedule.limits.targets_per_minute
            ),
        ),
        ("notify", notify),
        ("last fire", at(schedule.last_fire_at)),
        ("last run", schedule.last_run_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("missed", schedule.missed_count.to_string()),
        ("made by", schedule.created_by.clone()),
        ("version", schedule.version.to_string()),
    ])
}

pub(crate) fn of_fires(fires: &[ScheduleFire]) -> Table {
    Table::new(&["DUE", "OUTCOME", "DELAY", "RUN"]).rows(fires, |fire| {
        [
            fire.due_at.to_string(),
            fire.outcome.to_string(),
            format!("{:.1} s", fire.delay_ms as f64 / 1_000.0),
            or_dash(fire.run_id.as_ref()),
        ]
    })
}

fn fire_text(fire: &PlannedFire) -> String {
    let rule = fire.rule.as_ref().map(|rule| format!("  ({rule})")).unwrap_or_default();
    format!("{}  {} {}{rule}", fire.at, fire.local, fire.abbreviation)
}

pub(crate) fn of_preview(preview: &SchedulePreview) -> Table {
    let fires: Vec<String> = preview.fires.iter().map(fire_text).collect();
    let changes: Vec<String> =
        preview.clock_changes.iter().map(|change| format!("{}  {}", change.at, change.effect)).collect();
    let blackout = preview.blackout.as_ref().map(|blackout| {
        format!("{} {} to {}: {} fires", blackout.action, blackout.from, blackout.until, blackout.fires)
    });
    Table::of_one([
        ("in words", preview.words.clone().unwrap_or_default()),
        ("zone", format!("{} {}", preview.timezone, preview.offset)),
        ("next fires", fires.join("\n")),
        ("earliest next run", preview.earliest_next_run.as_ref().map(fire_text).unwrap_or_default()),
        ("dropped", if preview.dropped == 0 { String::new() } else { preview.dropped.to_string() }),
        ("blackout", blackout.unwrap_or_default()),
        ("clock changes", changes.join("\n")),
        ("rule", preview.daylight_rule.clone()),
    ])
}

/// What will become of a fire, and what decides it.
fn prospect_text(item: &UpcomingFire) -> String {
    let after_pause = match item.state {
        ScheduleState::Paused => "after the pause, ",
        ScheduleState::Enabled | ScheduleState::Disabled => "",
    };
    let because = match (&item.held_until, &item.open_run_id) {
        (Some(until), _) => format!(" until {until}"),
        (None, Some(run)) => format!(", {run} is open"),
        (None, None) => String::new(),
    };
    format!("{after_pause}{}{because}", item.prospect)
}

pub(crate) fn of_upcoming(upcoming: &UpcomingFires) -> Table {
    Table::new(&["FIRES", "IN ITS ZONE", "SCHEDULE", "ZONE", "MODE", "SCOPE", "PROSPECT"]).rows(
        &upcoming.items,
        |item| {
            [
                item.fire.at.to_string(),
                item.fire.local.clone(),
                item.name.clone(),
                item.timezone.clone(),
                item.mode.to_string(),
                item.scope.to_string(),
                prospect_text(item),
            ]
        },
    )
}

pub(crate) fn of_health(health: &SchedulerHealth) -> Table {
    let at = |time: Option<Micros>| time.map(|time| time.to_string()).unwrap_or_default();
    Table::of_one([
        ("status", health.status.to_string()),
        ("why", health.sentence.clone()),
        ("schedules", format!("{}, {} enabled, {} paused", health.schedules, health.enabled, health.paused)),
        ("overdue", health.overdue.to_string()),
        ("missed in 24 h", health.missed_24h.to_string()),
        ("last fire", at(health.last_fire_at)),
        ("next fire", at(health.next_fire_at)),
        ("of", health.next_schedule.clone().unwrap_or_default()),
        ("completed today", health.completed_today.to_string()),
        ("last heard of", at(health.last_beat_at)),
    ])
}
