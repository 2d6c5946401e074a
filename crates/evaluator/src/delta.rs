//! What changed between two evaluations of one target.

use crate::finding::Finding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stella_contract::delta::Deltas;
use stella_contract::finding::{ChangeKind, Severity};

/// A finding's key in its target.
pub type FindingKey = (String, String);

/// What a delta compares of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// How bad.
    pub severity: Severity,
    /// Whether it is known to be exploited.
    pub kev: bool,
    /// Whether VEX or policy suppresses it.
    pub quieted: bool,
}

/// The findings of a target, as far as deltas see them: (purl, vulnerability id) to standing.
pub type Standings = BTreeMap<FindingKey, Standing>;

/// One change of one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The component.
    pub purl: String,
    /// The vulnerability.
    pub vulnerability_id: String,
    /// How it stood; `None` for a new finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Standing>,
    /// How it stands; `None` for a resolved one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Standing>,
}

/// Counts and changes between two evaluations; changes in the order of purl, vulnerability and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// How many of each.
    pub counts: Deltas,
    /// Each of them.
    pub changes: Vec<Change>,
}

impl From<&Finding> for Standing {
    fn from(finding: &Finding) -> Self {
        Self { severity: finding.severity, kev: finding.kev, quieted: finding.quieted }
    }
}

/// The standings of a list of findings.
pub fn standings(findings: &[Finding]) -> Standings {
    let key = |finding: &Finding| (finding.purl.clone(), finding.vulnerability_id.clone());
    findings.iter().map(|finding| (key(finding), Standing::from(finding))).collect()
}

/// Compares two evaluations. A finding that comes or goes while exploited also counts for KEV, so that the KEV
/// counts say how many exploited findings there are more or less.
pub fn compare(before: &Standings, after: &Standings) -> Delta {
    let mut delta = Delta::default();
    let keys: std::collections::BTreeSet<&FindingKey> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (was, is) = (before.get(key).copied(), after.get(key).copied());
        for kind in kinds(was, is) {
            count(&mut delta.counts, kind, was, is);
            let (purl, vulnerability_id) = key.clone();
            delta.changes.push(Change { kind, purl, vulnerability_id, before: was, after: is });
        }
    }
    delta
}

/// Compares two lists of findings.
pub fn compare_findings(before: &[Finding], after: &[Finding]) -> Delta {
    compare(&standings(before), &standings(after))
}

fn kinds(was: Option<Standing>, is: Option<Standing>) -> Vec<ChangeKind> {
    let mut kinds = Vec::new();
    match (was, is) {
        (None, Some(_)) => kinds.push(ChangeKind::New),
        (Some(_), None) => kinds.push(ChangeKind::Resolved),
        (Some(was), Some(is)) => {
            kinds.extend((is.severity > was.severity).then_some(ChangeKind::SeverityRaised));
            kinds.extend((is.severity < was.severity).then_some(ChangeKind::SeverityLowered));
            kinds.extend((is.quieted && !was.quieted).then_some(ChangeKind::Quieted));
            kinds.extend((!is.quieted && was.quieted).then_some(ChangeKind::Unquieted));
        }
        (None, None) => {}
    }
    let exploited = |standing: Option<Standing>| standing.is_some_and(|standing| standing.kev);
    kinds.extend((exploited(is) && !exploited(was)).then_some(ChangeKind::KevAdded));
    kinds.extend((!exploited(is) && exploited(was)).then_some(ChangeKind::KevRemoved));
    kinds
}

fn count(counts: &mut Deltas, kind: ChangeKind, was: Option<Standing>, is: Option<Standing>) {
    let severity = is.or(was).map_or(Severity::Unknown, |standing| standing.severity);
    let counter = match kind {
        ChangeKind::New => counts.new_of(severity),
        ChangeKind::Resolved => counts.resolved_of(severity),
        ChangeKind::SeverityRaised => &mut counts.severity_raised,
        ChangeKind::SeverityLowered => &mut counts.severity_lowered,
        ChangeKind::Quieted => &mut counts.quieted,
        ChangeKind::Unquieted => &mut counts.unquieted,
        ChangeKind::KevAdded => &mut counts.kev_added,
        ChangeKind::KevRemoved => &mut counts.kev_removed,
    };
    *counter += 1;
}

impl Delta {
    /// Carries the changes out on the standings they were taken from.
    pub fn apply_to(&self, standings: &mut Standings) {
        for change in &self.changes {
            let key = (change.purl.clone(), change.vulnerability_id.clone());
            match change.after {
                Some(standing) => standings.insert(key, standing),
                None => standings.remove(&key),
            };
        }
    }
}
