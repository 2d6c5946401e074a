//! The figures of the first page. Each statement reads one small index; together, in one read transaction, they are
//! one snapshot.

use crate::db::{Sql, Tx};
use crate::error::LedgerError;
use crate::on_db;
use sqlx::FromRow;

/// Pending jobs of one type that wait for one reason.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WaitRow {
    /// The type.
    pub job_type: String,
    /// The reason.
    pub wait_reason: String,
    /// How many.
    pub jobs: i64,
    /// When the first of them may go on.
    pub next_eligible_at: Option<i64>,
}

/// Jobs of one type in one state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StateRow {
    /// The type.
    pub job_type: String,
    /// The state.
    pub state: String,
    /// How many.
    pub jobs: i64,
    /// When the first of them was queued.
    pub oldest_queued_at: Option<i64>,
}

/// Open runs of one state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OpenRunRow {
    /// The state.
    pub state: String,
    /// How many.
    pub runs: i64,
    /// Targets not yet evaluated.
    pub backlog: i64,
}

/// Runs that ended lately, of one state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct EndedRunRow {
    /// The state.
    pub state: String,
    /// How many.
    pub runs: i64,
    /// New findings of any severity.
    pub new_findings: i64,
    /// Findings now known to be exploited.
    pub kev_added: i64,
    /// Findings no longer listed as exploited.
    pub kev_removed: i64,
}

/// What has come in, as sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct InputRow {
    /// Sources.
    pub sources: i64,
    /// Sources of which three readings in a row failed.
    pub sources_failing: i64,
    /// Records of advisory sources.
    pub advisories: i64,
    /// Entries of exploited lists.
    pub kev_entries: i64,
    /// Targets.
    pub targets: i64,
    /// Components of all targets.
    pub components: i64,
    /// Findings of the last evaluation of every target.
    pub findings: i64,
    /// Critical ones among them.
    pub findings_critical: i64,
    /// The number of the impact index.
    pub index_generation: i64,
    /// When it last changed.
    pub index_built_at: Option<i64>,
}

const WAITING: Sql = Sql::both(
    "select job_type, wait_reason, count(*) as jobs, min(next_eligible_at) as next_eligible_at
    from jobs
    where state = 'pending' and tenant = $1
    group by job_type, wait_reason
    order by job_type, wait_reason",
);
const WAITING_ELSE: Sql = Sql::both(
    "select job_type, wait_reason, count(*) as jobs, min(next_eligible_at) as next_eligible_at
    from jobs
    where state = 'pending' and tenant = $1
      and wait_reason in ('dependency', 'upstream_failed', 'not_before', 'backoff')
    group by job_type, wait_reason
    order by job_type, wait_reason",
);
const QUEUED: Sql = Sql::both(
    "select job_type, 'queued' as state, count(*) as jobs, min(queued_at) as oldest_queued_at
    from jobs
    where state = 'queued' and tenant = $1
    group by job_type
    order by job_type",
);
const HELD: Sql = Sql::both(
    "select job_type, state, count(*) as jobs, min(queued_at) as oldest_queued_at
    from jobs
    where lease_until is not null and tenant = $1
    group by job_type, state
    order by job_type, state",
);
// From what was counted along the history: to count the rows themselves takes half a second for a million of them.
const ENDED: Sql = Sql::both(
    "select job_type, label as state, cast(sum(n) as bigint) as jobs, cast(null as bigint) as oldest_queued_at
    from job_counts
    where tenant = $1 and kind = 'ended' and at > 0 and at >= $2 / 300000000 * 300000000
    group by job_type, label
    order by job_type, label",
);
const OPEN_RUNS: Sql = Sql::both(
    "select state, count(*) as runs, cast(coalesce(sum(candidates - processed - failed), 0) as bigint) as backlog
    from runs
    where state in ('planning', 'queued', 'running') and tenant = $1
    group by state
    order by state",
);
const ENDED_RUNS: Sql = Sql::both(
    "select state, count(*) as runs,
        cast(coalesce(sum(new_critical + new_high + new_medium + new_low + new_unknown), 0) as bigint) as new_findings,
        cast(coalesce(sum(kev_added), 0) as bigint) as kev_added,
        cast(coalesce(sum(kev_removed), 0) as bigint) as kev_removed
    from runs
    where tenant = $1 and finished_at >= $2
    group by state
    order by state",
);
const PLANNER_BEAT: Sql = Sql::both("select max(last_beat_at) from planner_beats");
const SCHEDULES: Sql = Sql::both("select count(*) from schedules where tenant = $1");
const NEXT_FIRE: Sql = Sql::both("select min(next_fire_at) from schedules where tenant = $1");
const INPUTS: Sql = Sql::both(
    "select
        (select count(*) from sources where tenant = $1) as sources,
        (select count(*) from sources where tenant = $1 and failures_in_a_row >= 3) as sources_failing,
        (select cast(coalesce(sum(record_count), 0) as bigint) from sources
            where tenant = $1 and source_type = 'advisory') as advisories,
        (select cast(coalesce(sum(record_count), 0) as bigint) from sources
            where tenant = $1 and source_type = 'kev') as kev_entries,
        (select count(*) from targets where tenant = $1) as targets,
        (select cast(coalesce(sum(component_count), 0) as bigint) from targets where tenant = $1) as components,
        (select cast(coalesce(sum(findings), 0) as bigint) from target_lines
            where tenant = $1 and latest = 1) as findings,
        (select cast(coalesce(sum(critical), 0) as bigint) from target_lines
            where tenant = $1 and latest = 1) as findings_critical,
        coalesce((select generation from impact where tenant = $1), 0) as index_generation,
        (select case when feeds_at is null or sboms_at > feeds_at then sboms_at else feeds_at end
            from impact where tenant = $1) as index_built_at",
);
const INGESTED: Sql = Sql::both(
    "select job_results.result
    from jobs
    join job_results on job_results.key = jobs.key
    where jobs.ended_at is not null and jobs.tenant = $1 and jobs.ended_at >= $2
        and jobs.job_type = 'ingest.advisory' and jobs.state = 'succeeded'
    order by jobs.key",
);

/// Pending jobs by type and reason.
pub async fn waiting(tx: &mut Tx, tenant: &str) -> Result<Vec<WaitRow>, LedgerError> {
    let text = WAITING.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_all(connection).await?))
}

/// Pending jobs by type and reason, save those that wait for a limit.
pub async fn waiting_for_no_limit(tx: &mut Tx, tenant: &str) -> Result<Vec<WaitRow>, LedgerError> {
    let text = WAITING_ELSE.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_all(connection).await?))
}

/// Queued, leased and running jobs by type and state.
pub async fn active(tx: &mut Tx, tenant: &str) -> Result<Vec<StateRow>, LedgerError> {
    let (queued, held) = (QUEUED.text(tx), HELD.text(tx));
    let mut rows: Vec<StateRow> =
        on_db!(tx, connection => sqlx::query_as(queued).bind(tenant).fetch_all(connection).await?);
    let more: Vec<StateRow> =
        on_db!(tx, connection => sqlx::query_as(held).bind(tenant).fetch_all(connection).await?);
    rows.extend(more);
    Ok(rows)
}

/// Jobs that ended since the five minutes of then, by type and state.
pub async fn ended(tx: &mut Tx, tenant: &str, since: i64) -> Result<Vec<StateRow>, LedgerError> {
    let text = ENDED.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).bind(since).fetch_all(connection).await?))
}

/// Runs that have not ended, by state.
pub async fn open_runs(tx: &mut Tx, tenant: &str) -> Result<Vec<OpenRunRow>, LedgerError> {
    let text = OPEN_RUNS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_all(connection).await?))
}

/// Runs that ended since then, by state.
pub async fn ended_runs(tx: &mut Tx, tenant: &str, since: i64) -> Result<Vec<EndedRunRow>, LedgerError> {
    let text = ENDED_RUNS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).bind(since).fetch_all(connection).await?))
}

/// When any planner was last alive.
pub async fn planner_beat(tx: &mut Tx) -> Result<Option<i64>, LedgerError> {
    let text = PLANNER_BEAT.text(tx);
    let (at,): (Option<i64>,) = on_db!(tx, connection => sqlx::query_as(text).fetch_one(connection).await?);
    Ok(at)
}

/// Schedules.
pub async fn schedules(tx: &mut Tx, tenant: &str) -> Result<i64, LedgerError> {
    let text = SCHEDULES.text(tx);
    let (count,): (i64,) =
        on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_one(connection).await?);
    Ok(count)
}

/// When any schedule fires next.
pub async fn next_fire(tx: &mut Tx, tenant: &str) -> Result<Option<i64>, LedgerError> {
    let text = NEXT_FIRE.text(tx);
    let (at,): (Option<i64>,) =
        on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_one(connection).await?);
    Ok(at)
}

/// What has come in.
pub async fn inputs(tx: &mut Tx, tenant: &str) -> Result<InputRow, LedgerError> {
    let text = INPUTS.text(tx);
    Ok(on_db!(tx, connection => sqlx::query_as(text).bind(tenant).fetch_one(connection).await?))
}

/// The reports of advisory readings that succeeded since then, as JSON.
pub async fn ingest_reports(tx: &mut Tx, tenant: &str, since: i64) -> Result<Vec<String>, LedgerError> {
    let text = INGESTED.text(tx);
    let rows: Vec<(String,)> = on_db!(tx, connection => {
        sqlx::query_as(text).bind(tenant).bind(since).fetch_all(connection).await?
    });
    Ok(rows.into_iter().map(|(report,)| report).collect())
}
