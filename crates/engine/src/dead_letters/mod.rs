//! The dead letter as operators see it: look, look after, repeat, close, open again.

mod batch;
mod export;
mod figures;
pub(crate) mod fingerprint;
pub(crate) mod follow;
pub(crate) mod mutes;
mod replay;
mod tell;

pub(crate) use replay::{Manner, No, judge, replay_many, resolve_many};

use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::{jobs as engine_jobs, page, redact};
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, DeadLetter, DeadLetterDetail, DeadLetterEvent, DeadLetterFilter, DeadLetterState,
    NOTE_MAX, OWNER_MAX, next, refusal,
};
use stella_contract::error::Code;
use stella_contract::history::HistoryEntry;
use stella_contract::ids::{DeadLetterId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_ledger::dead_letters::{self, Change, DeadLetterRecord};
use stella_ledger::history::About;
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, dead_letter_lists, edges, history, jobs};

/// Entries of the history that a page of one entry is told from.
const TOLD: i64 = 500;
/// Repeats that a page of one entry shows.
const REPLAYS_SHOWN: usize = 50;

/// The dead letter.
#[derive(Clone)]
pub struct DeadLetters {
    engine: Engine,
}

impl Engine {
    /// The dead letter.
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters { engine: self.clone() }
    }
}

/// Everything of one entry, from one snapshot.
struct Found {
    record: DeadLetterRecord,
    job: Option<JobRecord>,
    replays: Vec<JobRecord>,
    history: Vec<HistoryEntry>,
    alike: i64,
}

impl DeadLetters {
    /// The entries of the caller's tenant that match, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &DeadLetterFilter,
        query: &PageQuery,
    ) -> Result<Page<DeadLetter>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = ("dead letters", &caller.tenant, filter);
        let after = page::after::<_, dead_letter_lists::After>(&key, query)?;
        let (tenant, wanted, limit) = (caller.tenant.clone(), filter.clone(), i64::from(query.size()) + 1);
        let (rows, total): (Vec<DeadLetterRecord>, Option<i64>) = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let rows = dead_letter_lists::newest(tx, &tenant, &wanted, after, limit).await?;
                    Ok::<_, Error>((rows, dead_letter_lists::total(tx, &tenant, &wanted).await?))
                })
            })
            .await?;
        let page =
            page::of(&key, query, rows, page::total(total), |one| (one.entry.dead_lettered_at.0, one.key))?;
        Ok(Page {
            items: page.items.into_iter().map(|record| record.entry).collect(),
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }

    /// An entry with its payload, its repeats and what happened to it.
    pub async fn get(&self, caller: &Caller, id: &DeadLetterId) -> Result<DeadLetterDetail, Error> {
        caller.demand(Scope::OrchRead)?;
        let (found, payload) = self.found(caller, id).await?;
        Ok(DeadLetterDetail {
            entry: found.record.entry,
            payload: redact::value(&payload),
            replays: found.replays.into_iter().map(engine_jobs::view).collect(),
            history: found.history,
            alike: u64::try_from(found.alike).unwrap_or(0),
        })
    }

    /// An entry with its payload as it is stored.
    async fn found(&self, caller: &Caller, id: &DeadLetterId) -> Result<(Found, serde_json::Value), Error> {
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let found: Found = self
            .engine
            .ledger()
            .read(move |tx| Box::pin(async move { read(tx, &tenant, &wanted).await }))
            .await?;
        let payload = self.payload(found.job.as_ref(), &found.record.entry).await?;
        Ok((found, payload))
    }

    /// Says who looks after an entry, what is known so far, and by when it shall be done.
    pub async fn acknowledge(
        &self,
        caller: &Caller,
        id: &DeadLetterId,
        wish: AcknowledgeDeadLetter,
    ) -> Result<DeadLetter, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let owner = wish.owner.map(|owner| owner.trim().to_owned()).filter(|owner| !owner.is_empty());
        let owner = owner.unwrap_or_else(|| caller.subject.clone());
        if owner.chars().count() > OWNER_MAX {
            return Err(Error::invalid("owner", format!("has at most {OWNER_MAX} characters")));
        }
        let note = wish.note.map(|note| redact::text(note.trim())).filter(|note| !note.is_empty());
        if note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
            return Err(Error::invalid("note", format!("has at most {NOTE_MAX} characters")));
        }
        let change = Change::Acknowledge { by: caller.subject.clone(), owner, note, due_at: wish.due_at };
        self.change(caller, id, change).await
    }

    /// Opens a closed entry again.
    pub async fn reopen(&self, caller: &Caller, id: &DeadLetterId) -> Result<DeadLetter, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        self.change(caller, id, Change::Reopen).await
    }

    async fn change(&self, caller: &Caller, id: &DeadLetterId, change: Change) -> Result<DeadLetter, Error> {
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let (tenant, wanted, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let found = dead_letters::get(tx, &tenant, &wanted).await?;
                    let record = found.ok_or_else(|| Error::not_found("dead-letter entry", &wanted))?;
                    allow(&record.entry, change.event())?;
                    let (now, mut journal) = (engine.now(), Journal::default());
                    let wishes = [(record.key, change)];
                    let mut after = follow::changed(tx, &wishes, &[record], &by, now, &mut journal).await?;
                    journal.leave(tx);
                    let after = after.pop().ok_or_else(|| Error::internal("a change changed nothing"))?;
                    Ok(after.entry)
                })
            })
            .await
    }

    /// The payload of an entry's job; null when neither row nor bytes are there any more.
    async fn payload(&self, job: Option<&JobRecord>, entry: &DeadLetter) -> Result<serde_json::Value, Error> {
        let bytes = match job.and_then(|job| job.payload.clone()) {
            Some(text) => text.into_bytes().into(),
            None if job.is_none() => return Ok(serde_json::Value::Null),
            None => self.engine.blobs().get(&entry.payload_digest).await?,
        };
        serde_json::from_slice(&bytes).map_err(|_| {
            let sentence = format!("What is stored of job `{}` cannot be read.", entry.job_id);
            Error::new(Code::Corrupt, sentence)
        })
    }
}

/// Refuses what the entry's state does not allow, in the words of the dead letter.
fn allow(entry: &DeadLetter, event: DeadLetterEvent) -> Result<(), Error> {
    let Some(why) = refusal(entry.state, event) else { return Ok(()) };
    let sentence = format!("{why}: entry `{}` is {}.", entry.entry_id, entry.state);
    // What waits for an open entry is told so by name; the rest is a step that is not there.
    let needs_open = next(DeadLetterState::Open, event).is_ok();
    Err(Error::new(if needs_open { Code::DeadletterNotOpen } else { Code::InvalidTransition }, sentence))
}

async fn read(tx: &mut Tx, tenant: &Tenant, id: &DeadLetterId) -> Result<Found, Error> {
    let found = dead_letters::get(tx, tenant, id).await?;
    let record = found.ok_or_else(|| Error::not_found("dead-letter entry", id))?;
    let mut job = jobs::get_many(tx, &[record.key]).await?;
    jobs::add_payloads(tx, &mut job).await?;
    let job = job.pop();
    let first = job.as_ref().map_or(record.key, JobRecord::first_key);
    let mut repeats = edges::repeats_of(tx, &[first]).await?;
    repeats.retain(|key| *key > record.key);
    let newest = repeats.split_off(repeats.len().saturating_sub(REPLAYS_SHOWN));
    let mut replays = jobs::get_many(tx, &newest).await?;
    replays.reverse();
    let about = About::Job(record.entry.job_id.clone());
    let mut history = history::newest(tx, tenant, &about, None, TOLD).await?;
    history.retain(|entry| entry.entity == tell::ENTITY);
    let alike = DeadLetterFilter {
        state: Some(DeadLetterState::Open),
        fingerprint: Some(record.entry.fingerprint.clone()),
        ..DeadLetterFilter::default()
    };
    let alike = dead_letter_lists::count(tx, tenant, &alike).await?;
    Ok(Found { record, job, replays, history, alike })
}
