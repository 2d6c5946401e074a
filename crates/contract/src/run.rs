//! A run: targets found through the impact index, cut into segments, evaluated, compared (spec 05 §5.3).

mod wish;

pub use wish::{ONLY_FAILED_HOURS, RetryRun, RunFilter, StartRun};

use crate::NoSuchArrow;
use crate::delta::Deltas;
use crate::ids::{PolicySnapshotId, RunId, ScheduleId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// Where a run stands.
    RunState {
        /// In: created. Out: the planner, cancel.
        Planning = "planning",
        /// In: the planner wrote segments. Out: the first ack, waiting too long, cancel.
        Queued = "queued",
        /// In: the first segment's ack. Out: all segments settled, cancel.
        Running = "running",
        /// In: everything is evaluated, or there was nothing to do. Final.
        Completed = "completed",
        /// In: cancel. Final.
        Cancelled = "cancelled",
        /// In: planning failed, too many segments failed, held or ran too long. Final.
        Error = "error",
    }
}

words! {
    /// What can happen to a run.
    RunEvent {
        /// The planner wrote segments.
        Plan = "plan",
        /// The planner found nothing to do.
        NoWork = "no_work",
        /// The planner gave up, or the run was held or ran too long, or too much of it failed.
        Fail = "fail",
        /// The first segment was acknowledged.
        Start = "start",
        /// Every segment is settled and few enough failed.
        Complete = "complete",
        /// An operator cancels it.
        Cancel = "cancel",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: RunState, event: RunEvent) -> Result<RunState, NoSuchArrow> {
    use RunEvent as E;
    use RunState as S;
    match (state, event) {
        (S::Planning, E::Plan) => Ok(S::Queued),
        (S::Planning, E::NoWork) => Ok(S::Completed),
        (S::Queued, E::Start) => Ok(S::Running),
        (S::Running, E::Complete) => Ok(S::Completed),
        (S::Planning | S::Queued | S::Running, E::Fail) => Ok(S::Error),
        (S::Planning | S::Queued | S::Running, E::Cancel) => Ok(S::Cancelled),
        (state, event) => Err(NoSuchArrow { entity: "run", state: state.as_str(), event: event.as_str() }),
    }
}

/// The states from which `event` is possible.
pub fn states_before(event: RunEvent) -> Vec<RunState> {
    RunState::ALL.iter().copied().filter(|state| next(*state, event).is_ok()).collect()
}

impl RunState {
    /// Whether nothing more can happen to it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Planning | Self::Queued | Self::Running => false,
            Self::Completed | Self::Cancelled | Self::Error => true,
        }
    }
}

/// Why an operator may not cancel a run in this state; `None` when they may.
pub fn cancel_refusal(state: RunState) -> Option<&'static str> {
    match next(state, RunEvent::Cancel) {
        Ok(_) => None,
        Err(_) => Some("The run has already ended"),
    }
}

/// Why an operator may not retry a run in this state; `None` when they may.
pub const fn retry_refusal(state: RunState) -> Option<&'static str> {
    if state.is_final() { None } else { Some("Retry needs a finished run") }
}

words! {
    /// What set a run off. `feedser` and `vexer` are read as the newer names.
    RunTrigger {
        /// A schedule.
        Cron = "cron",
        /// An operator.
        Manual = "manual",
        /// New advisories.
        Concelier = "concelier",
        /// New VEX statements.
        Excititor = "excititor",
        /// A policy change.
        Policy = "policy",
        /// New SBOMs.
        ContentRefresh = "content-refresh",
    }
}

words! {
    /// What a run does.
    RunMode {
        /// Evaluate what is known.
        AnalysisOnly = "analysis-only",
        /// Read the SBOMs anew first.
        ContentRefresh = "content-refresh",
    }
}

words! {
    /// Codes of failed runs (spec 05 §5.8).
    RunErrorCode {
        /// The planner's lock was not obtained in 60 s.
        PlannerLock = "ERR_RUN_001",
        /// Planning took over 300 s.
        PlanningTooLong = "ERR_RUN_002",
        /// The policy snapshot is missing or unreadable.
        PolicyMissing = "ERR_RUN_003",
        /// Held by a quota or rate limit past one hour.
        HeldTooLong = "ERR_RUN_004",
        /// The scanner did not answer in time.
        ScannerTimeout = "ERR_RUN_005",
        /// The scanner cannot be reached.
        ScannerUnreachable = "ERR_RUN_006",
        /// Too many segments failed.
        TooManyFailed = "ERR_RUN_007",
        /// Results could not be stored.
        ResultsNotStored = "ERR_RUN_008",
        /// The impact index is stale or missing.
        IndexStale = "ERR_RUN_009",
        /// The worker was lost on the last attempt.
        WorkerLost = "ERR_RUN_010",
        /// The network is needed in offline mode.
        NetworkNeeded = "ERR_RUN_011",
        /// Signing or verification failed.
        Signature = "ERR_RUN_012",
        /// The run took longer than its limit.
        DurationLimit = "ERR_RUN_013",
        /// The scope is invalid or not visible to the tenant.
        ScopeInvalid = "ERR_RUN_014",
        /// A fault of ours.
        Internal = "ERR_RUN_099",
    }
}

impl RunErrorCode {
    /// What it means, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::PlannerLock => "The planner lock was not obtained in 60 s",
            Self::PlanningTooLong => "Planning took over 300 s",
            Self::PolicyMissing => "The policy snapshot is missing or unreadable",
            Self::HeldTooLong => "A quota or rate limit held the run for over an hour",
            Self::ScannerTimeout => "The scanner did not answer in time",
            Self::ScannerUnreachable => "The scanner cannot be reached",
            Self::TooManyFailed => "More segments failed than the run allows",
            Self::ResultsNotStored => "Results could not be stored",
            Self::IndexStale => "The impact index is stale or missing",
            Self::WorkerLost => "The worker was lost on the last attempt",
            Self::NetworkNeeded => "The network is needed, and this ledger is offline",
            Self::Signature => "Signing or verification failed",
            Self::DurationLimit => "The run took longer than its limit",
            Self::ScopeInvalid => "The scope is invalid or names nothing of this tenant",
            Self::Internal => "A fault inside the product",
        }
    }
    /// What to do next, in a sentence.
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::PlannerLock => "Find the lock holder, wait, or release a dead planner.",
            Self::PlanningTooLong => "Narrow the scope or check the size of the index.",
            Self::PolicyMissing => "Choose another snapshot.",
            Self::HeldTooLong => "Raise the quota with a reason, or wait.",
            Self::ScannerTimeout => "Check the scanner's load and the segment size.",
            Self::ScannerUnreachable => "Check the endpoint and its breaker.",
            Self::TooManyFailed => "Open the failed segments, mend the cause and retry the run.",
            Self::ResultsNotStored => "Check disk space and the database.",
            Self::IndexStale => "Run the sources again, or allow a stale index with a reason.",
            Self::WorkerLost => "Check the workers.",
            Self::NetworkNeeded => "Import a kit that holds the data.",
            Self::Signature => "Check the trust roots.",
            Self::DurationLimit => "Raise the limit or split the run.",
            Self::ScopeInvalid => "Correct the scope.",
            Self::Internal => "Copy the correlation id and look it up in the log.",
        }
    }
}

words! {
    /// Marks beside a run's id.
    RunBadge {
        /// Targets with exploited vulnerabilities go first.
        KevFirst = "KEV first",
        /// SBOMs are read anew.
        ContentRefresh = "Content refresh",
        /// Set off by a policy promotion.
        PolicyFollowUp = "Policy promotion follow-up",
        /// Repeats another run.
        Retry = "Retry",
        /// Completed with failed segments.
        Partial = "Partial",
        /// Planned on an old impact index.
        StaleIndex = "Stale index",
        /// Nothing to do.
        NoWork = "No work",
    }
}

/// Which targets a run is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum RunScope {
    /// Every target of the tenant.
    #[default]
    All,
    /// Targets in these namespaces, repositories and with these labels; an empty list does not restrict.
    Selector {
        /// Any of these.
        #[serde(default)]
        namespaces: Vec<String>,
        /// Any of these.
        #[serde(default)]
        repositories: Vec<String>,
        /// All of these.
        #[serde(default)]
        labels: BTreeMap<String, String>,
    },
    /// Targets that hold one of these packages or are touched by one of these vulnerabilities.
    #[serde(rename_all = "camelCase")]
    Keys {
        /// Package URLs, with or without a version.
        #[serde(default)]
        purls: Vec<String>,
        /// CVE, GHSA or record ids.
        #[serde(default)]
        vuln_ids: Vec<String>,
    },
    /// Exactly these image digests.
    Digests {
        /// `sha256:<64 hex>` each.
        digests: Vec<String>,
    },
}

impl std::fmt::Display for RunScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Selector { namespaces, repositories, labels } => {
                let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
                let parts: Vec<String> =
                    namespaces.iter().cloned().chain(repositories.iter().cloned()).chain(labels).collect();
                write!(f, "selector {}", parts.join(", "))
            }
            Self::Keys { purls, vuln_ids } => f.write_str(&counted(purls.len() + vuln_ids.len(), "key")),
            Self::Digests { digests } => f.write_str(&counted(digests.len(), "digest")),
        }
    }
}

fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// What evaluating some segments of a finished run once more showed (spec 05 §5.11).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Determinism {
    /// The share that left the same bytes, 0 to 1.
    pub score: f64,
    /// How many segments were evaluated once more.
    pub sample: i64,
}

/// Counts of segments by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the count its name says")]
pub struct SegmentCounts {
    pub pending: i64,
    pub queued: i64,
    pub running: i64,
    pub succeeded: i64,
    pub failed: i64,
    pub cancelled: i64,
    pub skipped: i64,
}

impl SegmentCounts {
    /// All of them.
    pub const fn total(&self) -> i64 {
        self.pending
            + self.queued
            + self.running
            + self.succeeded
            + self.failed
            + self.cancelled
            + self.skipped
    }
}

/// A run as every door shows it. Order of lists: `createdAt` desc, then id desc.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What set it off.
    pub trigger: RunTrigger,
    /// More of that: an event, a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_detail: Option<String>,
    /// The schedule it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<ScheduleId>,
    /// Who asked.
    pub initiator: String,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What it does.
    pub mode: RunMode,
    /// For which targets.
    pub scope: RunScope,
    /// SHA-256 of the canonical scope.
    pub scope_digest: String,
    /// The policy snapshot that judges its findings; absent without a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_snapshot_id: Option<PolicySnapshotId>,
    /// The snapshot's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_revision: Option<i64>,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<RunErrorCode>,
    /// The same in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Into how many shards the planner cuts.
    pub planner_shard_count: i32,
    /// The impact index it was planned on.
    pub impact_index_generation: i64,
    /// When the KEV list it used was released; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kev_released: Option<String>,
    /// Targets to evaluate; 0 while planning.
    pub candidates: i64,
    /// Targets evaluated.
    pub processed: i64,
    /// Targets that could not be evaluated.
    pub failed: i64,
    /// Segments by state.
    pub segments: SegmentCounts,
    /// What changed.
    pub deltas: Deltas,
    /// Findings of its targets when it ended.
    pub findings: i64,
    /// Targets with exploited vulnerabilities go first.
    pub kev_first: bool,
    /// Marks beside its id.
    pub badges: Vec<RunBadge>,
    /// The run it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
    /// Whether it is only about the targets that the run before did not evaluate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_failed: bool,
    /// How much came out the same when it was done once more; absent when no sample could be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determinism: Option<Determinism>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// When it was asked for.
    pub created_at: Micros,
    /// When the planner was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<Micros>,
    /// When the first segment was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Micros>,
    /// When the last segment settled and post-processing began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executed_at: Option<Micros>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Micros>,
    /// Targets finished in the last five minutes, per minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets_per_minute: Option<f64>,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

impl Run {
    /// Share of targets processed, 0 to 100 with one decimal; `None` while the total is not known.
    pub fn percent(&self) -> Option<f64> {
        match (self.state, self.candidates) {
            (RunState::Planning, _) => None,
            (_, 0) => Some(100.0),
            (_, candidates) => Some((self.processed as f64 * 1000.0 / candidates as f64).floor() / 10.0),
        }
    }

    /// Whether it completed with failed segments.
    pub fn is_partial(&self) -> bool {
        self.state == RunState::Completed && self.segments.failed > 0
    }
}

words! {
    /// The tabs of the runs table.
    RunTab {
        /// Planning, queued or running.
        Active = "active",
        /// Completed or cancelled.
        Completed = "completed",
        /// Error, or completed in part.
        Failures = "failures",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_of_a_run_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in RunState::ALL {
            for event in RunEvent::ALL {
                if let Ok(to) = next(*state, *event) {
                    lines.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let expected = "\
planning --plan--> queued
planning --no_work--> completed
planning --fail--> error
planning --cancel--> cancelled
queued --fail--> error
queued --start--> running
queued --cancel--> cancelled
running --fail--> error
running --complete--> completed
running --cancel--> cancelled";
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_scope_reads_back_as_written() {
        let keys = RunScope::Keys { purls: vec!["pkg:pypi/django".into()], vuln_ids: vec![] };
        let text = serde_json::to_string(&keys).unwrap();
        assert_eq!(text, r#"{"kind":"keys","purls":["pkg:pypi/django"],"vulnIds":[]}"#);
        assert_eq!(serde_json::from_str::<RunScope>(&text).unwrap(), keys);
        assert_eq!(keys.to_string(), "1 key");
        assert_eq!(serde_json::from_str::<RunScope>(r#"{"kind":"all"}"#).unwrap(), RunScope::All);
    }
}
