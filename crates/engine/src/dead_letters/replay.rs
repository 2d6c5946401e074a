//! Repeating and closing entries, one or many by the same way: each gets its own answer.

use super::{DeadLetters, allow, follow, tell};
use crate::caller::Caller;
use crate::change::By;
use crate::engine::Engine;
use crate::error::Error;
use crate::intake::{INLINE_PAYLOAD, Payload};
use crate::journal::Journal;
use crate::redact;
use crate::verbs::{self, Again, Verb, repeat_many};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;
use stella_contract::dead_letter::{
    DeadLetter, DeadLetterEvent, FREE_REPLAYS, NOTE_MAX, REPLAYS_PER_SECOND, ReplayDeadLetter, ReplayStarted,
    ResolutionCode, ResolveDeadLetter,
};
use stella_contract::error::Code;
use stella_contract::ids::{DeadLetterId, JobId, Tenant};
use stella_contract::job::Job;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::Tx;
use stella_ledger::dead_letters::{self, Change, DeadLetterRecord};
use stella_ledger::record::JobRecord;

/// How entries are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Repeat what was repeated five times, and in a batch what is not retryable, all the same.
    pub(crate) force: bool,
    /// Whether several are repeated: then they are paced, and what is not retryable is left out.
    pub(crate) batch: bool,
}

/// Why an entry is not repeated or closed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum No {
    /// It is not open.
    NotOpen(Error),
    /// A repetition cannot help without a change.
    NotRetryable,
    /// Something else is in the way.
    Refused(Error),
}

impl No {
    /// As a batch tells it.
    pub(crate) fn outcome(&self) -> String {
        match self {
            Self::NotOpen(_) => "skipped:not_open".to_owned(),
            Self::NotRetryable => "skipped:not_retryable".to_owned(),
            Self::Refused(error) => format!("error:{}", error.code),
        }
    }
    /// As the caller of a single one is told.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::NotOpen(error) | Self::Refused(error) => error,
            Self::NotRetryable => Error::new(
                Code::ForceRequired,
                "A repetition cannot help without a change. Mend the cause, then say `force`.",
            ),
        }
    }
}

/// An entry that may be repeated, and its job.
pub(crate) type Ready = (DeadLetterRecord, JobRecord);

impl DeadLetters {
    /// Repeats an entry's job, with its own payload or with another.
    pub async fn replay(
        &self,
        caller: &Caller,
        id: &DeadLetterId,
        wish: ReplayDeadLetter,
    ) -> Result<ReplayStarted, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let edited = match wish.payload {
            Some(value) => Some(self.edited(caller, id, value).await?),
            None => None,
        };
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let (tenant, wanted, engine) = (caller.tenant.clone(), id.clone(), self.engine.clone());
        let manner = Manner { force: wish.force, batch: false };
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let (now, mut journal) = (engine.now(), Journal::default());
                    let judged = judge(tx, &tenant, std::slice::from_ref(&wanted), manner).await?;
                    let (_, ready) = judged.into_iter().next().ok_or_else(|| Error::internal("no answer"))?;
                    let (record, job) = ready.map_err(No::into_error)?;
                    let again = Again {
                        payload: edited.as_ref().map(|edited| edited.payload.clone()),
                        ..again_of(&record, job)
                    };
                    let made = repeat_many(&engine, tx, vec![again], &by, now, &mut journal).await?;
                    let (_, job) =
                        made.into_iter().next().ok_or_else(|| Error::internal("no job was made"))?;
                    let after = dead_letters::get_many(tx, &[record.key]).await?.pop();
                    let entry = after.ok_or_else(|| Error::internal("an entry vanished"))?.entry;
                    if let Some(edited) = edited {
                        tell::noted(
                            &entry,
                            "orch.deadletter.edited",
                            edited.said(&entry, &job),
                            &by,
                            now,
                            &mut journal,
                        );
                    }
                    journal.leave(tx);
                    Ok(ReplayStarted { entry, job })
                })
            })
            .await
    }

    /// Closes an entry.
    pub async fn resolve(
        &self,
        caller: &Caller,
        id: &DeadLetterId,
        wish: ResolveDeadLetter,
    ) -> Result<DeadLetter, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let note = note_of(&wish.note)?;
        self.change(
            caller,
            id,
            Change::Resolve { resolution: wish.resolution, note, by: caller.subject.clone() },
        )
        .await
    }

    /// Another payload than the one that failed, checked, and what is different.
    async fn edited(&self, caller: &Caller, id: &DeadLetterId, value: Value) -> Result<Edited, Error> {
        if !value.is_object() {
            return Err(Error::invalid("payload", "is a JSON object, like the one that failed"));
        }
        let (found, original) = self.found(caller, id).await?;
        // Who edits sees no secrets; what they left as it was shown stays what it is.
        let value = redact::restored(value, &original).map_err(|place| {
            let why = format!(
                "holds `{}` at `{place}`, where it hides nothing; write what is meant",
                redact::HIDDEN
            );
            Error::invalid("payload", why)
        })?;
        if let Some(handler) = self.engine.registry().get(&found.record.entry.job_type) {
            handler.check(&value).map_err(|why| Error::invalid("payload", why))?;
        }
        let payload = Payload::of(&value)?;
        if payload.text.len() > INLINE_PAYLOAD {
            self.engine.blobs().put(Bytes::from(payload.text.clone())).await?;
        }
        // Both sides are redacted first, so that no secret gets into the history.
        let diff = json_patch::diff(&redact::value(&original), &redact::value(&value));
        let diff = serde_json::to_value(&diff).map_err(Error::internal)?;
        Ok(Edited { payload, diff })
    }
}

/// Another payload, and what is different.
struct Edited {
    payload: Payload,
    diff: Value,
}

impl Edited {
    fn said(&self, entry: &DeadLetter, job: &Job) -> Value {
        json!({
            "jobId": job.job_id,
            "payloadDigest": self.payload.digest(),
            "payloadDigestBefore": entry.payload_digest,
            "payloadDiff": self.diff,
        })
    }
}

/// The note of a resolution, as it is kept.
pub(crate) fn note_of(note: &str) -> Result<String, Error> {
    let note = redact::text(note.trim());
    if note.is_empty() || note.chars().count() > NOTE_MAX {
        return Err(Error::invalid("note", format!("has 1 to {NOTE_MAX} characters")));
    }
    Ok(note)
}

fn again_of(record: &DeadLetterRecord, job: JobRecord) -> Again {
    let key = format!("dlr:{}:{}", record.entry.entry_id, record.entry.replay_count + 1);
    Again { idempotency_key: Some(key), ..Again::of(Verb::Replay, job) }
}

/// Which of these entries may be repeated now, each with its job, or why not; in the order in which they were named.
pub(crate) async fn judge(
    tx: &mut Tx,
    tenant: &Tenant,
    ids: &[DeadLetterId],
    manner: Manner,
) -> Result<Vec<(DeadLetterId, Result<Ready, No>)>, Error> {
    let found = of_tenant(tx, tenant, ids).await?;
    let job_ids: Vec<JobId> = found.values().map(|record| record.entry.job_id.clone()).collect();
    let mut jobs: HashMap<JobId, Result<JobRecord, Error>> =
        verbs::judge(tx, tenant, Verb::Replay, &job_ids).await?.into_iter().collect();
    Ok(ids
        .iter()
        .map(|id| {
            let one = found
                .get(id)
                .ok_or_else(|| No::Refused(Error::not_found("dead-letter entry", id)))
                .and_then(|record| {
                    allow(&record.entry, DeadLetterEvent::Replay).map_err(No::NotOpen)?;
                    free(record, manner)?;
                    let gone = || Err(Error::not_found("job", &record.entry.job_id));
                    let job = jobs.remove(&record.entry.job_id).unwrap_or_else(gone).map_err(No::Refused)?;
                    Ok((record.clone(), job))
                });
            (id.clone(), one)
        })
        .collect())
}

/// Whether it may be repeated without force.
fn free(record: &DeadLetterRecord, manner: Manner) -> Result<(), No> {
    let entry = &record.entry;
    if manner.force {
        return Ok(());
    }
    if entry.replay_count >= FREE_REPLAYS {
        let sentence = format!(
            "Entry `{}` was repeated {} times. Mend the cause, or say `force` with the reason.",
            entry.entry_id, entry.replay_count
        );
        return Err(No::Refused(Error::new(Code::ForceRequired, sentence)));
    }
    if manner.batch && !entry.retryable {
        return Err(No::NotRetryable);
    }
    Ok(())
}

async fn of_tenant(
    tx: &mut Tx,
    tenant: &Tenant,
    ids: &[DeadLetterId],
) -> Result<HashMap<DeadLetterId, DeadLetterRecord>, Error> {
    let keys: Vec<i64> = ids.iter().map(dead_letters::key_of).collect();
    let found = dead_letters::get_many(tx, &keys).await?.into_iter();
    Ok(found
        .filter(|record| record.entry.tenant == *tenant)
        .map(|record| (record.entry.entry_id.clone(), record))
        .collect())
}

/// Repeats these entries, `started` of the same batch being on their way already; in the order of their naming.
#[expect(clippy::too_many_arguments, reason = "the parts of a change that every verb of the engine has")]
pub(crate) async fn replay_many(
    engine: &Engine,
    tx: &mut Tx,
    tenant: &Tenant,
    ids: &[DeadLetterId],
    manner: Manner,
    started: i64,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<(DeadLetterId, Result<Job, No>)>, Error> {
    let judged = judge(tx, tenant, ids, manner).await?;
    let mut wishes = Vec::new();
    for (record, job) in judged.iter().filter_map(|(_, one)| one.as_ref().ok()) {
        let place = started + i64::try_from(wishes.len()).unwrap_or(i64::MAX);
        let not_before = now.plus_ms(place / REPLAYS_PER_SECOND * 1_000 + place % REPLAYS_PER_SECOND * 200);
        wishes.push(Again {
            not_before: Some(not_before).filter(|at| manner.batch && *at > now),
            ..again_of(record, job.clone())
        });
    }
    let made: HashMap<JobId, Job> =
        repeat_many(engine, tx, wishes, by, now, journal).await?.into_iter().collect();
    Ok(judged
        .into_iter()
        .map(|(id, one)| {
            let outcome = one.and_then(|(record, _)| {
                let made = made.get(&record.entry.job_id).cloned();
                made.ok_or_else(|| No::Refused(Error::internal("a repetition made no job")))
            });
            (id, outcome)
        })
        .collect())
}

/// Closes these entries with one code and note; in the order in which they were named.
#[expect(clippy::too_many_arguments, reason = "the parts of a change that every verb of the engine has")]
pub(crate) async fn resolve_many(
    tx: &mut Tx,
    tenant: &Tenant,
    ids: &[DeadLetterId],
    resolution: ResolutionCode,
    note: &str,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<(DeadLetterId, Result<DeadLetter, No>)>, Error> {
    let found = of_tenant(tx, tenant, ids).await?;
    let mut wishes = Vec::new();
    let mut before = Vec::new();
    for record in found.values().filter(|one| allow(&one.entry, DeadLetterEvent::Resolve).is_ok()) {
        let change = Change::Resolve { resolution, note: note.to_owned(), by: by.actor.subject.clone() };
        wishes.push((record.key, change));
        before.push(record.clone());
    }
    let after: HashMap<DeadLetterId, DeadLetter> = follow::changed(tx, &wishes, &before, by, now, journal)
        .await?
        .into_iter()
        .map(|record| (record.entry.entry_id.clone(), record.entry))
        .collect();
    Ok(ids
        .iter()
        .map(|id| {
            let outcome = match (after.get(id), found.get(id)) {
                (Some(entry), _) => Ok(entry.clone()),
                (None, Some(record)) => match allow(&record.entry, DeadLetterEvent::Resolve) {
                    Err(error) => Err(No::NotOpen(error)),
                    Ok(()) => Err(No::Refused(Error::internal("a resolution changed nothing"))),
                },
                (None, None) => Err(No::Refused(Error::not_found("dead-letter entry", id))),
            };
            (id.clone(), outcome)
        })
        .collect())
}
