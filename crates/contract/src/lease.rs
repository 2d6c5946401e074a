//! What workers and the server say to each other over HTTP (spec 09 §9.3). Workers use the durations and never the
//! absolute times: their clocks may be wrong.

use crate::error::Code;
use crate::ids::{JobId, LeaseId, Tenant, WorkerId};
use crate::job::{ErrorClass, JobState};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// The longest a claim waits for work, in seconds.
pub const LONGEST_WAIT_S: u32 = 20;
/// The most jobs of one claim.
pub const MOST_CLAIMED: u32 = 16;
/// The most leases that one request speaks of: as many as one worker may hold.
pub const MOST_SAID: usize = 256;
/// The most artifacts one job may leave.
pub const MOST_ARTIFACTS: usize = 200;
/// The largest artifact, in bytes.
pub const LARGEST_ARTIFACT: u64 = 512 * 1024 * 1024;
/// The largest JSON artifact, in bytes: it is brought into its canonical form before it is kept.
pub const LARGEST_JSON_ARTIFACT: u64 = 64 * 1024 * 1024;
/// The most lines of one log request.
pub const MOST_LOG_LINES: usize = 500;
/// Lines that are kept of one job; older ones fall out.
pub const LOG_LINES_KEPT: i64 = 1_000;
/// The header with the digest of an artifact's bytes: `sha256:<64 hex>`.
pub const DIGEST_HEADER: &str = "x-stella-digest";
/// The header with the lease epoch, where the body is not JSON.
pub const EPOCH_HEADER: &str = "x-stella-lease-epoch";
/// The header that says what an artifact is: `segment-output`, `report`, …; `output` when absent.
pub const KIND_HEADER: &str = "x-stella-artifact-kind";

/// A worker introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterWorker {
    /// Its name, 1 to 200 characters.
    #[cfg_attr(feature = "openapi", schema(max_length = 200, pattern = "\\S"))]
    pub name: String,
    /// Its version.
    #[cfg_attr(feature = "openapi", schema(max_length = 200, pattern = "\\S"))]
    pub version: String,
    /// What it is built with: `rust/0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 200, pattern = "\\S"))]
    pub sdk: Option<String>,
    /// The machine it runs on.
    #[cfg_attr(feature = "openapi", schema(max_length = 200, pattern = "\\S"))]
    pub hostname: String,
    /// Job types it takes, 1 to 100.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub job_types: Vec<String>,
    /// How many jobs it holds at most, 1 to 256.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 256))]
    pub concurrency: i32,
    /// The task runner it works for; told with each of its jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 200, pattern = "\\S"))]
    pub task_runner_id: Option<String>,
}

/// A worker is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegisteredWorker {
    /// Its id, for its claims.
    pub worker_id: WorkerId,
    /// How often it is to be heard of, in seconds, 10 % more or less.
    pub heartbeat_s: i64,
}

/// A worker asks for work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimWork {
    /// Who asks.
    pub worker_id: WorkerId,
    /// The job types it wants now; all of its own when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub job_types: Vec<String>,
    /// 1 to 16; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 16))]
    pub max: Option<u32>,
    /// How long to wait for work, 0 to 20; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 20))]
    pub wait_s: Option<u32>,
}

/// Jobs given to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Leases {
    /// The most urgent first; none only when `drain` is set.
    pub leases: Vec<WorkLease>,
    /// The worker is to take nothing new and to end when its hands are free.
    pub drain: bool,
}

/// A job given to a worker. It has to be acknowledged within `ackS` seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WorkLease {
    /// The job.
    pub job_id: JobId,
    /// What it does.
    pub job_type: String,
    /// The lease; part of the path of everything the worker says of the job.
    pub lease_id: LeaseId,
    /// How often the job was claimed; every message carries it.
    pub lease_epoch: i64,
    /// When the lease ends unless it is acknowledged, on the server's clock: for people.
    pub lease_until: Micros,
    /// How long it has to be acknowledged, in seconds.
    pub ack_s: i64,
    /// How long the lease lasts from each ack or heartbeat on, in seconds.
    pub lease_s: i64,
    /// How often to send a heartbeat, in seconds, 10 % more or less.
    pub heartbeat_s: i64,
    /// How long the attempt may take, in seconds.
    pub timeout_s: i64,
    /// The attempt, 1 for the first.
    pub attempt: i32,
    /// Unique with tenant and job type: the work's own key against doing it twice.
    pub idempotency_key: String,
    /// What to work on; absent when it lies behind `payloadRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub payload: Option<serde_json::Value>,
    /// The path under which a payload of more than 64 KiB is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_ref: Option<String>,
    /// SHA-256 of the canonical payload.
    pub payload_digest: String,
    /// What follows a failure.
    pub retry_hints: RetryHints,
    /// Whose it is and where it comes from.
    pub provenance: Provenance,
    /// The trace it belongs to, as W3C Trace Context writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// What would follow if the attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RetryHints {
    /// Attempts allowed, the first included.
    pub max_attempts: i32,
    /// This attempt.
    pub attempt: i32,
    /// The wait before the next one; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_delay_ms: Option<u64>,
    /// The classes of failure after which there is a next one.
    pub retryable_classes: Vec<ErrorClass>,
}

/// Whose a job is and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// Whose it is.
    pub tenant: Tenant,
    /// A part of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// The task runner that works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_runner_id: Option<String>,
}

/// The worker starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AckLease {
    /// The epoch of the lease.
    pub lease_epoch: i64,
}

/// The worker starts several jobs. Each is heard for itself: one that is refused leaves the others as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AckLeases {
    /// 1 to 256.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 256))]
    #[serde(deserialize_with = "crate::object::each")]
    pub leases: Vec<NamedLease>,
}

/// A lease by its id and epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedLease {
    /// The lease.
    pub lease_id: LeaseId,
    /// Its epoch.
    pub lease_epoch: i64,
}

/// What became of several acks, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AckedLeases {
    /// One for each that was named.
    pub leases: Vec<AckedLease>,
}

/// What became of one ack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AckedLease {
    /// The lease.
    pub lease_id: LeaseId,
    /// The job runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse: Option<LeasePulse>,
    /// It does not: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<LeaseRefusal>,
}

/// Why one of several was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeaseRefusal {
    /// The stable code.
    pub code: Code,
    /// One or two sentences: what, where, what next.
    pub message: String,
    /// Whether the same may succeed later.
    pub retryable: bool,
}

/// The worker is alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseHeartbeat {
    /// The epoch of the lease.
    pub lease_epoch: i64,
    /// How far it is.
    #[serde(deserialize_with = "crate::object::maybe", default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<LeaseProgress>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseProgress {
    /// Items done.
    pub processed: i64,
    /// Items in all; 0 while not known.
    pub total: i64,
    /// What it is doing, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What an ack or a heartbeat is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeasePulse {
    /// When the lease ends now, on the server's clock: for people.
    pub lease_until: Micros,
    /// How long it lasts from now on, in seconds.
    pub lease_s: i64,
    /// Somebody cancelled the job: stop, and fail or release it; a complete still counts until it is ended by force.
    pub cancel_requested: bool,
    /// The worker is to take nothing new and to end when its hands are free.
    pub drain: bool,
}

words! {
    /// How serious a log line is.
    LogLevel {
        /// For who writes the worker.
        Debug = "debug",
        /// What is done.
        Info = "info",
        /// Something odd that does not stop it.
        Warn = "warn",
        /// Something that fails.
        Error = "error",
    }
}

/// Lines that a worker wrote about a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogLines {
    /// The epoch of the lease.
    pub lease_epoch: i64,
    /// At most 500, oldest first.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 500))]
    #[serde(deserialize_with = "crate::object::each")]
    pub lines: Vec<NewLogLine>,
}

/// One line to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLogLine {
    /// How serious it is.
    pub level: LogLevel,
    /// What happened; secrets are hidden, at most 4,000 characters are kept.
    pub message: String,
}

/// One kept line of a job's log. Order of lists: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Rises by one with each line of the job.
    pub seq: i64,
    /// When the server heard it.
    pub at: Micros,
    /// The epoch of the lease under which it was said.
    pub lease_epoch: i64,
    /// How serious it is.
    pub level: LogLevel,
    /// What happened, secrets hidden.
    pub message: String,
}

/// What was kept of a log request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogKept {
    /// The number of the last line.
    pub last_seq: i64,
}

/// Bytes that a worker left for a job that still runs; they become artifacts when it is completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeaseArtifact {
    /// Unique within the job.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Its media type.
    pub media_type: String,
    /// Its size as it is kept: of JSON, the canonical form.
    pub size_bytes: i64,
    /// Of the bytes as they are kept.
    pub digest: String,
}

/// An artifact as a worker names it when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedArtifact {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: String,
}

/// The job is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteLease {
    /// The epoch of the lease.
    pub lease_epoch: i64,
    /// Everything it left, in any order; each was put before.
    #[serde(deserialize_with = "crate::object::each", default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<NamedArtifact>,
    /// SHA-256 of the sorted `name TAB digest LF` lines; absent without artifacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs_hash: Option<String>,
    /// What it found, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub result: Option<serde_json::Value>,
    /// How far its source is read now; only of a job that reads a custom source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<ReadUpTo>,
}

/// Several jobs are done. Each is heard for itself: one that is refused leaves the others as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteLeases {
    /// 1 to 256.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 256))]
    #[serde(deserialize_with = "crate::object::each")]
    pub leases: Vec<NamedCompletion>,
}

/// One job that is done, by its lease.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedCompletion {
    /// The lease.
    pub lease_id: LeaseId,
    /// What is said under it.
    #[serde(deserialize_with = "crate::object::one")]
    pub complete: CompleteLease,
}

/// What became of several successes, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CompletedLeases {
    /// One for each that was named.
    pub leases: Vec<CompletedLease>,
}

/// What became of one success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CompletedLease {
    /// The lease.
    pub lease_id: LeaseId,
    /// It was taken: the job's state now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// It was not: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<LeaseRefusal>,
}

/// How far a worker read a source, in event time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadUpTo {
    /// The first moment of what was read; the low watermark when absent, or `end` where there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Micros>,
    /// The first moment after it, not in the future.
    pub end: Micros,
    /// The newest event time seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Micros>,
    /// The digest of the newest event seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_hash: Option<String>,
    /// Where the far side said to go on, at most 1,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailLease {
    /// The epoch of the lease.
    pub lease_epoch: i64,
    /// Why; decides whether it is tried again.
    pub category: ErrorClass,
    /// A stable code, upper case with underscores.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Z0-9_]{1,64}$"))]
    pub code: String,
    /// A sentence: what, where, what next; secrets are hidden.
    pub message: String,
    /// The status the far side answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 65_535))]
    pub http_status: Option<u16>,
    /// The host that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When the far side wants to be asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// `false` when another try cannot help, whatever the category says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
}

/// The job goes back to the queue unstarted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseLease {
    /// The epoch of the lease.
    pub lease_epoch: i64,
    /// Why, at most 200 characters.
    #[cfg_attr(feature = "openapi", schema(max_length = 200, pattern = "\\S"))]
    pub reason: String,
}
