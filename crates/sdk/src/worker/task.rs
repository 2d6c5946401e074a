//! What a handler works with, and what it answers.

use crate::client::Client;
use crate::error::Error;
use crate::floor::Upload;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stella_bundle::{canonical, digest};
use stella_contract::job::ErrorClass;
use stella_contract::lease::{
    LeaseArtifact, LeaseProgress, LogLevel, NamedArtifact, NewLogLine, ReadUpTo, WorkLease,
};
use tokio_util::sync::CancellationToken;

/// A job in hand. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Task {
    pub(super) client: Client,
    pub(super) lease: Arc<WorkLease>,
    pub(super) payload: Arc<Value>,
    pub(super) cancel: CancellationToken,
    pub(super) told: Arc<Mutex<Told>>,
}

/// What waits for the next heartbeat or the report.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) progress: Option<LeaseProgress>,
    pub(super) lines: Vec<NewLogLine>,
    pub(super) left: Vec<NamedArtifact>,
}

impl Task {
    /// The lease: ids, attempt, idempotency key, retry hints, provenance.
    pub fn lease(&self) -> &WorkLease {
        &self.lease
    }

    /// What to work on.
    pub fn payload(&self) -> &Value {
        &self.payload
    }

    /// What to work on, as a type of the worker's; a payload of another shape is a failure that is not tried again.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&*self.payload).map_err(|error| {
            let message = format!("The payload is not of the expected shape: {error}.");
            Failure::new(ErrorClass::SchemaMismatch, "PAYLOAD_SHAPE", &message)
        })
    }

    /// Tells how far it is; the next heartbeat carries it.
    pub fn progress(&self, processed: i64, total: i64, message: &str) {
        let message = Some(message.chars().take(200).collect());
        self.open().progress = Some(LeaseProgress { processed, total, message });
    }

    /// Writes a line about the job; the next heartbeat or the report carries it.
    pub fn log(&self, level: LogLevel, message: impl Into<String>) {
        self.open().lines.push(NewLogLine { level, message: message.into() });
    }

    /// Leaves JSON under a name.
    pub async fn put_json(&self, name: &str, value: &Value) -> Result<LeaseArtifact, Failure> {
        let bytes = canonical::to_vec(value)
            .map_err(|error| Failure::new(ErrorClass::Internal, "NOT_JSON", &format!("{error}.")))?;
        self.put(name, "application/json", bytes.into()).await
    }

    /// Leaves bytes under a name. JSON has to be in its canonical form; see [`Self::put_json`].
    pub async fn put(&self, name: &str, media_type: &str, bytes: Bytes) -> Result<LeaseArtifact, Failure> {
        let digest = digest::of_bytes(&bytes);
        let upload = Upload { name, kind: "output", media_type, digest: &digest, bytes };
        let kept = self.client.floor().put(&self.lease.lease_id, self.lease.lease_epoch, upload).await?;
        let mut told = self.open();
        told.left.retain(|one| one.name != kept.name);
        told.left.push(NamedArtifact { name: kept.name.clone(), digest: kept.digest.clone() });
        Ok(kept)
    }

    /// Whether somebody cancelled the job, or its lease is lost: stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Comes when somebody cancels the job, or its lease is lost.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    pub(super) fn open(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job is done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finished {
    /// What it found, in short.
    pub result: Option<Value>,
    /// How far its source is read now, of a job that reads one.
    pub watermark: Option<ReadUpTo>,
}

impl Finished {
    /// The same, with how far its source is read now.
    #[must_use]
    pub fn read_up_to(self, watermark: ReadUpTo) -> Self {
        Self { watermark: Some(watermark), ..self }
    }
}

impl From<Value> for Finished {
    fn from(result: Value) -> Self {
        Self { result: Some(result), watermark: None }
    }
}

/// The attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why; decides whether it is tried again.
    pub category: ErrorClass,
    /// A stable code, upper case with underscores.
    pub code: String,
    /// A sentence: what, where, what next.
    pub message: String,
    /// The status the far side answered with.
    pub http_status: Option<u16>,
    /// The host that was asked.
    pub host: Option<String>,
    /// When the far side wants to be asked again.
    pub retry_after_ms: Option<u64>,
    /// `Some(false)` when another try cannot help.
    pub retryable: Option<bool>,
}

impl Failure {
    /// A failure of this category.
    pub fn new(category: ErrorClass, code: &str, message: &str) -> Self {
        Self {
            category,
            code: code.to_owned(),
            message: message.to_owned(),
            http_status: None,
            host: None,
            retry_after_ms: None,
            retryable: None,
        }
    }
}

/// The server did not take what was left.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let category = match error.problem() {
            Some(problem) if problem.code.status() < 500 => ErrorClass::Validation,
            Some(_) | None => ErrorClass::Network,
        };
        Self::new(category, "NOT_TAKEN", &error.to_string())
    }
}
