//! What is said of vulnerabilities in products.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use sqlx::FromRow;
use std::collections::HashSet;
use stella_contract::ids::Tenant;
use stella_contract::time::Micros;
use stella_contract::vex::VexFilter;

/// A statement to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatement {
    /// The vulnerability, in upper case.
    pub vuln_id: String,
    /// When it was said.
    pub said_at: i64,
    /// The digest of its body.
    pub digest: String,
    /// The statement, as JSON.
    pub body: String,
}

/// A stored statement.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StatementRow {
    /// Its key, for the next page.
    pub statement_key: i64,
    /// The source it came from.
    pub source_id: String,
    /// The statement, as JSON.
    pub body: String,
}

/// The digests of what a source says.
pub async fn digests(tx: &mut Tx, source_id: &str) -> Result<HashSet<String>, LedgerError> {
    let mut query = Query::new("select digest from vex_statements where source_id = ");
    query.bind(source_id);
    let rows: Vec<(String,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(digest,)| digest).collect())
}

/// How many statements a source has.
pub async fn count_of_source(tx: &mut Tx, source_id: &str) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from vex_statements where source_id = ");
    query.bind(source_id);
    query.fetch_count(tx).await
}

/// Adds what a source says; what is there already stays as it is.
pub async fn insert_many(
    tx: &mut Tx,
    tenant: &str,
    source_id: &str,
    statements: &[NewStatement],
) -> Result<u64, LedgerError> {
    let first =
        Query::new("select coalesce(max(statement_key), 0) + 1 from vex_statements").fetch_count(tx).await?;
    let rows: Vec<_> = (first..)
        .zip(statements)
        .map(|(key, new)| (key, tenant, source_id, &new.vuln_id, new.said_at, &new.digest, &new.body))
        .collect();
    rows::insert(tx, INSERT, &rows, " where true on conflict do nothing").await
}

const INSERT: &str =
    "insert into vex_statements (statement_key, tenant, source_id, vuln_id, said_at, digest, body)
select cast(r.value ->> 0 as bigint), r.value ->> 1, r.value ->> 2, r.value ->> 3, cast(r.value ->> 4 as bigint),
    r.value ->> 5, r.value ->> 6";

/// Forgets statements of a source that were made before a time, the oldest first.
pub async fn forget_before(
    tx: &mut Tx,
    source_id: &str,
    before: Micros,
    limit: i64,
) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "delete from vex_statements where statement_key in (select statement_key from vex_statements where source_id = ",
    );
    query.bind(source_id).push(" and said_at < ").bind(before.0);
    query.push(" order by said_at, statement_key limit ").bind(limit).push(")");
    query.execute(tx).await
}

/// The vulnerabilities that these statements of a source are about.
pub async fn vulnerabilities_of(
    tx: &mut Tx,
    source_id: &str,
    digests: &[String],
) -> Result<Vec<String>, LedgerError> {
    let mut found = Vec::new();
    for chunk in digests.chunks(1_000) {
        let wanted: Vec<[&str; 1]> = chunk.iter().map(|digest| [digest.as_str()]).collect();
        let mut query = Query::new("select distinct vuln_id from vex_statements where source_id = ");
        query.bind(source_id).push(" and digest in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, &wanted)?;
        query.push(")");
        found.extend(query.fetch_all::<(String,)>(tx).await?.into_iter().map(|(id,)| id));
    }
    Ok(found)
}

/// Takes away what a source no longer says.
pub async fn remove_many(tx: &mut Tx, source_id: &str, digests: &[String]) -> Result<u64, LedgerError> {
    let mut removed = 0;
    for chunk in digests.chunks(1_000) {
        let gone: Vec<[&str; 1]> = chunk.iter().map(|digest| [digest.as_str()]).collect();
        let mut query = Query::new("delete from vex_statements where source_id = ");
        query.bind(source_id).push(" and digest in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, &gone)?;
        query.push(")");
        removed += query.execute(tx).await?;
    }
    Ok(removed)
}

/// The tenant's statements that match and came before a key, newest first.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &VexFilter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<StatementRow>, LedgerError> {
    let mut query = Query::new("select statement_key, source_id, body from vex_statements where tenant = ");
    query.bind(tenant.as_str());
    matching(&mut query, filter);
    if let Some(before) = before {
        query.push(" and statement_key < ").bind(before);
    }
    query.push(" order by statement_key desc limit ").bind(limit);
    query.fetch_all(tx).await
}

/// How many match, as far as a list counts.
pub async fn total(tx: &mut Tx, tenant: &Tenant, filter: &VexFilter) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select 1 from vex_statements where tenant = ");
    query.bind(tenant.as_str());
    matching(&mut query, filter);
    query.fetch_total(tx).await
}

fn matching(query: &mut Query, filter: &VexFilter) {
    if let Some(vulnerability) = &filter.vulnerability {
        query.push(" and vuln_id = ").bind(vulnerability.trim().to_uppercase());
    }
    if let Some(source) = &filter.source {
        query.push(" and source_id = ").bind(source.as_str());
    }
}
