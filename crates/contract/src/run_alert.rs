//! What is wrong with the scheduler right now (spec 05 §5.10): a silent planner, planning that waits, a deep queue, one
//! error code again and again.

use crate::ids::RunId;
use crate::incident::Severity;
use crate::run::RunErrorCode;
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// A planner that is silent for longer is worth a warning.
pub const PLANNER_SILENT_MS: i64 = 90_000;
/// One that is silent for longer than this needs somebody now.
pub const PLANNER_GONE_MS: i64 = 300_000;
/// A run that is in planning for longer is late.
pub const PLANNING_LATE_MS: i64 = 120_000;
/// More queued jobs than these are a deep queue, once that lasts.
pub const DEEP_QUEUE: i64 = 1_000;
/// For so long.
pub const DEEP_QUEUE_MS: i64 = 10 * 60_000;
/// So many runs that end with one code within [`REPEATED_MS`] have one cause.
pub const REPEATED: i64 = 3;
/// The span in which they are counted.
pub const REPEATED_MS: i64 = 60 * 60_000;

words! {
    /// What a warning is about.
    RunAlertKind {
        /// No planner has told for a while that it is alive.
        PlannerSilent = "planner.silent",
        /// A run waits in planning.
        PlannerLag = "planner.lag",
        /// The queue is deep, and has been for a while.
        QueueDepth = "queue.depth",
        /// Several runs ended with the same code.
        RepeatedCode = "code.repeated",
    }
}

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunAlert {
    /// What it is about.
    pub kind: RunAlertKind,
    /// How bad it is.
    pub severity: Severity,
    /// Since when.
    pub since: Micros,
    /// The number behind it: queued jobs, runs. 1 where there is nothing to count.
    pub count: i64,
    /// The run that waits longest, or the newest of those that ended alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The code they ended with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<RunErrorCode>,
}

impl RunAlert {
    /// What is wrong, in a few words. How long it has lasted is for whoever shows it: it changes with every second.
    pub fn fact(&self) -> String {
        match (self.kind, self.error_code) {
            (RunAlertKind::PlannerSilent, _) => "The planner is silent".to_owned(),
            (RunAlertKind::PlannerLag, _) => "A run waits in planning".to_owned(),
            (RunAlertKind::QueueDepth, _) => format!("{} jobs are queued", self.count),
            (RunAlertKind::RepeatedCode, Some(code)) => {
                format!("{} runs ended with {code} in an hour", self.count)
            }
            (RunAlertKind::RepeatedCode, None) => format!("{} runs ended alike in an hour", self.count),
        }
    }
    /// What follows from it and what to do, in a sentence.
    pub const fn next_step(&self) -> &'static str {
        match (self.kind, self.error_code) {
            (RunAlertKind::PlannerSilent, _) => {
                "New runs wait in planning. Look whether `stella serve` or the window still runs."
            }
            (RunAlertKind::PlannerLag, _) => {
                "The planner is busy or stopped. Look at its heartbeat and at the runs in planning."
            }
            (RunAlertKind::QueueDepth, _) => {
                "Jobs come faster than workers take them. Look at the workers and at what holds the queue."
            }
            (RunAlertKind::RepeatedCode, Some(code)) => code.next_step(),
            (RunAlertKind::RepeatedCode, None) => "Compare the runs.",
        }
    }
}

/// All warnings of a tenant, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunAlerts {
    /// When it was looked.
    pub as_of: Micros,
    /// What is wrong; empty when nothing is.
    pub items: Vec<RunAlert>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_names_the_number_and_the_code_behind_it() {
        let alert = |kind, count, error_code| RunAlert {
            kind,
            severity: Severity::Warning,
            since: Micros(0),
            count,
            run_id: None,
            error_code,
        };
        let repeated = alert(RunAlertKind::RepeatedCode, 4, Some(RunErrorCode::ScannerTimeout));
        assert_eq!(repeated.fact(), "4 runs ended with ERR_RUN_005 in an hour");
        assert_eq!(repeated.next_step(), RunErrorCode::ScannerTimeout.next_step());
        assert_eq!(alert(RunAlertKind::QueueDepth, 1_094, None).fact(), "1094 jobs are queued");
    }
}
