//! What an evaluation says of one component.

use serde::{Deserialize, Serialize};
use stella_contract::finding::{ExplainStep, FindingStatus, Severity};
use stella_contract::policy::Verdict;

/// One vulnerability in one component. Its key inside a target is (`purl`, `vulnerability_id`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The component.
    pub purl: String,
    /// The vulnerability: the CVE where there is one, else the GHSA, else a record's own id.
    pub vulnerability_id: String,
    /// OSV's ecosystem with the distribution's release.
    pub ecosystem: String,
    /// The component's name as OSV spells it.
    pub name: String,
    /// The component's version.
    pub version: String,
    /// The records that matched, sorted.
    pub record_ids: Vec<String>,
    /// The other names of the vulnerability, sorted.
    pub aliases: Vec<String>,
    /// How bad, in words.
    pub severity: Severity,
    /// How bad, 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The CVSS vector that was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
    /// Whether it is known to be exploited.
    pub kev: bool,
    /// What is known after VEX; the match itself says `affected`.
    pub status: FindingStatus,
    /// Whether VEX or policy suppresses it.
    pub quieted: bool,
    /// What policy says; absent where no rule fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The rule that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The smallest version above the component's that is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_version: Option<String>,
    /// One line of the advisory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Why it stands, in order.
    pub explain: Vec<ExplainStep>,
}

/// One record that matches one component, before records are merged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawMatch {
    /// The component.
    pub purl: String,
    /// The record.
    pub record_id: String,
    /// The component's purl as the SBOM has it.
    pub given_purl: String,
    /// The record's aliases, sorted.
    pub aliases: Vec<String>,
    /// Whether one of its names is known to be exploited.
    pub kev: bool,
    /// Why it matches: the list entry or the range event.
    pub matched: String,
}

/// Why a component could not be judged in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartialReason {
    /// The ecosystem's versions have no known order: matched by exact version only.
    NoOrder,
    /// The SBOM gives no version: not matched at all.
    NoVersion,
    /// The version has no place in the ecosystem's order: matched by exact version only.
    UnreadableVersion,
    /// Advisories are by release of the distribution and the purl has none: matched against every release.
    NoRelease,
}

/// A component that could not be judged in full: absent is not clean.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partial {
    /// The component.
    pub purl: String,
    /// Why.
    pub reason: PartialReason,
    /// What that means and what to do.
    pub message: String,
}
