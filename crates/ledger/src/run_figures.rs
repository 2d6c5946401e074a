//! Runs in figures: by hour and trigger, how they ended and how long they took, what is late and what fails alike.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sqlx::FromRow;

/// Runs that were asked for in one span, of one trigger.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AskedRow {
    /// The start of the span.
    pub at: i64,
    /// What set them off.
    pub run_trigger: String,
    /// How many.
    pub runs: i64,
}

/// Runs that ended in one span.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct EndedRow {
    /// The start of the span.
    pub at: i64,
    /// How many.
    pub runs: i64,
    /// Of those, in an error.
    pub failed: i64,
    /// How long they took from their start, together.
    pub ms: i64,
}

/// Runs that took equally long.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TookRow {
    /// How long.
    pub ms: i64,
    /// How many.
    pub runs: i64,
}

/// Runs that ended with one code.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CodeRow {
    /// The code.
    pub error_code: String,
    /// How many.
    pub runs: i64,
    /// When the first of them ended.
    pub first_at: i64,
    /// When the last of them ended.
    pub last_at: i64,
}

/// What samples showed in one span.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct SameRow {
    /// The start of the span.
    pub at: i64,
    /// The mean score.
    pub mean: f64,
    /// Runs with a score.
    pub runs: i64,
    /// Segments that were evaluated once more.
    pub sample: i64,
}

/// A run that waits in planning.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PlanningRow {
    /// The run.
    pub run_id: String,
    /// When it was asked for.
    pub created_at: i64,
}

/// How deep the queue was over the last while.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct DeepRow {
    /// The newest sample.
    pub newest: Option<i64>,
    /// What it counted.
    pub queued: Option<i64>,
    /// The newest sample that was not deep; none where all that are kept were.
    pub last_shallow: Option<i64>,
    /// The oldest sample that is kept.
    pub oldest: Option<i64>,
}

const ASKED: Sql = Sql::both(
    "select created_at / $3 * $3 as at, run_trigger, count(*) as runs
    from runs
    where tenant = $1 and created_at >= $2
    group by created_at / $3, run_trigger
    order by created_at / $3, run_trigger",
);
const ENDED: Sql = Sql::both(
    "select finished_at / $3 * $3 as at, count(*) as runs,
        cast(sum(case when state = 'error' then 1 else 0 end) as bigint) as failed,
        cast(sum((finished_at - coalesce(started_at, created_at)) / 1000) as bigint) as ms
    from runs
    where tenant = $1 and finished_at is not null and finished_at >= $2
    group by finished_at / $3
    order by finished_at / $3",
);
const TOOK: Sql = Sql::both(
    "select (finished_at - coalesce(started_at, created_at)) / 1000 as ms, count(*) as runs
    from runs
    where tenant = $1 and finished_at is not null and finished_at >= $2
    group by 1
    order by 1",
);
const SAME: Sql = Sql::both(
    "select finished_at / $3 * $3 as at, avg(determinism_score) as mean, count(*) as runs,
        cast(coalesce(sum(determinism_sample), 0) as bigint) as sample
    from runs
    where tenant = $1 and finished_at is not null and finished_at >= $2 and determinism_score is not null
    group by finished_at / $3
    order by finished_at / $3",
);
const FAILED: Sql = Sql::both("select count(*) from runs where tenant = $1 and state = 'error'");
const CODES: Sql = Sql::both(
    "select error_code, count(*) as runs, min(finished_at) as first_at, max(finished_at) as last_at
    from runs
    where tenant = $1 and state = 'error' and finished_at >= $2 and error_code is not null
    group by error_code
    having count(*) >= $3
    order by count(*) desc, error_code",
);
const NEWEST_OF: Sql = Sql::both(
    "select run_id
    from runs
    where tenant = $1 and state = 'error' and finished_at = $2 and error_code = $3
    order by run_key desc
    limit 1",
);
const PLANNING: Sql = Sql::both(
    "select run_id, created_at
    from runs
    where state in ('planning', 'queued', 'running') and state = 'planning' and tenant = $1
    order by created_at, run_key
    limit 1",
);
const DEEP: Sql = Sql::both(
    "select max(at) as newest, min(at) as oldest,
        (select queued from depth_samples where tenant = $1 order by at desc limit 1) as queued,
        (select max(at) from depth_samples where tenant = $1 and queued <= $2) as last_shallow
    from depth_samples
    where tenant = $1",
);

/// Runs that were asked for since then, by span and trigger.
pub async fn asked(tx: &mut Tx, tenant: &str, since: i64, span: i64) -> Result<Vec<AskedRow>, LedgerError> {
    let text = ASKED.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(since).bind(span).fetch_all(connection).await?
    }))
}

/// Runs that ended since then, by span.
pub async fn ended(tx: &mut Tx, tenant: &str, since: i64, span: i64) -> Result<Vec<EndedRow>, LedgerError> {
    let text = ENDED.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(since).bind(span).fetch_all(connection).await?
    }))
}

/// How long the runs took that ended since then, the shortest first.
pub async fn took(tx: &mut Tx, tenant: &str, since: i64) -> Result<Vec<TookRow>, LedgerError> {
    let text = TOOK.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).bind(since).fetch_all(connection).await?))
}

/// What samples of runs that ended since then showed, by span.
pub async fn same(tx: &mut Tx, tenant: &str, since: i64, span: i64) -> Result<Vec<SameRow>, LedgerError> {
    let text = SAME.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(since).bind(span).fetch_all(connection).await?
    }))
}

/// How many runs ever ended in an error.
pub async fn failed(tx: &mut Tx, tenant: &str) -> Result<i64, LedgerError> {
    let text = FAILED.text(tx);
    let (count,): (i64,) =
        on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_one(connection).await?);
    Ok(count)
}

/// Codes with which at least so many runs ended since then, the most first.
pub async fn codes(tx: &mut Tx, tenant: &str, since: i64, least: i64) -> Result<Vec<CodeRow>, LedgerError> {
    let text = CODES.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(since).bind(least).fetch_all(connection).await?
    }))
}

/// The newest run that ended with a code at this time.
pub async fn newest_of(
    tx: &mut Tx,
    tenant: &str,
    finished_at: i64,
    code: &str,
) -> Result<Option<String>, LedgerError> {
    let text = NEWEST_OF.text(tx);
    let found: Option<(String,)> = on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(finished_at).bind(code).fetch_optional(connection).await?
    });
    Ok(found.map(|(run_id,)| run_id))
}

/// The run that has waited in planning for longest.
pub async fn longest_in_planning(tx: &mut Tx, tenant: &str) -> Result<Option<PlanningRow>, LedgerError> {
    let text = PLANNING.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_optional(connection).await?))
}

/// How deep the queue was, by its samples, against this limit.
pub async fn deep(tx: &mut Tx, tenant: &str, limit: i64) -> Result<DeepRow, LedgerError> {
    let text = DEEP.text(tx);
    Ok(on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(limit).fetch_one(connection).await?
    }))
}
