//! Lists of jobs: newest first, by filter, page by page.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::{Cell, JobRecord, JobRow, records};
use std::collections::BTreeSet;
use stella_contract::filter::JobMatch;
use stella_contract::filter_value::{Pattern, TimeRange};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::job::JobState;
use stella_contract::time::Micros;

/// The newest matching jobs, those with row keys below `before`. A row key holds the time of making and a counter, so
/// this is the order by `createdAt` and id.
pub async fn jobs(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &JobMatch,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<JobRecord>, LedgerError> {
    let mut query = Query::new("select *");
    push_matching(&mut query, tenant, wanted);
    if let Some(before) = before {
        query.push(" and key < ").bind(before);
    }
    query.push(" order by key desc limit ").bind(limit);
    records(query.fetch_all::<JobRow>(tx).await?)
}

/// The same with how many match, as long as they are at most `most`.
///
/// Few matches are gathered through the indexes of their states and sorted; of many, the newest are soon met by walking
/// back along the row keys. The count tells which it is, where the planner would guess.
pub async fn jobs_and_count(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &JobMatch,
    before: Option<i64>,
    limit: i64,
    most: i64,
) -> Result<(Vec<JobRecord>, Option<i64>), LedgerError> {
    let count = count_jobs_up_to(tx, tenant, wanted, most).await?;
    let states = indexed_states(wanted);
    let gathers = gathers(&states) || (states.is_empty() && is_of_failures(wanted));
    if count.is_none() || !gathers || (tx.is_postgres() && states.len() == 1) {
        return Ok((jobs(tx, tenant, wanted, before, limit).await?, count));
    }
    let mut query = Query::new("select * from jobs where key in (select key from (");
    push_candidates(&mut query, "select key", tenant, wanted);
    query.push(") as found");
    if let Some(before) = before {
        query.push(" where key < ").bind(before);
    }
    // The plus keeps the planner from walking along the keys.
    query.push(" order by +key desc limit ").bind(limit).push(") order by key desc");
    Ok((records(query.fetch_all::<JobRow>(tx).await?)?, count))
}

/// The states of which alone a match can be, when each has an index of its own.
fn indexed_states(wanted: &JobMatch) -> Vec<JobState> {
    if wanted.states.is_empty() && !wanted.waits.is_empty() {
        return vec![JobState::Pending];
    }
    // A type is in the indexes of every state, but the rows themselves have none of it.
    if wanted.states.is_empty() && !wanted.types.is_empty() {
        return JobState::ALL.to_vec();
    }
    if wanted.states.contains(&JobState::Succeeded) { Vec::new() } else { wanted.states.clone() }
}

/// Whether only jobs with a failure can match, whatever their state; they have an index of their own.
fn is_of_failures(wanted: &JobMatch) -> bool {
    !wanted.errors.is_empty() || !wanted.categories.is_empty()
}

/// Whether gathering through the states' indexes is better than what the planner would do. The index of a single ended
/// state is in the order of the keys already.
fn gathers(states: &[JobState]) -> bool {
    match states {
        [] => false,
        [state] => !state.is_final(),
        _ => true,
    }
}

/// How many jobs match.
pub async fn count_jobs(tx: &mut Tx, tenant: &Tenant, wanted: &JobMatch) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*)");
    push_matching(&mut query, tenant, wanted);
    query.fetch_count(tx).await
}

/// How many jobs match, as long as they are at most `most`; beyond that, counting would take longer than the page.
pub async fn count_jobs_up_to(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &JobMatch,
    most: i64,
) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select count(*) from (");
    push_candidates(&mut query, "select 1", tenant, wanted);
    query.push(" limit ").bind(most + 1).push(") as counted");
    Ok(Some(query.fetch_count(tx).await?).filter(|count| *count <= most))
}

/// Goes on with the matching jobs, in no order, by way of the states' indexes where that is shorter.
pub(crate) fn push_candidates(query: &mut Query, columns: &'static str, tenant: &Tenant, wanted: &JobMatch) {
    let states = indexed_states(wanted);
    if states.len() > 1 {
        return push_by_state(query, columns, tenant, wanted, &states);
    }
    query.push(columns);
    push_matching(query, tenant, wanted);
}

/// Goes on with the matching jobs of each state in turn, so that each part can use the index of its state.
fn push_by_state(
    query: &mut Query,
    columns: &'static str,
    tenant: &Tenant,
    wanted: &JobMatch,
    states: &[JobState],
) {
    for (at, state) in states.iter().enumerate() {
        query.push(if at == 0 { "" } else { " union all " }).push(columns);
        push_matching(query, tenant, &JobMatch { states: vec![*state], ..wanted.clone() });
        if *state == JobState::Succeeded {
            // In these words the index of what ended is known again.
            query.push(" and ended_at is not null");
        }
    }
}

/// Goes on with `from jobs where` and everything that is wanted.
fn push_matching(query: &mut Query, tenant: &Tenant, wanted: &JobMatch) {
    query.push(" from jobs where tenant = ").bind(tenant.as_str());
    push_states(query, &wanted.states);
    if !wanted.jobs.is_empty() {
        query.push(" and key in ").bind_list(wanted.jobs.iter().map(crate::key_of));
        query.push(" and job_id in ").bind_list(wanted.jobs.iter().map(|id| id.as_str()));
    }
    push_patterns(query, "job_type", &wanted.types);
    if !wanted.waits.is_empty() {
        // Only pending jobs have a reason, and only they are in the index of what waits.
        query.push(" and state = 'pending' and wait_reason in ");
        query.bind_list(wanted.waits.iter().map(|reason| reason.as_str()));
    }
    for (at, range) in wanted.priorities.iter().enumerate() {
        query.push(if at == 0 { " and (" } else { " or " }).push("priority between ");
        query.bind(i64::from(range.least)).push(" and ").bind(i64::from(range.most));
    }
    close(query, wanted.priorities.len());
    for ranges in &wanted.created {
        push_times(query, ranges);
    }
    if !wanted.runs.is_empty() {
        query.push(" and run_id in ").bind_list(wanted.runs.iter().map(|id| id.as_str()));
    }
    if !wanted.sources.is_empty() {
        query.push(" and source_id in ").bind_list(wanted.sources.iter().map(|id| id.as_str()));
    }
    if !wanted.workers.is_empty() {
        query.push(" and worker_id in ").bind_list(wanted.workers.iter().map(|id| id.as_str()));
    }
    if is_of_failures(wanted) {
        // The words of the index of failures.
        query.push(" and error_class is not null");
    }
    push_patterns(query, "error_code", &wanted.errors);
    if !wanted.categories.is_empty() {
        query.push(" and error_class in ").bind_list(wanted.categories.iter().map(|class| class.as_str()));
    }
}

fn close(query: &mut Query, opened: usize) {
    query.push(if opened == 0 { "" } else { ")" });
}

fn push_patterns(query: &mut Query, column: &'static str, patterns: &[Pattern]) {
    for (at, pattern) in patterns.iter().enumerate() {
        query.push(if at == 0 { " and (" } else { " or " });
        match pattern {
            Pattern::Exactly(text) => {
                query.push(column).push(" = ").bind(text.as_str());
            }
            // No comparison of texts, whose order differs between databases.
            Pattern::Starting(stem) => {
                let letters = i64::try_from(stem.chars().count()).unwrap_or(i64::MAX);
                query.push("substr(").push(column).push(", 1, cast(").bind(letters);
                query.push(" as integer)) = ").bind(stem.as_str());
            }
        }
    }
    close(query, patterns.len());
}

/// Row keys begin with the time of making, so that a range of times is a range of rows.
fn push_times(query: &mut Query, ranges: &[TimeRange]) {
    for (at, range) in ranges.iter().enumerate() {
        let from = range.from.unwrap_or(Micros(0));
        let until = range.until.unwrap_or(Micros(i64::MAX));
        query.push(if at == 0 { " and (" } else { " or " }).push("(key >= ");
        query.bind(first_key(from.0.div_euclid(1_000))).push(" and key < ");
        query.bind(first_key(until.0.div_euclid(1_000).saturating_add(1)));
        query.push(" and created_at >= ").bind(from.0).push(" and created_at < ").bind(until.0).push(")");
    }
    close(query, ranges.len());
}

/// The lowest row key of this millisecond.
fn first_key(ms: i64) -> i64 {
    ms.clamp(0, i64::MAX >> crate::key::COUNTER_BITS) << crate::key::COUNTER_BITS
}

/// The words of the partial index of each state; a planner takes it only when it meets them again.
fn push_states(query: &mut Query, states: &[JobState]) {
    let is_bad_end = |state: &JobState| state.is_final() && *state != JobState::Succeeded;
    if !states.is_empty() && states.iter().all(is_bad_end) {
        query.push(" and state in ('failed', 'timed_out', 'cancelled', 'skipped')");
    }
    if !states.is_empty() && states.iter().all(|state| matches!(state, JobState::Leased | JobState::Running))
    {
        query.push(" and lease_until is not null");
    }
    match states {
        [] => {}
        // Literals, so that the partial index of the state can be used.
        [state] => {
            query.push(" and state = '").push(state.as_str()).push("'");
        }
        _ => {
            for (at, state) in states.iter().enumerate() {
                query.push(if at == 0 { " and state in ('" } else { "', '" }).push(state.as_str());
            }
            query.push("')");
        }
    }
}

/// How many jobs of the tenant are in each open state; states without any are left out.
pub async fn count_open(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<(JobState, i64)>, LedgerError> {
    let mut counts = Vec::new();
    for state in JobState::ALL.iter().copied().filter(|state| !state.is_final()) {
        let wanted = JobMatch { states: vec![state], ..JobMatch::default() };
        let count = count_jobs(tx, tenant, &wanted).await?;
        if count > 0 {
            counts.push((state, count));
        }
    }
    Ok(counts)
}

/// How many open jobs of each of these types are in each state.
pub async fn count_open_by_type(
    tx: &mut Tx,
    tenant: &Tenant,
    types: &BTreeSet<&str>,
) -> Result<Vec<(String, JobState, i64)>, LedgerError> {
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let open: Vec<JobState> = JobState::ALL.iter().copied().filter(|state| !state.is_final()).collect();
    let types = types.iter().map(|name| Pattern::Exactly((*name).to_owned())).collect();
    let wanted = JobMatch { types, ..JobMatch::default() };
    let mut query = Query::new("select job_type, state, count(*) from (");
    push_by_state(&mut query, "select job_type, state", tenant, &wanted, &open);
    query.push(") as open group by job_type, state order by job_type, state");
    let rows: Vec<(String, String, i64)> = query.fetch_all(tx).await?;
    let cell = Cell { table: "jobs", id: "state" };
    rows.into_iter()
        .map(|(job_type, state, count)| Ok((job_type, cell.word("state", state)?, count)))
        .collect()
}

/// Row keys of a run's jobs that are in one of these states.
pub async fn keys_of_run(tx: &mut Tx, run_id: &RunId, states: &[JobState]) -> Result<Vec<i64>, LedgerError> {
    let mut query = Query::new("select key from jobs where run_id = ");
    query.bind(run_id.as_str()).push(" and state in ").bind_list(states.iter().map(|state| state.as_str()));
    query.push(" order by key");
    let rows: Vec<(i64,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::plan_on_sqlite;
    use stella_contract::filter::Filter;

    async fn plan(text: &'static str) -> String {
        plan_on_sqlite(move |_| {
            let wanted = text.parse::<Filter>().unwrap().at(Micros(1_795_271_295_204_999));
            let mut query = Query::new("");
            push_candidates(&mut query, "select key", &"acme".parse().unwrap(), &wanted);
            Ok(query)
        })
        .await
    }

    /// A scan of a million jobs takes seconds; these filters must not need one.
    #[tokio::test]
    async fn filters_by_state_time_run_source_or_id_read_no_more_rows_than_they_must() {
        for (filter, index) in [
            ("state:pending", "jobs_waiting"),
            ("wait:quota_max_active,backoff", "jobs_waiting"),
            ("state:queued type:ingest.*", "jobs_ready"),
            ("state:failed category:network", "jobs_failed"),
            ("state:failed,timed_out error:HTTP_*", "jobs_failed"),
            ("error:HTTP_503", "jobs_erred (tenant=? AND error_code=?)"),
            ("error:HTTP_*", "jobs_erred (tenant=?)"),
            ("category:integrity", "jobs_erred (tenant=?)"),
            ("error:HTTP_503 priority:>=75", "jobs_erred (tenant=? AND error_code=?)"),
            ("state:pending,queued,leased,running", "jobs_ready"),
            ("state:pending,queued,leased,running", "jobs_waiting"),
            ("state:pending,queued,leased,running", "jobs_held"),
            ("created:2026-11-21", "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
            ("age:<24h priority:>=75", "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
            ("run:run:acme:20261121T140815Z:9c1f04ab", "jobs_of_run"),
            ("source:src_01890000-0000-7000-8000-000000000000", "jobs_of_source"),
            ("job:job_01890000-0000-7000-8000-000000000000", "INTEGER PRIMARY KEY (rowid=?)"),
        ] {
            let plan = plan(filter).await;
            assert!(plan.contains(index), "{filter}: {plan}");
            // A scan of a partial index reads the jobs of its state only.
            assert!(plan.lines().all(|step| step != "SCAN jobs"), "{filter}: {plan}");
        }
    }
}
