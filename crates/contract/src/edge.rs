//! What a job waits for: edges between jobs, of three kinds (spec 01 §1.8).

use crate::ids::{JobId, RunId};
use crate::job::JobState;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// On what of the upstream job the downstream one waits.
    #[derive(Default)]
    #[expect(clippy::enum_variant_names, reason = "the words of the specification")]
    EdgeKind {
        /// That it, or a repeat of it, succeeds.
        #[default]
        OnSuccess = "on_success",
        /// That it ends, however that is.
        OnCompletion = "on_completion",
        /// That it fails for good.
        OnFailure = "on_failure",
    }
}

/// The most jobs that hang together in one graph.
pub const MOST_NODES: i64 = 10_000;
/// The most edges of one graph.
pub const MOST_EDGES: i64 = 50_000;
/// The most edges that one request adds.
pub const MOST_AT_ONCE: usize = 1_000;

impl EdgeKind {
    /// Whether an upstream job in this state lets the downstream one go.
    pub const fn is_satisfied_by(self, upstream: JobState) -> bool {
        match self {
            Self::OnSuccess => matches!(upstream, JobState::Succeeded),
            Self::OnCompletion => upstream.is_final(),
            Self::OnFailure => matches!(upstream, JobState::Failed | JobState::TimedOut),
        }
    }
    /// Whether it never will, as long as the upstream job is not repeated.
    pub const fn is_missed_by(self, upstream: JobState) -> bool {
        upstream.is_final() && !self.is_satisfied_by(upstream)
    }
}

/// An upstream job that a new job waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dependency {
    /// The upstream job, of the same tenant.
    pub job_id: JobId,
    /// On what of it; `on_success` when absent.
    #[serde(default)]
    pub kind: EdgeKind,
}

/// An edge to be added between two jobs that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEdge {
    /// The job that is waited for.
    pub from_job_id: JobId,
    /// The job that waits; it has to be pending or queued.
    pub to_job_id: JobId,
    /// On what; `on_success` when absent.
    #[serde(default)]
    pub kind: EdgeKind,
}

/// Edges to be added, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddEdges {
    /// At most 1,000.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1_000))]
    #[serde(deserialize_with = "crate::object::each")]
    pub edges: Vec<NewEdge>,
}

/// One edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Edge {
    /// The run of the waiting job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The job that is waited for.
    pub from_job_id: JobId,
    /// The job that waits.
    pub to_job_id: JobId,
    /// On what.
    pub kind: EdgeKind,
}

/// The edges that were asked for and are there now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddedEdges {
    /// In the order in which they were asked for.
    pub edges: Vec<Edge>,
    /// How many of them were not there before.
    pub added: i64,
}

/// Why a job in this state cannot be made to wait for another one; `None` when it can.
pub fn add_edge_refusal(waiting: JobState) -> Option<&'static str> {
    match waiting {
        JobState::Pending | JobState::Queued => None,
        JobState::Leased | JobState::Running => Some("The job is already in the hands of a worker"),
        JobState::Succeeded
        | JobState::Failed
        | JobState::TimedOut
        | JobState::Cancelled
        | JobState::Skipped => Some("The job has already ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as text, so that a change of meaning is a changed line.
    #[test]
    fn what_each_kind_of_edge_makes_of_each_state_of_the_upstream_job() {
        let mut lines = Vec::new();
        for kind in EdgeKind::ALL {
            for state in JobState::ALL {
                let verdict = match (kind.is_satisfied_by(*state), kind.is_missed_by(*state)) {
                    (true, false) => "satisfied",
                    (false, true) => "missed",
                    (false, false) => "open",
                    (true, true) => panic!("{kind} {state} is both"),
                };
                lines.push(format!("{kind} {state}: {verdict}"));
            }
        }
        let expected = "\
on_success pending: open
on_success queued: open
on_success leased: open
on_success running: open
on_success succeeded: satisfied
on_success failed: missed
on_success timed_out: missed
on_success cancelled: missed
on_success skipped: missed
on_completion pending: open
on_completion queued: open
on_completion leased: open
on_completion running: open
on_completion succeeded: satisfied
on_completion failed: satisfied
on_completion timed_out: satisfied
on_completion cancelled: satisfied
on_completion skipped: satisfied
on_failure pending: open
on_failure queued: open
on_failure leased: open
on_failure running: open
on_failure succeeded: missed
on_failure failed: satisfied
on_failure timed_out: satisfied
on_failure cancelled: missed
on_failure skipped: missed";
        assert_eq!(lines.join("\n"), expected);
    }
}
