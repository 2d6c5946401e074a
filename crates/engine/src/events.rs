//! Events for others, in the envelope of CloudEvents. Their backbone is the history: numbered without a gap, kept whole,
//! one entry per transition, so that who was away for a year misses nothing and every event is told under the same id
//! each time. Progress is not written down; it is told between the entries while it is new.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::redact;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use stella_contract::cloud_event::{
    BUFFER, CloudEvent, EventArtifact, EventData, EventJob, EventMetrics, Notifier, SCHEMA, sequence,
};
use stella_contract::event::{FeedEvent, FeedQuery};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::Tenant;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::history::About;
use stella_ledger::record::JobRecord;
use stella_ledger::{LedgerError, Tx, chains, history, instance, jobs, key_of, telling};

/// The longest wait.
const LONGEST_WAIT_MS: u64 = 30_000;
/// What happened to a job without being written down.
const PROGRESS: &str = "orch.job.progress";

/// Events for others.
#[derive(Clone)]
pub struct Events {
    engine: Engine,
}

impl Engine {
    /// Events for others.
    pub fn events(&self) -> Events {
        Events { engine: self.clone() }
    }
}

/// A reader of events: where it stands, and how it is told.
#[derive(Debug, Clone)]
pub struct Reader {
    caller: Caller,
    source: String,
    channel: &'static str,
    /// The last entry told.
    after: i64,
    /// The last entry there was when it came.
    opened_at: i64,
    /// Where it stands in the feed, for progress.
    feed: i64,
    /// Events told so far.
    told: i64,
}

impl Reader {
    /// The number of the last entry told.
    pub const fn position(&self) -> i64 {
        self.after
    }
}

/// What a reader is told next.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The events, in order; empty when nothing happened in time.
    pub events: Vec<CloudEvent>,
    /// The core's clock.
    pub now: Micros,
}

impl Events {
    /// A reader that goes on after this entry; without one it starts with what happens next. A number that is ahead of
    /// the history is from another ledger: nothing, so that the reader is told to start anew.
    pub async fn open(
        &self,
        caller: &Caller,
        after: Option<i64>,
        channel: &'static str,
    ) -> Result<Option<Reader>, Error> {
        caller.demand(Scope::OrchRead)?;
        let tenant = caller.tenant.clone();
        let tip = self
            .engine
            .ledger()
            .read::<_, LedgerError, _>(move |tx| Box::pin(async move { chains::tip(tx, &tenant).await }))
            .await?;
        let after = after.unwrap_or(tip.history_seq);
        if !(0..=tip.history_seq).contains(&after) {
            return Ok(None);
        }
        Ok(Some(Reader {
            caller: caller.clone(),
            source: format!("/orchestrator/{}", self.instance().await?),
            channel,
            after,
            opened_at: tip.history_seq,
            feed: tip.feed_seq,
            told: 0,
        }))
    }

    /// What happened since the reader was last told; waits for the first event when there is none yet.
    pub async fn next(&self, reader: &mut Reader, wait_ms: u64) -> Result<Told, Error> {
        reader.caller.demand(Scope::OrchRead)?;
        let mut bell = self.engine.bus().feed();
        let wait_ms = i64::try_from(wait_ms.min(LONGEST_WAIT_MS)).unwrap_or(0);
        let until = self.engine.now().plus_ms(wait_ms);
        loop {
            // The bell is read before the look, so that a commit in between is not slept through.
            bell.mark_unchanged();
            // Whoever stops to wait must not lose what was read, so that the reader moves only with the answer.
            let mut moved = reader.clone();
            let events = self.look(&mut moved).await?;
            let now = self.engine.now();
            if !events.is_empty() || now >= until {
                *reader = moved;
                return Ok(Told { events, now });
            }
            if !crate::tail::wait_for_news(&self.engine, &mut bell, until).await {
                return Ok(Told { events, now });
            }
        }
    }

    /// The name of this ledger; it is given one when it is first asked for.
    pub async fn instance(&self) -> Result<String, Error> {
        let ledger = self.engine.ledger();
        let known = ledger.read::<_, LedgerError, _>(|tx| Box::pin(instance::name(tx))).await?;
        if let Some(name) = known {
            return Ok(name);
        }
        let fresh = self.engine.uuid(self.engine.now());
        let write = ledger.write::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                instance::give_name(tx, &fresh).await?;
                instance::name(tx).await
            })
        });
        write.await?.ok_or_else(|| Error::internal("the ledger has no name after it was given one"))
    }

    async fn look(&self, reader: &mut Reader) -> Result<Vec<CloudEvent>, Error> {
        let (tenant, after) = (reader.caller.tenant.clone(), reader.after);
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move {
                let entries = history::oldest(tx, &tenant, &About::Everything, after, BUFFER).await?;
                let known = Known::read(tx, &tenant, &entries).await?;
                Ok((entries, known))
            })
        });
        let (entries, known) = read.await?;
        let is_behind = entries.len() as i64 == BUFFER;
        let mut events = Vec::with_capacity(entries.len());
        for entry in entries {
            reader.after = entry.seq;
            events.push(known.envelope(entry, reader));
        }
        if !is_behind {
            events.extend(self.progress(reader).await?);
        }
        Ok(events)
    }

    async fn progress(&self, reader: &mut Reader) -> Result<Vec<CloudEvent>, Error> {
        let query = FeedQuery { cursor: Some(reader.feed), max_wait_ms: None };
        let batch = self.engine.feed().lines(&reader.caller, query).await?;
        reader.feed = batch.cursor;
        let progress = batch.lines.iter().filter(|line| line.event.kind == PROGRESS);
        Ok(progress.map(|line| progress_of(&line.event, reader)).collect())
    }
}

/// What is known of the jobs that entries are about.
#[derive(Default)]
struct Known {
    jobs: HashMap<i64, JobRecord>,
    /// By job and lease epoch.
    runners: HashMap<(i64, i64), String>,
    starts: HashMap<(i64, i64), Micros>,
    left: HashMap<i64, Vec<EventArtifact>>,
}

impl Known {
    async fn read(tx: &mut Tx, tenant: &Tenant, entries: &[HistoryEntry]) -> Result<Self, LedgerError> {
        let keys: BTreeSet<i64> =
            entries.iter().filter_map(|entry| entry.job_id.as_ref().map(key_of)).collect();
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let keys: Vec<i64> = keys.into_iter().collect();
        let mut known = Self::default();
        for record in jobs::get_many(tx, &keys).await? {
            known.jobs.insert(record.key, record);
        }
        for row in telling::beginnings(tx, tenant, &keys).await? {
            let place = (row.job_key, row.lease_epoch.unwrap_or(0));
            if row.kind == "orch.job.started" {
                known.starts.insert(place, Micros(row.occurred_at));
                continue;
            }
            let data: Value = serde_json::from_str(&row.data)
                .map_err(|_| LedgerError::corrupt("history", "data", row.job_key))?;
            if let Some(worker) = data["workerId"].as_str() {
                known.runners.insert(place, worker.to_owned());
            }
        }
        let done = entries.iter().filter(|entry| entry.kind == "orch.job.succeeded");
        let done: Vec<i64> = done.filter_map(|entry| entry.job_id.as_ref().map(key_of)).collect();
        if !done.is_empty() {
            for row in telling::left(tx, tenant, &done).await? {
                let one = EventArtifact { name: row.name, digest: row.digest, size_bytes: row.size_bytes };
                known.left.entry(row.job_key).or_default().push(one);
            }
        }
        Ok(known)
    }

    fn envelope(&self, entry: HistoryEntry, reader: &mut Reader) -> CloudEvent {
        let record = entry.job_id.as_ref().and_then(|id| self.jobs.get(&key_of(id)));
        let subject = subject_of(&entry);
        let attempt = entry.attempt.map_or_else(String::new, |attempt| attempt.to_string());
        let notifier = reader.tell(entry.seq <= reader.opened_at);
        let tenant = &reader.caller.tenant;
        CloudEvent {
            specversion: "1.0".to_owned(),
            // The first entries of two tenants may have the same id, and ids must be unique within a source.
            id: format!("{tenant}/{}", entry.event_id),
            source: reader.source.clone(),
            idempotencykey: format!(
                "{}:{}:{attempt}:{}",
                entry.kind,
                subject.as_deref().unwrap_or_default(),
                entry.seq
            ),
            subject,
            time: entry.occurred_at,
            datacontenttype: "application/json".to_owned(),
            dataschema: SCHEMA.to_owned(),
            tenantid: tenant.clone(),
            projectid: record.and_then(|record| record.job.project.clone()),
            correlationid: entry.correlation_id.clone(),
            sequence: sequence(entry.seq),
            data: EventData {
                job: record.map(|record| self.job(record, &entry)),
                metrics: record.and_then(|record| self.metrics(record, &entry)),
                entity: entry.entity,
                actor: Some(entry.actor),
                from_state: entry.from_state,
                to_state: entry.to_state,
                reason: entry.reason,
                ticket: entry.ticket,
                notifier,
                details: redact::value(&entry.data),
            },
            kind: entry.kind,
            prevhash: Some(entry.prev_hash),
            hash: Some(entry.hash),
        }
    }

    fn job(&self, record: &JobRecord, entry: &HistoryEntry) -> EventJob {
        let said = |name: &str| entry.data[name].as_str().map(str::to_owned);
        let place = (record.key, entry.lease_epoch.unwrap_or(0));
        let left = self.left.get(&record.key).filter(|_| entry.kind == "orch.job.succeeded");
        EventJob {
            id: record.job.job_id.as_str().to_owned(),
            job_type: record.job.job_type.clone(),
            run_id: record.job.run_id.as_ref().map(|id| id.as_str().to_owned()),
            attempt: entry.attempt,
            lease_epoch: entry.lease_epoch,
            task_runner_id: self.runners.get(&place).cloned(),
            status: entry.to_state.clone().unwrap_or_default(),
            reason: said("errorCode").or_else(|| said("waitReason")),
            payload_digest: record.job.payload_digest.clone(),
            artifacts: left.cloned().unwrap_or_default(),
        }
    }

    fn metrics(&self, record: &JobRecord, entry: &HistoryEntry) -> Option<EventMetrics> {
        let place = (record.key, entry.lease_epoch.unwrap_or(0));
        let ends = entry.data["outcome"].is_string();
        let began = self.starts.get(&place).filter(|_| ends);
        let until = entry.data["nextEligibleAt"].as_str().and_then(Micros::parse);
        let until = until.filter(|_| entry.kind == "orch.job.retry");
        let metrics = EventMetrics {
            duration_ms: began.map(|began| entry.occurred_at.ms_since(*began)),
            backoff_ms: until.map(|until| until.ms_since(entry.occurred_at)),
            progress: None,
        };
        (metrics != EventMetrics::default()).then_some(metrics)
    }
}

impl Reader {
    fn tell(&mut self, replayed: bool) -> Notifier {
        self.told += 1;
        Notifier { channel: self.channel.to_owned(), delivery: self.told, replayed }
    }
}

/// The job, the run, or what the entry's data names.
fn subject_of(entry: &HistoryEntry) -> Option<String> {
    let job = entry.job_id.as_ref().map(|id| id.as_str().to_owned());
    let run = || entry.run_id.as_ref().map(|id| id.as_str().to_owned());
    let named = || {
        let id = entry.data.as_object()?.get(&format!("{}Id", entry.entity))?;
        id.as_str().map(str::to_owned)
    };
    job.or_else(run).or_else(named)
}

fn progress_of(event: &FeedEvent, reader: &mut Reader) -> CloudEvent {
    let said = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
    let notifier = reader.tell(false);
    let attempt = event.data["attempt"].as_i64().and_then(|attempt| i32::try_from(attempt).ok());
    CloudEvent {
        specversion: "1.0".to_owned(),
        id: format!("{}/progress-{}", event.tenant, event.seq),
        source: reader.source.clone(),
        kind: event.kind.clone(),
        subject: Some(event.id.clone()),
        time: event.at,
        datacontenttype: "application/json".to_owned(),
        dataschema: SCHEMA.to_owned(),
        tenantid: event.tenant.clone(),
        projectid: None,
        correlationid: event.correlation_id.clone(),
        idempotencykey: format!("{}:{}:{}:{}", event.kind, event.id, attempt.unwrap_or_default(), event.seq),
        sequence: sequence(reader.after),
        prevhash: None,
        hash: None,
        data: EventData {
            entity: event.entity.clone(),
            actor: None,
            from_state: None,
            to_state: None,
            reason: None,
            ticket: None,
            job: Some(EventJob {
                id: event.id.clone(),
                job_type: said("jobType"),
                run_id: event.run_id.as_ref().map(|id| id.as_str().to_owned()),
                attempt,
                lease_epoch: None,
                task_runner_id: None,
                status: said("state"),
                reason: None,
                payload_digest: said("payloadDigest"),
                artifacts: Vec::new(),
            }),
            metrics: Some(EventMetrics {
                progress: event.data["progress"].as_f64(),
                ..EventMetrics::default()
            }),
            notifier,
            details: redact::value(&event.data),
        },
    }
}
