//! Takes jobs back from workers that vanished or take too long.

use super::{Activity, Task};
use crate::engine::Engine;
use crate::error::Error;
use crate::handlers::Failure;
use crate::journal::Journal;
use crate::report::{self, End, EndedBy, end_of};
use crate::work::released;
use async_trait::async_trait;
use stella_contract::job::{ErrorClass, JobState};
use stella_contract::time::Micros;
use stella_ledger::leases::{self, Due, Fence, Release};
use stella_ledger::record::JobRecord;
use stella_ledger::{LedgerError, Tx};

/// A running attempt is lost only so long after its lease ended.
pub(crate) const GRACE_MS: i64 = 5_000;
/// From this claim in a row on that nobody acknowledged, the attempt counts.
const COUNTED_FROM: i64 = 3;
/// Jobs taken back in one transaction.
const AT_ONCE: i64 = 500;

/// Takes jobs back from workers that vanished or take too long.
pub(super) struct LeaseReaper;

#[async_trait]
impl Task for LeaseReaper {
    fn name(&self) -> &'static str {
        "lease-reaper"
    }

    async fn activate(&self, engine: &Engine) -> Result<Activity, Error> {
        let due: Due = engine
            .ledger()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(leases::next_due(tx).await?) }))
            .await?;
        let next_at = next(&due);
        if next_at.is_none_or(|at| at > engine.now()) {
            return Ok(Activity { did: 0, next_at });
        }
        let own = engine.clone();
        let (did, due): (usize, Due) = engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    // The time of the write: a heartbeat that waited in front of it has been heard.
                    let now = own.now();
                    let did = reap(tx, now, &mut journal).await?;
                    journal.leave(tx);
                    Ok::<_, Error>((did, leases::next_due(tx).await?))
                })
            })
            .await?;
        Ok(Activity { did, next_at: next(&due) })
    }
}

fn next(due: &Due) -> Option<Micros> {
    let lost = due.lease_until.map(|at| Micros(at).plus_ms(GRACE_MS).0);
    [due.ack_by, lost, due.attempt_until].into_iter().flatten().min().map(Micros)
}

async fn reap(tx: &mut Tx, now: Micros, journal: &mut Journal) -> Result<usize, Error> {
    let (claimed, running): (Vec<JobRecord>, Vec<JobRecord>) =
        leases::overdue(tx, now, now.minus_ms(GRACE_MS), AT_ONCE)
            .await?
            .into_iter()
            .partition(|record| record.job.state == JobState::Leased);
    let (last, claimed): (Vec<JobRecord>, Vec<JobRecord>) = claimed.into_iter().partition(is_last_claim);
    let mut ends = Vec::new();
    for record in &last {
        ends.push(lost(record, Loss::Claim, now)?);
    }
    for record in &running {
        ends.push(lost(record, Loss::Lease, now)?);
    }
    for record in leases::overrun(tx, now, AT_ONCE).await? {
        if running.iter().all(|other| other.key != record.key) {
            ends.push(lost(&record, Loss::Time, now)?);
        }
    }
    let mut did = report::finish(tx, ends, now, journal).await?.len();
    let mut releases = Vec::with_capacity(claimed.len());
    for record in &claimed {
        releases.push(unacknowledged(record)?);
    }
    let fenced = leases::release_many(tx, &releases, now).await?;
    did += released(tx, fenced.done, "ack_timeout", None, now, journal).await?.len();
    Ok(did)
}

/// Why an attempt is lost.
enum Loss {
    /// Nobody acknowledged it, again and again.
    Claim,
    /// Its worker vanished.
    Lease,
    /// It took too long.
    Time,
}

/// An attempt that is lost, and what follows from it.
fn lost(record: &JobRecord, loss: Loss, now: Micros) -> Result<End, LedgerError> {
    let (outcome, failure) = match loss {
        Loss::Claim => {
            let sentence = format!("{} claims in a row were not acknowledged.", record.ack_timeouts + 1);
            ("ack_timeout", Failure::new(ErrorClass::LeaseLost, "ACK_TIMEOUT", sentence))
        }
        Loss::Lease => {
            let sentence = "The worker was not heard of until its lease ended.";
            ("lease_expired", Failure::new(ErrorClass::LeaseLost, "LEASE_EXPIRED", sentence))
        }
        Loss::Time => {
            let sentence = format!("The attempt took longer than {} s.", record.job.timeout_s);
            ("attempt_timeout", Failure::new(ErrorClass::Timeout, "ATTEMPT_TIMEOUT", sentence))
        }
    };
    let (event, finish) = end_of(record, fence(record)?, failure, EndedBy::Loss, now);
    Ok(End { from: record.job.state, event, finish, outcome })
}

/// Whether a claim that nobody acknowledged counts and was the last one allowed.
fn is_last_claim(record: &JobRecord) -> bool {
    record.ack_timeouts + 1 >= COUNTED_FROM && record.job.attempt >= record.job.max_attempts
}

/// A claim that nobody acknowledged: the attempt does not count until it is the third in a row.
fn unacknowledged(record: &JobRecord) -> Result<Release, LedgerError> {
    let ack_timeouts = record.ack_timeouts + 1;
    let made = record.job.attempt;
    let attempt = if ack_timeouts < COUNTED_FROM { (made - 1).max(0) } else { made };
    Ok(Release { fence: fence(record)?, attempt, ack_timeouts })
}

fn fence(record: &JobRecord) -> Result<Fence, LedgerError> {
    Fence::of(record).ok_or_else(|| LedgerError::corrupt("jobs", "lease_id", &record.job.job_id))
}
