//! Who gets which job.

use crate::support::{Exam, NOW};
use std::collections::BTreeSet;
use std::sync::Arc;
use stella_contract::ids::JobId;
use stella_contract::time::Micros;
use stella_ledger::claims;
use stella_ledger::jobs::NewJob;
use stella_ledger::{Ledger, LedgerError, LedgerPlace};
use tokio::sync::Barrier;

/// The order of spec 01 §1.3, said once more and plainly.
fn expected(jobs: &[NewJob], now: Micros) -> Vec<JobId> {
    let mut order: Vec<&NewJob> = jobs.iter().collect();
    order.sort_by_key(|job| {
        let minutes = now.ms_since(job.created_at) / 60_000;
        let urgency = i64::from(job.priority) + minutes.clamp(0, 20);
        (-urgency, job.created_at, stella_ledger::key_of(&job.job_id))
    });
    order.into_iter().map(|job| job.job_id.clone()).collect()
}

pub(crate) async fn the_order(exam: Exam) {
    let now = NOW.plus_ms(3_600_000);
    let ago = |ms: i64| now.minus_ms(ms);
    let mut new = Vec::new();
    for (priority, age_ms) in [
        // Old enough to be aged past others, at the edge of a minute, beyond the cap, equal, and from the future.
        (50, 0),
        (50, 0),
        (51, 0),
        (25, 1_560_000),
        (30, 1_200_000),
        (31, 1_199_999),
        (49, 60_000),
        (49, 59_999),
        (50, 3_000_000),
        (70, 0),
        (0, 3_600_000),
        (100, 0),
        (100, -5_000),
        (20, 90_000_000),
    ] {
        new.push(exam.job("exam", priority, ago(age_ms)));
    }
    let order = expected(&new, now);
    exam.insert(new).await;
    let mut got = Vec::new();
    for n in [1, 3, 2, 5, 1, 9] {
        got.extend(exam.claim(&["exam"], n, now).await.into_iter().map(|record| record.job.job_id));
    }
    assert_eq!(got, order);
    assert_eq!(exam.claim(&["exam"], 1, now).await, []);
}

pub(crate) async fn only_these_types(exam: Exam) {
    let jobs = vec![
        exam.job("scan.segment", 50, NOW),
        exam.job("ingest.kev", 90, NOW),
        exam.job("pack-run", 100, NOW),
        exam.job("scan.segment", 95, NOW),
    ];
    let ids: Vec<JobId> = jobs.iter().map(|job| job.job_id.clone()).collect();
    exam.insert(jobs).await;
    let got = exam.claim(&["ingest.kev", "scan.segment", "nothing"], 10, NOW).await;
    let got: Vec<JobId> = got.into_iter().map(|record| record.job.job_id).collect();
    assert_eq!(got, [ids[3].clone(), ids[1].clone(), ids[0].clone()]);
}

pub(crate) async fn no_job_twice(exam: Exam) {
    const JOBS: usize = 60;
    exam.insert((0..JOBS).map(|_| exam.job("exam", 50, NOW)).collect()).await;
    // On Postgres the second claimer is another node; a SQLite file has one holder, whose callers meet in the writer.
    let other: Ledger = match &exam.place {
        LedgerPlace::Sqlite(_) => exam.ledger.clone(),
        LedgerPlace::Postgres(_) => Ledger::open(&exam.place, |_| {}).await.expect("a second node opens"),
    };
    let exam = Arc::new(exam);
    let barrier = Arc::new(Barrier::new(2));
    let mut claimers = Vec::new();
    for ledger in [exam.ledger.clone(), other] {
        let (exam, barrier) = (exam.clone(), barrier.clone());
        claimers.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claim = exam.claim_of(&["exam"], 4, NOW);
                barrier.wait().await;
                let got = ledger
                    .write(move |tx| Box::pin(async move { claims::claim(tx, &claim).await }))
                    .await
                    .expect("a claim does not fail");
                mine.extend(got.into_iter().map(|record| (record.job.job_id, record.job.lease_epoch)));
                barrier.wait().await;
                // Both have committed and see the same, so that nobody waits alone.
                if nothing_is_left(&ledger).await {
                    return mine;
                }
            }
        }));
    }
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.expect("no claimer panics"));
    }
    assert!(all.iter().all(|(_, epoch)| *epoch == 1), "{all:?}");
    let distinct: BTreeSet<&JobId> = all.iter().map(|(id, _)| id).collect();
    assert_eq!((all.len(), distinct.len()), (JOBS, JOBS));
}

/// Whether there is nothing to claim for anybody.
async fn nothing_is_left(ledger: &Ledger) -> bool {
    let left: Result<i64, LedgerError> = ledger
        .read(|tx| {
            Box::pin(async move {
                let query = stella_ledger::Query::new("select count(*) from jobs where state = 'queued'");
                query.fetch_count(tx).await
            })
        })
        .await;
    left == Ok(0)
}

pub(crate) async fn payloads(exam: Exam) {
    let mut new = Vec::new();
    for size in [0, 1_000, 1_024, 1_025, 60_000] {
        let mut job = exam.job("exam", 50, NOW);
        job.payload = Some("x".repeat(size));
        new.push(job);
    }
    // One whose payload lies in the blobs.
    new.push(NewJob { payload: None, ..exam.job("exam", 50, NOW) });
    let sizes: Vec<Option<usize>> = new.iter().map(|job| job.payload.as_ref().map(String::len)).collect();
    exam.insert(new).await;
    let got = exam.claim(&["exam"], 10, NOW).await;
    let got: Vec<Option<usize>> = got.iter().map(|job| job.payload.as_ref().map(String::len)).collect();
    assert_eq!(got, sizes);
}
