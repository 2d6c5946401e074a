//! What a running change-set may do next, by its options and the clock. Pure.

use stella_contract::change_set::{AfterFirst, ChangeSet};
use stella_contract::time::Micros;
use stella_ledger::change_sets::ChangeSetRecord;

/// Items done in one transaction.
const AT_ONCE: i64 = 200;
/// The share of failures says something from so many items on.
const TELLING: i64 = 10;
const SECOND_US: i64 = 1_000_000;

/// What a running change-set may do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Take the next items, at most so many; the pace counts from there, with so many reached since.
    Take { limit: i64, paced_from: Micros, paced: i64 },
    /// See how the first items ended.
    Judge,
    /// Its pace says: not before then.
    Wait(Micros),
    /// Nothing is left.
    End,
}

/// What it may do next.
pub(super) fn step(record: &ChangeSetRecord, now: Micros) -> Step {
    let progress = record.set.progress;
    if progress.waiting == 0 {
        return Step::End;
    }
    let tried = progress.done + progress.failed;
    let first = record.set.options.first_n.map(i64::from).filter(|_| !record.first_passed);
    if first.is_some_and(|first| tried >= first) {
        return Step::Judge;
    }
    let mut limit = first.map_or(AT_ONCE, |first| AT_ONCE.min(first - tried));
    let anchor = record.paced_from.unwrap_or(now);
    let Some(per_s) = pace(&record.set) else {
        return Step::Take { limit, paced_from: anchor, paced: record.paced };
    };
    let second = (now.0 - anchor.0).max(0) / SECOND_US;
    let behind = per_s * second - record.paced;
    // What was not done while nobody was at work is not made up for.
    let (paced_from, paced, second) =
        if behind > per_s { (now, 0, 0) } else { (anchor, record.paced, second) };
    let allowed = per_s * (second + 1) - paced;
    if allowed <= 0 {
        return Step::Wait(Micros(paced_from.0 + (second + 1) * SECOND_US));
    }
    limit = limit.min(allowed);
    Step::Take { limit, paced_from, paced }
}

/// Items per second.
pub(super) fn pace(set: &ChangeSet) -> Option<i64> {
    set.options.pace_per_s.or(set.verb.usual_pace_per_s()).map(i64::from)
}

/// What follows from the first items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes on.
    GoOn,
    /// Somebody shall look.
    Pause,
    /// Too many failed.
    Stop,
}

/// What follows when so many of the first items failed.
pub(super) fn verdict(set: &ChangeSet, tried: i64, failed: i64) -> Verdict {
    let most = i64::from(set.options.stop_above_percent.unwrap_or(0));
    if failed * 100 > most * tried {
        return Verdict::Stop;
    }
    match set.options.after_first.unwrap_or(AfterFirst::GoOn) {
        AfterFirst::GoOn => Verdict::GoOn,
        AfterFirst::Pause => Verdict::Pause,
    }
}

/// Whether so many failures end it, after the first items or without any.
pub(super) fn fails(set: &ChangeSet) -> bool {
    let tried = set.progress.done + set.progress.failed;
    let Some(most) = set.options.stop_above_percent else { return false };
    tried >= TELLING && set.progress.failed * 100 > i64::from(most) * tried
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::change_set::{
        ChangeOptions, ChangeParameters, ChangeProgress, ChangeSetState, ChangeVerb, DryRun, Selection,
    };

    fn record(
        verb: ChangeVerb,
        options: ChangeOptions,
        done: i64,
        failed: i64,
        waiting: i64,
    ) -> ChangeSetRecord {
        let set = ChangeSet {
            change_set_id: "chg_01890000-0000-7000-8000-000000000000".parse().unwrap(),
            tenant: "acme".parse().unwrap(),
            verb,
            state: ChangeSetState::Running,
            selection: Selection::Ids { ids: Vec::new() },
            parameters: ChangeParameters::default(),
            options,
            dry_run: DryRun::default(),
            selection_hash: String::new(),
            progress: ChangeProgress { waiting, done, skipped: 0, failed },
            notice: None,
            created_by: "ada".to_owned(),
            created_at: Micros(0),
            started_by: Some("ada".to_owned()),
            reason: None,
            ticket: None,
            started_at: Some(Micros(0)),
            ended_at: None,
            version: 2,
        };
        ChangeSetRecord {
            set_key: 1,
            set,
            scopes: Vec::new(),
            correlation_id: String::new(),
            reached: done + failed,
            first_passed: false,
            paced_from: Some(Micros(0)),
            paced: done + failed,
        }
    }

    fn at(ms: i64) -> Micros {
        Micros(ms * 1_000)
    }

    #[test]
    fn without_a_pace_it_goes_as_fast_as_the_ledger_takes_it() {
        let one = record(ChangeVerb::Cancel, ChangeOptions::default(), 5_000, 0, 1);
        assert_eq!(step(&one, at(0)), Step::Take { limit: AT_ONCE, paced_from: at(0), paced: 5_000 });
        let ended = record(ChangeVerb::Cancel, ChangeOptions::default(), 1, 0, 0);
        assert_eq!(step(&ended, at(0)), Step::End);
    }

    #[test]
    fn a_pace_is_kept_second_by_second_and_never_made_up_for() {
        let paced = |done| record(ChangeVerb::Replay, ChangeOptions::default(), done, 0, 100);
        assert_eq!(step(&paced(0), at(0)), Step::Take { limit: 5, paced_from: at(0), paced: 0 });
        assert_eq!(step(&paced(5), at(0)), Step::Wait(at(1_000)));
        assert_eq!(step(&paced(5), at(999)), Step::Wait(at(1_000)));
        assert_eq!(step(&paced(5), at(1_000)), Step::Take { limit: 5, paced_from: at(0), paced: 5 });
        assert_eq!(step(&paced(7), at(1_000)), Step::Take { limit: 3, paced_from: at(0), paced: 7 });
        // Ten minutes later, after a restart.
        assert_eq!(step(&paced(7), at(600_000)), Step::Take { limit: 5, paced_from: at(600_000), paced: 0 });
    }

    #[test]
    fn the_first_items_are_judged_before_the_rest_is_touched() {
        let options = ChangeOptions { first_n: Some(10), ..ChangeOptions::default() };
        let first = |done, failed| record(ChangeVerb::Cancel, options.clone(), done, failed, 50);
        assert!(matches!(step(&first(0, 0), at(0)), Step::Take { limit: 10, .. }));
        assert!(matches!(step(&first(8, 1), at(0)), Step::Take { limit: 1, .. }));
        assert_eq!(step(&first(9, 1), at(0)), Step::Judge);
        let passed = ChangeSetRecord { first_passed: true, ..first(9, 1) };
        assert!(matches!(step(&passed, at(0)), Step::Take { limit: AT_ONCE, .. }));
    }

    #[test]
    fn the_verdict_follows_the_share_of_failures() {
        let set = |percent, after_first| {
            let options =
                ChangeOptions { stop_above_percent: percent, after_first, ..ChangeOptions::default() };
            record(ChangeVerb::Replay, options, 10, 0, 5).set
        };
        assert_eq!(verdict(&set(None, None), 10, 0), Verdict::GoOn);
        assert_eq!(verdict(&set(None, None), 10, 1), Verdict::Stop);
        assert_eq!(verdict(&set(Some(10), None), 10, 1), Verdict::GoOn);
        assert_eq!(verdict(&set(Some(10), None), 10, 2), Verdict::Stop);
        assert_eq!(verdict(&set(None, Some(AfterFirst::Pause)), 10, 0), Verdict::Pause);
        assert_eq!(verdict(&set(None, Some(AfterFirst::Pause)), 10, 1), Verdict::Stop);
    }

    #[test]
    fn later_failures_end_it_only_where_that_was_asked() {
        let of = |percent, done, failed| {
            let options = ChangeOptions { stop_above_percent: percent, ..ChangeOptions::default() };
            fails(&record(ChangeVerb::Cancel, options, done, failed, 9).set)
        };
        assert!(!of(None, 1, 99));
        assert!(!of(Some(50), 0, 9), "nine items say nothing yet");
        assert!(of(Some(50), 4, 6));
        assert!(!of(Some(50), 5, 5));
    }
}
