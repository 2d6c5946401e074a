//! What workers do: claim, acknowledge, stay alive, report. Everything they say is fenced by lease id and epoch.

use crate::change::{By, JobChange, settle};
use crate::engine::Engine;
use crate::error::Error;
use crate::gate;
use crate::handlers::{Done, Failure};
use crate::jobs::view;
use crate::journal::Journal;
use crate::report;
use serde_json::Value;
use stella_contract::error::Code;
use stella_contract::ids::{JobId, Tenant, WorkerId};
use stella_contract::job::{Job, JobEvent, JobState};
use stella_contract::time::Micros;
use stella_contract::worker::WorkerWish;
use stella_ledger::claims::Claim;
use stella_ledger::leases::{Beat, Fenced, Release};
use stella_ledger::record::JobRecord;
use stella_ledger::workers::WorkerRecord;
use stella_ledger::{Tx, jobs, leases, workers};

pub use crate::report::Report;
pub use stella_ledger::leases::{Fence, Progress};

/// How long a lease lasts unless renewed.
pub const LEASE_MS: i64 = 60_000;
/// How long a worker has to acknowledge a claim.
pub const ACK_MS: i64 = 15_000;
/// The most jobs of one claim.
pub const MOST_CLAIMED: usize = 256;

/// The work.
#[derive(Clone)]
pub struct Work {
    pub(crate) engine: Engine,
}

impl Engine {
    /// The work.
    pub fn work(&self) -> Work {
        Work { engine: self.clone() }
    }
}

/// A job in the hands of a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// The job.
    pub job: Job,
    /// What to work on.
    pub payload: Value,
    /// Under which lease.
    pub fence: Fence,
}

/// Who wants to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorker {
    /// Its name.
    pub name: String,
    /// The machine it runs on.
    pub hostname: String,
    /// Job types it takes.
    pub job_types: Vec<String>,
    /// How many jobs it holds at most.
    pub concurrency: i32,
}

/// What a heartbeat is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Jobs whose lease is lost: stop, and discard what came of them.
    pub lost: Vec<JobId>,
    /// Jobs that somebody cancelled: stop, and say so.
    pub cancelled: Vec<JobId>,
}

impl Work {
    /// Writes a worker down.
    pub async fn register(&self, worker: NewWorker) -> Result<WorkerId, Error> {
        let now = self.engine.now();
        let worker_id = WorkerId::from_uuid(&self.engine.uuid(now));
        let record = WorkerRecord {
            worker_id: worker_id.clone(),
            tenant: None,
            name: worker.name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sdk: None,
            hostname: worker.hostname,
            job_types: worker.job_types,
            concurrency: worker.concurrency,
            task_runner_id: None,
            wish: WorkerWish::Work,
            wish_reason: None,
            started_at: now,
            last_heartbeat_at: now,
            in_flight: 0,
        };
        self.engine
            .ledger()
            .write(move |tx| Box::pin(async move { Ok::<_, Error>(workers::put(tx, &record).await?) }))
            .await?;
        Ok(worker_id)
    }

    /// Takes up to `n` of the most urgent ready jobs.
    pub async fn claim(&self, worker: &WorkerId, types: &[String], n: usize) -> Result<Vec<Lease>, Error> {
        let (engine, worker, types) = (self.engine.clone(), worker.clone(), types.to_vec());
        let claimed = self
            .engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let claimer = Claimer::of_process(&worker);
                    let claimed = claim(&engine, tx, claimer, &types, n, &mut journal).await?;
                    journal.leave(tx);
                    Ok::<_, Error>(claimed)
                })
            })
            .await?;
        self.leases(claimed).await
    }

    /// Reports attempts that have ended and takes the next jobs to start them at once, all in one commit. A report with
    /// an effect is better made alone: an effect that fails undoes everything of this call.
    pub async fn exchange(
        &self,
        worker: &WorkerId,
        reports: Vec<Report>,
        types: &[String],
        n: usize,
    ) -> Result<(Vec<Result<Job, Error>>, Vec<Lease>), Error> {
        let prepared = self.prepare(reports).await?;
        let (engine, worker, types) = (self.engine.clone(), worker.clone(), types.to_vec());
        let (answers, started) = self
            .engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let now = engine.now();
                    let answers = report::write(tx, prepared, now, &mut journal).await?;
                    let claimer = Claimer::of_process(&worker);
                    let started = claim_and_start(&engine, tx, claimer, &types, n, &mut journal).await?;
                    journal.leave(tx);
                    Ok::<_, Error>((answers, started))
                })
            })
            .await?;
        Ok((answers, self.leases(started).await?))
    }

    /// Starts claimed jobs; refused as `LEASE_LOST` when one of them is no longer the worker's.
    pub async fn ack(&self, fences: &[Fence]) -> Result<Vec<Job>, Error> {
        let (engine, fences) = (self.engine.clone(), fences.to_vec());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let fenced = leases::ack_many(tx, &fences, now.plus_ms(LEASE_MS), now).await?;
                    refuse_lost(&fenced)?;
                    let mut journal = Journal::default();
                    let started = along(tx, fenced.done, JobEvent::Ack, now, &mut journal).await?;
                    journal.leave(tx);
                    Ok(started.into_iter().map(view).collect())
                })
            })
            .await
    }

    /// Renews all leases of a worker in one go.
    pub async fn heartbeat(&self, worker: &WorkerId, beats: Vec<Beat>) -> Result<Pulse, Error> {
        let (engine, worker) = (self.engine.clone(), worker.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    // The time of the write and not of the call: it may have waited behind a long one.
                    let now = engine.now();
                    workers::beat(tx, &worker, now).await?;
                    let told: Vec<JobId> = beats
                        .iter()
                        .filter(|beat| beat.progress.is_some())
                        .map(|beat| beat.fence.job_id.clone())
                        .collect();
                    let fenced = leases::extend_many(tx, &beats, now.plus_ms(LEASE_MS)).await?;
                    let pulse = pulse(&fenced);
                    let progressed =
                        fenced.done.into_iter().filter(|record| told.contains(&record.job.job_id));
                    let changes: Vec<JobChange> = progressed
                        .map(|record| JobChange::along(JobEvent::Heartbeat, record.job.state, record))
                        .collect();
                    if !changes.is_empty() {
                        let mut journal = Journal::default();
                        settle(tx, &changes, &By::itself(worker.as_str()), now, &mut journal).await?;
                        journal.leave(tx);
                    }
                    Ok(pulse)
                })
            })
            .await
    }

    /// The job is done. Its effects and its success are kept together or not at all.
    pub async fn complete(&self, fence: &Fence, done: Done) -> Result<Job, Error> {
        self.report_one(Report { fence: fence.clone(), outcome: Ok(done) }).await
    }

    /// The attempt failed; whether and when another follows is decided here.
    pub async fn fail(&self, fence: &Fence, failure: Failure) -> Result<Job, Error> {
        self.report_one(Report { fence: fence.clone(), outcome: Err(failure) }).await
    }

    /// Gives back claimed jobs that were not started; the attempts do not count.
    pub async fn release(&self, fences: &[Fence]) -> Result<Vec<Job>, Error> {
        let (engine, fences) = (self.engine.clone(), fences.to_vec());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let now = engine.now();
                    let keys: Vec<i64> =
                        fences.iter().map(|fence| stella_ledger::key_of(&fence.job_id)).collect();
                    let held = jobs::get_many(tx, &keys).await?;
                    let releases: Vec<Release> =
                        fences.iter().map(|fence| uncounted(fence.clone(), &held)).collect();
                    let fenced = leases::release_many(tx, &releases, now).await?;
                    refuse_lost(&fenced)?;
                    let mut journal = Journal::default();
                    let given = released(tx, fenced.done, "released", None, now, &mut journal).await?;
                    journal.leave(tx);
                    Ok(given.into_iter().map(view).collect())
                })
            })
            .await
    }

    /// The worker takes nothing new.
    pub async fn drain(&self, worker: &WorkerId) -> Result<(), Error> {
        let worker = worker.clone();
        let wish = WorkerWish::Drain;
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move { Ok(workers::wish(tx, &worker, wish, None).await.map(|_| ())?) })
            })
            .await
    }

    pub(crate) async fn report_one(&self, one: Report) -> Result<Job, Error> {
        let prepared = self.prepare(vec![one]).await?;
        let engine = self.engine.clone();
        let mut answers = self
            .engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let answers = report::write(tx, prepared, engine.now(), &mut journal).await?;
                    journal.leave(tx);
                    Ok::<_, Error>(answers)
                })
            })
            .await?;
        answers.pop().unwrap_or_else(|| Err(Error::internal("one report had no answer")))
    }

    /// Brings the bytes of artifacts to the disk before the transaction that names them.
    async fn prepare(&self, reports: Vec<Report>) -> Result<Vec<report::Prepared>, Error> {
        let mut prepared = Vec::with_capacity(reports.len());
        for one in reports {
            prepared.push(report::prepare(&self.engine, one).await?);
        }
        Ok(prepared)
    }

    /// Claimed records as leases, with payloads from the blobs where they lie there.
    pub(crate) async fn leases(&self, claimed: Vec<JobRecord>) -> Result<Vec<Lease>, Error> {
        let mut given = Vec::with_capacity(claimed.len());
        for record in claimed {
            let fence = Fence::of(&record).ok_or_else(|| Error::internal("a claimed job has no lease"))?;
            let payload = match &record.payload {
                Some(text) => serde_json::from_str(text),
                None => {
                    let bytes = self.engine.blobs().get(&record.job.payload_digest).await?;
                    serde_json::from_slice(&bytes)
                }
            };
            let payload = payload.map_err(|error| Error::internal(format!("{}: {error}", fence.job_id)))?;
            given.push(Lease { job: view(record), payload, fence });
        }
        Ok(given)
    }
}

/// Who claims.
#[derive(Debug, Clone)]
pub(crate) struct Claimer {
    /// The worker.
    pub(crate) worker_id: WorkerId,
    /// The tenant it works for; `None` when it works for all.
    pub(crate) tenant: Option<Tenant>,
    /// The task runner it works for.
    pub(crate) task_runner_id: Option<String>,
}

impl Claimer {
    fn of_process(worker: &WorkerId) -> Self {
        Self { worker_id: worker.clone(), tenant: None, task_runner_id: None }
    }
}

/// Claims in this transaction.
pub(crate) async fn claim(
    engine: &Engine,
    tx: &mut Tx,
    claimer: Claimer,
    types: &[String],
    n: usize,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let now = engine.now();
    // Until the worker acknowledges, it holds the job only that long.
    let wish = wish(engine, claimer, types, n, now.plus_ms(ACK_MS), now);
    if wish.chances.is_empty() || types.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = gate::claim(engine, tx, &wish, journal).await?;
    along(tx, claimed, JobEvent::Claim, now, journal).await
}

/// Claims in this transaction what the worker starts at once.
async fn claim_and_start(
    engine: &Engine,
    tx: &mut Tx,
    claimer: Claimer,
    types: &[String],
    n: usize,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let now = engine.now();
    let wish = Claim { starts: true, ..wish(engine, claimer, types, n, now.plus_ms(LEASE_MS), now) };
    if wish.chances.is_empty() || types.is_empty() {
        return Ok(Vec::new());
    }
    let started = gate::claim(engine, tx, &wish, journal).await?;
    // Both steps of one job follow each other, so that its one event tells the second.
    let mut changes = Vec::with_capacity(started.len() * 2);
    for record in started {
        changes.push(JobChange::along(JobEvent::Claim, JobState::Queued, as_claimed(&record)));
        changes.push(JobChange::along(JobEvent::Ack, JobState::Leased, record));
    }
    let by = By::itself(worker_of(&changes));
    settle(tx, &changes, &by, now, journal).await?;
    Ok(changes
        .into_iter()
        .map(|change| change.after)
        .filter(|after| after.attempt_started_at.is_some())
        .collect())
}

fn wish(
    engine: &Engine,
    claimer: Claimer,
    types: &[String],
    n: usize,
    lease_until: Micros,
    now: Micros,
) -> Claim {
    Claim {
        job_types: types.to_vec(),
        worker_id: claimer.worker_id,
        tenant: claimer.tenant,
        task_runner_id: claimer.task_runner_id,
        chances: (0..n.min(MOST_CLAIMED)).map(|_| engine.chance().number()).collect(),
        lease_until,
        starts: false,
        now,
    }
}

/// The job as it was between its claim and its start.
fn as_claimed(started: &JobRecord) -> JobRecord {
    let mut claimed = started.clone();
    claimed.attempt_started_at = None;
    claimed.job.state = JobState::Leased;
    claimed.job.version -= 1;
    claimed
}

/// Notes that the jobs went along an arrow that their worker chose.
pub(crate) async fn along(
    tx: &mut Tx,
    records: Vec<JobRecord>,
    event: JobEvent,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let from = match event {
        JobEvent::Claim => JobState::Queued,
        JobEvent::Ack => JobState::Leased,
        JobEvent::Queue
        | JobEvent::Hold
        | JobEvent::Release
        | JobEvent::Heartbeat
        | JobEvent::Complete
        | JobEvent::Retry
        | JobEvent::Fail
        | JobEvent::TimeOut
        | JobEvent::AskCancel
        | JobEvent::Cancel
        | JobEvent::Skip => return Err(Error::internal(format!("no worker chooses `{event}` here"))),
    };
    let changes: Vec<JobChange> =
        records.into_iter().map(|record| JobChange::along(event, from, record)).collect();
    let by = By::itself(worker_of(&changes));
    settle(tx, &changes, &by, now, journal).await?;
    Ok(changes.into_iter().map(|change| change.after).collect())
}

/// Notes that claims went back to the queue.
pub(crate) async fn released(
    tx: &mut Tx,
    records: Vec<JobRecord>,
    outcome: &'static str,
    said: Option<&str>,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let changes: Vec<JobChange> = records
        .into_iter()
        .map(|record| JobChange {
            said: said.map(str::to_owned),
            ..JobChange::ending(JobEvent::Release, JobState::Leased, record, outcome)
        })
        .collect();
    let by = By::itself(worker_of(&changes));
    settle(tx, &changes, &by, now, journal).await?;
    Ok(changes.into_iter().map(|change| change.after).collect())
}

pub(crate) fn worker_of(changes: &[JobChange]) -> String {
    let worker = changes.first().and_then(|change| change.after.job.worker_id.as_ref());
    worker.map_or_else(|| "worker".to_owned(), |id| id.as_str().to_owned())
}

/// A release after which the claim was never made.
pub(crate) fn uncounted(fence: Fence, held: &[JobRecord]) -> Release {
    let record = held.iter().find(|record| record.job.job_id == fence.job_id);
    Release {
        attempt: record.map_or(0, |record| (record.job.attempt - 1).max(0)),
        ack_timeouts: record.map_or(0, |record| record.ack_timeouts),
        fence,
    }
}

/// Names the first thing that was not changed.
pub(crate) fn refuse_lost(fenced: &Fenced) -> Result<(), Error> {
    if let Some(id) = fenced.unknown.first() {
        return Err(Error::not_found("job", id));
    }
    fenced.lost.first().map_or(Ok(()), |record| Err(lost(&record.job.job_id)))
}

/// The lease is not, or no longer, the worker's.
pub(crate) fn lost(id: &JobId) -> Error {
    Error::new(
        Code::LeaseLost,
        format!("Job `{id}` is no longer under this lease. Stop working on it and discard its output."),
    )
}

fn pulse(fenced: &Fenced) -> Pulse {
    let ids =
        |records: &[JobRecord]| records.iter().map(|record| record.job.job_id.clone()).collect::<Vec<_>>();
    let mut lost = ids(&fenced.lost);
    lost.extend(fenced.unknown.iter().cloned());
    let asked: Vec<JobRecord> =
        fenced.done.iter().filter(|record| record.job.cancel_requested_at.is_some()).cloned().collect();
    Pulse { lost, cancelled: ids(&asked) }
}
