//! The impact index: which targets hold a package or are touched by a vulnerability. The tables are those of
//! `components` and `advisories`; here is how they are asked, and where the index stands.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::rows;
use sqlx::FromRow;
use std::collections::BTreeMap;

/// Where the index of a tenant stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct ImpactState {
    /// Rises with every change of advisories, exploited list or SBOMs.
    pub generation: i64,
    /// Rises with every change of advisories or exploited list alone.
    pub feed_generation: i64,
    /// When a feed was last read with success, whether or not it had changed.
    pub feeds_at: Option<i64>,
    /// When an SBOM last changed.
    pub sboms_at: Option<i64>,
    /// Components of all targets.
    pub row_count: i64,
    /// 1 when there is any advisory.
    pub has_advisories: i64,
}

/// Packages and vulnerabilities that are looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImpactKeys {
    /// Packages, as advisories call them.
    pub packages: Vec<PackageKey>,
    /// Vulnerability ids in upper case.
    pub vuln_ids: Vec<String>,
}

/// A package with or without a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageKey {
    /// The ecosystem without its release.
    pub ecosystem: String,
    /// The name in the spelling of look-ups.
    pub name: String,
    /// Only this version.
    pub version: Option<String>,
}

/// What restricts targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImpactScope {
    /// Nothing.
    All,
    /// Places and labels; an empty list does not restrict.
    Selector {
        /// Any of these.
        namespaces: Vec<String>,
        /// Any of these.
        repositories: Vec<String>,
        /// All of these.
        labels: BTreeMap<String, String>,
    },
    /// What they hold or are touched by.
    Keys(ImpactKeys),
    /// Exactly these digests.
    Digests(Vec<String>),
}

/// A target that is within a scope.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TargetRef {
    /// Its key.
    pub target_key: i64,
    /// Its public id.
    pub target_id: String,
    /// Its digest.
    pub digest: String,
    /// The first eight bytes of sha256 of its digest, as a signed number.
    pub placement: i64,
    /// What it is called.
    pub name: String,
    /// 1 when it holds a package that an exploited vulnerability speaks of.
    pub kev_affected: i64,
}

/// How many targets of a namespace fall into a shard.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ImpactCount {
    /// The namespace.
    pub namespace: String,
    /// The shard.
    pub shard: i64,
    /// How many.
    pub targets: i64,
}

/// A target of a sample.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ImpactSample {
    /// Its digest.
    pub digest: String,
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a look-up of single keys found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownKeys {
    /// Places in the list of packages that some target holds.
    pub packages: Vec<i64>,
    /// Places in the list of vulnerabilities that some record or the exploited list names.
    pub vuln_ids: Vec<i64>,
    /// Places in the list of vulnerabilities that are known to be exploited.
    pub exploited: Vec<i64>,
}

/// Where the index stands; `None` while nothing ever came in.
pub async fn state(tx: &mut Tx, tenant: &str) -> Result<Option<ImpactState>, LedgerError> {
    let mut query = Query::new(
        "select generation, feed_generation, feeds_at, sboms_at, row_count,
            cast(case when exists (select 1 from advisories a where a.tenant = impact.tenant) then 1 else 0 end
                as bigint) as has_advisories
        from impact where tenant = ",
    );
    query.bind(tenant);
    query.fetch_optional(tx).await
}

/// Notes that advisories or the exploited list changed.
pub async fn feeds_changed(tx: &mut Tx, tenant: &str, now: i64) -> Result<(), LedgerError> {
    let mut query =
        Query::new("insert into impact (tenant, generation, feed_generation, feeds_at, row_count) values (");
    query.bind(tenant).push(", 1, 1, ").bind(now).push(
        ", 0) on conflict (tenant) do update set generation = impact.generation + 1,
            feed_generation = impact.feed_generation + 1, feeds_at = excluded.feeds_at",
    );
    query.execute(tx).await?;
    Ok(())
}

/// Notes that a feed was read and is what it was.
pub async fn feeds_confirmed(tx: &mut Tx, tenant: &str, now: i64) -> Result<(), LedgerError> {
    let mut query = Query::new("update impact set feeds_at = ");
    query.bind(now).push(" where tenant = ").bind(tenant);
    query.execute(tx).await?;
    Ok(())
}

/// Notes that SBOMs changed and the index grew by so many rows.
pub async fn sboms_changed(tx: &mut Tx, tenant: &str, grown: i64, now: i64) -> Result<(), LedgerError> {
    let mut query =
        Query::new("insert into impact (tenant, generation, feed_generation, sboms_at, row_count) values (");
    query.bind(tenant).push(", 1, 0, ").bind(now).push(", ").bind(grown).push(
        ") on conflict (tenant) do update set generation = impact.generation + 1,
            sboms_at = excluded.sboms_at, row_count = impact.row_count + excluded.row_count",
    );
    query.execute(tx).await?;
    Ok(())
}

/// The targets within a scope, in the order of digests.
pub async fn candidates(
    tx: &mut Tx,
    tenant: &str,
    scope: &ImpactScope,
) -> Result<Vec<TargetRef>, LedgerError> {
    let mut query = Query::new("with exploited as (select distinct c.target_key from kev k");
    query.push(
        " cross join advisory_ids i cross join advisory_ids alias cross join advisory_ids same
        cross join advisory_packages a cross join package_names n cross join components c
        where i.tenant = k.tenant and i.vuln_id = k.cve and k.tenant = ",
    );
    query.bind(tenant).push(TOUCHED).push(
        ") select t.target_key, t.target_id, t.digest, t.placement, t.name,
            cast(case when t.target_key in (select target_key from exploited) then 1 else 0 end as bigint)
                as kev_affected
        from ",
    );
    targets_within(&mut query, tx, tenant, std::slice::from_ref(scope))?;
    query.push(" order by t.digest, t.target_key");
    query.fetch_all(tx).await
}

/// How many targets are within all of these scopes, by namespace and shard. The number of shards is a power of two, so
/// that the low bits of the placement are its remainder, whatever its sign.
pub async fn count(
    tx: &mut Tx,
    tenant: &str,
    scopes: &[ImpactScope],
    shards: PowerOfTwo,
) -> Result<Vec<ImpactCount>, LedgerError> {
    let mut query = Query::new(
        "select s.namespace, s.shard, count(*) as targets from (select t.namespace, t.placement & ",
    );
    query.bind(shards.0 - 1).push(" as shard from ");
    targets_within(&mut query, tx, tenant, scopes)?;
    query.push(") s group by s.namespace, s.shard");
    query.fetch_all(tx).await
}

/// A number of shards that is a power of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerOfTwo(i64);

impl PowerOfTwo {
    /// Two to the power of `exponent`.
    pub const fn of(exponent: u8) -> Self {
        Self(1 << exponent)
    }
    /// The number itself.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// The first targets within all of these scopes, by name, version and id.
pub async fn sample(
    tx: &mut Tx,
    tenant: &str,
    scopes: &[ImpactScope],
    limit: i64,
) -> Result<Vec<ImpactSample>, LedgerError> {
    let mut query = Query::new("select t.digest, t.name, t.version from ");
    targets_within(&mut query, tx, tenant, scopes)?;
    query.push(" order by t.name, t.version, t.target_id limit ").bind(limit);
    query.fetch_all(tx).await
}

/// Targets evaluated and microseconds taken by the last runs that ended well, to judge the next one by.
pub async fn pace(tx: &mut Tx, tenant: &str) -> Result<(i64, i64), LedgerError> {
    let mut query = Query::new(
        "select cast(coalesce(sum(processed), 0) as bigint), cast(coalesce(sum(taken), 0) as bigint)
        from (select processed, finished_at - started_at as taken from runs
            where state = 'completed' and processed > 0 and started_at is not null and finished_at is not null
                and tenant = ",
    );
    query.bind(tenant).push(" order by finished_at desc limit 5) recent");
    Ok(query.fetch_optional(tx).await?.unwrap_or_default())
}

/// Which of the keys are known here, and which are known to be exploited.
pub async fn known(tx: &mut Tx, tenant: &str, keys: &ImpactKeys) -> Result<KnownKeys, LedgerError> {
    let mut query = Query::new("select distinct cast(r.value ->> 3 as bigint) from ");
    rows::push(&mut query, tx, &package_rows(keys))?;
    query.push(" cross join package_names n where n.tenant = ").bind(tenant).push(NAMED);
    query.push(" and exists (select 1 from components c where c.package_key = n.package_key)");
    let packages = numbers(query, tx).await?;

    let vulns: Vec<(&str, usize)> =
        keys.vuln_ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let mut query = Query::new("select cast(r.value ->> 1 as bigint) from ");
    rows::push(&mut query, tx, &vulns)?;
    query.push(" where exists (select 1 from advisory_ids i where i.vuln_id = r.value ->> 0 and i.tenant = ");
    query.bind(tenant).push(") or exists (select 1 from kev k where k.cve = r.value ->> 0 and k.tenant = ");
    query.bind(tenant).push(")");
    let vuln_ids = numbers(query, tx).await?;

    let mut query = Query::new("select cast(r.value ->> 1 as bigint) from ");
    rows::push(&mut query, tx, &vulns)?;
    query.push(" where exists (select 1 from kev k where k.cve = r.value ->> 0 and k.tenant = ");
    query.bind(tenant).push(
        ") or exists (select 1 from advisory_ids i
            join advisory_ids other on other.advisory_key = i.advisory_key
            join kev k on k.tenant = other.tenant and k.cve = other.vuln_id
            where i.vuln_id = r.value ->> 0 and i.tenant = ",
    );
    query.bind(tenant).push(")");
    let exploited = numbers(query, tx).await?;
    Ok(KnownKeys { packages, vuln_ids, exploited })
}

async fn numbers(query: Query, tx: &mut Tx) -> Result<Vec<i64>, LedgerError> {
    let rows: Vec<(i64,)> = query.fetch_all(tx).await?;
    let mut numbers: Vec<i64> = rows.into_iter().map(|(number,)| number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Ecosystem, name, version or nothing, and the place in the list.
fn package_rows(keys: &ImpactKeys) -> Vec<(&str, &str, Option<&str>, usize)> {
    keys.packages
        .iter()
        .enumerate()
        .map(|(at, key)| (key.ecosystem.as_str(), key.name.as_str(), key.version.as_deref(), at))
        .collect()
}

// `cross join` instead of `join … on`: SQLite then keeps the order of the tables, which is that of the look-up. Left to
// itself it starts from the tenant's names, which takes a thousand times as long. To Postgres both mean the same.

/// Names of packages that a row of `package_rows` means.
const NAMED: &str = " and n.ecosystem = r.value ->> 0 and n.name = r.value ->> 1
    and (r.value ->> 2 is null or n.version = r.value ->> 2)";
/// Components of the packages that records speak of which share a name with the record `i`.
const TOUCHED: &str = " and alias.advisory_key = i.advisory_key
    and same.tenant = alias.tenant and same.vuln_id = alias.vuln_id
    and a.advisory_key = same.advisory_key
    and n.tenant = a.tenant and n.ecosystem = a.ecosystem and n.name = a.name
    and c.package_key = n.package_key";

/// Goes on with the targets `t` within all of these scopes. The first scope that is one of keys leads to them; the
/// others only restrict.
fn targets_within(
    query: &mut Query,
    tx: &Tx,
    tenant: &str,
    scopes: &[ImpactScope],
) -> Result<(), LedgerError> {
    let leader = scopes.iter().position(|scope| matches!(scope, ImpactScope::Keys(_)));
    match leader.map(|at| &scopes[at]) {
        Some(ImpactScope::Keys(keys)) => {
            query.push("(");
            holders(query, tx, tenant, keys)?;
            query.push(") h cross join targets t where t.target_key = h.target_key and t.tenant = ");
        }
        Some(ImpactScope::All | ImpactScope::Selector { .. } | ImpactScope::Digests(_)) | None => {
            query.push("targets t where t.tenant = ");
        }
    }
    query.bind(tenant);
    for (at, scope) in scopes.iter().enumerate() {
        if Some(at) != leader {
            restrict(query, tx, tenant, scope)?;
        }
    }
    Ok(())
}

/// Goes on with the keys of the targets that hold a package or are touched by a vulnerability, each once.
fn holders(query: &mut Query, tx: &Tx, tenant: &str, keys: &ImpactKeys) -> Result<(), LedgerError> {
    query.push("select c.target_key from ");
    rows::push(query, tx, &package_rows(keys))?;
    query.push(" cross join package_names n cross join components c where n.tenant = ").bind(tenant);
    query.push(NAMED).push(" and c.package_key = n.package_key");
    let vulns: Vec<[&str; 1]> = keys.vuln_ids.iter().map(|id| [id.as_str()]).collect();
    query.push(" union select c.target_key from ");
    rows::push(query, tx, &vulns)?;
    query.push(
        " cross join advisory_ids i cross join advisory_ids alias cross join advisory_ids same
        cross join advisory_packages a cross join package_names n cross join components c
        where i.vuln_id = r.value ->> 0 and i.tenant = ",
    );
    query.bind(tenant).push(TOUCHED);
    Ok(())
}

/// Goes on with the conditions of a scope on `t`.
fn restrict(query: &mut Query, tx: &Tx, tenant: &str, scope: &ImpactScope) -> Result<(), LedgerError> {
    match scope {
        ImpactScope::All => {}
        ImpactScope::Selector { namespaces, repositories, labels } => {
            if !namespaces.is_empty() {
                among(query, tx, " and t.namespace in (select r.value ->> 0 from ", namespaces)?;
            }
            if !repositories.is_empty() {
                among(query, tx, " and t.repository in (select r.value ->> 0 from ", repositories)?;
            }
            for (label, value) in labels {
                // SQLite would read a label such as `$.a` as a path, and refuses an empty one.
                query.push(match tx.is_postgres() {
                    true => " and exists (select 1 from json_each_text(t.labels::json) l where l.key = ",
                    false => " and exists (select 1 from json_each(t.labels) l where l.key = ",
                });
                query.bind(label.as_str()).push(" and l.value = ").bind(value.as_str()).push(")");
            }
        }
        ImpactScope::Digests(digests) => {
            among(query, tx, " and t.digest in (select r.value ->> 0 from ", digests)?;
        }
        ImpactScope::Keys(keys) => {
            query.push(" and t.target_key in (");
            holders(query, tx, tenant, keys)?;
            query.push(")");
        }
    }
    Ok(())
}

fn among(query: &mut Query, tx: &Tx, head: &'static str, words: &[String]) -> Result<(), LedgerError> {
    let rows: Vec<[&str; 1]> = words.iter().map(|word| [word.as_str()]).collect();
    query.push(head);
    rows::push(query, tx, &rows)?;
    query.push(")");
    Ok(())
}
