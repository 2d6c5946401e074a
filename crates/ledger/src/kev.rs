//! The list of known exploited vulnerabilities, per source.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use std::collections::HashMap;

/// One entry to store: the CVE in upper case and the entry as the list has it.
pub type KevEntry = (String, String);

/// The entries of a source by CVE.
pub async fn of_source(tx: &mut Tx, source_id: &str) -> Result<HashMap<String, String>, LedgerError> {
    let mut query = Query::new("select cve, body from kev where source_id = ");
    query.bind(source_id);
    let rows: Vec<KevEntry> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().collect())
}

/// All entries of a tenant, in the order of CVEs.
pub async fn bodies(tx: &mut Tx, tenant: &str) -> Result<Vec<String>, LedgerError> {
    let mut query = Query::new("select body from kev where tenant = ");
    query.bind(tenant).push(" order by cve, source_id");
    let rows: Vec<(String,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(body,)| body).collect())
}

/// When the newest list of a tenant was released.
pub async fn released(tx: &mut Tx, tenant: &str) -> Result<Option<String>, LedgerError> {
    let mut query = Query::new("select max(watermark) from sources where source_type = 'kev' and tenant = ");
    query.bind(tenant);
    let row: Option<(Option<String>,)> = query.fetch_optional(tx).await?;
    Ok(row.and_then(|(released,)| released))
}

/// Puts these entries in the place of those a source had.
pub async fn replace(
    tx: &mut Tx,
    tenant: &str,
    source_id: &str,
    entries: &[KevEntry],
) -> Result<(), LedgerError> {
    let mut query = Query::new("delete from kev where source_id = ");
    query.bind(source_id);
    query.execute(tx).await?;
    let rows: Vec<_> = entries.iter().map(|(cve, body)| (tenant, cve, source_id, body)).collect();
    rows::insert(tx, INSERT, &rows, "").await?;
    Ok(())
}

const INSERT: &str = "insert into kev (tenant, cve, source_id, body)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3";
