//! The plans of the hot statements on SQLite: they use the indexes they were written for, whatever else changes.

use crate::support;
use stella_ledger::claims::{CHOOSE, TAKE};
use stella_ledger::leases::{FINISH, NEXT_DUE, OVERDUE};
use stella_ledger::{LedgerError, Tx};

async fn plan(tx: &mut Tx, text: &'static str) -> Result<String, LedgerError> {
    let text = sqlx::AssertSqlSafe(format!("explain query plan {text}"));
    let steps: Vec<(i64, i64, i64, String)> = match &mut tx.connection {
        stella_ledger::db::Connection::Sqlite(open) => sqlx::query_as(text).fetch_all(&mut **open).await?,
        stella_ledger::db::Connection::Postgres(_) => Vec::new(),
    };
    Ok(steps.into_iter().map(|step| step.3).collect::<Vec<_>>().join("\n"))
}

async fn plan_of(text: &'static str) -> String {
    let exam = support::sqlite().await;
    exam.write(move |tx| Box::pin(async move { plan(tx, text).await })).await
}

#[tokio::test]
async fn a_claim_jumps_through_the_ready_index_and_never_scans_jobs() {
    let plan = plan_of(CHOOSE.sqlite).await;
    assert!(plan.contains("jobs_ready"), "{plan}");
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
