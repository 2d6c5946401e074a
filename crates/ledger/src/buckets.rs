//! The token buckets of hosts.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::query::{Query, Value};
use crate::set::{fetch, json};
use sqlx::FromRow;

/// A bucket as it is stored.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct BucketRow {
    pub bucket_id: String,
    pub tenant: String,
    pub host: String,
    pub capacity: f64,
    pub base_rate: f64,
    pub tokens: f64,
    pub current_rate: f64,
    pub refilled_at: i64,
    pub frozen_until: Option<i64>,
    pub streak_from: i64,
    pub eased_at: i64,
    pub throttled_at: Option<i64>,
    pub override_rate: Option<f64>,
    pub override_until: Option<i64>,
    pub overridden_by: Option<String>,
    pub version: i64,
}

const PUT: &str = "
    insert into buckets (bucket_id, tenant, host, capacity, base_rate, tokens, current_rate, refilled_at, frozen_until,
        streak_from, eased_at, throttled_at, override_rate, override_until, overridden_by, version)
    values ";
const OVER: &str = "
    on conflict (tenant, host) do update
    set capacity = excluded.capacity, base_rate = excluded.base_rate, tokens = excluded.tokens,
        current_rate = excluded.current_rate, refilled_at = excluded.refilled_at,
        frozen_until = excluded.frozen_until, streak_from = excluded.streak_from, eased_at = excluded.eased_at,
        throttled_at = excluded.throttled_at, override_rate = excluded.override_rate,
        override_until = excluded.override_until, overridden_by = excluded.overridden_by, version = excluded.version";

/// Writes a bucket, new or changed.
pub async fn put(tx: &mut Tx, row: &BucketRow) -> Result<(), LedgerError> {
    let mut query = Query::new(PUT);
    let head: [Value; 12] = [
        row.bucket_id.as_str().into(),
        row.tenant.as_str().into(),
        row.host.as_str().into(),
        row.capacity.into(),
        row.base_rate.into(),
        row.tokens.into(),
        row.current_rate.into(),
        row.refilled_at.into(),
        row.frozen_until.into(),
        row.streak_from.into(),
        row.eased_at.into(),
        row.throttled_at.into(),
    ];
    query.push("(");
    for value in head {
        query.bind(value).push(", ");
    }
    // A fraction that is absent is spelled out, since a parameter of no kind has no type.
    match row.override_rate {
        Some(rate) => query.bind(rate),
        None => query.push("null"),
    };
    query.push(", ").bind(row.override_until).push(", ").bind(row.overridden_by.clone()).push(", ");
    query.bind(row.version).push(")").push(OVER);
    query.execute(tx).await?;
    tx.note_work();
    Ok(())
}

/// The buckets of a tenant, by host.
pub async fn of_tenant(tx: &mut Tx, tenant: &str) -> Result<Vec<BucketRow>, LedgerError> {
    const OF_TENANT: &str = "select * from buckets where tenant = $1 order by host";
    Ok(on_db!(tx, connection => sqlx::query_as(OF_TENANT).bind(tenant).fetch_all(connection).await?))
}

/// All buckets.
pub async fn all(tx: &mut Tx) -> Result<Vec<BucketRow>, LedgerError> {
    const ALL: &str = "select * from buckets order by tenant, host";
    Ok(on_db!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await?))
}

const OF_HOSTS: Sql = Sql {
    sqlite: "select * from buckets where host in (select value from json_each($1))",
    postgres: "select * from buckets where host in (select value from json_array_elements_text($1::json))",
};

/// The buckets of these hosts, of all tenants.
pub async fn of_hosts(tx: &mut Tx, hosts: &[&str]) -> Result<Vec<BucketRow>, LedgerError> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    fetch(tx, OF_HOSTS, json(&hosts)?).await
}

/// What the sources of a host make of its bucket.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct MadeOf {
    pub tenant: String,
    pub host: String,
    pub capacity: f64,
    pub rate: f64,
}

const MADE_OF: Sql = Sql {
    sqlite: "
        select tenant, host, cast(min(bucket_capacity) as real) as capacity, min(bucket_rate) as rate
        from sources
        where host in (select value from json_each($1))
          and enabled = 1
        group by tenant, host",
    postgres: "
        select tenant, host, cast(min(bucket_capacity) as double precision) as capacity, min(bucket_rate) as rate
        from sources
        where host in (select value from json_array_elements_text($1::json))
          and enabled = 1
        group by tenant, host",
};

/// What the sources of these hosts make of their buckets, of all tenants: of several sources the strictest counts.
pub async fn made_of(tx: &mut Tx, hosts: &[&str]) -> Result<Vec<MadeOf>, LedgerError> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    fetch(tx, MADE_OF, json(&hosts)?).await
}

/// Buckets whose override has ended.
pub async fn due(tx: &mut Tx, now: i64) -> Result<Vec<BucketRow>, LedgerError> {
    const DUE: &str = "select * from buckets where override_until <= $1 order by bucket_id";
    Ok(on_db!(tx, connection => sqlx::query_as(DUE).bind(now).fetch_all(connection).await?))
}

const SUCCEEDED: Sql = Sql {
    sqlite: "
        select count(*)
        from jobs
        where source_id in (select value from json_each($1))
          and state = 'succeeded'
          and ended_at > $2",
    postgres: "
        select count(*)
        from jobs
        where source_id in (select value from json_array_elements_text($1::json))
          and state = 'succeeded'
          and ended_at > $2",
};

/// How many jobs of these sources succeeded after this time.
pub async fn succeeded(tx: &mut Tx, source_ids: &[&str], after: i64) -> Result<i64, LedgerError> {
    let (text, ids) = (SUCCEEDED.text(tx), json(&source_ids)?);
    let (count,): (i64,) = on_db!(tx, connection => {
        sqlx::query_as(text).bind(ids).bind(after).fetch_one(connection).await?
    });
    Ok(count)
}

/// Where all sources of a tenant are: id and location.
pub async fn locations(tx: &mut Tx, tenant: &str) -> Result<Vec<(String, String)>, LedgerError> {
    const LOCATIONS: &str = "select source_id, location from sources where tenant = $1";
    Ok(on_db!(tx, connection => sqlx::query_as(LOCATIONS).bind(tenant).fetch_all(connection).await?))
}
