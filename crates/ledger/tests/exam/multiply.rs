//! A large ledger made of a small one: every copy is a job like any other.

use crate::support::{self, NOW, tenant};
use stella_contract::job::JobState;
use stella_ledger::listing::{self, Wanted};
use stella_ledger::{LedgerError, jobs, key_of, multiply};

#[tokio::test]
async fn ended_jobs_are_there_many_times_and_each_is_found_by_its_id() {
    let exam = support::sqlite().await;
    let new = vec![exam.job("exam", 50, NOW), exam.job("exam", 50, NOW)];
    let ended = key_of(&new[0].job_id);
    exam.insert(new).await;
    exam.write(move |tx| Box::pin(async move { jobs::cancel_many(tx, &[ended], NOW).await })).await;
    let added = multiply::jobs(&exam.ledger, 5).await.expect("the ledger is one of SQLite");
    assert_eq!(added, 4);
    let found: Result<_, LedgerError> = exam
        .ledger
        .read(|tx| {
            Box::pin(async move {
                let all = listing::newest(tx, &tenant(), &Wanted::default(), 50).await?;
                for record in &all {
                    let again = jobs::get(tx, &tenant(), &record.job.job_id).await?;
                    assert_eq!(again.as_ref(), Some(record));
                }
                Ok(all)
            })
        })
        .await;
    let found = found.expect("the read is sound");
    assert_eq!(found.iter().filter(|record| record.job.state == JobState::Cancelled).count(), 5);
    assert_eq!(found.len(), 6);
}
