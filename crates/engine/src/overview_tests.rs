use super::*;
use stella_ledger::overview::InputRow;

const NOW: Micros = Micros(1_795_251_600_000_000);

fn state(job_type: &str, state: &str, jobs: i64, oldest_queued_at: Option<i64>) -> StateRow {
    StateRow { job_type: job_type.to_owned(), state: state.to_owned(), jobs, oldest_queued_at }
}

fn wait(job_type: &str, reason: &str, jobs: i64, next_eligible_at: Option<i64>) -> WaitRow {
    WaitRow { job_type: job_type.to_owned(), wait_reason: reason.to_owned(), jobs, next_eligible_at }
}

#[test]
fn the_figures_add_up_by_state_by_type_and_by_reason() {
    let snapshot = Snapshot {
        waiting: vec![
            wait("ingest.kev", "backoff", 2, Some(70)),
            wait("scan.segment", "backoff", 3, Some(50)),
            wait("scan.segment", "not_before", 9, None),
        ],
        active: vec![
            state("scan.segment", "queued", 4, Some(11)),
            state("ingest.kev", "queued", 1, Some(10)),
            state("scan.segment", "leased", 1, Some(1)),
            state("scan.segment", "running", 2, Some(2)),
        ],
        ended: vec![
            state("scan.segment", "succeeded", 40, None),
            state("scan.segment", "failed", 1, None),
            state("ingest.kev", "timed_out", 2, None),
            state("ingest.kev", "cancelled", 5, None),
        ],
        ..Snapshot::default()
    };
    let figures = figures(&snapshot, NOW).unwrap();
    let jobs = JobFigures {
        pending: 14,
        queued: 5,
        leased: 1,
        running: 2,
        succeeded_24h: 40,
        failed_24h: 3,
        oldest_queued_at: Some(Micros(10)),
    };
    assert_eq!(figures.jobs, jobs);
    let reasons: Vec<_> = figures
        .waiting
        .iter()
        .map(|count| (count.reason.as_str(), count.count, count.next_eligible_at.map(|at| at.0)))
        .collect();
    assert_eq!(reasons, [("not_before", 9, None), ("backoff", 5, Some(50))]);
    let types: Vec<_> = figures
        .by_type
        .iter()
        .map(|one| (one.job_type.as_str(), one.waiting, one.active, one.succeeded_24h, one.failed_24h))
        .collect();
    assert_eq!(types, [("scan.segment", 16, 3, 40, 1), ("ingest.kev", 3, 0, 0, 2)]);
}

#[test]
fn runs_and_inputs_are_told_as_counted() {
    let snapshot = Snapshot {
        open_runs: vec![
            OpenRunRow { state: "planning".to_owned(), runs: 1, backlog: 0 },
            OpenRunRow { state: "running".to_owned(), runs: 2, backlog: 30 },
        ],
        ended_runs: vec![
            EndedRunRow {
                state: "completed".to_owned(),
                runs: 3,
                new_findings: 7,
                kev_added: 1,
                kev_removed: 0,
            },
            EndedRunRow { state: "error".to_owned(), runs: 1, new_findings: 1, kev_added: 0, kev_removed: 2 },
            EndedRunRow {
                state: "cancelled".to_owned(),
                runs: 9,
                new_findings: 0,
                kev_added: 0,
                kev_removed: 0,
            },
        ],
        inputs: InputRow { sources: 2, advisories: 900, index_built_at: Some(5), ..InputRow::default() },
        ingest_reports: vec![
            r#"{"added":3,"changed":2}"#.to_owned(),
            "of another make".to_owned(),
            r#"{"added":1}"#.to_owned(),
        ],
        ..Snapshot::default()
    };
    let figures = figures(&snapshot, NOW).unwrap();
    let runs = RunFigures {
        planning: 1,
        running: 2,
        completed_24h: 3,
        error_24h: 1,
        new_findings_24h: 8,
        kev_added_24h: 1,
        kev_removed_24h: 2,
        executor_backlog: 30,
        ..RunFigures::default()
    };
    assert_eq!(figures.runs, runs);
    assert_eq!((figures.inputs.sources, figures.inputs.advisories), (2, 900));
    assert_eq!(figures.inputs.advisories_last_hour, 6);
    assert_eq!(figures.inputs.index_built_at, Some(Micros(5)));
}

#[test]
fn a_word_that_no_version_of_ours_wrote_is_corrupt_and_not_left_out() {
    let snapshot = Snapshot { active: vec![state("a", "asleep", 1, None)], ..Snapshot::default() };
    assert!(matches!(
        figures(&snapshot, NOW),
        Err(LedgerError::Corrupt { table: "jobs", column: "state", .. })
    ));
}
