//! What the calls of one commit leave to be written once, at its end: entries of the history and events of the feed.
//! However many callers share a commit, each tenant's page costs one statement.

use crate::chains::{self, Tip};
use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::{Query, Value};
use crate::set::json;
use serde_json::Value as Json;
use std::collections::{BTreeMap, VecDeque};
use stella_contract::history::{Actor, HistoryEntry};
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

/// An entry with its number and hash, and its data as the text that was hashed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    /// The entry.
    pub entry: HistoryEntry,
    /// Its data.
    pub data: String,
}

/// Gives drafts their numbers and hashes and moves the tip along. How that is done is the engine's to say.
pub type Seal = fn(&mut Tip, Vec<Draft>) -> Result<Vec<Sealed>, LedgerError>;

/// What one transaction has left so far.
#[derive(Default)]
pub(crate) struct Book {
    pages: BTreeMap<Tenant, Page>,
}

struct Page {
    seal: Seal,
    drafts: Vec<Draft>,
    tidings: Vec<Tiding>,
}

impl Book {
    /// Adds what a later call left.
    pub(crate) fn append(&mut self, later: Self) {
        for (tenant, page) in later.pages {
            self.add(&tenant, page.seal, page.drafts, page.tidings);
        }
    }
    fn add(&mut self, tenant: &Tenant, seal: Seal, drafts: Vec<Draft>, tidings: Vec<Tiding>) {
        if let Some(page) = self.pages.get_mut(tenant) {
            page.drafts.extend(drafts);
            page.tidings.extend(tidings);
            return;
        }
        self.pages.insert(tenant.clone(), Page { seal, drafts, tidings });
    }
}

impl Tx {
    /// Leaves entries and events of a tenant to be written at the end of the commit. A call that fails leaves nothing.
    pub fn leave(&mut self, tenant: &Tenant, seal: Seal, drafts: Vec<Draft>, tidings: Vec<Tiding>) {
        if drafts.is_empty() && tidings.is_empty() {
            return;
        }
        if !tidings.is_empty() {
            self.note_feed();
        }
        self.book.add(tenant, seal, drafts, tidings);
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

const HISTORY: &str = "
    insert into history (tenant, seq, event_id, job_key, job_id, run_id, entity, type, from_state, to_state, attempt,
        lease_epoch, subject, scopes, reason, ticket, correlation_id, occurred_at, data_digest, data, prev_hash, hash)
    select * from (values ";
/// The places of its numbers; the rest is text.
const HISTORY_NUMBERS: &[usize] = &[1, 3, 10, 11, 17];
const HISTORY_WIDTH: usize = 22;
const FEED: &str = "
    insert into feed (tenant, seq, type, entity, id, run_id, correlation_id, at, data)
    select * from (values ";
const FEED_NUMBERS: &[usize] = &[1, 7];
const FEED_WIDTH: usize = 9;
const CHAIN: &str = "
    insert into chains (tenant, history_seq, last_hash, feed_seq)
    values ";
const MOVED: &str = "
    on conflict (tenant) do update
    set history_seq = excluded.history_seq, last_hash = excluded.last_hash, feed_seq = excluded.feed_seq";

/// Writes one page. While the database works on one part of it, the next one is made ready.
async fn put(tx: &mut Tx, tenant: &Tenant, page: Page, tip: &mut Tip) -> Result<(), LedgerError> {
    let mut parts =
        Parts { tenant, seal: page.seal, drafts: page.drafts.into(), tidings: page.tidings.into() };
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
struct Parts<'a> {
    tenant: &'a Tenant,
    seal: Seal,
    drafts: VecDeque<Draft>,
    tidings: VecDeque<Tiding>,
}

impl Parts<'_> {
    /// The next statement, and the tip after it.
    fn next(&mut self, is_postgres: bool, tip: &mut Tip) -> Result<Option<Query>, LedgerError> {
        if self.drafts.is_empty() && self.tidings.is_empty() {
            return Ok(None);
        }
        let drafts = self.drafts.drain(..self.drafts.len().min(MOST)).collect();
        let lines = (self.seal)(tip, drafts)?
            .into_iter()
            .map(|sealed| line(self.tenant, sealed))
            .collect::<Result<Vec<_>, _>>()?;
        let mut events = Vec::with_capacity(self.tidings.len().min(MOST));
        for tiding in self.tidings.drain(..self.tidings.len().min(MOST)) {
            tip.feed_seq += 1;
            events.push(event(self.tenant, tip.feed_seq, tiding)?);
        }
        Ok(Some(statement(is_postgres, lines, events, self.tenant, tip)))
    }
}

/// Entries, events and the tip in one statement. Both sets are filled up to the same power of two with rows that the
/// database passes over, so that there are few texts to prepare.
fn statement(
    is_postgres: bool,
    lines: Vec<Vec<Value>>,
    events: Vec<Vec<Value>>,
    tenant: &Tenant,
    tip: &Tip,
) -> Query {
    let rows = lines.len().max(events.len()).next_power_of_two();
    // Postgres takes one statement at a time, but one that may write several tables.
    let (open, next, last) =
        if is_postgres { ("with lines as (", "), events as (", ")") } else { ("", ";", ";") };
    let mut query = Query::new(open);
    query.push(HISTORY);
    fill(&mut query, is_postgres, lines, rows, (HISTORY_WIDTH, HISTORY_NUMBERS));
    query.push(next).push(FEED);
    fill(&mut query, is_postgres, events, rows, (FEED_WIDTH, FEED_NUMBERS));
    query.push(last).push(CHAIN);
    let moved = vec![
        tenant.as_str().into(),
        tip.history_seq.into(),
        tip.last_hash.as_str().into(),
        tip.feed_seq.into(),
    ];
    query.bind_row(moved, is_postgres).push(MOVED);
    query
}

fn fill(
    query: &mut Query,
    is_postgres: bool,
    set: Vec<Vec<Value>>,
    rows: usize,
    (width, numbers): (usize, &[usize]),
) {
    let nothing = || {
        let none = |at| if numbers.contains(&at) { Value::Int(None) } else { Value::Text(None) };
        (0..width).map(none).collect::<Vec<_>>()
    };
    let missing = rows - set.len();
    for (at, row) in set.into_iter().chain((0..missing).map(|_| nothing())).enumerate() {
        query.push(if at == 0 { "" } else { ", " }).bind_row(row, is_postgres);
    }
    query.push(") as new where column1 is not null");
}

fn line(tenant: &Tenant, sealed: Sealed) -> Result<Vec<Value>, LedgerError> {
    let Sealed { entry, data } = sealed;
    Ok(vec![
        tenant.as_str().into(),
        entry.seq.into(),
        entry.event_id.as_str().into(),
        entry.job_id.as_ref().map(crate::key_of).into(),
        entry.job_id.as_ref().map(JobId::as_str).into(),
        entry.run_id.as_ref().map(RunId::as_str).into(),
        entry.entity.into(),
        entry.kind.into(),
        entry.from_state.into(),
        entry.to_state.into(),
        entry.attempt.map(i64::from).into(),
        entry.lease_epoch.into(),
        entry.actor.subject.into(),
        json(&entry.actor.scopes)?.into(),
        entry.reason.into(),
        entry.ticket.into(),
        entry.correlation_id.into(),
        entry.occurred_at.0.into(),
        entry.data_digest.into(),
        data.into(),
        entry.prev_hash.into(),
        entry.hash.into(),
    ])
}

fn event(tenant: &Tenant, seq: i64, tiding: Tiding) -> Result<Vec<Value>, LedgerError> {
    Ok(vec![
        tenant.as_str().into(),
        seq.into(),
        tiding.kind.into(),
        tiding.entity.into(),
        tiding.id.into(),
        tiding.run_id.as_ref().map(RunId::as_str).into(),
        tiding.correlation_id.into(),
        tiding.at.0.into(),
        json(&tiding.data)?.into(),
    ])
}
