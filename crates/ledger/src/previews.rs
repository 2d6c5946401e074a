//! Kept answers of "what would this run touch?".

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct PreviewRow {
    pub preview_id: String,
    pub tenant: String,
    pub request: String,
    pub answer: String,
    pub generation: i64,
    pub created_at: i64,
    pub valid_until: i64,
}

/// Keeps an answer.
pub async fn insert(tx: &mut Tx, row: &PreviewRow) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into previews (preview_id, tenant, request, answer, generation, created_at, valid_until) values (",
    );
    query.bind(row.preview_id.as_str()).push(", ").bind(row.tenant.as_str()).push(", ");
    query.bind(row.request.as_str()).push(", ").bind(row.answer.as_str()).push(", ");
    query.bind(row.generation).push(", ").bind(row.created_at).push(", ").bind(row.valid_until).push(")");
    query.execute(tx).await?;
    Ok(())
}

/// The answer, when the tenant has it and it is still valid.
pub async fn get(
    tx: &mut Tx,
    tenant: &str,
    preview_id: &str,
    now: i64,
) -> Result<Option<PreviewRow>, LedgerError> {
    let mut query = Query::new(
        "select preview_id, tenant, request, answer, generation, created_at, valid_until from previews where tenant = ",
    );
    query.bind(tenant).push(" and preview_id = ").bind(preview_id).push(" and valid_until > ").bind(now);
    query.fetch_optional(tx).await
}

/// Removes answers that are no longer valid.
pub async fn remove_expired(tx: &mut Tx, now: i64) -> Result<u64, LedgerError> {
    let mut query = Query::new("delete from previews where valid_until <= ");
    query.bind(now);
    query.execute(tx).await
}
