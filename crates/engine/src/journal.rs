//! What one transaction has to write down and to tell. It is collected while things change and written once, at the
//! transaction's end: the history gets its numbers and hashes, the feed its numbers.

use crate::error::Error;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use stella_bundle::{canonical, digest};
use stella_contract::event::FeedEvent;
use stella_contract::history::{Actor, HistoryEntry};
use stella_contract::ids::{EventId, JobId, RunId, Tenant};
use stella_contract::job::Cause;
use stella_contract::time::Micros;
use stella_ledger::chains::{self, Tip};
use stella_ledger::{Tx, feed, history};

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
    pub data: Value,
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
    pub data: Value,
}

/// Entries and events of one transaction, by tenant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    pages: BTreeMap<Tenant, Page>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Page {
    drafts: Vec<Draft>,
    tidings: Vec<Tiding>,
}

impl Journal {
    /// Adds an entry of the history.
    pub fn enter(&mut self, tenant: &Tenant, draft: Draft) {
        self.page(tenant).drafts.push(draft);
    }
    /// Adds an event of the feed. Several of one thing are told as the last of them: who listens reads states.
    pub fn tell(&mut self, tenant: &Tenant, tiding: Tiding) {
        let tidings = &mut self.page(tenant).tidings;
        // Changes of one thing follow closely, so that a short look back is enough.
        let before =
            tidings.iter().rposition(|before| before.id == tiding.id).filter(|at| tidings.len() - at <= 2);
        if let Some(at) = before {
            tidings.remove(at);
        }
        tidings.push(tiding);
    }
    /// Adds everything of another journal after what is here.
    pub fn append(&mut self, other: Self) {
        for (tenant, page) in other.pages {
            let own = self.page(&tenant);
            own.drafts.extend(page.drafts);
            own.tidings.extend(page.tidings);
        }
    }
    /// Writes everything. It is the last thing of its transaction.
    pub async fn write(self, tx: &mut Tx) -> Result<(), Error> {
        for (tenant, page) in self.pages {
            let mut tip = chains::tip(tx, &tenant).await?;
            if !page.drafts.is_empty() {
                let entries = number(&mut tip, page.drafts)?;
                history::append_many(tx, &tenant, &entries).await?;
            }
            if !page.tidings.is_empty() {
                let events = count(&mut tip, &tenant, page.tidings);
                feed::append_many(tx, &tenant, &events).await?;
            }
            chains::move_tip(tx, &tenant, &tip).await?;
        }
        Ok(())
    }

    fn page(&mut self, tenant: &Tenant) -> &mut Page {
        if !self.pages.contains_key(tenant) {
            self.pages.insert(tenant.clone(), Page::default());
        }
        self.pages.get_mut(tenant).expect("it was put there above when it was missing")
    }
}

/// Gives the entries their numbers, ids and hashes, each from the one before.
fn number(tip: &mut Tip, drafts: Vec<Draft>) -> Result<Vec<HistoryEntry>, Error> {
    let mut entries = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let seq = tip.history_seq + 1;
        let mut entry = HistoryEntry {
            seq,
            event_id: event_id(seq, &tip.last_hash),
            job_id: draft.job_id,
            run_id: draft.run_id,
            entity: draft.entity.to_owned(),
            kind: draft.kind,
            from_state: draft.from_state.map(str::to_owned),
            to_state: draft.to_state.map(str::to_owned),
            attempt: draft.attempt,
            lease_epoch: draft.lease_epoch,
            actor: draft.actor,
            reason: draft.cause.reason,
            ticket: draft.cause.ticket,
            correlation_id: draft.correlation_id,
            // What is hashed is what is shown, and that has milliseconds.
            occurred_at: draft.occurred_at,
            data_digest: digest::of_value(&draft.data).map_err(Error::internal)?,
            data: draft.data,
            prev_hash: tip.last_hash.clone(),
            hash: String::new(),
        };
        entry.hash = hash(&entry)?;
        tip.history_seq = seq;
        tip.last_hash.clone_from(&entry.hash);
        entries.push(entry);
    }
    Ok(entries)
}

fn count(tip: &mut Tip, tenant: &Tenant, tidings: Vec<Tiding>) -> Vec<FeedEvent> {
    tidings
        .into_iter()
        .map(|tiding| {
            tip.feed_seq += 1;
            FeedEvent {
                seq: tip.feed_seq,
                kind: tiding.kind,
                entity: tiding.entity.to_owned(),
                id: tiding.id,
                tenant: tenant.clone(),
                run_id: tiding.run_id,
                correlation_id: tiding.correlation_id,
                at: tiding.at,
                data: tiding.data,
            }
        })
        .collect()
}

/// An entry's id follows from its place in the chain, so that it needs no chance.
fn event_id(seq: i64, prev_hash: &str) -> EventId {
    let mut hasher = Sha256::new();
    hasher.update(prev_hash);
    hasher.update(seq.to_be_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    EventId::from_uuid(&uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string())
}

/// SHA-256 over the hash before and the canonical entry without its own.
pub(crate) fn hash(entry: &HistoryEntry) -> Result<String, Error> {
    let mut value = serde_json::to_value(entry).map_err(Error::internal)?;
    if let Value::Object(fields) = &mut value {
        fields.remove("hash");
    }
    let mut hasher = Sha256::new();
    hasher.update(&entry.prev_hash);
    hasher.update(canonical::to_vec(&value).map_err(Error::internal)?);
    Ok(hex::encode(hasher.finalize()))
}
