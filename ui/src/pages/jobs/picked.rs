//! What is selected in the jobs list: rows one by one, or all that match with some left out. Pure.

use crate::kit::{Selection, Sheet};
use std::collections::BTreeSet;
use std::rc::Rc;
use stella_contract::change_set::{self, ChangeVerb};
use stella_contract::job::{Job, JobState};

/// What is selected.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Picked {
    /// Nothing.
    #[default]
    None,
    /// These rows.
    Rows(Selection),
    /// All that match, loaded or not, without these.
    All(BTreeSet<String>),
}

impl Picked {
    /// The keys of the loaded rows that are selected.
    pub(super) fn keys(&self, rows: &Sheet<Job>) -> Selection {
        match self {
            Self::None => Selection::default(),
            Self::Rows(keys) => keys.clone(),
            Self::All(without) => {
                let all = rows.iter().map(|job| job.job_id.to_string());
                Rc::new(all.filter(|key| !without.contains(key)).collect())
            }
        }
    }
    /// After the table told this selection. The same rows once more, with every loaded row among them, mean all that
    /// match; of all that match, a row that is no longer selected is left out.
    pub(super) fn after(&self, keys: Selection, rows: &Sheet<Job>, total: Option<u64>) -> Self {
        if keys.is_empty() {
            return Self::None;
        }
        match self {
            Self::All(without) => {
                let loaded: BTreeSet<String> = rows.iter().map(|job| job.job_id.to_string()).collect();
                let mut without: BTreeSet<String> = without.difference(&loaded).cloned().collect();
                without.extend(loaded.into_iter().filter(|key| !keys.contains(key)));
                Self::All(without)
            }
            Self::Rows(before)
                if *before == keys && keys.len() == rows.len() && has_more(rows.len(), total) =>
            {
                Self::All(BTreeSet::new())
            }
            Self::None | Self::Rows(_) => Self::Rows(keys),
        }
    }
    /// Whether anything is selected.
    pub(super) fn any(&self) -> bool {
        *self != Self::None
    }
    /// How many are selected, where that is known.
    pub(super) fn count(&self, total: Option<u64>) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Rows(keys) => Some(keys.len() as u64),
            Self::All(without) => Some(total?.saturating_sub(without.len() as u64)),
        }
    }
    /// Why a verb can be done to none of what is selected; `None` when it may be possible.
    pub(super) fn refusal(&self, verb: ChangeVerb, rows: &Sheet<Job>) -> Option<&'static str> {
        // Of all that match, only the dry run knows.
        let Self::Rows(keys) = self else { return None };
        let chosen = rows.iter().filter(|job| keys.contains(job.job_id.as_str()));
        let states: Vec<JobState> = chosen.map(|job| job.state).collect();
        if states.iter().any(|state| change_set::refusal(verb, *state).is_none()) || states.is_empty() {
            return None;
        }
        Some(match verb {
            ChangeVerb::Cancel | ChangeVerb::Prioritize => "all have ended",
            ChangeVerb::Retry => "none has failed",
            ChangeVerb::Replay | ChangeVerb::DeadLetterReplay | ChangeVerb::DeadLetterResolve => {
                "none has ended"
            }
        })
    }
}

/// Whether more match than are loaded; where it is not known how many, there are more.
pub(super) fn has_more(loaded: usize, total: Option<u64>) -> bool {
    total.is_none_or(|total| total > loaded as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(n: u32, state: &str) -> Job {
        serde_json::from_value(serde_json::json!({
            "jobId": format!("job_01890000-0000-7000-8000-{n:012}"), "tenant": "acme", "jobType": "exam", "priority": 50,
            "state": state, "payloadDigest": "d", "payloadSize": 2, "idempotencyKey": "k", "attempt": 0, "maxAttempts": 6,
            "timeoutS": 60, "leaseEpoch": 0, "progress": 0.0, "processed": 0, "total": 0, "correlationId": "c",
            "createdBy": "ada", "inputsHash": "h", "createdAt": "2026-11-21T14:28:15.204Z", "version": 1
        }))
        .unwrap()
    }

    fn keys(jobs: &[Job]) -> Selection {
        Rc::new(jobs.iter().map(|job| job.job_id.to_string()).collect())
    }

    #[test]
    fn all_loaded_rows_twice_are_all_that_match_and_one_taken_away_is_left_out() {
        let jobs = vec![job(1, "queued"), job(2, "queued")];
        let sheet: Sheet<Job> = jobs.clone().into();
        let once = Picked::None.after(keys(&jobs), &sheet, Some(9));
        assert_eq!(once.count(Some(9)), Some(2));
        assert_eq!(once.after(keys(&jobs), &sheet, Some(2)), once, "no more match");
        let all = once.after(keys(&jobs), &sheet, Some(9));
        assert_eq!((all.count(Some(9)), all.count(None)), (Some(9), None));
        let without = all.after(keys(&jobs[..1]), &sheet, Some(9));
        assert_eq!(without.count(Some(9)), Some(8));
        assert_eq!(without.keys(&sheet), keys(&jobs[..1]));
        assert_eq!(without.after(keys(&jobs), &sheet, Some(9)), all, "and it comes back");
        assert_eq!(without.after(Selection::default(), &sheet, Some(9)), Picked::None);
    }

    #[test]
    fn a_verb_that_fits_none_of_the_rows_says_why() {
        let jobs = vec![job(1, "queued"), job(2, "running")];
        let sheet: Sheet<Job> = jobs.clone().into();
        let picked = Picked::Rows(keys(&jobs));
        assert_eq!(picked.refusal(ChangeVerb::Replay, &sheet), Some("none has ended"));
        assert_eq!(picked.refusal(ChangeVerb::Retry, &sheet), Some("none has failed"));
        assert_eq!(picked.refusal(ChangeVerb::Cancel, &sheet), None);
        assert_eq!(Picked::All(BTreeSet::new()).refusal(ChangeVerb::Replay, &sheet), None);
    }
}
