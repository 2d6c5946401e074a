//! Components: each distinct one of a tenant once, and which targets hold it. With `package_names` this is the impact
//! index, so it changes in the transaction that changes the SBOM.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use sqlx::FromRow;
use std::collections::{HashMap, HashSet};

/// A component to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPackage {
    /// Its package URL in its normal form.
    pub purl: String,
    /// The digest of its body.
    pub digest: String,
    /// What the evaluator wants of it, as JSON.
    pub body: String,
    /// How advisories may call it: ecosystem without release, name and version.
    pub names: Vec<(String, String, String)>,
}

/// A component of a target, as the evaluator wants it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ComponentRow {
    /// The target that holds it.
    pub target_key: i64,
    /// What the evaluator wants of it, as JSON.
    pub body: String,
}

/// Puts these components in the place of those the targets held. `held` names them by their digest in `packages`.
/// Returns by how many rows the index grew; fewer is negative.
pub async fn replace_many(
    tx: &mut Tx,
    tenant: &str,
    packages: &[NewPackage],
    held: &[(i64, Vec<&str>)],
) -> Result<i64, LedgerError> {
    let keys = keys_of(tx, tenant, packages).await?;
    let mut removed = 0;
    for chunk in held.chunks(1_000) {
        let targets: Vec<[i64; 1]> = chunk.iter().map(|(target_key, _)| [*target_key]).collect();
        let mut query = Query::new(
            "delete from components where target_key in (select cast(r.value ->> 0 as bigint) from ",
        );
        rows::push(&mut query, tx, &targets)?;
        query.push(")");
        removed += query.execute(tx).await?;
    }
    let pairs: Vec<(i64, i64)> = held
        .iter()
        .flat_map(|(target_key, digests)| {
            digests.iter().filter_map(|digest| keys.get(*digest)).map(|key| (*target_key, *key))
        })
        .collect();
    let added = rows::insert(tx, INSERT, &pairs, IF_NEW).await?;
    Ok(added as i64 - removed as i64)
}

const INSERT: &str = "insert into components (target_key, package_key)
select cast(r.value ->> 0 as bigint), cast(r.value ->> 1 as bigint)";
const INSERT_PACKAGES: &str = "insert into packages (package_key, tenant, purl, digest, body)
select cast(r.value ->> 0 as bigint), r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4";
const INSERT_NAMES: &str = "insert into package_names (tenant, ecosystem, name, version, package_key)
select r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, cast(r.value ->> 4 as bigint)";
/// SQLite reads `on conflict` after a bare `from` as a join; `where true` tells it otherwise.
const IF_NEW: &str = " where true on conflict do nothing";

/// The key of every package by its digest; those that are new are added.
async fn keys_of(
    tx: &mut Tx,
    tenant: &str,
    packages: &[NewPackage],
) -> Result<HashMap<String, i64>, LedgerError> {
    let mut keys = HashMap::with_capacity(packages.len());
    for chunk in packages.chunks(1_000) {
        let wanted: Vec<[&str; 1]> = chunk.iter().map(|package| [package.digest.as_str()]).collect();
        let mut query = Query::new("select digest, package_key from packages where tenant = ");
        query.bind(tenant).push(" and digest in (select r.value ->> 0 from ");
        rows::push(&mut query, tx, &wanted)?;
        query.push(")");
        keys.extend(query.fetch_all::<(String, i64)>(tx).await?);
    }
    let mut next =
        Query::new("select coalesce(max(package_key), 0) + 1 from packages").fetch_count(tx).await?;
    let mut seen = HashSet::new();
    let mut added = Vec::new();
    for package in packages {
        if !keys.contains_key(&package.digest) && seen.insert(package.digest.as_str()) {
            added.push((next, package));
            next += 1;
        }
    }
    let bodies: Vec<_> =
        added.iter().map(|(key, new)| (*key, tenant, &new.purl, &new.digest, &new.body)).collect();
    rows::insert(tx, INSERT_PACKAGES, &bodies, "").await?;
    let names: Vec<_> = added
        .iter()
        .flat_map(|(key, new)| {
            new.names.iter().map(move |(eco, name, version)| (tenant, eco, name, version, key))
        })
        .collect();
    rows::insert(tx, INSERT_NAMES, &names, IF_NEW).await?;
    keys.extend(added.into_iter().map(|(key, package)| (package.digest.clone(), key)));
    Ok(keys)
}

/// The components of these targets, target by target, each in the order of purls.
pub async fn of_targets(tx: &mut Tx, target_keys: &[i64]) -> Result<Vec<ComponentRow>, LedgerError> {
    let wanted: Vec<[i64; 1]> = target_keys.iter().map(|key| [*key]).collect();
    let mut query = Query::new("select c.target_key, p.body from ");
    rows::push(&mut query, tx, &wanted)?;
    query.push(
        " join components c on c.target_key = cast(r.value ->> 0 as bigint)
        join packages p on p.package_key = c.package_key
        order by c.target_key, p.purl, p.package_key",
    );
    query.fetch_all(tx).await
}
