//! Schedules: when runs start by themselves, and when each is to be looked at next.

mod fires;

pub use fires::{
    Decided, FireRow, LostRow, RecentRow, count_fires, decide, fires, forget, lost_since, missed_since,
    open_runs, recent, started,
};

use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use crate::record::Cell;
use crate::rows;
use sqlx::FromRow;
use stella_contract::ids::{RunId, ScheduleId, Tenant};
use stella_contract::run::{RunMode, RunScope};
use stella_contract::schedule::{
    OverlapPolicy, ScheduleFilter, ScheduleLimits, ScheduleNotify, ScheduleState,
};
use stella_contract::time::Micros;

/// Why and until when a schedule is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub reason: Option<String>,
    /// The ticket it belongs to.
    pub ticket: Option<String>,
    /// Who did it.
    pub by: String,
    /// Since when.
    pub at: Micros,
    /// Until when; by hand when absent.
    pub resume_at: Option<Micros>,
}

/// A schedule as it lies in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Its id.
    pub schedule_id: ScheduleId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: ScheduleState,
    /// Why it is paused; there exactly when it is.
    pub pause: Option<Pause>,
    /// When it fires.
    pub cron: String,
    /// The zone in which it is read.
    pub time_zone: String,
    /// Up to so many seconds a fire is put off.
    pub jitter_s: i64,
    /// What becomes of a fire while the run before is still open.
    pub overlap_policy: OverlapPolicy,
    /// A fire that is late by at most so many seconds is made up for.
    pub catchup_window_s: i64,
    /// What its runs do.
    pub mode: RunMode,
    /// For which targets.
    pub scope: RunScope,
    /// The policy its runs use.
    pub policy_snapshot_id: Option<String>,
    /// Targets with exploited vulnerabilities first.
    pub kev_first: bool,
    /// The most targets of one run.
    pub max_targets: i64,
    /// What bounds its runs.
    pub limits: ScheduleLimits,
    /// Of which runs somebody is told.
    pub notify: ScheduleNotify,
    /// The next fire.
    pub next_fire_at: Option<Micros>,
    /// When something is to be done about it: fire, look again, or resume.
    pub acts_at: Option<Micros>,
    /// The fire that waits for the run before to end.
    pub buffered_at: Option<Micros>,
    /// The fire that last started a run.
    pub last_fire_at: Option<Micros>,
    /// The run it last started.
    pub last_run_id: Option<RunId>,
    /// Fires whose time passed while nobody was there.
    pub missed_count: i64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Micros,
    /// When an operator last changed it.
    pub updated_at: Micros,
    /// Rises with every change by an operator.
    pub version: i64,
}

/// The columns of `schedules`.
#[derive(FromRow)]
struct Flat {
    schedule_id: String,
    tenant: String,
    name: String,
    state: String,
    pause_reason: Option<String>,
    pause_ticket: Option<String>,
    paused_by: Option<String>,
    paused_at: Option<i64>,
    resume_at: Option<i64>,
    cron: String,
    time_zone: String,
    jitter_s: i64,
    overlap_policy: String,
    catchup_window_s: i64,
    mode: String,
    scope: String,
    policy_snapshot_id: Option<String>,
    kev_first: i64,
    max_targets: i64,
    parallelism: i64,
    targets_per_minute: i64,
    notify_min_severity: Option<String>,
    notify_on_kev: i64,
    next_fire_at: Option<i64>,
    acts_at: Option<i64>,
    buffered_at: Option<i64>,
    last_fire_at: Option<i64>,
    last_run_id: Option<String>,
    missed_count: i64,
    created_by: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

const COLUMNS: &str =
    "schedule_id, tenant, name, state, pause_reason, pause_ticket, paused_by, paused_at, resume_at,
    cron, time_zone, jitter_s, overlap_policy, catchup_window_s, mode, scope, policy_snapshot_id, kev_first,
    max_targets, parallelism, targets_per_minute, notify_min_severity, notify_on_kev, next_fire_at, acts_at,
    buffered_at, last_fire_at, last_run_id, missed_count, created_by, created_at, updated_at, version";
/// Schedules without a next fire come last.
const PLACE: &str = "coalesce(next_fire_at, 9223372036854775807)";

impl Flat {
    fn row(self) -> Result<ScheduleRow, LedgerError> {
        let id = self.schedule_id.clone();
        let cell = Cell { table: "schedules", id: &id };
        let pause = self.paused_at.map(|at| Pause {
            reason: self.pause_reason,
            ticket: self.pause_ticket,
            by: self.paused_by.unwrap_or_default(),
            at: Micros(at),
            resume_at: self.resume_at.map(Micros),
        });
        Ok(ScheduleRow {
            schedule_id: cell.word("schedule_id", self.schedule_id)?,
            tenant: cell.word("tenant", self.tenant)?,
            name: self.name,
            state: cell.word("state", self.state)?,
            pause,
            cron: self.cron,
            time_zone: self.time_zone,
            jitter_s: self.jitter_s,
            overlap_policy: cell.word("overlap_policy", self.overlap_policy)?,
            catchup_window_s: self.catchup_window_s,
            mode: cell.word("mode", self.mode)?,
            scope: cell.json("scope", &self.scope)?,
            policy_snapshot_id: self.policy_snapshot_id,
            kev_first: self.kev_first != 0,
            max_targets: self.max_targets,
            limits: ScheduleLimits {
                parallelism: self.parallelism,
                targets_per_minute: self.targets_per_minute,
            },
            notify: ScheduleNotify {
                min_severity: cell.maybe("notify_min_severity", self.notify_min_severity)?,
                on_kev: self.notify_on_kev != 0,
            },
            next_fire_at: self.next_fire_at.map(Micros),
            acts_at: self.acts_at.map(Micros),
            buffered_at: self.buffered_at.map(Micros),
            last_fire_at: self.last_fire_at.map(Micros),
            last_run_id: cell.maybe("last_run_id", self.last_run_id)?,
            missed_count: self.missed_count,
            created_by: self.created_by,
            created_at: Micros(self.created_at),
            updated_at: Micros(self.updated_at),
            version: self.version,
        })
    }
}

fn select() -> Query {
    let mut query = Query::new("select ");
    query.push(COLUMNS).push(" from schedules where ");
    query
}

async fn rows_of(query: Query, tx: &mut Tx) -> Result<Vec<ScheduleRow>, LedgerError> {
    query.fetch_all::<Flat>(tx).await?.into_iter().map(Flat::row).collect()
}

fn push_wanted(query: &mut Query, tenant: &Tenant, wanted: &ScheduleFilter) {
    query.push("tenant = ").bind(tenant.as_str());
    if let Some(state) = wanted.state {
        query.push(" and state = ").bind(state.as_str());
    }
    if let Some(mode) = wanted.mode {
        query.push(" and mode = ").bind(mode.as_str());
    }
    if let Some(name) = &wanted.name {
        let plain = name.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        query.push(" and lower(name) like ").bind(format!("%{plain}%")).push(" escape '\\'");
    }
}

/// Schedules of a tenant, next fire first, those without one last, after this place.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &ScheduleFilter,
    after: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<ScheduleRow>, LedgerError> {
    let mut query = select();
    push_wanted(&mut query, tenant, wanted);
    if let Some((place, id)) = after {
        query.push(" and (").push(PLACE).push(", schedule_id) > (");
        query.bind(*place).push(", ").bind(id.as_str()).push(")");
    }
    query.push(" order by ").push(PLACE).push(", schedule_id limit ").bind(limit);
    rows_of(query, tx).await
}

/// How many schedules of a tenant a list wants.
pub async fn count(tx: &mut Tx, tenant: &Tenant, wanted: &ScheduleFilter) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from schedules where ");
    push_wanted(&mut query, tenant, wanted);
    query.fetch_count(tx).await
}

/// Schedules of every tenant and state.
pub async fn by_state(tx: &mut Tx) -> Result<Vec<(String, String, i64)>, LedgerError> {
    let text = "select tenant, state, count(*) from schedules group by tenant, state order by tenant, state";
    Query::new(text).fetch_all(tx).await
}

/// Fires missed by the schedules of every tenant.
pub async fn missed_by_tenant(tx: &mut Tx) -> Result<Vec<(String, i64)>, LedgerError> {
    let text =
        "select tenant, cast(sum(missed_count) as bigint) from schedules group by tenant order by tenant";
    Query::new(text).fetch_all(tx).await
}

/// The schedule of this id, if this tenant has it.
pub async fn get(tx: &mut Tx, tenant: &Tenant, id: &ScheduleId) -> Result<Option<ScheduleRow>, LedgerError> {
    let mut query = select();
    query.push("tenant = ").bind(tenant.as_str()).push(" and schedule_id = ").bind(id.as_str());
    query.fetch_optional::<Flat>(tx).await?.map(Flat::row).transpose()
}

/// Schedules of all tenants about which something is to be done, the longest waiting first.
pub async fn due(tx: &mut Tx, now: Micros, limit: i64) -> Result<Vec<ScheduleRow>, LedgerError> {
    let mut query = select();
    query.push("acts_at <= ").bind(now.0).push(" order by acts_at, schedule_id limit ").bind(limit);
    rows_of(query, tx).await
}

/// Schedules of all tenants of which a fire waits and no run is open any more.
pub async fn unblocked(tx: &mut Tx, limit: i64) -> Result<Vec<ScheduleRow>, LedgerError> {
    let mut query = select();
    query.push(
        "buffered_at is not null and not exists (
            select 1
            from runs
            where runs.schedule_id = schedules.schedule_id and runs.state in ('planning', 'queued', 'running'))
        order by buffered_at, schedule_id
        limit ",
    );
    query.bind(limit);
    rows_of(query, tx).await
}

/// When something is to be done next about any schedule.
pub async fn next_act(tx: &mut Tx) -> Result<Option<Micros>, LedgerError> {
    let text = "select min(acts_at) from schedules where acts_at is not null";
    let next: Option<(Option<i64>,)> = Query::new(text).fetch_optional(tx).await?;
    Ok(next.and_then(|(at,)| at).map(Micros))
}

/// Schedules of a tenant that fire before this time, first fire first.
pub async fn upcoming(
    tx: &mut Tx,
    tenant: &Tenant,
    only: Option<&ScheduleId>,
    until: Micros,
    limit: i64,
) -> Result<Vec<ScheduleRow>, LedgerError> {
    let mut query = select();
    query.push("tenant = ").bind(tenant.as_str()).push(" and next_fire_at <= ").bind(until.0);
    if let Some(only) = only {
        query.push(" and schedule_id = ").bind(only.as_str());
    }
    query.push(" order by ").push(PLACE).push(", schedule_id limit ").bind(limit);
    rows_of(query, tx).await
}

/// Paused schedules of a tenant that resume before this time, the first to resume first.
pub async fn resuming(
    tx: &mut Tx,
    tenant: &Tenant,
    only: Option<&ScheduleId>,
    until: Micros,
    limit: i64,
) -> Result<Vec<ScheduleRow>, LedgerError> {
    let mut query = select();
    query.push("tenant = ").bind(tenant.as_str()).push(" and state = 'paused' and acts_at <= ").bind(until.0);
    if let Some(only) = only {
        query.push(" and schedule_id = ").bind(only.as_str());
    }
    query.push(" order by acts_at, schedule_id limit ").bind(limit);
    rows_of(query, tx).await
}

/// Enabled schedules of a tenant that should have been acted on before this time.
pub async fn overdue(tx: &mut Tx, tenant: &Tenant, before: Micros) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from schedules where state = 'enabled' and tenant = ");
    query.bind(tenant.as_str()).push(" and acts_at < ").bind(before.0);
    query.fetch_count(tx).await
}

/// Enabled schedules of all tenants that should have been acted on before this time.
pub async fn late(tx: &mut Tx, before: Micros) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from schedules where state = 'enabled' and acts_at < ");
    query.bind(before.0);
    query.fetch_count(tx).await
}

/// The last fire of a tenant that started a run.
pub async fn last_fire(tx: &mut Tx, tenant: &Tenant) -> Result<Option<Micros>, LedgerError> {
    let mut query = Query::new("select max(last_fire_at) from schedules where tenant = ");
    query.bind(tenant.as_str());
    let last: Option<(Option<i64>,)> = query.fetch_optional(tx).await?;
    Ok(last.and_then(|(at,)| at).map(Micros))
}

/// Writes a schedule down; a name that is taken is refused by the table.
pub async fn insert(tx: &mut Tx, row: &ScheduleRow) -> Result<(), LedgerError> {
    let mut query = Query::new("insert into schedules (");
    query.push(COLUMNS).push(") values (");
    query.bind(row.schedule_id.as_str()).push(", ").bind(row.tenant.as_str());
    let mut sets = Vec::new();
    settable(row, |name, value| sets.push((name, value)))?;
    // The columns that can change stand in their order between the two ids and what never changes.
    for (_, value) in sets {
        query.push(", ").bind(value);
    }
    query.push(", ").bind(row.created_by.as_str()).push(", ").bind(row.created_at.0);
    query.push(", ").bind(row.updated_at.0).push(", ").bind(row.version).push(")");
    query.execute(tx).await?;
    Ok(())
}

/// Writes the row as it is now, if it still has the version it was read with; whether it had.
pub async fn update(tx: &mut Tx, row: &ScheduleRow) -> Result<bool, LedgerError> {
    let mut query = Query::new("update schedules set updated_at = ");
    query.bind(row.updated_at.0).push(", version = version + 1");
    settable(row, |name, value| {
        query.push(", ").push(name).push(" = ").bind(value);
    })?;
    query.push(" where tenant = ").bind(row.tenant.as_str());
    query.push(" and schedule_id = ").bind(row.schedule_id.as_str());
    query.push(" and version = ").bind(row.version);
    Ok(query.execute(tx).await? == 1)
}

/// Every column that may change, in the order of the table.
fn settable(
    row: &ScheduleRow,
    mut set: impl FnMut(&'static str, crate::query::Value),
) -> Result<(), LedgerError> {
    let scope = crate::set::json(&row.scope)?;
    let pause = row.pause.as_ref();
    let text = |text: Option<&String>| text.cloned();
    set("name", row.name.as_str().into());
    set("state", row.state.as_str().into());
    set("pause_reason", text(pause.and_then(|pause| pause.reason.as_ref())).into());
    set("pause_ticket", text(pause.and_then(|pause| pause.ticket.as_ref())).into());
    set("paused_by", pause.map(|pause| pause.by.clone()).into());
    set("paused_at", pause.map(|pause| pause.at.0).into());
    set("resume_at", pause.and_then(|pause| pause.resume_at).map(|at| at.0).into());
    set("cron", row.cron.as_str().into());
    set("time_zone", row.time_zone.as_str().into());
    set("jitter_s", row.jitter_s.into());
    set("overlap_policy", row.overlap_policy.as_str().into());
    set("catchup_window_s", row.catchup_window_s.into());
    set("mode", row.mode.as_str().into());
    set("scope", scope.into());
    set("policy_snapshot_id", row.policy_snapshot_id.clone().into());
    set("kev_first", i64::from(row.kev_first).into());
    set("max_targets", row.max_targets.into());
    set("parallelism", row.limits.parallelism.into());
    set("targets_per_minute", row.limits.targets_per_minute.into());
    set("notify_min_severity", row.notify.min_severity.map(|severity| severity.as_str()).into());
    set("notify_on_kev", i64::from(row.notify.on_kev).into());
    set("next_fire_at", row.next_fire_at.map(|at| at.0).into());
    set("acts_at", row.acts_at.map(|at| at.0).into());
    set("buffered_at", row.buffered_at.map(|at| at.0).into());
    set("last_fire_at", row.last_fire_at.map(|at| at.0).into());
    set("last_run_id", row.last_run_id.as_ref().map(|id| id.as_str().to_owned()).into());
    set("missed_count", row.missed_count.into());
    Ok(())
}

/// Takes a schedule and its fires away; its runs stay. Whether it was there.
pub async fn delete(tx: &mut Tx, tenant: &Tenant, id: &ScheduleId) -> Result<bool, LedgerError> {
    let mut query = Query::new("delete from schedules where tenant = ");
    query.bind(tenant.as_str()).push(" and schedule_id = ").bind(id.as_str());
    Ok(query.execute(tx).await? == 1)
}

/// Notes where these schedules stand after fires; what operators set, and the version, is left alone.
pub async fn advance(tx: &mut Tx, schedules: &[ScheduleRow]) -> Result<(), LedgerError> {
    let list: Vec<_> = schedules
        .iter()
        .map(|row| {
            (
                row.schedule_id.as_str(),
                row.next_fire_at.map(|at| at.0),
                row.acts_at.map(|at| at.0),
                row.buffered_at.map(|at| at.0),
                row.last_fire_at.map(|at| at.0),
                row.last_run_id.as_ref().map(RunId::as_str),
                row.missed_count,
            )
        })
        .collect();
    for chunk in list.chunks(1_000) {
        let mut query = Query::new(
            "update schedules
            set next_fire_at = cast(r.value ->> 1 as bigint),
                acts_at = cast(r.value ->> 2 as bigint),
                buffered_at = cast(r.value ->> 3 as bigint),
                last_fire_at = cast(r.value ->> 4 as bigint),
                last_run_id = r.value ->> 5,
                missed_count = cast(r.value ->> 6 as bigint)
            from ",
        );
        rows::push(&mut query, tx, chunk)?;
        query.push(" where schedules.schedule_id = r.value ->> 0");
        query.execute(tx).await?;
    }
    Ok(())
}
