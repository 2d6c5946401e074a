//! A ledger of one's own, and jobs to put into it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stella_contract::ids::{JobId, Tenant, WorkerId};
use stella_contract::job::{JobState, WaitReason};
use stella_contract::time::Micros;
use stella_ledger::claims::{self, Claim};
use stella_ledger::jobs::{self, NewJob};
use stella_ledger::key::uuid_of;
use stella_ledger::leases::{self, Fence};
use stella_ledger::record::JobRecord;
use stella_ledger::{BoxFuture, Ledger, LedgerError, LedgerPlace, News, Tx};
use tempfile::TempDir;

/// 2026-11-21T09:00:00Z.
pub(crate) const NOW: Micros = Micros(1_795_251_600_000_000);

/// A ledger that goes away with the test.
pub(crate) struct Exam {
    pub(crate) ledger: Ledger,
    pub(crate) place: LedgerPlace,
    pub(crate) news: Arc<std::sync::Mutex<Vec<News>>>,
    ids: AtomicU64,
    pub(crate) _folder: Option<TempDir>,
}

pub(crate) async fn sqlite() -> Exam {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = LedgerPlace::Sqlite(folder.path().join("ledger.db"));
    open(place, Some(folder)).await
}

pub(crate) async fn postgres() -> Exam {
    let url = stella_ledger::testing::postgres().await.unwrap_or_else(|why| panic!("{why}"));
    open(LedgerPlace::Postgres(url), None).await
}

async fn open(place: LedgerPlace, folder: Option<TempDir>) -> Exam {
    let news = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = news.clone();
    let ledger = Ledger::open(&place, move |one| told.lock().expect("nobody panics with it").push(one))
        .await
        .expect("a new ledger opens");
    Exam { ledger, place, news, ids: AtomicU64::new(1), _folder: folder }
}

impl Exam {
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, LedgerError>> + Send + 'static,
    ) -> T {
        self.ledger.write(work).await.expect("the write is sound")
    }

    pub(crate) fn uuid(&self) -> String {
        let next = self.ids.fetch_add(1, Ordering::Relaxed);
        uuid_of((NOW.0 / 1_000).unsigned_abs() + next / 1_000, (next % 1_000) as u32, next)
    }

    /// A ready job.
    pub(crate) fn job(&self, job_type: &str, priority: i32, at: Micros) -> NewJob {
        NewJob {
            job_id: JobId::from_uuid(&self.uuid()),
            tenant: tenant(),
            project: None,
            run_id: None,
            source_id: None,
            job_type: job_type.to_owned(),
            priority,
            state: JobState::Queued,
            wait_reason: None,
            next_eligible_at: None,
            not_before: None,
            payload_digest: format!("sha256:{}", "0".repeat(64)),
            payload_size: 2,
            payload: Some("{}".to_owned()),
            idempotency_key: None,
            max_attempts: 6,
            timeout_s: 3_600,
            replay_of: None,
            retry_of: None,
            origin_key: None,
            correlation_id: "exam".to_owned(),
            traceparent: None,
            created_by: "exam".to_owned(),
            reason: None,
            ticket: None,
            created_at: at,
        }
    }

    /// A job that waits.
    pub(crate) fn waiting(&self, until: Micros) -> NewJob {
        NewJob {
            state: JobState::Pending,
            wait_reason: Some(WaitReason::NotBefore),
            next_eligible_at: Some(until),
            ..self.job("exam", 50, NOW)
        }
    }

    pub(crate) async fn insert(&self, new: Vec<NewJob>) {
        self.write(move |tx| Box::pin(async move { jobs::insert_many(tx, &new).await })).await;
    }

    pub(crate) async fn get(&self, id: &JobId) -> JobRecord {
        let id = id.clone();
        let found: Option<JobRecord> = self
            .ledger
            .read(move |tx| Box::pin(async move { jobs::get(tx, &tenant(), &id).await }))
            .await
            .expect("the read is sound");
        found.expect("the job is there")
    }

    pub(crate) async fn claim(&self, types: &[&str], n: usize, now: Micros) -> Vec<JobRecord> {
        let claim = self.claim_of(types, n, now);
        self.write(move |tx| Box::pin(async move { claims::claim(tx, &claim).await })).await
    }

    pub(crate) fn claim_of(&self, types: &[&str], n: usize, now: Micros) -> Claim {
        Claim {
            job_types: types.iter().map(|word| (*word).to_owned()).collect(),
            worker_id: WorkerId::from_uuid(&self.uuid()),
            tenant: None,
            task_runner_id: None,
            chances: (0..n).map(|_| stella_ledger::key_of_uuid(&self.uuid()).unsigned_abs()).collect(),
            lease_until: now.plus_ms(15_000),
            starts: false,
            now,
        }
    }

    /// Claims and starts one job.
    pub(crate) async fn start(&self, now: Micros) -> JobRecord {
        let claimed = self.claim(&["exam"], 1, now).await;
        let fences: Vec<Fence> = claimed.iter().filter_map(Fence::of).collect();
        let fenced = self
            .write(move |tx| {
                Box::pin(async move { leases::ack_many(tx, &fences, now.plus_ms(60_000), now).await })
            })
            .await;
        fenced.done.into_iter().next().expect("a ready job was there")
    }
}

pub(crate) fn tenant() -> Tenant {
    "exam".parse().expect("a sound name")
}

pub(crate) fn fence(record: &JobRecord) -> Fence {
    Fence::of(record).expect("the job is held")
}
