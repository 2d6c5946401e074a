//! A backfill: a range of event time that is read again, window by window (spec 03 §3.4).

mod window;

pub use window::{WindowEvent, WindowState, next_window};

use crate::NoSuchArrow;
use crate::error::Code;
use crate::ids::{BackfillId, JobId, SourceId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where a backfill stands.
    BackfillState {
        /// In: create. Out: its first preview, cancel.
        Draft = "draft",
        /// In: preview. Out: start, another preview, cancel.
        Previewed = "previewed",
        /// In: start, resume. Out: pause, its last window, five failures in a row, cancel.
        Running = "running",
        /// In: pause. Out: resume, the last window that was under way, cancel.
        Paused = "paused",
        /// In: every window is done. Final.
        Completed = "completed",
        /// In: every window has ended, some of them failed. Final.
        CompletedWithErrors = "completed_with_errors",
        /// In: five windows in a row failed. Final.
        Failed = "failed",
        /// In: an operator. Final; its jobs are cancelled with it.
        Cancelled = "cancelled",
    }
}

words! {
    /// What can happen to a backfill.
    BackfillEvent {
        /// An operator asks what it would do.
        Preview = "preview",
        /// An operator starts it.
        Start = "start",
        /// An operator holds it.
        Pause = "pause",
        /// An operator lets it go on.
        Resume = "resume",
        /// Its last window is done, and none failed.
        Finish = "finish",
        /// Its last window has ended, and some failed.
        FinishWithErrors = "finish_with_errors",
        /// Five windows in a row failed.
        Fail = "fail",
        /// An operator stops it.
        Cancel = "cancel",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: BackfillState, event: BackfillEvent) -> Result<BackfillState, NoSuchArrow> {
    use BackfillEvent as E;
    use BackfillState as S;
    match (state, event) {
        (S::Draft | S::Previewed, E::Preview) => Ok(S::Previewed),
        (S::Previewed, E::Start) => Ok(S::Running),
        (S::Running, E::Pause) => Ok(S::Paused),
        (S::Paused, E::Resume) => Ok(S::Running),
        (S::Running | S::Paused, E::Finish) => Ok(S::Completed),
        (S::Running | S::Paused, E::FinishWithErrors) => Ok(S::CompletedWithErrors),
        (S::Running | S::Paused, E::Fail) => Ok(S::Failed),
        (S::Draft | S::Previewed | S::Running | S::Paused, E::Cancel) => Ok(S::Cancelled),
        (state, event) => {
            Err(NoSuchArrow { entity: "backfill", state: state.as_str(), event: event.as_str() })
        }
    }
}

/// The states from which `event` is possible, asked of [`next`], so that the two cannot disagree.
pub fn states_before(event: BackfillEvent) -> Vec<BackfillState> {
    BackfillState::ALL.iter().copied().filter(|state| next(*state, event).is_ok()).collect()
}

impl BackfillState {
    /// Whether nothing more can happen to it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Draft | Self::Previewed | Self::Running | Self::Paused => false,
            Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Cancelled => true,
        }
    }
    /// Whether its windows are under way, so that no other backfill may take them.
    pub const fn is_active(self) -> bool {
        match self {
            Self::Running | Self::Paused => true,
            Self::Draft
            | Self::Previewed
            | Self::Completed
            | Self::CompletedWithErrors
            | Self::Failed
            | Self::Cancelled => false,
        }
    }
}

words! {
    /// Which windows go first.
    BackfillOrder {
        /// The oldest.
        OldestFirst = "oldest_first",
        /// The newest.
        NewestFirst = "newest_first",
    }
}

words! {
    /// Which windows are read again besides those that never were.
    Reprocess {
        /// None.
        None = "none",
        /// Those that failed before.
        Failed = "failed",
        /// Those that failed before and those that are done.
        Completed = "completed",
    }
}

words! {
    /// What happens when the source is due for its live reading meanwhile.
    OverlapPolicy {
        /// The windows wait until the live reading has ended.
        BufferAll = "buffer_all",
        /// The windows go on beside it.
        AllowAll = "allow_all",
    }
}

/// The shortest window, in seconds.
pub const SHORTEST_WINDOW_S: i64 = 3_600;
/// The longest window, in seconds.
pub const LONGEST_WINDOW_S: i64 = 604_800;
/// The window of a request that names none, in seconds.
pub const DEFAULT_WINDOW_S: i64 = 86_400;
/// Windows that one backfill may have.
pub const MOST_WINDOWS: i64 = 1_000;
/// Days that one backfill may span.
pub const MOST_DAYS: i64 = 366;
/// Windows that may be under way at once, at most.
pub const MOST_ACTIVE: i64 = 16;
/// Failures in a row that end a backfill.
pub const MOST_FAILURES_IN_A_ROW: usize = 5;
/// The priority of its jobs.
pub const BACKFILL_PRIORITY: i32 = 25;

/// A wish to read a range of event time again. Reason and ticket come with the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateBackfill {
    /// The source.
    pub source_id: SourceId,
    /// The first moment of the range.
    pub from: Micros,
    /// The first moment after it.
    pub to: Micros,
    /// The length of a window in seconds, 3,600 to 604,800.
    #[serde(default = "window_s")]
    #[cfg_attr(feature = "openapi", schema(minimum = 3_600, maximum = 604_800))]
    pub window_s: i64,
    /// Which windows go first.
    #[serde(default = "oldest_first")]
    pub order: BackfillOrder,
    /// Which windows are read again besides those that never were.
    #[serde(default = "nothing_again")]
    pub reprocess: Reprocess,
    /// Windows under way at once, 1 to 16.
    #[serde(default = "two")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 16))]
    pub max_active: i64,
    /// The share of the source's rate that it may use, above 0 and up to 1.
    #[serde(default = "quarter")]
    #[cfg_attr(feature = "openapi", schema(exclusive_minimum = 0, maximum = 1))]
    pub bucket_share: f64,
    /// What happens when the source is due for its live reading meanwhile.
    #[serde(default = "buffer_all")]
    pub overlap_policy: OverlapPolicy,
    /// Only to be previewed, never to be started.
    #[serde(default)]
    pub dry_run: bool,
}

const fn window_s() -> i64 {
    DEFAULT_WINDOW_S
}
const fn oldest_first() -> BackfillOrder {
    BackfillOrder::OldestFirst
}
const fn nothing_again() -> Reprocess {
    Reprocess::None
}
const fn two() -> i64 {
    2
}
const fn quarter() -> f64 {
    0.25
}
const fn buffer_all() -> OverlapPolicy {
    OverlapPolicy::BufferAll
}

impl CreateBackfill {
    /// A wish for a range, with everything else as it is by default.
    pub const fn of(source_id: SourceId, from: Micros, to: Micros) -> Self {
        Self {
            source_id,
            from,
            to,
            window_s: window_s(),
            order: oldest_first(),
            reprocess: nothing_again(),
            max_active: two(),
            bucket_share: quarter(),
            overlap_policy: buffer_all(),
            dry_run: false,
        }
    }
}

/// A backfill as every door shows it. Order of lists: newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Backfill {
    /// Its id.
    pub backfill_id: BackfillId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What was asked for.
    pub request: CreateBackfill,
    /// The name of the source.
    pub source_name: String,
    /// Where it stands.
    pub state: BackfillState,
    /// Why it failed: `consecutive_failures`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// Windows that are to be read.
    pub planned: i64,
    /// Those of them that are done.
    pub done: i64,
    /// Those of them that failed.
    pub failed: i64,
    /// Those of them that are under way.
    pub active: i64,
    /// Done of planned, 0 to 1.
    pub progress: f64,
    /// The newest preview; hand its digest to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<BackfillPreview>,
    /// Why it was asked for.
    pub reason: String,
    /// The ticket that says more.
    pub ticket: String,
    /// Who asked for it.
    pub created_by: String,
    /// Binds it and its jobs together.
    pub correlation_id: String,
    /// When it was asked for.
    pub created_at: Micros,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Micros>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
    /// Rises with every change.
    pub version: i64,
}

/// What a backfill would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackfillPreview {
    /// `sha256:<64 hex>` over the request and what it would do.
    pub digest: String,
    /// The first 100 windows, in their order.
    pub windows: Vec<PlannedWindow>,
    /// All windows of the range.
    pub window_count: i64,
    /// Those that were read before and are left out.
    pub already_done: i64,
    /// Those that failed before and are left out.
    pub left_failed: i64,
    /// Those that will be read.
    pub will_run: i64,
    /// Requests it makes, about.
    pub estimated_requests: i64,
    /// How long it takes at the source's rate, in seconds, about.
    pub estimated_duration_s: i64,
    /// Windows that begin before what the source keeps.
    pub retention_hits: i64,
    /// Why it could not be started as things are.
    pub collisions: Vec<Collision>,
    /// Until when it may be started on this preview.
    pub valid_until: Micros,
}

/// One window of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlannedWindow {
    /// The first moment of it.
    pub start: Micros,
    /// The first moment after it.
    pub end: Micros,
    /// Whether it was read before.
    pub done_before: bool,
    /// Whether it failed before.
    pub failed_before: bool,
    /// Whether it will be read.
    pub will_run: bool,
}

/// Why a backfill could not be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Collision {
    /// The code that a start would be refused with.
    pub code: Code,
    /// What stands in its way, and what to do.
    pub message: String,
}

/// A wish to start what was previewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartBackfill {
    /// The digest of the preview that was looked at.
    pub preview_digest: String,
}

/// One window of a backfill. Order of lists: the order in which they are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BackfillWindow {
    /// Its place in the order, from 0.
    pub position: i64,
    /// The first moment of it.
    pub start: Micros,
    /// The first moment after it.
    pub end: Micros,
    /// Where it stands.
    pub state: WindowState,
    /// The job that reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
}

/// Which backfills are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct BackfillFilter {
    /// Of this source only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// In this state only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BackfillState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as text: a reviewer sees any new arrow as one added line.
    #[test]
    fn the_arrows_of_a_backfill_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in BackfillState::ALL {
            for event in BackfillEvent::ALL {
                if let Ok(to) = next(*state, *event) {
                    lines.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let expected = "\
draft --preview--> previewed
draft --cancel--> cancelled
previewed --preview--> previewed
previewed --start--> running
previewed --cancel--> cancelled
running --pause--> paused
running --finish--> completed
running --finish_with_errors--> completed_with_errors
running --fail--> failed
running --cancel--> cancelled
paused --resume--> running
paused --finish--> completed
paused --finish_with_errors--> completed_with_errors
paused --fail--> failed
paused --cancel--> cancelled";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_final_state_has_no_way_out_and_is_not_active() {
        for state in BackfillState::ALL.iter().filter(|state| state.is_final()) {
            assert!(!state.is_active());
            for event in BackfillEvent::ALL {
                assert!(next(*state, *event).is_err(), "{state} --{event}-->");
            }
        }
    }

    #[test]
    fn a_wish_that_names_only_its_range_is_complete() {
        let text = r#"{"sourceId":"src_01890000-0000-7000-8000-000000000000","from":"2026-01-01T00:00:00.000Z","to":"2026-02-01T00:00:00.000Z"}"#;
        let wish: CreateBackfill = serde_json::from_str(text).expect("the defaults fill the rest");
        assert_eq!(wish, CreateBackfill::of(wish.source_id.clone(), wish.from, wish.to));
    }
}
