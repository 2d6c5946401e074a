//! What is told live: the tenant's feed and a run's stream (spec 05 §5.9).

use crate::delta::Deltas;
use crate::ids::{RunId, SegmentId, Tenant};
use crate::run::{Run, RunErrorCode, RunState};
use crate::segment::{Segment, SegmentState};
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// One change of one thing, told after its commit. `seq` is gap-free per tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FeedEvent {
    /// Its number.
    pub seq: i64,
    /// What happened: `orch.job.queued`, `scheduler.run.completed`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The noun: `job`, `run`, `segment`, `source`, `target`.
    pub entity: String,
    /// The thing's id.
    pub id: String,
    /// Whose it is.
    pub tenant: Tenant,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// When.
    pub at: Micros,
    /// What the thing is now, in short: `state`, `jobType`, `name`, ...
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: serde_json::Value,
}

/// An answer of the long poll.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FeedBatch {
    /// What happened since, oldest first; empty when nothing did in time.
    pub events: Vec<FeedEvent>,
    /// Ask again with this.
    pub cursor: i64,
    /// The cursor was too old or from another ledger: read everything anew.
    pub reset: bool,
    /// The core's clock, so that ages need no clock of the client.
    pub now: Micros,
}

/// Where to go on in the feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct FeedQuery {
    /// The last number seen; absent: from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<i64>,
    /// How long to wait for news, at most 30,000 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_wait_ms: Option<u64>,
}

/// One message of a run's stream. `seq` counts per run from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunMessage {
    /// Its number; the SSE `id`.
    pub seq: i64,
    /// When.
    pub at: Micros,
    /// What; its fields stand beside `seq` and `at`.
    #[serde(flatten)]
    pub body: RunMessageBody,
}

/// An answer of a run's long poll.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunMessages {
    /// What was told since, oldest first; empty when nothing was in time.
    pub items: Vec<RunMessage>,
    /// Whether the run has ended and nothing follows.
    pub ended: bool,
}

/// Where to go on in a run's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RunMessagesQuery {
    /// The last number seen; absent: from a snapshot on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// How long to wait for news, at most 30,000 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_wait_ms: Option<u64>,
}

/// What a run's stream tells. The tag is the SSE event name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RunMessageBody {
    /// The whole run; always first.
    Snapshot {
        /// The run.
        run: Box<Run>,
        /// Its segments.
        segments: Vec<Segment>,
    },
    /// The run changed state.
    #[serde(rename_all = "camelCase")]
    StateChanged {
        /// From this.
        from: RunState,
        /// To this.
        to: RunState,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_code: Option<RunErrorCode>,
    },
    /// A segment moved; at most two per second and segment.
    #[serde(rename_all = "camelCase")]
    SegmentProgress {
        /// Which.
        segment_id: SegmentId,
        /// Its shard.
        shard: i32,
        /// Where it stands.
        state: SegmentState,
        /// Targets evaluated.
        processed: i64,
        /// Targets in it.
        total: i64,
        /// Targets per minute; absent before it ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        throughput_per_min: Option<f64>,
    },
    /// What changed so far.
    DeltaSummary {
        /// Sums over the segments that are done.
        deltas: Deltas,
        /// Targets evaluated.
        processed: i64,
        /// Targets that could not be.
        failed: i64,
    },
    /// A line of the run's log.
    #[serde(rename_all = "camelCase")]
    Log {
        /// How much it matters.
        severity: LogSeverity,
        /// The line.
        message: String,
        /// Binds everything of one cause together.
        correlation_id: String,
        /// The segment it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        segment_id: Option<SegmentId>,
    },
    /// Sent every 15 s.
    Heartbeat {},
    /// The asked id is too old; a snapshot follows.
    Reset {},
    /// The run has ended; nothing follows.
    End {
        /// How.
        state: RunState,
    },
}

impl RunMessageBody {
    /// The SSE event name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Snapshot { .. } => "snapshot",
            Self::StateChanged { .. } => "stateChanged",
            Self::SegmentProgress { .. } => "segmentProgress",
            Self::DeltaSummary { .. } => "deltaSummary",
            Self::Log { .. } => "log",
            Self::Heartbeat {} => "heartbeat",
            Self::Reset {} => "reset",
            Self::End { .. } => "end",
        }
    }
}

crate::words! {
    /// How much a log line matters.
    LogSeverity {
        /// For the record.
        Info = "info",
        /// Look here.
        Warn = "warn",
        /// It failed.
        Error = "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_its_fields_beside_its_number_and_reads_back_as_written() {
        let body =
            RunMessageBody::StateChanged { from: RunState::Queued, to: RunState::Running, error_code: None };
        let message = RunMessage { seq: 3, at: Micros(1_795_271_295_204_000), body };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(
            text,
            r#"{"seq":3,"at":"2026-11-21T14:28:15.204Z","event":"stateChanged","from":"queued","to":"running"}"#
        );
        assert_eq!(serde_json::from_str::<RunMessage>(&text).unwrap(), message);
    }
}
