//! A run over time: who worked on what, and when it waited (spec 08 §8.4).

use crate::ids::{JobId, RunId};
use crate::job::JobState;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// The name of the document's shape.
pub const SCHEMA: &str = "orch.gantt.v1";
/// The bars told of one run; beyond them `truncated` is set.
pub const MOST_BARS: usize = 10_000;

words! {
    /// What a lane stands for.
    LaneKind {
        /// A worker: what it held and ran.
        Worker = "worker",
        /// A segment of the run: what its job waited for.
        Segment = "segment",
    }
}

words! {
    /// What a job did during a bar.
    Phase {
        /// Ready, without a worker.
        Queued = "queued",
        /// Taken by a worker that has not started.
        Leased = "leased",
        /// At work.
        Running = "running",
        /// Failed, and waiting for its next attempt.
        Backoff = "backoff",
        /// Held by a limit, a time or an upstream job.
        Throttled = "throttled",
    }
}

/// A run over time. Times inside are milliseconds from `t0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Gantt {
    /// `orch.gantt.v1`.
    pub schema: String,
    /// The run.
    pub run_id: RunId,
    /// When it was asked for.
    pub t0: Micros,
    /// When it ended, or now.
    pub t1: Micros,
    /// Segments by shard, then workers by the time of their first bar.
    pub lanes: Vec<Lane>,
    /// By start, then lane, then job.
    pub bars: Vec<Bar>,
    /// By time.
    pub marks: Vec<Mark>,
    /// There are more bars than are told here.
    pub truncated: bool,
}

/// One row of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// The segment's or worker's id.
    pub id: String,
    /// Its name.
    pub label: String,
    /// What it stands for.
    pub kind: LaneKind,
}

/// One stretch of one attempt of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Bar {
    /// The lane's id. Leased and running lie on the worker's lane, the rest on the segment's.
    pub lane: String,
    /// The job.
    pub job_id: JobId,
    /// Which attempt, from 1; the one that follows, while it waits.
    pub attempt: i32,
    /// What it did.
    pub phase: Phase,
    /// From when.
    pub start: i64,
    /// Until when; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
    /// The state the job had at its end; the present one while it lasts.
    pub state: JobState,
}

/// Something that happened at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// When.
    pub at: i64,
    /// What: the type of its history entry.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    pub text: String,
}
