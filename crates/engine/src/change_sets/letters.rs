//! Change-sets on dead-letter entries: what is selected, and doing the verb to some of it.

use super::act::Outcome;
use super::dry_run::Candidate;
use super::selection_changed;
use crate::change::By;
use crate::dead_letters::{Manner, No, judge, replay_many, resolve_many};
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use std::collections::{BTreeMap, BTreeSet};
use stella_contract::change_set::{
    ChangeParameters, ChangeSet, ChangeVerb, ItemRefusal, ItemState, MOST_IDS, MOST_ITEMS, Selection,
};
use stella_contract::dead_letter::{
    DeadLetterEvent, DeadLetterFilter, DeadLetterState, NOTE_MAX, ResolutionCode, next,
};
use stella_contract::error::Code;
use stella_contract::filter::Filter;
use stella_contract::filter_value::Pattern;
use stella_contract::ids::{DeadLetterId, Tenant};
use stella_contract::time::Micros;
use stella_ledger::change_items::{self, NewItem};
use stella_ledger::change_sets::ChangeSetRecord;
use stella_ledger::dead_letters::{self, DeadLetterRecord};
use stella_ledger::{Tx, dead_letter_lists};

/// Entries read or judged in one go.
const STRIDE: i64 = 500;
/// What only a change mends is left out when it is looked at, as in every batch, unless it is forced.
const fn looked_at(parameters: &ChangeParameters) -> Manner {
    Manner { force: parameters.force, batch: true }
}

/// The change-set keeps the pace itself.
const fn done(parameters: &ChangeParameters) -> Manner {
    Manner { force: parameters.force, batch: false }
}

/// The selected entries with the verdict on each; ids that name none of the tenant's come last.
pub(super) async fn candidates(
    tx: &mut Tx,
    tenant: &Tenant,
    verb: ChangeVerb,
    selection: &Selection,
    parameters: &ChangeParameters,
    now: Micros,
) -> Result<Vec<Candidate>, Error> {
    let (records, unknown) = match selection {
        Selection::Ids { ids } => named(tx, tenant, &entry_ids("selection.ids", ids)?).await?,
        Selection::Filter { filter, excluding } => {
            let without = entry_ids("selection.excluding", excluding)?;
            let mut found = matching(tx, tenant, &wanted(filter, now)?).await?;
            found.retain(|record| !without.contains(&record.entry.entry_id));
            (found, Vec::new())
        }
        Selection::DeadLetters { matching: wanted, excluding } => {
            let without = entry_ids("selection.excluding", excluding)?;
            let mut found = matching(tx, tenant, wanted).await?;
            found.retain(|record| !without.contains(&record.entry.entry_id));
            (found, Vec::new())
        }
    };
    let refusals = refusals(tx, tenant, verb, parameters, &records).await?;
    let mut found: Vec<Candidate> = records
        .into_iter()
        .map(|record| {
            let entry = record.entry;
            let item = NewItem {
                refusal: refusals.get(&entry.entry_id).copied(),
                id: entry.entry_id.as_str().to_owned(),
                job_key: None,
                job_type: entry.job_type,
                was: entry.state.as_str().to_owned(),
            };
            let source = entry.source_id.map(|id| id.as_str().to_owned());
            Candidate { item, category: Some(entry.category.as_str().to_owned()), source }
        })
        .collect();
    found.extend(unknown.iter().map(|id| Candidate::unknown(id.as_str())));
    Ok(found)
}

fn entry_ids(field: &str, texts: &[String]) -> Result<BTreeSet<DeadLetterId>, Error> {
    if texts.len() > MOST_IDS {
        return Err(Error::invalid(field, format!("at most {MOST_IDS} ids can be named; use a filter")));
    }
    let read = |(at, text): (usize, &String)| {
        text.parse().map_err(|error| Error::invalid(&format!("{field}[{at}]"), format!("{error}")))
    };
    texts.iter().enumerate().map(read).collect()
}

async fn named(
    tx: &mut Tx,
    tenant: &Tenant,
    ids: &BTreeSet<DeadLetterId>,
) -> Result<(Vec<DeadLetterRecord>, Vec<DeadLetterId>), Error> {
    if ids.is_empty() {
        return Err(Error::invalid("selection.ids", "name at least one entry"));
    }
    let keys: Vec<i64> = ids.iter().map(dead_letters::key_of).collect();
    let mut found = dead_letters::get_many(tx, &keys).await?;
    found.retain(|record| record.entry.tenant == *tenant && ids.contains(&record.entry.entry_id));
    let known: BTreeSet<&DeadLetterId> = found.iter().map(|record| &record.entry.entry_id).collect();
    let unknown = ids.iter().filter(|id| !known.contains(id)).cloned().collect();
    Ok((found, unknown))
}

/// The open entries that a filter means.
fn wanted(text: &str, now: Micros) -> Result<DeadLetterFilter, Error> {
    let wanted = text.parse::<Filter>()?.at(now);
    let refuse = || {
        let sentence = "Open entries are filtered by type, source, run, error, category, created and age, each with one value. Take the words of jobs out.";
        Error::new(Code::FilterInvalid, sentence)
    };
    let of_jobs = wanted.jobs.len()
        + wanted.states.len()
        + wanted.priorities.len()
        + wanted.workers.len()
        + wanted.waits.len();
    let lists = [
        wanted.types.len(),
        wanted.sources.len(),
        wanted.runs.len(),
        wanted.errors.len(),
        wanted.categories.len(),
    ];
    let several = lists.into_iter().chain(wanted.created.iter().map(Vec::len)).any(|values| values > 1);
    if of_jobs > 0 || several {
        return Err(refuse());
    }
    let exactly = |patterns: Vec<Pattern>| match patterns.into_iter().next() {
        None => Ok(None),
        Some(Pattern::Exactly(text)) => Ok(Some(text)),
        Some(Pattern::Starting(_)) => Err(refuse()),
    };
    let times: Vec<_> = wanted.created.into_iter().flatten().collect();
    Ok(DeadLetterFilter {
        state: Some(DeadLetterState::Open),
        category: wanted.categories.first().copied(),
        job_type: exactly(wanted.types)?,
        error_code: exactly(wanted.errors)?,
        source: wanted.sources.into_iter().next(),
        run: wanted.runs.into_iter().next(),
        since: times.iter().filter_map(|range| range.from).max(),
        until: times.iter().filter_map(|range| range.until).min(),
        ..DeadLetterFilter::default()
    })
}

async fn matching(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &DeadLetterFilter,
) -> Result<Vec<DeadLetterRecord>, Error> {
    let mut all: Vec<DeadLetterRecord> = Vec::new();
    loop {
        let after = all.last().map(|last| (last.entry.dead_lettered_at.0, last.key));
        let more = dead_letter_lists::oldest(tx, tenant, filter, after, STRIDE).await?;
        let is_last = (more.len() as i64) < STRIDE;
        all.extend(more);
        if all.len() as i64 > MOST_ITEMS {
            let why = format!("more than {MOST_ITEMS} entries match; narrow the filter");
            return Err(Error::invalid("selection.filter", why));
        }
        if is_last {
            return Ok(all);
        }
    }
}

/// Why the verb cannot be done to some of these entries now.
async fn refusals(
    tx: &mut Tx,
    tenant: &Tenant,
    verb: ChangeVerb,
    parameters: &ChangeParameters,
    records: &[DeadLetterRecord],
) -> Result<BTreeMap<DeadLetterId, ItemRefusal>, Error> {
    let mut refused = BTreeMap::new();
    if verb == ChangeVerb::DeadLetterResolve {
        let closed = records.iter().filter(|one| next(one.entry.state, DeadLetterEvent::Resolve).is_err());
        refused.extend(closed.map(|one| (one.entry.entry_id.clone(), ItemRefusal::NotOpen)));
        return Ok(refused);
    }
    for stride in records.chunks(STRIDE.unsigned_abs() as usize) {
        let ids: Vec<DeadLetterId> = stride.iter().map(|record| record.entry.entry_id.clone()).collect();
        for (id, one) in judge(tx, tenant, &ids, looked_at(parameters)).await? {
            if let Err(no) = one {
                refused.insert(id, refusal_of(&no).0);
            }
        }
    }
    Ok(refused)
}

fn refusal_of(no: &No) -> (ItemRefusal, ItemState) {
    match no {
        No::NotOpen(_) => (ItemRefusal::NotOpen, ItemState::Skipped),
        No::NotRetryable => (ItemRefusal::NotRetryable, ItemState::Skipped),
        No::Refused(error) => match error.code {
            Code::NotFound | Code::JobNotFound => (ItemRefusal::NotFound, ItemState::Skipped),
            Code::InvalidTransition | Code::ForceRequired => (ItemRefusal::NotPossible, ItemState::Skipped),
            _ => (ItemRefusal::Error, ItemState::Failed),
        },
    }
}

/// Refuses a start when entries changed since the dry run so that the verb is no longer possible.
pub(super) async fn demand_unchanged(tx: &mut Tx, record: &ChangeSetRecord) -> Result<(), Error> {
    let (set, waiting) = (&record.set, Some(ItemState::Waiting));
    let (mut changed, mut reached) = (0, 0);
    loop {
        let items = change_items::after(tx, record.set_key, reached, waiting, STRIDE).await?;
        let Some(last) = items.last() else { break };
        reached = last.item.position;
        let ids: Vec<DeadLetterId> = items.iter().filter_map(|row| row.item.id.parse().ok()).collect();
        let keys: Vec<i64> = ids.iter().map(dead_letters::key_of).collect();
        let records = dead_letters::get_many(tx, &keys).await?;
        changed += refusals(tx, &set.tenant, set.verb, &set.parameters, &records).await?.len() as i64;
        changed += (ids.len() - records.len()) as i64;
    }
    match changed {
        0 => Ok(()),
        changed => Err(selection_changed(changed, set.dry_run.eligible, "no longer open")),
    }
}

/// Does the verb to these entries.
pub(super) async fn act(
    tx: &mut Tx,
    engine: &Engine,
    set: &ChangeSet,
    ids: &[DeadLetterId],
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<(String, Outcome)>, Error> {
    let told = |id: DeadLetterId, one: Result<Option<String>, No>| {
        let outcome = one.map_err(|no| {
            let (code, state) = refusal_of(&no);
            (state, code, no.into_error().public)
        });
        (id.as_str().to_owned(), outcome)
    };
    if set.verb == ChangeVerb::DeadLetterReplay {
        let manner = done(&set.parameters);
        let made = replay_many(engine, tx, &set.tenant, ids, manner, 0, by, now, journal).await?;
        let made = made.into_iter();
        return Ok(made.map(|(id, one)| told(id, one.map(|job| Some(job.job_id.to_string())))).collect());
    }
    let (code, note) = resolution(&set.parameters)?;
    let closed = resolve_many(tx, &set.tenant, ids, code, note, by, now, journal).await?;
    Ok(closed.into_iter().map(|(id, one)| told(id, one.map(|_| None))).collect())
}

/// The code and the note of a resolution.
pub(super) fn resolution(parameters: &ChangeParameters) -> Result<(ResolutionCode, &str), Error> {
    let words = || ResolutionCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", ");
    let code = parameters.code.as_deref().and_then(|code| code.parse().ok());
    let code = code.ok_or_else(|| Error::invalid("parameters.code", format!("one of {}", words())))?;
    let note = parameters.note.as_deref().map(str::trim).unwrap_or_default();
    if note.is_empty() || note.chars().count() > NOTE_MAX {
        return Err(Error::invalid("parameters.note", format!("has 1 to {NOTE_MAX} characters")));
    }
    Ok((code, note))
}
