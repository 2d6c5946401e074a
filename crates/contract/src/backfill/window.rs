//! One window of a backfill: its states and the arrows between them.

use crate::NoSuchArrow;
use crate::words;

words! {
    /// Where one window of a backfill stands.
    WindowState {
        /// In: start. Out: its job is made, cancel.
        Planned = "planned",
        /// In: its job is made. Out: the end of that job.
        Running = "running",
        /// In: its job, or one that repeats it, succeeded. Final.
        Done = "done",
        /// In: its job failed or timed out for good. Out: a job that repeats it.
        Failed = "failed",
        /// In: it or its job was cancelled. Out: a job that repeats its job.
        Cancelled = "cancelled",
        /// In: start, because it was read before. Final.
        AlreadyDone = "already_done",
    }
}

words! {
    /// What can happen to a window of a backfill.
    WindowEvent {
        /// It becomes a job.
        Feed = "feed",
        /// Its job, or one that repeats it, succeeded.
        Complete = "complete",
        /// Its job, or one that repeats it, failed or timed out for good.
        Fail = "fail",
        /// It or its job is cancelled.
        Cancel = "cancel",
    }
}

/// The state of a window after `event`, or that there is no such arrow.
pub fn next_window(state: WindowState, event: WindowEvent) -> Result<WindowState, NoSuchArrow> {
    use WindowEvent as E;
    use WindowState as S;
    match (state, event) {
        (S::Planned, E::Feed) => Ok(S::Running),
        (S::Planned | S::Running, E::Cancel) => Ok(S::Cancelled),
        (S::Running | S::Failed | S::Cancelled, E::Complete) => Ok(S::Done),
        (S::Running | S::Failed | S::Cancelled, E::Fail) => Ok(S::Failed),
        (state, event) => {
            Err(NoSuchArrow { entity: "backfill window", state: state.as_str(), event: event.as_str() })
        }
    }
}
