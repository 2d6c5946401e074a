//! What a lease holder may change, and what it may not.

use crate::support::{Exam, NOW, fence, tenant};
use stella_contract::ids::{JobId, LeaseId};
use stella_contract::job::{ErrorClass, JobEvent, JobState, WaitReason, next};
use stella_contract::time::Micros;
use stella_ledger::claims;
use stella_ledger::jobs::{self, Hold, NewJob};
use stella_ledger::leases::{self, AttemptError, Beat, Due, Fence, Finish, Progress, Release};
use stella_ledger::record::JobRecord;
use stella_ledger::{LedgerError, Query, Tx};

/// Puts a row into a state, past every guard.
async fn force(tx: &mut Tx, key: i64, lease: &LeaseId, state: JobState) -> Result<(), LedgerError> {
    let held = matches!(state, JobState::Leased | JobState::Running);
    let mut query = Query::new("update jobs set state = ");
    query.bind(state.as_str());
    query.push(", wait_reason = ").bind((state == JobState::Pending).then(|| "backoff".to_owned()));
    query.push(", lease_until = ").bind(held.then_some(NOW.0));
    query.push(", lease_id = ").bind(lease.as_str());
    query.push(", worker_id = ").bind("wrk_01890000-0000-7000-8000-000000000000");
    query.push(", lease_epoch = 1, queued_at = ").bind(NOW.0).push(" where key = ").bind(key);
    query.execute(tx).await.map(|_| ())
}

fn finish(fence: &Fence, to: JobState) -> Finish {
    let waits = to == JobState::Pending;
    Finish {
        fence: fence.clone(),
        to,
        wait_reason: waits.then_some(WaitReason::Backoff),
        next_eligible_at: waits.then_some(NOW),
        error: None,
        outputs_hash: None,
    }
}

/// Runs the verb of an event on one job; the rows it changed.
async fn verb(tx: &mut Tx, event: JobEvent, fence: &Fence) -> Result<Vec<JobRecord>, LedgerError> {
    let key = stella_ledger::key_of(&fence.job_id);
    let fences = [fence.clone()];
    let ended = |to| [finish(fence, to)];
    Ok(match event {
        JobEvent::Queue => jobs::queue_many(tx, &[key], NOW).await?,
        JobEvent::Hold => {
            let hold = Hold { key, wait_reason: WaitReason::Paused, next_eligible_at: None };
            jobs::hold_many(tx, &[hold]).await?
        }
        JobEvent::Claim => {
            let claim = claims::Claim {
                job_types: vec!["exam".to_owned()],
                worker_id: "wrk_01890000-0000-7000-8000-000000000000".parse().expect("a sound id"),
                tenant: None,
                task_runner_id: None,
                chances: vec![7],
                lease_until: NOW,
                starts: false,
                now: NOW,
            };
            claims::claim(tx, &claim).await?
        }
        JobEvent::Ack => leases::ack_many(tx, &fences, NOW, NOW).await?.done,
        JobEvent::Release => {
            let release = Release { fence: fence.clone(), attempt: 0, ack_timeouts: 0 };
            leases::release_many(tx, &[release], NOW).await?.done
        }
        JobEvent::Heartbeat => {
            leases::extend_many(tx, &[Beat { fence: fence.clone(), progress: None }], NOW).await?.done
        }
        JobEvent::Complete => leases::finish_many(tx, event, &ended(JobState::Succeeded), NOW).await?.done,
        JobEvent::Retry => leases::finish_many(tx, event, &ended(JobState::Pending), NOW).await?.done,
        JobEvent::Fail => leases::finish_many(tx, event, &ended(JobState::Failed), NOW).await?.done,
        JobEvent::TimeOut => leases::finish_many(tx, event, &ended(JobState::TimedOut), NOW).await?.done,
        JobEvent::AskCancel => jobs::ask_cancel_many(tx, &[key], NOW).await?,
        JobEvent::Cancel => jobs::cancel_many(tx, &[key], NOW).await?,
        JobEvent::Skip => jobs::skip_many(tx, &[key], NOW).await?,
    })
}

pub(crate) async fn every_pair(exam: Exam) {
    for state in JobState::ALL {
        for event in JobEvent::ALL {
            let job = exam.job("exam", 50, NOW);
            let lease = LeaseId::from_uuid(&exam.uuid());
            let fence = Fence { job_id: job.job_id.clone(), lease_id: lease, lease_epoch: 1 };
            exam.insert(vec![job]).await;
            let (own, state, event) = (fence.clone(), *state, *event);
            let changed = exam
                .write(move |tx| {
                    Box::pin(async move {
                        force(tx, stella_ledger::key_of(&own.job_id), &own.lease_id, state).await?;
                        verb(tx, event, &own).await
                    })
                })
                .await;
            let after = exam.get(&fence.job_id).await.job.state;
            match next(state, event) {
                Ok(to) => assert_eq!((changed.len(), after), (1, to), "{state} --{event}-->"),
                Err(_) => assert_eq!((changed.len(), after), (0, state), "{state} --{event}-->"),
            }
            // Nothing may be left for the next pair to claim.
            exam.write(move |tx| {
                Box::pin(async move {
                    let key = stella_ledger::key_of(&fence.job_id);
                    force(tx, key, &fence.lease_id, JobState::Succeeded).await
                })
            })
            .await;
        }
    }
}

pub(crate) async fn late_report(exam: Exam) {
    let job = exam.job("exam", 50, NOW);
    let id = job.job_id.clone();
    exam.insert(vec![job]).await;
    let first = exam.start(NOW).await;
    let old = fence(&first);
    // The lease is lost, the job waits for its next attempt, and somebody else has it by now.
    let back = finish(&old, JobState::Pending);
    exam.write(move |tx| {
        Box::pin(async move {
            leases::finish_many(tx, JobEvent::Retry, &[back], NOW).await?;
            jobs::queue_many(tx, &[first.key], NOW).await
        })
    })
    .await;
    let second = exam.start(NOW.plus_ms(1_000)).await;
    let before = exam.get(&id).await;
    for event in [JobEvent::Complete, JobEvent::Fail, JobEvent::Heartbeat, JobEvent::Retry, JobEvent::TimeOut]
    {
        let own = old.clone();
        let changed = exam.write(move |tx| Box::pin(async move { verb(tx, event, &own).await })).await;
        assert_eq!(changed, [], "{event}");
    }
    // Not even with one half of the new fence.
    let half = Fence { lease_epoch: second.job.lease_epoch, ..old };
    let changed =
        exam.write(move |tx| Box::pin(async move { verb(tx, JobEvent::Complete, &half).await })).await;
    assert_eq!(changed, []);
    let after = exam.get(&id).await;
    assert_eq!(after, before);
    assert_eq!((after.job.lease_epoch, after.job.attempt), (2, 2));
}

pub(crate) async fn mixed_batch(exam: Exam) {
    exam.insert((0..3).map(|_| exam.job("exam", 50, NOW)).collect()).await;
    let (one, two, three) = (exam.start(NOW).await, exam.start(NOW).await, exam.start(NOW).await);
    let nobody = JobId::from_uuid(&exam.uuid());
    let lease = |other: &JobRecord| fence(other).lease_id;
    let batch = [
        fence(&one),
        Fence { lease_id: lease(&one), ..fence(&two) },
        Fence { job_id: nobody.clone(), ..fence(&one) },
        fence(&three),
    ];
    let batch: Vec<Finish> = batch.iter().map(|fence| finish(fence, JobState::Succeeded)).collect();
    let fenced = exam
        .write(move |tx| {
            Box::pin(async move { leases::finish_many(tx, JobEvent::Complete, &batch, NOW).await })
        })
        .await;
    let ids = |records: &[JobRecord]| records.iter().map(|record| record.key).collect::<Vec<_>>();
    assert_eq!(ids(&fenced.done), [one.key, three.key]);
    assert_eq!(ids(&fenced.lost), [two.key]);
    assert_eq!(fenced.unknown, [nobody]);
    assert_eq!(exam.get(&two.job.job_id).await.job.state, JobState::Running);
    let done = exam.get(&one.job.job_id).await.job;
    assert_eq!((done.progress, done.ended_at, done.lease_until), (1.0, Some(NOW), None));
}

async fn due(exam: &Exam) -> Due {
    let due: Result<Due, LedgerError> =
        exam.ledger.read(|tx| Box::pin(async move { leases::next_due(tx).await })).await;
    due.expect("the read is sound")
}

pub(crate) async fn overdue(exam: Exam) {
    let mut short = exam.job("exam", 60, NOW);
    short.timeout_s = 30;
    let claimed_only = exam.job("exam", 40, NOW);
    let jobs = vec![short, exam.job("exam", 50, NOW), claimed_only];
    exam.insert(jobs).await;
    assert_eq!(due(&exam).await, Due::default());
    let (short, long) = (exam.start(NOW).await, exam.start(NOW).await);
    let claimed = exam.claim(&["exam"], 1, NOW).await.pop().expect("a third job");
    let at = |ms: i64| Some(NOW.plus_ms(ms).0);
    let expected = Due {
        ack_by: at(15_000),
        lease_until: at(60_000),
        attempt_until: at(30_000),
        cancel_requested_at: None,
    };
    assert_eq!(due(&exam).await, expected);
    for (ms, grace_ms, overdue, overrun) in [
        (14_999, 5_000, vec![], vec![]),
        (15_000, 5_000, vec![claimed.key], vec![]),
        (30_000, 5_000, vec![claimed.key], vec![short.key]),
        (64_999, 5_000, vec![claimed.key], vec![short.key]),
        (65_000, 5_000, vec![claimed.key, short.key, long.key], vec![short.key]),
    ] {
        let now = NOW.plus_ms(ms);
        let found: Result<(Vec<JobRecord>, Vec<JobRecord>), LedgerError> = exam
            .ledger
            .read(move |tx| {
                Box::pin(async move {
                    let late = leases::overdue(tx, now, now.minus_ms(grace_ms), 10).await?;
                    Ok((late, leases::overrun(tx, now, 10).await?))
                })
            })
            .await;
        let (late, long) = found.expect("the read is sound");
        let keys = |records: Vec<JobRecord>| records.into_iter().map(|one| one.key).collect::<Vec<_>>();
        assert_eq!((keys(late), keys(long)), (overdue, overrun), "after {ms} ms");
    }
}

pub(crate) async fn heartbeat(exam: Exam) {
    exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    let record = exam.start(NOW).await;
    let beat = |progress| Beat { fence: fence(&record), progress };
    let beats = [
        (
            beat(Some(Progress { processed: 25, total: 100, message: Some("reading".to_owned()) })),
            0.25,
            25,
            Some("reading"),
        ),
        // A bare sign of life leaves what was told.
        (beat(None), 0.25, 25, Some("reading")),
        // A total that is not known says nothing about the share.
        (beat(Some(Progress { processed: 30, total: 0, message: None })), 0.25, 30, Some("reading")),
    ];
    for (at, (beat, progress, processed, message)) in beats.into_iter().enumerate() {
        let until = NOW.plus_ms(70_000 + i64::try_from(at).expect("small"));
        exam.write(move |tx| Box::pin(async move { leases::extend_many(tx, &[beat], until).await })).await;
        let job = exam.get(&record.job.job_id).await.job;
        assert_eq!((job.lease_until, job.progress, job.processed), (Some(until), progress, processed));
        assert_eq!(job.progress_message.as_deref(), message);
    }
    // An error of an attempt stays visible while the next one runs.
    let error = AttemptError {
        class: ErrorClass::Network,
        code: "X".to_owned(),
        message: "gone".to_owned(),
        status: Some(502),
        host: Some("a.example".to_owned()),
    };
    let back = Finish { error: Some(error), ..finish(&fence(&record), JobState::Pending) };
    exam.write(move |tx| {
        Box::pin(async move {
            leases::finish_many(tx, JobEvent::Retry, &[back], NOW).await?;
            jobs::queue_many(tx, &[record.key], Micros(NOW.0 + 1)).await
        })
    })
    .await;
    let again = exam.start(NOW.plus_ms(1)).await.job;
    assert_eq!((again.error_message.as_deref(), again.progress, again.processed), (Some("gone"), 0.0, 0));
    assert_eq!(again.tenant, tenant());
}

/// Fails a started job once, so that another attempt is at work, with progress of a third.
async fn at_work_again(exam: &Exam) -> JobRecord {
    let record = exam.start(NOW).await;
    let error = AttemptError {
        class: ErrorClass::Network,
        code: "X".to_owned(),
        message: "gone: \"é\u{1}\\\u{1f600}\"".to_owned(),
        status: Some(502),
        host: Some("a.example".to_owned()),
    };
    let back = Finish { error: Some(error), ..finish(&fence(&record), JobState::Pending) };
    exam.write(move |tx| {
        Box::pin(async move {
            leases::finish_many(tx, JobEvent::Retry, &[back], NOW).await?;
            jobs::queue_many(tx, &[record.key], NOW).await
        })
    })
    .await;
    let again = exam.start(NOW).await;
    let told = Progress { processed: 1, total: 3, message: Some("a \"third\"\n".to_owned()) };
    let beat = Beat { fence: fence(&again), progress: Some(told) };
    exam.write(move |tx| Box::pin(async move { leases::extend_many(tx, &[beat], NOW).await }))
        .await
        .done
        .remove(0)
}

/// What a hot statement hands out packed is what a plain one reads.
pub(crate) async fn packed(exam: Exam) {
    let text = "{\"text\":\"\\\"é\\u0001\"}";
    let new = NewJob {
        payload: Some(text.to_owned()),
        reason: Some("why \"not\"".to_owned()),
        ..exam.job("exam", 50, NOW)
    };
    exam.insert(vec![new]).await;
    let record = at_work_again(&exam).await;
    let plain = exam.write(|tx| Box::pin(async move { leases::overdue(tx, NOW, NOW, 10).await })).await;
    assert_eq!(plain, std::slice::from_ref(&record));
    assert_eq!(record.payload.as_deref(), Some(text));
    assert!((record.job.progress - 1.0 / 3.0).abs() < f64::EPSILON);
    assert_eq!(record.job.error_message.as_deref(), Some("gone: \"é\u{1}\\\u{1f600}\""));
}

pub(crate) async fn success_after_failure(exam: Exam) {
    exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    let failed = at_work_again(&exam).await;
    exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    let fresh = exam.start(NOW).await;
    let ends: Vec<Finish> =
        [&failed, &fresh].into_iter().map(|one| finish(&fence(one), JobState::Succeeded)).collect();
    let fenced = exam
        .write(move |tx| {
            Box::pin(async move { leases::finish_many(tx, JobEvent::Complete, &ends, NOW).await })
        })
        .await;
    assert_eq!((fenced.done.len(), fenced.lost.len(), fenced.unknown.len()), (2, 0, 0));
    for before in [failed, fresh] {
        let job = exam.get(&before.job.job_id).await.job;
        assert_eq!((job.state, job.error_class, job.error_message), (JobState::Succeeded, None, None));
        assert_eq!((job.progress, job.lease_until, job.ended_at), (1.0, None, Some(NOW)));
        assert_eq!(job.version, before.job.version + 1);
    }
}
