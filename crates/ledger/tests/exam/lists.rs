//! Lists: total order, no row twice, none missed, counts from the same snapshot.

use crate::support::{Exam, NOW, tenant};
use stella_contract::filter::{Filter, JobMatch};
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, JobState};
use stella_ledger::jobs::NewJob;
use stella_ledger::record::JobRecord;
use stella_ledger::{LedgerError, listing};

async fn page(exam: &Exam, filter: &JobMatch, before: Option<i64>, limit: i64) -> (Vec<JobRecord>, i64) {
    let filter = filter.clone();
    let found: Result<(Vec<JobRecord>, i64), LedgerError> = exam
        .ledger
        .read(move |tx| {
            Box::pin(async move {
                let rows = listing::jobs(tx, &tenant(), &filter, before, limit).await?;
                let count = listing::count_jobs(tx, &tenant(), &filter).await?;
                let both = listing::jobs_and_count(tx, &tenant(), &filter, before, limit, 1_000).await?;
                assert_eq!(both, (rows.clone(), Some(count)), "either way gives the same page");
                Ok((rows, count))
            })
        })
        .await;
    found.expect("the list is sound")
}

async fn up_to(exam: &Exam, most: i64) -> Option<i64> {
    let found: Result<Option<i64>, LedgerError> = exam
        .ledger
        .read(move |tx| {
            Box::pin(
                async move { listing::count_jobs_up_to(tx, &tenant(), &JobMatch::default(), most).await },
            )
        })
        .await;
    found.expect("the count is sound")
}

pub(crate) async fn every_job_once(exam: Exam) {
    let new: Vec<NewJob> = (0..23).map(|_| exam.job("exam", 50, NOW)).collect();
    let mut ids: Vec<JobId> = new.iter().map(|job| job.job_id.clone()).collect();
    ids.reverse();
    let foreign = NewJob { tenant: "other".parse().expect("a sound name"), ..exam.job("exam", 50, NOW) };
    exam.insert(new).await;
    exam.insert(vec![foreign]).await;
    let (mut got, mut before) = (Vec::new(), None);
    loop {
        let (rows, total) = page(&exam, &JobMatch::default(), before, 5).await;
        assert_eq!(total, 23);
        assert_eq!((up_to(&exam, 23).await, up_to(&exam, 22).await), (Some(23), None));
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
