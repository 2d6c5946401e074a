//! What `/metrics` reads beside the figures of the first page: runs and segments over all tenants.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sqlx::FromRow;

/// Runs of one mode and state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RunRow {
    /// The mode.
    pub mode: String,
    /// The state.
    pub state: String,
    /// How many.
    pub runs: i64,
    /// How many of them were planned.
    pub planned: i64,
    /// New findings of any severity.
    pub new_findings: i64,
    /// New critical ones.
    pub new_critical: i64,
    /// New high ones.
    pub new_high: i64,
    /// Findings now known to be exploited.
    pub kev_added: i64,
    /// Evaluated targets.
    pub targets: i64,
    /// Those whose findings changed.
    pub changed_targets: i64,
}

const RUNS: Sql = Sql::both(
    "select mode, state, count(*) as runs, count(planned_at) as planned,
        cast(coalesce(sum(new_critical + new_high + new_medium + new_low + new_unknown), 0) as bigint)
            as new_findings,
        cast(coalesce(sum(new_critical), 0) as bigint) as new_critical,
        cast(coalesce(sum(new_high), 0) as bigint) as new_high,
        cast(coalesce(sum(kev_added), 0) as bigint) as kev_added,
        cast(coalesce(sum(processed), 0) as bigint) as targets,
        cast(coalesce(sum(changed_targets), 0) as bigint) as changed_targets
    from runs
    group by mode, state
    order by mode, state",
);

/// Runs by mode and state.
pub async fn runs(tx: &mut Tx) -> Result<Vec<RunRow>, LedgerError> {
    let text = RUNS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

/// Open runs of one mode and schedule.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BacklogRow {
    /// The mode.
    pub mode: String,
    /// The schedule, if one started them.
    pub schedule_id: Option<String>,
    /// Targets not yet evaluated.
    pub backlog: i64,
}

const BACKLOGS: Sql = Sql::both(
    "select mode, schedule_id,
        cast(coalesce(sum(candidates - processed - failed), 0) as bigint) as backlog
    from runs
    where state in ('planning', 'queued', 'running')
    group by mode, schedule_id
    order by mode, schedule_id",
);

/// What open runs have left to do, by mode and schedule.
pub async fn backlogs(tx: &mut Tx) -> Result<Vec<BacklogRow>, LedgerError> {
    let text = BACKLOGS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

/// Runs that took equally many milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DurationRow {
    /// The mode.
    pub mode: String,
    /// The state they ended in.
    pub state: String,
    /// How long they took.
    pub ms: i64,
    /// How many.
    pub runs: i64,
}

const DURATIONS: Sql = Sql::both(
    "select mode, state, (finished_at - coalesce(started_at, created_at)) / 1000 as ms, count(*) as runs
    from runs
    where finished_at is not null
    group by 1, 2, 3
    order by 1, 2, 3",
);
const PLANNING: Sql = Sql::both(
    "select mode, 'planned' as state, (planned_at - created_at) / 1000 as ms, count(*) as runs
    from runs
    where planned_at is not null
    group by 1, 3
    order by 1, 3",
);

/// How long finished runs took, from their start.
pub async fn durations(tx: &mut Tx) -> Result<Vec<DurationRow>, LedgerError> {
    let text = DURATIONS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

/// How long the planning of runs took.
pub async fn planning(tx: &mut Tx) -> Result<Vec<DurationRow>, LedgerError> {
    let text = PLANNING.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

/// Segments of finished runs.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SegmentRow {
    /// The mode of their runs.
    pub mode: String,
    /// Their state.
    pub state: String,
    /// How many.
    pub segments: i64,
}

// Of finished runs only: a failed segment of an open one may be tried again, and a counter never falls.
const SEGMENTS: Sql = Sql::both(
    "select runs.mode, segments.state, count(*) as segments
    from runs
    join segments on segments.run_key = runs.run_key
    where runs.finished_at is not null
    group by runs.mode, segments.state
    order by runs.mode, segments.state",
);

/// Segments of finished runs, by mode and state.
pub async fn segments(tx: &mut Tx) -> Result<Vec<SegmentRow>, LedgerError> {
    let text = SEGMENTS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

const BEATS: Sql = Sql::both("select planner_id, last_beat_at from planner_beats order by planner_id");

/// When each planner was last alive.
pub async fn planner_beats(tx: &mut Tx) -> Result<Vec<(String, i64)>, LedgerError> {
    let text = BEATS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

/// Numbers under one or two words.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct WordRow {
    /// The first word: a host, a key, a backfill.
    pub word: String,
    /// The second: a reason, a state; empty where there is none.
    pub other: String,
    /// The number.
    pub number: f64,
}

const HITS: Sql = Sql::both(
    "select key as word, reason as other, cast(sum(hits) as double precision) as number
    from throttles
    where kind = 'bucket'
    group by key, reason
    order by key, reason",
);
const TOKENS: Sql = Sql::both(
    "select host as word, '' as other, sum(tokens) as number
    from buckets
    group by host
    order by host",
);
const RATES: Sql = Sql::both(
    "select host as word, '' as other, sum(coalesce(override_rate, current_rate)) as number
    from buckets
    group by host
    order by host",
);
const BREAKERS: Sql = Sql::both(
    "select kind as word, key as other,
        cast(max(case state when 'open' then 2 when 'half_open' then 1 else 0 end) as double precision) as number
    from breakers
    group by kind, key
    order by kind, key",
);
const WINDOWS: Sql = Sql::both(
    "select backfill_windows.backfill_id as word, backfill_windows.state as other,
        cast(count(*) as double precision) as number
    from backfills
    join backfill_windows on backfill_windows.backfill_id = backfills.backfill_id
    where backfills.state in ('running', 'paused')
    group by backfill_windows.backfill_id, backfill_windows.state
    order by backfill_windows.backfill_id, backfill_windows.state",
);
const PRESSURE: Sql = Sql::both("select coalesce(max(level), 0) from pressure");

async fn words(tx: &mut Tx, sql: Sql) -> Result<Vec<WordRow>, LedgerError> {
    let text = sql.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).fetch_all(connection).await?))
}

/// How often hosts said that it was too much, by host and reason.
pub async fn rate_limit_hits(tx: &mut Tx) -> Result<Vec<WordRow>, LedgerError> {
    words(tx, HITS).await
}

/// What is in the buckets, by host, as it was when they were last filled.
pub async fn bucket_tokens(tx: &mut Tx) -> Result<Vec<WordRow>, LedgerError> {
    words(tx, TOKENS).await
}

/// How fast the buckets fill, by host.
pub async fn bucket_rates(tx: &mut Tx) -> Result<Vec<WordRow>, LedgerError> {
    words(tx, RATES).await
}

/// The worst state of each breaker, by kind and key: 0 closed, 1 half open, 2 open.
pub async fn breaker_states(tx: &mut Tx) -> Result<Vec<WordRow>, LedgerError> {
    words(tx, BREAKERS).await
}

/// Windows of backfills that have not ended, by backfill and state.
pub async fn backfill_windows(tx: &mut Tx) -> Result<Vec<WordRow>, LedgerError> {
    words(tx, WINDOWS).await
}

/// The highest level of pressure, 0 to 3.
pub async fn pressure_level(tx: &mut Tx) -> Result<i64, LedgerError> {
    let text = PRESSURE.text(tx);
    let (level,): (i64,) = on_db!(tx, connection => sqlx::query_as(text).fetch_one(connection).await?);
    Ok(level)
}
