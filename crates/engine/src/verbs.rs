//! What operators do to jobs, to one or to many by the same way: each gets its own answer, and a look beforehand tells
//! which would be refused and why.

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::intake::{JobWish, Payload, insert_many};
use crate::jobs::{Jobs, cancel_many, view};
use crate::journal::{Draft, Journal, Tiding};
use crate::runs::SEGMENT_JOB;
use serde_json::json;
use std::collections::HashMap;
use stella_contract::error::Code;
use stella_contract::ids::{JobId, Tenant};
use stella_contract::job::{
    Job, REPLAY_PRIORITY, cancel_refusal, prioritize_refusal, replay_refusal, retry_refusal,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::edges::{self, Lineage};
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, jobs};

/// The most jobs of one call.
pub const MOST_JOBS: usize = 1_000;

/// What is done to each job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// End it; one that runs is asked to.
    Cancel,
    /// Give a failed one another try, at the priority it had.
    Retry,
    /// Do an ended one once more, at high priority.
    Replay,
    /// Let it come sooner or later.
    Prioritize(i32),
}

impl Verb {
    /// Why nobody may do this to a job of this record; `None` when they may.
    fn refusal(self, record: &JobRecord) -> Option<&'static str> {
        let state = record.job.state;
        let of_segment = || {
            (record.job.job_type == SEGMENT_JOB)
                .then_some("A segment is repeated with its run; retry the run")
        };
        match self {
            Self::Cancel => cancel_refusal(state),
            Self::Retry => retry_refusal(state).or_else(of_segment),
            Self::Replay => replay_refusal(state).or_else(of_segment),
            Self::Prioritize(_) => prioritize_refusal(state),
        }
    }

    const fn repeats(self) -> bool {
        match self {
            Self::Retry | Self::Replay => true,
            Self::Cancel | Self::Prioritize(_) => false,
        }
    }
}

/// The answer for each job that was named, in the order in which they were named. Of a repeat it is the new job.
pub type Outcomes = Vec<(JobId, Result<Job, Error>)>;

impl Jobs {
    /// Does this to each of the jobs; what one refuses keeps no other from it.
    pub async fn apply(&self, caller: &Caller, verb: Verb, ids: &[JobId]) -> Result<Outcomes, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        check(verb, ids)?;
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let (tenant, ids, engine) = (caller.tenant.clone(), ids.to_vec(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let now = engine.now();
                    let outcomes = apply(&engine, tx, &tenant, verb, &ids, &by, now, &mut journal).await?;
                    journal.leave(tx);
                    Ok(outcomes)
                })
            })
            .await
    }

    /// What [`Self::apply`] would answer now, without doing it: the jobs as they are, or the refusals.
    pub async fn judge(&self, caller: &Caller, verb: Verb, ids: &[JobId]) -> Result<Outcomes, Error> {
        caller.demand(Scope::OrchRead)?;
        check(verb, ids)?;
        let (tenant, ids) = (caller.tenant.clone(), ids.to_vec());
        self.engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let judged = judge(tx, &tenant, verb, &ids).await?;
                    Ok(judged.into_iter().map(|(id, one)| (id, one.map(view))).collect())
                })
            })
            .await
    }

    /// Does this to one job.
    pub async fn apply_to(&self, caller: &Caller, verb: Verb, id: &JobId) -> Result<Job, Error> {
        let mut outcomes = self.apply(caller, verb, std::slice::from_ref(id)).await?;
        outcomes.pop().map_or_else(|| Err(Error::internal("one job had no answer")), |(_, outcome)| outcome)
    }
}

fn check(verb: Verb, ids: &[JobId]) -> Result<(), Error> {
    if ids.len() > MOST_JOBS {
        return Err(Error::invalid("jobIds", format!("names at most {MOST_JOBS} jobs")));
    }
    match verb {
        Verb::Prioritize(priority) if !(0..=100).contains(&priority) => {
            Err(Error::invalid("priority", "is 0 to 100"))
        }
        Verb::Prioritize(_) | Verb::Cancel | Verb::Retry | Verb::Replay => Ok(()),
    }
}

/// What to do instead: a failed segment comes back with a retry of its run.
fn way_out(verb: Verb, record: &JobRecord) -> String {
    match &record.job.run_id {
        Some(run) if verb.repeats() && record.job.job_type == SEGMENT_JOB && record.job.state.is_final() => {
            format!(" Try `stella runs retry {run} --reason WHY`, or its retry button.")
        }
        Some(_) | None => String::new(),
    }
}

/// Each job as it is, or why it is refused.
pub(crate) async fn judge(
    tx: &mut Tx,
    tenant: &Tenant,
    verb: Verb,
    ids: &[JobId],
) -> Result<Vec<(JobId, Result<JobRecord, Error>)>, Error> {
    let keys: Vec<i64> = ids.iter().map(stella_ledger::key_of).collect();
    let found: HashMap<JobId, JobRecord> = jobs::get_many(tx, &keys)
        .await?
        .into_iter()
        .filter(|record| record.job.tenant == *tenant)
        .map(|record| (record.job.job_id.clone(), record))
        .collect();
    let mut open: HashMap<i64, JobId> = HashMap::new();
    if verb.repeats() {
        let firsts: Vec<i64> = found.values().map(JobRecord::first_key).collect();
        let lineages = edges::lineages(tx, &firsts).await?;
        open.extend(lineages.into_iter().filter_map(|one| Some((one.first_key, one.open?))));
    }
    let mut judged = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(record) = found.get(id) else {
            judged.push((id.clone(), Err(Error::not_found("job", id))));
            continue;
        };
        let refusal = verb
            .refusal(record)
            .map(|why| format!("{why}: `{id}` is {}.{}", record.job.state, way_out(verb, record)));
        let busy = open.get(&record.first_key()).map(|other| {
            format!("`{other}`, which repeats the same job, has not ended. Wait for it or cancel it.")
        });
        judged.push((
            id.clone(),
            match refusal.or(busy) {
                Some(sentence) => Err(Error::new(Code::InvalidTransition, sentence)),
                None => Ok(record.clone()),
            },
        ));
    }
    // Named twice, or by two of its lineage, a job is repeated once.
    if verb.repeats() {
        let mut taken: Vec<i64> = Vec::new();
        for (id, one) in &mut judged {
            let Ok(record) = one else { continue };
            if taken.contains(&record.first_key()) {
                let sentence = format!("`{id}`, or a repeat of it, is named before. Name each job once.");
                *one = Err(Error::new(Code::InvalidTransition, sentence));
                continue;
            }
            taken.push(record.first_key());
        }
    }
    Ok(judged)
}

/// Does this to each of the jobs in this transaction.
#[expect(clippy::too_many_arguments, reason = "the parts of a change that every verb of the engine has")]
pub(crate) async fn apply(
    engine: &Engine,
    tx: &mut Tx,
    tenant: &Tenant,
    verb: Verb,
    ids: &[JobId],
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Outcomes, Error> {
    let judged = judge(tx, tenant, verb, ids).await?;
    let mut records: Vec<JobRecord> = Vec::new();
    for record in judged.iter().filter_map(|(_, one)| one.as_ref().ok()) {
        if records.iter().all(|other| other.key != record.key) {
            records.push(record.clone());
        }
    }
    let done: HashMap<JobId, Job> = match verb {
        Verb::Cancel => named(cancel_many(tx, records, by, now, journal).await?),
        Verb::Prioritize(priority) => named(prioritize_many(tx, records, priority, by, now, journal).await?),
        Verb::Retry | Verb::Replay => {
            let wishes = records.into_iter().map(|record| Again::of(verb, record)).collect();
            repeat_many(engine, tx, wishes, by, now, journal).await?.into_iter().collect()
        }
    };
    let answer = |id: &JobId| done.get(id).cloned().ok_or_else(|| Error::internal("a verb changed nothing"));
    Ok(judged
        .into_iter()
        .map(|(id, one)| {
            let outcome = one.and_then(|_| answer(&id));
            (id, outcome)
        })
        .collect())
}

fn named(records: Vec<JobRecord>) -> HashMap<JobId, Job> {
    records.into_iter().map(|record| (record.job.job_id.clone(), view(record))).collect()
}

/// A job to be repeated.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    /// Whether at high priority, or as it was.
    pub(crate) verb: Verb,
    /// The job, which has ended.
    pub(crate) record: JobRecord,
    /// Another payload than the job's; one of more than 64 KiB lies in the blobs.
    pub(crate) payload: Option<Payload>,
    /// The key of the new job; made from the lineage when absent.
    pub(crate) idempotency_key: Option<String>,
    /// Not to start before.
    pub(crate) not_before: Option<Micros>,
}

impl Again {
    /// The same once more.
    pub(crate) const fn of(verb: Verb, record: JobRecord) -> Self {
        Self { verb, record, payload: None, idempotency_key: None, not_before: None }
    }
}

/// Makes new jobs that repeat these, which were judged in this transaction; as pairs of the old id and the new job.
pub(crate) async fn repeat_many(
    engine: &Engine,
    tx: &mut Tx,
    wishes: Vec<Again>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<(JobId, Job)>, Error> {
    let mut records: Vec<JobRecord> = wishes.iter().map(|wish| wish.record.clone()).collect();
    jobs::add_payloads(tx, &mut records).await?;
    let firsts: Vec<i64> = records.iter().map(JobRecord::first_key).collect();
    let lineages = edges::lineages(tx, &firsts).await?;
    let mut olds = Vec::with_capacity(wishes.len());
    let mut made = Vec::with_capacity(wishes.len());
    for (wish, record) in wishes.into_iter().zip(records) {
        let lineage = lineages.iter().find(|one| one.first_key == record.first_key());
        olds.push((wish.verb, wish.record.job.clone()));
        made.push(again(wish, &record, lineage, by));
    }
    let submitted = insert_many(engine, tx, made, by, now, journal).await?;
    let pairs: Vec<(JobId, Job)> = olds
        .iter()
        .zip(submitted)
        .map(|((verb, old), new)| {
            tell_repeated(old, *verb, &new.job.job_id, by, now, journal);
            (old.job_id.clone(), new.job)
        })
        .collect();
    Ok(pairs)
}

fn again(wish: Again, record: &JobRecord, lineage: Option<&Lineage>, by: &By) -> JobWish {
    let job = &record.job;
    let of = Some(job.job_id.clone());
    let (word, priority, replay_of, retry_of) = match wish.verb {
        Verb::Retry => ("retry", job.priority, None, of),
        Verb::Replay | Verb::Cancel | Verb::Prioritize(_) => {
            ("replay", job.priority.max(REPLAY_PRIORITY), of, None)
        }
    };
    let number = lineage.map_or(0, |lineage| lineage.repeats) + 1;
    let key = wish.idempotency_key.unwrap_or_else(|| format!("{word}:{}:{number}", job.job_id));
    JobWish {
        project: job.project.clone(),
        run_id: job.run_id.clone(),
        source_id: job.source_id.clone(),
        priority,
        idempotency_key: Some(key),
        not_before: wish.not_before,
        max_attempts: job.max_attempts,
        timeout_s: job.timeout_s,
        replay_of,
        retry_of,
        origin_key: Some(record.first_key()),
        traceparent: job.traceparent.clone(),
        created_by: by.actor.subject.clone(),
        ..JobWish::new(
            job.tenant.clone(),
            &job.job_type,
            wish.payload.unwrap_or_else(|| Payload::of_job(record)),
            &job.correlation_id,
        )
    }
}

/// Writes down at the old job that it was repeated, and by which.
fn tell_repeated(old: &Job, verb: Verb, new: &JobId, by: &By, now: Micros, journal: &mut Journal) {
    let word = if verb == Verb::Retry { "retry" } else { "replay" };
    note(old, "orch.job.replayed", json!({ "how": word, "jobId": new }), by, now, journal);
}

async fn prioritize_many(
    tx: &mut Tx,
    records: Vec<JobRecord>,
    priority: i32,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let before: HashMap<i64, i32> = records.iter().map(|record| (record.key, record.job.priority)).collect();
    let keys: Vec<i64> = records.iter().map(|record| record.key).collect();
    let changed = jobs::prioritize_many(tx, &keys, priority).await?;
    for record in &changed {
        let data = json!({ "from": before[&record.key], "to": priority });
        note(&record.job, "orch.job.prioritized", data, by, now, journal);
    }
    Ok(changed)
}

/// Writes down and tells of a job what is no arrow.
fn note(job: &Job, kind: &str, data: serde_json::Value, by: &By, now: Micros, journal: &mut Journal) {
    let draft = Draft {
        job_id: Some(job.job_id.clone()),
        run_id: job.run_id.clone(),
        entity: "job",
        kind: kind.to_owned(),
        from_state: Some(job.state.as_str()),
        to_state: Some(job.state.as_str()),
        attempt: Some(job.attempt),
        lease_epoch: Some(job.lease_epoch),
        actor: by.actor.clone(),
        cause: by.cause.clone(),
        correlation_id: job.correlation_id.clone(),
        occurred_at: now,
        data: data.clone(),
    };
    let tiding = Tiding {
        kind: kind.to_owned(),
        entity: "job",
        id: job.job_id.as_str().to_owned(),
        run_id: job.run_id.clone(),
        correlation_id: job.correlation_id.clone(),
        at: now,
        data: json!({ "state": job.state, "jobType": job.job_type, "priority": job.priority, "note": data }),
    };
    journal.enter(&job.tenant, draft);
    journal.tell(&job.tenant, tiding);
}
