//! Change-sets: one verb on many things, looked at first and then carried out item by item (spec 04 §4.4).
//!
//! A dry run takes the items down; the start quotes its hash; a background task carries the set out in small
//! transactions, each with its results, so that a crash in the middle does nothing twice. A single thing is a set of one.

mod act;
mod carry;
mod dry_run;
mod letters;
mod pace;
mod select;
mod tell;

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal::Journal;
use crate::page;
pub(crate) use carry::carry_out;
use stella_contract::change_set::{
    self, AfterFirst, ChangeItem, ChangeOptions, ChangeParameters, ChangeSet, ChangeSetEvent,
    ChangeSetFilter, ChangeSetState, ChangeVerb, Changed, CreateChangeSet, ItemFilter, Selection,
    StartChangeSet,
};
use stella_contract::error::Code;
use stella_contract::ids::ChangeSetId;
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::change_items::ItemRecord;
use stella_ledger::change_sets::ChangeSetRecord;
use stella_ledger::{LedgerError, Tx, change_items, change_sets, key_of_uuid};

/// Ids that a change-set shows of its selection; the items have them all.
const SHOWN_IDS: usize = 100;

/// The change-sets.
#[derive(Clone)]
pub struct ChangeSets {
    engine: Engine,
}

impl Engine {
    /// The change-sets.
    pub fn change_sets(&self) -> ChangeSets {
        ChangeSets { engine: self.clone() }
    }
}

impl ChangeSets {
    /// Makes the dry run: takes the items down and tells what would happen to them. Nothing else is changed, so that it
    /// needs the right to act but no reason yet.
    pub async fn create(&self, caller: &Caller, wish: CreateChangeSet) -> Result<ChangeSet, Error> {
        caller.demand(Scope::OrchOperate)?;
        check(&wish)?;
        let now = self.engine.now();
        let chosen = select::choose(&self.engine, &caller.tenant, &wish, now).await?;
        let change_set_id = ChangeSetId::from_uuid(&self.engine.uuid(now));
        let set = ChangeSet {
            tenant: caller.tenant.clone(),
            verb: wish.verb,
            state: ChangeSetState::Draft,
            selection: shown(wish.selection),
            parameters: wish.parameters,
            options: wish.options,
            selection_hash: chosen.hash,
            progress: change_set::ChangeProgress {
                waiting: chosen.dry_run.eligible,
                ..change_set::ChangeProgress::default()
            },
            dry_run: chosen.dry_run,
            notice: None,
            created_by: caller.subject.clone(),
            created_at: now,
            started_by: None,
            reason: None,
            ticket: None,
            started_at: None,
            ended_at: None,
            version: 1,
            change_set_id,
        };
        let record = ChangeSetRecord {
            set_key: key_of_uuid(set.change_set_id.uuid()),
            set,
            scopes: Vec::new(),
            correlation_id: caller.correlation_id.clone(),
            reached: 0,
            first_passed: false,
            paced_from: None,
            paced: 0,
        };
        let items = chosen.items;
        let write = self.engine.ledger().write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                change_sets::insert(tx, &record).await?;
                change_items::insert_many(tx, record.set_key, &items).await?;
                let mut journal = Journal::default();
                tell::now(&record, "created", now, &mut journal);
                journal.leave(tx);
                Ok(record.set)
            })
        });
        write.await
    }

    /// Starts what was looked at. Items that can no longer be changed refuse it, unless they are to be left out.
    pub async fn start(
        &self,
        caller: &Caller,
        id: &ChangeSetId,
        wish: StartChangeSet,
    ) -> Result<ChangeSet, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        self.change(caller, id, move |tx, record, caller, now| {
            Box::pin(async move {
                record.set.state = change_set::next(record.set.state, ChangeSetEvent::Start)?;
                if wish.selection_hash != record.set.selection_hash {
                    return Err(Error::new(
                        Code::SelectionChanged,
                        "The selection hash is not that of this dry run. Quote the hash it gave, or run it again.",
                    ));
                }
                if record.set.progress.waiting == 0 {
                    let why = "nothing that is selected can be changed, so there is nothing to start";
                    return Err(Error::invalid("selection", why));
                }
                if wish.changed.unwrap_or(Changed::Refuse) == Changed::Refuse {
                    demand_unchanged(tx, record).await?;
                }
                record.set.started_by = Some(caller.subject.clone());
                record.set.started_at = Some(now);
                record.set.reason.clone_from(&caller.cause.reason);
                record.set.ticket.clone_from(&caller.cause.ticket);
                record.scopes = caller.actor().scopes;
                record.correlation_id.clone_from(&caller.correlation_id);
                record.paced_from = Some(now);
                Ok("started")
            })
        })
        .await
    }

    /// Halts it; what is done stays done.
    pub async fn pause(&self, caller: &Caller, id: &ChangeSetId) -> Result<ChangeSet, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        self.change(caller, id, move |_, record, caller, _| {
            Box::pin(async move {
                record.set.state = change_set::next(record.set.state, ChangeSetEvent::Pause)?;
                record.set.notice = Some(format!("Paused by {}", caller.subject));
                Ok("paused")
            })
        })
        .await
    }

    /// Lets it go on.
    pub async fn resume(&self, caller: &Caller, id: &ChangeSetId) -> Result<ChangeSet, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        self.change(caller, id, move |_, record, _, now| {
            Box::pin(async move {
                record.set.state = change_set::next(record.set.state, ChangeSetEvent::Resume)?;
                record.set.notice = None;
                record.paced_from = Some(now);
                record.paced = 0;
                Ok("resumed")
            })
        })
        .await
    }

    /// Ends it; what is done stays done, what was not reached is left as it was.
    pub async fn cancel(&self, caller: &Caller, id: &ChangeSetId) -> Result<ChangeSet, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        self.change(caller, id, move |_, record, caller, now| {
            Box::pin(async move {
                record.set.state = change_set::next(record.set.state, ChangeSetEvent::Cancel)?;
                record.set.notice = Some(format!("Cancelled by {}", caller.subject));
                record.set.ended_at = Some(now);
                Ok("cancelled")
            })
        })
        .await
    }

    /// One change-set.
    pub async fn get(&self, caller: &Caller, id: &ChangeSetId) -> Result<ChangeSet, Error> {
        caller.demand(Scope::OrchRead)?;
        Ok(self.read(caller, id).await?.set)
    }

    /// The change-sets of the caller's tenant, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &ChangeSetFilter,
        query: &PageQuery,
    ) -> Result<Page<ChangeSet>, Error> {
        caller.demand(Scope::OrchRead)?;
        let key = (&caller.tenant, filter);
        let before = page::after::<_, i64>(&key, query)?;
        let (tenant, state, limit) = (caller.tenant.clone(), filter.state, i64::from(query.size()) + 1);
        let rows = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { change_sets::list(tx, &tenant, state, before, limit).await })
        });
        let page = page::of(&key, query, rows.await?, None, |record: &ChangeSetRecord| record.set_key)?;
        Ok(Page {
            items: page.items.into_iter().map(|record| record.set).collect(),
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }

    /// The items of a change-set, in their order.
    pub async fn items(
        &self,
        caller: &Caller,
        id: &ChangeSetId,
        filter: &ItemFilter,
        query: &PageQuery,
    ) -> Result<Page<ChangeItem>, Error> {
        caller.demand(Scope::OrchRead)?;
        let record = self.read(caller, id).await?;
        let key = (&record.set.change_set_id, filter);
        let after = page::after::<_, i64>(&key, query)?.unwrap_or(0);
        let (set_key, state, limit) = (record.set_key, filter.state, i64::from(query.size()) + 1);
        let rows = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { change_items::after(tx, set_key, after, state, limit).await })
        });
        let page = page::of(&key, query, rows.await?, None, |row: &ItemRecord| row.item.position)?;
        Ok(Page {
            items: page.items.into_iter().map(|row| row.item).collect(),
            next_page_token: page.next_page_token,
            total_estimate: page.total_estimate,
        })
    }

    async fn read(&self, caller: &Caller, id: &ChangeSetId) -> Result<ChangeSetRecord, Error> {
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let found = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { change_sets::get(tx, &tenant, &wanted).await })
        });
        found.await?.ok_or_else(|| Error::not_found("change-set", id))
    }

    /// Reads the change-set, lets `step` change it and writes both down: the change and who made it.
    async fn change<F>(&self, caller: &Caller, id: &ChangeSetId, step: F) -> Result<ChangeSet, Error>
    where
        F: for<'t> FnOnce(
                &'t mut Tx,
                &'t mut ChangeSetRecord,
                &'t Caller,
                Micros,
            ) -> stella_ledger::BoxFuture<'t, Result<&'static str, Error>>
            + Send
            + 'static,
    {
        let (caller, id, engine) = (caller.clone(), id.clone(), self.engine.clone());
        let write = self.engine.ledger().write::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let found = change_sets::get(tx, &caller.tenant, &id).await?;
                let mut record = found.ok_or_else(|| Error::not_found("change-set", &id))?;
                let (from, now) = (record.set.state, engine.now());
                let happened = step(tx, &mut record, &caller, now).await?;
                let mut journal = Journal::default();
                tell::enter(&record, from, happened, caller.actor(), &caller.cause, now, &mut journal);
                keep(tx, &mut record).await?;
                tell::now(&record, happened, now, &mut journal);
                journal.leave(tx);
                Ok(record.set)
            })
        });
        write.await
    }
}

/// Writes the change-set down as it is now.
async fn keep(tx: &mut Tx, record: &mut ChangeSetRecord) -> Result<(), Error> {
    if !change_sets::update(tx, record).await? {
        return Err(Error::internal("a change-set changed within the transaction that changes it"));
    }
    record.set.version += 1;
    Ok(())
}

/// Refuses a start when items changed since the dry run so that the verb is no longer possible.
async fn demand_unchanged(tx: &mut Tx, record: &ChangeSetRecord) -> Result<(), Error> {
    let set = &record.set;
    if !set.verb.is_about_jobs() {
        return letters::demand_unchanged(tx, record).await;
    }
    let states = change_items::states_now(tx, record.set_key).await?;
    let changed: Vec<(&str, i64)> = states
        .iter()
        .filter(|(state, _)| change_set::refusal(set.verb, *state).is_some())
        .map(|(state, count)| (state.as_str(), *count))
        .collect();
    let count: i64 = changed.iter().map(|(_, count)| count).sum();
    if count == 0 {
        return Ok(());
    }
    let now: Vec<String> = changed.iter().map(|(state, count)| format!("{count} {state}")).collect();
    Err(selection_changed(count, set.dry_run.eligible, &now.join(", ")))
}

fn selection_changed(count: i64, of: i64, now: &str) -> Error {
    let sentence = format!(
        "Not started: {count} of the {of} items changed since the dry run and are now {now}. Run the dry run again, or leave them out.",
    );
    Error::new(Code::SelectionChanged, sentence)
}

/// What can be known to be wrong without looking at any job.
fn check(wish: &CreateChangeSet) -> Result<(), Error> {
    let ChangeParameters { priority, code, note, force } = &wish.parameters;
    let refuse = |field: &str, why: &str| Err(Error::invalid(field, why));
    match (wish.verb, priority) {
        (ChangeVerb::Prioritize, Some(0..=100)) => {}
        (ChangeVerb::Prioritize, _) => {
            return refuse("parameters.priority", "`prioritize` needs a priority from 0 to 100");
        }
        (_, Some(_)) => return refuse("parameters.priority", "only `prioritize` takes a priority"),
        (_, None) => {}
    }
    let resolves = wish.verb == ChangeVerb::DeadLetterResolve;
    if resolves {
        letters::resolution(&wish.parameters)?;
    }
    if !resolves && (code.is_some() || note.is_some()) {
        return refuse("parameters.code", "only `dead_letter_resolve` takes a code and a note");
    }
    if *force && wish.verb != ChangeVerb::DeadLetterReplay {
        return refuse("parameters.force", "only `dead_letter_replay` can be forced");
    }
    let ChangeOptions { first_n, after_first, stop_above_percent, pace_per_s } = &wish.options;
    if first_n.is_some_and(|first| first == 0) {
        return refuse("options.firstN", "at least one item comes first");
    }
    if first_n.is_none() && *after_first == Some(AfterFirst::Pause) {
        return refuse("options.afterFirst", "say how many are first, or leave this out");
    }
    if stop_above_percent.is_some_and(|percent| percent > 100) {
        return refuse("options.stopAbovePercent", "a share is 0 to 100 percent");
    }
    if pace_per_s.is_some_and(|pace| !(1..=1_000).contains(&pace)) {
        return refuse("options.pacePerS", "a pace is 1 to 1,000 items per second");
    }
    Ok(())
}

/// A selection as it is kept: of a long list only the beginning, the rest is in the items.
fn shown(selection: Selection) -> Selection {
    match selection {
        Selection::Ids { mut ids } => {
            ids.truncate(SHOWN_IDS);
            Selection::Ids { ids }
        }
        Selection::Filter { filter, mut excluding } => {
            excluding.truncate(SHOWN_IDS);
            Selection::Filter { filter, excluding }
        }
        Selection::DeadLetters { matching, mut excluding } => {
            excluding.truncate(SHOWN_IDS);
            Selection::DeadLetters { matching, excluding }
        }
    }
}
