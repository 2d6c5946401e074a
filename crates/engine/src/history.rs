//! The history as others see it: pages of it, and whether its chain is whole.

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::journal;
use crate::page;
use stella_bundle::digest;
use stella_contract::history::{ChainBreak, ChainCheck, GENESIS, HistoryEntry};
use stella_contract::ids::{JobId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::scope::Scope;
use stella_ledger::chains::{self, Tip};
use stella_ledger::history::{self, About};
use stella_ledger::{LedgerError, Tx};

/// Entries read at once on a walk along the chain.
const STRIDE: i64 = 2_000;

/// The history.
#[derive(Clone)]
pub struct History {
    engine: Engine,
}

impl Engine {
    /// The history.
    pub fn history(&self) -> History {
        History { engine: self.clone() }
    }
}

impl History {
    /// Walks the tenant's chain from its first entry and reports the first that is not sound.
    pub async fn verify(&self, caller: &Caller) -> Result<ChainCheck, Error> {
        caller.demand(Scope::OrchRead)?;
        let mut walk = Walk::default();
        let mut tip = self.tip(&caller.tenant).await?;
        loop {
            let (entries, unreadable) = self.stride(&caller.tenant, walk.check.verified_to).await?;
            let last = entries.last().map(|entry| entry.seq);
            for entry in entries {
                walk.step(&entry)?;
                if walk.check.broken.is_some() {
                    return Ok(walk.check);
                }
            }
            if let Some(seq) = unreadable {
                walk.check.broken = Some(ChainBreak { seq, why: "The entry cannot be read.".to_owned() });
                return Ok(walk.check);
            }
            if last.is_none_or(|last| last >= tip.history_seq) {
                // What was added meanwhile is walked as well, until the tip stands still.
                let now = self.tip(&caller.tenant).await?;
                if now == tip || last.is_none() {
                    return Ok(walk.end(&tip));
                }
                tip = now;
            }
        }
    }

    /// A page of entries about something, newest first.
    pub(crate) async fn page(
        &self,
        tenant: &Tenant,
        about: About,
        query: &PageQuery,
    ) -> Result<Page<HistoryEntry>, Error> {
        let filter = format!("{tenant} {about:?}");
        let before = page::after::<_, i64>(&filter, query)?;
        let limit = i64::from(query.size()) + 1;
        let tenant = tenant.clone();
        let (rows, total): (Vec<HistoryEntry>, Option<i64>) = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let rows = history::newest(tx, &tenant, &about, before, limit).await?;
                    Ok::<_, Error>((rows, history::total(tx, &tenant, &about).await?))
                })
            })
            .await?;
        page::of(&filter, query, rows, page::total(total), |entry| entry.seq)
    }

    async fn tip(&self, tenant: &Tenant) -> Result<Tip, Error> {
        let tenant = tenant.clone();
        self.engine
            .ledger()
            .read(move |tx| Box::pin(async move { Ok::<_, Error>(chains::tip(tx, &tenant).await?) }))
            .await
    }

    /// The next entries of a walk, and the first of them that cannot be read at all.
    async fn stride(&self, tenant: &Tenant, after: i64) -> Result<(Vec<HistoryEntry>, Option<i64>), Error> {
        let tenant = tenant.clone();
        self.engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let all = &About::Everything;
                    match history::oldest(tx, &tenant, all, after, STRIDE).await {
                        Ok(entries) => Ok((entries, None)),
                        Err(LedgerError::Corrupt { table: "history", id, column }) => {
                            let seq: i64 = id.parse().map_err(|_| LedgerError::Corrupt {
                                table: "history",
                                id,
                                column,
                            })?;
                            let sound = seq - after - 1;
                            Ok((history::oldest(tx, &tenant, all, after, sound).await?, Some(seq)))
                        }
                        Err(error) => Err(Error::from(error)),
                    }
                })
            })
            .await
    }
}

/// Entries of one job that are looked at for its attempts.
const OF_A_JOB: i64 = 1_000;

/// The newest entries of a job, oldest first.
pub(crate) async fn newest_of_job(
    tx: &mut Tx,
    tenant: &Tenant,
    job_id: &JobId,
) -> Result<Vec<HistoryEntry>, LedgerError> {
    let mut entries = history::newest(tx, tenant, &About::Job(job_id.clone()), None, OF_A_JOB).await?;
    entries.reverse();
    Ok(entries)
}

/// A walk along one chain.
struct Walk {
    check: ChainCheck,
    last_hash: String,
}

impl Default for Walk {
    fn default() -> Self {
        Self { check: ChainCheck { entries: 0, verified_to: 0, broken: None }, last_hash: GENESIS.to_owned() }
    }
}

impl Walk {
    fn step(&mut self, entry: &HistoryEntry) -> Result<(), Error> {
        self.check.entries += 1;
        if let Some(why) = self.fault(entry)? {
            // A missing entry is named by its own number.
            let seq = entry.seq.min(self.check.verified_to + 1);
            self.check.broken = Some(ChainBreak { seq, why: why.to_owned() });
            return Ok(());
        }
        self.check.verified_to = entry.seq;
        self.last_hash.clone_from(&entry.hash);
        Ok(())
    }

    fn fault(&self, entry: &HistoryEntry) -> Result<Option<&'static str>, Error> {
        if entry.seq != self.check.verified_to + 1 {
            return Ok(Some("The entry is missing."));
        }
        if entry.prev_hash != self.last_hash {
            return Ok(Some("The hash of the entry before is another one."));
        }
        if entry.data_digest != digest::of_value(&entry.data).map_err(Error::internal)? {
            return Ok(Some("The data does not have its digest."));
        }
        if entry.hash != journal::hash(entry)? {
            return Ok(Some("The entry does not have its hash."));
        }
        Ok(None)
    }

    /// The chain's tip is kept apart, so that a tail that was cut off is noticed.
    fn end(mut self, tip: &Tip) -> ChainCheck {
        if self.check.verified_to != tip.history_seq || self.last_hash != tip.last_hash {
            let seq = self.check.verified_to + 1;
            let why = "The chain ends before or after its recorded tip.".to_owned();
            self.check.broken = Some(ChainBreak { seq, why });
        }
        self.check
    }
}
