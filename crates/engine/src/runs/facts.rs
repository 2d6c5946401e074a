//! From what the evaluator says of a target to what is kept, and what changed since. Pure.

use crate::error::Error;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use stella_bundle::digest;
use stella_contract::delta::Deltas;
use stella_contract::finding::{ChangeKind, Severity};
use stella_contract::policy::Verdict;
use stella_evaluator::Finding;
use stella_evaluator::delta::{Standing, Standings, compare};
use stella_ledger::findings::NewFact;

/// One vulnerability in one component, ready to be kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    /// What is kept.
    pub row: NewFact,
    /// What the evaluator said, for the segment's output.
    pub finding: Finding,
}

/// The place of a fact in lists that begin with the worst: severity, then score. A score above none is better known
/// than none at all.
pub(crate) fn place(severity: Severity, score: Option<f64>) -> i64 {
    let tenths = score.map_or(0, |score| (score * 10.0).round() as i64 + 1);
    worst_place(severity) + PLACES_PER_SEVERITY - 1 - tenths.clamp(0, PLACES_PER_SEVERITY - 1)
}

/// The first place of a severity; the next severity begins [`PLACES_PER_SEVERITY`] further.
pub(crate) fn worst_place(severity: Severity) -> i64 {
    let better_ones = Severity::ALL.iter().filter(|other| **other > severity).count();
    better_ones as i64 * PLACES_PER_SEVERITY
}

/// Scores have one decimal, so that 0 to 10 and none are fewer places than these.
pub(crate) const PLACES_PER_SEVERITY: i64 = 200;

impl Fact {
    /// The fact that this finding states.
    pub(crate) fn of(finding: Finding) -> Result<Self, Error> {
        let list = |words: &[String]| serde_json::to_string(words).map_err(Error::internal);
        let row = NewFact {
            digest: digest::of_value(&finding).map_err(Error::internal)?,
            purl: printable(&finding.purl),
            vulnerability_id: printable(&finding.vulnerability_id),
            place: place(finding.severity, finding.score),
            severity: finding.severity.as_str(),
            score: finding.score,
            vector: finding.vector.as_deref().map(printable),
            kev: i64::from(finding.kev),
            status: finding.status.as_str(),
            quieted: i64::from(finding.quieted),
            verdict: finding.verdict.map(Verdict::as_str),
            rule: finding.rule.as_deref().map(printable),
            fixed_version: finding.fixed_version.as_deref().map(printable),
            summary: finding.summary.as_deref().map(printable),
            record_ids: list(&finding.record_ids)?,
            aliases: list(&finding.aliases)?,
            steps: serde_json::to_string(&finding.explain).map_err(Error::internal)?,
        };
        Ok(Self { row, finding })
    }
}

/// Postgres keeps no NUL in a text, and nobody can read one.
fn printable(text: &str) -> String {
    text.replace('\0', "")
}

/// A finding that held before an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub finding_key: i64,
    pub fact_key: i64,
    pub first_run_key: i64,
    pub first_seen_at: i64,
    pub purl: Arc<str>,
    pub vulnerability_id: Arc<str>,
    pub standing: Standing,
}

/// What an evaluation of one target changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Difference {
    /// Findings that no longer hold, by key.
    pub closed: Vec<i64>,
    /// Facts that begin to hold, with the run that first saw the finding and when, where that was an earlier one.
    pub opened: Vec<(i64, Option<(i64, i64)>)>,
    /// Changes with the fact they are shown by and the fact before, where both are known and differ.
    pub changes: Vec<(ChangeKind, i64, Option<i64>)>,
    /// The changes counted.
    pub deltas: Deltas,
}

/// Compares what held with what holds now. `facts` are the facts found, with their keys.
pub(crate) fn difference(held: &[Held], facts: &[(i64, &Fact)]) -> Difference {
    let before: HashMap<(&str, &str), &Held> =
        held.iter().map(|one| ((&*one.purl, &*one.vulnerability_id), one)).collect();
    let mut gone: BTreeMap<(&str, &str), &Held> = before.iter().map(|(key, one)| (*key, *one)).collect();
    let mut difference = Difference::default();
    let mut came: HashMap<(&str, &str), i64> = HashMap::new();
    let (mut was, mut is) = (Standings::new(), Standings::new());
    let owned = |key: (&str, &str)| (key.0.to_owned(), key.1.to_owned());
    for (fact_key, fact) in facts {
        let key = (fact.row.purl.as_str(), fact.row.vulnerability_id.as_str());
        let held = gone.remove(&key);
        if held.is_some_and(|held| held.fact_key == *fact_key) {
            continue;
        }
        if let Some(held) = held {
            was.insert(owned(key), held.standing);
            difference.closed.push(held.finding_key);
        }
        is.insert(owned(key), Standing::from(&fact.finding));
        came.insert(key, *fact_key);
        difference.opened.push((*fact_key, held.map(|held| (held.first_run_key, held.first_seen_at))));
    }
    for (key, held) in gone {
        was.insert(owned(key), held.standing);
        difference.closed.push(held.finding_key);
    }
    let delta = compare(&was, &is);
    difference.deltas = delta.counts;
    for change in delta.changes {
        let key = (change.purl.as_str(), change.vulnerability_id.as_str());
        let now = came.get(&key).copied();
        let then = before.get(&key).map(|held| held.fact_key);
        // What is gone is shown as it was.
        let Some(shown) = now.or(then) else { continue };
        difference.changes.push((change.kind, shown, then.filter(|then| *then != shown)));
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::finding::FindingStatus;

    fn finding(purl: &str, id: &str, severity: Severity, kev: bool) -> Finding {
        Finding {
            purl: purl.to_owned(),
            vulnerability_id: id.to_owned(),
            ecosystem: "PyPI".to_owned(),
            name: "a".to_owned(),
            version: "1".to_owned(),
            record_ids: vec![id.to_owned()],
            aliases: Vec::new(),
            severity,
            score: None,
            vector: None,
            kev,
            status: FindingStatus::Affected,
            quieted: false,
            verdict: None,
            rule: None,
            fixed_version: None,
            summary: Some("a\0b".to_owned()),
            explain: Vec::new(),
        }
    }

    fn held(finding_key: i64, fact_key: i64, fact: &Fact) -> Held {
        Held {
            finding_key,
            fact_key,
            first_run_key: 7,
            first_seen_at: 70,
            purl: fact.row.purl.as_str().into(),
            vulnerability_id: fact.row.vulnerability_id.as_str().into(),
            standing: Standing::from(&fact.finding),
        }
    }

    #[test]
    fn worse_comes_first_and_a_score_before_none() {
        let order = [
            (Severity::Critical, Some(10.0)),
            (Severity::Critical, Some(9.8)),
            (Severity::Critical, None),
            (Severity::High, Some(8.9)),
            (Severity::Medium, Some(0.0)),
            (Severity::Medium, None),
            (Severity::Low, Some(3.1)),
            (Severity::Unknown, None),
        ];
        let places: Vec<i64> = order.iter().map(|(severity, score)| place(*severity, *score)).collect();
        assert!(places.is_sorted_by(|one, two| one < two), "{places:?}");
        for (severity, score) in order {
            let from = worst_place(severity);
            assert!((from..from + PLACES_PER_SEVERITY).contains(&place(severity, score)), "{severity}");
        }
    }

    #[test]
    fn the_same_fact_stays_open_and_nothing_is_told() {
        let fact = Fact::of(finding("pkg:pypi/a@1", "CVE-1", Severity::High, false)).unwrap();
        assert_eq!(difference(&[held(1, 11, &fact)], &[(11, &fact)]), Difference::default());
    }

    #[test]
    fn a_reworded_fact_takes_the_place_of_the_old_one_without_a_change() {
        let old = Fact::of(finding("pkg:pypi/a@1", "CVE-1", Severity::High, false)).unwrap();
        let mut reworded = old.finding.clone();
        reworded.summary = Some("other words".to_owned());
        let new = Fact::of(reworded).unwrap();
        assert_ne!(old.row.digest, new.row.digest);
        let difference = difference(&[held(1, 11, &old)], &[(12, &new)]);
        assert_eq!(
            (difference.closed.as_slice(), difference.opened.as_slice()),
            (&[1][..], &[(12, Some((7, 70)))][..])
        );
        assert!(difference.changes.is_empty() && difference.deltas.is_zero());
    }

    #[test]
    fn new_resolved_raised_and_exploited_are_told_with_the_right_facts() {
        let low = Fact::of(finding("pkg:pypi/a@1", "CVE-1", Severity::Low, false)).unwrap();
        let high = Fact::of(finding("pkg:pypi/a@1", "CVE-1", Severity::High, true)).unwrap();
        let gone = Fact::of(finding("pkg:pypi/b@1", "CVE-2", Severity::Critical, false)).unwrap();
        let new = Fact::of(finding("pkg:pypi/c@1", "CVE-3", Severity::Unknown, false)).unwrap();
        let found = difference(&[held(1, 11, &low), held(2, 12, &gone)], &[(13, &high), (14, &new)]);
        assert_eq!(found.closed, [1, 2]);
        assert_eq!(found.opened, [(13, Some((7, 70))), (14, None)]);
        assert_eq!(
            found.changes,
            [
                (ChangeKind::SeverityRaised, 13, Some(11)),
                (ChangeKind::KevAdded, 13, Some(11)),
                (ChangeKind::Resolved, 12, None),
                (ChangeKind::New, 14, None),
            ]
        );
        let expected = Deltas {
            new_unknown: 1,
            resolved_critical: 1,
            severity_raised: 1,
            kev_added: 1,
            ..Deltas::default()
        };
        assert_eq!(found.deltas, expected);
    }

    #[test]
    fn what_no_database_keeps_is_taken_out() {
        let fact = Fact::of(finding("pkg:pypi/a@1", "CVE-1", Severity::High, false)).unwrap();
        assert_eq!(fact.row.summary.as_deref(), Some("ab"));
    }
}
