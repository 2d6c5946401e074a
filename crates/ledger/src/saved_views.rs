//! Saved views: pages with their queries, under names.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use sqlx::FromRow;

/// A saved view as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct SavedViewRow {
    pub view_id: String,
    pub tenant: String,
    pub page: String,
    pub name: String,
    pub query: String,
    pub owner: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub version: i64,
}

/// Writes a new view down. A name that is taken on the page is refused as [`LedgerError::Unique`].
pub async fn insert(tx: &mut Tx, row: &SavedViewRow) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into saved_views (view_id, tenant, page, name, query, owner, created_at, updated_at, version) values ",
    );
    query.bind_list(vec![
        crate::Value::from(row.view_id.as_str()),
        row.tenant.as_str().into(),
        row.page.as_str().into(),
        row.name.as_str().into(),
        row.query.as_str().into(),
        row.owner.as_str().into(),
        row.created_at.into(),
        row.updated_at.into(),
        row.version.into(),
    ]);
    query.execute(tx).await?;
    Ok(())
}

/// The view, when the tenant has it.
pub async fn get(tx: &mut Tx, tenant: &str, view_id: &str) -> Result<Option<SavedViewRow>, LedgerError> {
    let mut query = Query::new("select * from saved_views where tenant = ");
    query.bind(tenant).push(" and view_id = ").bind(view_id);
    query.fetch_optional(tx).await
}

/// The tenant's views of one page or of all, by page and name, those after `after`.
pub async fn list(
    tx: &mut Tx,
    tenant: &str,
    page: Option<&str>,
    after: Option<(String, String)>,
    limit: i64,
) -> Result<Vec<SavedViewRow>, LedgerError> {
    let mut query = Query::new("select * from saved_views where tenant = ");
    query.bind(tenant);
    if let Some(page) = page {
        query.push(" and page = ").bind(page);
    }
    if let Some((page, name)) = after {
        query.push(" and (page, name) > (").bind(page).push(", ").bind(name).push(")");
    }
    query.push(" order by page, name limit ").bind(limit);
    query.fetch_all(tx).await
}

/// Gives a view another name or query; its version rises by one. Nothing changes when another was faster.
pub async fn update(tx: &mut Tx, row: &SavedViewRow) -> Result<bool, LedgerError> {
    let mut query = Query::new("update saved_views set name = ");
    query.bind(row.name.as_str()).push(", query = ").bind(row.query.as_str());
    query.push(", updated_at = ").bind(row.updated_at).push(", version = version + 1 where view_id = ");
    query.bind(row.view_id.as_str()).push(" and version = ").bind(row.version);
    Ok(query.execute(tx).await? == 1)
}

/// Forgets a view.
pub async fn remove(tx: &mut Tx, view_id: &str) -> Result<(), LedgerError> {
    let mut query = Query::new("delete from saved_views where view_id = ");
    query.bind(view_id);
    query.execute(tx).await?;
    Ok(())
}
