//! The plans of the hot statements: they use the indexes they were written for, whatever else changes.

use crate::support;
use stella_contract::finding::Severity;
use stella_contract::run::{RunErrorCode, RunState, RunTrigger};
use stella_ledger::claims::{CHOOSE, TAKE};
use stella_ledger::edges::{WAIT, WAITING_ON};
use stella_ledger::leases::{FINISH, NEXT_DUE, OVERDUE};
use stella_ledger::runs::{self, Partial, Wanted};
use stella_ledger::{LedgerError, Tx};

async fn plan(tx: &mut Tx, text: &str) -> Result<String, LedgerError> {
    let text = sqlx::AssertSqlSafe(format!("explain query plan {text}"));
    let steps: Vec<(i64, i64, i64, String)> = match &mut tx.connection {
        stella_ledger::db::Connection::Sqlite(open) => sqlx::query_as(text).fetch_all(&mut **open).await?,
        stella_ledger::db::Connection::Postgres(_) => Vec::new(),
    };
    Ok(steps.into_iter().map(|step| step.3).collect::<Vec<_>>().join("\n"))
}

async fn plan_of(text: &str) -> String {
    let (exam, text) = (support::sqlite().await, text.to_owned());
    exam.write(move |tx| Box::pin(async move { plan(tx, &text).await })).await
}

#[tokio::test]
async fn a_claim_jumps_through_the_ready_index_and_never_scans_jobs() {
    let plan = plan_of(CHOOSE.sqlite).await;
    assert!(plan.contains("jobs_ready") && plan.contains("SEARCH workers USING INDEX"), "{plan}");
    assert!(
        !plan.contains("SCAN jobs") && !plan.contains("SCAN ready") && !plan.contains("SCAN below"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_claim_and_a_report_find_their_rows_by_key() {
    for text in [TAKE.sqlite, FINISH.sqlite] {
        let plan = plan_of(text).await;
        assert!(plan.contains("SEARCH jobs USING INTEGER PRIMARY KEY"), "{plan}");
        assert!(!plan.contains("SCAN jobs"), "{plan}");
    }
}

#[tokio::test]
async fn the_reaper_reads_held_jobs_only() {
    for text in [OVERDUE, NEXT_DUE] {
        let plan = plan_of(text).await;
        assert!(plan.contains("jobs_held"), "{plan}");
        assert!(!plan.contains("SCAN jobs\n") && !plan.ends_with("SCAN jobs"), "{plan}");
    }
}

#[tokio::test]
async fn a_list_of_runs_looks_at_the_index_of_its_states_and_at_the_rows_it_shows() {
    let failures = Wanted { states: vec![RunState::Error], partial: Partial::Too, ..Wanted::default() };
    let wishes = [
        Wanted { states: vec![RunState::Planning, RunState::Queued, RunState::Running], ..Wanted::default() },
        Wanted { error_code: Some(RunErrorCode::IndexStale), ..failures.clone() },
        Wanted { trigger: Some(RunTrigger::Cron), since: Some(support::NOW), ..Wanted::default() },
        Wanted {
            state: Some(RunState::Completed),
            new_of: Some(Severity::Critical.into()),
            ..Wanted::default()
        },
    ];
    let after = (support::NOW.0, "run:exam:20260101T000000Z:00000000".to_owned());
    for wanted in wishes {
        let tenant = support::tenant();
        let listed = runs::listing(&tenant, &wanted, Some(&after), 200).unwrap();
        for text in [listed.text(), runs::counting(&tenant, &wanted).unwrap().text()] {
            let plan = plan_of(text).await;
            let looks: Vec<&str> = plan.lines().filter(|line| line.contains(" runs ")).collect();
            let covered = looks.iter().filter(|line| line.contains("COVERING INDEX runs_by_state")).count();
            let by_key = looks.iter().filter(|line| line.contains("INTEGER PRIMARY KEY")).count();
            assert!(covered > 0 && covered + by_key == looks.len(), "{plan}");
        }
    }
    let none = Wanted { states: vec![RunState::Error], state: Some(RunState::Running), ..Wanted::default() };
    assert!(runs::listing(&support::tenant(), &none, None, 200).is_none(), "no run is in two states");
}

/// What Postgres would do when many jobs wait of which its statistics know nothing, the parameters being these.
async fn plan_with_old_statistics(text: &'static str, parameters: &[&str]) -> String {
    let exam = support::postgres().await;
    exam.insert((0..20).map(|_| exam.job("exam", 50, support::NOW)).collect()).await;
    exam.write(|tx| Box::pin(async move { tx.run("analyze").await })).await;
    for _ in 0..10 {
        let waiting = (0..1_000).map(|_| exam.waiting(support::NOW.plus_ms(86_400_000))).collect();
        exam.insert(waiting).await;
    }
    let mut text = text.to_owned();
    for (at, parameter) in parameters.iter().enumerate() {
        text = text.replace(&format!("${}", at + 1), parameter);
    }
    exam.write(move |tx| {
        Box::pin(async move {
            let text = sqlx::AssertSqlSafe(format!("explain {text}"));
            let steps: Vec<(String,)> = match &mut tx.connection {
                stella_ledger::db::Connection::Sqlite(_) => Vec::new(),
                stella_ledger::db::Connection::Postgres(open) => {
                    sqlx::query_as(text).fetch_all(&mut **open).await?
                }
            };
            Ok(steps.into_iter().map(|step| step.0).collect::<Vec<_>>().join("\n"))
        })
    })
    .await
}

#[tokio::test]
async fn a_million_jobs_that_are_not_due_do_not_slow_down_those_that_are() {
    for (text, parameters) in [
        (WAITING_ON.postgres, vec!["'[1, 2]'"]),
        (WAIT.postgres, vec![r#"'[{"key": 1, "why": "dependency"}]'"#]),
        (CHOOSE.postgres, vec![r#"'["exam"]'"#, "0", "100", "null", "'w'"]),
        (
            TAKE.postgres,
            vec![r#"'[{"key": 1, "lease_id": "l"}]'"#, r#"'["queued"]'"#, "0", "'w'", "null", "0"],
        ),
        (FINISH.postgres, vec![r#"'[{"key": 1}]'"#, r#"'["running"]'"#, "0"]),
    ] {
        let plan = plan_with_old_statistics(text, &parameters).await;
        assert!(plan.contains("jobs_pkey") || plan.contains("jobs_ready"), "{plan}");
        assert!(!plan.contains("jobs_waiting") && !plan.contains("Seq Scan on jobs"), "{plan}");
    }
}
