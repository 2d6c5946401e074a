//! How much pressure each tenant is under, and what the pools of workers can bear.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::on_db;
use crate::query::{Query, Value};
use sqlx::FromRow;

/// The pressure of a tenant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct PressureRow {
    pub tenant: String,
    pub level: i64,
    pub since: i64,
    pub asked: i64,
    pub gauges: String,
    pub read_at: i64,
}

/// Writes the pressure of a tenant.
pub async fn put(tx: &mut Tx, row: &PressureRow) -> Result<(), LedgerError> {
    let values: [Value; 6] = [
        row.tenant.as_str().into(),
        row.level.into(),
        row.since.into(),
        row.asked.into(),
        row.gauges.as_str().into(),
        row.read_at.into(),
    ];
    let mut query = Query::new("insert into pressure (tenant, level, since, asked, gauges, read_at) values ");
    query.bind_list(values).push(
        " on conflict (tenant) do update
        set level = excluded.level, since = excluded.since, asked = excluded.asked,
            gauges = excluded.gauges, read_at = excluded.read_at",
    );
    query.execute(tx).await?;
    Ok(())
}

/// The pressure of everybody.
pub async fn all(tx: &mut Tx) -> Result<Vec<PressureRow>, LedgerError> {
    const ALL: &str = "select * from pressure order by tenant";
    Ok(on_db!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await?))
}

/// Jobs of a tenant that are ready or held by a limit, and since when the oldest ready one waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct Depth {
    pub waiting: i64,
    pub oldest: Option<i64>,
}

const DEPTH: &str = "
    select
        (select count(*) from jobs where state = 'queued' and tenant = $1)
        + (select count(*) from jobs where state = 'pending' and tenant = $1
            and wait_reason in ('quota_max_active', 'quota_max_per_hour', 'rate_limited',
                'breaker_open', 'blackout', 'backpressure', 'paused')) as waiting,
        (select min(queued_at) from jobs where state = 'queued' and tenant = $1) as oldest";

/// How deep a tenant's queue is.
pub async fn depth(tx: &mut Tx, tenant: &str) -> Result<Depth, LedgerError> {
    Ok(on_db!(tx, connection => sqlx::query_as(DEPTH).bind(tenant).fetch_one(connection).await?))
}

/// A pool as it is stored.
#[derive(Debug, Clone, PartialEq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct PoolRow {
    pub pool: String,
    pub max_held: Option<i64>,
    pub recommended: i64,
    pub utilisation: f64,
    pub error_rate: f64,
    pub p95_ms: Option<i64>,
    pub median_ms: Option<i64>,
    pub adjusted_at: i64,
    /// Whether the bound is what the rule recommends.
    pub follows: i64,
}

/// The pool of a worker, and the bound on it.
pub async fn pool_of(tx: &mut Tx, worker_id: &str) -> Result<Option<(String, Option<i64>)>, LedgerError> {
    const POOL_OF: &str = "
        select workers.name, pools.max_held
        from workers
        left join pools on pools.pool = workers.name
        where workers.worker_id = $1";
    Ok(on_db!(tx, connection => {
        sqlx::query_as(POOL_OF).bind(worker_id).fetch_optional(connection).await?
    }))
}

/// Writes a pool.
pub async fn put_pool(tx: &mut Tx, row: &PoolRow) -> Result<(), LedgerError> {
    let values: [Value; 9] = [
        row.pool.as_str().into(),
        row.max_held.into(),
        row.recommended.into(),
        row.utilisation.into(),
        row.error_rate.into(),
        row.p95_ms.into(),
        row.median_ms.into(),
        row.adjusted_at.into(),
        row.follows.into(),
    ];
    let mut query = Query::new(
        "insert into pools (pool, max_held, recommended, utilisation, error_rate, p95_ms, median_ms, adjusted_at,
            follows)
        values ",
    );
    query.bind_list(values).push(
        " on conflict (pool) do update
        set max_held = excluded.max_held, recommended = excluded.recommended, utilisation = excluded.utilisation,
            error_rate = excluded.error_rate, p95_ms = excluded.p95_ms, median_ms = excluded.median_ms,
            adjusted_at = excluded.adjusted_at, follows = excluded.follows",
    );
    query.execute(tx).await?;
    Ok(())
}

/// All pools.
pub async fn pools(tx: &mut Tx) -> Result<Vec<PoolRow>, LedgerError> {
    const POOLS: &str = "select * from pools order by pool";
    Ok(on_db!(tx, connection => sqlx::query_as(POOLS).fetch_all(connection).await?))
}

/// A pool's workers that were heard of lately: name, and how many jobs they hold at most in sum.
pub async fn workers(tx: &mut Tx, since: i64) -> Result<Vec<(String, i64)>, LedgerError> {
    const WORKERS: &str = "
        select name, cast(sum(concurrency) as bigint)
        from workers
        where last_heartbeat_at >= $1
        group by name
        order by name";
    Ok(on_db!(tx, connection => sqlx::query_as(WORKERS).bind(since).fetch_all(connection).await?))
}

/// How the jobs of each pool that ended since then went: pool, state, milliseconds; the newest first, at most so many.
pub async fn ended(
    tx: &mut Tx,
    tenant: &str,
    since: i64,
    limit: i64,
) -> Result<Vec<(String, String, i64, i64)>, LedgerError> {
    const ENDED: &str = "
        select workers.name, jobs.state, (jobs.ended_at - coalesce(jobs.attempt_started_at, jobs.ended_at)) / 1000,
            jobs.ended_at
        from jobs
        join workers on workers.worker_id = jobs.worker_id
        where jobs.tenant = $1 and jobs.ended_at >= $2 and jobs.state in ('succeeded', 'failed', 'timed_out')
        order by jobs.ended_at desc
        limit $3";
    Ok(on_db!(tx, connection => {
        sqlx::query_as(ENDED).bind(tenant).bind(since).bind(limit).fetch_all(connection).await?
    }))
}
