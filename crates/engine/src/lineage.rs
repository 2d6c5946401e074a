//! A job with everything it repeats and everything that repeats it.

use crate::caller::Caller;
use crate::error::Error;
use crate::jobs::{Jobs, view};
use stella_contract::ids::JobId;
use stella_contract::lineage::{Descent, Kin, Lineage};
use stella_contract::scope::Scope;
use stella_ledger::record::JobRecord;
use stella_ledger::{edges, jobs};

/// The most repeats that are shown.
const MOST: usize = 500;

impl Jobs {
    /// The lineage of a job.
    pub async fn lineage(&self, caller: &Caller, id: &JobId) -> Result<Lineage, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let found: Vec<JobRecord> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let found = jobs::get(tx, &tenant, &wanted).await?;
                    let record = found.ok_or_else(|| Error::not_found("job", &wanted))?;
                    let first = record.first_key();
                    let repeats = edges::repeats_of(tx, &[first]).await?;
                    let newest = repeats.len().saturating_sub(MOST);
                    let mut keys = vec![first];
                    keys.extend(&repeats[newest..]);
                    Ok::<_, Error>(jobs::get_many(tx, &keys).await?)
                })
            })
            .await?;
        let original = found.first().ok_or_else(|| Error::internal("a lineage without its first job"))?;
        Ok(Lineage {
            focus_job_id: id.clone(),
            original_job_id: original.job.job_id.clone(),
            jobs: found.into_iter().map(kin).collect(),
        })
    }
}

fn kin(record: JobRecord) -> Kin {
    let job = view(record);
    let (descent, of) = match (&job.replay_of, &job.retry_of) {
        (Some(of), _) => (Descent::Replay, Some(of.clone())),
        (None, Some(of)) => (Descent::Retry, Some(of.clone())),
        (None, None) => (Descent::Original, None),
    };
    Kin { descent, of, job }
}
