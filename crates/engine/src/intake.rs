//! How jobs come in: wishes are checked, the same key is the same job, what nothing holds is queued at once.

use crate::caller::Caller;
use crate::change::{By, Happened, JobChange, settle};
use crate::edges;
use crate::engine::Engine;
use crate::error::Error;
use crate::gate;
use crate::jobs::{Submitted, view};
use crate::journal::Journal;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use stella_bundle::{canonical, digest};
use stella_contract::edge::{Dependency, MOST_AT_ONCE};
use stella_contract::error::Code;
use stella_contract::ids::{JobId, RunId, SourceId, Tenant};
use stella_contract::job::{Job, JobEvent, JobState, SubmitJob, WaitReason};
use stella_contract::time::Micros;
use stella_ledger::jobs::{JobKey, NewJob};
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, jobs};

/// A payload of more bytes lies in the blobs.
pub(crate) const INLINE_PAYLOAD: usize = 64 * 1024;
const LARGEST_PAYLOAD: usize = 16 * 1024 * 1024;
const LONGEST_KEY: usize = 200;
const DEFAULT_PRIORITY: i32 = 50;
const DEFAULT_ATTEMPTS: i32 = 6;
const DEFAULT_TIMEOUT_S: i64 = 3_600;

/// A payload in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payload {
    /// Empty when it is of a job that is there and lies in the blobs.
    pub(crate) text: String,
    digest: String,
    size: usize,
}

impl Payload {
    /// The digest of the canonical form.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// The canonical form of a value.
    pub(crate) fn of(value: &Value) -> Result<Self, Error> {
        let text = canonical::to_string(value)
            .map_err(|error| Error::invalid("payload", "cannot be written as JSON").with_private(error))?;
        if text.len() > LARGEST_PAYLOAD {
            let sentence = format!("A payload holds at most {LARGEST_PAYLOAD} bytes.");
            return Err(Error::new(Code::PayloadTooLarge, sentence));
        }
        Ok(Self { digest: digest::of_bytes(text.as_bytes()), size: text.len(), text })
    }

    /// The payload of a job that is there; its text lies in the blobs when it is not given.
    pub(crate) fn of_job(record: &JobRecord) -> Self {
        Self {
            text: record.payload.clone().unwrap_or_default(),
            digest: record.job.payload_digest.clone(),
            size: usize::try_from(record.job.payload_size).unwrap_or(usize::MAX),
        }
    }
}

/// A job to be made, checked and complete.
#[derive(Debug, Clone)]
pub(crate) struct JobWish {
    /// Its id, where others of the same call wait for it; chosen when it is made otherwise.
    pub job_id: Option<JobId>,
    /// Whose it is.
    pub tenant: Tenant,
    /// A part of the tenant.
    pub project: Option<String>,
    /// The run it belongs to.
    pub run_id: Option<RunId>,
    /// The source it reads.
    pub source_id: Option<SourceId>,
    /// What it does.
    pub job_type: String,
    /// 0 to 100.
    pub priority: i32,
    /// What to work on.
    pub payload: Payload,
    /// The same key and payload is the same job.
    pub idempotency_key: Option<String>,
    /// Not to start before.
    pub not_before: Option<Micros>,
    /// Attempts allowed.
    pub max_attempts: i32,
    /// Wall time of one attempt.
    pub timeout_s: i64,
    /// The job it repeats.
    pub replay_of: Option<JobId>,
    /// The job it is another try of.
    pub retry_of: Option<JobId>,
    /// The row key of the first job of its lineage, when it repeats one.
    pub origin_key: Option<i64>,
    /// What it waits for.
    pub depends_on: Vec<Dependency>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
    /// Who wants it.
    pub created_by: String,
}

impl JobWish {
    /// The key its caller gave.
    fn key(&self) -> Option<JobKey> {
        Some(JobKey {
            idempotency_key: self.idempotency_key.clone()?,
            tenant: self.tenant.clone(),
            job_type: self.job_type.clone(),
        })
    }
    /// A wish of the engine itself, with the usual settings.
    pub(crate) fn new(tenant: Tenant, job_type: &str, payload: Payload, correlation_id: &str) -> Self {
        Self {
            tenant,
            project: None,
            run_id: None,
            source_id: None,
            job_type: job_type.to_owned(),
            priority: DEFAULT_PRIORITY,
            payload,
            idempotency_key: None,
            job_id: None,
            not_before: None,
            max_attempts: DEFAULT_ATTEMPTS,
            timeout_s: DEFAULT_TIMEOUT_S,
            replay_of: None,
            retry_of: None,
            origin_key: None,
            depends_on: Vec::new(),
            correlation_id: correlation_id.to_owned(),
            traceparent: None,
            created_by: "engine".to_owned(),
        }
    }
}

/// Makes the jobs, in order. What nothing holds is queued at once. A payload beyond 64 KiB has to be in the blobs.
pub(crate) async fn insert_many(
    engine: &Engine,
    tx: &mut Tx,
    wishes: Vec<JobWish>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<Submitted>, Error> {
    let before = Keys::of(tx, &wishes).await?;
    let mut answers: Vec<Option<Submitted>> = Vec::with_capacity(wishes.len());
    let mut rows: Vec<NewJob> = Vec::with_capacity(wishes.len());
    // Which row a key of this very call stands for.
    let mut keys: HashMap<JobKey, usize> = HashMap::new();
    let mut places: Vec<usize> = Vec::with_capacity(wishes.len());
    let mut dependencies: Vec<Vec<Dependency>> = Vec::with_capacity(wishes.len());
    for wish in wishes {
        if let Some(key) = wish.key() {
            if let Some(before) = before.0.get(&key) {
                same_payload(&before.job.payload_digest, &wish.payload.digest)?;
                answers.push(Some(Submitted { job: view(before.clone()), replayed: true }));
                places.push(usize::MAX);
                continue;
            }
            if let Some(row) = keys.get(&key) {
                same_payload(&rows[*row].payload_digest, &wish.payload.digest)?;
                answers.push(None);
                places.push(*row);
                continue;
            }
            keys.insert(key, rows.len());
        }
        answers.push(None);
        places.push(rows.len());
        let mut wish = wish;
        dependencies.push(std::mem::take(&mut wish.depends_on));
        rows.push(row(engine, wish, dependencies.last().is_some_and(|on| !on.is_empty()), by, now));
    }
    hold_at_the_door(engine, tx, &mut rows, now).await?;
    jobs::insert_many(tx, &rows).await?;
    let mut changes = Vec::with_capacity(rows.len() * 2);
    for row in rows {
        let record = fresh(row);
        let is_queued = record.job.state == JobState::Queued;
        let mut waiting = record.clone();
        waiting.job.state = JobState::Pending;
        waiting.job.queued_at = None;
        let (happened, from, outcome, said) = (Happened::Submitted, None, None, None);
        changes.push(JobChange { happened, from, after: waiting, outcome, said });
        if is_queued {
            changes.push(JobChange::along(JobEvent::Queue, JobState::Pending, record));
        }
    }
    settle(tx, &changes, by, now, journal).await?;
    let mut made = last_of_each(changes);
    let bound: Vec<(JobRecord, Vec<Dependency>)> = made
        .iter()
        .zip(dependencies)
        .filter(|(_, on)| !on.is_empty())
        .map(|(record, on)| (record.clone(), on))
        .collect();
    if let Some((one, _)) = bound.first() {
        let tenant = one.job.tenant.clone();
        for after in edges::attach(tx, &tenant, &bound, by, now, journal).await? {
            made.iter_mut()
                .filter(|before| before.key == after.key)
                .for_each(|before| *before = after.clone());
        }
    }
    let jobs: Vec<Job> = made.into_iter().map(view).collect();
    Ok(answered(answers, &places, jobs))
}

/// Puts the jobs that were made to the wishes that are not answered yet; wishes of the same key share one.
fn answered(answers: Vec<Option<Submitted>>, places: &[usize], jobs: Vec<Job>) -> Vec<Submitted> {
    if answers.len() == jobs.len() && answers.iter().all(Option::is_none) {
        // Each wish made its own, in order.
        return jobs.into_iter().map(|job| Submitted { job, replayed: false }).collect();
    }
    let mut first = vec![true; jobs.len()];
    answers
        .into_iter()
        .zip(places)
        .map(|(answer, place)| {
            answer.unwrap_or_else(|| Submitted {
                job: jobs[*place].clone(),
                replayed: !std::mem::replace(&mut first[*place], false),
            })
        })
        .collect()
}

/// The jobs after the last of their changes, which follow each other.
fn last_of_each(changes: Vec<JobChange>) -> Vec<JobRecord> {
    let mut last: Vec<JobRecord> = Vec::with_capacity(changes.len());
    for JobChange { after, .. } in changes {
        match last.last_mut().filter(|before| before.key == after.key) {
            Some(before) => *before = after,
            None => last.push(after),
        }
    }
    last
}

/// The jobs that were there before under the keys of wishes.
#[derive(Debug, Default)]
pub(crate) struct Keys(HashMap<JobKey, JobRecord>);

impl Keys {
    /// Asks once for all of them; nothing when none has a key.
    pub(crate) async fn of(tx: &mut Tx, wishes: impl IntoIterator<Item = &JobWish>) -> Result<Self, Error> {
        let keys: HashSet<JobKey> = wishes.into_iter().filter_map(JobWish::key).collect();
        let found = jobs::by_idempotency(tx, &Vec::from_iter(keys)).await?;
        let key = |record: &JobRecord| JobKey {
            tenant: record.job.tenant.clone(),
            job_type: record.job.job_type.clone(),
            idempotency_key: record.job.idempotency_key.clone(),
        };
        Ok(Self(found.into_iter().map(|record| (key(&record), record)).collect()))
    }
    /// The digest of the payload that each key stands for.
    pub(crate) fn digests(&self) -> HashMap<JobKey, String> {
        self.0.iter().map(|(key, record)| (key.clone(), record.job.payload_digest.clone())).collect()
    }
}

/// Whether these wishes may have their keys; if so, the keys stand for their payloads from now on.
pub(crate) fn demand_keys(digests: &mut HashMap<JobKey, String>, wishes: &[JobWish]) -> Result<(), Error> {
    let mut own: HashMap<JobKey, &str> = HashMap::new();
    for wish in wishes {
        let Some(key) = wish.key() else { continue };
        if let Some(before) = digests.get(&key).map(String::as_str).or_else(|| own.get(&key).copied()) {
            same_payload(before, &wish.payload.digest)?;
        }
        own.insert(key, &wish.payload.digest);
    }
    digests.extend(own.into_iter().map(|(key, digest)| (key, digest.to_owned())));
    Ok(())
}

/// What a limit holds waits from the beginning, so that a deep queue under a limit is not made ready first.
async fn hold_at_the_door(
    engine: &Engine,
    tx: &mut Tx,
    rows: &mut [NewJob],
    now: Micros,
) -> Result<(), Error> {
    if !engine.may_be_limited() {
        return Ok(());
    }
    let queued: Vec<JobRecord> =
        rows.iter().filter(|row| row.state == JobState::Queued).cloned().map(fresh).collect();
    for hold in gate::at_the_door(engine, tx, &queued, now).await? {
        let held = rows.iter_mut().find(|row| stella_ledger::key_of(&row.job_id) == hold.key);
        held.into_iter().for_each(|row| {
            row.state = JobState::Pending;
            row.wait_reason = Some(hold.wait_reason);
            row.next_eligible_at = hold.next_eligible_at;
        });
    }
    Ok(())
}

fn same_payload(before: &str, now: &str) -> Result<(), Error> {
    if before == now {
        return Ok(());
    }
    Err(Error::new(
        Code::IdempotencyKeyReused,
        "This idempotency key belongs to a job with another payload. Use a new key for a new job.",
    ))
}

fn row(engine: &Engine, wish: JobWish, is_bound: bool, by: &By, now: Micros) -> NewJob {
    let waits_for_time = wish.not_before.is_some_and(|at| at > now);
    let size = wish.payload.size;
    let wait_reason = match (is_bound, waits_for_time) {
        (true, _) => Some(WaitReason::Dependency),
        (false, true) => Some(WaitReason::NotBefore),
        (false, false) => None,
    };
    NewJob {
        job_id: wish.job_id.unwrap_or_else(|| JobId::from_uuid(&engine.uuid(now))),
        tenant: wish.tenant,
        project: wish.project,
        run_id: wish.run_id,
        source_id: wish.source_id,
        job_type: wish.job_type,
        priority: wish.priority,
        state: if wait_reason.is_some() { JobState::Pending } else { JobState::Queued },
        wait_reason,
        next_eligible_at: wish.not_before.filter(|_| wait_reason == Some(WaitReason::NotBefore)),
        not_before: wish.not_before,
        payload_digest: wish.payload.digest,
        payload_size: i64::try_from(size).unwrap_or(i64::MAX),
        payload: (size <= INLINE_PAYLOAD).then_some(wish.payload.text),
        idempotency_key: wish.idempotency_key,
        max_attempts: wish.max_attempts,
        timeout_s: wish.timeout_s,
        replay_of: wish.replay_of,
        retry_of: wish.retry_of,
        origin_key: wish.origin_key,
        correlation_id: wish.correlation_id,
        traceparent: wish.traceparent,
        created_by: wish.created_by,
        reason: by.cause.reason.clone(),
        ticket: by.cause.ticket.clone(),
        created_at: now,
    }
}

/// The record of a row that was just written, without reading it again.
fn fresh(row: NewJob) -> JobRecord {
    JobRecord {
        key: stella_ledger::key_of(&row.job_id),
        payload: row.payload,
        ack_timeouts: 0,
        attempt_started_at: None,
        error_status: None,
        error_host: None,
        origin_key: row.origin_key,
        job: Job {
            idempotency_key: row.idempotency_key.unwrap_or_else(|| row.job_id.as_str().to_owned()),
            job_id: row.job_id,
            tenant: row.tenant,
            project: row.project,
            run_id: row.run_id,
            source_id: row.source_id,
            job_type: row.job_type,
            priority: row.priority,
            state: row.state,
            wait_reason: row.wait_reason,
            next_eligible_at: row.next_eligible_at,
            not_before: row.not_before,
            payload_digest: row.payload_digest,
            payload_size: row.payload_size,
            attempt: 0,
            max_attempts: row.max_attempts,
            timeout_s: row.timeout_s,
            lease_id: None,
            lease_epoch: 0,
            lease_until: None,
            worker_id: None,
            progress: 0.0,
            progress_message: None,
            processed: 0,
            total: 0,
            error_code: None,
            error_class: None,
            error_message: None,
            error_fingerprint: None,
            retryable: None,
            replay_of: row.replay_of,
            retry_of: row.retry_of,
            dead_letter_id: None,
            task_runner_id: None,
            correlation_id: row.correlation_id,
            traceparent: row.traceparent,
            created_by: row.created_by,
            reason: row.reason,
            ticket: row.ticket,
            inputs_hash: String::new(),
            outputs_hash: None,
            created_at: row.created_at,
            queued_at: (row.state == JobState::Queued).then_some(row.created_at),
            started_at: None,
            ended_at: None,
            duration_ms: None,
            cancel_requested_at: None,
            version: 1,
        },
    }
}

/// A caller's wish, checked and complete.
pub(crate) fn of_caller(caller: &Caller, wish: SubmitJob) -> Result<JobWish, Error> {
    check(&wish)?;
    Ok(JobWish {
        job_id: None,
        tenant: caller.tenant.clone(),
        project: wish.project,
        run_id: wish.run_id,
        source_id: None,
        job_type: wish.job_type,
        priority: wish.priority.unwrap_or(DEFAULT_PRIORITY),
        payload: Payload::of(&wish.payload)?,
        idempotency_key: wish.idempotency_key,
        not_before: wish.not_before,
        max_attempts: wish.max_attempts.unwrap_or(DEFAULT_ATTEMPTS),
        timeout_s: wish.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S),
        replay_of: None,
        retry_of: None,
        origin_key: None,
        depends_on: wish.depends_on,
        traceparent: wish.traceparent,
        correlation_id: wish.correlation_id.unwrap_or_else(|| caller.correlation_id.clone()),
        created_by: caller.subject.clone(),
    })
}

/// A job type as it may be written, or what one looks like.
pub(crate) fn checked_job_type(field: &str, text: &str) -> Result<String, Error> {
    let mut letters = text.bytes();
    let first = letters.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-';
    if !first || !(2..=64).contains(&text.len()) || !letters.all(plain) {
        return Err(Error::invalid(field, "has 2 to 64 of a-z, 0-9, `.` and `-`, a letter first"));
    }
    Ok(text.to_owned())
}

fn check(wish: &SubmitJob) -> Result<(), Error> {
    checked_job_type("jobType", &wish.job_type)?;
    if wish.priority.is_some_and(|priority| !(0..=100).contains(&priority)) {
        return Err(Error::invalid("priority", "is 0 to 100"));
    }
    if wish.max_attempts.is_some_and(|attempts| !(1..=100).contains(&attempts)) {
        return Err(Error::invalid("maxAttempts", "is 1 to 100"));
    }
    if wish.timeout_s.is_some_and(|seconds| !(1..=7 * 24 * 3_600).contains(&seconds)) {
        return Err(Error::invalid("timeoutS", "is 1 to 604800 seconds"));
    }
    let too_long = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > LONGEST_KEY)
    };
    for (field, text) in [
        ("idempotencyKey", &wish.idempotency_key),
        ("project", &wish.project),
        ("correlationId", &wish.correlation_id),
    ] {
        if too_long(text) {
            return Err(Error::invalid(field, "has 1 to 200 characters"));
        }
    }
    if wish.depends_on.len() > MOST_AT_ONCE {
        return Err(Error::invalid("dependsOn", format!("has at most {MOST_AT_ONCE} jobs")));
    }
    if wish.traceparent.as_deref().is_some_and(|text| !is_traceparent(text)) {
        return Err(Error::invalid("traceparent", "is `00-<32 hex>-<16 hex>-<2 hex>`"));
    }
    Ok(())
}

/// Version 00 of W3C Trace Context; ids of zeros are none.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else { return false };
    let is_hex = |part: &str, length: usize| {
        part.len() == length
            && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_some = |part: &str| part.bytes().any(|byte| byte != b'0');
    *version == "00"
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && is_some(trace)
        && is_some(parent)
}
