//! Two runs side by side: what went in, how long it took, what came out (spec 05, run diff).
//!
//! `run` is the run that is looked at, `against` the one it is held against.

use crate::finding::{FindingStatus, Severity};
use crate::ids::{RunId, SegmentId, TargetId};
use crate::run::Run;
use crate::segment::SegmentState;
use crate::words;
use serde::{Deserialize, Serialize};

/// Which run another is held against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct DiffQuery {
    /// This one; absent: the last run before it that completed over the same scope in the same mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<RunId>,
}

words! {
    /// How a finding of two runs differs.
    DifferenceKind {
        /// The run has it, the other has not.
        Appeared = "appeared",
        /// The other has it, the run has not.
        Gone = "gone",
        /// Both have it, and say something else of it.
        Changed = "changed",
    }
}

/// Two runs in short. Segments and findings that differ have lists of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunDiff {
    /// The run.
    pub run: Run,
    /// The one it is held against.
    pub against: Run,
    /// What went into them, whether or not it differs.
    pub inputs: Vec<InputPair>,
    /// Segments of both by whether they left the same.
    pub segments: SegmentTally,
    /// Targets by which of the two evaluated them. Findings are compared only for those that both did: absent is not
    /// clean.
    pub targets: TargetTally,
    /// Findings that differ, by how.
    pub findings: DifferenceTally,
}

/// One input of both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InputPair {
    /// What it is, in words: `feed generation`.
    pub name: String,
    /// Of the run; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Of the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
}

impl InputPair {
    /// Whether the two are not the same.
    pub fn differs(&self) -> bool {
        self.run != self.against
    }
}

/// Counts of segments at the same place of both runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct SegmentTally {
    /// Both left the same bytes.
    pub same: i64,
    /// They left other bytes, or one of them left none.
    pub differing: i64,
    /// Only the run has a segment there.
    pub only_run: i64,
    /// Only the other has.
    pub only_against: i64,
}

/// Counts of targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct TargetTally {
    /// Both evaluated them.
    pub both: i64,
    /// Only the run did.
    pub only_run: i64,
    /// Only the other did.
    pub only_against: i64,
}

/// Counts of findings that differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct DifferenceTally {
    pub appeared: i64,
    pub gone: i64,
    pub changed: i64,
}

impl DifferenceTally {
    /// All of them.
    pub const fn total(&self) -> i64 {
        self.appeared + self.gone + self.changed
    }
}

/// The segments at one place of both runs. Order of lists: shard, ordinal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SegmentPair {
    /// The shard.
    pub shard: i32,
    /// The place within it.
    pub ordinal: i32,
    /// Of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<SegmentSide>,
    /// Of the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<SegmentSide>,
}

impl SegmentPair {
    /// Whether both left the same bytes; `None` when one of them left none.
    pub fn same_output(&self) -> Option<bool> {
        let digest = |side: &Option<SegmentSide>| side.as_ref()?.output_digest.clone();
        Some(digest(&self.run)? == digest(&self.against)?)
    }
}

/// A segment as one of the two runs has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SegmentSide {
    /// Its id.
    pub segment_id: SegmentId,
    /// Where it stands.
    pub state: SegmentState,
    /// Targets in it.
    pub target_count: i64,
    /// Attempts of its job.
    pub attempt: i32,
    /// How often an operator retried it.
    pub retry_count: i32,
    /// From its first start to its end; absent until it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// SHA-256 of what it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_digest: Option<String>,
}

/// A finding that differs. Order of lists: severity desc, score desc, vulnerability, purl, target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingPair {
    /// How.
    pub kind: DifferenceKind,
    /// The target it is in.
    pub target_id: TargetId,
    /// The target's name.
    pub target_name: String,
    /// The target's version.
    pub target_version: String,
    /// The component.
    pub purl: String,
    /// The vulnerability.
    pub vulnerability_id: String,
    /// As the run left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<FindingSide>,
    /// As the other left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<FindingSide>,
}

/// A finding as one of the two runs left it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingSide {
    /// How bad, in words.
    pub severity: Severity,
    /// How bad, 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Whether it is known to be exploited.
    pub kev: bool,
    /// What is known after VEX.
    pub status: FindingStatus,
    /// Whether VEX or policy suppresses it.
    pub quieted: bool,
    /// The smallest fixed version above the component's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(digest: Option<&str>) -> Option<SegmentSide> {
        Some(SegmentSide {
            segment_id: SegmentId::from_uuid("01890000-0000-7000-8000-000000000000"),
            state: SegmentState::Succeeded,
            target_count: 50,
            attempt: 1,
            retry_count: 0,
            duration_ms: Some(1_200),
            output_digest: digest.map(str::to_owned),
        })
    }

    #[test]
    fn outputs_are_the_same_only_when_both_are_there() {
        let pair = |run, against| SegmentPair { shard: 0, ordinal: 0, run, against };
        assert_eq!(pair(side(Some("a")), side(Some("a"))).same_output(), Some(true));
        assert_eq!(pair(side(Some("a")), side(Some("b"))).same_output(), Some(false));
        assert_eq!(pair(side(Some("a")), side(None)).same_output(), None);
        assert_eq!(pair(side(Some("a")), None).same_output(), None);
    }
}
