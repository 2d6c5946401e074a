//! A finding: one vulnerability in one component of one target (spec 11 §11.3).

use crate::ids::{RunId, TargetId};
use crate::policy::Verdict;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// How bad, in words. The order of declaration is the order of weight.
    Severity {
        /// Nothing is said.
        Unknown = "unknown",
        /// CVSS above 0 and below 4.
        Low = "low",
        /// CVSS from 4.
        Medium = "medium",
        /// CVSS from 7.
        High = "high",
        /// CVSS from 9.
        Critical = "critical",
    }
}

words! {
    /// What is known of the finding after VEX.
    FindingStatus {
        /// The component is in an affected range.
        Affected = "affected",
        /// A VEX statement says it is fixed here.
        Fixed = "fixed",
        /// A VEX statement says it does not apply here.
        NotAffected = "not_affected",
        /// A VEX statement says it is being looked at.
        UnderInvestigation = "under_investigation",
    }
}

words! {
    /// What happened to a finding between two evaluations of its target.
    ChangeKind {
        /// It was not there before.
        New = "new",
        /// It is no longer there.
        Resolved = "resolved",
        /// It is worse than before.
        SeverityRaised = "severity_raised",
        /// It is less bad than before.
        SeverityLowered = "severity_lowered",
        /// VEX or policy now suppresses it.
        Quieted = "quieted",
        /// VEX or policy no longer suppresses it.
        Unquieted = "unquieted",
        /// It is now known to be exploited.
        KevAdded = "kev_added",
        /// It is no longer listed as exploited.
        KevRemoved = "kev_removed",
    }
}

/// A finding as every door shows it. Order of lists: severity desc, score desc, vulnerability, purl, target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The target it is in.
    pub target_id: TargetId,
    /// The target's name.
    pub target_name: String,
    /// The target's version.
    pub target_version: String,
    /// The component.
    pub purl: String,
    /// The vulnerability: the CVE where there is one, else the GHSA, else the record's own id.
    pub vulnerability_id: String,
    /// The advisory records that say so.
    pub record_ids: Vec<String>,
    /// The other names of the vulnerability.
    pub aliases: Vec<String>,
    /// How bad, in words.
    pub severity: Severity,
    /// How bad, 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The CVSS vector that was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
    /// Whether it is in the list of known exploited vulnerabilities.
    pub kev: bool,
    /// How likely it is exploited within thirty days, 0 to 1 (EPSS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
    /// The share of all vulnerabilities that are less likely, 0 to 1 (EPSS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss_percentile: Option<f64>,
    /// What is known after VEX.
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
    /// The run that first saw it.
    pub first_run_id: RunId,
    /// When that was.
    pub first_seen_at: Micros,
}

/// Why a finding stands: the steps in order, each a sentence with its inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FindingExplanation))]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The finding.
    pub finding: Finding,
    /// What matched, in order.
    pub steps: Vec<ExplainStep>,
}

/// Which finding is to be explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExplainQuery {
    /// The target it is in.
    pub target: TargetId,
    /// The component.
    #[cfg_attr(feature = "openapi", schema(pattern = "\\S"))]
    pub purl: String,
    /// The vulnerability.
    #[cfg_attr(feature = "openapi", schema(pattern = "\\S"))]
    pub vulnerability: String,
}

/// One step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExplainStep {
    /// What acted: a record id, a VEX statement or a rule.
    pub source: String,
    /// What it said: `range ECOSYSTEM introduced 2.0 fixed 2.0.7`.
    pub matched: String,
    /// The record's own other names; those of the finding are of all records together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether one of the record's own names is known to be exploited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kev: bool,
}

/// One change of one finding in a run. Order of lists: kind, severity desc, score desc, vulnerability, purl, target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingChange {
    /// What happened.
    pub kind: ChangeKind,
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
    /// Severity after the change; before it where the finding is gone.
    pub severity: Severity,
    /// Severity before, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_before: Option<Severity>,
    /// Whether it is known to be exploited.
    pub kev: bool,
}

/// Which findings are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct FindingFilter {
    /// Findings as this run left them; absent: the latest of every target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Of this target only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetId>,
    /// Of this severity only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Exploited ones only (`true`) or others only (`false`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kev: Option<bool>,
    /// Of this status only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<FindingStatus>,
    /// With this verdict only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Suppressed ones only (`true`) or others only (`false`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quieted: Option<bool>,
    /// Part of the purl, the vulnerability id or the target's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 256))]
    pub q: Option<String>,
}
