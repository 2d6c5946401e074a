//! Dead letters: jobs that failed for good, one row each under the key of their job. Lists are in
//! `dead_letter_lists`, figures in `dead_letter_figures`.

mod change;
mod keep;

pub use change::{Change, change_many};
pub use keep::{forget, name_many, unnamed};

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::query::Value;
use crate::record::Cell;
use crate::set::{execute, fetch, insert, json};
use sqlx::FromRow;
use stella_contract::dead_letter::{DeadLetter, DeadLetterState};
use stella_contract::ids::{DeadLetterId, JobId, RunId, SourceId, Tenant, WorkerId};
use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;

/// The columns of `dead_letters`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Row {
    key: i64,
    entry_id: String,
    tenant: String,
    job_id: String,
    run_id: Option<String>,
    source_id: Option<String>,
    job_type: String,
    priority: i64,
    category: String,
    error_code: String,
    error_message: String,
    fingerprint: String,
    http_status: Option<i64>,
    host: Option<String>,
    attempts: i64,
    first_failed_at: i64,
    dead_lettered_at: i64,
    last_worker_id: Option<String>,
    payload_digest: String,
    retryable: i64,
    state: String,
    replay_count: i64,
    last_replay_job_id: Option<String>,
    last_replay_key: Option<i64>,
    last_replay_at: Option<i64>,
    resolution: Option<String>,
    note: Option<String>,
    resolved_by: Option<String>,
    resolved_at: Option<i64>,
    owner: Option<String>,
    acknowledged_by: Option<String>,
    acknowledged_at: Option<i64>,
    due_at: Option<i64>,
    correlation_id: String,
    version: i64,
}

/// An entry with what only the engine needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetterRecord {
    /// Its row key, which is that of its job.
    pub key: i64,
    /// The entry.
    pub entry: DeadLetter,
    /// The priority of its job.
    pub priority: i32,
    /// The row key of the job that repeats it, or last did.
    pub last_replay_key: Option<i64>,
}

impl TryFrom<Row> for DeadLetterRecord {
    type Error = LedgerError;

    fn try_from(row: Row) -> Result<Self, LedgerError> {
        let id = row.entry_id.clone();
        let cell = Cell { table: "dead_letters", id: &id };
        let category: ErrorClass = cell.word("category", row.category)?;
        let entry = DeadLetter {
            entry_id: cell.word("entry_id", row.entry_id)?,
            tenant: cell.word("tenant", row.tenant)?,
            payload_ref: format!("/api/v1/jobs/{}", row.job_id),
            job_id: cell.word("job_id", row.job_id)?,
            run_id: cell.maybe("run_id", row.run_id)?,
            source_id: cell.maybe("source_id", row.source_id)?,
            job_type: row.job_type,
            category,
            error_code: row.error_code,
            error_class: category,
            error_message: row.error_message,
            fingerprint: row.fingerprint,
            http_status: row.http_status.map(|status| cell.small("http_status", status)).transpose()?,
            host: row.host,
            attempts: cell.small("attempts", row.attempts)?,
            first_failed_at: Micros(row.first_failed_at),
            dead_lettered_at: Micros(row.dead_lettered_at),
            last_worker_id: cell.maybe("last_worker_id", row.last_worker_id)?,
            payload_digest: row.payload_digest,
            retryable: row.retryable == 1,
            state: cell.word("state", row.state)?,
            replay_count: cell.small("replay_count", row.replay_count)?,
            last_replay_job_id: cell.maybe("last_replay_job_id", row.last_replay_job_id)?,
            last_replay_at: row.last_replay_at.map(Micros),
            resolution: cell.maybe("resolution", row.resolution)?,
            note: row.note,
            resolved_by: row.resolved_by,
            resolved_at: row.resolved_at.map(Micros),
            owner: row.owner,
            acknowledged_by: row.acknowledged_by,
            acknowledged_at: row.acknowledged_at.map(Micros),
            due_at: row.due_at.map(Micros),
            correlation_id: row.correlation_id,
            version: row.version,
        };
        let priority = cell.small("priority", row.priority)?;
        Ok(Self { key: row.key, entry, priority, last_replay_key: row.last_replay_key })
    }
}

pub(crate) fn records(rows: Vec<Row>) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    rows.into_iter().map(DeadLetterRecord::try_from).collect()
}

/// What failed in the last attempt of a job, as the dead letter keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The category.
    pub category: ErrorClass,
    /// A stable code.
    pub error_code: String,
    /// A sentence, redacted.
    pub error_message: String,
    /// What entries of this cause share.
    pub fingerprint: String,
    /// What the far side answered.
    pub http_status: Option<i64>,
    /// The far side.
    pub host: Option<String>,
    /// Who made the attempt.
    pub worker_id: Option<WorkerId>,
}

/// An entry to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// The job that failed; its key is the entry's.
    pub job_id: JobId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The run it belonged to.
    pub run_id: Option<RunId>,
    /// The source it read.
    pub source_id: Option<SourceId>,
    /// What it did.
    pub job_type: String,
    /// Its priority.
    pub priority: i32,
    /// What failed.
    pub failed: Failed,
    /// Attempts that were made.
    pub attempts: i32,
    /// When it failed for good; an earlier failure is looked for in the history.
    pub dead_lettered_at: Micros,
    /// SHA-256 of its payload.
    pub payload_digest: String,
    /// Binds everything of one cause together.
    pub correlation_id: String,
}

impl NewDeadLetter {
    /// Its id: the UUID of its job.
    pub fn entry_id(&self) -> DeadLetterId {
        DeadLetterId::from_uuid(self.job_id.uuid())
    }
}

/// The row key of an entry.
pub fn key_of(id: &DeadLetterId) -> i64 {
    crate::key::key_of_uuid(id.uuid())
}

const INSERT: &str = "
    insert into dead_letters (key, entry_id, tenant, job_id, run_id, source_id, job_type, priority, category, error_code,
        error_message, fingerprint, http_status, host, attempts, first_failed_at, dead_lettered_at, last_worker_id,
        payload_digest, retryable, state, replay_count, correlation_id, version)
    values";

/// A job's first failure is the first entry of its history that ended an attempt with one.
const FIRST_FAILURES: Sql = Sql {
    sqlite: "
        update dead_letters
        set first_failed_at = coalesce((
            select min(occurred_at)
            from history
            where history.job_key = dead_letters.key
              and history.type = 'orch.job.retry'), first_failed_at)
        where key in (select value from json_each($1))",
    postgres: "
        update dead_letters
        set first_failed_at = coalesce((
            select min(occurred_at)
            from history
            where history.job_key = dead_letters.key
              and history.type = 'orch.job.retry'), first_failed_at)
        where key in (select value::bigint from json_array_elements_text($1::json))",
};

const NAME_ON_JOBS: Sql = Sql {
    sqlite: "
        update jobs
        set dead_letter_id = 'dl_' || substr(job_id, 5)
        where key in (select value from json_each($1))",
    postgres: "
        update jobs
        set dead_letter_id = 'dl_' || substr(job_id, 5)
        where key in (select value::bigint from json_array_elements_text($1::json))",
};

/// Makes the entries and names them on their jobs.
pub async fn insert_many(tx: &mut Tx, entries: &[NewDeadLetter]) -> Result<(), LedgerError> {
    let rows: Vec<Vec<Value>> = entries.iter().map(row).collect();
    let keys: Vec<i64> = entries.iter().map(|new| crate::key_of(&new.job_id)).collect();
    insert(tx, INSERT, rows).await?;
    execute(tx, NAME_ON_JOBS, json(&keys)?).await?;
    let tried: Vec<i64> =
        entries.iter().filter(|new| new.attempts > 1).map(|new| crate::key_of(&new.job_id)).collect();
    if !tried.is_empty() {
        execute(tx, FIRST_FAILURES, json(&tried)?).await?;
    }
    tx.note_work();
    Ok(())
}

fn row(new: &NewDeadLetter) -> Vec<Value> {
    let failed = &new.failed;
    vec![
        crate::key_of(&new.job_id).into(),
        new.entry_id().as_str().into(),
        new.tenant.as_str().into(),
        new.job_id.as_str().into(),
        new.run_id.as_ref().map(RunId::as_str).into(),
        new.source_id.as_ref().map(SourceId::as_str).into(),
        new.job_type.as_str().into(),
        i64::from(new.priority).into(),
        failed.category.as_str().into(),
        failed.error_code.as_str().into(),
        failed.error_message.as_str().into(),
        failed.fingerprint.as_str().into(),
        failed.http_status.into(),
        failed.host.as_deref().into(),
        i64::from(new.attempts).into(),
        new.dead_lettered_at.0.into(),
        new.dead_lettered_at.0.into(),
        failed.worker_id.as_ref().map(WorkerId::as_str).into(),
        new.payload_digest.as_str().into(),
        i64::from(failed.category.is_retryable()).into(),
        DeadLetterState::Open.as_str().into(),
        0.into(),
        new.correlation_id.as_str().into(),
        1.into(),
    ]
}

const GET: Sql = Sql {
    sqlite: "select * from dead_letters where key in (select value from json_each($1)) order by dead_lettered_at, key",
    postgres: "
        select *
        from dead_letters
        where key in (select value::bigint from json_array_elements_text($1::json))
        order by dead_lettered_at, key",
};

/// The entries with these row keys, oldest first; those that are not there are left out.
pub async fn get_many(tx: &mut Tx, keys: &[i64]) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    records(fetch(tx, GET, json(keys)?).await?)
}

/// The entry, when it is there and of this tenant.
pub async fn get(
    tx: &mut Tx,
    tenant: &Tenant,
    id: &DeadLetterId,
) -> Result<Option<DeadLetterRecord>, LedgerError> {
    let found = get_many(tx, &[key_of(id)]).await?;
    Ok(found.into_iter().find(|record| record.entry.entry_id == *id && record.entry.tenant == *tenant))
}

const OPEN_OF: Sql = Sql {
    sqlite: "
        select *
        from dead_letters
        where key in (
            select key
            from dead_letters
            where key in (select value from json_each($1))
            union
            select key
            from dead_letters
            where last_replay_key in (select value from json_each($1)))
          and state = 'open'
        order by key",
    postgres: "
        select *
        from dead_letters
        where key in (
            select key
            from dead_letters
            where key in (select value::bigint from json_array_elements_text($1::json))
            union
            select key
            from dead_letters
            where last_replay_key in (select value::bigint from json_array_elements_text($1::json)))
          and state = 'open'
        order by key",
};

/// The open entries of these jobs, and those that these jobs repeated last.
pub async fn open_of(tx: &mut Tx, job_keys: &[i64]) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    records(fetch(tx, OPEN_OF, json(job_keys)?).await?)
}

const FAR_SIDES: Sql = Sql {
    sqlite: "select key, error_status, error_host from jobs where key in (select value from json_each($1))",
    postgres: "
        select key, error_status, error_host
        from jobs
        where key in (select value::bigint from json_array_elements_text($1::json))",
};

/// What the far side answered to the last attempts of these jobs, and who it was; by the jobs' row keys.
pub async fn far_sides(
    tx: &mut Tx,
    job_keys: &[i64],
) -> Result<Vec<(i64, Option<i64>, Option<String>)>, LedgerError> {
    fetch(tx, FAR_SIDES, json(job_keys)?).await
}

const NAME_OTHERS: Sql = Sql {
    sqlite: "
        update jobs
        set dead_letter_id = dead_letters.entry_id
        from json_each($1) as said
        join dead_letters on dead_letters.key = said.value ->> 1
        where jobs.key = said.value ->> 0",
    postgres: "
        update jobs
        set dead_letter_id = dead_letters.entry_id
        from json_array_elements($1::json) as said (pair)
        join dead_letters on dead_letters.key = (said.pair ->> 1)::bigint
        where jobs.key = (said.pair ->> 0)::bigint",
};

/// Names entries on jobs that repeated them, as pairs of the job's and the entry's row key.
pub async fn name_on_jobs(tx: &mut Tx, pairs: &[(i64, i64)]) -> Result<(), LedgerError> {
    if pairs.is_empty() {
        return Ok(());
    }
    execute(tx, NAME_OTHERS, json(pairs)?).await
}

const REPLAYED_BY: Sql = Sql {
    sqlite: "
        select *
        from dead_letters
        where state = 'replaying'
          and last_replay_key in (select value from json_each($1))
        order by key",
    postgres: "
        select *
        from dead_letters
        where state = 'replaying'
          and last_replay_key in (select value::bigint from json_array_elements_text($1::json))
        order by key",
};

/// The entries that are just being repeated by jobs with these row keys.
pub async fn replayed_by(tx: &mut Tx, job_keys: &[i64]) -> Result<Vec<DeadLetterRecord>, LedgerError> {
    records(fetch(tx, REPLAYED_BY, json(job_keys)?).await?)
}
