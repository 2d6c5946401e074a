//! The laws of deltas.

use proptest::prelude::*;
use stella_evaluator::{ChangeKind, Delta, Deltas, Severity, Standing, Standings, compare};

fn standing(severity: Severity, kev: bool, quieted: bool) -> Standing {
    Standing { severity, kev, quieted }
}

fn one(standing: Standing) -> Standings {
    Standings::from([(("pkg:npm/a@1".to_owned(), "CVE-2022-1".to_owned()), standing)])
}

fn kinds(delta: &Delta) -> Vec<ChangeKind> {
    delta.changes.iter().map(|change| change.kind).collect()
}

#[test]
fn each_kind_of_change_is_counted() {
    let calm = standing(Severity::Medium, false, false);
    for (before, after, kind, counts) in [
        (Standings::new(), one(calm), ChangeKind::New, Deltas { new_medium: 1, ..Deltas::default() }),
        (
            one(calm),
            Standings::new(),
            ChangeKind::Resolved,
            Deltas { resolved_medium: 1, ..Deltas::default() },
        ),
        (
            one(calm),
            one(standing(Severity::Critical, false, false)),
            ChangeKind::SeverityRaised,
            Deltas { severity_raised: 1, ..Deltas::default() },
        ),
        (
            one(calm),
            one(standing(Severity::Unknown, false, false)),
            ChangeKind::SeverityLowered,
            Deltas { severity_lowered: 1, ..Deltas::default() },
        ),
        (
            one(calm),
            one(standing(Severity::Medium, false, true)),
            ChangeKind::Quieted,
            Deltas { quieted: 1, ..Deltas::default() },
        ),
        (
            one(standing(Severity::Medium, false, true)),
            one(calm),
            ChangeKind::Unquieted,
            Deltas { unquieted: 1, ..Deltas::default() },
        ),
        (
            one(calm),
            one(standing(Severity::Medium, true, false)),
            ChangeKind::KevAdded,
            Deltas { kev_added: 1, ..Deltas::default() },
        ),
        (
            one(standing(Severity::Medium, true, false)),
            one(calm),
            ChangeKind::KevRemoved,
            Deltas { kev_removed: 1, ..Deltas::default() },
        ),
    ] {
        let delta = compare(&before, &after);
        assert_eq!((kinds(&delta), delta.counts), (vec![kind], counts));
    }
}

#[test]
fn an_exploited_finding_that_comes_counts_as_new_and_for_kev() {
    let delta = compare(&Standings::new(), &one(standing(Severity::High, true, false)));
    assert_eq!(kinds(&delta), [ChangeKind::New, ChangeKind::KevAdded]);
    assert_eq!(delta.counts, Deltas { new_high: 1, kev_added: 1, ..Deltas::default() });
}

fn any_standings() -> impl Strategy<Value = Standings> {
    let key =
        ("[ab]", "[12]").prop_map(|(name, cve)| (format!("pkg:npm/{name}@1"), format!("CVE-2022-{cve}")));
    let standing = (prop::sample::select(Severity::ALL.to_vec()), any::<bool>(), any::<bool>())
        .prop_map(|(severity, kev, quieted)| self::standing(severity, kev, quieted));
    prop::collection::btree_map(key, standing, 0..4)
}

/// The counts of the way back.
fn mirrored(counts: Deltas) -> Deltas {
    Deltas {
        new_critical: counts.resolved_critical,
        new_high: counts.resolved_high,
        new_medium: counts.resolved_medium,
        new_low: counts.resolved_low,
        new_unknown: counts.resolved_unknown,
        resolved_critical: counts.new_critical,
        resolved_high: counts.new_high,
        resolved_medium: counts.new_medium,
        resolved_low: counts.new_low,
        resolved_unknown: counts.new_unknown,
        severity_raised: counts.severity_lowered,
        severity_lowered: counts.severity_raised,
        quieted: counts.unquieted,
        unquieted: counts.quieted,
        kev_added: counts.kev_removed,
        kev_removed: counts.kev_added,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_carry_before_to_after(before in any_standings(), after in any_standings()) {
        let mut standings = before.clone();
        compare(&before, &after).apply_to(&mut standings);
        prop_assert_eq!(standings, after);
    }

    #[test]
    fn nothing_changes_against_itself(standings in any_standings()) {
        prop_assert_eq!(compare(&standings, &standings), Delta::default());
    }

    #[test]
    fn the_way_back_mirrors_the_way_there(before in any_standings(), after in any_standings()) {
        prop_assert_eq!(compare(&after, &before).counts, mirrored(compare(&before, &after).counts));
    }

    #[test]
    fn new_less_resolved_is_the_difference_in_size(before in any_standings(), after in any_standings()) {
        let counts = compare(&before, &after).counts;
        prop_assert_eq!(before.len() as u64 + counts.new_total(), after.len() as u64 + counts.resolved_total());
    }
}
