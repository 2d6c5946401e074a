//! What the workers of this process do for each job type.

use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::work::{Lease, Progress};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use stella_contract::error::Code;
use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;
use stella_ledger::{BoxFuture, Tx};
use tokio_util::sync::CancellationToken;

/// Does the jobs of some types. It may be asked again for a job that it began before: what it does outside of its
/// effect must bear that.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The job types it does.
    fn job_types(&self) -> &[&str];
    /// Says what is wrong with a payload that somebody wrote by hand; it is shown to them.
    fn check(&self, _payload: &Value) -> Result<(), String> {
        Ok(())
    }
    /// Does one job.
    async fn run(&self, ctx: &JobContext, lease: &Lease) -> Result<Done, Failure>;
}

/// Changes that belong to a job's success: they run in the transaction that completes the job, after its fence was
/// checked, so that both are kept or neither. What they return is written down and told in the same transaction.
pub type Effect =
    Box<dyn for<'t> FnOnce(&'t mut Tx, Micros) -> BoxFuture<'t, Result<EffectOut, Error>> + Send>;

/// What an effect has to write down and to tell.
pub type EffectOut = Journal;

/// A job is done.
#[derive(Default)]
pub struct Done {
    /// What it found, in short; `Null` when there is nothing to say.
    pub result: Value,
    /// What it leaves.
    pub artifacts: Vec<NewArtifact>,
    /// What changes with its success.
    pub effect: Option<Effect>,
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Done")
            .field("result", &self.result)
            .field("artifacts", &self.artifacts.len())
            .field("effect", &self.effect.is_some())
            .finish()
    }
}

/// Bytes that a job leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArtifact {
    /// Unique within the job.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Its media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Bytes,
    /// The digest the worker computed; checked when given.
    pub digest: Option<String>,
}

/// An attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Decides whether it is tried again.
    pub class: ErrorClass,
    /// A stable code.
    pub code: String,
    /// A sentence: what, where, what next.
    pub message: String,
    /// When the far side wants to be asked again.
    pub retry_after_ms: Option<u64>,
    /// What the far side answered.
    pub http_status: Option<u16>,
    /// The far side.
    pub host: Option<String>,
    /// Another attempt cannot help, whatever the class says.
    pub is_final: bool,
}

impl Failure {
    /// A failure without a wish for time and without a far side.
    pub fn new(class: ErrorClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            code: code.into(),
            message: message.into(),
            retry_after_ms: None,
            http_status: None,
            host: None,
            is_final: false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let class = class_of(error.code);
        if let Some(private) = &error.private {
            tracing::warn!(code = %error.code, private, "a job failed");
        }
        Self {
            class,
            code: error.code.as_str().to_owned(),
            message: error.public,
            retry_after_ms: error.retry_after_ms,
            http_status: None,
            host: None,
            is_final: false,
        }
    }
}

/// The class of a refusal; what is not named here will not mend by itself.
fn class_of(code: Code) -> ErrorClass {
    const CLASSES: &[(ErrorClass, &[Code])] = &[
        (
            ErrorClass::Resource,
            &[Code::LedgerUnavailable, Code::LedgerLocked, Code::NoSpace, Code::NotWritable],
        ),
        (ErrorClass::Network, &[Code::SourceUnreachable]),
        (ErrorClass::UpstreamThrottle, &[Code::RateLimited]),
        (ErrorClass::ParseError, &[Code::FeedInvalid, Code::SbomInvalid]),
        (ErrorClass::SchemaMismatch, &[Code::SbomUnsupported]),
        (ErrorClass::Auth, &[Code::Unauthenticated, Code::ScopeMissing, Code::ReadOnly]),
        (ErrorClass::OfflineBlocked, &[Code::SealedMode]),
        (ErrorClass::Internal, &[Code::Internal]),
    ];
    CLASSES
        .iter()
        .find(|(_, codes)| codes.contains(&code))
        .map_or(ErrorClass::Validation, |(class, _)| *class)
}

/// What a handler works with.
pub struct JobContext {
    /// The engine.
    pub engine: Engine,
    /// Set when the job is cancelled or its lease is lost: stop, and leave nothing.
    pub cancel: CancellationToken,
    pub(crate) told: Arc<Mutex<Option<Progress>>>,
}

impl JobContext {
    /// Tells how far it is; the next heartbeat carries it.
    pub fn progress(&self, processed: i64, total: i64, message: &str) {
        let message = message.chars().take(200).collect::<String>();
        let progress = Progress { processed, total, message: Some(message) };
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }
}

/// Who does what.
#[derive(Clone, Default)]
pub struct Registry {
    handlers: BTreeMap<String, Arc<dyn Handler>>,
}

impl Registry {
    /// The handlers of this product.
    pub fn standard() -> Self {
        Self::default().with(crate::ingest::Ingest).with(crate::runs::ScanSegment)
    }
    /// Adds a handler; the last one of a job type counts.
    #[must_use]
    pub fn with(mut self, handler: impl Handler) -> Self {
        let handler: Arc<dyn Handler> = Arc::new(handler);
        for job_type in handler.job_types() {
            self.handlers.insert((*job_type).to_owned(), handler.clone());
        }
        self
    }
    /// The job types that somebody does.
    pub fn job_types(&self) -> Vec<String> {
        self.handlers.keys().cloned().collect()
    }
    /// Who does this job type.
    pub fn get(&self, job_type: &str) -> Option<Arc<dyn Handler>> {
        self.handlers.get(job_type).cloned()
    }
}
