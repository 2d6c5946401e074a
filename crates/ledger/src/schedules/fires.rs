//! What became of every fire, and the runs that fires started.

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::Cell;
use crate::rows;
use sqlx::FromRow;
use stella_contract::ids::{RunId, ScheduleId, Tenant};
use stella_contract::run::{RunErrorCode, RunState};
use stella_contract::schedule::FireOutcome;
use stella_contract::time::Micros;

/// Rows of one statement.
const CHUNK: usize = 1_000;

/// A fire that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FireRow {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// When it was due.
    pub due_at: Micros,
    /// What became of it.
    pub outcome: FireOutcome,
    /// The run it started.
    pub run_id: Option<RunId>,
    /// When that was decided.
    pub decided_at: Micros,
}

/// The one fire of a schedule at a time.
pub type Decided = (String, i64);

/// Writes down what became of these fires; those of which it was not known before. The others are left as they are.
pub async fn decide(tx: &mut Tx, fires: &[FireRow]) -> Result<Vec<Decided>, LedgerError> {
    let list: Vec<_> = fires
        .iter()
        .map(|fire| {
            let run_id = fire.run_id.as_ref().map(RunId::as_str);
            (fire.schedule_id.as_str(), fire.due_at.0, fire.outcome.as_str(), run_id, fire.decided_at.0)
        })
        .collect();
    let mut decided = Vec::with_capacity(fires.len());
    for chunk in list.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into schedule_fires (schedule_id, due_at, outcome, run_id, decided_at)
            select r.value ->> 0, cast(r.value ->> 1 as bigint), r.value ->> 2, r.value ->> 3,
                cast(r.value ->> 4 as bigint)
            from ",
        );
        rows::push(&mut query, tx, chunk)?;
        query.push(" where true on conflict do nothing returning schedule_id, due_at");
        decided.extend(query.fetch_all::<Decided>(tx).await?);
    }
    Ok(decided)
}

/// Notes the runs that these fires started.
pub async fn started(tx: &mut Tx, runs: &[(ScheduleId, Micros, RunId)]) -> Result<(), LedgerError> {
    let list: Vec<_> =
        runs.iter().map(|(schedule, due, run)| (schedule.as_str(), due.0, run.as_str())).collect();
    for chunk in list.chunks(CHUNK) {
        let mut query =
            Query::new("update schedule_fires set outcome = 'started', run_id = r.value ->> 2 from ");
        rows::push(&mut query, tx, chunk)?;
        query.push(
            " where schedule_fires.schedule_id = r.value ->> 0
                and schedule_fires.due_at = cast(r.value ->> 1 as bigint)",
        );
        query.execute(tx).await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct Flat {
    schedule_id: String,
    due_at: i64,
    outcome: String,
    run_id: Option<String>,
    decided_at: i64,
}

/// Fires of a schedule, newest first, before this time.
pub async fn fires(
    tx: &mut Tx,
    id: &ScheduleId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<FireRow>, LedgerError> {
    let mut query = Query::new(
        "select schedule_id, due_at, outcome, run_id, decided_at from schedule_fires where schedule_id = ",
    );
    query.bind(id.as_str());
    if let Some(before) = before {
        query.push(" and due_at < ").bind(before);
    }
    query.push(" order by due_at desc limit ").bind(limit);
    let read = |flat: Flat| {
        let cell = Cell { table: "schedule_fires", id: &flat.schedule_id };
        Ok(FireRow {
            schedule_id: id.clone(),
            due_at: Micros(flat.due_at),
            outcome: cell.word("outcome", flat.outcome)?,
            run_id: cell.maybe("run_id", flat.run_id)?,
            decided_at: Micros(flat.decided_at),
        })
    };
    query.fetch_all::<Flat>(tx).await?.into_iter().map(read).collect()
}

/// How many fires of a schedule are kept.
pub async fn count_fires(tx: &mut Tx, id: &ScheduleId) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from schedule_fires where schedule_id = ");
    query.bind(id.as_str());
    query.fetch_count(tx).await
}

/// Fires of a tenant that were found to be missed since then.
pub async fn missed_since(tx: &mut Tx, tenant: &Tenant, since: Micros) -> Result<i64, LedgerError> {
    let mut query = Query::new(
        "select count(*)
        from schedule_fires
        join schedules on schedules.schedule_id = schedule_fires.schedule_id
        where schedule_fires.outcome = 'missed' and schedules.tenant = ",
    );
    query.bind(tenant.as_str()).push(" and schedule_fires.decided_at >= ").bind(since.0);
    query.fetch_count(tx).await
}

/// A schedule with fires that were missed and too late to be made up for.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LostRow {
    /// Whose.
    pub tenant: String,
    /// The schedule.
    pub schedule_id: String,
    /// Its name.
    pub name: String,
    /// How late a fire may be made up for, in seconds.
    pub catchup_window_s: i64,
    /// Such fires.
    pub fires: i64,
}

/// Schedules of all tenants whose fires were found since then to be missed by more than their catch-up window, where no
/// newer fire was made up for at the same time.
pub async fn lost_since(tx: &mut Tx, since: Micros) -> Result<Vec<LostRow>, LedgerError> {
    let mut query = Query::new(
        "select schedules.tenant, schedules.schedule_id, schedules.name, schedules.catchup_window_s, count(*) as fires
        from schedule_fires
        join schedules on schedules.schedule_id = schedule_fires.schedule_id
        where schedule_fires.outcome = 'missed'
            and schedule_fires.decided_at - schedule_fires.due_at
                > (schedules.catchup_window_s + schedules.jitter_s) * 1000000
            and not exists (
                select 1
                from schedule_fires made
                where made.schedule_id = schedule_fires.schedule_id
                    and made.decided_at = schedule_fires.decided_at
                    and made.outcome in ('started', 'buffered'))
            and schedule_fires.decided_at >= ",
    );
    query.bind(since.0).push(
        "
        group by schedules.tenant, schedules.schedule_id, schedules.name, schedules.catchup_window_s
        order by schedules.schedule_id",
    );
    query.fetch_all(tx).await
}

/// Forgets at most so many fires that were decided before this time; how many went.
pub async fn forget(tx: &mut Tx, before: Micros, limit: i64) -> Result<u64, LedgerError> {
    let mut query = Query::new(
        "delete from schedule_fires
        where (schedule_id, due_at) in (
            select schedule_id, due_at from schedule_fires where outcome <> 'buffered' and decided_at < ",
    );
    query.bind(before.0).push(" order by decided_at limit ").bind(limit).push(")");
    query.execute(tx).await
}

/// The open runs of all schedules, one of each.
pub async fn open_runs(tx: &mut Tx) -> Result<Vec<(String, String)>, LedgerError> {
    let text = "select schedule_id, min(run_id)
        from runs
        where state in ('planning', 'queued', 'running') and schedule_id is not null
        group by schedule_id";
    Query::new(text).fetch_all(tx).await
}

/// A run of a schedule, as its row draws it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentRow {
    /// The schedule.
    pub schedule_id: String,
    /// The run.
    pub run_id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed.
    pub error_code: Option<RunErrorCode>,
    /// Targets that could not be evaluated.
    pub failed: i64,
    /// When it was started.
    pub created_at: Micros,
    /// When it ended.
    pub finished_at: Option<Micros>,
}

#[derive(FromRow)]
struct FlatRun {
    schedule_id: String,
    run_id: String,
    state: String,
    error_code: Option<String>,
    failed: i64,
    created_at: i64,
    finished_at: Option<i64>,
}

/// The newest runs of each of these schedules, newest first.
pub async fn recent(tx: &mut Tx, ids: &[&str], each: i64) -> Result<Vec<RecentRow>, LedgerError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new(
        "select runs.schedule_id, runs.run_id, runs.state, runs.error_code, runs.failed, runs.created_at,
            runs.finished_at
        from schedules
        join runs on runs.run_key in (
            select newest.run_key
            from runs as newest
            where newest.schedule_id = schedules.schedule_id
            order by newest.run_key desc
            limit ",
    );
    query.bind(each).push(") where schedules.schedule_id in ").bind_list(ids.iter().copied());
    query.push(" order by runs.schedule_id, runs.run_key desc");
    let read = |flat: FlatRun| {
        let cell = Cell { table: "runs", id: &flat.schedule_id };
        Ok(RecentRow {
            run_id: cell.word("run_id", flat.run_id)?,
            state: cell.word("state", flat.state)?,
            error_code: cell.maybe("error_code", flat.error_code)?,
            failed: flat.failed,
            created_at: Micros(flat.created_at),
            finished_at: flat.finished_at.map(Micros),
            schedule_id: flat.schedule_id.clone(),
        })
    };
    query.fetch_all::<FlatRun>(tx).await?.into_iter().map(read).collect()
}
