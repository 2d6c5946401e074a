//! Lists of jobs: newest first, by filter, page by page.
//!
//! A page costs the same whatever the ledger holds. What an index leads to few rows of is gathered, counted and sorted.
//! Of anything else so many rows are looked at, newest first, as one look takes; where the matches among them do not
//! fill the page, it is short and says where to go on.

mod matching;
mod routes;

pub(crate) use matching::push_candidates;
pub use matching::{HeldLane, Told, Wanted};

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::{Cell, JobRecord, JobRow, records};
use matching::{TABLE, push_by_state, push_key_ranges, push_matching};
use routes::{Route, Walk};
use std::collections::BTreeSet;
use stella_contract::filter::JobMatch;
use stella_contract::filter_value::Pattern;
use stella_contract::ids::{RunId, Tenant};
use stella_contract::job::JobState;

/// Rows looked at for one page, and the most that are counted for it.
pub const LOOK: i64 = crate::query::COUNTED;

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The jobs, newest first.
    pub records: Vec<JobRecord>,
    /// How many match in all; `None` where counting would take longer than the page.
    pub total: Option<i64>,
    /// The row key below which the next page begins; `None` on the last one.
    pub next: Option<i64>,
}

/// The newest matching jobs, those with row keys below `before`. A row key holds the time of making and a counter, so
/// this is the order by `createdAt` and id. No more than `look` rows are looked at, save those that are shown.
pub async fn page(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &Wanted,
    before: Option<i64>,
    size: i64,
    look: i64,
) -> Result<Found, LedgerError> {
    for route in Route::all(wanted) {
        if route.is_short(tx, tenant, wanted, look).await? {
            return gathered(tx, tenant, wanted, &route, before, size).await;
        }
    }
    walked(tx, tenant, wanted, before, size, look).await
}

/// Few rows are gathered through their indexes and sorted.
async fn gathered(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &Wanted,
    route: &Route,
    before: Option<i64>,
    size: i64,
) -> Result<Found, LedgerError> {
    let mut query = Query::new("select count(*) from (");
    route.push(&mut query, "select 1", tenant, wanted);
    query.push(") as counted");
    let total = query.fetch_count(tx).await?;
    let mut query = Query::new("select * from jobs where key in (select key from (");
    route.push(&mut query, "select key", tenant, wanted);
    query.push(") as found");
    if let Some(before) = before {
        query.push(" where key < ").bind(before);
    }
    // The plus keeps the planner from walking along the keys.
    query.push(" order by +key desc limit ").bind(size + 1).push(") order by key desc");
    let records = records(query.fetch_all::<JobRow>(tx).await?)?;
    Ok(cut(records, Some(total), size, None))
}

/// Of many rows the newest are looked at.
async fn walked(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &Wanted,
    before: Option<i64>,
    size: i64,
    look: i64,
) -> Result<Found, LedgerError> {
    let walk = Walk::of(wanted);
    let lowest = below(tx, tenant, wanted, &walk, before, look).await?;
    let mut query = Query::new("select *");
    push_matching(&mut query, walk.table(tx), tenant, wanted);
    push_between(&mut query, before, lowest);
    query.push(" order by key desc limit ").bind(size + 1);
    let records = records(query.fetch_all::<JobRow>(tx).await?)?;
    let is_all = lowest.is_none()
        && (before.is_none() || below(tx, tenant, wanted, &walk, None, look).await?.is_none());
    let total = match is_all {
        true => Some(count_jobs(tx, tenant, wanted).await?),
        false => None,
    };
    Ok(cut(records, total, size, lowest))
}

/// The row key that many rows below `before`, along the rows that are walked; `None` when there are not so many.
async fn below(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &Wanted,
    walk: &Walk,
    before: Option<i64>,
    look: i64,
) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select key");
    walk.push(&mut query, tenant);
    push_key_ranges(&mut query, &wanted.of.created);
    push_between(&mut query, before, None);
    query.push(" order by key desc limit 1 offset ").bind(look);
    Ok(query.fetch_optional::<(i64,)>(tx).await?.map(|(key,)| key))
}

fn push_between(query: &mut Query, before: Option<i64>, lowest: Option<i64>) {
    if let Some(before) = before {
        query.push(" and key < ").bind(before);
    }
    if let Some(lowest) = lowest {
        query.push(" and key >= ").bind(lowest);
    }
}

/// The page of up to one row more than asked for; that row only says that there is another page. Otherwise it goes on
/// below `lowest`, the last row that was looked at.
fn cut(mut records: Vec<JobRecord>, total: Option<i64>, size: i64, lowest: Option<i64>) -> Found {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if records.len() <= size {
        return Found { records, total, next: lowest };
    }
    records.truncate(size);
    let next = records.last().map(|record| record.key);
    Found { records, total, next }
}

/// The newest matching jobs, however many rows have to be looked at.
pub async fn newest(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<JobRecord>, LedgerError> {
    let mut query = Query::new("select *");
    push_matching(&mut query, TABLE, tenant, wanted);
    query.push(" order by key desc limit ").bind(limit);
    records(query.fetch_all::<JobRow>(tx).await?)
}

/// How many jobs match, however many rows have to be looked at.
pub async fn count_jobs(tx: &mut Tx, tenant: &Tenant, wanted: &Wanted) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from (");
    push_candidates(&mut query, "select 1", tenant, wanted);
    query.push(") as counted");
    query.fetch_count(tx).await
}

/// How many jobs of the tenant are in each open state; states without any are left out.
pub async fn count_open(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<(JobState, i64)>, LedgerError> {
    let mut counts = Vec::new();
    for state in JobState::ALL.iter().copied().filter(|state| !state.is_final()) {
        let wanted = JobMatch { states: vec![state], ..JobMatch::default() };
        let count = count_jobs(tx, tenant, &wanted.into()).await?;
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
    push_by_state(&mut query, "select job_type, state", tenant, &wanted.into(), &open);
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
#[path = "listing/tests.rs"]
mod tests;
