//! Lists: total order, no row twice, none missed, counts from the same snapshot.

use crate::support::{Exam, NOW, tenant};
use stella_contract::filter::{Filter, JobMatch};
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, JobState};
use stella_ledger::LedgerError;
use stella_ledger::jobs::NewJob;
use stella_ledger::listing::{self, Found, Wanted};
use stella_ledger::record::JobRecord;

async fn found(exam: &Exam, wanted: &Wanted, before: Option<i64>, size: i64, look: i64) -> Found {
    let wanted = wanted.clone();
    let found: Result<Found, LedgerError> = exam
        .ledger
        .read(move |tx| {
            Box::pin(async move { listing::page(tx, &tenant(), &wanted, before, size, look).await })
        })
        .await;
    found.expect("the list is sound")
}

async fn page(exam: &Exam, filter: &JobMatch, before: Option<i64>, limit: i64) -> (Vec<JobRecord>, i64) {
    let wanted = Wanted::from(filter.clone());
    let whole = found(exam, &wanted, before, limit, listing::LOOK).await;
    let walked = walk(exam, &wanted, before, limit).await;
    assert_eq!(walked, whole.records, "either way gives the same page: {filter:?}");
    let counted = {
        let wanted = wanted.clone();
        let counted: Result<i64, LedgerError> = exam
            .ledger
            .read(move |tx| Box::pin(async move { listing::count_jobs(tx, &tenant(), &wanted).await }))
            .await;
        counted.expect("the count is sound")
    };
    assert_eq!(whole.total, Some(counted), "{filter:?}");
    (whole.records, counted)
}

/// The same rows, two looked at at once: short pages are read on until there are as many as wanted.
async fn walk(exam: &Exam, wanted: &Wanted, before: Option<i64>, limit: i64) -> Vec<JobRecord> {
    let (mut records, mut before) = (Vec::new(), before);
    loop {
        let left = limit - i64::try_from(records.len()).expect("a count");
        let part = found(exam, wanted, before, left, 2).await;
        records.extend(part.records);
        match part.next {
            Some(next) if i64::try_from(records.len()).expect("a count") < limit => {
                assert!(before.is_none_or(|before| next < before), "it goes on below");
                before = Some(next);
            }
            Some(_) | None => return records,
        }
    }
}

pub(crate) async fn every_job_once(exam: Exam) {
    let new: Vec<NewJob> = (0..23).map(|_| exam.job("exam", 50, NOW)).collect();
    let mut ids: Vec<JobId> = new.iter().map(|job| job.job_id.clone()).collect();
    ids.reverse();
    let foreign = NewJob { tenant: "other".parse().expect("a sound name"), ..exam.job("exam", 50, NOW) };
    exam.insert(new).await;
    exam.insert(vec![foreign]).await;
    let (mut got, mut before, all) = (Vec::new(), None, Wanted::default());
    loop {
        let (rows, total) = page(&exam, &JobMatch::default(), before, 5).await;
        assert_eq!(total, 23);
        let counted = |look| found(&exam, &all, before, 5, look);
        assert_eq!((counted(1_000).await.total, counted(22).await.total), (Some(23), None));
        if rows.is_empty() {
            break;
        }
        before = rows.last().map(|record| record.key);
        got.extend(rows.into_iter().map(|record| record.job.job_id));
        // A job that comes in meanwhile does not disturb the pages that follow.
        if got.len() == 10 {
            let late = NewJob { tenant: "other".parse().expect("a sound name"), ..exam.job("exam", 50, NOW) };
            exam.insert(vec![late]).await;
        }
    }
    assert_eq!(got, ids);
}

pub(crate) async fn filters(exam: Exam) {
    let run = "run:exam:20261121T090000Z:9c1f04ab".parse().expect("a sound id");
    let source = "src_01890000-0000-7000-8000-000000000000".parse().expect("a sound id");
    let mut of_run = exam.job("scan.segment", 50, NOW);
    of_run.run_id = Some(run);
    let mut of_source = exam.job("ingest.kev", 50, NOW);
    of_source.source_id = Some(source);
    let waiting = exam.waiting(NOW.plus_ms(1));
    let urgent = exam.job("demo.urgent", 90, NOW);
    let then = NOW.minus_ms(7_200_000);
    let mut old = exam.job("demo.old", 10, then);
    old.job_id = JobId::from_uuid(&stella_ledger::key::uuid_of((then.0 / 1_000).unsigned_abs(), 0, 0));
    let named = |job: &NewJob| job.job_id.clone();
    let filters = [
        ("run:run:exam:20261121T090000Z:9c1f04ab".to_owned(), vec![named(&of_run)]),
        ("source:src_01890000-0000-7000-8000-000000000000".to_owned(), vec![named(&of_source)]),
        ("type:ingest.kev".to_owned(), vec![named(&of_source)]),
        ("type:demo.*".to_owned(), vec![named(&urgent), named(&old)]),
        ("type:demo.*,ingest.*".to_owned(), vec![named(&urgent), named(&of_source), named(&old)]),
        ("type:demo".to_owned(), vec![]),
        ("state:pending".to_owned(), vec![named(&waiting)]),
        ("state:pending type:ingest.kev".to_owned(), vec![]),
        ("state:pending,queued type:ingest.kev,exam".to_owned(), vec![named(&waiting), named(&of_source)]),
        ("wait:not_before".to_owned(), vec![named(&waiting)]),
        ("wait:not_before,backoff state:pending,queued".to_owned(), vec![named(&waiting)]),
        ("wait:not_before state:succeeded".to_owned(), vec![]),
        ("wait:not_before state:queued".to_owned(), vec![]),
        ("priority:>=75".to_owned(), vec![named(&urgent)]),
        ("priority:<=10,90".to_owned(), vec![named(&urgent), named(&old)]),
        ("age:>1h".to_owned(), vec![named(&old)]),
        ("age:<1h priority:>50".to_owned(), vec![named(&urgent)]),
        (format!("job:{}", urgent.job_id), vec![named(&urgent)]),
        (format!("created:{}..{}", NOW.minus_ms(7_200_000), NOW), vec![named(&old)]),
    ];
    exam.insert(vec![of_run, of_source, waiting, urgent, old]).await;
    for (filter, ids) in filters {
        let wanted = filter.parse::<Filter>().expect("a sound filter").at(NOW);
        let (rows, total) = page(&exam, &wanted, None, 10).await;
        assert_eq!(total, i64::try_from(ids.len()).expect("a count"), "{filter}");
        let found: Vec<JobId> = rows.into_iter().map(|record| record.job.job_id).collect();
        assert_eq!(found, ids, "{filter}");
    }
    exam.insert(vec![exam.job("exam", 50, NOW)]).await;
    let running = exam.start(NOW).await;
    let worker = running.job.worker_id.clone().expect("a running job has a worker");
    let held = JobMatch { states: vec![JobState::Running], workers: vec![worker], ..JobMatch::default() };
    let (rows, total) = page(&exam, &held, None, 10).await;
    assert_eq!((rows.len(), total), (1, 1));
    let broken = JobMatch { categories: vec![ErrorClass::Network], ..JobMatch::default() };
    assert_eq!(page(&exam, &broken, None, 10).await.1, 0);
    for state in JobState::ALL {
        let wanted = JobMatch { states: vec![*state], ..JobMatch::default() };
        let (rows, total) = page(&exam, &wanted, None, 10).await;
        assert_eq!(rows.len(), usize::try_from(total).expect("a count"), "{state}");
    }
}
