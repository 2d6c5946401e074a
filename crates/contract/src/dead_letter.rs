//! The dead letter: jobs that failed for good, by cause, until somebody has them repeated or closes them (spec 04).

use crate::NoSuchArrow;
use crate::history::HistoryEntry;
use crate::ids::{DeadLetterId, JobId, RunId, SourceId, Tenant, WorkerId};
use crate::job::{ErrorClass, Job};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where an entry stands.
    DeadLetterState {
        /// In: the job ended `failed` or `timed_out`, its replay failed, an operator reopened it. Out: replay, resolve.
        Open = "open",
        /// In: an operator has it repeated. Out: the end of that job.
        Replaying = "replaying",
        /// In: its replay succeeded. Final; forgotten after 90 days.
        Replayed = "replayed",
        /// In: an operator closed it. Out: reopen. Forgotten after 90 days.
        Resolved = "resolved",
    }
}

words! {
    /// What can happen to an entry.
    DeadLetterEvent {
        /// Somebody looks after it: an owner, a note, a day by which.
        Acknowledge = "acknowledge",
        /// A new job repeats it.
        Replay = "replay",
        /// That job succeeded.
        ReplaySucceeded = "replay_succeeded",
        /// That job ended in any other way.
        ReplayFailed = "replay_failed",
        /// An operator closes it.
        Resolve = "resolve",
        /// An operator takes that back.
        Reopen = "reopen",
    }
}

words! {
    /// Why an entry was closed.
    ResolutionCode {
        /// The far side was mended.
        FixedUpstream = "fixed_upstream",
        /// Our configuration was mended.
        FixedConfig = "fixed_config",
        /// What it works on was corrected.
        DataCorrected = "data_corrected",
        /// Another entry is about the same.
        Duplicate = "duplicate",
        /// Nobody needs it any more.
        Obsolete = "obsolete",
        /// It is left as it is.
        WontFix = "wont_fix",
        /// The note says why.
        Other = "other",
    }
}

words! {
    /// How the whole dead letter is doing (spec 4.1): the number of open entries.
    DeadLetterHealth {
        /// None is open.
        Ok = "ok",
        /// 1 to 10.
        Note = "note",
        /// 11 to 50.
        Warn = "warn",
        /// More than 50.
        Fail = "fail",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: DeadLetterState, event: DeadLetterEvent) -> Result<DeadLetterState, NoSuchArrow> {
    use DeadLetterEvent as E;
    use DeadLetterState as S;
    match (state, event) {
        (S::Open, E::Acknowledge) => Ok(S::Open),
        (S::Open, E::Replay) => Ok(S::Replaying),
        (S::Open, E::Resolve) => Ok(S::Resolved),
        (S::Replaying, E::ReplaySucceeded) => Ok(S::Replayed),
        (S::Replaying, E::ReplayFailed) => Ok(S::Open),
        (S::Resolved, E::Reopen) => Ok(S::Open),
        (state, event) => {
            Err(NoSuchArrow { entity: "dead-letter entry", state: state.as_str(), event: event.as_str() })
        }
    }
}

/// The states from which `event` is possible, asked of [`next`], so that the two cannot disagree.
pub fn states_before(event: DeadLetterEvent) -> Vec<DeadLetterState> {
    DeadLetterState::ALL.iter().copied().filter(|state| next(*state, event).is_ok()).collect()
}

/// Why an operator may not do this to an entry in this state; `None` when they may.
pub fn refusal(state: DeadLetterState, event: DeadLetterEvent) -> Option<&'static str> {
    if next(state, event).is_ok() {
        return None;
    }
    Some(match state {
        DeadLetterState::Open => "The entry is open",
        DeadLetterState::Replaying => "A job is just repeating it; wait for that job's end",
        DeadLetterState::Replayed => "It has been repeated with success",
        DeadLetterState::Resolved => "It has been closed; reopen it first",
    })
}

impl DeadLetterHealth {
    /// Judged by the number of open entries.
    pub const fn judge(open: u64) -> Self {
        match open {
            0 => Self::Ok,
            1..=10 => Self::Note,
            11..=50 => Self::Warn,
            _ => Self::Fail,
        }
    }
}

/// Replays of one entry without `force`.
pub const FREE_REPLAYS: i32 = 5;
/// The longest note, in characters.
pub const NOTE_MAX: usize = 1_000;
/// The longest name of an owner, in characters.
pub const OWNER_MAX: usize = 128;
/// Entries that a batch may name one by one.
pub const BATCH_MAX: usize = 500;
/// A batch replay starts so many jobs per second.
pub const REPLAYS_PER_SECOND: i64 = 5;

/// A job that failed for good. Order of lists: `deadLetteredAt` desc, then `entryId` desc; of exports: the other way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Its id.
    pub entry_id: DeadLetterId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The job that failed.
    pub job_id: JobId,
    /// The run it belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The source it read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<SourceId>,
    /// What it did.
    pub job_type: String,
    /// Why its last attempt failed.
    pub category: ErrorClass,
    /// A stable code of that failure.
    pub error_code: String,
    /// The same category under the name that jobs have for it.
    pub error_class: ErrorClass,
    /// A sentence about that failure, redacted.
    pub error_message: String,
    /// Entries of one cause share it: 16 hex digits.
    pub fingerprint: String,
    /// What the far side answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<i32>,
    /// The far side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Attempts that were made.
    pub attempts: i32,
    /// When an attempt first failed.
    pub first_failed_at: Micros,
    /// When the job failed for good.
    pub dead_lettered_at: Micros,
    /// Who made the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_worker_id: Option<WorkerId>,
    /// SHA-256 of the job's payload.
    pub payload_digest: String,
    /// Where the payload is read.
    pub payload_ref: String,
    /// Whether a repetition may help without anybody changing anything.
    pub retryable: bool,
    /// Where it stands.
    pub state: DeadLetterState,
    /// Replays that were started.
    pub replay_count: i32,
    /// The newest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_replay_job_id: Option<JobId>,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_replay_at: Option<Micros>,
    /// Why it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<ResolutionCode>,
    /// What an operator noted of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Micros>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Micros>,
    /// By when it shall be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Micros>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// An entry with what only its own page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterDetail {
    /// The entry.
    pub entry: DeadLetter,
    /// The payload of its job, secrets redacted.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: serde_json::Value,
    /// The jobs that repeated it, newest first.
    pub replays: Vec<Job>,
    /// What happened to it, newest first; earlier failures are told here.
    pub history: Vec<HistoryEntry>,
    /// Open entries of the same cause, this one included.
    pub alike: u64,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DeadLetterFilter {
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeadLetterState>,
    /// Of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<ErrorClass>,
    /// Of this cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Of this job type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// Of this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// Of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Of this far side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// With this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Retryable ones only, or others only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Acknowledged ones only, or others only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    /// Looked after by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Dead-lettered then or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Micros>,
    /// Dead-lettered before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
    /// With this in its sentence or code, in any case of letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// Entries of one cause. Order of lists: `count` desc, then `fingerprint`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// What they share.
    pub fingerprint: String,
    /// How many match the filter.
    pub count: u64,
    /// How many of those are open.
    pub open: u64,
    /// The job type.
    pub job_type: String,
    /// The category.
    pub category: ErrorClass,
    /// The code of the newest.
    pub error_code: String,
    /// The far side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The sentence of the newest.
    pub sample: String,
    /// The newest.
    pub sample_entry_id: DeadLetterId,
    /// When the oldest failed for good.
    pub first_seen_at: Micros,
    /// When the newest failed for good.
    pub last_seen_at: Micros,
    /// The share that is retryable, 0.0 to 1.0.
    pub retryable_share: f64,
    /// The sources they read, at most ten.
    pub sources: Vec<SourceId>,
    /// How many sources there are.
    pub source_count: u64,
    /// Entries made in each of the last 24 hours, oldest hour first.
    pub hours: Vec<u32>,
    /// The run in which the oldest failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_run_id: Option<RunId>,
}

/// Which clusters are wanted. Without a state, those that have open entries.
pub type ClusterFilter = DeadLetterFilter;

/// The dead letter in figures, all from one snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterStats {
    /// How it is doing.
    pub health: DeadLetterHealth,
    /// Open entries.
    pub open: u64,
    /// Entries that a job is just repeating.
    pub replaying: u64,
    /// Entries that were repeated with success.
    pub replayed: u64,
    /// Entries that were closed.
    pub resolved: u64,
    /// Open entries that are retryable.
    pub retryable: u64,
    /// Open entries that nobody looks after.
    pub unacknowledged: u64,
    /// Entries made in the last 24 hours.
    pub added24h: u64,
    /// When the oldest open one failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_open_at: Option<Micros>,
    /// The most common cause of open ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_common: Option<CommonCause>,
    /// Open entries by category, the most first.
    pub by_category: Vec<CategoryCount>,
    /// Entries made in each of the last 24 hours by category, for those that have any.
    pub heat: Vec<CategoryHours>,
    /// When this was counted.
    pub at: Micros,
}

/// The most common cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CommonCause {
    /// What its entries share.
    pub fingerprint: String,
    /// The code of the newest.
    pub error_code: String,
    /// The sentence of the newest.
    pub error_message: String,
    /// How many are open.
    pub count: u64,
}

/// Entries of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategoryCount {
    /// The category.
    pub category: ErrorClass,
    /// How many.
    pub count: u64,
}

/// Entries of one category by hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategoryHours {
    /// The category.
    pub category: ErrorClass,
    /// Entries made in each of the last 24 hours, oldest hour first.
    pub hours: Vec<u32>,
}

/// Entries of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SourceCount {
    /// The source; absent for jobs without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<SourceId>,
    /// How many.
    pub count: u64,
}

/// How one entry is repeated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ReplayDeadLetter {
    /// Another payload than the one that failed; the entry keeps the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub payload: Option<serde_json::Value>,
    /// Repeat it though it was repeated five times.
    pub force: bool,
}

/// An entry that is being repeated, and the job that does it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplayStarted {
    /// The entry.
    pub entry: DeadLetter,
    /// The new job.
    pub job: Job,
}

/// How an entry is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveDeadLetter {
    /// Why, in one word.
    pub resolution: ResolutionCode,
    /// Why, in 1 to 1,000 characters.
    pub note: String,
}

/// Who looks after an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AcknowledgeDeadLetter {
    /// Who; the caller when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is known so far, at most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// By when it shall be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Micros>,
}

/// A selection of entries: by name, or all that match a filter. Exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SelectDeadLetters {
    /// These, at most 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<DeadLetterId>>,
    /// All that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<DeadLetterFilter>,
}

/// What a batch would meet, and the hash that its run has to quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterPreview {
    /// Quote it with the run; it is another as soon as the selection or one of its entries is.
    pub selection_hash: String,
    /// Entries that were selected.
    pub count: u64,
    /// Those of them that are open and so can be closed.
    pub resolvable: u64,
    /// Those of them that a batch repeats without force.
    pub replayable: u64,
    /// By category, the most first.
    pub by_category: Vec<CategoryCount>,
    /// By source, the most first.
    pub by_source: Vec<SourceCount>,
    /// Why some would be left out, with how many.
    pub left_out: Vec<LeftOut>,
    /// Seconds over which a batch replay spreads its jobs.
    pub paced_over_s: i64,
}

/// Entries that a batch leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Why: `skipped:not_open`, `skipped:not_retryable` or `error:FORCE_REQUIRED`.
    pub why: String,
    /// How many.
    pub count: u64,
}

/// A wish to repeat many entries. Exactly one of `ids` and `filter`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BatchReplay {
    /// These, at most 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<DeadLetterId>>,
    /// All that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<DeadLetterFilter>,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// The hash that the dry run gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_hash: Option<String>,
    /// Repeat what is not retryable, and what was repeated five times, as well.
    pub force: bool,
}

/// A wish to close many entries. Exactly one of `ids` and `filter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchResolve {
    /// These, at most 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<DeadLetterId>>,
    /// All that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<DeadLetterFilter>,
    /// Only tell what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// The hash that the dry run gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_hash: Option<String>,
    /// Why, in one word, for all.
    pub resolution: ResolutionCode,
    /// Why, in 1 to 1,000 characters, for all.
    pub note: String,
}

/// What a batch did, entry by entry. Some may have failed: the answer is a success all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterBatch {
    /// What the selection held.
    pub preview: DeadLetterPreview,
    /// Whether this only tells what would happen.
    pub dry_run: bool,
    /// Entries that are now being repeated or closed.
    pub done: u64,
    /// Entries that were left as they were.
    pub skipped: u64,
    /// Entries that could not be changed.
    pub failed: u64,
    /// Per entry, in the order of `deadLetteredAt`; empty for a dry run.
    pub results: Vec<BatchResult>,
}

/// What a batch did to one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BatchResult {
    /// The entry.
    pub entry_id: DeadLetterId,
    /// `replayed`, `resolved`, `skipped:not_open`, `skipped:not_retryable` or `error:<code>`.
    pub outcome: String,
    /// The job that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
}

words! {
    /// The form of an export.
    ExportFormat {
        /// One JSON object per line.
        Ndjson = "ndjson",
        /// Comma-separated values with a heading.
        Csv = "csv",
    }
}

/// Which entries are exported, and how. The filter is that of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ExportDeadLetters {
    /// NDJSON when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ExportFormat>,
    /// With the payloads, secrets redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<bool>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeadLetterState>,
    /// Of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<ErrorClass>,
    /// Of this cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Of this job type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// Of this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// Of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Of this far side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// With this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Retryable ones only, or others only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Acknowledged ones only, or others only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    /// Looked after by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Dead-lettered then or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Micros>,
    /// Dead-lettered before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
    /// With this in its sentence or code, in any case of letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

impl ExportDeadLetters {
    /// An export of what this filter lets through.
    pub fn of(filter: DeadLetterFilter, format: ExportFormat, payload: bool) -> Self {
        Self {
            format: Some(format),
            payload: Some(payload),
            state: filter.state,
            category: filter.category,
            fingerprint: filter.fingerprint,
            job_type: filter.job_type,
            source: filter.source,
            run: filter.run,
            host: filter.host,
            error_code: filter.error_code,
            retryable: filter.retryable,
            acknowledged: filter.acknowledged,
            owner: filter.owner,
            since: filter.since,
            until: filter.until,
            q: filter.q,
        }
    }
    /// The filter of the list.
    pub fn filter(&self) -> DeadLetterFilter {
        DeadLetterFilter {
            state: self.state,
            category: self.category,
            fingerprint: self.fingerprint.clone(),
            job_type: self.job_type.clone(),
            source: self.source.clone(),
            run: self.run.clone(),
            host: self.host.clone(),
            error_code: self.error_code.clone(),
            retryable: self.retryable,
            acknowledged: self.acknowledged,
            owner: self.owner.clone(),
            since: self.since,
            until: self.until,
            q: self.q.clone(),
        }
    }
}

/// An exported file and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterExport {
    /// What it must be.
    pub manifest: ExportManifest,
    /// The file, byte for byte.
    pub content: String,
}

/// What an exported file must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportManifest {
    /// `stella.deadletter-export.v1`.
    pub schema: String,
    /// Its form.
    pub format: ExportFormat,
    /// A name for the file.
    pub file_name: String,
    /// Entries in it.
    pub count: u64,
    /// SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
    /// Whether payloads are in it.
    pub payload: bool,
    /// Whose entries.
    pub tenant: Tenant,
    /// When it was made.
    pub generated_at: Micros,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as text: a reviewer sees any new arrow as one added line.
    #[test]
    fn the_arrows_of_an_entry_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in DeadLetterState::ALL {
            for event in DeadLetterEvent::ALL {
                match next(*state, *event) {
                    Ok(to) => lines.push(format!("{state} --{event}--> {to}")),
                    Err(_) => assert!(refusal(*state, *event).is_some()),
                }
            }
        }
        let expected = "\
open --acknowledge--> open
open --replay--> replaying
open --resolve--> resolved
replaying --replay_succeeded--> replayed
replaying --replay_failed--> open
resolved --reopen--> open";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn the_health_follows_the_number_of_open_entries() {
        use DeadLetterHealth as H;
        for (open, health) in
            [(0, H::Ok), (1, H::Note), (10, H::Note), (11, H::Warn), (50, H::Warn), (51, H::Fail)]
        {
            assert_eq!(DeadLetterHealth::judge(open), health, "{open}");
        }
    }

    #[test]
    fn an_export_has_every_filter_of_the_list() {
        let filter = DeadLetterFilter {
            state: Some(DeadLetterState::Open),
            category: Some(ErrorClass::Network),
            fingerprint: Some("0123456789abcdef".to_owned()),
            job_type: Some("ingest.kev".to_owned()),
            source: Some(SourceId::from_uuid("01890000-0000-7000-8000-000000000000")),
            run: Some("run:acme:20261121T140815Z:9c1f04ab".parse().unwrap()),
            host: Some("a.example".to_owned()),
            error_code: Some("X".to_owned()),
            retryable: Some(true),
            acknowledged: Some(false),
            owner: Some("ada".to_owned()),
            since: Some(Micros(1)),
            until: Some(Micros(2)),
            q: Some("part".to_owned()),
        };
        let export = ExportDeadLetters::of(filter.clone(), ExportFormat::Csv, true);
        assert_eq!(export.filter(), filter);
        let (of_list, of_export) =
            (serde_json::to_value(&filter).unwrap(), serde_json::to_value(&export).unwrap());
        for (name, value) in of_list.as_object().unwrap() {
            assert_eq!(&of_export[name], value, "{name}");
        }
    }
}
