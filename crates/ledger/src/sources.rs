//! Sources: where they are, how they are doing, what the far side said last time.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;
use stella_contract::source::SourceFilter;

/// A source as it is stored. Its health is not: the engine judges it from the times and the failures in a row.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct SourceRow {
    pub source_id: String,
    pub tenant: String,
    pub name: String,
    pub source_type: String,
    pub location: String,
    pub enabled: i64,
    pub record_count: i64,
    pub watermark: Option<String>,
    pub last_success_at: Option<i64>,
    pub last_error_at: Option<i64>,
    pub last_error: Option<String>,
    pub last_error_code: Option<String>,
    pub failures_in_a_row: i64,
    pub last_job_id: Option<String>,
    pub not_before: Option<i64>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub content_digest: Option<String>,
    pub content_version: i64,
    pub created_at: i64,
    pub version: i64,
    pub host: Option<String>,
    pub job_type: Option<String>,
    pub paused: i64,
    pub pause_reason: Option<String>,
    pub fetch_window_s: i64,
    pub overlap_s: i64,
    pub allowed_lateness_s: i64,
    pub retention_days: i64,
    pub bucket_capacity: i64,
    pub bucket_rate: f64,
    pub auth_ref: Option<String>,
    pub last_error_class: Option<String>,
}

/// A source to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct NewSource {
    pub source_id: String,
    pub tenant: String,
    pub name: String,
    pub source_type: String,
    pub location: String,
    pub host: Option<String>,
    pub created_at: i64,
}

/// What is changed of a source.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct SourceChange {
    pub source_id: String,
    /// The version that was read.
    pub version: i64,
    pub name: String,
    pub location: String,
    pub host: Option<String>,
    pub enabled: i64,
    pub job_type: Option<String>,
    pub paused: i64,
    pub pause_reason: Option<String>,
    pub fetch_window_s: i64,
    pub overlap_s: i64,
    pub allowed_lateness_s: i64,
    pub retention_days: i64,
    pub bucket_capacity: i64,
    pub bucket_rate: f64,
    pub auth_ref: Option<String>,
    /// Whether what the far side said last time is forgotten, so that everything is read again.
    pub forgets: bool,
}

/// What a reading that succeeded leaves on its source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct SourceRead {
    pub source_id: String,
    /// The content version the reading was planned on.
    pub content_version: i64,
    pub record_count: i64,
    pub watermark: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub content_digest: Option<String>,
    pub at: i64,
}

/// What a reading of a part leaves on its source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct SourceMerge {
    pub source_id: String,
    pub record_count: i64,
    pub watermark: Option<String>,
    pub at: i64,
}

/// What a reading that failed leaves on its source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct SourceFailure {
    pub source_id: String,
    pub code: String,
    pub class: String,
    pub message: String,
    pub not_before: Option<i64>,
    pub at: i64,
}

const SELECT: &str =
    "select source_id, tenant, name, source_type, location, enabled, record_count, watermark,
    last_success_at, last_error_at, last_error, last_error_code, failures_in_a_row, last_job_id, not_before,
    etag, last_modified, content_digest, content_version, created_at, version, host, job_type, paused, pause_reason,
    fetch_window_s, overlap_s, allowed_lateness_s, retention_days, bucket_capacity, bucket_rate, auth_ref,
    last_error_class
from sources where tenant = ";

/// Adds a source; a name that is taken is [`LedgerError::Unique`].
pub async fn insert(tx: &mut Tx, source: &NewSource) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into sources (source_id, tenant, name, source_type, location, host, created_at) values (",
    );
    query.bind(source.source_id.as_str()).push(", ").bind(source.tenant.as_str()).push(", ");
    query.bind(source.name.as_str()).push(", ").bind(source.source_type.as_str()).push(", ");
    query.bind(source.location.as_str()).push(", ").bind(source.host.clone()).push(", ");
    query.bind(source.created_at).push(")");
    query.execute(tx).await?;
    Ok(())
}

/// The source, when the tenant has it.
pub async fn get(tx: &mut Tx, tenant: &str, source_id: &str) -> Result<Option<SourceRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant).push(" and source_id = ").bind(source_id);
    query.fetch_optional(tx).await
}

/// Sources after a name and id, in the order of names, then ids.
pub async fn list(
    tx: &mut Tx,
    tenant: &str,
    filter: &SourceFilter,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<SourceRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant);
    narrow(&mut query, filter);
    if let Some((name, source_id)) = after {
        query.push(" and (name, source_id) > (").bind(name).push(", ").bind(source_id).push(")");
    }
    query.push(" order by name, source_id limit ").bind(limit);
    query.fetch_all(tx).await
}

/// How many sources the tenant has, as far as a list counts.
pub async fn total(tx: &mut Tx, tenant: &str, filter: &SourceFilter) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select 1 from sources where tenant = ");
    query.bind(tenant);
    narrow(&mut query, filter);
    query.fetch_total(tx).await
}

fn narrow(query: &mut Query, filter: &SourceFilter) {
    if let Some(kind) = filter.source_type {
        query.push(" and source_type = ").bind(kind.as_str());
    }
    if let Some(enabled) = filter.enabled {
        query.push(" and enabled = ").bind(i64::from(enabled));
    }
    if let Some(paused) = filter.paused {
        query.push(" and paused = ").bind(i64::from(paused));
    }
}

/// Notes the newest job that reads the source.
pub async fn note_job(tx: &mut Tx, source_id: &str, job_id: &str) -> Result<u64, LedgerError> {
    let mut query = Query::new("update sources set version = version + 1, last_job_id = ");
    query.bind(job_id).push(" where source_id = ").bind(source_id);
    query.execute(tx).await
}

/// Notes a reading that succeeded. Nothing changes, and 0 comes back, when the content moved on since it was planned.
pub async fn succeed(tx: &mut Tx, read: &SourceRead) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "update sources set version = version + 1, content_version = content_version + 1, failures_in_a_row = 0,
            not_before = null, record_count = ",
    );
    query.bind(read.record_count).push(", watermark = ").bind(read.watermark.clone());
    query.push(", etag = ").bind(read.etag.clone());
    query.push(", last_modified = ").bind(read.last_modified.clone());
    query.push(", content_digest = ").bind(read.content_digest.clone());
    query.push(", last_success_at = ").bind(read.at);
    query.push(" where source_id = ").bind(read.source_id.as_str());
    query.push(" and content_version = ").bind(read.content_version);
    query.execute(tx).await
}

/// Notes a reading of a part that succeeded: what was stored before stays beside it. A mark that is absent stays.
pub async fn merge(tx: &mut Tx, merged: &SourceMerge) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "update sources set version = version + 1, content_version = content_version + 1, failures_in_a_row = 0,
            not_before = null, record_count = ",
    );
    query.bind(merged.record_count).push(", watermark = coalesce(").bind(merged.watermark.clone());
    query.push(", watermark), last_success_at = ").bind(merged.at);
    query.push(" where source_id = ").bind(merged.source_id.as_str());
    query.execute(tx).await
}

/// Notes how many records a source has now.
pub async fn recount(tx: &mut Tx, source_id: &str, record_count: i64) -> Result<u64, LedgerError> {
    let mut query = Query::new("update sources set version = version + 1, record_count = ");
    query.bind(record_count).push(" where source_id = ").bind(source_id);
    query.execute(tx).await
}

/// Changes a source. Nothing changes, and 0 comes back, when it was changed since it was read; a name that is taken is
/// [`LedgerError::Unique`].
pub async fn change(tx: &mut Tx, change: &SourceChange) -> Result<u64, LedgerError> {
    let mut query = Query::new("update sources set version = version + 1, name = ");
    query.bind(change.name.as_str()).push(", location = ").bind(change.location.as_str());
    query.push(", host = ").bind(change.host.clone());
    query.push(", enabled = ").bind(change.enabled);
    query.push(", job_type = ").bind(change.job_type.clone());
    query.push(", paused = ").bind(change.paused);
    query.push(", pause_reason = ").bind(change.pause_reason.clone());
    query.push(", fetch_window_s = ").bind(change.fetch_window_s);
    query.push(", overlap_s = ").bind(change.overlap_s);
    query.push(", allowed_lateness_s = ").bind(change.allowed_lateness_s);
    query.push(", retention_days = ").bind(change.retention_days);
    query.push(", bucket_capacity = ").bind(change.bucket_capacity);
    query.push(", bucket_rate = ").bind(change.bucket_rate);
    query.push(", auth_ref = ").bind(change.auth_ref.clone());
    if change.forgets {
        query.push(", etag = null, last_modified = null, content_digest = null");
    }
    query.push(" where source_id = ").bind(change.source_id.as_str());
    query.push(" and version = ").bind(change.version);
    query.execute(tx).await
}

/// Notes a reading that failed.
pub async fn fail(tx: &mut Tx, failure: &SourceFailure) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "update sources set version = version + 1, failures_in_a_row = failures_in_a_row + 1, last_error_code = ",
    );
    query.bind(failure.code.as_str()).push(", last_error_class = ").bind(failure.class.as_str());
    query.push(", last_error = ").bind(failure.message.as_str());
    query.push(", last_error_at = ").bind(failure.at);
    query.push(", not_before = ").bind(failure.not_before);
    query.push(" where source_id = ").bind(failure.source_id.as_str());
    query.execute(tx).await
}
