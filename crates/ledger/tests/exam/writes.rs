//! Transactions: together or not at all, each call for itself.

use crate::support::{Exam, NOW, tenant};
use std::sync::Arc;
use stella_contract::artifact::Artifact;
use stella_contract::ids::{ArtifactId, JobId, WorkerId};
use stella_contract::worker::WorkerWish;
use stella_ledger::jobs::{JobKey, NewJob};
use stella_ledger::mutes::{self, MuteRow};
use stella_ledger::workers::WorkerRecord;
use stella_ledger::{LedgerError, News, Query, artifacts, jobs, workers};
use tokio::sync::Barrier;

async fn count(exam: &Exam, text: &'static str) -> i64 {
    let found: Result<i64, LedgerError> =
        exam.ledger.read(move |tx| Box::pin(async move { Query::new(text).fetch_count(tx).await })).await;
    found.expect("the count is sound")
}

pub(crate) async fn neighbours(exam: Exam) {
    const CALLERS: usize = 32;
    let exam = Arc::new(exam);
    let barrier = Arc::new(Barrier::new(CALLERS));
    let mut callers = Vec::new();
    for at in 0..CALLERS {
        let (exam, barrier) = (exam.clone(), barrier.clone());
        callers.push(tokio::spawn(async move {
            let job = exam.job("exam", 50, NOW);
            barrier.wait().await;
            let answer: Result<usize, LedgerError> = exam
                .ledger
                .write(move |tx| {
                    Box::pin(async move {
                        jobs::insert_many(tx, std::slice::from_ref(&job)).await?;
                        match at % 4 {
                            // A refusal of ours, and one of the database's.
                            0 => Err(LedgerError::Other("no".to_owned())),
                            1 => jobs::insert_many(tx, &[job]).await.map(|()| at),
                            _ => Ok(at),
                        }
                    })
                })
                .await;
            (at, answer)
        }));
    }
    for caller in callers {
        let (at, answer) = caller.await.expect("no caller panics");
        match at % 4 {
            0 => assert_eq!(answer, Err(LedgerError::Other("no".to_owned()))),
            1 => assert!(matches!(answer, Err(LedgerError::Unique(_))), "{answer:?}"),
            _ => assert_eq!(answer, Ok(at)),
        }
    }
    assert_eq!(count(&exam, "select count(*) from jobs").await, 16);
}

pub(crate) async fn one_key(exam: Exam) {
    let keyed = |key: &str, job_type: &str| NewJob {
        idempotency_key: Some(key.to_owned()),
        ..exam.job(job_type, 50, NOW)
    };
    let first = keyed("k", "exam");
    let id = first.job_id.clone();
    exam.insert(vec![first, keyed("k", "other"), keyed("l", "exam")]).await;
    exam.insert(vec![exam.job("exam", 50, NOW), exam.job("exam", 50, NOW)]).await;
    let again = keyed("k", "exam");
    let answer: Result<(), LedgerError> =
        exam.ledger.write(move |tx| Box::pin(async move { jobs::insert_many(tx, &[again]).await })).await;
    assert!(matches!(answer, Err(LedgerError::Unique(_))), "{answer:?}");
    let key = |job_type: &str, key: &str| JobKey {
        tenant: tenant(),
        job_type: job_type.to_owned(),
        idempotency_key: key.to_owned(),
    };
    let keys = [key("exam", "k"), key("exam", "m"), key("third", "k")];
    let found = exam.write(move |tx| Box::pin(async move { jobs::by_idempotency(tx, &keys).await })).await;
    let found: Vec<_> = found.into_iter().map(|one| (one.job.job_id, one.job.idempotency_key)).collect();
    assert_eq!(found, [(id, "k".to_owned())]);
}

pub(crate) async fn snapshot(exam: Exam) {
    exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    let exam = Arc::new(exam);
    let (writer, text) = (exam.clone(), "select count(*) from jobs");
    let counts: Result<(i64, i64), LedgerError> = exam
        .ledger
        .read(move |tx| {
            Box::pin(async move {
                let before = Query::new(text).fetch_count(tx).await?;
                writer.insert(vec![writer.job("exam", 50, NOW)]).await;
                Ok((before, Query::new(text).fetch_count(tx).await?))
            })
        })
        .await;
    assert_eq!(counts, Ok((1, 1)));
    assert_eq!(count(&exam, text).await, 2);
}

pub(crate) async fn news(exam: Exam) {
    let told = || std::mem::take(&mut *exam.news.lock().expect("nobody panics with it"));
    exam.insert(vec![exam.waiting(NOW)]).await;
    assert_eq!(told(), [News { work: true, ..News::default() }]);
    exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    assert_eq!(told(), [News { ready: true, work: true, feed: false }]);
    let job = exam.job("exam", 50, NOW);
    let answer: Result<(), LedgerError> = exam
        .ledger
        .write(move |tx| {
            Box::pin(async move {
                jobs::insert_many(tx, &[job]).await?;
                Err(LedgerError::Other("no".to_owned()))
            })
        })
        .await;
    assert!(answer.is_err());
    assert_eq!(told(), []);
}

pub(crate) async fn panics(exam: Exam) {
    let job = exam.job("exam", 50, NOW);
    let answer: Result<(), LedgerError> = exam
        .ledger
        .write(move |tx| {
            Box::pin(async move {
                jobs::insert_many(tx, &[job]).await?;
                panic!("a fault of ours")
            })
        })
        .await;
    assert!(matches!(answer, Err(LedgerError::Other(_))), "{answer:?}");
    exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    assert_eq!(count(&exam, "select count(*) from jobs").await, 1);
}

pub(crate) async fn ended_by_the_database(exam: Exam) {
    for ends_well in [false, true] {
        let job = exam.job("exam", 50, NOW);
        let answer: Result<(), LedgerError> = exam
            .ledger
            .write(move |tx| {
                Box::pin(async move {
                    jobs::insert_many(tx, &[job]).await?;
                    // What SQLite does by itself when the disk is full.
                    tx.run("rollback").await?;
                    if ends_well { Ok(()) } else { Err(LedgerError::NoSpace) }
                })
            })
            .await;
        if !ends_well {
            assert_eq!(answer, Err(LedgerError::NoSpace));
        }
        exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    }
    assert_eq!(count(&exam, "select count(*) from jobs").await, 2);
}

pub(crate) async fn mutes_last(exam: Exam) {
    let row = |fingerprint: &str, until: Option<i64>| MuteRow {
        tenant: tenant().as_str().to_owned(),
        fingerprint: fingerprint.to_owned(),
        until,
        reason: Some("known".to_owned()),
        ticket: None,
        muted_by: "ada".to_owned(),
        muted_at: NOW.0,
    };
    let rows = [row("b", None), row("a", Some(NOW.0)), row("c", Some(NOW.0 + 2)), row("c", Some(NOW.0 + 1))];
    let (given, expected) = (rows.clone(), vec![rows[0].clone(), rows[3].clone()]);
    let found = exam
        .write(move |tx| {
            Box::pin(async move {
                for row in &given {
                    mutes::put(tx, row).await?;
                }
                let found = mutes::in_force(tx, tenant().as_str(), NOW.0).await?;
                assert_eq!(mutes::in_force(tx, "other", NOW.0).await?, []);
                assert!(!mutes::remove(tx, "other", "b").await?);
                assert!(mutes::remove(tx, tenant().as_str(), "b").await?);
                assert_eq!(mutes::in_force(tx, tenant().as_str(), NOW.0 + 1).await?, []);
                Ok(found)
            })
        })
        .await;
    assert_eq!(found, expected);
}

pub(crate) async fn workers_and_artifacts(exam: Exam) {
    let worker = WorkerRecord {
        worker_id: WorkerId::from_uuid(&exam.uuid()),
        tenant: Some(tenant()),
        name: "local".to_owned(),
        version: "1".to_owned(),
        sdk: Some("rust/1".to_owned()),
        hostname: "h".to_owned(),
        job_types: vec!["exam".to_owned()],
        concurrency: 2,
        task_runner_id: Some("runner-1".to_owned()),
        wish: WorkerWish::Work,
        wish_reason: None,
        started_at: NOW,
        last_heartbeat_at: NOW,
        in_flight: 0,
    };
    let job_id = JobId::from_uuid(&exam.uuid());
    let artifact = |name: &str| Artifact {
        artifact_id: ArtifactId::from_uuid(&exam.uuid()),
        job_id: job_id.clone(),
        run_id: None,
        name: name.to_owned(),
        kind: "report".to_owned(),
        media_type: "text/plain".to_owned(),
        size_bytes: 3,
        digest: format!("sha256:{name}"),
        created_at: NOW,
    };
    let (b, a) = (artifact("b"), artifact("a"));
    let (written, given, wanted) = (worker.clone(), [b.clone(), a.clone()], job_id.clone());
    let (listed, left, one) = exam
        .write(move |tx| {
            Box::pin(async move {
                workers::put(tx, &written).await?;
                workers::wish(tx, &written.worker_id, WorkerWish::Drain, Some("update")).await?;
                workers::beat(tx, &written.worker_id, NOW.plus_ms(1)).await?;
                artifacts::insert_many(tx, &tenant(), &given).await?;
                let left = artifacts::of_job(tx, &tenant(), &wanted).await?;
                let one = artifacts::by_digest(tx, &tenant(), "sha256:b").await?;
                assert_eq!(workers::list(tx, "other", NOW).await?, []);
                let same = workers::get(tx, &written.worker_id).await?;
                let listed = workers::list(tx, tenant().as_str(), NOW).await?;
                assert_eq!(same.as_slice(), listed);
                Ok((listed, left, one))
            })
        })
        .await;
    let drained = WorkerRecord {
        wish: WorkerWish::Drain,
        wish_reason: Some("update".to_owned()),
        last_heartbeat_at: NOW.plus_ms(1),
        ..worker
    };
    assert_eq!(listed, [drained]);
    assert_eq!(left, [a, b.clone()]);
    assert_eq!(one, Some(b));
}

/// Somebody closes a page while its first read begins.
pub(crate) async fn given_up(exam: Exam) {
    for waits in 0..40 {
        let mut read = Box::pin(exam.ledger.read::<_, LedgerError, _>(|tx| {
            Box::pin(async move { stella_ledger::runs::last_beat(tx).await })
        }));
        let mut polled = 0;
        std::future::poll_fn(|context| {
            polled += 1;
            match polled > waits % 5 || read.as_mut().poll(context).is_ready() {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
        drop(read);
        let ledger = exam.ledger.clone();
        let written = ledger.write::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { stella_ledger::runs::beat(tx, "planner", "all", NOW).await })
        });
        written.await.expect("the connection can be written on");
    }
}
