//! What one transaction has to write down and to tell. It is collected while things change and left to be written once,
//! at the end of the commit: then the history gets its numbers and hashes, the feed its numbers.

use crate::error::Error;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use stella_bundle::{canonical, digest};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::{EventId, JobId, RunId, Tenant};
use stella_contract::time::Micros;
use stella_ledger::book::{Entry, Event, Saying, Sealed};
use stella_ledger::chains::Tip;
use stella_ledger::{LedgerError, Tx};

pub use stella_ledger::book::{Draft, Tiding};

/// Entries and events of one transaction, by tenant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    pages: BTreeMap<Tenant, Page>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Page {
    entries: Vec<Entry>,
    events: Vec<Event>,
}

impl Journal {
    /// Adds an entry of the history.
    pub fn enter(&mut self, tenant: &Tenant, entry: impl Into<Entry>) {
        self.page(tenant).entries.push(entry.into());
    }
    /// Adds an event of the feed. Several of one thing are told as the last of them: who listens reads states.
    pub fn tell(&mut self, tenant: &Tenant, event: impl Into<Event>) {
        let (events, event) = (&mut self.page(tenant).events, event.into());
        // Changes of one thing follow closely, so that a short look back is enough.
        let latest = events.len().saturating_sub(2);
        let is_same = |before: &Event| before.id == event.id && before.entity == event.entity;
        if let Some(at) = events[latest..].iter().rposition(is_same) {
            events.remove(latest + at);
        }
        events.push(event);
    }
    /// Adds everything of another journal after what is here.
    pub fn append(&mut self, other: Self) {
        for (tenant, page) in other.pages {
            let own = self.page(&tenant);
            own.entries.extend(page.entries);
            own.events.extend(page.events);
        }
    }
    /// Leaves everything to be written at the end of the commit.
    pub fn leave(self, tx: &mut Tx) {
        for (tenant, page) in self.pages {
            tx.leave(&tenant, seal, page.entries, page.events);
        }
    }

    fn page(&mut self, tenant: &Tenant) -> &mut Page {
        if !self.pages.contains_key(tenant) {
            self.pages.insert(tenant.clone(), Page::default());
        }
        self.pages.get_mut(tenant).expect("it was put there above when it was missing")
    }
}

/// Gives the entries their numbers, ids and hashes, each from the one before.
fn seal(tip: &mut Tip, entries: Vec<Entry>) -> Result<Vec<Sealed>, LedgerError> {
    let mut sealer = Sealer { seq: tip.history_seq, last: tip.last_hash.as_str().into(), time: None };
    let sealed = entries
        .into_iter()
        .map(|entry| sealer.seal(entry).map_err(|error| LedgerError::Other(not_canonical(&error))))
        .collect::<Result<Vec<_>, _>>()?;
    if !sealed.is_empty() {
        tip.history_seq = sealer.seq;
        tip.last_hash = sealer.last.as_ref().to_owned();
    }
    Ok(sealed)
}

fn not_canonical(error: &Error) -> String {
    format!("an entry is not JSON: {}", error.private.as_deref().unwrap_or(&error.public))
}

/// Where a chain is while it grows.
struct Sealer {
    seq: i64,
    last: Arc<str>,
    /// The time of the entry before in the form in which it is hashed: most entries of a commit have the same.
    time: Option<(Micros, String)>,
}

impl Sealer {
    fn seal(&mut self, entry: Entry) -> Result<Sealed, Error> {
        let seq = self.seq + 1;
        let (data, data_digest) = match &entry.data {
            Saying::Sealed { text, digest } => (text.clone(), digest.clone()),
            Saying::Value(value) => {
                let text = canonical::text_of(value).map_err(Error::internal)?;
                let digest = digest::of_bytes(text.as_bytes());
                (text.into(), digest.into())
            }
        };
        let event_id = event_id(seq, &self.last);
        // What is hashed is what is shown, and that has milliseconds.
        let time = match &self.time {
            Some((at, text)) if *at == entry.occurred_at => text.as_str(),
            _ => {
                let text = serde_json::to_string(&entry.occurred_at).map_err(Error::internal)?;
                self.time.insert((entry.occurred_at, text)).1.as_str()
            }
        };
        let hash = hash_of(&Hashed {
            seq,
            event_id: &event_id,
            job_id: entry.job.as_ref().map(|(_, id)| id.as_ref()),
            run_id: entry.run_id.as_deref(),
            entity: entry.entity,
            kind: &entry.kind,
            from_state: entry.from_state,
            to_state: entry.to_state,
            attempt: entry.attempt,
            lease_epoch: entry.lease_epoch,
            subject: &entry.by.subject,
            scopes: &entry.by.scopes,
            reason: entry.by.reason.as_deref(),
            ticket: entry.by.ticket.as_deref(),
            correlation_id: &entry.correlation_id,
            occurred_at: time,
            data_digest: &data_digest,
            data: &data,
            prev_hash: &self.last,
        })?;
        let hash: Arc<str> = hash.into();
        let prev_hash = std::mem::replace(&mut self.last, hash.clone());
        self.seq = seq;
        Ok(Sealed { entry, seq, event_id: event_id.into(), data, data_digest, prev_hash, hash })
    }
}

/// An entry's id follows from its place in the chain, so that it needs no chance.
fn event_id(seq: i64, prev_hash: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(prev_hash);
    hasher.update(seq.to_be_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    let mut text = [0_u8; uuid::fmt::Hyphenated::LENGTH];
    [EventId::PREFIX, uuid.hyphenated().encode_lower(&mut text)].concat()
}

/// SHA-256 over the hash before and the canonical entry without its own.
pub(crate) fn hash(entry: &HistoryEntry) -> Result<String, Error> {
    let data = canonical::to_string(&entry.data).map_err(Error::internal)?;
    let scopes = serde_json::to_string(&entry.actor.scopes).map_err(Error::internal)?;
    let time = serde_json::to_string(&entry.occurred_at).map_err(Error::internal)?;
    hash_of(&Hashed {
        seq: entry.seq,
        event_id: entry.event_id.as_str(),
        job_id: entry.job_id.as_ref().map(JobId::as_str),
        run_id: entry.run_id.as_ref().map(RunId::as_str),
        entity: &entry.entity,
        kind: &entry.kind,
        from_state: entry.from_state.as_deref(),
        to_state: entry.to_state.as_deref(),
        attempt: entry.attempt,
        lease_epoch: entry.lease_epoch,
        subject: &entry.actor.subject,
        scopes: &scopes,
        reason: entry.reason.as_deref(),
        ticket: entry.ticket.as_deref(),
        correlation_id: &entry.correlation_id,
        occurred_at: &time,
        data_digest: &entry.data_digest,
        data: &data,
        prev_hash: &entry.prev_hash,
    })
}

/// What of an entry is hashed. Scopes, time and data are JSON in its canonical form, the rest is plain.
struct Hashed<'a> {
    seq: i64,
    event_id: &'a str,
    job_id: Option<&'a str>,
    run_id: Option<&'a str>,
    entity: &'a str,
    kind: &'a str,
    from_state: Option<&'a str>,
    to_state: Option<&'a str>,
    attempt: Option<i32>,
    lease_epoch: Option<i64>,
    subject: &'a str,
    scopes: &'a str,
    reason: Option<&'a str>,
    ticket: Option<&'a str>,
    correlation_id: &'a str,
    occurred_at: &'a str,
    data_digest: &'a str,
    data: &'a str,
    prev_hash: &'a str,
}

fn hash_of(entry: &Hashed<'_>) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    hasher.update(entry.prev_hash);
    hasher.update(unhashed(entry)?);
    Ok(hex::encode(hasher.finalize()))
}

/// The canonical form of an entry without its hash. Its keys are known, so they are written in their order and nothing
/// has to be sorted; a test holds it against the general form.
fn unhashed(entry: &Hashed<'_>) -> Result<Vec<u8>, Error> {
    let mut out = Canonical { bytes: Vec::with_capacity(1_536) };
    out.raw("actor", "{\"scopes\":");
    out.bytes.extend_from_slice(entry.scopes.as_bytes());
    out.put("subject", &entry.subject)?;
    out.bytes.push(b'}');
    out.maybe("attempt", entry.attempt)?;
    out.put("correlationId", &entry.correlation_id)?;
    out.raw("data", entry.data);
    out.put("dataDigest", &entry.data_digest)?;
    out.put("entity", &entry.entity)?;
    out.put("eventId", &entry.event_id)?;
    out.maybe("fromState", entry.from_state)?;
    out.maybe("jobId", entry.job_id)?;
    out.maybe("leaseEpoch", entry.lease_epoch)?;
    out.raw("occurredAt", entry.occurred_at);
    out.put("prevHash", &entry.prev_hash)?;
    out.maybe("reason", entry.reason)?;
    out.maybe("runId", entry.run_id)?;
    out.put("seq", &entry.seq)?;
    out.maybe("ticket", entry.ticket)?;
    out.maybe("toState", entry.to_state)?;
    out.put("type", &entry.kind)?;
    out.bytes.push(b'}');
    Ok(out.bytes)
}

/// An object being written, its keys in order; none of them needs an escape.
struct Canonical {
    bytes: Vec<u8>,
}

impl Canonical {
    fn raw(&mut self, key: &str, value: &str) {
        self.bytes.extend_from_slice(if self.bytes.is_empty() { b"{\"" } else { b",\"" });
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        self.bytes.extend_from_slice(value.as_bytes());
    }
    fn put<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.raw(key, "");
        serde_json::to_writer(&mut self.bytes, value).map_err(Error::internal)
    }
    fn maybe<T: Serialize>(&mut self, key: &str, value: Option<T>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.put(key, &value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use stella_contract::history::Actor;
    use stella_contract::job::Cause;

    fn draft(full: bool, text: &str, data: Value) -> Draft {
        let some = |text: &str| full.then(|| text.to_owned());
        Draft {
            job_id: full.then(|| "job_01890000-0000-7000-8000-000000000000".parse().unwrap()),
            run_id: full.then(|| "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap()),
            entity: "job",
            kind: "orch.job.queued".to_owned(),
            from_state: full.then_some("pending"),
            to_state: full.then_some("queued"),
            attempt: full.then_some(3),
            lease_epoch: full.then_some(9_007_199_254_740_991),
            actor: Actor { subject: text.to_owned(), scopes: vec!["orch:read".to_owned(), text.to_owned()] },
            cause: Cause { reason: some(text), ticket: some("OPS-1") },
            correlation_id: text.to_owned(),
            occurred_at: Micros(1_795_271_295_204_999),
            data,
        }
    }

    #[test]
    fn what_is_hashed_is_the_canonical_form_of_the_entry_without_its_hash() {
        let odd = "\u{0}\u{8}\t\n\u{c}\r\u{1f}\"\\/\u{7f}é\u{2028}\u{fb33}\u{1f600}";
        let data = json!({ "z": 1.0, "a": [1e21, -0.0, 0.1], odd: { "\u{1f600}": odd, "\u{fb33}": null } });
        let drafts = vec![
            draft(true, odd, data.clone()),
            draft(false, "ada", json!({})),
            draft(false, odd, data),
            draft(true, "", json!(null)),
        ];
        let mut tip = Tip::default();
        let sealed = seal(&mut tip, drafts.iter().cloned().map(Entry::from).collect()).unwrap();
        assert_eq!((tip.history_seq, tip.last_hash.as_str()), (4, &*sealed[3].hash));
        for (sealed, draft) in sealed.into_iter().zip(drafts) {
            let entry = shown(&sealed, draft);
            let mut value = serde_json::to_value(&entry).unwrap();
            value.as_object_mut().unwrap().remove("hash");
            assert_eq!(*sealed.data, canonical::to_string(&entry.data).unwrap());
            let mut hasher = Sha256::new();
            hasher.update(&entry.prev_hash);
            hasher.update(canonical::to_vec(&value).unwrap());
            assert_eq!(entry.hash, hex::encode(hasher.finalize()));
            assert_eq!(entry.data_digest, digest::of_value(&entry.data).unwrap());
            assert_eq!(hash(&entry).unwrap(), entry.hash);
        }
    }

    /// The entry as it is read back.
    fn shown(sealed: &Sealed, draft: Draft) -> HistoryEntry {
        HistoryEntry {
            seq: sealed.seq,
            event_id: sealed.event_id.parse().unwrap(),
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
            occurred_at: draft.occurred_at,
            data_digest: sealed.data_digest.as_ref().to_owned(),
            data: draft.data,
            prev_hash: sealed.prev_hash.as_ref().to_owned(),
            hash: sealed.hash.as_ref().to_owned(),
        }
    }

    #[test]
    fn several_events_of_one_thing_are_told_as_the_last() {
        let tiding = |id: &str, kind: &str| Tiding {
            kind: kind.to_owned(),
            entity: "job",
            id: id.to_owned(),
            run_id: None,
            correlation_id: "c".to_owned(),
            at: Micros(0),
            data: json!({}),
        };
        let tenant: Tenant = "acme".parse().unwrap();
        let mut journal = Journal::default();
        for (id, kind) in [("a", "submitted"), ("a", "queued"), ("b", "submitted"), ("b", "queued")] {
            journal.tell(&tenant, tiding(id, kind));
        }
        let told: Vec<Event> = journal.pages.remove(&tenant).unwrap().events;
        assert_eq!(told, [tiding("a", "queued").into(), tiding("b", "queued").into()]);
    }
}
