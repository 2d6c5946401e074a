//! Many entries at once: a look that gives the selection's hash, then the same with that hash, entry by entry.

use super::replay::{No, note_of};
use super::{DeadLetters, Manner, judge, replay_many, resolve_many};
use crate::caller::Caller;
use crate::change::By;
use crate::error::Error;
use crate::journal::Journal;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use stella_contract::dead_letter::{
    BATCH_MAX, BatchReplay, BatchResolve, BatchResult, CategoryCount, DeadLetterBatch, DeadLetterEvent,
    DeadLetterPreview, LeftOut, REPLAYS_PER_SECOND, ResolutionCode, SelectDeadLetters, SourceCount, next,
};
use stella_contract::error::Code;
use stella_contract::ids::{DeadLetterId, JobId, SourceId, Tenant};
use stella_contract::job::ErrorClass;
use stella_contract::scope::Scope;
use stella_ledger::dead_letters::{self, DeadLetterRecord};
use stella_ledger::{Tx, dead_letter_lists};

/// Entries changed in one transaction, and read in one go.
const STRIDE: usize = 500;

/// What is done to each entry of a batch.
#[derive(Debug, Clone)]
enum Deed {
    Replay(Manner),
    Resolve(ResolutionCode, String),
}

impl DeadLetters {
    /// What a batch would meet; changes nothing.
    pub async fn preview(
        &self,
        caller: &Caller,
        selection: SelectDeadLetters,
    ) -> Result<DeadLetterPreview, Error> {
        caller.demand(Scope::OrchOperate)?;
        check(&selection)?;
        self.look(&caller.tenant, selection, Manner { force: false, batch: true })
            .await
            .map(|(preview, _)| preview)
    }

    /// Repeats many entries, paced. With `dryRun` it only tells what would happen.
    pub async fn batch_replay(&self, caller: &Caller, wish: BatchReplay) -> Result<DeadLetterBatch, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let selection = SelectDeadLetters { ids: wish.ids, filter: wish.filter };
        check(&selection)?;
        let manner = Manner { force: wish.force, batch: true };
        let (preview, ids) = self.look(&caller.tenant, selection, manner).await?;
        if wish.dry_run {
            return Ok(dry(preview));
        }
        demand_same(wish.selection_hash.as_deref(), &preview)?;
        self.run(caller, preview, ids, Deed::Replay(manner)).await
    }

    /// Closes many entries with one code and note. With `dryRun` it only tells what would happen.
    pub async fn batch_resolve(&self, caller: &Caller, wish: BatchResolve) -> Result<DeadLetterBatch, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        let selection = SelectDeadLetters { ids: wish.ids, filter: wish.filter };
        check(&selection)?;
        let note = note_of(&wish.note)?;
        let (preview, ids) =
            self.look(&caller.tenant, selection, Manner { force: false, batch: true }).await?;
        if wish.dry_run {
            return Ok(dry(preview));
        }
        demand_same(wish.selection_hash.as_deref(), &preview)?;
        self.run(caller, preview, ids, Deed::Resolve(wish.resolution, note)).await
    }

    async fn look(
        &self,
        tenant: &Tenant,
        selection: SelectDeadLetters,
        manner: Manner,
    ) -> Result<(DeadLetterPreview, Vec<DeadLetterId>), Error> {
        let tenant = tenant.clone();
        self.engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let records = select(tx, &tenant, &selection).await?;
                    let ids: Vec<DeadLetterId> =
                        records.iter().map(|record| record.entry.entry_id.clone()).collect();
                    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
                    for stride in ids.chunks(STRIDE) {
                        for (_, one) in judge(tx, &tenant, stride, manner).await? {
                            if let Err(no) = one {
                                *left_out.entry(no.outcome()).or_default() += 1;
                            }
                        }
                    }
                    Ok::<_, Error>((preview(&records, left_out), ids))
                })
            })
            .await
    }

    async fn run(
        &self,
        caller: &Caller,
        preview: DeadLetterPreview,
        ids: Vec<DeadLetterId>,
        deed: Deed,
    ) -> Result<DeadLetterBatch, Error> {
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let mut results: Vec<BatchResult> = Vec::with_capacity(ids.len());
        let mut done = 0;
        for stride in ids.chunks(STRIDE) {
            let (tenant, ids, by) = (caller.tenant.clone(), stride.to_vec(), by.clone());
            let (engine, deed) = (self.engine.clone(), deed.clone());
            let more: Vec<BatchResult> = self
                .engine
                .ledger()
                .write(move |tx| {
                    Box::pin(async move {
                        let (now, mut journal) = (engine.now(), Journal::default());
                        let log = &mut journal;
                        let results = match deed {
                            Deed::Replay(manner) => {
                                let jobs =
                                    replay_many(&engine, tx, &tenant, &ids, manner, done, &by, now, log)
                                        .await?;
                                jobs.into_iter()
                                    .map(|(id, one)| told(id, one.map(|job| Some(job.job_id)), "replayed"))
                                    .collect()
                            }
                            Deed::Resolve(code, note) => {
                                let entries =
                                    resolve_many(tx, &tenant, &ids, code, &note, &by, now, log).await?;
                                entries
                                    .into_iter()
                                    .map(|(id, one)| told(id, one.map(|_| None), "resolved"))
                                    .collect()
                            }
                        };
                        journal.leave(tx);
                        Ok::<Vec<BatchResult>, Error>(results)
                    })
                })
                .await?;
            done += i64::try_from(more.iter().filter(|one| is_done(one)).count()).unwrap_or(0);
            results.extend(more);
        }
        let count = |of: &dyn Fn(&BatchResult) -> bool| results.iter().filter(|one| of(one)).count() as u64;
        Ok(DeadLetterBatch {
            done: count(&is_done),
            skipped: count(&|one| one.outcome.starts_with("skipped:")),
            failed: count(&|one| one.outcome.starts_with("error:")),
            preview,
            dry_run: false,
            results,
        })
    }
}

fn is_done(result: &BatchResult) -> bool {
    !result.outcome.contains(':')
}

fn told(entry_id: DeadLetterId, one: Result<Option<JobId>, No>, word: &str) -> BatchResult {
    match one {
        Ok(job_id) => BatchResult { entry_id, outcome: word.to_owned(), job_id },
        Err(no) => BatchResult { entry_id, outcome: no.outcome(), job_id: None },
    }
}

fn dry(preview: DeadLetterPreview) -> DeadLetterBatch {
    DeadLetterBatch { preview, dry_run: true, done: 0, skipped: 0, failed: 0, results: Vec::new() }
}

fn check(selection: &SelectDeadLetters) -> Result<(), Error> {
    match (&selection.ids, &selection.filter) {
        (Some(ids), None) if ids.is_empty() || ids.len() > BATCH_MAX => {
            Err(Error::invalid("ids", format!("names 1 to {BATCH_MAX} entries; a filter takes more")))
        }
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (Some(_), Some(_)) | (None, None) => Err(Error::invalid("ids", "give either `ids` or `filter`")),
    }
}

fn demand_same(quoted: Option<&str>, preview: &DeadLetterPreview) -> Result<(), Error> {
    match quoted {
        Some(hash) if hash == preview.selection_hash => Ok(()),
        Some(_) => Err(Error::new(
            Code::SelectionChanged,
            format!(
                "The selection is another than in the dry run; it now has {} entries. Look again.",
                preview.count
            ),
        )),
        None => Err(Error::invalid("selectionHash", "is missing; make a dry run and quote its hash")),
    }
}

/// The selected entries, oldest first. What is named but not there is left out here and answered by the run's judge.
async fn select(
    tx: &mut Tx,
    tenant: &Tenant,
    selection: &SelectDeadLetters,
) -> Result<Vec<DeadLetterRecord>, Error> {
    if let Some(ids) = &selection.ids {
        let keys: Vec<i64> = ids.iter().map(dead_letters::key_of).collect();
        let mut found = dead_letters::get_many(tx, &keys).await?;
        found.retain(|record| record.entry.tenant == *tenant && ids.contains(&record.entry.entry_id));
        if let Some(missing) = ids.iter().find(|id| found.iter().all(|one| one.entry.entry_id != **id)) {
            return Err(Error::not_found("dead-letter entry", missing));
        }
        return Ok(found);
    }
    let filter = selection.filter.clone().unwrap_or_default();
    let limit = i64::try_from(STRIDE).unwrap_or(i64::MAX);
    let mut all: Vec<DeadLetterRecord> = Vec::new();
    loop {
        let after = all.last().map(|last| (last.entry.dead_lettered_at.0, last.key));
        let more = dead_letter_lists::oldest(tx, tenant, &filter, after, limit).await?;
        let is_last = more.len() < STRIDE;
        all.extend(more);
        if is_last {
            return Ok(all);
        }
    }
}

fn preview(records: &[DeadLetterRecord], left_out: BTreeMap<String, u64>) -> DeadLetterPreview {
    let mut hasher = Sha256::new();
    let mut categories: BTreeMap<ErrorClass, u64> = BTreeMap::new();
    let mut sources: BTreeMap<Option<SourceId>, u64> = BTreeMap::new();
    for record in records {
        let entry = &record.entry;
        hasher.update(format!("{} {}\n", entry.entry_id, entry.version));
        *categories.entry(entry.category).or_default() += 1;
        *sources.entry(entry.source_id.clone()).or_default() += 1;
    }
    let mut by_category: Vec<CategoryCount> =
        categories.into_iter().map(|(category, count)| CategoryCount { category, count }).collect();
    by_category.sort_by_key(|one| std::cmp::Reverse(one.count));
    let mut by_source: Vec<SourceCount> =
        sources.into_iter().map(|(source_id, count)| SourceCount { source_id, count }).collect();
    by_source.sort_by_key(|one| std::cmp::Reverse(one.count));
    let resolvable =
        records.iter().filter(|one| next(one.entry.state, DeadLetterEvent::Resolve).is_ok()).count();
    let replayable = (records.len() as u64).saturating_sub(left_out.values().sum());
    let per_second = REPLAYS_PER_SECOND.unsigned_abs();
    DeadLetterPreview {
        selection_hash: hex::encode(hasher.finalize()),
        count: records.len() as u64,
        resolvable: resolvable as u64,
        replayable,
        by_category,
        by_source,
        left_out: left_out.into_iter().map(|(why, count)| LeftOut { why, count }).collect(),
        paced_over_s: i64::try_from(replayable.saturating_sub(1) / per_second).unwrap_or(i64::MAX),
    }
}
