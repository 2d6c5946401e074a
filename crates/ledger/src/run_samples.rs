//! The backlog of runs over time: a sample per minute of each tenant, and of each of its schedules that has any.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sqlx::FromRow;

/// The backlog at one moment; of one schedule, or of the tenant when none is named.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BacklogRow {
    /// The schedule.
    pub schedule_id: Option<String>,
    /// When.
    pub at: i64,
    /// Runs in planning.
    pub planner: i64,
    /// Targets of queued and running runs that are not evaluated yet.
    pub executor: i64,
}

// The casts tell Postgres the types of bare parameters; the `where` tells SQLite's parser that `on conflict` is not the
// start of a join.
const TAKE: Sql = Sql::both(
    "insert into backlog_samples (tenant, at, schedule_id, planner, executor)
    select cast($1 as text), cast($2 as bigint), cast(null as text),
        (select count(*) from runs where state in ('planning', 'queued', 'running') and state = 'planning' and tenant = $1),
        (select cast(coalesce(sum(candidates - processed - failed), 0) as bigint) from runs
            where state in ('planning', 'queued', 'running') and state <> 'planning' and tenant = $1)
    where true
    on conflict do nothing",
);
const SINCE: Sql = Sql::both(
    "select schedule_id, at / $3 * $3 as at, max(planner) as planner, max(executor) as executor
    from backlog_samples
    where tenant = $1 and at >= $2
    group by schedule_id, at / $3
    order by coalesce(schedule_id, ''), at / $3",
);
const FORGET: Sql = Sql::both("delete from backlog_samples where at < $1");

/// Counts the tenant's backlog and notes it.
pub async fn take(tx: &mut Tx, tenant: &str, now: i64) -> Result<(), LedgerError> {
    let text = TAKE.text(tx);
    on_db!(tx, connection => sqlx::query(text).bind(tenant).bind(now).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// The highest backlog of each span of `span` microseconds since then: the tenant's own first, then by schedule, each
/// oldest first.
pub async fn since(tx: &mut Tx, tenant: &str, from: i64, span: i64) -> Result<Vec<BacklogRow>, LedgerError> {
    let text = SINCE.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(from).bind(span).fetch_all(connection).await?
    }))
}

/// Forgets samples from before this time.
pub async fn forget(tx: &mut Tx, before: i64) -> Result<u64, LedgerError> {
    let text = FORGET.text(tx);
    Ok(on_db!(tx, connection => sqlx::query(text).bind(before).execute(connection).await?.rows_affected()))
}
