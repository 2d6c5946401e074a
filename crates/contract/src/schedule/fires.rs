//! Fires: those of a text, those to come, and what became of the rest.

use super::{ClockChangeKind, FireOutcome, FireProspect, OverlapPolicy, ScheduleState, SchedulerStatus};
use crate::blackout::BlackoutAction;
use crate::ids::{BlackoutId, RunId, ScheduleId};
use crate::run::{RunMode, RunScope};
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// What a cron text would do, whether it is kept or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewSchedule {
    /// When it fires: five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`.
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub cron: String,
    /// The IANA zone in which it is read; `UTC` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub timezone: Option<String>,
    /// The schedule it is or will be, so that blackouts of that are seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
    /// As if it were paused until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Micros>,
}

/// One coming fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlannedFire {
    /// When, before it is spread.
    pub at: Micros,
    /// The same on the clocks of the zone, with their offset.
    pub local: String,
    /// What that offset is called there: `CET`, `+0530`.
    pub abbreviation: String,
    /// The rule that made it fire then, where a change of the clock did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A change of the clock and what it does to the fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClockChange {
    /// When.
    pub at: Micros,
    /// Forward or back.
    pub kind: ClockChangeKind,
    /// What the clocks would have shown, `2027-03-28T02:00`.
    pub from_local: String,
    /// What they show instead.
    pub to_local: String,
    /// What that does to the fires, in a sentence.
    pub effect: String,
}

/// A blackout that is on or comes next, and the fires in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FireBlackout {
    /// Its id.
    pub blackout_id: BlackoutId,
    /// What becomes of the fires.
    pub action: BlackoutAction,
    /// Its beginning, the time of draining included.
    pub from: Micros,
    /// Its end.
    pub until: Micros,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Fires that fall into it from now on.
    pub fires: i64,
}

/// What a cron text does in its zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SchedulePreview {
    /// In plain words, where they are short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The zone.
    pub timezone: String,
    /// How far its clocks are ahead of UTC now: `+02:00`.
    pub offset: String,
    /// The next fires.
    pub fires: Vec<PlannedFire>,
    /// The rule at changes of the clock.
    pub daylight_rule: String,
    /// The next changes of the clock within a year, the first one first.
    pub clock_changes: Vec<ClockChange>,
    /// The first fire that blackouts and the pause let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_next_run: Option<PlannedFire>,
    /// Fires before that which are dropped; of very many, the first thousand are counted.
    pub dropped: i64,
    /// The blackout that is on or comes next within a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blackout: Option<FireBlackout>,
    /// When this was so.
    pub as_of: Micros,
}

/// What became of one fire. Order of lists: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ScheduleFire {
    /// When it was due.
    pub due_at: Micros,
    /// What became of it.
    pub outcome: FireOutcome,
    /// The run it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// When that was decided.
    pub decided_at: Micros,
    /// From its time to that, spreading included.
    pub delay_ms: i64,
}

/// Whose coming fires are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct UpcomingQuery {
    /// Of this schedule only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
}

/// A coming fire of a schedule that is at work, or that is paused until a time before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpcomingFire {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Its name.
    pub name: String,
    /// Whether it is at work, or paused until a time before this fire.
    pub state: ScheduleState,
    /// What its run will do.
    pub mode: RunMode,
    /// For which targets.
    pub scope: RunScope,
    /// By which policy; the active one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_snapshot_id: Option<String>,
    /// Targets with exploited vulnerabilities first.
    pub kev_first: bool,
    /// What becomes of it while the run before is still open.
    pub overlap_policy: OverlapPolicy,
    /// The zone in which it is read.
    pub timezone: String,
    /// When.
    pub fire: PlannedFire,
    /// What will become of it, as things stand.
    pub prospect: FireProspect,
    /// Until when a blackout holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Micros>,
    /// The run of the schedule that is open now; told with its next fire alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_run_id: Option<RunId>,
}

/// Coming fires of all schedules, the first one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpcomingFires {
    /// The fires, at most 200.
    pub items: Vec<UpcomingFire>,
    /// Up to when was looked; fires of 14 days are told.
    pub until: Micros,
    /// Whether there are more before that.
    pub truncated: bool,
    /// Schedules of the tenant that are paused; those without a time to resume at have no fire here.
    pub paused: i64,
    /// When this was so.
    pub as_of: Micros,
}

/// How the scheduler is doing, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SchedulerHealth {
    /// The verdict.
    pub status: SchedulerStatus,
    /// Why, in a sentence.
    pub sentence: String,
    /// Schedules of the tenant.
    pub schedules: i64,
    /// Those at work.
    pub enabled: i64,
    /// Those that are paused.
    pub paused: i64,
    /// Fires whose time passed without a decision by now.
    pub overdue: i64,
    /// Fires missed in the last 24 hours.
    pub missed_24h: i64,
    /// The last fire that started a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fire_at: Option<Micros>,
    /// The next fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_fire_at: Option<Micros>,
    /// The schedule that fires next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_schedule: Option<String>,
    /// Runs of schedules that completed today (UTC).
    pub completed_today: i64,
    /// When somebody at work was last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_beat_at: Option<Micros>,
    /// When this was so.
    pub as_of: Micros,
}
