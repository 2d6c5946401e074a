//! A segment: one slice of a run's targets, carried by one job (spec 05 §5.4).

use crate::NoSuchArrow;
use crate::delta::Deltas;
use crate::ids::{JobId, RunId, SegmentId, WorkerId};
use crate::run::RunState;
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

/// How often an operator may retry one segment.
pub const RETRIES_MOST: i32 = 5;

/// How long a failed segment rests before it may be retried, in milliseconds: a minute, twice that with each retry
/// before, and at most a quarter of an hour (spec 05 §5.4).
pub const fn cooldown_ms(retry_count: i32) -> i64 {
    const MINUTE_MS: i64 = 60_000;
    const LONGEST_MS: i64 = 15 * MINUTE_MS;
    match retry_count {
        i32::MIN..=0 => MINUTE_MS,
        1..=3 => MINUTE_MS << retry_count,
        4..=i32::MAX => LONGEST_MS,
    }
}

/// Why an operator may not retry a segment that stands so, its cooldown aside; `None` when they may.
pub const fn retry_refusal(state: SegmentState, run: RunState, retry_count: i32) -> Option<&'static str> {
    match (state, run) {
        (SegmentState::Failed, RunState::Running) if retry_count < RETRIES_MOST => None,
        (SegmentState::Failed, RunState::Running) => Some("It was retried five times already"),
        (SegmentState::Failed, _) => {
            Some("Its run has ended; retry the run, the failed targets alone if you like")
        }
        (_, _) => Some("Only a failed segment can be retried"),
    }
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
    /// Until when it rests after its failure; before that no operator may retry it. Absent when it has not failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_until: Option<Micros>,
    /// SHA-256 of what it left; absent until it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_digest: Option<String>,
    /// The generation of the feeds it was matched against; absent until it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_generation: Option<i64>,
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

    #[test]
    fn a_failed_segment_rests_a_minute_and_twice_as_long_each_time_up_to_a_quarter_of_an_hour() {
        let minutes: Vec<i64> = (0..6).map(|retries| cooldown_ms(retries) / 60_000).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 15, 15]);
    }

    #[test]
    fn only_a_failed_segment_of_a_running_run_is_retried_and_at_most_five_times() {
        for state in SegmentState::ALL.iter().copied() {
            for run in RunState::ALL.iter().copied() {
                let may = state == SegmentState::Failed && run == RunState::Running;
                assert_eq!(retry_refusal(state, run, 4).is_none(), may, "{state} {run}");
                assert!(retry_refusal(state, run, 5).is_some(), "{state} {run}");
            }
        }
    }
}
