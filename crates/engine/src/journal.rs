//! What one transaction has to write down and to tell. It is collected while things change and left to be written once,
//! at the end of the commit: then the history gets its numbers and hashes, the feed its numbers.

use crate::error::Error;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use stella_bundle::{canonical, digest};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::{EventId, Tenant};
use stella_ledger::book::Sealed;
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
        let latest = tidings.len().saturating_sub(2);
        let is_same = |before: &Tiding| before.id == tiding.id && before.entity == tiding.entity;
        if let Some(at) = tidings[latest..].iter().rposition(is_same) {
            tidings.remove(latest + at);
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
    /// Leaves everything to be written at the end of the commit.
    pub fn leave(self, tx: &mut Tx) {
        for (tenant, page) in self.pages {
            tx.leave(&tenant, seal, page.drafts, page.tidings);
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
fn seal(tip: &mut Tip, drafts: Vec<Draft>) -> Result<Vec<Sealed>, LedgerError> {
    drafts.into_iter().map(|draft| seal_one(tip, draft)).collect()
}

fn seal_one(tip: &mut Tip, draft: Draft) -> Result<Sealed, LedgerError> {
    let not_canonical =
        |error: &dyn std::fmt::Display| LedgerError::Other(format!("an entry is not JSON: {error}"));
    let seq = tip.history_seq + 1;
    let data = canonical::text_of(&draft.data).map_err(|error| not_canonical(&error))?;
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
        data_digest: digest::of_bytes(data.as_bytes()),
        data: draft.data,
        prev_hash: std::mem::take(&mut tip.last_hash),
        hash: String::new(),
    };
    entry.hash = hash_with(&entry, &data).map_err(|error| not_canonical(&error))?;
    tip.history_seq = seq;
    tip.last_hash.clone_from(&entry.hash);
    Ok(Sealed { entry, data })
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
    let data = canonical::to_string(&entry.data).map_err(Error::internal)?;
    hash_with(entry, &data)
}

fn hash_with(entry: &HistoryEntry, data: &str) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    hasher.update(&entry.prev_hash);
    hasher.update(unhashed(entry, data)?);
    Ok(hex::encode(hasher.finalize()))
}

/// The canonical form of an entry without its hash, with its data in canonical form. Its keys are known, so they are
/// written in their order and nothing has to be sorted; a test holds it against the general form.
fn unhashed(entry: &HistoryEntry, data: &str) -> Result<Vec<u8>, Error> {
    let mut out = Canonical { bytes: Vec::with_capacity(768) };
    out.put("actor", &ActorInOrder { scopes: &entry.actor.scopes, subject: &entry.actor.subject })?;
    out.maybe("attempt", entry.attempt)?;
    out.put("correlationId", &entry.correlation_id)?;
    out.raw("data", data)?;
    out.put("dataDigest", &entry.data_digest)?;
    out.put("entity", &entry.entity)?;
    out.put("eventId", &entry.event_id)?;
    out.maybe("fromState", entry.from_state.as_ref())?;
    out.maybe("jobId", entry.job_id.as_ref())?;
    out.maybe("leaseEpoch", entry.lease_epoch)?;
    out.put("occurredAt", &entry.occurred_at)?;
    out.put("prevHash", &entry.prev_hash)?;
    out.maybe("reason", entry.reason.as_ref())?;
    out.maybe("runId", entry.run_id.as_ref())?;
    out.put("seq", &entry.seq)?;
    out.maybe("ticket", entry.ticket.as_ref())?;
    out.maybe("toState", entry.to_state.as_ref())?;
    out.put("type", &entry.kind)?;
    out.bytes.push(b'}');
    Ok(out.bytes)
}

/// An object being written, its keys in order.
struct Canonical {
    bytes: Vec<u8>,
}

impl Canonical {
    fn raw(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.bytes.push(if self.bytes.is_empty() { b'{' } else { b',' });
        serde_json::to_writer(&mut self.bytes, key).map_err(Error::internal)?;
        self.bytes.push(b':');
        self.bytes.extend_from_slice(value.as_bytes());
        Ok(())
    }
    fn put<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.raw(key, "")?;
        serde_json::to_writer(&mut self.bytes, value).map_err(Error::internal)
    }
    fn maybe<T: Serialize>(&mut self, key: &str, value: Option<T>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.put(key, &value))
    }
}

/// The one who did it, keys in order.
#[derive(Serialize)]
struct ActorInOrder<'a> {
    scopes: &'a [String],
    subject: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use stella_contract::history::Actor;
    use stella_contract::job::Cause;
    use stella_contract::time::Micros;

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
        for Sealed { entry, data } in seal(&mut tip, drafts).unwrap() {
            let mut value = serde_json::to_value(&entry).unwrap();
            value.as_object_mut().unwrap().remove("hash");
            let general = canonical::to_vec(&value).unwrap();
            assert_eq!(data, canonical::to_string(&entry.data).unwrap());
            let own = unhashed(&entry, &data).unwrap();
            assert_eq!(String::from_utf8(own).unwrap(), String::from_utf8(general.clone()).unwrap());
            let mut hasher = Sha256::new();
            hasher.update(&entry.prev_hash);
            hasher.update(general);
            assert_eq!(entry.hash, hex::encode(hasher.finalize()));
            assert_eq!(entry.data_digest, digest::of_value(&entry.data).unwrap());
            assert_eq!(hash(&entry).unwrap(), entry.hash);
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
        let told: Vec<Tiding> = journal.pages.remove(&tenant).unwrap().tidings;
        assert_eq!(told, [tiding("a", "queued"), tiding("b", "queued")]);
    }
}
