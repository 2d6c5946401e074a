//! Who does the work.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::record::Cell;
use crate::set::{fetch, json};
use stella_contract::ids::{Tenant, WorkerId};
use stella_contract::time::Micros;
use stella_contract::worker::WorkerWish;

/// A worker's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRecord {
    /// Its id.
    pub worker_id: WorkerId,
    /// The tenant it works for; `None` when it works for all.
    pub tenant: Option<Tenant>,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is built with.
    pub sdk: Option<String>,
    /// The machine it runs on.
    pub hostname: String,
    /// Job types it takes.
    pub job_types: Vec<String>,
    /// How many jobs it holds at most.
    pub concurrency: i32,
    /// The task runner it works for.
    pub task_runner_id: Option<String>,
    /// What is wanted of it.
    pub wish: WorkerWish,
    /// Why.
    pub wish_reason: Option<String>,
    /// When it started.
    pub started_at: Micros,
    /// When it was last heard of.
    pub last_heartbeat_at: Micros,
    /// Jobs it holds, counted from live leases. Not written.
    pub in_flight: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    worker_id: String,
    tenant: Option<String>,
    name: String,
    version: String,
    sdk: Option<String>,
    hostname: String,
    job_types: String,
    concurrency: i64,
    task_runner_id: Option<String>,
    wish: String,
    wish_reason: Option<String>,
    started_at: i64,
    last_heartbeat_at: i64,
    in_flight: i64,
}

impl TryFrom<Row> for WorkerRecord {
    type Error = LedgerError;

    fn try_from(row: Row) -> Result<Self, LedgerError> {
        let id = row.worker_id.clone();
        let cell = Cell { table: "workers", id: &id };
        Ok(Self {
            worker_id: cell.word("worker_id", row.worker_id)?,
            tenant: cell.maybe("tenant", row.tenant)?,
            name: row.name,
            version: row.version,
            sdk: row.sdk,
            hostname: row.hostname,
            job_types: cell.json("job_types", &row.job_types)?,
            concurrency: cell.small("concurrency", row.concurrency)?,
            task_runner_id: row.task_runner_id,
            wish: cell.word("wish", row.wish)?,
            wish_reason: row.wish_reason,
            started_at: Micros(row.started_at),
            last_heartbeat_at: Micros(row.last_heartbeat_at),
            in_flight: row.in_flight,
        })
    }
}

const PUT: &str = "
    insert into workers
        (worker_id, tenant, name, version, sdk, hostname, job_types, concurrency, task_runner_id, wish, wish_reason,
        started_at, last_heartbeat_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict (worker_id) do update
    set name = excluded.name, version = excluded.version, sdk = excluded.sdk, hostname = excluded.hostname,
        job_types = excluded.job_types, concurrency = excluded.concurrency, task_runner_id = excluded.task_runner_id,
        wish = excluded.wish, wish_reason = excluded.wish_reason, last_heartbeat_at = excluded.last_heartbeat_at";

/// Writes a worker down, or what is new of it.
pub async fn put(tx: &mut Tx, worker: &WorkerRecord) -> Result<(), LedgerError> {
    let job_types = json(&worker.job_types)?;
    on_db!(tx, connection => {
        sqlx::query(PUT)
            .bind(worker.worker_id.as_str())
            .bind(worker.tenant.as_ref().map(Tenant::as_str))
            .bind(&worker.name)
            .bind(&worker.version)
            .bind(worker.sdk.as_deref())
            .bind(&worker.hostname)
            .bind(job_types)
            .bind(i64::from(worker.concurrency))
            .bind(worker.task_runner_id.as_deref())
            .bind(worker.wish.as_str())
            .bind(worker.wish_reason.as_deref())
            .bind(worker.started_at.0)
            .bind(worker.last_heartbeat_at.0)
            .execute(connection)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

const BEAT: &str = "update workers set last_heartbeat_at = $2 where worker_id = $1";

/// A worker is alive; whether it is known.
pub async fn beat(tx: &mut Tx, worker_id: &WorkerId, now: Micros) -> Result<bool, LedgerError> {
    let changed = on_db!(tx, connection => {
        sqlx::query(BEAT).bind(worker_id.as_str()).bind(now.0).execute(connection).await?.rows_affected()
    });
    Ok(changed > 0)
}

const WISH: &str = "update workers set wish = $2, wish_reason = $3 where worker_id = $1";

/// Something else is wanted of a worker; whether it is known.
pub async fn wish(
    tx: &mut Tx,
    worker_id: &WorkerId,
    wish: WorkerWish,
    reason: Option<&str>,
) -> Result<bool, LedgerError> {
    let changed = on_db!(tx, connection => {
        sqlx::query(WISH)
            .bind(worker_id.as_str())
            .bind(wish.as_str())
            .bind(reason)
            .execute(connection)
            .await?
            .rows_affected()
    });
    Ok(changed > 0)
}

const END_LEASES: &str = "
    update jobs
        set lease_until = 0
    where lease_until is not null
        and worker_id in (select worker_id from workers where name = $1 and hostname = $2)";

const FORGET: &str = "delete from workers where name = $1 and hostname = $2";

/// Workers of this name that cannot be alive any more: their leases are over, and they are no longer listed. The
/// reaper finds their jobs as it finds those of any worker that vanished.
pub async fn bury(tx: &mut Tx, name: &str, hostname: &str) -> Result<u64, LedgerError> {
    on_db!(tx, connection => {
        sqlx::query(END_LEASES).bind(name).bind(hostname).execute(&mut *connection).await?;
    });
    let gone = on_db!(tx, connection => {
        sqlx::query(FORGET).bind(name).bind(hostname).execute(connection).await?.rows_affected()
    });
    Ok(gone)
}

const GET: &str = "
    select worker_id, tenant, name, version, sdk, hostname, job_types, concurrency, task_runner_id, wish, wish_reason,
        started_at, last_heartbeat_at,
        (select count(*) from jobs where lease_until is not null and jobs.worker_id = workers.worker_id) as in_flight
    from workers
    where worker_id = $1";

/// The worker, when it is known.
pub async fn get(tx: &mut Tx, worker_id: &WorkerId) -> Result<Option<WorkerRecord>, LedgerError> {
    let row: Option<Row> = on_db!(tx, connection => {
        sqlx::query_as(GET).bind(worker_id.as_str()).fetch_optional(connection).await?
    });
    row.map(WorkerRecord::try_from).transpose()
}

/// How a worker stands, without what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The worker.
    pub worker_id: WorkerId,
    /// The tenant it works for; `None` when it works for all.
    pub tenant: Option<Tenant>,
    /// What it was told to do.
    pub wish: WorkerWish,
}

const STANDINGS: Sql = Sql {
    sqlite: "
        select worker_id, tenant, wish
        from workers
        where worker_id in (select value from json_each($1))",
    postgres: "
        select worker_id, tenant, wish
        from workers
        where worker_id in (select value from json_array_elements_text($1::json))",
};

/// How these workers stand; those that are not known are left out.
pub async fn standings(tx: &mut Tx, ids: &[&str]) -> Result<Vec<Standing>, LedgerError> {
    let rows: Vec<(String, Option<String>, String)> = fetch(tx, STANDINGS, json(ids)?).await?;
    let standing = |(id, tenant, wish): (String, Option<String>, String)| {
        let cell = Cell { table: "workers", id: &id };
        Ok(Standing {
            tenant: cell.maybe("tenant", tenant)?,
            wish: cell.word("wish", wish)?,
            worker_id: cell.word("worker_id", id.clone())?,
        })
    };
    rows.into_iter().map(standing).collect()
}

const LIST: &str = "
    select worker_id, tenant, name, version, sdk, hostname, job_types, concurrency, task_runner_id, wish, wish_reason,
        started_at, last_heartbeat_at,
        (select count(*) from jobs where lease_until is not null and jobs.worker_id = workers.worker_id) as in_flight
    from workers
    where last_heartbeat_at >= $1
      and (tenant is null or tenant = $2)
    order by name, worker_id";

/// The workers of the tenant, and of all, that were heard of at `since` or later, by name.
pub async fn list(tx: &mut Tx, tenant: &str, since: Micros) -> Result<Vec<WorkerRecord>, LedgerError> {
    let rows: Vec<Row> = on_db!(tx, connection => {
        sqlx::query_as(LIST).bind(since.0).bind(tenant).fetch_all(connection).await?
    });
    rows.into_iter().map(WorkerRecord::try_from).collect()
}
