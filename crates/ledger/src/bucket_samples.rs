//! How fast each host was read: what its bucket's rate was at the end of a minute, noted when it was another than before.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::set::{execute, json};
use serde::Serialize;
use sqlx::FromRow;

/// The rate of a host's bucket from a time on.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize)]
pub struct RateRow {
    /// Whose bucket.
    pub tenant: String,
    /// Of which host.
    pub host: String,
    /// From when.
    pub at: i64,
    /// Tokens per second.
    pub rate: f64,
}

// What is as it was is not noted again; the `where` before `on conflict` is for SQLite's parser, too.
const NOTE: Sql = Sql {
    sqlite: "
        insert into bucket_samples (tenant, host, at, rate)
        select r.value ->> 'tenant', r.value ->> 'host', r.value ->> 'at', r.value ->> 'rate'
        from json_each($1) as r
        where not exists (
            select 1
            from bucket_samples as last
            where last.tenant = r.value ->> 'tenant'
              and last.host = r.value ->> 'host'
              and last.rate = r.value ->> 'rate'
              and last.at = (
                select max(newest.at)
                from bucket_samples as newest
                where newest.tenant = last.tenant and newest.host = last.host))
        on conflict do nothing",
    postgres: "
        insert into bucket_samples (tenant, host, at, rate)
        select r.tenant, r.host, r.at, r.rate
        from json_to_recordset($1::json) as r (tenant text, host text, at bigint, rate double precision)
        where not exists (
            select 1
            from bucket_samples as last
            where last.tenant = r.tenant
              and last.host = r.host
              and last.rate = r.rate
              and last.at = (
                select max(newest.at)
                from bucket_samples as newest
                where newest.tenant = last.tenant and newest.host = last.host))
        on conflict do nothing",
};

/// Notes rates that are other than what was noted of their hosts last.
pub async fn note(tx: &mut Tx, rates: &[RateRow]) -> Result<(), LedgerError> {
    if rates.is_empty() {
        return Ok(());
    }
    execute(tx, NOTE, json(rates)?).await
}

const SINCE: Sql = Sql::both(
    "select tenant, host, at, rate
    from bucket_samples as sample
    where tenant = $1
      and (at >= $2 or at = (
        select max(before.at)
        from bucket_samples as before
        where before.tenant = sample.tenant and before.host = sample.host and before.at < $2))
    order by host, at",
);

/// What was noted of a tenant's hosts since then, and what had been noted last before, by host and time.
pub async fn since(tx: &mut Tx, tenant: &str, from: i64) -> Result<Vec<RateRow>, LedgerError> {
    let text = SINCE.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).bind(from).fetch_all(connection).await?))
}

const FORGET: Sql = Sql::both(
    "delete from bucket_samples
    where at < $1
      and exists (
        select 1
        from bucket_samples as newer
        where newer.tenant = bucket_samples.tenant
          and newer.host = bucket_samples.host
          and newer.at > bucket_samples.at
          and newer.at <= $1)",
);

/// Forgets what was noted before this time, save the rate that was in force then.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, LedgerError> {
    let text = FORGET.text(tx);
    Ok(on_db!(tx, connection => sqlx::query(text).bind(before).execute(connection).await?.rows_affected()))
}
