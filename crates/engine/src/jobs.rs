//! Jobs as their owners see them: submit, look, cancel. What workers do with them is in `work`.

use crate::attempts;
use crate::caller::Caller;
use crate::change::{By, JobChange, settle};
use crate::dead_letters::fingerprint::{self, Cause};
use crate::engine::Engine;
use crate::error::Error;
use crate::gate::{self, tell_holds};
use crate::intake::{INLINE_PAYLOAD, of_caller};
pub(crate) use crate::intake::{JobWish, Payload, insert_many};
use crate::intake_line::{Submission, may_share};
use crate::journal::Journal;
use crate::pressure::demand_room;
use crate::verbs::Verb;
use crate::{page, redact, runs};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashMap;
use stella_bundle::digest;
use stella_contract::error::Code;
use stella_contract::history::{Actor, HistoryEntry};
use stella_contract::ids::{JobId, Tenant};
use stella_contract::job::{self, Job, JobDetail, JobEvent, JobFilter, JobState, SubmitJob};
use stella_contract::lease::LogLine;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::history::About;
use stella_ledger::listing::{self, Found as FoundPage};
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, artifacts, history, jobs, uploads};

/// Entries from which a job's attempts are told; more attempts than that are not made.
const ATTEMPT_ENTRIES: i64 = 2_000;

/// The jobs.
#[derive(Clone)]
pub struct Jobs {
    pub(crate) engine: Engine,
}

impl Engine {
    /// The jobs.
    pub fn jobs(&self) -> Jobs {
        Jobs { engine: self.clone() }
    }
}

/// The answer to a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// The job.
    pub job: Job,
    /// Whether it was there already, under the same idempotency key.
    pub replayed: bool,
}

impl Jobs {
    /// Takes a job in. The same idempotency key with the same payload is the same job.
    pub async fn submit(&self, caller: &Caller, wish: SubmitJob) -> Result<Submitted, Error> {
        let mut made = self.submit_many(caller, vec![wish]).await?;
        made.pop().ok_or_else(|| Error::internal("one wish made no job"))
    }

    /// Takes many jobs in, all or none, and answers in their order.
    pub async fn submit_many(
        &self,
        caller: &Caller,
        wishes: Vec<SubmitJob>,
    ) -> Result<Vec<Submitted>, Error> {
        caller.demand_write(Scope::OrchSubmit)?;
        let mut checked = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let wish = of_caller(caller, wish)?;
            if wish.payload.text.len() > INLINE_PAYLOAD {
                self.engine.blobs().put(Bytes::from(wish.payload.text.clone())).await?;
            }
            checked.push(wish);
        }
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        if may_share(&checked) {
            let submission = Submission { wishes: checked, by };
            return self.engine.lines().intake.ask(&self.engine, submission).await;
        }
        let (engine, tenant) = (self.engine.clone(), caller.tenant.clone());
        let priorities: Vec<i32> = checked.iter().map(|wish| wish.priority).collect();
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    demand_room(&engine, tx, &tenant, &priorities).await?;
                    let mut journal = Journal::default();
                    let now = engine.now();
                    demand_open_runs(tx, &checked).await?;
                    let made = insert_many(&engine, tx, checked, &by, now, &mut journal).await?;
                    journal.leave(tx);
                    Ok(made)
                })
            })
            .await
    }

    /// The jobs of the caller's tenant that match, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &JobFilter,
        query: &PageQuery,
    ) -> Result<Page<Job>, Error> {
        caller.demand(Scope::OrchRead)?;
        let wanted = filter.tokens()?;
        let key = (&caller.tenant, wanted.to_string());
        let before = page::after::<_, i64>(&key, query)?;
        let now = self.engine.now();
        let wanted = wanted.at(now);
        let (tenant, size) = (caller.tenant.clone(), i64::from(query.size()));
        let found: FoundPage = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let wanted = gate::wanted(tx, &tenant, wanted, now).await?;
                    let mut found = listing::page(tx, &tenant, &wanted, before, size, listing::LOOK).await?;
                    tell_holds(tx, &mut found.records, now).await?;
                    Ok::<_, Error>(found)
                })
            })
            .await?;
        let jobs = found.records.into_iter().map(view).collect();
        page::going_on(&key, jobs, page::total(found.total), found.next)
    }

    /// A job with its payload, result, attempts and artifacts.
    pub async fn get(&self, caller: &Caller, id: &JobId) -> Result<JobDetail, Error> {
        caller.demand(Scope::OrchRead)?;
        let found = self.read(&caller.tenant, id).await?;
        let payload = match &found.record.payload {
            Some(text) => text.clone().into_bytes().into(),
            None => self.engine.blobs().get(&found.record.job.payload_digest).await?,
        };
        let payload: Value = serde_json::from_slice(&payload).map_err(|_| corrupt(id))?;
        let result: Option<Value> = match &found.result {
            Some(text) => Some(serde_json::from_str(text).map_err(|_| corrupt(id))?),
            None => None,
        };
        Ok(JobDetail {
            job: view(found.record),
            payload: redact::value(&payload),
            result: result.as_ref().map(redact::value),
            attempts: attempts::told_by(&found.entries),
            artifacts: found.artifacts,
        })
    }

    /// What happened to a job, newest first.
    pub async fn history(
        &self,
        caller: &Caller,
        id: &JobId,
        query: &PageQuery,
    ) -> Result<Page<HistoryEntry>, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let found: Option<JobRecord> = self
            .engine
            .ledger()
            .read(move |tx| Box::pin(async move { Ok::<_, Error>(jobs::get(tx, &tenant, &wanted).await?) }))
            .await?;
        if found.is_none() {
            return Err(Error::not_found("job", id));
        }
        self.engine.history().page(&caller.tenant, About::Job(id.clone()), query).await
    }

    /// What workers wrote about a job, newest first.
    pub async fn log(&self, caller: &Caller, id: &JobId, query: &PageQuery) -> Result<Page<LogLine>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, id);
        let below = page::after::<_, i64>(&key, query)?.unwrap_or(i64::MAX);
        let (tenant, wanted, limit) = (caller.tenant.clone(), id.clone(), i64::from(query.size()) + 1);
        let lines: Vec<LogLine> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let found = jobs::get(tx, &tenant, &wanted).await?;
                    let record = found.ok_or_else(|| Error::not_found("job", &wanted))?;
                    Ok::<_, Error>(uploads::lines(tx, record.key, below, limit).await?)
                })
            })
            .await?;
        page::of(&key, query, lines, None, |line| line.seq)
    }

    /// Cancels a job. One that runs is asked to end and is ended by force when it does not.
    pub async fn cancel(&self, caller: &Caller, id: &JobId) -> Result<Job, Error> {
        self.apply_to(caller, Verb::Cancel, id).await
    }

    async fn read(&self, tenant: &Tenant, id: &JobId) -> Result<Found, Error> {
        let (owner, wanted, now) = (tenant.clone(), id.clone(), self.engine.now());
        let found: Option<Found> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let Some(record) = jobs::get(tx, &owner, &wanted).await? else {
                        return Ok::<_, Error>(None);
                    };
                    let mut records = [record];
                    jobs::add_payloads(tx, &mut records).await?;
                    tell_holds(tx, &mut records, now).await?;
                    let [record] = records;
                    let about = About::Job(wanted.clone());
                    Ok(Some(Found {
                        result: jobs::result(tx, record.key).await?,
                        entries: history::oldest(tx, &owner, &about, 0, ATTEMPT_ENTRIES).await?,
                        artifacts: artifacts::of_job(tx, &owner, &wanted).await?,
                        record,
                    }))
                })
            })
            .await?;
        found.ok_or_else(|| Error::not_found("job", id))
    }
}

/// A job joins a run of its own tenant, and only as long as that is open.
async fn demand_open_runs(tx: &mut Tx, wishes: &[JobWish]) -> Result<(), Error> {
    for wish in wishes {
        let Some(run_id) = &wish.run_id else { continue };
        let run = runs::find(tx, &wish.tenant, run_id).await?;
        if run.state.is_final() {
            let sentence = format!("Run `{run_id}` is {}; a job joins a run that is open.", run.state);
            return Err(Error::new(Code::InvalidTransition, sentence));
        }
    }
    Ok(())
}

/// Everything of one job, from one snapshot.
struct Found {
    record: JobRecord,
    result: Option<String>,
    entries: Vec<HistoryEntry>,
    artifacts: Vec<stella_contract::artifact::Artifact>,
}

fn corrupt(id: &JobId) -> Error {
    Error::new(Code::Corrupt, format!("What is stored of job `{id}` cannot be read."))
}

/// Cancels these jobs, just read in this transaction: waiting and claimed ones now, running ones by asking. A job that
/// has ended is refused as `INVALID_TRANSITION` before anything changes.
pub(crate) async fn cancel_many(
    tx: &mut Tx,
    records: Vec<JobRecord>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    for record in &records {
        job::next(record.job.state, JobEvent::Cancel)?;
    }
    let from: HashMap<i64, JobState> = records.iter().map(|record| (record.key, record.job.state)).collect();
    let (running, still): (Vec<JobRecord>, Vec<JobRecord>) =
        records.into_iter().partition(|record| record.job.state == JobState::Running);
    // Who asked before has been heard.
    let (asked, running): (Vec<JobRecord>, Vec<JobRecord>) =
        running.into_iter().partition(|record| record.job.cancel_requested_at.is_some());
    let keys = |records: &[JobRecord]| records.iter().map(|record| record.key).collect::<Vec<_>>();
    let mut changes = Vec::new();
    for after in jobs::ask_cancel_many(tx, &keys(&running), now).await? {
        changes.push(JobChange::along(JobEvent::AskCancel, from[&after.key], after));
    }
    for after in jobs::cancel_many(tx, &keys(&still), now).await? {
        changes.push(cancelled(from[&after.key], after));
    }
    settle(tx, &changes, by, now, journal).await?;
    tx.note_work();
    Ok(changes.into_iter().map(|change| change.after).chain(asked).collect())
}

/// A cancel that took effect; it ends the attempt at hand, when there is one.
pub(crate) fn cancelled(from: JobState, after: JobRecord) -> JobChange {
    if matches!(from, JobState::Leased | JobState::Running) {
        return JobChange::ending(JobEvent::Cancel, from, after, "cancelled");
    }
    JobChange::along(JobEvent::Cancel, from, after)
}

/// A record as every door shows it.
pub(crate) fn view(record: JobRecord) -> Job {
    let mut job = record.job;
    job.inputs_hash = digest::of_bytes(format!("{}\n{}", job.job_type, job.payload_digest).as_bytes());
    if !matches!(job.state, JobState::Leased | JobState::Running) {
        job.lease_id = None;
    }
    if let Some(category) = job.error_class {
        job.retryable = Some(category.is_retryable());
        job.error_fingerprint = Some(fingerprint::of(Cause {
            job_type: &job.job_type,
            category,
            http_status: record.error_status,
            host: record.error_host.as_deref(),
            message: job.error_message.as_deref().unwrap_or_default(),
        }));
    }
    job.duration_ms = job.started_at.zip(job.ended_at).map(|(start, end)| end.ms_since(start));
    job
}

/// The actor under which a background task of the engine changes jobs.
pub(crate) fn engine_itself(task: &str) -> By {
    By {
        actor: Actor { subject: format!("engine/{task}"), scopes: Vec::new() },
        cause: job::Cause::default(),
    }
}
