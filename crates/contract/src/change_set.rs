//! A change-set: one verb on a selection, kept in the ledger from its dry run to the result of each item (spec 04 §4.4).
//!
//! A single thing is a selection of one, so that there is one way to act.

mod dry_run;
mod item;

pub use dry_run::{DryRun, QueueImpact, RefusalCount, ShareCount};
pub use item::{ChangeItem, ItemFilter, ItemState};

use crate::NoSuchArrow;
use crate::dead_letter::DeadLetterFilter;
use crate::ids::{ChangeSetId, Tenant};
use crate::job::{self, JobState};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// The most things one change-set may select.
pub const MOST_ITEMS: i64 = 250_000;

words! {
    /// Where a change-set stands.
    ChangeSetState {
        /// In: the dry run. Out: start, cancel; forgotten after a day. Nothing has been changed yet.
        Draft = "draft",
        /// In: start, resume. Out: pause, the last item, too many failures, cancel.
        Running = "running",
        /// In: an operator, or the first items are done and somebody shall look. Out: resume, cancel.
        Paused = "paused",
        /// In: every item has its result. Final.
        Completed = "completed",
        /// In: more items failed than its options allow. Final; what was not reached is left as it was.
        Stopped = "stopped",
        /// In: an operator. Final; what was not reached is left as it was.
        Cancelled = "cancelled",
    }
}

words! {
    /// What can happen to a change-set.
    ChangeSetEvent {
        /// The operator has seen the dry run and starts it.
        Start = "start",
        /// The operator, or the end of the first items, halts it.
        Pause = "pause",
        /// The operator lets it go on.
        Resume = "resume",
        /// Every item has its result.
        Complete = "complete",
        /// Too many items failed.
        Stop = "stop",
        /// The operator ends it.
        Cancel = "cancel",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: ChangeSetState, event: ChangeSetEvent) -> Result<ChangeSetState, NoSuchArrow> {
    use ChangeSetEvent as E;
    use ChangeSetState as S;
    match (state, event) {
        (S::Draft, E::Start) | (S::Paused, E::Resume) => Ok(S::Running),
        (S::Running, E::Pause) => Ok(S::Paused),
        (S::Running, E::Complete) => Ok(S::Completed),
        (S::Running, E::Stop) => Ok(S::Stopped),
        (S::Draft | S::Running | S::Paused, E::Cancel) => Ok(S::Cancelled),
        (state, event) => {
            Err(NoSuchArrow { entity: "change-set", state: state.as_str(), event: event.as_str() })
        }
    }
}

impl ChangeSetState {
    /// Whether nothing more can happen to it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Draft | Self::Running | Self::Paused => false,
            Self::Completed | Self::Stopped | Self::Cancelled => true,
        }
    }
}

words! {
    /// What a change-set does to each of its items.
    ChangeVerb {
        /// Cancel jobs; those that run are asked to end.
        Cancel = "cancel",
        /// Give jobs that did not succeed another try, as new jobs.
        Retry = "retry",
        /// Make new jobs of ended ones, with the same payload.
        Replay = "replay",
        /// Give waiting jobs another priority.
        Prioritize = "prioritize",
        /// Replay the jobs of dead-letter entries.
        DeadLetterReplay = "dead_letter_replay",
        /// Close dead-letter entries with a code and a note.
        DeadLetterResolve = "dead_letter_resolve",
    }
}

impl ChangeVerb {
    /// Whether its items are jobs; else they are dead-letter entries.
    pub const fn is_about_jobs(self) -> bool {
        match self {
            Self::Cancel | Self::Retry | Self::Replay | Self::Prioritize => true,
            Self::DeadLetterReplay | Self::DeadLetterResolve => false,
        }
    }
    /// Whether it makes work of which it is to be seen how it ends.
    pub const fn makes_jobs(self) -> bool {
        match self {
            Self::Retry | Self::Replay | Self::DeadLetterReplay => true,
            Self::Cancel | Self::Prioritize | Self::DeadLetterResolve => false,
        }
    }
    /// Items per second when nothing else is asked; `None` is as fast as the ledger takes them.
    pub const fn usual_pace_per_s(self) -> Option<u32> {
        match self {
            Self::Retry | Self::Replay | Self::DeadLetterReplay => Some(5),
            Self::Cancel | Self::Prioritize | Self::DeadLetterResolve => None,
        }
    }
}

words! {
    /// Why an item is not, or was not, changed.
    ItemRefusal {
        /// The job has already ended.
        AlreadyEnded = "already_ended",
        /// The job has not ended yet.
        NotEnded = "not_ended",
        /// The job succeeded.
        Succeeded = "succeeded",
        /// The job was never started.
        NeverStarted = "never_started",
        /// The job is a part of a run, which is repeated as a whole.
        OfRun = "of_run",
        /// There is no such thing in this tenant.
        NotFound = "not_found",
        /// The dead-letter entry is not open.
        NotOpen = "not_open",
        /// The failure is of a category that another attempt does not mend.
        NotRetryable = "not_retryable",
        /// It is not possible now; the message says why.
        NotPossible = "not_possible",
        /// The ledger or a rule refused it; the message says why.
        Error = "error",
    }
}

impl ItemRefusal {
    /// The sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AlreadyEnded => "The job has already ended",
            Self::NotEnded => "The job has not ended yet",
            Self::Succeeded => "The job succeeded; replay it to do it once more",
            Self::NeverStarted => "The job was never started; retry the job before it, or replay this one",
            Self::OfRun => "A segment is repeated with its run; retry the run",
            Self::NotFound => "There is no such thing in this tenant",
            Self::NotOpen => "The entry is not open",
            Self::NotRetryable => "Another attempt does not mend this failure",
            Self::NotPossible => "It is not possible now",
            Self::Error => "It was refused",
        }
    }
}

/// Why a verb cannot be done to a job in this state; `None` when it can. Whether it can is asked of the job's own rules.
pub fn refusal(verb: ChangeVerb, state: JobState) -> Option<ItemRefusal> {
    let refused = match verb {
        ChangeVerb::Cancel => job::cancel_refusal(state),
        ChangeVerb::Retry => job::retry_refusal(state),
        ChangeVerb::Replay | ChangeVerb::DeadLetterReplay | ChangeVerb::DeadLetterResolve => {
            job::replay_refusal(state)
        }
        ChangeVerb::Prioritize => job::prioritize_refusal(state),
    };
    refused.map(|_| match (verb, state) {
        (_, JobState::Pending | JobState::Queued | JobState::Leased | JobState::Running) => {
            ItemRefusal::NotEnded
        }
        (ChangeVerb::Retry, JobState::Succeeded) => ItemRefusal::Succeeded,
        (ChangeVerb::Retry, JobState::Skipped) => ItemRefusal::NeverStarted,
        (
            _,
            JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped,
        ) => ItemRefusal::AlreadyEnded,
    })
}

/// What a change-set is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Selection {
    /// These.
    Ids {
        /// Ids of jobs or of dead-letter entries, at most 10,000.
        ids: Vec<String>,
    },
    /// All that match a filter at the time of the dry run.
    Filter {
        /// The filter, in the grammar of every list; empty for all.
        filter: String,
        /// Ids of those that match and are left out, at most 10,000.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluding: Vec<String>,
    },
    /// All dead-letter entries that match at the time of the dry run.
    DeadLetters {
        /// The filter, as in the list of dead letters; empty for all.
        #[serde(default)]
        matching: Box<DeadLetterFilter>,
        /// Ids of those that match and are left out, at most 10,000.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluding: Vec<String>,
    },
}

/// The most ids that may be named one by one.
pub const MOST_IDS: usize = 10_000;

words! {
    /// What happens after the first items.
    AfterFirst {
        /// It goes on by itself when the first succeeded, and stops when they did not.
        GoOn = "continue",
        /// It pauses, so that somebody may look.
        Pause = "pause",
    }
}

/// How a change-set is carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChangeOptions {
    /// Do so many first and see how they end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub first_n: Option<u32>,
    /// What happens after them; `continue` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_first: Option<AfterFirst>,
    /// Stop when more than this share of the items failed, in percent; 0 for the first items and never for the rest
    /// when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub stop_above_percent: Option<u32>,
    /// Items per second; 5 when absent and the verb makes jobs, else as fast as it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub pace_per_s: Option<u32>,
}

/// What the verb needs to know beside its items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChangeParameters {
    /// For `prioritize`: the new priority, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub priority: Option<i32>,
    /// For `dead_letter_resolve`: the code of the resolution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For `dead_letter_resolve`: a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Repeats entries too whose failure another attempt does not mend; of `dead_letter_replay` alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// A wish for a change-set. Its dry run is made at once; nothing else is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateChangeSet {
    /// What to do.
    pub verb: ChangeVerb,
    /// To what.
    pub selection: Selection,
    /// What the verb needs to know.
    #[serde(deserialize_with = "crate::object::one", default)]
    pub parameters: ChangeParameters,
    /// How.
    #[serde(deserialize_with = "crate::object::one", default)]
    pub options: ChangeOptions,
}

words! {
    /// What becomes of items that changed between the dry run and the start.
    Changed {
        /// The start is refused with `SELECTION_CHANGED`.
        Refuse = "refuse",
        /// They are left out.
        Skip = "skip",
    }
}

/// Starts a change-set whose dry run was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartChangeSet {
    /// As the dry run gave it.
    pub selection_hash: String,
    /// What becomes of items that changed since; `refuse` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
}

/// A change-set as every door shows it. Order of lists: newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangeSet {
    /// Its id.
    pub change_set_id: ChangeSetId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it does.
    pub verb: ChangeVerb,
    /// Where it stands.
    pub state: ChangeSetState,
    /// To what; of a long list of ids only the first are shown.
    pub selection: Selection,
    /// What the verb was told.
    pub parameters: ChangeParameters,
    /// How it is carried out.
    pub options: ChangeOptions,
    /// What the dry run found.
    pub dry_run: DryRun,
    /// Names the items of the dry run; the start quotes it.
    pub selection_hash: String,
    /// How far it is.
    pub progress: ChangeProgress,
    /// Why it is paused or stopped, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When its items were taken down.
    pub created_at: Micros,
    /// Who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Micros>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
    /// Rises with every change.
    pub version: i64,
}

/// How far a change-set is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangeProgress {
    /// Not reached yet.
    pub waiting: i64,
    /// Changed.
    pub done: i64,
    /// No longer possible when reached.
    pub skipped: i64,
    /// Refused for another reason when reached.
    pub failed: i64,
}

/// Which change-sets are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ChangeSetFilter {
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ChangeSetState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_of_a_change_set_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in ChangeSetState::ALL {
            for event in ChangeSetEvent::ALL {
                if let Ok(to) = next(*state, *event) {
                    lines.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let expected = "\
draft --start--> running
draft --cancel--> cancelled
running --pause--> paused
running --complete--> completed
running --stop--> stopped
running --cancel--> cancelled
paused --resume--> running
paused --cancel--> cancelled";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_final_state_has_no_way_out() {
        for state in ChangeSetState::ALL.iter().filter(|state| state.is_final()) {
            for event in ChangeSetEvent::ALL {
                assert!(next(*state, *event).is_err(), "{state} --{event}-->");
            }
        }
    }

    /// The whole table as text: which verb is refused in which state, and why.
    #[test]
    fn what_a_verb_refuses_is_this() {
        let mut lines = Vec::new();
        for verb in ChangeVerb::ALL.iter().filter(|verb| verb.is_about_jobs()) {
            let words = JobState::ALL.iter().map(|state| match refusal(*verb, *state) {
                Some(refusal) => format!("{state}: {refusal}"),
                None => format!("{state}: yes"),
            });
            lines.push(format!("{verb}: {}", words.collect::<Vec<_>>().join(", ")));
        }
        let expected = "\
cancel: pending: yes, queued: yes, leased: yes, running: yes, succeeded: already_ended, failed: already_ended, \
timed_out: already_ended, cancelled: already_ended, skipped: already_ended
retry: pending: not_ended, queued: not_ended, leased: not_ended, running: not_ended, succeeded: succeeded, \
failed: yes, timed_out: yes, cancelled: yes, skipped: never_started
replay: pending: not_ended, queued: not_ended, leased: not_ended, running: not_ended, succeeded: yes, failed: yes, \
timed_out: yes, cancelled: yes, skipped: yes
prioritize: pending: yes, queued: yes, leased: yes, running: yes, succeeded: already_ended, \
failed: already_ended, timed_out: already_ended, cancelled: already_ended, skipped: already_ended";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_selection_says_of_which_kind_it_is() {
        let filter = Selection::Filter { filter: "state:failed".to_owned(), excluding: Vec::new() };
        assert_eq!(serde_json::to_string(&filter).unwrap(), r#"{"kind":"filter","filter":"state:failed"}"#);
        let ids: Selection = serde_json::from_str(r#"{"kind":"ids","ids":["job_1"]}"#).unwrap();
        assert_eq!(ids, Selection::Ids { ids: vec!["job_1".to_owned()] });
    }
}
