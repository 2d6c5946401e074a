//! How likely vulnerabilities are exploited: the list of each source, a page of alike CVEs per row.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;

/// A page and its scores, as the engine writes them.
pub type EpssPage = (String, String);

/// Puts these pages in the place of those a source had.
pub async fn replace(
    tx: &mut Tx,
    tenant: &str,
    source_id: &str,
    scored_at: i64,
    pages: &[EpssPage],
) -> Result<(), LedgerError> {
    let mut query = Query::new("delete from epss_pages where source_id = ");
    query.bind(source_id);
    query.execute(tx).await?;
    let rows: Vec<_> = pages.iter().map(|(page, body)| (source_id, page, tenant, scored_at, body)).collect();
    rows::insert(tx, INSERT, &rows, "").await?;
    Ok(())
}

const INSERT: &str = "insert into epss_pages (source_id, page, tenant, scored_at, body)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, cast(r.value ->> 3 as bigint), r.value ->> 4";

/// When the scores a source has were made.
pub async fn scored_at(tx: &mut Tx, source_id: &str) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select max(scored_at) from epss_pages where source_id = ");
    query.bind(source_id);
    let row: Option<(Option<i64>,)> = query.fetch_optional(tx).await?;
    Ok(row.and_then(|(at,)| at))
}

/// Whether scores of a tenant were read with success since.
pub async fn read_since(tx: &mut Tx, tenant: &str, since: i64) -> Result<bool, LedgerError> {
    let mut query = Query::new(
        "select key from jobs where job_type = 'ingest.epss' and state = 'succeeded' and tenant = ",
    );
    query.bind(tenant).push(" and ended_at >= ").bind(since).push(" limit 1");
    let job: Option<(i64,)> = query.fetch_optional(tx).await?;
    Ok(job.is_some())
}

/// These pages of a tenant, of all its sources, the newest list last.
pub async fn pages(tx: &mut Tx, tenant: &str, pages: &[String]) -> Result<Vec<String>, LedgerError> {
    let mut query = Query::new("select body from epss_pages where tenant = ");
    query.bind(tenant).push(" and page in ").bind_list(pages.iter().map(String::as_str));
    query.push(" order by scored_at, source_id, page");
    let rows: Vec<(String,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(body,)| body).collect())
}
