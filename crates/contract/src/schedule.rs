//! Schedules: when runs start by themselves (spec 05 §5.2).

mod fires;
mod wish;

pub use fires::{
    ClockChange, FireBlackout, PlannedFire, PreviewSchedule, ScheduleFire, SchedulePreview, SchedulerHealth,
    UpcomingFire, UpcomingFires, UpcomingQuery,
};
pub use wish::{ChangeSchedule, MakeSchedule, PauseSchedule, ScheduleFilter, TriggerSchedule};

use crate::NoSuchArrow;
use crate::finding::Severity;
use crate::ids::{RunId, ScheduleId, Tenant};
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
}
