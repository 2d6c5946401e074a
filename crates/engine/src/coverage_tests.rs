use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const S: i64 = SECOND;

fn at(seconds: i64) -> Micros {
    Micros(seconds * S)
}

fn window(start: i64, end: i64) -> Window {
    Window { start: at(start), end: at(end) }
}

fn gap(start: i64, end: i64) -> Gap {
    Gap {
        start: at(start),
        end: at(end),
        reason: "it cannot be read".to_owned(),
        ticket: "OPS-1".to_owned(),
        by: "ada".to_owned(),
        at: at(0),
    }
}

fn settings() -> SourceSettings {
    SourceSettings { fetch_window_s: 100, overlap_s: 10, allowed_lateness_s: 30, ..SourceSettings::default() }
}

fn covered(from: i64, low: i64) -> Coverage {
    Coverage { run: Some(Run { from: at(from), low: at(low) }), ..Coverage::default() }
}

type Pair = (i64, i64);

fn shape(coverage: &Coverage) -> (Option<Pair>, Vec<Pair>, Vec<Pair>) {
    let pair = |start: Micros, end: Micros| (start.0 / S, end.0 / S);
    (
        coverage.run.map(|run| pair(run.from, run.low)),
        coverage.completed.iter().map(|one| pair(one.start, one.end)).collect(),
        coverage.gaps.iter().map(|one| pair(one.start, one.end)).collect(),
    )
}

#[test]
fn the_next_live_window_reaches_back_by_the_overlap_and_stops_at_what_may_still_come_late() {
    for (low, now, expected) in [
        // A whole window is old enough.
        (1_000, 5_000, Some(window(990, 1_100))),
        // Only a part of it is.
        (1_000, 1_080, Some(window(990, 1_050))),
        // Nothing new is.
        (1_000, 1_030, None),
        (1_000, 1_010, None),
    ] {
        assert_eq!(covered(0, low).next_live(&settings(), at(now)), expected, "{low} {now}");
    }
    assert_eq!(Coverage::default().next_live(&settings(), at(1_000)), Some(window(870, 970)));
}

#[test]
fn the_next_live_window_does_not_reach_back_into_a_gap() {
    let mut coverage = covered(0, 1_000);
    coverage.pass(gap(1_000, 1_100));
    assert_eq!(coverage.next_live(&settings(), at(5_000)), Some(window(1_100, 1_200)));
}

#[test]
fn windows_that_finish_out_of_order_wait_until_they_join_the_prefix() {
    let mut coverage = covered(0, 100);
    coverage.live(window(300, 400));
    coverage.live(window(200, 300));
    assert_eq!(shape(&coverage), (Some((0, 100)), vec![(200, 400)], vec![]));
    coverage.live(window(90, 200));
    assert_eq!(shape(&coverage), (Some((0, 400)), vec![], vec![]));
}

#[test]
fn the_low_watermark_does_not_move_back_by_itself() {
    let mut coverage = covered(0, 500);
    coverage.live(window(100, 200));
    coverage.whole(window(50, 300));
    assert_eq!(coverage.low(), Some(at(500)));
}

#[test]
fn a_window_that_is_let_pass_is_a_gap_and_the_watermark_passes_it() {
    let mut coverage = covered(0, 100);
    coverage.pass(gap(100, 200));
    assert_eq!(shape(&coverage), (Some((0, 200)), vec![], vec![(100, 200)]));
    assert!(!coverage.covers(window(150, 160)));
    let mut fresh = Coverage::default();
    fresh.pass(gap(100, 200));
    assert_eq!(shape(&fresh), (Some((100, 200)), vec![], vec![(100, 200)]));
}

#[test]
fn a_backfill_closes_gaps_and_begins_the_coverage_earlier_but_never_moves_the_low_watermark() {
    let mut coverage = covered(500, 1_000);
    coverage.pass(gap(1_000, 1_100));
    coverage.filled(window(1_000, 1_050));
    assert_eq!(shape(&coverage), (Some((500, 1_100)), vec![], vec![(1_050, 1_100)]));
    coverage.filled(window(1_040, 1_200));
    assert_eq!(shape(&coverage), (Some((500, 1_100)), vec![], vec![]));
    coverage.filled(window(100, 200));
    coverage.filled(window(300, 400));
    assert_eq!(shape(&coverage), (Some((500, 1_100)), vec![(100, 200), (300, 400)], vec![]));
    coverage.filled(window(400, 500));
    assert_eq!(shape(&coverage), (Some((300, 1_100)), vec![(100, 200)], vec![]));
    coverage.filled(window(200, 300));
    assert_eq!(shape(&coverage), (Some((100, 1_100)), vec![], vec![]));
}

#[test]
fn a_backfill_before_the_first_live_window_joins_it_when_that_comes() {
    let mut coverage = Coverage::default();
    coverage.filled(window(100, 200));
    assert_eq!(shape(&coverage), (None, vec![(100, 200)], vec![]));
    coverage.live(window(200, 300));
    assert_eq!(shape(&coverage), (Some((100, 300)), vec![], vec![]));
}

#[test]
fn what_lies_after_a_reset_is_to_be_read_again() {
    let mut coverage = covered(100, 1_000);
    coverage.pass(gap(1_000, 1_100));
    coverage.rewind(at(1_050));
    assert_eq!(shape(&coverage), (Some((100, 1_050)), vec![], vec![(1_000, 1_050)]));
    coverage.rewind(at(50));
    assert_eq!(shape(&coverage), (Some((50, 50)), vec![], vec![]));
    assert!(!coverage.covers(window(50, 51)));
    assert_eq!(coverage.next_live(&settings(), at(5_000)), Some(window(40, 150)));
}

#[test]
fn the_map_lies_end_to_end_and_says_of_each_stretch_what_is_known() {
    let mut coverage = covered(300, 600);
    coverage.pass(gap(600, 700));
    coverage.filled(window(100, 150));
    let map = coverage.stretches(window(0, 800), &[window(150, 200)], &[window(200, 250), window(290, 400)]);
    let told: Vec<(i64, i64, &str)> =
        map.iter().map(|one| (one.start.0 / S, one.end.0 / S, one.state.as_str())).collect();
    let expected = [
        (0, 100, "missing"),
        (100, 150, "covered"),
        (150, 200, "running"),
        (200, 250, "failed"),
        (250, 290, "missing"),
        (290, 300, "failed"),
        (300, 600, "covered"),
        (600, 700, "gap"),
        (700, 800, "missing"),
    ];
    assert_eq!(told, expected);
}

/// What can happen to the coverage of a source.
#[derive(Debug, Clone)]
enum Happens {
    Live(i64, i64),
    Filled(i64, i64),
    Passed(i64),
    Whole(i64, i64),
    Reset(i64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let range = || (0_i64..60, 1_i64..12);
    prop_oneof![
        range().prop_map(|(start, length)| Happens::Live(start, start + length)),
        range().prop_map(|(start, length)| Happens::Filled(start, start + length)),
        (1_i64..8).prop_map(Happens::Passed),
        range().prop_map(|(start, length)| Happens::Whole(start, start + length)),
        (0_i64..60).prop_map(Happens::Reset),
    ]
}

/// The same on a set of moments: slow, and plain to see.
#[derive(Debug, Default)]
struct Model {
    read: BTreeSet<i64>,
    passed: BTreeSet<i64>,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_coverage_says_what_a_set_of_moments_says(steps in prop::collection::vec(happens(), 1..25)) {
        let mut coverage = Coverage::default();
        let mut model = Model::default();
        for step in steps {
            let low_before = coverage.low();
            let mut is_reset = false;
            match step {
                Happens::Live(start, end) => {
                    // Live windows never reach into a gap.
                    if coverage.gaps.iter().any(|gap| gap.window().meets(window(start, end))) {
                        continue;
                    }
                    coverage.live(window(start, end));
                    model.read.extend(start..end);
                }
                Happens::Filled(start, end) => {
                    let end = coverage.low().map_or(end, |low| end.min(low.0 / S));
                    if start >= end {
                        continue;
                    }
                    coverage.filled(window(start, end));
                    model.read.extend(start..end);
                    model.passed.retain(|moment| !(start..end).contains(moment));
                    prop_assert_eq!(coverage.low(), low_before, "a backfill never moves the low watermark");
                }
                Happens::Passed(length) => {
                    let Some(low) = low_before.map(|low| low.0 / S) else { continue };
                    // Between the mark and the next window that waits there is nothing that was read.
                    let next = coverage.completed.iter().map(|one| one.start.0 / S).find(|start| *start > low);
                    let end = next.map_or(low + length, |next| next.min(low + length));
                    coverage.pass(gap(low, end));
                    model.passed.extend(low..end);
                }
                Happens::Whole(start, end) => {
                    // What is read whole has no holes between what was read before and what is read now.
                    let (from, to) = match coverage.run {
                        Some(run) => ((run.from.0 / S).min(start), (run.low.0 / S).max(end)),
                        None => (start, end),
                    };
                    let within = |moment: &i64| (start..end).contains(moment);
                    let passed: BTreeSet<i64> =
                        model.passed.iter().copied().filter(|moment| !within(moment)).collect();
                    model.read.extend((from..to).filter(|moment| !passed.contains(moment)));
                    model.passed = passed;
                    coverage.whole(window(start, end));
                }
                Happens::Reset(to) => {
                    let Some(low) = low_before.map(|low| low.0 / S) else { continue };
                    let to = to.min(low);
                    coverage.rewind(at(to));
                    model.read.retain(|moment| *moment < to);
                    model.passed.retain(|moment| *moment < to);
                    is_reset = true;
                }
            }
            if !is_reset {
                prop_assert!(coverage.low() >= low_before, "it never moves back by itself");
            }
            for moment in 0..80 {
                let is_read = model.read.contains(&moment) && !model.passed.contains(&moment);
                prop_assert_eq!(coverage.covers(window(moment, moment + 1)), is_read, "at {}", moment);
            }
            prop_assert!(coverage.completed.is_sorted_by(|one, two| one.end < two.start), "apart, oldest first");
            prop_assert!(coverage.gaps.is_sorted_by(|one, two| one.end <= two.start), "apart, oldest first");
            if let Some(run) = coverage.run {
                prop_assert!(coverage.completed.iter().all(|one| one.end < run.from || one.start > run.low));
                prop_assert!(coverage.gaps.iter().all(|one| one.start >= run.from && one.end <= run.low));
            }
        }
    }
}
