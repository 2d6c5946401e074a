//! The dry run of a change-set: what is selected, what of it the verb can be done to, and what follows. Pure.

use crate::error::Error;
use crate::runs::SEGMENT_JOB;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use stella_contract::change_set::{
    ChangeVerb, DryRun, ItemRefusal, QueueImpact, RefusalCount, ShareCount, refusal,
};
use stella_contract::job::JobState;
use stella_ledger::LedgerError;
use stella_ledger::change_items::{JobFact, NewItem};

/// Groups that are told of types and sources; more would not be read.
const TOLD: usize = 20;

/// What a verb would meet: an item and what is counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) item: NewItem,
    pub(super) category: Option<String>,
    pub(super) source: Option<String>,
}

/// The verdict over jobs; ids that name none of the tenant's jobs come last.
pub(super) fn of_jobs(
    verb: ChangeVerb,
    facts: Vec<JobFact>,
    unknown: Vec<String>,
) -> Result<Vec<Candidate>, Error> {
    let mut found = Vec::with_capacity(facts.len() + unknown.len());
    for fact in facts {
        let corrupt = |_| LedgerError::corrupt("jobs", "state", &fact.job_id);
        let state: JobState = fact.state.parse().map_err(corrupt)?;
        let item = NewItem {
            refusal: refusal(verb, state).or_else(|| of_run(verb, &fact.job_type)),
            id: fact.job_id,
            job_key: Some(fact.key),
            job_type: fact.job_type,
            was: fact.state,
        };
        found.push(Candidate { item, category: fact.error_class, source: fact.source_id });
    }
    found.extend(unknown.iter().map(|id| Candidate::unknown(id)));
    Ok(found)
}

impl Candidate {
    /// An id that names nothing of the tenant.
    pub(super) fn unknown(id: &str) -> Self {
        let item = NewItem {
            id: id.to_owned(),
            job_key: None,
            job_type: String::new(),
            was: "unknown".to_owned(),
            refusal: Some(ItemRefusal::NotFound),
        };
        Self { item, category: None, source: None }
    }
}

/// A run is repeated as a whole.
fn of_run(verb: ChangeVerb, job_type: &str) -> Option<ItemRefusal> {
    (verb.makes_jobs() && job_type == SEGMENT_JOB).then_some(ItemRefusal::OfRun)
}

/// The queue of a job type as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Queue {
    /// Jobs that wait.
    pub(super) waiting: i64,
    /// Jobs at work.
    pub(super) at_work: i64,
    /// As many may be at work at once, where a quota says so.
    pub(super) max_active: Option<i64>,
}

/// What the dry run found, and what that means to the queues.
pub(super) fn tell(
    verb: ChangeVerb,
    pace_per_s: Option<u32>,
    found: &[Candidate],
    queues: &BTreeMap<String, Queue>,
) -> DryRun {
    let eligible = found.iter().filter(|one| one.item.refusal.is_none()).count() as i64;
    let by_type = shares(found, |one| Some(one.item.job_type.as_str()));
    let impact = match verb.makes_jobs() {
        false => Vec::new(),
        true => by_type
            .iter()
            .filter(|share| share.eligible > 0)
            .take(TOLD)
            .map(|share| {
                let Queue { waiting, at_work, max_active } =
                    queues.get(&share.name).copied().unwrap_or_default();
                let (job_type, added) = (share.name.clone(), share.eligible);
                QueueImpact { job_type, added, waiting, at_work, max_active }
            })
            .collect(),
    };
    let first = |mut shares: Vec<ShareCount>| {
        shares.truncate(TOLD);
        shares
    };
    DryRun {
        selected: found.len() as i64,
        eligible,
        refusals: refusals(found),
        by_state: shares(found, |one| Some(one.item.was.as_str())),
        by_category: shares(found, |one| one.category.as_deref()),
        by_source: first(shares(found, |one| one.source.as_deref())),
        by_type: first(by_type),
        impact,
        duration_s: pace_per_s.map(|pace| (eligible + i64::from(pace) - 1) / i64::from(pace.max(1))),
    }
}

/// Names the items and the verdict on each.
pub(super) fn hash(found: &[Candidate]) -> String {
    let mut hasher = Sha256::new();
    for one in found {
        hasher.update(&one.item.id);
        hasher.update("\t");
        hasher.update(one.item.refusal.map_or("-", ItemRefusal::as_str));
        hasher.update("\n");
    }
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

fn refusals(found: &[Candidate]) -> Vec<RefusalCount> {
    let mut counts: BTreeMap<ItemRefusal, i64> = BTreeMap::new();
    for refusal in found.iter().filter_map(|one| one.item.refusal) {
        *counts.entry(refusal).or_default() += 1;
    }
    let mut told: Vec<RefusalCount> = counts
        .into_iter()
        .map(|(code, count)| RefusalCount { code, reason: code.sentence().to_owned(), count })
        .collect();
    told.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
    told
}

/// Most first; those with equally many by name.
fn shares<'a>(found: &'a [Candidate], name: impl Fn(&'a Candidate) -> Option<&'a str>) -> Vec<ShareCount> {
    let mut counts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for one in found {
        if let Some(name) = name(one).filter(|name| !name.is_empty()) {
            let (selected, eligible) = counts.entry(name).or_default();
            *selected += 1;
            *eligible += i64::from(one.item.refusal.is_none());
        }
    }
    let mut told: Vec<ShareCount> = counts
        .into_iter()
        .map(|(name, (selected, eligible))| ShareCount { name: name.to_owned(), selected, eligible })
        .collect();
    told.sort_by_key(|share| std::cmp::Reverse(share.selected));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(key: i64, job_type: &str, state: &str, class: Option<&str>) -> JobFact {
        JobFact {
            key,
            job_id: format!("job_{key}"),
            job_type: job_type.to_owned(),
            state: state.to_owned(),
            error_class: class.map(str::to_owned),
            source_id: None,
        }
    }

    fn share(name: &str, selected: i64, eligible: i64) -> ShareCount {
        ShareCount { name: name.to_owned(), selected, eligible }
    }

    #[test]
    fn the_dry_run_tells_what_is_refused_and_why_and_what_the_queues_would_take() {
        let facts = vec![
            fact(1, "scan", "failed", Some("timeout")),
            fact(2, "scan", "failed", Some("network")),
            fact(3, "ingest", "running", None),
            fact(4, "scan", "succeeded", None),
        ];
        let found = of_jobs(ChangeVerb::Retry, facts, vec!["job_9".to_owned()]).unwrap();
        let queue = Queue { waiting: 7, at_work: 2, max_active: Some(4) };
        let queues = BTreeMap::from([("scan".to_owned(), queue)]);
        let told = tell(ChangeVerb::Retry, Some(5), &found, &queues);
        assert_eq!((told.selected, told.eligible, told.duration_s), (5, 2, Some(1)));
        let reasons: Vec<(ItemRefusal, i64)> =
            told.refusals.iter().map(|refusal| (refusal.code, refusal.count)).collect();
        assert_eq!(
            reasons,
            [(ItemRefusal::NotEnded, 1), (ItemRefusal::Succeeded, 1), (ItemRefusal::NotFound, 1)]
        );
        assert_eq!(told.by_type, [share("scan", 3, 2), share("ingest", 1, 0)]);
        assert_eq!(told.by_category, [share("network", 1, 1), share("timeout", 1, 1)]);
        let impact = &told.impact[0];
        assert_eq!(
            (impact.job_type.as_str(), impact.added, impact.waiting, impact.at_work, impact.max_active),
            ("scan", 2, 7, 2, Some(4))
        );
        assert_eq!(told.impact.len(), 1);
    }

    #[test]
    fn a_verb_that_makes_no_work_burdens_no_queue() {
        let found = of_jobs(ChangeVerb::Cancel, vec![fact(1, "scan", "queued", None)], Vec::new()).unwrap();
        let told = tell(ChangeVerb::Cancel, None, &found, &BTreeMap::new());
        assert_eq!((told.eligible, told.impact.len(), told.duration_s), (1, 0, None));
    }

    #[test]
    fn the_hash_changes_with_the_items_and_with_the_verdict() {
        let of = |state: &str| {
            let found = of_jobs(ChangeVerb::Cancel, vec![fact(1, "scan", state, None)], Vec::new());
            hash(&found.unwrap())
        };
        assert_eq!(of("queued"), of("running"));
        assert_ne!(of("queued"), of("failed"));
        assert!(of("queued").starts_with("sha256:"));
    }
}
