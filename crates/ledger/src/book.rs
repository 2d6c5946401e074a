//! What the calls of one commit leave to be written once, at its end: entries of the history and events of the feed.
//! However many callers share a commit, each tenant's page costs one statement.

use crate::chains::{self, Tip};
use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::{Query, Value};
use crate::set::{Shape, Words};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use stella_contract::history::Actor;
use stella_contract::ids::{JobId, RunId, Tenant};
use stella_contract::job::Cause;
use stella_contract::time::Micros;

/// An entry of the history before it has a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The job it is about.
    pub job_id: Option<JobId>,
    /// The run it is about.
    pub run_id: Option<RunId>,
    /// The noun: `job`, `run`, `segment`, `source`, `target`, `token`.
    pub entity: &'static str,
    /// What happened.
    pub kind: String,
    /// State before.
    pub from_state: Option<&'static str>,
    /// State after.
    pub to_state: Option<&'static str>,
    /// The job's attempt then.
    pub attempt: Option<i32>,
    /// The job's lease epoch then.
    pub lease_epoch: Option<i64>,
    /// Who did it.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// When.
    pub occurred_at: Micros,
    /// What else there is to say.
    pub data: Json,
}

/// An event of the feed before it has a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiding {
    /// What happened.
    pub kind: String,
    /// The noun: `job`, `run`, `segment`, `source`, `target`.
    pub entity: &'static str,
    /// The thing's id.
    pub id: String,
    /// The run it belongs to.
    pub run_id: Option<RunId>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// When.
    pub at: Micros,
    /// What the thing is now, in short.
    pub data: Json,
}

/// Who did something and why, in the forms in which it is written and hashed; one for all entries of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Who.
    pub subject: Arc<str>,
    /// Its scopes, as a JSON list.
    pub scopes: Arc<str>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// Under which ticket.
    pub ticket: Option<Arc<str>>,
}

impl Signature {
    /// Who did it and why.
    pub fn of(actor: &Actor, cause: &Cause) -> Arc<Self> {
        Arc::new(Self {
            subject: actor.subject.as_str().into(),
            scopes: Json::from(actor.scopes.as_slice()).to_string().into(),
            reason: cause.reason.as_deref().map(Arc::from),
            ticket: cause.ticket.as_deref().map(Arc::from),
        })
    }
}

/// What an entry says besides.
#[derive(Debug, Clone, PartialEq)]
pub enum Saying {
    /// A value.
    Value(Json),
    /// The canonical text of one, and its digest.
    Sealed {
        /// The text.
        text: Arc<str>,
        /// `sha256:<64 hex>`.
        digest: Arc<str>,
    },
}

/// A [`Draft`] as it waits for the end of its commit: what many of them have in common lies there once.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The job it is about.
    pub job: Option<(i64, Arc<str>)>,
    /// The run it is about.
    pub run_id: Option<Arc<str>>,
    /// The noun.
    pub entity: &'static str,
    /// What happened.
    pub kind: Arc<str>,
    /// State before.
    pub from_state: Option<&'static str>,
    /// State after.
    pub to_state: Option<&'static str>,
    /// The job's attempt then.
    pub attempt: Option<i32>,
    /// The job's lease epoch then.
    pub lease_epoch: Option<i64>,
    /// Who did it and why.
    pub by: Arc<Signature>,
    /// Binds everything of one cause together.
    pub correlation_id: Arc<str>,
    /// When.
    pub occurred_at: Micros,
    /// What else there is to say.
    pub data: Saying,
}

impl From<Draft> for Entry {
    fn from(draft: Draft) -> Self {
        Self {
            job: draft.job_id.map(|id| (crate::key_of(&id), id.as_str().into())),
            run_id: draft.run_id.map(|id| id.as_str().into()),
            entity: draft.entity,
            kind: draft.kind.into(),
            from_state: draft.from_state,
            to_state: draft.to_state,
            attempt: draft.attempt,
            lease_epoch: draft.lease_epoch,
            by: Signature::of(&draft.actor, &draft.cause),
            correlation_id: draft.correlation_id.into(),
            occurred_at: draft.occurred_at,
            data: Saying::Value(draft.data),
        }
    }
}

/// A [`Tiding`] as it waits for the end of its commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: Arc<str>,
    /// The noun.
    pub entity: &'static str,
    /// The thing's id.
    pub id: Arc<str>,
    /// The run it belongs to.
    pub run_id: Option<Arc<str>>,
    /// Binds everything of one cause together.
    pub correlation_id: Arc<str>,
    /// When.
    pub at: Micros,
    /// What the thing is now, as JSON.
    pub data: Arc<str>,
}

impl From<Tiding> for Event {
    fn from(tiding: Tiding) -> Self {
        Self {
            kind: tiding.kind.into(),
            entity: tiding.entity,
            id: tiding.id.into(),
            run_id: tiding.run_id.map(|id| id.as_str().into()),
            correlation_id: tiding.correlation_id.into(),
            at: tiding.at,
            data: tiding.data.to_string().into(),
        }
    }
}

/// An entry with its number and hash, and its data as the text that was hashed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    /// The entry.
    pub entry: Entry,
    /// Its number.
    pub seq: i64,
    /// Its id.
    pub event_id: Arc<str>,
    /// Its data.
    pub data: Arc<str>,
    /// The digest of its data.
    pub data_digest: Arc<str>,
    /// The hash of the entry before.
    pub prev_hash: Arc<str>,
    /// Its own hash.
    pub hash: Arc<str>,
}

/// Gives entries their numbers and hashes and moves the tip along. How that is done is the engine's to say.
pub type Seal = fn(&mut Tip, Vec<Entry>) -> Result<Vec<Sealed>, LedgerError>;

/// What one transaction has left so far.
#[derive(Default)]
pub(crate) struct Book {
    pages: BTreeMap<Tenant, Page>,
}

struct Page {
    seal: Seal,
    entries: Vec<Entry>,
    events: Vec<Event>,
}

impl Book {
    /// Adds what a later call left.
    pub(crate) fn append(&mut self, later: Self) {
        for (tenant, page) in later.pages {
            self.add(&tenant, page.seal, page.entries, page.events);
        }
    }
    fn add(&mut self, tenant: &Tenant, seal: Seal, entries: Vec<Entry>, events: Vec<Event>) {
        if let Some(page) = self.pages.get_mut(tenant) {
            page.entries.extend(entries);
            page.events.extend(events);
            return;
        }
        self.pages.insert(tenant.clone(), Page { seal, entries, events });
    }
}

impl Tx {
    /// Leaves entries and events of a tenant to be written at the end of the commit. A call that fails leaves nothing.
    pub fn leave(&mut self, tenant: &Tenant, seal: Seal, entries: Vec<Entry>, events: Vec<Event>) {
        if entries.is_empty() && events.is_empty() {
            return;
        }
        if !events.is_empty() {
            self.note_feed();
        }
        self.book.add(tenant, seal, entries, events);
    }
}

/// Where the tenants stand, as far as the only writer knows without asking.
#[derive(Debug, Default)]
pub(crate) struct Tips(BTreeMap<Tenant, Tip>);

impl Tips {
    /// Forgets everything: another writer may have gone on, or what was written was undone.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Writes what the calls of this transaction left.
pub(crate) async fn write(tx: &mut Tx, tips: &mut Tips) -> Result<(), LedgerError> {
    for (tenant, page) in std::mem::take(&mut tx.book).pages {
        let mut tip = match tips.0.get(&tenant) {
            Some(tip) => tip.clone(),
            None => chains::tip(tx, &tenant).await?,
        };
        put(tx, &tenant, page, &mut tip).await?;
        tips.0.insert(tenant, tip);
    }
    Ok(())
}

/// The most entries, and the most events, of one statement.
const MOST: usize = 64;

pub(crate) const HISTORY: Shape = Shape {
    head: "
    insert into history (seq, event_id, job_key, job_id, run_id, type, from_state, to_state, attempt, lease_epoch,
        correlation_id, occurred_at, data_digest, data, prev_hash, hash, tenant, entity, subject, scopes, reason, ticket)",
    own: "column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11, column12,
        column13, column14, column15, column16",
    width: 16,
    common: 6,
    rest: "",
};
/// The places of its numbers; the rest is text.
const HISTORY_NUMBERS: &[usize] = &[0, 2, 8, 9, 11];
pub(crate) const FEED: Shape = Shape {
    head: "
    insert into feed (seq, type, id, run_id, correlation_id, at, data, tenant, entity)",
    own: "column1, column2, column3, column4, column5, column6, column7",
    width: 7,
    common: 2,
    rest: "",
};
const FEED_NUMBERS: &[usize] = &[0, 5];
const CHAIN: &str = "
    insert into chains (tenant, history_seq, last_hash, feed_seq)
    values ";
const MOVED: &str = "
    on conflict (tenant) do update
    set history_seq = excluded.history_seq, last_hash = excluded.last_hash, feed_seq = excluded.feed_seq";

/// Writes one page. While the database works on one part of it, the next one is made ready.
async fn put(tx: &mut Tx, tenant: &Tenant, page: Page, tip: &mut Tip) -> Result<(), LedgerError> {
    let mut parts = Parts {
        tenant: tenant.as_str().into(),
        seal: page.seal,
        entries: page.entries.into_iter(),
        events: page.events.into_iter(),
        words: Words::default(),
    };
    let mut now = parts.next(tx.is_postgres(), tip)?;
    while let Some(part) = now {
        let is_postgres = tx.is_postgres();
        let (written, next) = tokio::join!(part.execute(tx), async { parts.next(is_postgres, tip) });
        written?;
        now = next?;
    }
    Ok(())
}

/// What of a page is not made ready yet.
struct Parts {
    tenant: Arc<str>,
    seal: Seal,
    entries: std::vec::IntoIter<Entry>,
    events: std::vec::IntoIter<Event>,
    words: Words,
}

impl Parts {
    /// The next statement, and the tip after it.
    fn next(&mut self, is_postgres: bool, tip: &mut Tip) -> Result<Option<Query>, LedgerError> {
        let entries: Vec<Entry> = self.entries.by_ref().take(MOST).collect();
        let sealed = (self.seal)(tip, entries)?;
        let lines: Vec<Vec<Value>> = sealed.into_iter().map(|sealed| self.line(sealed)).collect();
        let events: Vec<Event> = self.events.by_ref().take(MOST).collect();
        let told: Vec<Vec<Value>> = events.into_iter().map(|event| self.told(tip, event)).collect();
        if lines.is_empty() && told.is_empty() {
            return Ok(None);
        }
        Ok(Some(statement(is_postgres, lines, told, &self.tenant, tip)))
    }

    fn line(&mut self, sealed: Sealed) -> Vec<Value> {
        let Sealed { entry, seq, event_id, data, data_digest, prev_hash, hash } = sealed;
        let (job_key, job_id) = entry.job.unzip();
        vec![
            seq.into(),
            event_id.into(),
            job_key.into(),
            job_id.into(),
            entry.run_id.into(),
            entry.kind.into(),
            entry.from_state.map(|state| self.words.of(state)).into(),
            entry.to_state.map(|state| self.words.of(state)).into(),
            entry.attempt.map(i64::from).into(),
            entry.lease_epoch.into(),
            entry.correlation_id.into(),
            entry.occurred_at.0.into(),
            data_digest.into(),
            data.into(),
            prev_hash.into(),
            hash.into(),
            self.tenant.clone().into(),
            self.words.of(entry.entity).into(),
            entry.by.subject.clone().into(),
            entry.by.scopes.clone().into(),
            entry.by.reason.clone().into(),
            entry.by.ticket.clone().into(),
        ]
    }

    fn told(&mut self, tip: &mut Tip, event: Event) -> Vec<Value> {
        tip.feed_seq += 1;
        vec![
            tip.feed_seq.into(),
            event.kind.into(),
            event.id.into(),
            event.run_id.into(),
            event.correlation_id.into(),
            event.at.0.into(),
            event.data.into(),
            self.tenant.clone().into(),
            self.words.of(event.entity).into(),
        ]
    }
}

/// Entries, events and the tip in one statement. Both sets are filled up to the same power of two with rows that the
/// database passes over, so that there are few texts to prepare.
fn statement(
    is_postgres: bool,
    lines: Vec<Vec<Value>>,
    events: Vec<Vec<Value>>,
    tenant: &Arc<str>,
    tip: &Tip,
) -> Query {
    let rows = lines.len().max(events.len()).next_power_of_two();
    // Postgres takes one statement at a time, but one that may write several tables.
    let mut query = Query::new("with line as (values ");
    let select = if is_postgres { "), lines as (" } else { ")" };
    write_set(&mut query, is_postgres, (&HISTORY, HISTORY_NUMBERS), lines, (rows, select, "line"));
    query.push(if is_postgres { "), event as (values " } else { "; with event as (values " });
    let select = if is_postgres { "), events as (" } else { ")" };
    write_set(&mut query, is_postgres, (&FEED, FEED_NUMBERS), events, (rows, select, "event"));
    query.push(if is_postgres { ")" } else { ";" }).push(CHAIN);
    let moved = vec![
        tenant.clone().into(),
        tip.history_seq.into(),
        tip.last_hash.as_str().into(),
        tip.feed_seq.into(),
    ];
    query.bind_row(moved, is_postgres).push(MOVED);
    query
}

/// The rows of one set, and the insert that reads them.
fn write_set(
    query: &mut Query,
    is_postgres: bool,
    (shape, numbers): (&Shape, &[usize]),
    mut set: Vec<Vec<Value>>,
    (rows, select, name): (usize, &'static str, &'static str),
) {
    let common = shape.common(&set);
    let width = shape.width(common.as_deref());
    let nothing = || {
        let none = |at| if numbers.contains(&at) { Value::Int(None) } else { Value::Text(None) };
        (0..width).map(none).collect::<Vec<_>>()
    };
    let missing = rows - set.len();
    set.iter_mut().for_each(|row| row.truncate(width));
    for (at, row) in set.into_iter().chain((0..missing).map(|_| nothing())).enumerate() {
        query.push(if at == 0 { "" } else { ", " }).bind_row(row, is_postgres);
    }
    query.push(select);
    shape.select(query, common, name, is_postgres);
    query.push(" where column1 is not null");
}
