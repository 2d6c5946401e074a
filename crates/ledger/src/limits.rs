//! What the limits are held against: which of them are in force at all, what is under a lease, what is ready, what
//! waits for a limit. Nothing of it is a counter: it is read from the jobs themselves.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use crate::record::{Cell, JobRecord, JobRow, records};
use crate::set::{fetch, json};
use sqlx::FromRow;
use stella_contract::ids::Tenant;
use stella_contract::job::WaitReason;
use stella_contract::time::Micros;

/// The expression that says which kinds of limits are in force, as the sum of the bits of [`InForce`]. It looks into
/// the roots of small indexes and is part of the statement that chooses jobs, so that it costs no round trip.
#[macro_export]
macro_rules! limits_in_force {
    () => {
        "cast((case when exists (select 1 from quotas) then 1 else 0 end)
            + (case when exists (select 1 from breakers where state <> 'closed') then 2 else 0 end)
            + (case when exists (select 1 from blackouts where over_at is null) then 4 else 0 end)
            + (case when exists (select 1 from pressure where level >= 2) then 8 else 0 end)
            + (case when exists (select 1 from pools where max_held is not null) then 16 else 0 end) as bigint)"
    };
}

/// Which kinds of limits are in force for anybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InForce(pub i64);

impl InForce {
    /// Nothing is limited.
    pub const fn is_nothing(self) -> bool {
        self.0 == 0
    }
    /// There are quotas.
    pub const fn has_quotas(self) -> bool {
        self.0 & 1 != 0
    }
    /// Some breaker is not closed.
    pub const fn has_breakers(self) -> bool {
        self.0 & 2 != 0
    }
    /// Some blackout is or will be on.
    pub const fn has_blackouts(self) -> bool {
        self.0 & 4 != 0
    }
    /// Some tenant is under high pressure.
    pub const fn has_pressure(self) -> bool {
        self.0 & 8 != 0
    }
    /// Some pool is bounded.
    pub const fn has_pools(self) -> bool {
        self.0 & 16 != 0
    }
}

const IN_FORCE: &str = concat!("select ", limits_in_force!());

/// Which kinds of limits are in force.
pub async fn in_force(tx: &mut Tx) -> Result<InForce, LedgerError> {
    let (bits,): (i64,) = on_db!(tx, connection => sqlx::query_as(IN_FORCE).fetch_one(connection).await?);
    Ok(InForce(bits))
}

/// A job under a lease, as limits see it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct LiveLease {
    pub tenant: String,
    pub job_type: String,
    pub source_id: Option<String>,
    pub priority: i64,
    /// The worker's name, which is the name of its pool.
    pub pool: Option<String>,
    pub attempt_started_at: Option<i64>,
}

const LIVE: &str = "
    select jobs.tenant, jobs.job_type, jobs.source_id, jobs.priority, workers.name as pool, jobs.attempt_started_at
    from jobs
    left join workers on workers.worker_id = jobs.worker_id
    where jobs.lease_until is not null";

/// All jobs under a lease.
pub async fn live(tx: &mut Tx) -> Result<Vec<LiveLease>, LedgerError> {
    Ok(on_db!(tx, connection => sqlx::query_as(LIVE).fetch_all(connection).await?))
}

/// Ready jobs of one tenant, type and source.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct Ready {
    pub tenant: String,
    pub job_type: String,
    pub source_id: Option<String>,
    pub jobs: i64,
}

const READY: &str = "
    select tenant, job_type, source_id, count(*) as jobs
    from jobs
    where state = 'queued'
    group by tenant, job_type, source_id";

/// How many jobs are ready, by tenant, type and source.
pub async fn ready(tx: &mut Tx) -> Result<Vec<Ready>, LedgerError> {
    Ok(on_db!(tx, connection => sqlx::query_as(READY).fetch_all(connection).await?))
}

/// The words of the partial index `jobs_limited`: SQLite uses it only when the query repeats them.
macro_rules! limited {
    () => {
        "wait_reason in ('quota_max_active', 'quota_max_per_hour', 'rate_limited',
        'breaker_open', 'blackout', 'backpressure', 'paused')"
    };
}

/// The condition that a job waits for a limit, in the words of its index.
pub(crate) const LIMITED: &str = limited!();

/// The reasons under which the dispatcher looks at a job again whenever a limit may have changed.
pub const LIMIT_REASONS: [WaitReason; 7] = [
    WaitReason::QuotaMaxActive,
    WaitReason::QuotaMaxPerHour,
    WaitReason::RateLimited,
    WaitReason::BreakerOpen,
    WaitReason::Blackout,
    WaitReason::Backpressure,
    WaitReason::Paused,
];

/// Says of jobs one of each type and priority, whatever their number; each is found by jumping along an index.
const FIRST_READY: &str = "select * from jobs where state = 'queued' order by job_type, priority limit 1";
const NEXT_READY: &str = "
    select * from jobs
    where state = 'queued' and (job_type, priority) > ($1, $2)
    order by job_type, priority
    limit 1";

/// One ready job, of whichever tenant, of each type and priority.
pub async fn ready_lanes(tx: &mut Tx) -> Result<Vec<JobRecord>, LedgerError> {
    let mut rows: Vec<JobRecord> = Vec::new();
    loop {
        let next: Option<JobRow> = match rows.last() {
            None => on_db!(tx, connection => sqlx::query_as(FIRST_READY).fetch_optional(connection).await?),
            Some(last) => {
                let (job_type, priority) = (last.job.job_type.clone(), i64::from(last.job.priority));
                on_db!(tx, connection => {
                    sqlx::query_as(NEXT_READY).bind(job_type).bind(priority).fetch_optional(connection).await?
                })
            }
        };
        match next {
            Some(row) => rows.extend(records(vec![row])?),
            None => return Ok(rows),
        }
    }
}

const BELOW: &str = concat!(
    "select * from jobs where tenant = $1 and job_type = $2 and priority < $3 and state = 'pending' and ",
    limited!(),
    " order by priority desc limit 1"
);
const BEYOND: &str = concat!(
    "select * from jobs where tenant = $1 and job_type > $2 and state = 'pending' and ",
    limited!(),
    " order by job_type, priority desc limit 1"
);

/// One job of the tenant that waits for a limit of each type and priority.
pub async fn limited_lanes(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<JobRecord>, LedgerError> {
    let mut rows: Vec<JobRecord> = Vec::new();
    loop {
        let (job_type, priority) = rows.last().map_or((String::new(), 0), |last: &JobRecord| {
            (last.job.job_type.clone(), i64::from(last.job.priority))
        });
        let mut next: Option<JobRow> = on_db!(tx, connection => {
            sqlx::query_as(BELOW)
                .bind(tenant.as_str())
                .bind(job_type.as_str())
                .bind(priority)
                .fetch_optional(connection)
                .await?
        });
        if next.is_none() {
            next = on_db!(tx, connection => {
                sqlx::query_as(BEYOND).bind(tenant.as_str()).bind(job_type).fetch_optional(connection).await?
            });
        }
        match next {
            Some(row) => rows.extend(records(vec![row])?),
            None => return Ok(rows),
        }
    }
}

/// A tenant and type of which jobs wait for a limit.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct Lane {
    pub tenant: String,
    pub job_type: String,
}

/// The next lane is found by jumping along the index, whatever the number of jobs in each.
const FIRST_LANE: &str = concat!(
    "select tenant, job_type from jobs where state = 'pending' and ",
    limited!(),
    " order by tenant, job_type limit 1"
);
const NEXT_LANE: &str = concat!(
    "select tenant, job_type from jobs where state = 'pending' and ",
    limited!(),
    " and (tenant, job_type) > ($1, $2) order by tenant, job_type limit 1"
);

/// The lanes in which jobs wait for a limit, at most so many.
pub async fn lanes(tx: &mut Tx, most: usize) -> Result<Vec<Lane>, LedgerError> {
    let mut lanes: Vec<Lane> = Vec::new();
    while lanes.len() < most {
        let next: Option<Lane> = match lanes.last() {
            None => on_db!(tx, connection => sqlx::query_as(FIRST_LANE).fetch_optional(connection).await?),
            Some(last) => {
                let last = last.clone();
                on_db!(tx, connection => {
                    sqlx::query_as(NEXT_LANE).bind(last.tenant).bind(last.job_type).fetch_optional(connection).await?
                })
            }
        };
        match next {
            Some(lane) => lanes.push(lane),
            None => break,
        }
    }
    Ok(lanes)
}

const HEADS: &str = concat!(
    "select * from jobs where tenant = $1 and job_type = $2 and state = 'pending' and ",
    limited!(),
    " order by priority desc, key limit $3"
);

/// The jobs at the head of a lane, most urgent first.
pub async fn heads(tx: &mut Tx, lane: &Lane, limit: i64) -> Result<Vec<JobRecord>, LedgerError> {
    let rows: Vec<JobRow> = on_db!(tx, connection => {
        sqlx::query_as(HEADS)
            .bind(lane.tenant.as_str())
            .bind(lane.job_type.as_str())
            .bind(limit)
            .fetch_all(connection)
            .await?
    });
    records(rows)
}

/// Says anew why waiting jobs wait and until when. It is no change of their state, so their version stays.
pub async fn explain_many(tx: &mut Tx, holds: &[crate::jobs::Hold]) -> Result<(), LedgerError> {
    const EXPLAIN: Sql = Sql {
        sqlite: "
            update jobs
            set wait_reason = held.value ->> 'why', next_eligible_at = held.value ->> 'until'
            from json_each($1) as held
            where jobs.key = held.value ->> 'key'
              and jobs.state = 'pending'",
        // The state is compared as in `edges::WAITING_ON`.
        postgres: "
            update jobs
            set wait_reason = held.why, next_eligible_at = held.until
            from json_to_recordset($1::json) as held (key bigint, why text, until bigint)
            where jobs.key = held.key
              and jobs.state || '' = 'pending'",
    };
    if holds.is_empty() {
        return Ok(());
    }
    crate::set::execute(tx, EXPLAIN, crate::jobs::holds_as_json(holds)?).await
}

/// Jobs of one type, priority and source that wait for a limit, or are ready and may do so.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct Waiting {
    pub state: String,
    /// What their rows say.
    pub wait_reason: Option<String>,
    pub job_type: String,
    pub priority: i64,
    pub source_id: Option<String>,
    pub jobs: i64,
    /// When the first of them may go on, as their rows say.
    pub next_eligible_at: Option<i64>,
}

const WAITING: &str = concat!(
    "select 'pending' as state, wait_reason, job_type, priority, source_id, count(*) as jobs,
        min(next_eligible_at) as next_eligible_at
    from jobs
    where tenant = $1 and state = 'pending' and ",
    limited!(),
    " group by wait_reason, job_type, priority, source_id"
);

/// How many of a tenant's jobs wait for a limit, by reason, type, priority and source.
pub async fn waiting(tx: &mut Tx, tenant: &Tenant) -> Result<Vec<Waiting>, LedgerError> {
    Ok(on_db!(tx, connection => sqlx::query_as(WAITING).bind(tenant.as_str()).fetch_all(connection).await?))
}

/// How many of a tenant's jobs of these types are ready, by type, priority and source.
pub async fn ready_of(tx: &mut Tx, tenant: &Tenant, types: &[&str]) -> Result<Vec<Waiting>, LedgerError> {
    let mut query = crate::query::Query::new(
        "select 'queued' as state, cast(null as text) as wait_reason, job_type, priority, source_id, count(*) as jobs, \
        cast(null as bigint) as next_eligible_at from jobs where state = 'queued' and tenant = ",
    );
    query.bind(tenant.as_str()).push(" and job_type in ").bind_list(types.iter().copied());
    query.push(" group by job_type, priority, source_id");
    query.fetch_all(tx).await
}

/// A source, as limits see it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "each field is the column its name says")]
pub struct SourceFacts {
    pub source_id: String,
    pub location: String,
    pub enabled: i64,
    pub paused: i64,
}

const SOURCES: Sql = Sql {
    sqlite: "
        select source_id, location, enabled, paused
        from sources
        where source_id in (select value from json_each($1))",
    postgres: "
        select source_id, location, enabled, paused
        from sources
        where source_id in (select value from json_array_elements_text($1::json))",
};

/// Where sources are and whether they may be read.
pub async fn sources(tx: &mut Tx, ids: &[&str]) -> Result<Vec<SourceFacts>, LedgerError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    fetch(tx, SOURCES, json(&ids)?).await
}

/// How the jobs of a type have gone since then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Ended {
    /// How many ended.
    pub ended: i64,
    /// The sum of the times from start to end, in microseconds.
    pub took: Option<i64>,
    /// How many came.
    pub came: i64,
}

const ENDED: &str = "
    select count(*) as ended,
        cast(sum(ended_at - coalesce(started_at, ended_at)) as bigint) as took,
        (select count(*) from jobs where tenant = $1 and ($2 = '*' or job_type = $2) and key >= $4) as came
    from jobs
    where tenant = $1
      and ended_at >= $3
      and ($2 = '*' or job_type = $2)
      and state in ('succeeded', 'failed', 'timed_out')";

/// How the tenant's jobs of this type have gone since then; `*` for all.
pub async fn ended(
    tx: &mut Tx,
    tenant: &Tenant,
    job_type: &str,
    since: Micros,
    since_key: i64,
) -> Result<Ended, LedgerError> {
    Ok(on_db!(tx, connection => {
        sqlx::query_as(ENDED)
            .bind(tenant.as_str())
            .bind(job_type)
            .bind(since.0)
            .bind(since_key)
            .fetch_one(connection)
            .await?
    }))
}

const POSITION: &str = "
    select count(*)
    from jobs
    where state = 'queued'
      and job_type = $1
      and (priority > $2 or (priority = $2 and (queued_at < $3 or (queued_at = $3 and key < $4))))";

/// How many ready jobs of its type stand before this one, ageing left aside.
pub async fn ahead_of(tx: &mut Tx, record: &JobRecord) -> Result<i64, LedgerError> {
    let queued_at = record.job.queued_at.map_or(0, |at| at.0);
    let (ahead,): (i64,) = on_db!(tx, connection => {
        sqlx::query_as(POSITION)
            .bind(record.job.job_type.as_str())
            .bind(i64::from(record.job.priority))
            .bind(queued_at)
            .bind(record.key)
            .fetch_one(connection)
            .await?
    });
    Ok(ahead)
}

const WORKERS: &str = "select job_types from workers where wish = 'work' and last_heartbeat_at >= $1";

/// The job types that somebody works on: lists of those workers that were heard of since then.
pub async fn worked_on(tx: &mut Tx, since: Micros) -> Result<Vec<Vec<String>>, LedgerError> {
    let rows: Vec<(String,)> =
        on_db!(tx, connection => sqlx::query_as(WORKERS).bind(since.0).fetch_all(connection).await?);
    rows.into_iter()
        .map(|(types,)| Cell { table: "workers", id: "job_types" }.json("job_types", &types))
        .collect()
}
