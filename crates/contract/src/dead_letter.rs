//! The dead letter: jobs that failed for good, by cause, until somebody has them repeated or closes them (spec 04).

mod batch;
mod export;
mod figures;
mod mute;

pub use batch::{
    BatchReplay, BatchResolve, BatchResult, DeadLetterBatch, DeadLetterPreview, LeftOut, SelectDeadLetters,
};
pub use export::{DeadLetterExport, ExportDeadLetters, ExportFormat, ExportManifest};
pub use figures::{
    CategoryCount, CategoryHours, Cluster, ClusterFilter, CommonCause, DeadLetterStats, SourceCount,
};
pub use mute::{Mute, MuteCause, UnmuteCause};

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
    #[cfg_attr(feature = "openapi", schema(max_length = 1_000, pattern = "\\S"))]
    pub note: String,
}

/// Who looks after an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AcknowledgeDeadLetter {
    /// Who; the caller when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 128))]
    pub owner: Option<String>,
    /// What is known so far, at most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 1_000))]
    pub note: Option<String>,
    /// By when it shall be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Micros>,
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
}
