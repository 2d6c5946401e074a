//! A job's row as it lies in the table, and as the engine reads it.

use crate::error::LedgerError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use stella_contract::job::Job;
use stella_contract::time::Micros;

/// A job with what only the engine needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Its row key.
    pub key: i64,
    /// The job. `inputs_hash`, `duration_ms`, `error_fingerprint` and `retryable` are left empty: they follow from the
    /// rest.
    pub job: Job,
    /// Its canonical payload, when it was asked for or lies in the row.
    pub payload: Option<String>,
    /// Claims in a row that no worker acknowledged.
    pub ack_timeouts: i64,
    /// When the attempt at hand was acknowledged.
    pub attempt_started_at: Option<Micros>,
    /// The HTTP status with which the last attempt failed, when the far side gave one.
    pub error_status: Option<i64>,
    /// The far side of the last attempt that failed.
    pub error_host: Option<String>,
    /// The row key of the first job of its lineage; `None` for that one itself.
    pub origin_key: Option<i64>,
}

impl JobRecord {
    /// The row key of the first job of its lineage.
    pub fn first_key(&self) -> i64 {
        self.origin_key.unwrap_or(self.key)
    }
}

/// The columns of `jobs`, in the order of `packed_job`.
#[derive(Debug, Clone, PartialEq, FromRow, Deserialize)]
pub struct JobRow {
    key: i64,
    job_id: String,
    tenant: String,
    project: Option<String>,
    run_id: Option<String>,
    source_id: Option<String>,
    job_type: String,
    priority: i64,
    state: String,
    wait_reason: Option<String>,
    next_eligible_at: Option<i64>,
    not_before: Option<i64>,
    payload_digest: String,
    payload_size: i64,
    #[serde(skip)]
    payload: Option<String>,
    idempotency_key: Option<String>,
    attempt: i64,
    max_attempts: i64,
    timeout_s: i64,
    lease_id: Option<String>,
    lease_epoch: i64,
    lease_until: Option<i64>,
    worker_id: Option<String>,
    ack_timeouts: i64,
    #[serde(skip)]
    progress: f64,
    progress_message: Option<String>,
    processed: i64,
    total: i64,
    error_code: Option<String>,
    error_class: Option<String>,
    error_message: Option<String>,
    error_status: Option<i64>,
    error_host: Option<String>,
    replay_of: Option<String>,
    retry_of: Option<String>,
    dead_letter_id: Option<String>,
    origin_key: Option<i64>,
    task_runner_id: Option<String>,
    correlation_id: String,
    traceparent: Option<String>,
    created_by: String,
    reason: Option<String>,
    ticket: Option<String>,
    outputs_hash: Option<String>,
    created_at: i64,
    queued_at: Option<i64>,
    started_at: Option<i64>,
    attempt_started_at: Option<i64>,
    ended_at: Option<i64>,
    cancel_requested_at: Option<i64>,
    version: i64,
}

/// What SQLite hands out of a job's row where it is hot: its driver copies each value for itself, and one text of fifty
/// columns costs a third of fifty values. The payload needs no escaping so, and the progress keeps all its digits.
macro_rules! packed_job {
    () => {
        "json_array(key, job_id, tenant, project, run_id, source_id, job_type, priority, state,
            wait_reason, next_eligible_at, not_before, payload_digest, payload_size, idempotency_key,
            attempt, max_attempts, timeout_s, lease_id, lease_epoch, lease_until, worker_id, ack_timeouts,
            progress_message, processed, total, error_code, error_class, error_message, error_status,
            error_host, replay_of, retry_of, dead_letter_id, origin_key, task_runner_id, correlation_id,
            traceparent, created_by, reason, ticket, outputs_hash, created_at, queued_at, started_at,
            attempt_started_at, ended_at, cancel_requested_at, version), payload, progress"
    };
}
pub(crate) use packed_job;

/// A row of `jobs` as a hot statement hands it out: packed by SQLite, plain by Postgres.
#[derive(Debug)]
pub(crate) struct HotRow(JobRow);

impl FromRow<'_, PgRow> for HotRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        JobRow::from_row(row).map(Self)
    }
}

impl FromRow<'_, SqliteRow> for HotRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let columns: JobRow =
            serde_json::from_str(row.try_get(0)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Self(JobRow { payload: row.try_get(1)?, progress: row.try_get(2)?, ..columns }))
    }
}

impl TryFrom<JobRow> for JobRecord {
    type Error = LedgerError;

    fn try_from(row: JobRow) -> Result<Self, LedgerError> {
        let id = row.job_id.clone();
        let cell = Cell { table: "jobs", id: &id };
        let job = Job {
            idempotency_key: row.idempotency_key.unwrap_or_else(|| row.job_id.clone()),
            job_id: cell.id("job_id", row.job_id)?,
            tenant: cell.id("tenant", row.tenant)?,
            project: row.project,
            run_id: cell.maybe_id("run_id", row.run_id)?,
            source_id: cell.maybe_id("source_id", row.source_id)?,
            job_type: row.job_type,
            priority: cell.small("priority", row.priority)?,
            state: cell.word("state", row.state)?,
            wait_reason: cell.maybe("wait_reason", row.wait_reason)?,
            next_eligible_at: row.next_eligible_at.map(Micros),
            not_before: row.not_before.map(Micros),
            payload_digest: row.payload_digest,
            payload_size: row.payload_size,
            attempt: cell.small("attempt", row.attempt)?,
            max_attempts: cell.small("max_attempts", row.max_attempts)?,
            timeout_s: row.timeout_s,
            lease_id: cell.maybe_id("lease_id", row.lease_id)?,
            lease_epoch: row.lease_epoch,
            lease_until: row.lease_until.map(Micros),
            worker_id: cell.maybe_id("worker_id", row.worker_id)?,
            progress: row.progress,
            progress_message: row.progress_message,
            processed: row.processed,
            total: row.total,
            error_code: row.error_code,
            error_class: cell.maybe("error_class", row.error_class)?,
            error_message: row.error_message,
            error_fingerprint: None,
            retryable: None,
            replay_of: cell.maybe_id("replay_of", row.replay_of)?,
            retry_of: cell.maybe_id("retry_of", row.retry_of)?,
            dead_letter_id: row.dead_letter_id,
            task_runner_id: row.task_runner_id,
            correlation_id: row.correlation_id,
            traceparent: row.traceparent,
            created_by: row.created_by,
            reason: row.reason,
            ticket: row.ticket,
            inputs_hash: String::new(),
            outputs_hash: row.outputs_hash,
            created_at: Micros(row.created_at),
            queued_at: row.queued_at.map(Micros),
            started_at: row.started_at.map(Micros),
            ended_at: row.ended_at.map(Micros),
            duration_ms: None,
            cancel_requested_at: row.cancel_requested_at.map(Micros),
            version: row.version,
        };
        Ok(Self {
            key: row.key,
            job,
            payload: row.payload,
            ack_timeouts: row.ack_timeouts,
            attempt_started_at: row.attempt_started_at.map(Micros),
            error_status: row.error_status,
            error_host: row.error_host,
            origin_key: row.origin_key,
        })
    }
}

pub(crate) fn records(rows: Vec<JobRow>) -> Result<Vec<JobRecord>, LedgerError> {
    rows.into_iter().map(JobRecord::try_from).collect()
}

pub(crate) fn hot_records(rows: Vec<HotRow>) -> Result<Vec<JobRecord>, LedgerError> {
    rows.into_iter().map(|HotRow(row)| JobRecord::try_from(row)).collect()
}

/// Reads cells of one row; what cannot be read is named.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub id: &'a str,
}

impl Cell<'_> {
    fn corrupt(self, column: &'static str) -> LedgerError {
        LedgerError::corrupt(self.table, column, self.id)
    }
    /// An id, which is taken over as it is.
    pub fn id<T: TryFrom<String>>(self, column: &'static str, text: String) -> Result<T, LedgerError> {
        T::try_from(text).map_err(|_| self.corrupt(column))
    }
    /// The same, when there is one.
    pub fn maybe_id<T: TryFrom<String>>(
        self,
        column: &'static str,
        text: Option<String>,
    ) -> Result<Option<T>, LedgerError> {
        text.map(|text| self.id(column, text)).transpose()
    }
    /// An id, a state or another word.
    pub fn word<T: std::str::FromStr>(self, column: &'static str, text: String) -> Result<T, LedgerError> {
        text.parse().map_err(|_| self.corrupt(column))
    }
    /// The same, when there is one.
    pub fn maybe<T: std::str::FromStr>(
        self,
        column: &'static str,
        text: Option<String>,
    ) -> Result<Option<T>, LedgerError> {
        text.map(|text| self.word(column, text)).transpose()
    }
    /// A number that fits in 32 bits.
    pub fn small(self, column: &'static str, number: i64) -> Result<i32, LedgerError> {
        i32::try_from(number).map_err(|_| self.corrupt(column))
    }
    /// JSON.
    pub fn json<T: DeserializeOwned>(self, column: &'static str, text: &str) -> Result<T, LedgerError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(column))
    }
}
