//! What must be true after all of it, read from the ledger's own history: nothing lost, nothing done twice, every story
//! legal, never more at work than the quotas allow, no lease left.

use super::load::{Accepted, BOUNDS, Bound, is_doomed};
use std::collections::{BTreeMap, BTreeSet};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::JobId;
use stella_contract::job::{Job, JobEvent, JobFilter, JobState, next};
use stella_contract::page::PageQuery;
use stella_contract::quota::{EVERY_TYPE, QuotaFilter};
use stella_sdk::{Client, collect_all};

/// What was counted on the way.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) replays: usize,
    pub(super) leases: usize,
    /// The most at work at once under each quota.
    pub(super) most: Vec<(&'static str, i64)>,
}

/// Holds the whole ledger against what was promised.
pub(super) async fn prove(client: &Client, promised: &[Accepted]) -> Counted {
    let kept: BTreeMap<JobId, Job> = collect_all(client.jobs().all(JobFilter::default()))
        .await
        .unwrap()
        .into_iter()
        .map(|job| (job.job_id.clone(), job))
        .collect();
    let lost: Vec<&Accepted> = promised.iter().filter(|one| !kept.contains_key(&one.job_id)).collect();
    assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
    let first_hand = kept.values().filter(|job| job.replay_of.is_none()).count();
    assert_eq!(first_hand, promised.len(), "a key made more than one job");

    let mut all = Vec::new();
    for job in kept.values() {
        let entries = story(client, &job.job_id).await;
        assert_legal(job, &entries);
        all.extend(entries);
    }
    for one in promised {
        assert_done_once(one, &kept);
    }
    all.sort_by_key(|entry| entry.seq);
    let counted = Counted {
        replays: kept.len() - first_hand,
        leases: all.iter().filter(|entry| is_claim(entry)).count(),
        most: BOUNDS.iter().map(|bound| (bound.job_type, most_at_work(bound, &all, &kept))).collect(),
    };
    for bound in &BOUNDS {
        assert_paced(bound, &all, &kept);
    }
    assert_no_lease_left(client, &kept).await;
    assert_eq!(client.core().verify_history().await.unwrap().broken, None);
    counted
}

/// Every entry of one job, oldest first.
async fn story(client: &Client, id: &JobId) -> Vec<HistoryEntry> {
    let mut entries = Vec::new();
    let mut page = PageQuery::default();
    loop {
        let got = client.jobs().history(id, &page).await.unwrap();
        entries.extend(got.items);
        match got.next_page_token {
            Some(token) => page.page_token = Some(token),
            None => break,
        }
    }
    entries.reverse();
    // What was noted of a job without moving it, as that another one repeats it, is no step of its story.
    entries.retain(|entry| entry.entity == "job" && entry.from_state != entry.to_state);
    entries
}

fn is_claim(entry: &HistoryEntry) -> bool {
    entry.kind == "orch.job.leased"
}

fn state_in(word: Option<&String>) -> Option<JobState> {
    word.map(|word| word.parse().unwrap())
}

/// A job's story is legal: along the arrows, under rising epochs, and ended once.
fn assert_legal(job: &Job, entries: &[HistoryEntry]) {
    let id = &job.job_id;
    let mut state: Option<JobState> = None;
    let (mut epoch, mut ends) = (0, 0);
    for entry in entries {
        let from = state_in(entry.from_state.as_ref());
        let to = state_in(entry.to_state.as_ref()).unwrap();
        assert_eq!(from, state, "{id}: entry {} does not go on where the one before ended", entry.seq);
        if let Some(from) = from {
            let is_arrow = JobEvent::ALL.iter().any(|event| next(from, *event) == Ok(to));
            assert!(is_arrow, "{id}: no arrow leads from {from} to {to}");
        }
        if is_claim(entry) {
            let now = entry.lease_epoch.unwrap();
            assert!(now > epoch, "{id}: epoch {now} after {epoch}");
            epoch = now;
        }
        ends += usize::from(to.is_final());
        state = Some(to);
    }
    assert_eq!((state, ends), (Some(job.state), 1), "{id}");
}

/// Each number was done once: by its own job, or, when that was doomed, by the one that repeated it.
fn assert_done_once(one: &Accepted, kept: &BTreeMap<JobId, Job>) {
    let own = kept[&one.job_id].state;
    let repeats: Vec<JobState> = kept
        .values()
        .filter(|job| job.replay_of.as_ref() == Some(&one.job_id))
        .map(|job| job.state)
        .collect();
    if is_doomed(one.number) {
        assert_eq!((own, &repeats[..]), (JobState::Failed, &[JobState::Succeeded][..]), "{one:?}");
    } else {
        assert_eq!((own, &repeats[..]), (JobState::Succeeded, &[][..]), "{one:?}");
    }
}

fn is_under(bound: &Bound, entry: &HistoryEntry, kept: &BTreeMap<JobId, Job>) -> bool {
    let job = &kept[entry.job_id.as_ref().unwrap()];
    bound.job_type == EVERY_TYPE || bound.job_type == job.job_type
}

/// Goes through leases and their ends in the order of the chain: never are more at work than the quota allows, and in
/// the end nobody is.
fn most_at_work(bound: &Bound, all: &[HistoryEntry], kept: &BTreeMap<JobId, Job>) -> i64 {
    let mut at_work: BTreeSet<&JobId> = BTreeSet::new();
    let mut most = 0;
    for entry in all.iter().filter(|entry| is_under(bound, entry, kept)) {
        let id = entry.job_id.as_ref().unwrap();
        match state_in(entry.to_state.as_ref()).unwrap() {
            JobState::Leased => assert!(at_work.insert(id), "{id} was claimed while it was at work"),
            JobState::Running => assert!(at_work.contains(id), "{id} runs without a claim"),
            JobState::Pending
            | JobState::Queued
            | JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped => drop(at_work.remove(id)),
        }
        let now = i64::try_from(at_work.len()).unwrap();
        assert!(now <= bound.max_active, "{now} at work under {bound:?} after entry {}", entry.seq);
        most = most.max(now);
    }
    assert_eq!(at_work, BTreeSet::new(), "leases that nobody ended");
    most
}

/// No claim came before its token: the burst, refilled at its rate, is never overdrawn.
fn assert_paced(bound: &Bound, all: &[HistoryEntry], kept: &BTreeMap<JobId, Job>) {
    let mut times: Vec<i64> = all
        .iter()
        .filter(|entry| is_claim(entry) && is_under(bound, entry, kept))
        .map(|entry| entry.occurred_at.0)
        .collect();
    times.sort_unstable();
    let burst = f64::from(u32::try_from(bound.burst).unwrap());
    let (mut tokens, mut at) = (burst, times.first().copied().unwrap_or_default());
    for time in times {
        let seconds = std::time::Duration::from_micros(u64::try_from(time - at).unwrap()).as_secs_f64();
        tokens = (tokens + seconds * bound.refill_per_second).min(burst) - 1.0;
        at = time;
        assert!(tokens > -1e-3, "the burst of {bound:?} was overdrawn: {tokens} at {time}");
    }
}

async fn assert_no_lease_left(client: &Client, kept: &BTreeMap<JobId, Job>) {
    let held: Vec<&JobId> =
        kept.values().filter(|job| job.lease_until.is_some()).map(|job| &job.job_id).collect();
    assert!(held.is_empty(), "ended and still held: {held:?}");
    for quota in collect_all(client.quotas().all(QuotaFilter::default())).await.unwrap() {
        assert_eq!(quota.live.active, 0, "places of {} are taken by nobody", quota.job_type);
    }
}
