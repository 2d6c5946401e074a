//! Targets: one SBOM each.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use sqlx::FromRow;

/// A target as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct TargetRow {
    pub target_key: i64,
    pub target_id: String,
    pub tenant: String,
    pub identity: String,
    pub name: String,
    pub version: String,
    pub digest: String,
    pub placement: i64,
    pub is_image: i64,
    pub namespace: String,
    pub repository: String,
    /// A JSON object of texts.
    pub labels: String,
    pub sbom_format: String,
    pub sbom_digest: String,
    pub component_count: i64,
    pub skipped_components: i64,
    pub findings: Option<i64>,
    pub critical: Option<i64>,
    pub last_run_id: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

const SELECT: &str =
    "select target_key, target_id, tenant, identity, name, version, digest, placement, is_image,
    namespace, repository, labels, sbom_format, sbom_digest, component_count, skipped_components,
    findings, critical, last_run_id, created_at, updated_at
from targets where tenant = ";

/// Which targets are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TargetSearch<'a> {
    /// In this namespace.
    pub namespace: Option<&'a str>,
    /// With this in their name, whatever the case.
    pub part_of_name: Option<&'a str>,
}

/// Adds targets, or replaces what the SBOM says of those whose key is there. `created_at` and what an evaluation left
/// stay as they are.
pub async fn upsert_many(tx: &mut Tx, targets: &[TargetRow]) -> Result<(), LedgerError> {
    let rows: Vec<_> = targets
        .iter()
        .map(|row| {
            let name = (row.target_key, &row.target_id, &row.tenant, &row.identity, &row.name, &row.version);
            let place =
                (&row.digest, row.placement, row.is_image, &row.namespace, &row.repository, &row.labels);
            let sbom = (&row.sbom_format, &row.sbom_digest, row.component_count, row.skipped_components);
            (name, place, sbom, (row.created_at, row.updated_at))
        })
        .collect();
    rows::insert(tx, INSERT, &rows, UPDATE).await?;
    Ok(())
}

const INSERT: &str = "insert into targets (target_key, target_id, tenant, identity, name, version,
    digest, placement, is_image, namespace, repository, labels,
    sbom_format, sbom_digest, component_count, skipped_components, created_at, updated_at)
select cast(r.value -> 0 ->> 0 as bigint), r.value -> 0 ->> 1, r.value -> 0 ->> 2, r.value -> 0 ->> 3,
    r.value -> 0 ->> 4, r.value -> 0 ->> 5,
    r.value -> 1 ->> 0, cast(r.value -> 1 ->> 1 as bigint), cast(r.value -> 1 ->> 2 as bigint), r.value -> 1 ->> 3,
    r.value -> 1 ->> 4, r.value -> 1 ->> 5,
    r.value -> 2 ->> 0, r.value -> 2 ->> 1, cast(r.value -> 2 ->> 2 as bigint), cast(r.value -> 2 ->> 3 as bigint),
    cast(r.value -> 3 ->> 0 as bigint), cast(r.value -> 3 ->> 1 as bigint)";
const UPDATE: &str = " where true on conflict (target_key) do update set
    version = excluded.version, digest = excluded.digest, placement = excluded.placement,
    name = excluded.name, namespace = excluded.namespace, repository = excluded.repository,
    labels = excluded.labels, sbom_format = excluded.sbom_format, sbom_digest = excluded.sbom_digest,
    component_count = excluded.component_count, skipped_components = excluded.skipped_components,
    updated_at = excluded.updated_at";

/// The targets with these identities.
pub async fn by_identities(
    tx: &mut Tx,
    tenant: &str,
    identities: &[&str],
) -> Result<Vec<TargetRow>, LedgerError> {
    let mut found = Vec::new();
    for chunk in identities.chunks(1_000) {
        let wanted: Vec<[&str; 1]> = chunk.iter().map(|identity| [*identity]).collect();
        let mut query = Query::new(SELECT);
        query.bind(tenant).push(" and identity in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, &wanted)?;
        query.push(")");
        found.extend(query.fetch_all::<TargetRow>(tx).await?);
    }
    Ok(found)
}

/// The target, when the tenant has it.
pub async fn get(tx: &mut Tx, tenant: &str, target_key: i64) -> Result<Option<TargetRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant).push(" and target_key = ").bind(target_key);
    query.fetch_optional(tx).await
}

/// The targets with these keys.
pub async fn by_keys(tx: &mut Tx, tenant: &str, keys: &[i64]) -> Result<Vec<TargetRow>, LedgerError> {
    let mut found = Vec::new();
    for chunk in keys.chunks(1_000) {
        let wanted: Vec<[i64; 1]> = chunk.iter().map(|key| [*key]).collect();
        let mut query = Query::new(SELECT);
        query.bind(tenant).push(" and target_key in (select cast(r.value ->> 0 as bigint) from ");
        rows::push(&mut query, tx, &wanted)?;
        query.push(")");
        found.extend(query.fetch_all::<TargetRow>(tx).await?);
    }
    Ok(found)
}

/// Targets after a name, version and id, in that order.
pub async fn list(
    tx: &mut Tx,
    tenant: &str,
    search: TargetSearch<'_>,
    after: Option<(&str, &str, &str)>,
    limit: i64,
) -> Result<Vec<TargetRow>, LedgerError> {
    let mut query = Query::new(SELECT);
    query.bind(tenant);
    narrow(&mut query, search);
    if let Some((name, version, target_id)) = after {
        query.push(" and (name, version, target_id) > (").bind(name).push(", ").bind(version);
        query.push(", ").bind(target_id).push(")");
    }
    query.push(" order by name, version, target_id limit ").bind(limit);
    query.fetch_all(tx).await
}

/// How many targets are listed, as far as a list counts.
pub async fn total(tx: &mut Tx, tenant: &str, search: TargetSearch<'_>) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select 1 from targets where tenant = ");
    query.bind(tenant);
    narrow(&mut query, search);
    query.fetch_total(tx).await
}

fn narrow(query: &mut Query, search: TargetSearch<'_>) {
    if let Some(namespace) = search.namespace {
        query.push(" and namespace = ").bind(namespace);
    }
    if let Some(part) = search.part_of_name {
        // A literal part, not a pattern: `replace` finds it without the signs that `like` reads otherwise.
        query.push(" and replace(lower(name), ").bind(part.to_lowercase()).push(", '') <> lower(name)");
    }
}
