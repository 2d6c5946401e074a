//! Backfills and their windows.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use sqlx::FromRow;
use stella_contract::backfill::{BackfillFilter, BackfillState, WindowState};
use stella_contract::ids::{BackfillId, Tenant};
use stella_contract::watermark::Window;

/// A backfill as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct BackfillRow {
    pub backfill_id: String,
    pub tenant: String,
    pub source_id: String,
    pub range_start: i64,
    pub range_end: i64,
    /// The request, as JSON.
    pub request: String,
    pub state: String,
    pub failure_reason: Option<String>,
    /// The newest preview, as JSON.
    pub preview: Option<String>,
    pub planned: i64,
    pub done: i64,
    pub failed: i64,
    pub active: i64,
    pub failures_in_a_row: i64,
    pub next_feed_at: Option<i64>,
    pub reason: String,
    pub ticket: String,
    pub created_by: String,
    pub correlation_id: String,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub version: i64,
}

/// One window of a backfill as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct WindowRow {
    pub backfill_id: String,
    pub position: i64,
    pub window_start: i64,
    pub window_end: i64,
    pub state: String,
    pub job_key: Option<i64>,
    pub job_id: Option<String>,
    pub error_code: Option<String>,
    pub ended_at: Option<i64>,
}

const COLUMNS: &str = "select backfill_id, tenant, source_id, range_start, range_end, request, state, failure_reason,
    preview, planned, done, failed, active, failures_in_a_row, next_feed_at, reason, ticket, created_by, correlation_id,
    created_at, started_at, ended_at, version
from backfills";
const WINDOWS: &str =
    "select backfill_id, position, window_start, window_end, state, job_key, job_id, error_code, ended_at
from backfill_windows where backfill_id = ";

/// Adds a backfill.
pub async fn insert(tx: &mut Tx, row: &BackfillRow) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into backfills (backfill_id, tenant, source_id, range_start, range_end, request, state, reason, ticket,
            created_by, correlation_id, created_at) values (",
    );
    query.bind(row.backfill_id.as_str()).push(", ").bind(row.tenant.as_str()).push(", ");
    query.bind(row.source_id.as_str()).push(", ").bind(row.range_start).push(", ");
    query.bind(row.range_end).push(", ").bind(row.request.as_str()).push(", ");
    query.bind(row.state.as_str()).push(", ").bind(row.reason.as_str()).push(", ");
    query.bind(row.ticket.as_str()).push(", ").bind(row.created_by.as_str()).push(", ");
    query.bind(row.correlation_id.as_str()).push(", ").bind(row.created_at).push(")");
    query.execute(tx).await?;
    Ok(())
}

/// The backfill, when the tenant has it.
pub async fn get(
    tx: &mut Tx,
    tenant: &Tenant,
    backfill_id: &BackfillId,
) -> Result<Option<BackfillRow>, LedgerError> {
    let mut query = Query::new(COLUMNS);
    query.push(" where tenant = ").bind(tenant.as_str());
    query.push(" and backfill_id = ").bind(backfill_id.as_str());
    query.fetch_optional(tx).await
}

/// The tenant's backfills that match and are older than one, newest first.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &BackfillFilter,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<BackfillRow>, LedgerError> {
    let mut query = Query::new(COLUMNS);
    query.push(" where tenant = ").bind(tenant.as_str());
    matching(&mut query, filter);
    if let Some(before) = before {
        query.push(" and backfill_id < ").bind(before);
    }
    query.push(" order by backfill_id desc limit ").bind(limit);
    query.fetch_all(tx).await
}

/// How many match, as far as a list counts.
pub async fn total(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &BackfillFilter,
) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select 1 from backfills where tenant = ");
    query.bind(tenant.as_str());
    matching(&mut query, filter);
    query.fetch_total(tx).await
}

fn matching(query: &mut Query, filter: &BackfillFilter) {
    if let Some(source) = &filter.source {
        query.push(" and source_id = ").bind(source.as_str());
    }
    if let Some(state) = filter.state {
        query.push(" and state = ").bind(state.as_str());
    }
}

/// The running backfills of all tenants, oldest first.
pub async fn running(tx: &mut Tx) -> Result<Vec<BackfillRow>, LedgerError> {
    let mut query = Query::new(COLUMNS);
    query.push(" where state = ").bind(BackfillState::Running.as_str()).push(" order by backfill_id");
    query.fetch_all(tx).await
}

/// Running and paused backfills of a source that share a moment with the window.
pub async fn active_on(
    tx: &mut Tx,
    source_id: &str,
    window: Window,
) -> Result<Vec<BackfillRow>, LedgerError> {
    let mut query = Query::new(COLUMNS);
    query.push(" where state in ('running', 'paused') and source_id = ").bind(source_id);
    query.push(" and range_start < ").bind(window.end.0);
    query.push(" and range_end > ").bind(window.start.0);
    query.push(" order by backfill_id");
    query.fetch_all(tx).await
}

/// Stores what may change of a backfill, when it still is at the version it was read at; 0 rows otherwise.
pub async fn save(tx: &mut Tx, row: &BackfillRow) -> Result<u64, LedgerError> {
    let mut query = Query::new("update backfills set version = version + 1, state = ");
    query.bind(row.state.as_str()).push(", failure_reason = ").bind(row.failure_reason.clone());
    query.push(", preview = ").bind(row.preview.clone());
    query.push(", planned = ").bind(row.planned).push(", done = ").bind(row.done);
    query.push(", failed = ").bind(row.failed).push(", active = ").bind(row.active);
    query.push(", failures_in_a_row = ").bind(row.failures_in_a_row);
    query.push(", next_feed_at = ").bind(row.next_feed_at);
    query.push(", started_at = ").bind(row.started_at).push(", ended_at = ").bind(row.ended_at);
    query.push(" where backfill_id = ").bind(row.backfill_id.as_str());
    query.push(" and version = ").bind(row.version);
    query.execute(tx).await
}

/// Adds the windows of a backfill.
pub async fn add_windows(
    tx: &mut Tx,
    backfill_id: &str,
    windows: &[(i64, Window, WindowState)],
) -> Result<(), LedgerError> {
    let rows: Vec<_> = windows
        .iter()
        .map(|(position, window, state)| {
            (backfill_id, position, window.start.0, window.end.0, state.as_str())
        })
        .collect();
    rows::insert(tx, INSERT_WINDOWS, &rows, "").await?;
    Ok(())
}

const INSERT_WINDOWS: &str =
    "insert into backfill_windows (backfill_id, position, window_start, window_end, state)
select r.value ->> 0, cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint), cast(r.value ->> 3 as bigint),
    r.value ->> 4";

/// Windows after a position, in their order.
pub async fn windows(
    tx: &mut Tx,
    backfill_id: &str,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<WindowRow>, LedgerError> {
    let mut query = Query::new(WINDOWS);
    query.bind(backfill_id).push(" and position > ").bind(after.unwrap_or(-1));
    query.push(" order by position limit ").bind(limit);
    query.fetch_all(tx).await
}

/// The first windows of a state, in their order.
pub async fn windows_in(
    tx: &mut Tx,
    backfill_id: &str,
    state: WindowState,
    limit: i64,
) -> Result<Vec<WindowRow>, LedgerError> {
    let mut query = Query::new(WINDOWS);
    query.bind(backfill_id).push(" and state = ").bind(state.as_str());
    query.push(" order by position limit ").bind(limit);
    query.fetch_all(tx).await
}

/// How many windows a backfill has.
pub async fn count_windows(tx: &mut Tx, backfill_id: &str) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from backfill_windows where backfill_id = ");
    query.bind(backfill_id);
    query.fetch_count(tx).await
}

/// Windows of a source in these states that share a moment with the window, oldest first.
pub async fn windows_of_source(
    tx: &mut Tx,
    source_id: &str,
    states: &[WindowState],
    within: Window,
    limit: i64,
) -> Result<Vec<WindowRow>, LedgerError> {
    let mut query = Query::new(
        "select w.backfill_id, w.position, w.window_start, w.window_end, w.state, w.job_key, w.job_id, w.error_code,
            w.ended_at
        from backfills b
        join backfill_windows w on w.backfill_id = b.backfill_id
        where b.source_id = ",
    );
    query.bind(source_id).push(" and b.range_start < ").bind(within.end.0);
    query.push(" and b.range_end > ").bind(within.start.0);
    query.push(" and w.window_start < ").bind(within.end.0);
    query.push(" and w.window_end > ").bind(within.start.0);
    query.push(" and w.state in ").bind_list(states.iter().map(|state| state.as_str()));
    query.push(" order by w.window_start, w.backfill_id limit ").bind(limit);
    query.fetch_all(tx).await
}

/// Notes the jobs that read planned windows: position, key and id of the job.
pub async fn feed(tx: &mut Tx, backfill_id: &str, fed: &[(i64, i64, &str)]) -> Result<u64, LedgerError> {
    let mut changed = 0;
    for (position, job_key, job_id) in fed {
        let mut query = Query::new("update backfill_windows set state = 'running', job_key = ");
        query.bind(*job_key).push(", job_id = ").bind(*job_id);
        query.push(" where state = 'planned' and backfill_id = ").bind(backfill_id);
        query.push(" and position = ").bind(*position);
        changed += query.execute(tx).await?;
    }
    Ok(changed)
}

/// Notes how the running window of a job ended; 0 when the job has none.
pub async fn end_window(
    tx: &mut Tx,
    job_key: i64,
    state: WindowState,
    error_code: Option<&str>,
    at: i64,
) -> Result<u64, LedgerError> {
    let mut query = Query::new("update backfill_windows set state = ");
    query.bind(state.as_str()).push(", error_code = ").bind(error_code).push(", ended_at = ").bind(at);
    query.push(" where state = 'running' and job_key = ").bind(job_key);
    query.execute(tx).await
}

/// The window that this job failed to read, or was kept from reading.
pub async fn unread_window(tx: &mut Tx, job_key: i64) -> Result<Option<WindowRow>, LedgerError> {
    let mut query = Query::new(
        "select backfill_id, position, window_start, window_end, state, job_key, job_id, error_code, ended_at
        from backfill_windows where state in ('failed', 'cancelled') and job_key = ",
    );
    query.bind(job_key);
    query.fetch_optional(tx).await
}

/// Notes how another job ended that took over a window: its key and id, and what it left.
pub async fn take_window_over(
    tx: &mut Tx,
    window: &WindowRow,
    (job_key, job_id): (i64, &str),
    state: WindowState,
    error_code: Option<&str>,
    at: i64,
) -> Result<u64, LedgerError> {
    let mut query = Query::new("update backfill_windows set job_key = ");
    query.bind(job_key).push(", job_id = ").bind(job_id).push(", state = ").bind(state.as_str());
    query.push(", error_code = ").bind(error_code).push(", ended_at = ").bind(at);
    query.push(" where backfill_id = ").bind(window.backfill_id.as_str());
    query.push(" and position = ").bind(window.position);
    query.execute(tx).await
}

/// Cancels what is still planned of a backfill; how many windows that were.
pub async fn cancel_planned(tx: &mut Tx, backfill_id: &str, at: i64) -> Result<u64, LedgerError> {
    let mut query = Query::new("update backfill_windows set state = 'cancelled', ended_at = ");
    query.bind(at).push(" where state = 'planned' and backfill_id = ").bind(backfill_id);
    query.execute(tx).await
}
