//! The attempts of a job, told by its history: each begins with a claim and ends with what ended it.

use stella_contract::history::HistoryEntry;
use stella_contract::job::Attempt;

/// The attempts that these entries of one job, oldest first, tell of; newest first.
pub(crate) fn told_by(entries: &[HistoryEntry]) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    for entry in entries {
        let text = |name: &str| entry.data.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let (Some(lease_epoch), Some(attempt)) = (entry.lease_epoch, entry.attempt) else { continue };
        if entry.kind == "orch.job.leased" {
            let Some(worker_id) = text("workerId").and_then(|id| id.parse().ok()) else { continue };
            attempts.push(Attempt {
                lease_epoch,
                attempt,
                worker_id,
                leased_at: entry.occurred_at,
                started_at: None,
                ended_at: None,
                outcome: None,
                error_code: None,
                error_message: None,
            });
            continue;
        }
        let Some(open) = attempts.last_mut().filter(|open| open.lease_epoch == lease_epoch) else { continue };
        if entry.kind == "orch.job.started" {
            open.started_at = Some(entry.occurred_at);
        }
        if let Some(outcome) = text("outcome") {
            open.ended_at = Some(entry.occurred_at);
            open.outcome = Some(outcome);
            open.error_code = text("errorCode");
            open.error_message = text("errorMessage");
        }
    }
    attempts.reverse();
    attempts
}
