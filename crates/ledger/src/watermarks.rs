//! How far each part of a source has been read, in event time.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;

/// How far a part has been read.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct WatermarkRow {
    pub source_id: String,
    pub part: String,
    pub tenant: String,
    pub coverage_from: Option<i64>,
    pub low_watermark: Option<i64>,
    pub high_watermark: Option<i64>,
    pub resume_cursor: Option<String>,
    /// Windows, as JSON.
    pub completed_ranges: String,
    /// Gaps, as JSON.
    pub gaps: String,
    pub last_event_hash: Option<String>,
    pub updated_at: i64,
    /// 0 for a part that is not stored yet.
    pub version: i64,
}

/// The low watermark of one source; for the measure of its lag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The source.
    pub source_id: String,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    pub tenant: String,
    /// Seconds between its low watermark and now.
    pub lag_s: i64,
}

const SELECT: &str =
    "select source_id, part, tenant, coverage_from, low_watermark, high_watermark, resume_cursor,
    completed_ranges, gaps, last_event_hash, updated_at, version
from watermarks where tenant = ";

/// The part of a source, when it was ever read.
pub async fn get(
    tx: &mut Tx,
    tenant: &Tenant,
    source_id: &str,
    part: &str,
) -> Result<Option<WatermarkRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant.as_str()).push(" and source_id = ").bind(source_id);
    query.push(" and part = ").bind(part);
    query.fetch_optional(tx).await
}

/// The parts of a source, by name.
pub async fn of_source(
    tx: &mut Tx,
    tenant: &Tenant,
    source_id: &str,
) -> Result<Vec<WatermarkRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant.as_str()).push(" and source_id = ").bind(source_id).push(" order by part");
    query.fetch_all(tx).await
}

/// The low watermarks of these sources' wholes.
pub async fn lows(tx: &mut Tx, source_ids: &[String]) -> Result<Vec<(String, Option<i64>)>, LedgerError> {
    let mut query =
        Query::new("select source_id, low_watermark from watermarks where part = '' and source_id in ");
    query.bind_list(source_ids.iter().map(String::as_str));
    query.fetch_all(tx).await
}

/// Puts a part where the row says, when it still is at the version the row was read at. 0 comes back, and nothing
/// changes, when somebody else moved it meanwhile.
pub async fn advance(tx: &mut Tx, row: &WatermarkRow) -> Result<u64, LedgerError> {
    if row.version == 0 {
        return insert(tx, row).await;
    }
    let mut query = Query::new("update watermarks set version = version + 1, coverage_from = ");
    query.bind(row.coverage_from).push(", low_watermark = ").bind(row.low_watermark);
    query.push(", high_watermark = ").bind(row.high_watermark);
    query.push(", resume_cursor = ").bind(row.resume_cursor.clone());
    query.push(", completed_ranges = ").bind(row.completed_ranges.as_str());
    query.push(", gaps = ").bind(row.gaps.as_str());
    query.push(", last_event_hash = ").bind(row.last_event_hash.clone());
    query.push(", updated_at = ").bind(row.updated_at);
    query.push(" where source_id = ").bind(row.source_id.as_str());
    query.push(" and part = ").bind(row.part.as_str()).push(" and version = ").bind(row.version);
    query.execute(tx).await
}

async fn insert(tx: &mut Tx, row: &WatermarkRow) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "insert into watermarks (source_id, part, tenant, coverage_from, low_watermark, high_watermark, resume_cursor,
            completed_ranges, gaps, last_event_hash, updated_at, version) values (",
    );
    query.bind(row.source_id.as_str()).push(", ").bind(row.part.as_str()).push(", ");
    query.bind(row.tenant.as_str()).push(", ").bind(row.coverage_from).push(", ");
    query.bind(row.low_watermark).push(", ").bind(row.high_watermark).push(", ");
    query.bind(row.resume_cursor.clone()).push(", ").bind(row.completed_ranges.as_str()).push(", ");
    query.bind(row.gaps.as_str()).push(", ").bind(row.last_event_hash.clone()).push(", ");
    query.bind(row.updated_at).push(", 1) on conflict do nothing");
    query.execute(tx).await
}

/// How far every source of every tenant lags behind, by tenant and name.
pub async fn lags(tx: &mut Tx, now: Micros) -> Result<Vec<Lag>, LedgerError> {
    let query = Query::new(
        "select w.source_id, s.name, w.tenant, w.low_watermark
        from watermarks w
        join sources s on s.source_id = w.source_id
        where w.part = '' and w.low_watermark is not null and s.enabled = 1
        order by w.tenant, s.name, w.source_id",
    );
    let rows: Vec<(String, String, String, i64)> = query.fetch_all(tx).await?;
    let lag = |(source_id, name, tenant, low): (String, String, String, i64)| Lag {
        source_id,
        name,
        tenant,
        lag_s: (now.0 - low).max(0) / 1_000_000,
    };
    Ok(rows.into_iter().map(lag).collect())
}
