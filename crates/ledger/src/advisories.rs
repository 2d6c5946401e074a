//! Advisory records as their feeds have them, with the two maps that the impact index is asked through.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use sqlx::FromRow;
use std::collections::HashMap;

/// A record to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdvisory {
    /// The record's own id.
    pub record_id: String,
    /// When it last changed, as the feed has it.
    pub modified: String,
    /// The digest of its bytes.
    pub digest: String,
    /// Its bytes.
    pub body: String,
    /// Every name of the vulnerability, in upper case.
    pub ids: Vec<String>,
    /// Ecosystem (without release) and name of every package it speaks of.
    pub packages: Vec<(String, String)>,
}

/// A stored record, as the feed index is made from it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AdvisoryBody {
    /// Its key, for the next page.
    pub advisory_key: i64,
    /// Its bytes.
    pub body: String,
}

/// The digest of every record of a source, by record id.
pub async fn digests(tx: &mut Tx, source_id: &str) -> Result<HashMap<String, String>, LedgerError> {
    let mut query = Query::new("select record_id, digest from advisories where source_id = ");
    query.bind(source_id);
    let rows: Vec<(String, String)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().collect())
}

/// Which of these records a source has: their ids, with when they changed last and their digests.
pub async fn known(
    tx: &mut Tx,
    source_id: &str,
    record_ids: &[String],
) -> Result<HashMap<String, (String, String)>, LedgerError> {
    let mut known = HashMap::with_capacity(record_ids.len());
    for chunk in record_ids.chunks(1_000) {
        let ids: Vec<[&str; 1]> = chunk.iter().map(|id| [id.as_str()]).collect();
        let mut query = Query::new("select record_id, modified, digest from advisories where source_id = ");
        query.bind(source_id).push(" and record_id in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, &ids)?;
        query.push(")");
        let rows: Vec<(String, String, String)> = query.fetch_all(tx).await?;
        known.extend(rows.into_iter().map(|(id, modified, digest)| (id, (modified, digest))));
    }
    Ok(known)
}

/// How many records a source has.
pub async fn count(tx: &mut Tx, source_id: &str) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from advisories where source_id = ");
    query.bind(source_id);
    query.fetch_count(tx).await
}

/// Ecosystem and name of every package that these records of a source speak of.
pub async fn packages_of(
    tx: &mut Tx,
    source_id: &str,
    record_ids: &[String],
) -> Result<Vec<(String, String)>, LedgerError> {
    let mut found = Vec::new();
    for chunk in record_ids.chunks(1_000) {
        let ids: Vec<[&str; 1]> = chunk.iter().map(|id| [id.as_str()]).collect();
        let mut query = Query::new(
            "select distinct advisory_packages.ecosystem, advisory_packages.name
            from advisories
            join advisory_packages on advisory_packages.advisory_key = advisories.advisory_key
            where advisories.source_id = ",
        );
        query.bind(source_id).push(" and advisories.record_id in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, &ids)?;
        query.push(")");
        found.extend(query.fetch_all::<(String, String)>(tx).await?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Removes records of a source; their names go with them.
pub async fn remove_many(tx: &mut Tx, source_id: &str, record_ids: &[String]) -> Result<u64, LedgerError> {
    let mut removed = 0;
    for chunk in record_ids.chunks(1_000) {
        let ids: Vec<[&str; 1]> = chunk.iter().map(|id| [id.as_str()]).collect();
        let mut query = Query::new("delete from advisories where source_id = ");
        query.bind(source_id).push(" and record_id in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, &ids)?;
        query.push(")");
        removed += query.execute(tx).await?;
    }
    Ok(removed)
}

/// Forgets records of a source that changed last before a time, as feeds write it, the oldest first.
pub async fn forget_before(
    tx: &mut Tx,
    source_id: &str,
    before: &str,
    limit: i64,
) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "delete from advisories where advisory_key in (select advisory_key from advisories where source_id = ",
    );
    query.bind(source_id).push(" and modified < ").bind(before);
    query.push(" order by modified, advisory_key limit ").bind(limit).push(")");
    query.execute(tx).await
}

/// Adds records of a source; those that change have to be removed before.
pub async fn insert_many(
    tx: &mut Tx,
    tenant: &str,
    source_id: &str,
    records: &[NewAdvisory],
) -> Result<(), LedgerError> {
    let first =
        Query::new("select coalesce(max(advisory_key), 0) + 1 from advisories").fetch_count(tx).await?;
    for (chunk, from) in records.chunks(500).zip((first..).step_by(500)) {
        let keyed = || (from..).zip(chunk);
        let bodies: Vec<_> = keyed()
            .map(|(key, new)| (key, tenant, source_id, &new.record_id, &new.modified, &new.digest, &new.body))
            .collect();
        rows::insert(tx, INSERT, &bodies, "").await?;
        let ids: Vec<_> =
            keyed().flat_map(|(key, new)| new.ids.iter().map(move |id| (tenant, id, key))).collect();
        rows::insert(tx, INSERT_IDS, &ids, IF_NEW).await?;
        let packages: Vec<_> = keyed()
            .flat_map(|(key, new)| new.packages.iter().map(move |(eco, name)| (tenant, eco, name, key)))
            .collect();
        rows::insert(tx, INSERT_PACKAGES, &packages, IF_NEW).await?;
    }
    Ok(())
}

const INSERT: &str = "insert into advisories (advisory_key, tenant, source_id, record_id, modified, digest, body)
select cast(r.value ->> 0 as bigint), r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5,
    r.value ->> 6";
const INSERT_IDS: &str = "insert into advisory_ids (tenant, vuln_id, advisory_key)
select r.value ->> 0, r.value ->> 1, cast(r.value ->> 2 as bigint)";
const INSERT_PACKAGES: &str = "insert into advisory_packages (tenant, ecosystem, name, advisory_key)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, cast(r.value ->> 3 as bigint)";
/// SQLite reads `on conflict` after a bare `from` as a join; `where true` tells it otherwise.
const IF_NEW: &str = " where true on conflict do nothing";

/// The tenant's records after a key, of every source.
pub async fn bodies(
    tx: &mut Tx,
    tenant: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<AdvisoryBody>, LedgerError> {
    let mut query = Query::new("select advisory_key, body from advisories where tenant = ");
    query.bind(tenant).push(" and advisory_key > ").bind(after);
    query.push(" order by advisory_key limit ").bind(limit);
    query.fetch_all(tx).await
}
