//! Every state machine of the contract on one page: a reviewer sees any new arrow as one added line.

use std::fmt::Write as _;
use stella_contract::edge::EdgeKind;
use stella_contract::job::JobState;
use stella_contract::worker::{WorkerState, WorkerWish};
use stella_contract::{backfill, breaker, change_set, dead_letter, incident, job, run, segment};

/// The arrows of one machine, in the order of its states.
macro_rules! table {
    ($page:ident, $title:literal, $states:ty, $events:ty, $next:expr) => {
        writeln!($page, "{}", $title).unwrap();
        for state in <$states>::ALL {
            let arrows: Vec<String> = <$events>::ALL
                .iter()
                .filter_map(|event| Some(format!("--{event}--> {}", $next(*state, *event).ok()?)))
                .collect();
            if arrows.is_empty() {
                writeln!($page, "  {state}: final").unwrap();
            }
            for arrow in arrows {
                writeln!($page, "  {state} {arrow}").unwrap();
            }
        }
    };
}

#[test]
fn the_arrows_of_every_machine_are_these_and_no_others() {
    let mut page = String::new();
    table!(page, "job", job::JobState, job::JobEvent, job::next);
    table!(page, "run", run::RunState, run::RunEvent, run::next);
    table!(page, "segment", segment::SegmentState, segment::SegmentEvent, segment::next);
    table!(page, "backfill", backfill::BackfillState, backfill::BackfillEvent, backfill::next);
    table!(page, "window of a backfill", backfill::WindowState, backfill::WindowEvent, backfill::next_window);
    table!(page, "breaker", breaker::BreakerState, breaker::BreakerEvent, breaker::next);
    table!(
        page,
        "dead letter",
        dead_letter::DeadLetterState,
        dead_letter::DeadLetterEvent,
        dead_letter::next
    );
    table!(page, "incident", incident::IncidentState, incident::IncidentEvent, incident::next);
    table!(page, "change-set", change_set::ChangeSetState, change_set::ChangeSetEvent, change_set::next);
    insta::assert_snapshot!(page);
}

/// What follows from the rest and is stored nowhere.
#[test]
fn what_is_judged_anew_at_every_look_is_judged_so() {
    let mut page = String::new();
    writeln!(page, "worker, by what is wanted of it and the seconds of its silence").unwrap();
    for wish in WorkerWish::ALL {
        for silent_s in [0, 45, 46, 90, 91] {
            let state = WorkerState::judge(silent_s * 1_000, *wish);
            writeln!(page, "  {wish} {silent_s}: {state}").unwrap();
        }
    }
    writeln!(page, "dead letter as a whole, by open entries").unwrap();
    for open in [0, 1, 10, 11, 50, 51] {
        writeln!(page, "  {open}: {}", dead_letter::DeadLetterHealth::judge(open)).unwrap();
    }
    writeln!(page, "edge, by its kind and the upstream job").unwrap();
    for kind in EdgeKind::ALL {
        for state in JobState::ALL {
            let verdict = match (kind.is_satisfied_by(*state), kind.is_missed_by(*state)) {
                (true, _) => "satisfied",
                (false, true) => "missed",
                (false, false) => "open",
            };
            writeln!(page, "  {kind} {state}: {verdict}").unwrap();
        }
    }
    insta::assert_snapshot!(page);
}
