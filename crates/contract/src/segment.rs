//! A segment: one slice of a run's targets, carried by one job (spec 05 §5.4).

use crate::NoSuchArrow;
use crate::delta::Deltas;
use crate::ids::{JobId, RunId, SegmentId, WorkerId};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where a segment stands; it mirrors its job.
    SegmentState {
        /// In: the planner, its job's backoff. Out: its job is queued, run cancel.
        Pending = "pending",
        /// In: its job is queued or leased. Out: the worker starts, a limit, run cancel.
        Queued = "queued",
        /// In: the worker's ack. Out: its report, lease loss.
        Running = "running",
        /// In: its job succeeded. Final.
        Succeeded = "succeeded",
        /// In: its job failed for good. Out: an operator's retry while the run is open.
        Failed = "failed",
        /// In: run cancel. Final.
        Cancelled = "cancelled",
        /// In: its run ended first. Final.
        Skipped = "skipped",
    }
}

words! {
    /// What can happen to a segment.
    SegmentEvent {
        /// Its job became eligible.
        Queue = "queue",
        /// Its job must wait again.
        Return = "return",
        /// Its worker started.
        Start = "start",
        /// Its job succeeded.
        Succeed = "succeed",
        /// Its job failed for good.
        Fail = "fail",
        /// Its run was cancelled.
        Cancel = "cancel",
        /// Its run ended first.
        Skip = "skip",
        /// An operator retries it.
        Retry = "retry",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: SegmentState, event: SegmentEvent) -> Result<SegmentState, NoSuchArrow> {
    use SegmentEvent as E;
    use SegmentState as S;
    match (state, event) {
        (S::Pending, E::Queue) => Ok(S::Queued),
        (S::Queued | S::Running, E::Return) => Ok(S::Pending),
        (S::Queued, E::Start) => Ok(S::Running),
        (S::Running, E::Succeed) => Ok(S::Succeeded),
        (S::Running, E::Fail) => Ok(S::Failed),
        (S::Pending | S::Queued | S::Running, E::Cancel) => Ok(S::Cancelled),
        (S::Pending, E::Skip) => Ok(S::Skipped),
        (S::Failed, E::Retry) => Ok(S::Pending),
        (state, event) => {
            Err(NoSuchArrow { entity: "segment", state: state.as_str(), event: event.as_str() })
        }
    }
}

/// The states from which `event` is possible.
pub fn states_before(event: SegmentEvent) -> Vec<SegmentState> {
    SegmentState::ALL.iter().copied().filter(|state| next(*state, event).is_ok()).collect()
}

impl SegmentState {
    /// Whether its run need not wait for it.
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Pending | Self::Queued | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Skipped => true,
        }
    }
}

/// A segment as every door shows it. Order of lists: shard, ordinal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Its id.
    pub segment_id: SegmentId,
    /// Its run.
    pub run_id: RunId,
    /// The planner shard it was cut from.
    pub shard: i32,
    /// Its place within the shard, from 0.
    pub ordinal: i32,
    /// Where it stands.
    pub state: SegmentState,
    /// Targets in it.
    pub target_count: i64,
    /// Targets evaluated.
    pub processed: i64,
    /// Targets that could not be evaluated.
    pub failed_targets: i64,
    /// The worker at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<WorkerId>,
    /// Attempts of its job.
    pub attempt: i32,
    /// How often an operator retried it.
    pub retry_count: i32,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The run error code it failed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// What changed in it.
    pub deltas: Deltas,
    /// The job that carries it.
    pub job_id: JobId,
    /// When it first ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Micros>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_of_a_segment_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in SegmentState::ALL {
            for event in SegmentEvent::ALL {
                if let Ok(to) = next(*state, *event) {
                    lines.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let expected = "\
pending --queue--> queued
pending --cancel--> cancelled
pending --skip--> skipped
queued --return--> pending
queued --start--> running
queued --cancel--> cancelled
running --return--> pending
running --succeed--> succeeded
running --fail--> failed
running --cancel--> cancelled
failed --retry--> pending";
        assert_eq!(lines.join("\n"), expected);
    }
}
