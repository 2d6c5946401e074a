//! What calls leave to be written at the end of their commit.

use crate::support::{Exam, NOW, tenant};
use std::sync::Arc;
use stella_contract::history::{Actor, GENESIS, HistoryEntry};
use stella_contract::ids::{EventId, JobId};
use stella_contract::job::Cause;
use stella_ledger::book::{Draft, Entry, Saying, Sealed, Tiding};
use stella_ledger::chains::{self, Tip};
use stella_ledger::history::About;
use stella_ledger::{Ledger, LedgerError, LedgerPlace, Query, Tx, feed, history};
use tokio::sync::Barrier;

pub(crate) fn draft(job_id: Option<&JobId>) -> Draft {
    Draft {
        job_id: job_id.cloned(),
        run_id: None,
        entity: "job",
        kind: "orch.job.queued".to_owned(),
        from_state: None,
        to_state: Some("queued"),
        attempt: Some(1),
        lease_epoch: Some(2),
        actor: Actor { subject: "exam".to_owned(), scopes: vec!["orch:read".to_owned()] },
        cause: Cause { reason: Some("a \"reason\" with ünïcode \u{1F600}".to_owned()), ticket: None },
        correlation_id: "exam".to_owned(),
        occurred_at: NOW,
        data: serde_json::json!({ "n": 1.5, "list": [null, true] }),
    }
}

/// The entry that [`seal`] makes of a [`draft`].
pub(crate) fn entry(seq: i64, job_id: Option<&JobId>) -> HistoryEntry {
    let draft = draft(job_id);
    let before = if seq == 1 { GENESIS.to_owned() } else { format!("h{}", seq - 1) };
    HistoryEntry {
        seq,
        event_id: EventId::from_uuid(&stella_ledger::key::uuid_of(seq.unsigned_abs(), 0, 0)),
        job_id: draft.job_id,
        run_id: draft.run_id,
        entity: draft.entity.to_owned(),
        kind: draft.kind,
        from_state: None,
        to_state: draft.to_state.map(str::to_owned),
        attempt: draft.attempt,
        lease_epoch: draft.lease_epoch,
        actor: draft.actor,
        reason: draft.cause.reason,
        ticket: draft.cause.ticket,
        correlation_id: draft.correlation_id,
        occurred_at: draft.occurred_at,
        data_digest: "d".to_owned(),
        data: draft.data,
        prev_hash: before,
        hash: format!("h{seq}"),
    }
}

fn seal(tip: &mut Tip, entries: Vec<Entry>) -> Result<Vec<Sealed>, LedgerError> {
    let sealed = entries.into_iter().map(|left| {
        tip.history_seq += 1;
        let made = entry(tip.history_seq, None);
        tip.last_hash.clone_from(&made.hash);
        let data = match &left.data {
            Saying::Value(value) => value.to_string().into(),
            Saying::Sealed { text, .. } => text.clone(),
        };
        Sealed {
            seq: made.seq,
            event_id: made.event_id.as_str().into(),
            data,
            data_digest: made.data_digest.into(),
            prev_hash: made.prev_hash.into(),
            hash: made.hash.into(),
            entry: left,
        }
    });
    Ok(sealed.collect())
}

fn tiding(id: &str) -> Tiding {
    Tiding {
        kind: "orch.job.queued".to_owned(),
        entity: "job",
        id: id.to_owned(),
        run_id: None,
        correlation_id: "exam".to_owned(),
        at: NOW,
        data: serde_json::json!({ "state": "queued" }),
    }
}

/// Leaves so many entries and events.
pub(crate) fn leave(tx: &mut Tx, jobs: Vec<Option<JobId>>, events: usize) {
    let entries = jobs.iter().map(|id| draft(id.as_ref()).into()).collect();
    let events = (0..events).map(|at| tiding(&at.to_string()).into()).collect();
    tx.leave(&tenant(), seal, entries, events);
}

async fn tip(ledger: &Ledger) -> Tip {
    let found: Result<Tip, LedgerError> =
        ledger.read(|tx| Box::pin(async move { chains::tip(tx, &tenant()).await })).await;
    found.expect("the read is sound")
}

async fn entries(ledger: &Ledger) -> Vec<HistoryEntry> {
    let found: Result<Vec<HistoryEntry>, LedgerError> = ledger
        .read(|tx| {
            Box::pin(async move { history::oldest(tx, &tenant(), &About::Everything, 0, 10_000).await })
        })
        .await;
    found.expect("the read is sound")
}

/// More than one statement holds, in sets of different sizes.
pub(crate) async fn long_pages(exam: Exam) {
    for (lines, events) in [(1, 0), (0, 1), (2, 1), (3, 70), (200, 5), (65, 64)] {
        exam.write(move |tx| {
            Box::pin(async move {
                leave(tx, vec![None; lines], events);
                Ok(())
            })
        })
        .await;
    }
    let (lines, events) = (1 + 2 + 3 + 200 + 65, 1 + 1 + 70 + 5 + 64);
    let expected = Tip { history_seq: lines, last_hash: format!("h{lines}"), feed_seq: events };
    assert_eq!(tip(&exam.ledger).await, expected);
    let found = entries(&exam.ledger).await;
    assert_eq!(found, (1..=lines).map(|seq| entry(seq, None)).collect::<Vec<_>>());
    let told: Result<_, LedgerError> =
        exam.ledger.read(|tx| Box::pin(async move { feed::since(tx, &tenant(), 0, 10_000).await })).await;
    let numbers: Vec<i64> = told.expect("the read is sound").iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events).collect::<Vec<_>>());
}

/// A call that fails leaves nothing, while its neighbours in the same commit do.
pub(crate) async fn neighbours(exam: Exam) {
    const CALLERS: usize = 32;
    let exam = Arc::new(exam);
    let barrier = Arc::new(Barrier::new(CALLERS));
    let mut callers = Vec::new();
    for at in 0..CALLERS {
        let (exam, barrier) = (exam.clone(), barrier.clone());
        callers.push(tokio::spawn(async move {
            barrier.wait().await;
            let answer: Result<(), LedgerError> = exam
                .ledger
                .write(move |tx| {
                    Box::pin(async move {
                        leave(tx, vec![None; 2], 1);
                        if at % 2 == 0 { Err(LedgerError::Other("no".to_owned())) } else { Ok(()) }
                    })
                })
                .await;
            assert_eq!(answer.is_err(), at % 2 == 0);
        }));
    }
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    let found = entries(&exam.ledger).await;
    assert_eq!(found, (1..=32).map(|seq| entry(seq, None)).collect::<Vec<_>>());
    assert_eq!(tip(&exam.ledger).await.feed_seq, 16);
}

/// Two nodes of one Postgres write one chain; on SQLite one node is closed and another goes on.
pub(crate) async fn two_nodes(exam: Exam) {
    let one = |ledger: Ledger| async move {
        let done: Result<(), LedgerError> = ledger
            .write(|tx| {
                Box::pin(async move {
                    leave(tx, vec![None], 1);
                    Ok(())
                })
            })
            .await;
        done.expect("the write is sound");
    };
    one(exam.ledger.clone()).await;
    if matches!(exam.place, LedgerPlace::Sqlite(_)) {
        exam.ledger.close().await;
        let Exam { ledger, place, _folder, .. } = exam;
        drop(ledger);
        let second = Ledger::open(&place, |_| {}).await.expect("the file is free");
        one(second.clone()).await;
        assert_eq!(entries(&second).await, [entry(1, None), entry(2, None)]);
        return;
    }
    let second = Ledger::open(&exam.place, |_| {}).await.expect("a second node opens");
    for _ in 0..2 {
        one(second.clone()).await;
        one(exam.ledger.clone()).await;
    }
    assert_eq!(entries(&second).await, (1..=5).map(|seq| entry(seq, None)).collect::<Vec<_>>());
}

/// A page that the database refuses undoes the commit and is no part of the next one's chain.
pub(crate) async fn refused_page(exam: Exam) {
    let broken: Result<(), LedgerError> = exam
        .ledger
        .write(|tx| {
            Box::pin(async move {
                leave(tx, vec![None], 1);
                let twice: stella_ledger::book::Seal = |tip, entries| {
                    let mut sealed = seal(tip, entries)?;
                    let again = sealed.clone();
                    sealed.extend(again);
                    Ok(sealed)
                };
                tx.leave(&"other".parse().expect("a name"), twice, vec![draft(None).into()], Vec::new());
                Ok(())
            })
        })
        .await;
    assert!(broken.is_err(), "one number was given twice");
    assert_eq!(tip(&exam.ledger).await, Tip::default());
    exam.write(|tx| {
        Box::pin(async move {
            leave(tx, vec![None], 1);
            Ok(())
        })
    })
    .await;
    assert_eq!(entries(&exam.ledger).await, [entry(1, None)]);
}

pub(crate) async fn history_is_kept(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            leave(tx, vec![None], 0);
            Ok(())
        })
    })
    .await;
    for text in ["update history set hash = 'x'", "delete from history", "update history set reason = null"] {
        let answer: Result<(), LedgerError> =
            exam.ledger.write(move |tx| Box::pin(async move { tx.run(text).await })).await;
        let said = answer.expect_err("the database refuses it").to_string();
        assert!(said.contains("append-only"), "{said}");
    }
    let kept: Result<i64, LedgerError> = exam
        .ledger
        .read(|tx| {
            Box::pin(async move {
                Query::new("select count(*) from history where hash = 'h1'").fetch_count(tx).await
            })
        })
        .await;
    assert_eq!(kept.expect("the count is sound"), 1);
}

pub(crate) async fn feed_is_trimmed(exam: Exam) {
    exam.write(|tx| {
        Box::pin(async move {
            leave(tx, Vec::new(), 12);
            Ok(())
        })
    })
    .await;
    let (forgotten, left, oldest) = exam
        .write(|tx| {
            Box::pin(async move {
                let forgotten = feed::trim(tx, &tenant(), 5).await?;
                let left = feed::since(tx, &tenant(), 8, 2).await?;
                Ok((forgotten, left, feed::oldest(tx, &tenant()).await?))
            })
        })
        .await;
    assert_eq!((forgotten, oldest), (7, Some(8)));
    let told: Vec<(i64, &str)> = left.iter().map(|event| (event.seq, event.id.as_str())).collect();
    assert_eq!(told, [(9, "8"), (10, "9")]);
}

pub(crate) async fn history_pages(exam: Exam) {
    let id = JobId::from_uuid(&exam.uuid());
    let jobs: Vec<Option<JobId>> = (1..=9).map(|seq| (seq % 2 == 1).then(|| id.clone())).collect();
    let entries: Vec<HistoryEntry> = (1..).zip(&jobs).map(|(seq, id)| entry(seq, id.as_ref())).collect();
    exam.write(move |tx| {
        Box::pin(async move {
            leave(tx, jobs, 0);
            Ok(())
        })
    })
    .await;
    type Found = (Vec<HistoryEntry>, Vec<HistoryEntry>, Option<i64>);
    let found: Result<Found, LedgerError> = exam
        .ledger
        .read(move |tx| {
            Box::pin(async move {
                let about = About::Job(id);
                let newest = history::newest(tx, &tenant(), &about, Some(7), 2).await?;
                let oldest = history::oldest(tx, &tenant(), &About::Everything, 6, 2).await?;
                Ok((newest, oldest, history::total(tx, &tenant(), &about).await?))
            })
        })
        .await;
    let (newest, oldest, count) = found.expect("the read is sound");
    assert_eq!(newest, [entries[4].clone(), entries[2].clone()]);
    assert_eq!(oldest, [entries[6].clone(), entries[7].clone()]);
    assert_eq!(count, Some(5));
}
