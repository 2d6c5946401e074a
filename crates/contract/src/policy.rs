//! Policy: ordered rules over findings, kept as snapshots that never change (spec 11 §11.1 and §11.3).

use crate::finding::Severity;
use crate::ids::{PolicySnapshotId, PromotionId, RunId};
use crate::run::RunMode;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What a rule says of a finding.
    Verdict {
        /// It must not be shipped.
        Block = "block",
        /// Somebody should look at it.
        Warn = "warn",
        /// It is accepted.
        Ignore = "ignore",
        /// It is known and suppressed.
        Quiet = "quiet",
    }
}

impl Verdict {
    /// Whether it suppresses the finding.
    pub const fn quiets(self) -> bool {
        match self {
            Self::Ignore | Self::Quiet => true,
            Self::Block | Self::Warn => false,
        }
    }
}

words! {
    /// What is wrong with a policy, or worth knowing of it.
    PolicyProblemCode {
        /// The text is no YAML.
        Yaml = "POLICY_YAML",
        /// The YAML has another shape than a policy.
        Shape = "POLICY_SHAPE",
        /// An expression cannot be read.
        Expression = "POLICY_EXPRESSION",
        /// An expression names a variable, field or function that there is not.
        UnknownName = "POLICY_UNKNOWN_NAME",
        /// An expression is neither true nor false.
        NotBoolean = "POLICY_NOT_BOOLEAN",
        /// Two rules have one name.
        DuplicateName = "POLICY_DUPLICATE_NAME",
        /// A policy, a rule or the work an expression makes is over its limit.
        TooLarge = "POLICY_TOO_LARGE",
        /// A rule no longer holds; it is skipped.
        Expired = "POLICY_RULE_EXPIRED",
    }
}

impl PolicyProblemCode {
    /// Whether a policy with it can be kept all the same.
    pub const fn is_warning(self) -> bool {
        match self {
            Self::Expired => true,
            Self::Yaml
            | Self::Shape
            | Self::Expression
            | Self::UnknownName
            | Self::NotBoolean
            | Self::DuplicateName
            | Self::TooLarge => false,
        }
    }
}

/// One thing that is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyProblem {
    /// The line of the text, from 1; 0 where there is none.
    pub line: u32,
    /// The column, from 1; 0 where there is none.
    pub column: u32,
    /// The rule, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What it is.
    pub code: PolicyProblemCode,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl std::fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        f.write_str(&self.message)
    }
}

/// One rule. The first whose expression is true decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// Its name, once per policy.
    pub name: String,
    /// When it fires: an expression of CEL over the finding.
    pub when: String,
    /// What it then says.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// From when on it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Micros>,
}

/// A variable that expressions may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyVariable {
    /// Its name.
    pub name: &'static str,
    /// What it holds: `text`, `number`, `yes or no`, `list of texts`, `fields`.
    pub kind: &'static str,
    /// What it says.
    pub says: &'static str,
}

const fn variable(name: &'static str, kind: &'static str, says: &'static str) -> PolicyVariable {
    PolicyVariable { name, kind, says }
}

/// The variables of expressions, all about one finding.
pub const POLICY_VARIABLES: &[PolicyVariable] = &[
    variable("severity", "text", "unknown, low, medium, high or critical"),
    variable("severityLevel", "number", "the same as 0 to 4, so that levels can be compared"),
    variable("score", "number", "CVSS, 0.0 to 10.0; 0.0 without one"),
    variable("kev", "yes or no", "whether it is known to be exploited"),
    variable("epss", "number", "likelihood of exploitation, 0.0 to 1.0; 0.0 without one"),
    variable("purl", "text", "the component's package URL"),
    variable("name", "text", "the component's name"),
    variable("version", "text", "the component's version"),
    variable("ecosystem", "text", "PyPI, npm, Go, Maven and so on"),
    variable("vulnerability", "text", "the vulnerability's id"),
    variable("aliases", "list of texts", "its other names, 64 at most"),
    variable("fixed", "yes or no", "whether a fixed version is known"),
    variable("fixedVersion", "text", "that version; empty without one"),
    variable("status", "text", "affected, fixed, not_affected or under_investigation, after VEX"),
    variable("ageDays", "number", "whole days since the finding was first seen in its target"),
    variable("target", "fields", "name, version, namespace, repository, digest and labels of its target"),
];

/// The fields of `target`.
pub const POLICY_TARGET_FIELDS: &[&str] = &["name", "version", "namespace", "repository", "digest", "labels"];

/// The level that expressions compare.
pub const fn severity_level(severity: Severity) -> i64 {
    match severity {
        Severity::Unknown => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// A snapshot as lists show it. Order of lists: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicySnapshot {
    /// Its id: the digest of its rules.
    pub policy_snapshot_id: PolicySnapshotId,
    /// Its number within the tenant, rising.
    pub policy_revision: i64,
    /// The policy it is a snapshot of; runs under one policy are compared with one another.
    pub policy: String,
    /// What its author says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How many rules it has.
    pub rule_count: i64,
    /// Whether runs use it when they name none.
    pub active: bool,
    /// Who added it.
    pub created_by: String,
    /// When.
    pub created_at: Micros,
}

/// A snapshot with its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyDocument {
    /// The snapshot.
    pub snapshot: PolicySnapshot,
    /// Its rules, in order.
    pub rules: Vec<PolicyRule>,
    /// The YAML as it was added.
    pub source: String,
}

/// A policy to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddPolicy {
    /// The YAML.
    #[cfg_attr(feature = "openapi", schema(max_length = 262_144))]
    pub source: String,
    /// What its author says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 256, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    pub note: Option<String>,
}

/// The most bytes of a policy's YAML.
pub const LONGEST_POLICY: usize = 262_144;

/// A policy to look at before it is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckPolicy {
    /// The YAML.
    #[cfg_attr(feature = "openapi", schema(max_length = 262_144))]
    pub source: String,
}

/// What is to be said of a policy before it is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyCheck {
    /// What is wrong with it, and what is worth knowing, by line.
    pub problems: Vec<PolicyProblem>,
    /// How many rules it has.
    pub rule_count: i64,
    /// The id it would have; absent while something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_snapshot_id: Option<PolicySnapshotId>,
    /// What it would say of the findings there are; absent while something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<PolicyTrial>,
}

impl PolicyCheck {
    /// Whether it can be added.
    pub fn is_sound(&self) -> bool {
        self.policy_snapshot_id.is_some()
    }
}

/// What a policy would say of the findings there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyTrial {
    /// Findings it was tried on, worst first.
    pub findings: i64,
    /// Whether there are more than it was tried on.
    pub truncated: bool,
    /// Findings by verdict now and under this policy.
    pub verdicts: Vec<VerdictCount>,
    /// Findings whose verdict would be another.
    pub changed: i64,
    /// Findings that would become suppressed.
    pub quieted: i64,
    /// Findings that would no longer be suppressed.
    pub unquieted: i64,
    /// What each rule would do, in order.
    pub rules: Vec<RuleCount>,
}

/// Findings with one verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerdictCount {
    /// The verdict; absent where no rule fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// How many have it now.
    pub before: i64,
    /// How many would have it.
    pub after: i64,
}

/// Findings that one rule decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// What it says.
    pub verdict: Verdict,
    /// Findings it decides.
    pub findings: i64,
    /// Findings for which its expression had no answer.
    pub failed: i64,
    /// Whether it no longer holds.
    pub expired: bool,
}

/// How a snapshot is made the active one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PromotePolicy {
    /// Whether a run over all targets follows.
    pub follow_up: bool,
    /// What that run does; `analysis-only` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
}

/// One promotion. Order of lists: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyPromotion {
    /// Its id.
    pub promotion_id: PromotionId,
    /// What became active.
    pub policy_snapshot_id: PolicySnapshotId,
    /// Its number.
    pub policy_revision: i64,
    /// What was active before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_snapshot_id: Option<PolicySnapshotId>,
    /// Who promoted it.
    pub promoted_by: String,
    /// Why.
    pub reason: String,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// When.
    pub promoted_at: Micros,
    /// The run that followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

words! {
    /// How a rule differs between two snapshots.
    RuleChangeKind {
        /// It is only in the second.
        Added = "added",
        /// It is only in the first.
        Removed = "removed",
        /// It says something else.
        Changed = "changed",
        /// It says the same at another place among the rules that are in both.
        Moved = "moved",
    }
}

/// How one rule differs between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RuleChange {
    /// How.
    pub kind: RuleChangeKind,
    /// The rule, by name.
    pub rule: String,
    /// As it is in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PolicyRule>,
    /// As it is in the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PolicyRule>,
}

/// Two snapshots side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyDiff {
    /// The first.
    pub from: PolicySnapshot,
    /// The second.
    pub to: PolicySnapshot,
    /// What differs: in the order of the second, then what is gone.
    pub changes: Vec<RuleChange>,
}

/// Which two snapshots are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyDiffQuery {
    /// The first.
    pub from: PolicySnapshotId,
    /// The second.
    pub to: PolicySnapshotId,
}

/// What differs between two lists of rules.
pub fn diff_rules(from: &[PolicyRule], to: &[PolicyRule]) -> Vec<RuleChange> {
    let known = |rules: &[PolicyRule], name: &str| rules.iter().any(|rule| rule.name == name);
    // Places are counted among the rules that are in both, so that an added rule moves nothing.
    let shared: Vec<&str> =
        from.iter().filter(|rule| known(to, &rule.name)).map(|rule| rule.name.as_str()).collect();
    let mut place = 0;
    let mut changes = Vec::new();
    for after in to {
        let before = from.iter().find(|rule| rule.name == after.name);
        let kind = match before {
            None => Some(RuleChangeKind::Added),
            Some(before) => {
                let moved = shared.get(place).is_none_or(|name| *name != after.name);
                place += 1;
                match (before == after, moved) {
                    (false, _) => Some(RuleChangeKind::Changed),
                    (true, true) => Some(RuleChangeKind::Moved),
                    (true, false) => None,
                }
            }
        };
        changes.extend(kind.map(|kind| RuleChange {
            kind,
            rule: after.name.clone(),
            before: before.cloned(),
            after: Some(after.clone()),
        }));
    }
    let gone = from.iter().filter(|rule| !known(to, &rule.name));
    changes.extend(gone.map(|rule| RuleChange {
        kind: RuleChangeKind::Removed,
        rule: rule.name.clone(),
        before: Some(rule.clone()),
        after: None,
    }));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, when: &str) -> PolicyRule {
        PolicyRule {
            name: name.to_owned(),
            when: when.to_owned(),
            verdict: Verdict::Warn,
            reason: "why".to_owned(),
            expires: None,
        }
    }

    #[test]
    fn added_removed_changed_and_moved_rules_are_told_apart() {
        let from = [rule("a", "kev"), rule("b", "fixed"), rule("c", "true")];
        let to = [rule("new", "true"), rule("b", "fixed"), rule("a", "kev && fixed")];
        let told: Vec<_> = diff_rules(&from, &to).into_iter().map(|one| (one.kind, one.rule)).collect();
        let expected = [
            (RuleChangeKind::Added, "new"),
            (RuleChangeKind::Moved, "b"),
            (RuleChangeKind::Changed, "a"),
            (RuleChangeKind::Removed, "c"),
        ];
        assert_eq!(told, expected.map(|(kind, rule)| (kind, rule.to_owned())));
        assert_eq!(diff_rules(&from, &from), []);
    }

    #[test]
    fn a_rule_before_all_others_moves_none_of_them() {
        let from = [rule("a", "kev"), rule("b", "fixed")];
        let to = [rule("new", "true"), rule("a", "kev"), rule("b", "fixed")];
        let kinds: Vec<_> = diff_rules(&from, &to).into_iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [RuleChangeKind::Added]);
    }
}
