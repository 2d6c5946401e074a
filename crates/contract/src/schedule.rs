//! Schedules: when runs start by themselves (spec 05 §5.2).

use crate::NoSuchArrow;
use crate::blackout::BlackoutAction;
use crate::finding::Severity;
use crate::ids::{BlackoutId, RunId, ScheduleId, Tenant};
use crate::run::{Run, RunErrorCode, RunMode, RunScope, RunState};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// The rule at changes of the clock, as every preview states it.
pub const DAYLIGHT_RULE: &str = "A local time that is left out fires at the first moment after the gap; a local time \
that comes twice fires once, the first time. Where minute or hour begins with `*`, fires follow the clock.";
/// How far ahead coming fires are listed, in days.
pub const UPCOMING_DAYS: i64 = 14;
/// The most coming fires in one answer.
pub const MOST_UPCOMING: usize = 200;
/// The fires of a preview.
pub const PREVIEWED: usize = 5;
/// The runs of a schedule that its row draws.
pub const RECENT_RUNS: i64 = 14;
/// Seconds by which a fire is spread when nothing is said.
pub const JITTER_S: i64 = 30;
/// Seconds within which a late fire is made up for when nothing is said.
pub const CATCHUP_WINDOW_S: i64 = 600;
/// The most targets of a run when nothing is said.
pub const MAX_TARGETS: i64 = 50_000;

words! {
    /// Where a schedule stands.
    ScheduleState {
        /// In: created, enabled, resumed by an operator or at its time. Out: pause, disable.
        Enabled = "enabled",
        /// In: an operator pauses it; fires are dropped. Out: resume, disable.
        Paused = "paused",
        /// In: an operator switches it off. Out: enable.
        Disabled = "disabled",
    }
}

words! {
    /// What can happen to a schedule.
    ScheduleEvent {
        /// An operator pauses it, for good or until a time.
        Pause = "pause",
        /// An operator resumes it, or its time has come.
        Resume = "resume",
        /// An operator switches it on.
        Enable = "enable",
        /// An operator switches it off.
        Disable = "disable",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: ScheduleState, event: ScheduleEvent) -> Result<ScheduleState, NoSuchArrow> {
    use ScheduleEvent as E;
    use ScheduleState as S;
    match (state, event) {
        (S::Enabled, E::Pause) => Ok(S::Paused),
        (S::Paused, E::Resume) | (S::Disabled, E::Enable) => Ok(S::Enabled),
        (S::Enabled | S::Paused, E::Disable) => Ok(S::Disabled),
        (state, event) => {
            Err(NoSuchArrow { entity: "schedule", state: state.as_str(), event: event.as_str() })
        }
    }
}

/// The states from which `event` is possible.
pub fn states_before(event: ScheduleEvent) -> Vec<ScheduleState> {
    ScheduleState::ALL.iter().copied().filter(|state| next(*state, event).is_ok()).collect()
}

/// Why an operator may not do that to a schedule in this state; `None` when they may.
pub fn refusal(state: ScheduleState, event: ScheduleEvent) -> Option<&'static str> {
    use ScheduleEvent as E;
    use ScheduleState as S;
    next(state, event).err()?;
    Some(match (state, event) {
        (S::Disabled, E::Pause | E::Resume) => "The schedule is switched off",
        (S::Disabled, E::Disable) => "The schedule is switched off already",
        (S::Paused, E::Pause) => "The schedule is paused already",
        (S::Paused, E::Enable) => "The schedule is paused; resume it",
        (S::Enabled, E::Resume | E::Enable) => "The schedule is at work already",
        (S::Enabled, E::Pause | E::Disable)
        | (S::Paused, E::Resume | E::Disable)
        | (S::Disabled, E::Enable) => {
            return None;
        }
    })
}

words! {
    /// What becomes of a fire while the run before is still open.
    OverlapPolicy as "ScheduleOverlapPolicy" {
        /// It is left out.
        Skip = "skip",
        /// One of them starts when the run before has ended; further ones are left out.
        BufferOne = "buffer_one",
        /// It starts beside it.
        Allow = "allow",
    }
}

words! {
    /// What became of a fire.
    FireOutcome {
        /// A run was started.
        Started = "started",
        /// It waits for the run before to end.
        Buffered = "buffered",
        /// Left out, because the run before was still open.
        SkippedOverlap = "skipped_overlap",
        /// Left out by a blackout.
        SkippedBlackout = "skipped_blackout",
        /// Its time passed while nobody was there to start it.
        Missed = "missed",
    }
}

words! {
    /// What will become of a coming fire, as things stand.
    FireProspect {
        /// It starts a run.
        Starts = "starts",
        /// A run of the schedule is open; unless that ends before, it is left out.
        SkipsIfOpen = "skips_if_open",
        /// A run of the schedule is open; unless that ends before, it waits for its end.
        WaitsIfOpen = "waits_if_open",
        /// A blackout holds it.
        Held = "held",
        /// A blackout leaves it out.
        LeftOut = "left_out",
    }
}

words! {
    /// What a clock does when it is changed.
    ClockChangeKind {
        /// It is set forward: some local times are left out.
        Gap = "gap",
        /// It is set back: some local times come twice.
        Repeat = "repeat",
    }
}

words! {
    /// How the scheduler is doing.
    SchedulerStatus {
        /// It is at work and nothing is overdue.
        Ok = "ok",
        /// A fire time passed without a run.
        Warn = "warn",
        /// Nobody is at work.
        Fail = "fail",
    }
}

/// What bounds the runs of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScheduleLimits {
    /// Segments of one run that are at work at a time, 1 to 64; a retry of one by hand comes on top.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 64))]
    pub parallelism: i64,
    /// Targets evaluated per minute, 1 to 100,000.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000))]
    pub targets_per_minute: i64,
}

impl Default for ScheduleLimits {
    fn default() -> Self {
        Self { parallelism: 4, targets_per_minute: 600 }
    }
}

/// Of which runs of a schedule somebody is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScheduleNotify {
    /// Of runs with new findings of this severity or worse; of every run that ends when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_severity: Option<Severity>,
    /// Of runs in which a finding became known to be exploited, too.
    pub on_kev: bool,
}

impl ScheduleNotify {
    /// Whether somebody is told that this run of the schedule ended. A failure is always told.
    pub fn wants(&self, run: &Run) -> bool {
        let Some(least) = self.min_severity else { return true };
        let severe = Severity::ALL.iter().filter(|severity| **severity >= least);
        let mut deltas = run.deltas;
        run.state == RunState::Error
            || severe.into_iter().any(|severity| *deltas.new_of(*severity) > 0)
            || (self.on_kev && run.deltas.kev_added > 0)
    }
}

/// A run of a schedule, as its row draws it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ScheduleRun {
    /// Its id.
    pub run_id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<RunErrorCode>,
    /// Whether some of its targets could not be evaluated.
    pub partial: bool,
    /// When it was started.
    pub created_at: Micros,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Micros>,
}

/// A schedule as every door shows it. Order of lists: next fire first, those without one last, then id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Its id.
    pub schedule_id: ScheduleId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its name, unique within the tenant.
    pub name: String,
    /// Where it stands.
    pub state: ScheduleState,
    /// Whether it is switched on; a paused one is.
    pub enabled: bool,
    /// Whether it is paused.
    pub paused: bool,
    /// Why it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_reason: Option<String>,
    /// The ticket the pause belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_ticket: Option<String>,
    /// Who paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Micros>,
    /// When it resumes by itself; by hand when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Micros>,
    /// When it fires: five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`.
    pub cron: String,
    /// The same in plain words, where they are short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The IANA zone in which it is read.
    pub timezone: String,
    /// Up to so many seconds a fire is put off, the same for the same fire.
    pub jitter_s: i64,
    /// What becomes of a fire while the run before is still open.
    pub overlap_policy: OverlapPolicy,
    /// A fire that is late by at most so many seconds is made up for, the newest only.
    pub catchup_window_s: i64,
    /// What its runs do.
    pub mode: RunMode,
    /// For which targets.
    pub scope: RunScope,
    /// The policy its runs use; the active one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_snapshot_id: Option<String>,
    /// Targets with exploited vulnerabilities first.
    pub kev_first: bool,
    /// The most targets of one run.
    pub max_targets: i64,
    /// What bounds its runs.
    pub limits: ScheduleLimits,
    /// Of which runs somebody is told.
    pub notify: ScheduleNotify,
    /// The next time it fires; absent while it is paused or switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_fire_at: Option<Micros>,
    /// The same on the clocks of its zone, with their offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_fire_local: Option<String>,
    /// The first fire that blackouts and a pause until a time let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_next_run: Option<Micros>,
    /// Since when a fire waits for the run before to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffered_fire_at: Option<Micros>,
    /// The fire that last started a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fire_at: Option<Micros>,
    /// The run it last started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_id: Option<RunId>,
    /// Fires whose time passed while nobody was there to start them.
    pub missed_count: i64,
    /// Its newest runs, newest first.
    pub recent_runs: Vec<ScheduleRun>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Micros,
    /// When an operator last changed it.
    pub updated_at: Micros,
    /// Rises with every change by an operator, not with fires; for `If-Match`.
    pub version: i64,
}

/// Which schedules are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduleFilter {
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ScheduleState>,
    /// Whose runs do this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// Whose name holds this text; case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 80, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub name: Option<String>,
}

/// A wish for a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MakeSchedule {
    /// 1 to 80 characters, unique within the tenant.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 80,
            pattern = "^[^\\s\\x00-\\x1f\\x7f-\\x9f]([^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f])?$"
        )
    )]
    pub name: String,
    /// When it fires: five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`.
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub cron: String,
    /// The IANA zone in which it is read; `UTC` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub timezone: Option<String>,
    /// 0 to 3,600; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3_600))]
    pub jitter_s: Option<i64>,
    /// `skip` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_policy: Option<OverlapPolicy>,
    /// 10 to 31,536,000; 600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 10, maximum = 31_536_000))]
    pub catchup_window_s: Option<i64>,
    /// What its runs do.
    pub mode: RunMode,
    /// For which targets; all when absent.
    #[serde(default)]
    pub scope: RunScope,
    /// The policy its runs use; the active one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub policy_snapshot_id: Option<String>,
    /// Targets with exploited vulnerabilities first.
    #[serde(default)]
    pub kev_first: bool,
    /// 1 to 1,000,000; 50,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub max_targets: Option<i64>,
    /// What bounds its runs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub limits: Option<ScheduleLimits>,
    /// Of which runs somebody is told.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub notify: Option<ScheduleNotify>,
    /// Whether it is switched on; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What is to be different about a schedule; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChangeSchedule {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 80,
            pattern = "^[^\\s\\x00-\\x1f\\x7f-\\x9f]([^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f])?$"
        )
    )]
    pub name: Option<String>,
    /// When it fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub cron: Option<String>,
    /// The IANA zone in which it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub timezone: Option<String>,
    /// 0 to 3,600.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3_600))]
    pub jitter_s: Option<i64>,
    /// What becomes of a fire while the run before is still open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_policy: Option<OverlapPolicy>,
    /// 10 to 31,536,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 10, maximum = 31_536_000))]
    pub catchup_window_s: Option<i64>,
    /// What its runs do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// For which targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<RunScope>,
    /// The policy its runs use; an empty text means the active one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = "^(sha256:[0-9a-f]{64})?$"))]
    pub policy_snapshot_id: Option<String>,
    /// Targets with exploited vulnerabilities first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kev_first: Option<bool>,
    /// 1 to 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub max_targets: Option<i64>,
    /// What bounds its runs.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub limits: Option<ScheduleLimits>,
    /// Of which runs somebody is told.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::object::maybe")]
    pub notify: Option<ScheduleNotify>,
}

/// For how long a schedule is paused. The reason and the ticket stand in the headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PauseSchedule {
    /// When it resumes by itself; by hand when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Micros>,
}

/// A run of a schedule, now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TriggerSchedule {
    /// Start it even beside a run of the schedule that is still open.
    pub allow_overlap: bool,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_of_a_schedule_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in ScheduleState::ALL {
            for event in ScheduleEvent::ALL {
                let after = next(*state, *event);
                assert_eq!(after.is_err(), refusal(*state, *event).is_some(), "{state} {event}");
                if let Ok(to) = after {
                    lines.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let expected = "\
enabled --pause--> paused
enabled --disable--> disabled
paused --resume--> enabled
paused --disable--> disabled
disabled --enable--> enabled";
        assert_eq!(lines.join("\n"), expected);
        assert_eq!(states_before(ScheduleEvent::Disable), [ScheduleState::Enabled, ScheduleState::Paused]);
    }

    #[test]
    fn somebody_is_told_of_what_the_rule_says_and_of_every_failure() {
        let run = |state: &str, deltas: serde_json::Value| -> Run {
            serde_json::from_value(serde_json::json!({
                "runId": "run:acme:20261121T093000Z:9c1f04ab", "tenant": "acme", "trigger": "cron",
                "initiator": "scheduler", "mode": "analysis-only", "scope": {"kind": "all"},
                "scopeDigest": "sha256:00", "state": state, "plannerShardCount": 1, "impactIndexGeneration": 3,
                "candidates": 1, "processed": 1, "failed": 0, "segments": {}, "deltas": deltas, "findings": 0,
                "kevFirst": false, "badges": [], "correlationId": "c", "createdAt": "2026-11-21T09:30:00.000Z",
                "version": 1,
            }))
            .unwrap()
        };
        let rule = |min_severity, on_kev| ScheduleNotify { min_severity, on_kev };
        let high = Some(Severity::High);
        for (state, deltas, rule, wants) in [
            ("completed", serde_json::json!({}), rule(None, false), true),
            ("completed", serde_json::json!({}), rule(high, true), false),
            ("completed", serde_json::json!({"newMedium": 3}), rule(high, true), false),
            ("completed", serde_json::json!({"newCritical": 1}), rule(high, false), true),
            ("completed", serde_json::json!({"kevAdded": 1}), rule(high, true), true),
            ("completed", serde_json::json!({"kevAdded": 1}), rule(high, false), false),
            ("error", serde_json::json!({}), rule(high, false), true),
        ] {
            assert_eq!(rule.wants(&run(state, deltas.clone())), wants, "{state} {deltas} {rule:?}");
        }
    }

    #[test]
    fn a_wish_needs_a_name_a_time_and_a_mode_and_reads_the_rest_as_absent() {
        let text = r#"{"name":"nightly","cron":"30 2 * * *","mode":"analysis-only"}"#;
        let wish: MakeSchedule = serde_json::from_str(text).unwrap();
        assert_eq!((wish.scope, wish.jitter_s, wish.limits), (RunScope::All, None, None));
        assert!(serde_json::from_str::<MakeSchedule>(r#"{"name":"n","cron":"@daily"}"#).is_err());
        let limits: ScheduleLimits = serde_json::from_str(r#"{"parallelism":8}"#).unwrap();
        assert_eq!(limits, ScheduleLimits { parallelism: 8, ..ScheduleLimits::default() });
    }
}
