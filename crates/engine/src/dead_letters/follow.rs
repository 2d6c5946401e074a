//! What the ends of jobs mean for the dead letter, in the same transaction: who failed for good gets an entry, who
//! repeated one closes it or opens it again.

use super::fingerprint::{self, Cause};
use super::tell;
use crate::change::{By, Happened, JobChange};
use crate::error::Error;
use crate::journal::Journal;
use std::collections::HashMap;
use stella_contract::ids::JobId;
use stella_contract::job::{ErrorClass, Job, JobState};
use stella_contract::time::Micros;
use stella_ledger::dead_letters::{self, Change, DeadLetterRecord, Failed, NewDeadLetter};
use stella_ledger::{Tx, incidents};

/// Follows the changes of jobs. It asks the ledger only when some of them ended badly or repeat another job.
pub(crate) async fn jobs_changed(
    tx: &mut Tx,
    changes: &[JobChange],
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let begun =
        changes.iter().filter(|change| change.happened == Happened::Submitted && repeats(change).is_some());
    begin(tx, begun.collect(), by, now, journal).await?;
    let ended =
        changes.iter().filter(|change| change.after.job.state.is_final() && repeats(change).is_some());
    let followed = end(tx, ended.collect(), by, now, journal).await?;
    let dead = changes.iter().filter(|change| is_dead(change) && !followed.contains(&change.after.key));
    bury(tx, dead.collect(), by, now, journal).await?;
    let expired: Vec<i64> = changes
        .iter()
        .filter(|change| change.outcome == Some("lease_expired"))
        .map(|change| change.after.key)
        .collect();
    if !expired.is_empty() {
        incidents::note_expiries(tx, &expired, now).await?;
    }
    Ok(())
}

/// The job that this one repeats.
fn repeats(change: &JobChange) -> Option<&JobId> {
    let job = &change.after.job;
    job.replay_of.as_ref().or(job.retry_of.as_ref())
}

fn is_dead(change: &JobChange) -> bool {
    matches!(change.after.job.state, JobState::Failed | JobState::TimedOut)
        && change.from != Some(change.after.job.state)
}

/// A job that repeats one in the dead letter takes its open entry along, whoever asked for it.
async fn begin(
    tx: &mut Tx,
    begun: Vec<&JobChange>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    if begun.is_empty() {
        return Ok(());
    }
    let of: HashMap<i64, &JobId> = begun
        .iter()
        .filter_map(|change| Some((stella_ledger::key_of(repeats(change)?), &change.after.job.job_id)))
        .collect();
    let keys: Vec<i64> = of.keys().copied().collect();
    let found = dead_letters::open_of(tx, &keys).await?;
    let wishes: Vec<(i64, Change)> = found
        .iter()
        .filter_map(|record| {
            // The entry is of the very job, or of one that this job repeated before.
            let job_id = of.get(&record.key).or_else(|| of.get(&record.last_replay_key?))?;
            Some((record.key, Change::Replay { job_id: (*job_id).clone() }))
        })
        .collect();
    changed(tx, &wishes, &found, by, now, journal).await?;
    Ok(())
}

/// A job that repeated one in the dead letter has ended; the keys of such jobs.
async fn end(
    tx: &mut Tx,
    ended: Vec<&JobChange>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<i64>, Error> {
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<i64> = ended.iter().map(|change| change.after.key).collect();
    let found = dead_letters::replayed_by(tx, &keys).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let sides = FarSides::of(tx, &keys).await?;
    let mut wishes = Vec::with_capacity(found.len());
    let mut failed = Vec::new();
    for record in &found {
        let Some(change) = ended.iter().find(|change| record.last_replay_key == Some(change.after.key))
        else {
            continue;
        };
        let wish = match change.after.job.state {
            JobState::Succeeded => Change::ReplaySucceeded,
            JobState::Failed | JobState::TimedOut => {
                failed.push((change.after.key, record.key));
                Change::ReplayFailed(Some(failure(&change.after.job, &sides)))
            }
            JobState::Cancelled | JobState::Skipped => Change::ReplayFailed(None),
            JobState::Pending | JobState::Queued | JobState::Leased | JobState::Running => continue,
        };
        wishes.push((record.key, wish));
    }
    // The job's page leads to the entry that it tried to mend.
    dead_letters::name_on_jobs(tx, &failed).await?;
    changed(tx, &wishes, &found, by, now, journal).await?;
    Ok(failed.into_iter().map(|(job, _)| job).collect())
}

/// Jobs that failed for good get their entries.
async fn bury(
    tx: &mut Tx,
    dead: Vec<&JobChange>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    if dead.is_empty() {
        return Ok(());
    }
    let keys: Vec<i64> = dead.iter().map(|change| change.after.key).collect();
    let sides = FarSides::of(tx, &keys).await?;
    let entries: Vec<NewDeadLetter> = dead
        .iter()
        .map(|change| &change.after.job)
        .map(|job| NewDeadLetter {
            job_id: job.job_id.clone(),
            tenant: job.tenant.clone(),
            run_id: job.run_id.clone(),
            source_id: job.source_id.clone(),
            job_type: job.job_type.clone(),
            priority: job.priority,
            failed: failure(job, &sides),
            attempts: job.attempt,
            dead_lettered_at: job.ended_at.unwrap_or(now),
            payload_digest: job.payload_digest.clone(),
            correlation_id: job.correlation_id.clone(),
        })
        .collect();
    dead_letters::insert_many(tx, &entries).await?;
    for record in dead_letters::get_many(tx, &keys).await? {
        tell::added(&record.entry, by, now, journal);
    }
    Ok(())
}

/// What the far sides answered, by the jobs' row keys.
struct FarSides(HashMap<i64, (Option<i64>, Option<String>)>);

impl FarSides {
    async fn of(tx: &mut Tx, keys: &[i64]) -> Result<Self, Error> {
        let sides = dead_letters::far_sides(tx, keys).await?;
        Ok(Self(sides.into_iter().map(|(key, status, host)| (key, (status, host))).collect()))
    }
}

/// What failed in the job's last attempt.
fn failure(job: &Job, sides: &FarSides) -> Failed {
    let (http_status, host) = sides.0.get(&stella_ledger::key_of(&job.job_id)).cloned().unwrap_or_default();
    let category = job.error_class.unwrap_or(ErrorClass::Internal);
    let message = job.error_message.clone().unwrap_or_default();
    let fingerprint = fingerprint::of(Cause {
        job_type: &job.job_type,
        category,
        http_status,
        host: host.as_deref(),
        message: &message,
    });
    Failed {
        category,
        error_code: job.error_code.clone().unwrap_or_else(|| "UNKNOWN".to_owned()),
        error_message: message,
        fingerprint,
        http_status,
        host,
        worker_id: job.worker_id.clone(),
    }
}

/// Changes entries, writes it down and tells it.
pub(super) async fn changed(
    tx: &mut Tx,
    wishes: &[(i64, Change)],
    before: &[DeadLetterRecord],
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<DeadLetterRecord>, Error> {
    let after = dead_letters::change_many(tx, wishes, now).await?;
    for record in &after {
        let change = wishes.iter().find(|(key, _)| *key == record.key).map(|(_, change)| change);
        let was = before.iter().find(|one| one.key == record.key).map(|one| &one.entry);
        if let (Some(change), Some(was)) = (change, was) {
            tell::changed(was, &record.entry, change.event(), by, now, journal);
        }
    }
    Ok(after)
}
