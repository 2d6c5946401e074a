//! When a run has ended, and how (spec 05 §5.3). Pure rules first; the watch that applies the time limits is a task.

use stella_contract::run::{RunBadge, RunErrorCode, RunMode, RunState, RunTrigger, SegmentCounts};
use stella_contract::time::Micros;

/// How long a run may wait for its first worker.
pub(crate) const QUEUED_LIMIT_MS: i64 = 60 * 60 * 1_000;
/// How long a run may take once it runs.
pub(crate) const DURATION_LIMIT_MS: i64 = 4 * 60 * 60 * 1_000;
/// How long planning may take.
pub(crate) const PLANNING_LIMIT_MS: i64 = 300 * 1_000;

/// How a run stands, judged by its segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Some segment is still to come.
    Open,
    /// All are settled and at most a fifth was not evaluated.
    Completed,
    /// All are settled and more than a fifth was not evaluated.
    TooManyFailed,
}

/// The verdict over these segments. A segment whose job somebody cancelled was not evaluated either: absent is not clean.
pub(crate) const fn verdict(segments: &SegmentCounts) -> Verdict {
    if segments.pending + segments.queued + segments.running > 0 {
        return Verdict::Open;
    }
    let missed = segments.failed + segments.cancelled + segments.skipped;
    if missed * 5 > segments.total() {
        return Verdict::TooManyFailed;
    }
    Verdict::Completed
}

/// The limit a run has run over, if any.
pub(crate) const fn overdue(
    state: RunState,
    mode: RunMode,
    created_at: Micros,
    planned_at: Option<Micros>,
    started_at: Option<Micros>,
    now: Micros,
) -> Option<RunErrorCode> {
    match (state, planned_at, started_at) {
        (RunState::Planning, _, _) => {
            // Reading the SBOMs anew is part of planning and takes as long as a run may.
            let limit = match mode {
                RunMode::AnalysisOnly => PLANNING_LIMIT_MS,
                RunMode::ContentRefresh => DURATION_LIMIT_MS,
            };
            if now.ms_since(created_at) > limit { Some(RunErrorCode::PlanningTooLong) } else { None }
        }
        (RunState::Queued, Some(planned_at), _) if now.ms_since(planned_at) > QUEUED_LIMIT_MS => {
            Some(RunErrorCode::HeldTooLong)
        }
        (RunState::Running, _, Some(started_at)) if now.ms_since(started_at) > DURATION_LIMIT_MS => {
            Some(RunErrorCode::DurationLimit)
        }
        (
            RunState::Queued
            | RunState::Running
            | RunState::Completed
            | RunState::Cancelled
            | RunState::Error,
            _,
            _,
        ) => None,
    }
}

/// What the marks beside a run's id are decided by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks<'a> {
    pub kev_first: bool,
    pub mode: RunMode,
    pub trigger: RunTrigger,
    pub trigger_detail: Option<&'a str>,
    pub is_retry: bool,
    pub state: RunState,
    pub candidates: i64,
    pub segments: &'a SegmentCounts,
    pub stale_index: bool,
}

/// The marks beside a run's id, in the order of the contract's list.
pub(crate) fn badges(marks: &Marks<'_>) -> Vec<RunBadge> {
    let done = marks.state == RunState::Completed;
    let missed = marks.segments.failed + marks.segments.cancelled + marks.segments.skipped;
    let holds = |badge: RunBadge| match badge {
        RunBadge::KevFirst => marks.kev_first,
        RunBadge::ContentRefresh => marks.mode == RunMode::ContentRefresh,
        RunBadge::PolicyFollowUp => marks.trigger == RunTrigger::Policy && marks.trigger_detail.is_some(),
        RunBadge::Retry => marks.is_retry,
        RunBadge::Partial => done && missed > 0,
        RunBadge::StaleIndex => marks.stale_index,
        RunBadge::NoWork => done && marks.candidates == 0,
    };
    RunBadge::ALL.iter().copied().filter(|badge| holds(*badge)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn a_fifth_may_fail_and_not_one_more() {
        let cases = [
            (SegmentCounts { succeeded: 5, ..SegmentCounts::default() }, Verdict::Completed),
            (SegmentCounts { succeeded: 4, failed: 1, ..SegmentCounts::default() }, Verdict::Completed),
            (SegmentCounts { succeeded: 7, failed: 2, ..SegmentCounts::default() }, Verdict::TooManyFailed),
            (SegmentCounts { failed: 1, ..SegmentCounts::default() }, Verdict::TooManyFailed),
            (SegmentCounts { succeeded: 8, failed: 2, ..SegmentCounts::default() }, Verdict::Completed),
            (
                SegmentCounts { succeeded: 8, failed: 2, cancelled: 1, ..SegmentCounts::default() },
                Verdict::TooManyFailed,
            ),
            (SegmentCounts { succeeded: 8, running: 1, ..SegmentCounts::default() }, Verdict::Open),
            (
                SegmentCounts { succeeded: 8, pending: 1, failed: 9, ..SegmentCounts::default() },
                Verdict::Open,
            ),
        ];
        for (segments, expected) in cases {
            assert_eq!(verdict(&segments), expected, "{segments:?}");
        }
    }

    #[test]
    fn each_open_state_has_its_limit_and_a_final_one_has_none() {
        let start = Micros(0);
        let at = |minutes: i64| Micros(0).plus_ms(minutes * MINUTE);
        let late = |state, mode, minutes| overdue(state, mode, start, Some(start), Some(start), at(minutes));
        let plain = RunMode::AnalysisOnly;
        assert_eq!(late(RunState::Planning, plain, 5), None);
        assert_eq!(late(RunState::Planning, plain, 6), Some(RunErrorCode::PlanningTooLong));
        assert_eq!(late(RunState::Planning, RunMode::ContentRefresh, 6), None);
        assert_eq!(late(RunState::Queued, plain, 60), None);
        assert_eq!(late(RunState::Queued, plain, 61), Some(RunErrorCode::HeldTooLong));
        assert_eq!(late(RunState::Running, plain, 240), None);
        assert_eq!(late(RunState::Running, plain, 241), Some(RunErrorCode::DurationLimit));
        for state in RunState::ALL.iter().copied().filter(|state| state.is_final()) {
            assert_eq!(late(state, plain, 100_000), None, "{state}");
        }
    }

    #[test]
    fn the_marks_say_what_is_so_and_nothing_else() {
        let segments = SegmentCounts { succeeded: 9, failed: 1, ..SegmentCounts::default() };
        let plain = Marks {
            kev_first: false,
            mode: RunMode::AnalysisOnly,
            trigger: RunTrigger::Manual,
            trigger_detail: None,
            is_retry: false,
            state: RunState::Running,
            candidates: 10,
            segments: &segments,
            stale_index: false,
        };
        assert_eq!(badges(&plain), Vec::new());
        assert_eq!(badges(&Marks { state: RunState::Completed, ..plain }), [RunBadge::Partial]);
        assert_eq!(
            badges(&Marks {
                state: RunState::Completed,
                candidates: 0,
                segments: &SegmentCounts::default(),
                ..plain
            }),
            [RunBadge::NoWork]
        );
        assert_eq!(
            badges(&Marks { kev_first: true, is_retry: true, stale_index: true, ..plain }),
            [RunBadge::KevFirst, RunBadge::Retry, RunBadge::StaleIndex]
        );
        assert_eq!(badges(&Marks { mode: RunMode::ContentRefresh, ..plain }), [RunBadge::ContentRefresh]);
    }
}
