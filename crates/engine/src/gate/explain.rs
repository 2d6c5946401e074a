//! "Why is it not running?": the gate's answer, for one job, with everything that holds it at once.

use super::{blockers, told};
use crate::caller::Caller;
use crate::error::Error;
use crate::jobs::Jobs;
use stella_contract::blocker::{Blocker, BlockerKind, Explanation, Lift};
use stella_contract::ids::JobId;
use stella_contract::job::JobState;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, jobs, limits};

/// A worker that was not heard of for so long does not work.
const HEARD_MS: i64 = 90_000;

impl Jobs {
    /// Everything that holds a job, when it may start, and where it stands among those that are ready.
    pub async fn explain(&self, caller: &Caller, id: &JobId) -> Result<Explanation, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, wanted, now) = (caller.tenant.clone(), id.clone(), self.engine.now());
        let found: Option<Explanation> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let Some(record) = jobs::get(tx, &tenant, &wanted).await? else {
                        return Ok::<_, Error>(None);
                    };
                    Ok(Some(explained(tx, record, now).await?))
                })
            })
            .await?;
        found.ok_or_else(|| Error::not_found("job", id))
    }
}

async fn explained(tx: &mut Tx, mut record: JobRecord, now: Micros) -> Result<Explanation, Error> {
    let mut held = blockers(tx, std::slice::from_ref(&record), now).await?.pop().unwrap_or_default();
    let waits = matches!(record.job.state, JobState::Pending | JobState::Queued);
    let next_eligible_at = if waits { super::next_eligible_at(&held) } else { None };
    let position = match record.job.state {
        JobState::Queued => Some(limits::ahead_of(tx, &record).await? + 1),
        _ => None,
    };
    told::tell(&mut record, &held);
    if waits {
        held.extend(no_worker(tx, &record, now).await?);
    }
    let job = record.job;
    Ok(Explanation {
        sentence: sentence(job.state, &held),
        job_id: job.job_id,
        state: job.state,
        wait_reason: job.wait_reason,
        next_eligible_at: next_eligible_at.or(job.next_eligible_at.filter(|at| held.is_empty() && *at > now)),
        blockers: held,
        position,
        asked_at: now,
    })
}

/// Nobody works on its type: a ready job will stay where it is.
async fn no_worker(tx: &mut Tx, record: &JobRecord, now: Micros) -> Result<Option<Blocker>, Error> {
    let job_type = &record.job.job_type;
    let lists = limits::worked_on(tx, now.minus_ms(HEARD_MS)).await?;
    if lists.iter().any(|types| types.contains(job_type)) {
        return Ok(None);
    }
    Ok(Some(Blocker {
        kind: BlockerKind::NoWorker,
        holder: job_type.clone(),
        sentence: format!("No worker that takes {job_type} was heard of in the last 90 s."),
        number: Some(0.0),
        limit: Some(1.0),
        until: None,
        lift: Some(Lift {
            action: "Start a worker".to_owned(),
            cli_command: "stella serve".to_owned(),
            scope: Scope::Worker,
        }),
    }))
}

fn sentence(state: JobState, held: &[Blocker]) -> String {
    let first = held.first().map(|blocker| blocker.sentence.clone());
    match (state, first) {
        (JobState::Pending | JobState::Queued, Some(first)) if held.len() == 1 => first,
        (JobState::Pending | JobState::Queued, Some(first)) => {
            format!("{} things hold it. {first}", held.len())
        }
        (JobState::Pending, None) => "Nothing holds it; it becomes ready within a second.".to_owned(),
        (JobState::Queued, None) => "Nothing holds it; the next free worker takes it in its turn.".to_owned(),
        (JobState::Leased, _) => "A worker has claimed it and will start it.".to_owned(),
        (JobState::Running, _) => "It is running.".to_owned(),
        (JobState::Succeeded, _) => "It has succeeded.".to_owned(),
        (JobState::Failed, _) => "It has failed for good.".to_owned(),
        (JobState::TimedOut, _) => "Its last attempt was lost or took too long.".to_owned(),
        (JobState::Cancelled, _) => "It was cancelled.".to_owned(),
        (JobState::Skipped, _) => "Its run ended while an upstream job had failed.".to_owned(),
    }
}
