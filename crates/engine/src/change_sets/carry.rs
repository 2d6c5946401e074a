//! Carrying a change-set out: a few items in one transaction, each with its result, until none is left.

use super::pace::{self, Step, Verdict};
use super::{act, keep, tell};
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use stella_contract::change_set::{self, ChangeItem, ChangeSetEvent, ChangeSetState, ItemRefusal, ItemState};
use stella_contract::job::JobState;
use stella_contract::time::Micros;
use stella_ledger::change_items::ItemRecord;
use stella_ledger::change_sets::ChangeSetRecord;
use stella_ledger::{Tx, change_items, change_sets, jobs, key_of};

/// How often it is looked whether the first items have ended.
const LOOK_MS: i64 = 2_000;

/// What one step of a change-set did and when the next is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// How many things it changed.
    pub(crate) did: usize,
    /// When there is something to do next.
    pub(crate) next_at: Option<Micros>,
}

/// Carries the change-set one step further. What the ledger or a rule refuses as a whole is tried item by item, so that
/// one bad item does not hold up the others.
pub(crate) async fn carry_out(engine: &Engine, set_key: i64) -> Result<Carried, Error> {
    match attempt(engine, set_key, Portion::Some).await {
        Err(error) if !error.is_retryable() => {}
        done => return done,
    }
    match attempt(engine, set_key, Portion::One).await {
        Err(error) if !error.is_retryable() => {
            let why = error.public.clone();
            attempt(engine, set_key, Portion::Fail(why)).await
        }
        done => done,
    }
}

/// How much of it is done at once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Portion {
    /// As much as its pace and options allow.
    Some,
    /// One item.
    One,
    /// One item, which fails with this sentence.
    Fail(String),
}

async fn attempt(engine: &Engine, set_key: i64, portion: Portion) -> Result<Carried, Error> {
    let own = engine.clone();
    let write = engine.ledger().write::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let now = own.now();
            let mut journal = Journal::default();
            let carried = further(tx, &own, set_key, &portion, now, &mut journal).await?;
            journal.leave(tx);
            Ok(carried)
        })
    });
    write.await
}

async fn further(
    tx: &mut Tx,
    engine: &Engine,
    set_key: i64,
    portion: &Portion,
    now: Micros,
    journal: &mut Journal,
) -> Result<Carried, Error> {
    let found = change_sets::by_key(tx, set_key).await?;
    let Some(mut record) = found.filter(|record| record.set.state == ChangeSetState::Running) else {
        return Ok(Carried::default());
    };
    match pace::step(&record, now) {
        Step::End => end(tx, &mut record, ChangeSetEvent::Complete, None, now, journal).await,
        Step::Wait(until) => Ok(Carried { did: 0, next_at: Some(until) }),
        Step::Judge => judge(tx, &mut record, now, journal).await,
        Step::Take { limit, paced_from, paced } => {
            record.paced_from = Some(paced_from);
            record.paced = paced;
            let limit = if *portion == Portion::Some { limit } else { 1 };
            take(tx, engine, &mut record, limit, portion, now, journal).await
        }
    }
}

async fn take(
    tx: &mut Tx,
    engine: &Engine,
    record: &mut ChangeSetRecord,
    limit: i64,
    portion: &Portion,
    now: Micros,
    journal: &mut Journal,
) -> Result<Carried, Error> {
    let waiting = Some(ItemState::Waiting);
    let items = change_items::after(tx, record.set_key, record.reached, waiting, limit).await?;
    let by = By { actor: record.actor(), cause: record.cause() };
    let done: Vec<ChangeItem> = match portion {
        Portion::Some | Portion::One => act::act(tx, engine, record, items, &by, now, journal).await?,
        Portion::Fail(why) => items.into_iter().map(|item| failed(item, why)).collect(),
    };
    change_items::finish_many(tx, record.set_key, &done, now).await?;
    count(record, &done);
    if pace::fails(&record.set) {
        let progress = record.set.progress;
        let tried = progress.done + progress.failed;
        let why = format!("{} of {tried} items failed, more than its options allow", progress.failed);
        return end(tx, record, ChangeSetEvent::Stop, Some(why), now, journal).await;
    }
    if record.set.progress.waiting == 0 {
        return end(tx, record, ChangeSetEvent::Complete, None, now, journal).await;
    }
    keep(tx, record).await?;
    tell::now(record, "progress", now, journal);
    Ok(Carried { did: done.len().max(1), next_at: Some(now) })
}

fn failed(item: ItemRecord, why: &str) -> ChangeItem {
    ChangeItem {
        state: ItemState::Failed,
        code: Some(ItemRefusal::Error),
        message: Some(why.to_owned()),
        ..item.item
    }
}

/// Counts what became of the items. When there were none although some should wait, the count was wrong, and is mended.
fn count(record: &mut ChangeSetRecord, done: &[ChangeItem]) {
    let progress = &mut record.set.progress;
    for item in done {
        match item.state {
            ItemState::Done => progress.done += 1,
            ItemState::Skipped => progress.skipped += 1,
            ItemState::Failed => progress.failed += 1,
            ItemState::Waiting | ItemState::Refused => {}
        }
        record.reached = record.reached.max(item.position);
    }
    let many = done.len() as i64;
    progress.waiting = if done.is_empty() { 0 } else { (progress.waiting - many).max(0) };
    record.paced += many;
}

/// Sees how the first items ended, and decides about the rest.
async fn judge(
    tx: &mut Tx,
    record: &mut ChangeSetRecord,
    now: Micros,
    journal: &mut Journal,
) -> Result<Carried, Error> {
    let states = states_of_first(tx, record).await?;
    if states.iter().any(|state| !state.is_final()) {
        return Ok(Carried { did: 0, next_at: Some(now.plus_ms(LOOK_MS)) });
    }
    let progress = record.set.progress;
    let tried = progress.done + progress.failed;
    let bad = states.iter().filter(|state| **state != JobState::Succeeded).count() as i64;
    let failed = progress.failed + bad;
    match pace::verdict(&record.set, tried, failed) {
        Verdict::Stop => {
            let why = format!("{failed} of the first {tried} failed; the rest is left as it was");
            end(tx, record, ChangeSetEvent::Stop, Some(why), now, journal).await
        }
        Verdict::GoOn => {
            record.first_passed = true;
            keep(tx, record).await?;
            tell::now(record, "progress", now, journal);
            Ok(Carried { did: 1, next_at: Some(now) })
        }
        Verdict::Pause => {
            record.first_passed = true;
            let why = format!("The first {tried} are done, {failed} of them failed; resume it to go on");
            end(tx, record, ChangeSetEvent::Pause, Some(why), now, journal).await
        }
    }
}

/// The states of the jobs that came of the first items; none where the verb makes none.
async fn states_of_first(tx: &mut Tx, record: &ChangeSetRecord) -> Result<Vec<JobState>, Error> {
    if !record.set.verb.makes_jobs() {
        return Ok(Vec::new());
    }
    let done = record.set.progress.done;
    let items = change_items::after(tx, record.set_key, 0, Some(ItemState::Done), done).await?;
    let made = items.iter().filter_map(|row| row.item.result_job_id.as_deref()?.parse().ok());
    let keys: Vec<i64> = made.map(|id| key_of(&id)).collect();
    Ok(jobs::get_many(tx, &keys).await?.into_iter().map(|record| record.job.state).collect())
}

/// Takes it along an arrow by itself, and writes that down.
async fn end(
    tx: &mut Tx,
    record: &mut ChangeSetRecord,
    event: ChangeSetEvent,
    notice: Option<String>,
    now: Micros,
    journal: &mut Journal,
) -> Result<Carried, Error> {
    let from = record.set.state;
    record.set.state = change_set::next(from, event)?;
    record.set.notice = notice;
    record.set.ended_at = record.set.state.is_final().then_some(now);
    let by = By::itself("engine/change-set-runner");
    let happened = record.set.state.as_str();
    tell::enter(record, from, happened, by.actor, &by.cause, now, journal);
    keep(tx, record).await?;
    tell::now(record, happened, now, journal);
    Ok(Carried { did: 1, next_at: None })
}
