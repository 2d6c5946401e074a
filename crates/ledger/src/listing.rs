//! Lists of jobs: newest first, by filter, page by page.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::{JobRecord, JobRow, records};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::job::{JobFilter, JobState};

/// The newest matching jobs, those with row keys below `before`. A row key holds the time of making and a counter, so
/// this is the order by `createdAt` and id.
pub async fn jobs(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &JobFilter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<JobRecord>, LedgerError> {
    let mut query = matching("select *", tenant, filter);
    if let Some(before) = before {
        query.push(" and key < ").bind(before);
    }
    query.push(" order by key desc limit ").bind(limit);
    records(query.fetch_all::<JobRow>(tx).await?)
}

/// The same with how many match, as long as they are at most `most`.
///
/// Few matches are gathered through the index of their state and sorted; of many, the newest are soon met by walking
/// back along the row keys. The count tells which it is, where the planner would guess.
pub async fn jobs_and_count(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &JobFilter,
    before: Option<i64>,
    limit: i64,
    most: i64,
) -> Result<(Vec<JobRecord>, Option<i64>), LedgerError> {
    let count = count_jobs_up_to(tx, tenant, filter, most).await?;
    if tx.is_postgres() || count.is_none() || !is_open(filter) {
        return Ok((jobs(tx, tenant, filter, before, limit).await?, count));
    }
    let mut query = matching("select * from jobs where key in (select key", tenant, filter);
    if let Some(before) = before {
        query.push(" and key < ").bind(before);
    }
    // The plus keeps the planner from walking along the keys.
    query.push(" order by +key desc limit ").bind(limit).push(") order by key desc");
    Ok((records(query.fetch_all::<JobRow>(tx).await?)?, count))
}

/// Whether only jobs of one state that has an index of its own can match.
const fn is_open(filter: &JobFilter) -> bool {
    match filter.state {
        Some(JobState::Pending | JobState::Queued | JobState::Leased | JobState::Running) => true,
        Some(
            JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped,
        ) => false,
        None => filter.wait_reason.is_some(),
    }
}

/// How many jobs match.
pub async fn count_jobs(tx: &mut Tx, tenant: &Tenant, filter: &JobFilter) -> Result<i64, LedgerError> {
    matching("select count(*)", tenant, filter).fetch_count(tx).await
}

/// How many jobs match, as long as they are at most `most`; beyond that, counting would take longer than the page.
pub async fn count_jobs_up_to(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &JobFilter,
    most: i64,
) -> Result<Option<i64>, LedgerError> {
    let mut query = matching("select count(*) from (select 1", tenant, filter);
    query.push(" limit ").bind(most + 1).push(") as counted");
    Ok(Some(query.fetch_count(tx).await?).filter(|count| *count <= most))
}

fn matching(columns: &'static str, tenant: &Tenant, filter: &JobFilter) -> Query {
    let mut query = Query::new(columns);
    query.push(" from jobs where tenant = ").bind(tenant.as_str());
    if let Some(state) = filter.state {
        // A literal, so that the partial index of the state can be used.
        query.push(state_is(state));
    }
    if let Some(job_type) = &filter.job_type {
        query.push(" and job_type = ").bind(job_type.as_str());
    }
    if let Some(reason) = filter.wait_reason {
        // Only pending jobs have a reason, and only they are in the index of what waits.
        query.push(" and state = 'pending' and wait_reason = ").bind(reason.as_str());
    }
    if let Some(run) = &filter.run {
        query.push(" and run_id = ").bind(run.as_str());
    }
    if let Some(source) = &filter.source {
        query.push(" and source_id = ").bind(source.as_str());
    }
    if let Some(worker) = &filter.worker {
        query.push(" and worker_id = ").bind(worker.as_str());
    }
    query
}

/// The words of the partial index of each state; a planner takes it only when it meets them again.
const fn state_is(state: JobState) -> &'static str {
    match state {
        JobState::Pending => " and state = 'pending'",
        JobState::Queued => " and state = 'queued'",
        JobState::Leased => " and state = 'leased' and lease_until is not null",
        JobState::Running => " and state = 'running' and lease_until is not null",
        JobState::Succeeded => " and state = 'succeeded'",
        JobState::Failed => {
            " and state = 'failed' and state in ('failed', 'timed_out', 'cancelled', 'skipped')"
        }
        JobState::TimedOut => {
            " and state = 'timed_out' and state in ('failed', 'timed_out', 'cancelled', 'skipped')"
        }
        JobState::Cancelled => {
            " and state = 'cancelled' and state in ('failed', 'timed_out', 'cancelled', 'skipped')"
        }
        JobState::Skipped => {
            " and state = 'skipped' and state in ('failed', 'timed_out', 'cancelled', 'skipped')"
        }
    }
}

/// How many jobs of the tenant are in each open state; states without any are left out.
pub async fn count_open(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<(JobState, i64)>, LedgerError> {
    let mut counts = Vec::new();
    for state in JobState::ALL.iter().copied().filter(|state| !state.is_final()) {
        let filter = JobFilter { state: Some(state), ..JobFilter::default() };
        let count = count_jobs(tx, tenant, &filter).await?;
        if count > 0 {
            counts.push((state, count));
        }
    }
    Ok(counts)
}

/// Row keys of a run's jobs that are in one of these states.
pub async fn keys_of_run(tx: &mut Tx, run_id: &RunId, states: &[JobState]) -> Result<Vec<i64>, LedgerError> {
    let mut query = Query::new("select key from jobs where run_id = ");
    query.bind(run_id.as_str()).push(" and state in ").bind_list(states.iter().map(|state| state.as_str()));
    query.push(" order by key");
    let rows: Vec<(i64,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}
