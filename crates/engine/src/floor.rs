//! The floor: workers of other processes, who speak through a door. Each is of one tenant and speaks only of jobs that
//! it holds; a lease is found by its id, which carries the job's row key.

use crate::artifacts::{canonical_form, check_name, is_json, outputs_hash, too_large};
use crate::caller::Caller;
use crate::change::{By, JobChange, settle};
use crate::engine::Engine;
use crate::error::Error;
use crate::floor_lines::{self, Said};
use crate::handlers::Failure;
use crate::jobs::view;
use crate::journal::Journal;
use crate::redact;
use crate::report::{self, Prepared, Ready};
use crate::told_watermarks;
use crate::work::{LEASE_MS, lost, refuse_lost, released, uncounted};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::collections::BTreeSet;
use stella_contract::artifact::Artifact;
use stella_contract::error::Code;
use stella_contract::ids::{ArtifactId, LeaseId, Tenant, WorkerId};
use stella_contract::job::{Job, JobEvent, JobState};
use stella_contract::lease::{
    AckLease, CompleteLease, FailLease, LARGEST_ARTIFACT, LARGEST_JSON_ARTIFACT, LOG_LINES_KEPT,
    LeaseArtifact, LeaseHeartbeat, LeasePulse, LogKept, LogLine, LogLines, MOST_ARTIFACTS, MOST_LOG_LINES,
    NamedArtifact, ReleaseLease,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_contract::worker::WorkerWish;
use stella_ledger::leases::{Beat, Fence, Progress};
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, jobs, leases, uploads, workers};

/// The longest message of progress, in characters.
const LONGEST_PROGRESS: usize = 200;
/// The longest line of a log, in characters.
const LONGEST_LINE: usize = 4_000;
/// The longest reason of a release, in characters.
const LONGEST_REASON: usize = 200;

/// Workers of other processes.
#[derive(Clone)]
pub struct Floor {
    pub(crate) engine: Engine,
}

impl Engine {
    /// Workers of other processes.
    pub fn floor(&self) -> Floor {
        Floor { engine: self.clone() }
    }
}

/// Bytes that a worker brings for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// The epoch of the lease.
    pub lease_epoch: i64,
    /// Unique within the job.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Its media type.
    pub media_type: String,
    /// The digest that the worker computed.
    pub digest: String,
}

impl Floor {
    /// The worker starts. Said twice, it has started once.
    pub(crate) async fn hear_ack(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: AckLease,
    ) -> Result<LeasePulse, Error> {
        caller.demand_write(Scope::Worker)?;
        let (tenant, lease_epoch) = (caller.tenant.clone(), wish.lease_epoch);
        let said = Said { tenant, id: id.clone(), lease_epoch, wish };
        self.engine.lines().ack.ask(&self.engine, said).await
    }

    /// The worker is alive and may tell progress.
    pub(crate) async fn hear_heartbeat(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: LeaseHeartbeat,
    ) -> Result<LeasePulse, Error> {
        caller.demand_write(Scope::Worker)?;
        let progress = wish.progress.map(|told| Progress {
            processed: told.processed.max(0),
            total: told.total.max(0),
            message: told.message.map(|text| redact::text(&text).chars().take(LONGEST_PROGRESS).collect()),
        });
        let (tenant, id, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let held = held(tx, &tenant, &id, wish.lease_epoch).await?;
                    let (now, has_progress) = (engine.now(), progress.is_some());
                    let beat = Beat { fence: held.fence.clone(), progress };
                    let fenced = leases::extend_many(tx, &[beat], now.plus_ms(LEASE_MS)).await?;
                    refuse_lost(&fenced)?;
                    if let Some(worker) = &held.record.job.worker_id {
                        workers::beat(tx, worker, now).await?;
                    }
                    let pulse = held.pulse(now);
                    if has_progress {
                        let by = By::itself(held.subject());
                        let changes: Vec<JobChange> = fenced
                            .done
                            .into_iter()
                            .map(|after| JobChange::along(JobEvent::Heartbeat, after.job.state, after))
                            .collect();
                        let mut journal = Journal::default();
                        settle(tx, &changes, &by, now, &mut journal).await?;
                        journal.leave(tx);
                    }
                    Ok(pulse)
                })
            })
            .await
    }

    /// Keeps lines about a job; the oldest fall out.
    pub(crate) async fn hear_log(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: LogLines,
    ) -> Result<LogKept, Error> {
        caller.demand_write(Scope::Worker)?;
        if wish.lines.is_empty() || wish.lines.len() > MOST_LOG_LINES {
            return Err(Error::invalid("lines", format!("has 1 to {MOST_LOG_LINES} lines")));
        }
        let (tenant, id, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let held = held(tx, &tenant, &id, wish.lease_epoch).await?;
                    held.demand_current()?;
                    let (key, at) = (held.record.key, engine.now());
                    let mut seq = uploads::last_line(tx, key).await?;
                    let lines: Vec<LogLine> = wish
                        .lines
                        .into_iter()
                        .map(|line| {
                            seq += 1;
                            LogLine {
                                seq,
                                at,
                                lease_epoch: wish.lease_epoch,
                                level: line.level,
                                message: redact::text(&line.message).chars().take(LONGEST_LINE).collect(),
                            }
                        })
                        .collect();
                    uploads::log(tx, key, &lines, LOG_LINES_KEPT).await?;
                    Ok(LogKept { last_seq: seq })
                })
            })
            .await
    }

    /// The canonical payload of a held job and its digest, for one that is too large to come with its lease.
    pub async fn payload(&self, caller: &Caller, id: &LeaseId) -> Result<(String, Bytes), Error> {
        caller.demand(Scope::Worker)?;
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let record: JobRecord = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let mut records = [find(tx, &tenant, &wanted).await?];
                    if records[0].job.lease_id.as_ref() != Some(&wanted)
                        || records[0].job.lease_until.is_none()
                    {
                        return Err(lost(&records[0].job.job_id));
                    }
                    jobs::add_payloads(tx, &mut records).await?;
                    let [record] = records;
                    Ok(record)
                })
            })
            .await?;
        let bytes = match record.payload {
            Some(text) => Bytes::from(text),
            None => self.engine.blobs().get(&record.job.payload_digest).await?,
        };
        Ok((record.job.payload_digest, bytes))
    }

    /// Takes in the bytes of an artifact. They become one when the job is completed under the same lease.
    pub(crate) async fn hear_artifact(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: NewUpload,
        body: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Result<LeaseArtifact, Error> {
        caller.demand_write(Scope::Worker)?;
        check_name(&wish.name)?;
        if !stella_bundle::digest::is_digest(&wish.digest) {
            return Err(Error::invalid("digest", "is not `sha256:` and 64 lower-case hex digits"));
        }
        for (field, text) in [("kind", &wish.kind), ("mediaType", &wish.media_type)] {
            if text.is_empty() || text.len() > 200 {
                return Err(Error::invalid(field, "has 1 to 200 bytes"));
            }
        }
        // Before half a gigabyte is read, whether anybody may send it.
        let (tenant, wanted, epoch) = (caller.tenant.clone(), id.clone(), wish.lease_epoch);
        self.engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move { held(tx, &tenant, &wanted, epoch).await?.demand_current() })
            })
            .await?;
        let size = self.take_in(&wish, body).await?;
        let artifact = LeaseArtifact {
            name: wish.name,
            kind: wish.kind,
            media_type: wish.media_type,
            size_bytes: i64::try_from(size).unwrap_or(i64::MAX),
            digest: wish.digest,
        };
        let (tenant, wanted, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let held = held(tx, &tenant, &wanted, epoch).await?;
                    held.demand_current()?;
                    let mut brought = uploads::of_jobs(tx, &[held.record.key]).await?;
                    let there = brought.remove(&(held.record.key, epoch)).unwrap_or_default();
                    let is_new = there.iter().all(|other| other.name != artifact.name);
                    if is_new && there.len() >= MOST_ARTIFACTS {
                        return Err(Error::invalid(
                            "artifacts",
                            format!("a job leaves at most {MOST_ARTIFACTS}"),
                        ));
                    }
                    if there
                        .iter()
                        .any(|other| other.name == artifact.name && other.digest != artifact.digest)
                    {
                        let sentence = format!(
                            "`{}` was brought with other bytes before. Take another name.",
                            artifact.name
                        );
                        return Err(Error::new(Code::Conflict, sentence));
                    }
                    uploads::put(tx, held.record.key, epoch, &artifact, engine.now()).await?;
                    Ok(artifact)
                })
            })
            .await
    }

    /// Brings the bytes to the disk, if they have the digest that was said; how many they are.
    async fn take_in(
        &self,
        wish: &NewUpload,
        mut body: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Result<u64, Error> {
        let check = |digest: &str| {
            if digest == wish.digest { Ok(()) } else { Err(mismatch(&wish.name)) }
        };
        if is_json(&wish.media_type) {
            let mut whole = BytesMut::new();
            while let Some(piece) = body.next().await {
                whole.extend_from_slice(&piece?);
                if whole.len() as u64 > LARGEST_JSON_ARTIFACT {
                    return Err(too_large(&wish.name, LARGEST_JSON_ARTIFACT));
                }
            }
            let bytes = canonical_form(&wish.name, &wish.media_type, whole.freeze())?;
            check(&stella_bundle::digest::of_bytes(&bytes))?;
            let size = bytes.len() as u64;
            self.engine.blobs().put(bytes).await?;
            return Ok(size);
        }
        let mut incoming = self.engine.blobs().begin().await?;
        while let Some(piece) = body.next().await {
            incoming = incoming.take(&piece?).await?;
            if incoming.size() > LARGEST_ARTIFACT {
                return Err(too_large(&wish.name, LARGEST_ARTIFACT));
            }
        }
        let size = incoming.size();
        incoming.finish(check).await?;
        Ok(size)
    }

    /// The job is done. The same success said twice is one success.
    pub(crate) async fn hear_complete(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: CompleteLease,
    ) -> Result<Job, Error> {
        caller.demand_write(Scope::Worker)?;
        let (tenant, lease_epoch) = (caller.tenant.clone(), wish.lease_epoch);
        let said = Said { tenant, id: id.clone(), lease_epoch, wish };
        if said.wish.watermark.is_none() {
            return self.engine.lines().complete.ask(&self.engine, said).await;
        }
        // It has an effect, and an effect that fails undoes everything of its call.
        let engine = self.engine.clone();
        let answers = self
            .engine
            .ledger()
            .write(move |tx| Box::pin(async move { floor_lines::complete(engine, tx, vec![said]).await }))
            .await?;
        one(answers)
    }

    /// The attempt failed; whether and when another follows is decided here.
    pub(crate) async fn hear_failure(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: FailLease,
    ) -> Result<Job, Error> {
        caller.demand_write(Scope::Worker)?;
        check_code(&wish.code)?;
        let failure = Failure {
            class: wish.category,
            code: wish.code,
            message: wish.message,
            retry_after_ms: wish.retry_after_ms,
            http_status: wish.http_status,
            host: wish.host,
            is_final: wish.retryable == Some(false),
        };
        let (tenant, id, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let held = held(tx, &tenant, &id, wish.lease_epoch).await?;
                    let now = engine.now();
                    let mut journal = Journal::default();
                    let prepared = Prepared { fence: held.fence, outcome: Err(failure) };
                    let done = one(report::write(tx, vec![prepared], now, &mut journal).await?)?;
                    journal.leave(tx);
                    Ok(done)
                })
            })
            .await
    }

    /// Gives a claimed job back unstarted; the attempt does not count.
    pub(crate) async fn hear_release(
        &self,
        caller: &Caller,
        id: &LeaseId,
        wish: ReleaseLease,
    ) -> Result<Job, Error> {
        caller.demand_write(Scope::Worker)?;
        let said = redact::text(wish.reason.trim());
        if said.is_empty() || said.chars().count() > LONGEST_REASON {
            return Err(Error::invalid("reason", format!("has 1 to {LONGEST_REASON} characters")));
        }
        let (tenant, id, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let held = held(tx, &tenant, &id, wish.lease_epoch).await?;
                    let now = engine.now();
                    let release = uncounted(held.fence.clone(), std::slice::from_ref(&held.record));
                    let fenced = leases::release_many(tx, &[release], now).await?;
                    refuse_lost(&fenced)?;
                    let mut journal = Journal::default();
                    let mut given =
                        released(tx, fenced.done, "released", Some(&said), now, &mut journal).await?;
                    journal.leave(tx);
                    given.pop().map(view).ok_or_else(|| Error::internal("a release changed nothing"))
                })
            })
            .await
    }
}

/// A job under a lease, as it is said.
pub(crate) struct Held {
    pub(crate) record: JobRecord,
    pub(crate) fence: Fence,
    /// Whether the job's last lease is this one.
    pub(crate) is_of_this_lease: bool,
    /// Whether it still is.
    pub(crate) is_current: bool,
    wish: WorkerWish,
}

impl Held {
    pub(crate) fn demand_current(&self) -> Result<(), Error> {
        if self.is_current { Ok(()) } else { Err(lost(&self.record.job.job_id)) }
    }
    /// Whether the job runs under this very lease.
    pub(crate) fn is_running(&self) -> bool {
        self.is_current && self.record.job.state == JobState::Running
    }
    fn subject(&self) -> String {
        self.record.job.worker_id.as_ref().map_or_else(|| "worker".to_owned(), ToString::to_string)
    }
    pub(crate) fn pulse(&self, now: Micros) -> LeasePulse {
        LeasePulse {
            lease_until: now.plus_ms(LEASE_MS),
            lease_s: LEASE_MS / 1_000,
            cancel_requested: self.record.job.cancel_requested_at.is_some(),
            drain: self.wish != WorkerWish::Work,
        }
    }
}

/// The job that a lease is of, in this tenant.
pub(crate) async fn find(tx: &mut Tx, tenant: &Tenant, id: &LeaseId) -> Result<JobRecord, Error> {
    let found = jobs::get_many(tx, &[stella_ledger::key_of_lease(id)]).await?;
    let record = found.into_iter().find(|record| record.job.tenant == *tenant && record.job.lease_epoch > 0);
    record.ok_or_else(|| Error::not_found("lease", id))
}

/// What is under this lease and epoch. A worker in quarantine is not heard.
async fn held(tx: &mut Tx, tenant: &Tenant, id: &LeaseId, lease_epoch: i64) -> Result<Held, Error> {
    let said = Said { tenant: tenant.clone(), id: id.clone(), lease_epoch, wish: () };
    let mut found = held_many(tx, &[said]).await?;
    found.pop().unwrap_or_else(|| Err(Error::not_found("lease", id)))
}

/// The same of many leases, in their order.
pub(crate) async fn held_many<W>(tx: &mut Tx, said: &[Said<W>]) -> Result<Vec<Result<Held, Error>>, Error> {
    let keys: Vec<i64> = said.iter().map(|one| stella_ledger::key_of_lease(&one.id)).collect();
    let records = jobs::get_many(tx, &keys).await?;
    let workers: BTreeSet<&str> =
        records.iter().filter_map(|record| record.job.worker_id.as_ref().map(WorkerId::as_str)).collect();
    let standings = workers::standings(tx, &Vec::from_iter(workers)).await?;
    let look = |one: &Said<W>| {
        let record = records
            .iter()
            .find(|record| {
                record.key == stella_ledger::key_of_lease(&one.id)
                    && record.job.tenant == one.tenant
                    && record.job.lease_epoch > 0
            })
            .ok_or_else(|| Error::not_found("lease", &one.id))?;
        let job = &record.job;
        let is_of_this_lease = job.lease_id.as_ref() == Some(&one.id) && job.lease_epoch == one.lease_epoch;
        let wish = standings
            .iter()
            .find(|standing| job.worker_id.as_ref() == Some(&standing.worker_id))
            .filter(|standing| standing.tenant.as_ref().is_none_or(|own| *own == one.tenant))
            .map_or(WorkerWish::Work, |standing| standing.wish);
        if is_of_this_lease && wish == WorkerWish::Quarantine {
            let sentence = "This worker is quarantined; what it says is not taken. An operator clears it.";
            return Err(Error::new(Code::LeaseLost, sentence));
        }
        Ok(Held {
            fence: Fence {
                job_id: job.job_id.clone(),
                lease_id: one.id.clone(),
                lease_epoch: one.lease_epoch,
            },
            is_of_this_lease,
            is_current: is_of_this_lease && job.lease_until.is_some(),
            wish,
            record: record.clone(),
        })
    };
    Ok(said.iter().map(look).collect())
}

/// A success ready to be written: everything the worker names was brought under this lease, and nothing else was.
pub(crate) async fn ready(
    engine: &Engine,
    tx: &mut Tx,
    held: &Held,
    brought: Vec<LeaseArtifact>,
    wish: CompleteLease,
    now: Micros,
) -> Result<Ready, Error> {
    for named in &wish.artifacts {
        match brought.iter().find(|one| one.name == named.name) {
            Some(one) if one.digest == named.digest => {}
            Some(_) => return Err(mismatch(&named.name)),
            None => {
                let why = format!("`{}` was not brought under this lease; put it first", named.name);
                return Err(Error::invalid("artifacts", why));
            }
        }
    }
    let is_named =
        |one: &&LeaseArtifact| !wish.artifacts.iter().any(|named: &NamedArtifact| named.name == one.name);
    if let Some(unnamed) = brought.iter().find(is_named) {
        let why = format!("`{}` was brought and is not named", unnamed.name);
        return Err(Error::invalid("artifacts", why));
    }
    let effect = match wish.watermark {
        Some(told) => Some(told_watermarks::effect(tx, &held.record, told, now).await?),
        None => None,
    };
    let lines = brought.iter().map(|one| (one.name.as_str(), one.digest.as_str()));
    let outputs_hash = outputs_hash(lines);
    if outputs_hash != wish.outputs_hash {
        let sentence = "The outputs hash is not that of the artifacts: SHA-256 over the sorted `name TAB digest LF` lines, and none without artifacts.";
        return Err(Error::new(Code::ArtifactDigestMismatch, sentence));
    }
    let artifacts = brought.into_iter().map(|one| Artifact {
        artifact_id: ArtifactId::from_uuid(&engine.uuid(now)),
        job_id: held.record.job.job_id.clone(),
        run_id: None,
        name: one.name,
        kind: one.kind,
        media_type: one.media_type,
        size_bytes: one.size_bytes,
        digest: one.digest,
        created_at: now,
    });
    Ok(Ready {
        result: wish.result.filter(|result| !result.is_null()).map(|result| result.to_string()),
        artifacts: artifacts.collect(),
        outputs_hash,
        effect,
    })
}

fn mismatch(name: &str) -> Error {
    let sentence =
        format!("The bytes of artifact `{name}` do not have the digest that was said. Send them again.");
    Error::new(Code::ArtifactDigestMismatch, sentence)
}

pub(crate) fn finished(job: &Job) -> Error {
    let sentence = format!("Job `{}` has already ended: {}.", job.job_id, job.state);
    Error::new(Code::AlreadyFinished, sentence)
}

fn check_code(code: &str) -> Result<(), Error> {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if code.is_empty() || code.len() > 64 || !code.bytes().all(is_plain) {
        return Err(Error::invalid("code", "has 1 to 64 of A-Z, 0-9 and `_`"));
    }
    Ok(())
}

fn one(mut answers: Vec<Result<Job, Error>>) -> Result<Job, Error> {
    answers.pop().unwrap_or_else(|| Err(Error::internal("one report had no answer")))
}
