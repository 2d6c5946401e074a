//! A graph of jobs as it is drawn (spec 08 §8.4, `orch.dag.v1`). Layout needs no chance: rank and order say where.

use crate::edge::EdgeKind;
use crate::ids::{JobId, RunId};
use crate::job::{ErrorClass, JobState, WaitReason};
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of this shape.
pub const DAG_SCHEMA: &str = "orch.dag.v1";
/// A graph of more jobs is shown as the neighbourhood of the job in focus.
pub const MOST_SHOWN: usize = 500;
/// How many edges away from the job in focus the neighbourhood reaches.
pub const HOPS: usize = 2;

/// A graph of jobs around one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Dag {
    /// `orch.dag.v1`.
    pub schema: String,
    /// The run that the graph is of, when it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// When it was made.
    pub generated_at: Micros,
    /// The job it was asked of.
    pub focus_job_id: JobId,
    /// The jobs, by rank and order.
    pub nodes: Vec<DagNode>,
    /// The edges between them, by `from`, then `to`.
    pub edges: Vec<DagEdge>,
    /// The path that determines when the whole graph ends at the earliest, from its root on.
    pub critical_path: Vec<JobId>,
    /// How many jobs of the whole graph are in each state; states without any are left out.
    pub counts: BTreeMap<String, i64>,
    /// Whether only a neighbourhood is shown.
    pub truncated: bool,
    /// How many jobs of the graph are not shown.
    pub omitted: i64,
}

/// A job in a graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DagNode {
    /// The job.
    pub id: JobId,
    /// What it does.
    #[serde(rename = "type")]
    pub job_type: String,
    /// What to call it in a small box.
    pub label: String,
    /// Where it stands.
    pub state: JobState,
    /// Why it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_reason: Option<WaitReason>,
    /// Attempts so far.
    pub attempt: i32,
    /// Its priority.
    pub priority: i32,
    /// The longest distance from a root, in the whole graph.
    pub rank: i64,
    /// Its place within the rank, by id, in the whole graph.
    pub order: i64,
    /// When it first ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Micros>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
    /// How long it ran, or runs by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Why its last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_category: Option<ErrorClass>,
    /// The job it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<JobId>,
}

/// An edge in a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DagEdge {
    /// The job that is waited for.
    pub from: JobId,
    /// The job that waits.
    pub to: JobId,
    /// On what.
    pub kind: EdgeKind,
    /// Whether that has come; a repeat of the upstream job counts as the job itself.
    pub satisfied: bool,
}
