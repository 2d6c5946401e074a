//! Runs: what was asked, where it stands, what it counted.

mod list;

pub use list::{Partial, Wanted, counting, list, listing, total};

use crate::db::Tx;
use crate::deltas::{self, DeltaColumns};
use crate::error::LedgerError;
use crate::query::{Query, Value};
use sqlx::FromRow;
use std::str::FromStr;
use stella_contract::delta::Deltas;
use stella_contract::ids::{PolicySnapshotId, RunId, ScheduleId, Tenant};
use stella_contract::run::{RunErrorCode, RunMode, RunScope, RunState, RunTrigger, states_before};
use stella_contract::run::{RunEvent, SegmentCounts};
use stella_contract::time::Micros;

/// A run as it is kept. What the engine may change lies open; counts are changed by [`add`] alone.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// The row's key.
    pub run_key: i64,
    /// Its public id.
    pub run_id: RunId,
    /// What was asked.
    pub wish: NewRun,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed.
    pub error_code: Option<RunErrorCode>,
    /// The same in a sentence.
    pub error_message: Option<String>,
    /// Whether it was planned on an old index.
    pub stale_index: bool,
    /// The impact index it was planned on.
    pub impact_index_generation: i64,
    /// When the KEV list it used was released.
    pub kev_released: Option<String>,
    /// Targets to evaluate.
    pub candidates: i64,
    /// Targets evaluated.
    pub processed: i64,
    /// Targets that could not be.
    pub failed: i64,
    /// Findings that its evaluations left.
    pub findings: i64,
    /// What changed.
    pub deltas: Deltas,
    /// The number of its last message.
    pub message_seq: i64,
    /// The second whose log lines are counted.
    pub log_second: i64,
    /// Log lines told in that second.
    pub log_lines: i64,
    /// Log lines kept back since.
    pub log_dropped: i64,
    /// The limits in force when it was planned, a sentence each.
    pub limits: Vec<String>,
    /// Segments that were evaluated once more.
    pub determinism_sample: Option<i64>,
    /// The share of them that left the same bytes.
    pub determinism_score: Option<f64>,
    /// When the planner was done.
    pub planned_at: Option<Micros>,
    /// When its first segment was acknowledged.
    pub started_at: Option<Micros>,
    /// When its last segment settled.
    pub executed_at: Option<Micros>,
    /// When it ended.
    pub finished_at: Option<Micros>,
    /// Rises with every change.
    pub version: i64,
}

/// What was asked; it never changes.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its public id.
    pub run_id: RunId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What set it off.
    pub trigger: RunTrigger,
    /// More of that.
    pub trigger_detail: Option<String>,
    /// The schedule it belongs to.
    pub schedule_id: Option<ScheduleId>,
    /// Who asked.
    pub initiator: String,
    /// Why.
    pub reason: Option<String>,
    /// The ticket it belongs to.
    pub ticket: Option<String>,
    /// What it does.
    pub mode: RunMode,
    /// For which targets.
    pub scope: RunScope,
    /// SHA-256 of the canonical scope.
    pub scope_digest: String,
    /// SHA-256 of all that was asked.
    pub request_digest: String,
    /// The caller's key, if one came.
    pub idempotency_key: Option<String>,
    /// The preview it was decided on.
    pub preview_id: Option<String>,
    /// The policy snapshot that judges its findings.
    pub policy_snapshot_id: Option<PolicySnapshotId>,
    /// The snapshot's number, where there is such a snapshot.
    pub policy_revision: Option<i64>,
    /// The priority of its jobs.
    pub priority: i64,
    /// Targets per segment.
    pub segment_size: i64,
    /// Into how many shards it is cut.
    pub planner_shard_count: i64,
    /// Targets with exploited vulnerabilities first.
    pub kev_first: bool,
    /// Plan even on an old index.
    pub allow_stale: bool,
    /// The run it repeats.
    pub retry_of: Option<String>,
    /// Only those targets that the run before did not evaluate.
    pub only_failed: bool,
    /// How many runs it repeats in a row.
    pub retry_number: i64,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// When it was asked for.
    pub created_at: Micros,
}

const COLUMNS: &str = "run_key, run_id, tenant, run_trigger, trigger_detail, schedule_id, initiator, reason, ticket, mode, scope,
    scope_digest, request_digest, idempotency_key, preview_id, priority, segment_size, planner_shard_count, kev_first,
    allow_stale, stale_index, state, error_code, error_message, impact_index_generation, kev_released, candidates,
    processed, failed, findings, retry_of, only_failed, retry_number, limits, determinism_sample, determinism_score,
    correlation_id, message_seq, log_second, log_lines, log_dropped, created_at, planned_at, started_at, executed_at,
    finished_at, version, policy_snapshot_id, policy_revision, ";

/// The row as the database gives it.
#[derive(FromRow)]
struct Flat {
    run_key: i64,
    run_id: String,
    tenant: String,
    run_trigger: String,
    trigger_detail: Option<String>,
    schedule_id: Option<String>,
    initiator: String,
    reason: Option<String>,
    ticket: Option<String>,
    mode: String,
    scope: String,
    scope_digest: String,
    request_digest: String,
    idempotency_key: Option<String>,
    preview_id: Option<String>,
    priority: i64,
    segment_size: i64,
    planner_shard_count: i64,
    kev_first: i64,
    allow_stale: i64,
    stale_index: i64,
    state: String,
    error_code: Option<String>,
    error_message: Option<String>,
    impact_index_generation: i64,
    kev_released: Option<String>,
    candidates: i64,
    processed: i64,
    failed: i64,
    findings: i64,
    #[sqlx(flatten)]
    deltas: DeltaColumns,
    retry_of: Option<String>,
    only_failed: i64,
    retry_number: i64,
    limits: Option<String>,
    determinism_sample: Option<i64>,
    determinism_score: Option<f64>,
    correlation_id: String,
    message_seq: i64,
    log_second: i64,
    log_lines: i64,
    log_dropped: i64,
    created_at: i64,
    planned_at: Option<i64>,
    started_at: Option<i64>,
    executed_at: Option<i64>,
    finished_at: Option<i64>,
    version: i64,
    policy_snapshot_id: Option<String>,
    policy_revision: Option<i64>,
}

impl Flat {
    fn row(self) -> Result<RunRow, LedgerError> {
        let key = self.run_key;
        let wish = NewRun {
            run_id: word(&self.run_id, "run_id", key)?,
            tenant: word(&self.tenant, "tenant", key)?,
            trigger: word(&self.run_trigger, "run_trigger", key)?,
            trigger_detail: self.trigger_detail,
            schedule_id: self.schedule_id.map(|id| word(&id, "schedule_id", key)).transpose()?,
            initiator: self.initiator,
            reason: self.reason,
            ticket: self.ticket,
            mode: word(&self.mode, "mode", key)?,
            scope: serde_json::from_str(&self.scope)
                .map_err(|_| LedgerError::corrupt("runs", "scope", key))?,
            scope_digest: self.scope_digest,
            request_digest: self.request_digest,
            idempotency_key: self.idempotency_key,
            preview_id: self.preview_id,
            policy_snapshot_id: self
                .policy_snapshot_id
                .map(|id| word(&id, "policy_snapshot_id", key))
                .transpose()?,
            policy_revision: self.policy_revision,
            priority: self.priority,
            segment_size: self.segment_size,
            planner_shard_count: self.planner_shard_count,
            kev_first: self.kev_first != 0,
            allow_stale: self.allow_stale != 0,
            retry_of: self.retry_of,
            only_failed: self.only_failed != 0,
            retry_number: self.retry_number,
            correlation_id: self.correlation_id,
            created_at: Micros(self.created_at),
        };
        Ok(RunRow {
            run_key: key,
            run_id: wish.run_id.clone(),
            state: word(&self.state, "state", key)?,
            error_code: self.error_code.map(|code| word(&code, "error_code", key)).transpose()?,
            error_message: self.error_message,
            stale_index: self.stale_index != 0,
            impact_index_generation: self.impact_index_generation,
            kev_released: self.kev_released,
            candidates: self.candidates,
            processed: self.processed,
            failed: self.failed,
            findings: self.findings,
            deltas: self.deltas.into(),
            message_seq: self.message_seq,
            log_second: self.log_second,
            log_lines: self.log_lines,
            log_dropped: self.log_dropped,
            limits: match self.limits {
                Some(limits) => {
                    serde_json::from_str(&limits).map_err(|_| LedgerError::corrupt("runs", "limits", key))?
                }
                None => Vec::new(),
            },
            determinism_sample: self.determinism_sample,
            determinism_score: self.determinism_score,
            planned_at: self.planned_at.map(Micros),
            started_at: self.started_at.map(Micros),
            executed_at: self.executed_at.map(Micros),
            finished_at: self.finished_at.map(Micros),
            version: self.version,
            wish,
        })
    }
}

fn word<T: FromStr>(text: &str, column: &'static str, key: i64) -> Result<T, LedgerError> {
    text.parse().map_err(|_| LedgerError::corrupt("runs", column, key))
}

async fn rows(query: Query, tx: &mut Tx) -> Result<Vec<RunRow>, LedgerError> {
    query.fetch_all::<Flat>(tx).await?.into_iter().map(Flat::row).collect()
}

async fn row(query: Query, tx: &mut Tx) -> Result<Option<RunRow>, LedgerError> {
    query.fetch_optional::<Flat>(tx).await?.map(Flat::row).transpose()
}

fn select() -> Query {
    let mut query = Query::new("select ");
    query.push(COLUMNS).push(deltas::COLUMNS).push(" from runs where ");
    query
}

/// Runs written in one statement.
const CHUNK: usize = 64;

/// Writes the wishes down as planning runs; key and id of each that was written. One whose id or idempotency key is there
/// already is not.
pub async fn insert_many(tx: &mut Tx, runs: &[NewRun]) -> Result<Vec<(i64, String)>, LedgerError> {
    let (mut written, is_postgres) = (Vec::with_capacity(runs.len()), tx.is_postgres());
    for chunk in runs.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into runs (run_id, tenant, run_trigger, trigger_detail, schedule_id, initiator, reason, ticket, mode,
                scope, scope_digest, request_digest, idempotency_key, preview_id, priority, segment_size,
                planner_shard_count, kev_first, allow_stale, state, retry_of, only_failed,
                retry_number, correlation_id, created_at, policy_snapshot_id, policy_revision)
            values",
        );
        for (at, run) in chunk.iter().enumerate() {
            query.push(if at == 0 { " " } else { ", " }).bind_row(values(run)?, is_postgres);
        }
        query.push(" on conflict do nothing returning run_key, run_id");
        written.extend(query.fetch_all::<(i64, String)>(tx).await?);
    }
    Ok(written)
}

fn values(run: &NewRun) -> Result<Vec<Value>, LedgerError> {
    Ok(vec![
        run.run_id.as_str().into(),
        run.tenant.as_str().into(),
        run.trigger.as_str().into(),
        run.trigger_detail.clone().into(),
        run.schedule_id.as_ref().map(|id| id.as_str().to_owned()).into(),
        run.initiator.as_str().into(),
        run.reason.clone().into(),
        run.ticket.clone().into(),
        run.mode.as_str().into(),
        crate::set::json(&run.scope)?.into(),
        run.scope_digest.as_str().into(),
        run.request_digest.as_str().into(),
        run.idempotency_key.clone().into(),
        run.preview_id.clone().into(),
        run.priority.into(),
        run.segment_size.into(),
        run.planner_shard_count.into(),
        i64::from(run.kev_first).into(),
        i64::from(run.allow_stale).into(),
        RunState::Planning.as_str().into(),
        run.retry_of.clone().into(),
        i64::from(run.only_failed).into(),
        run.retry_number.into(),
        run.correlation_id.as_str().into(),
        run.created_at.0.into(),
        run.policy_snapshot_id.as_ref().map(|id| id.as_str().to_owned()).into(),
        run.policy_revision.into(),
    ])
}

impl RunRow {
    /// The row as it stands when the wish was just written.
    pub fn fresh(run_key: i64, wish: NewRun) -> Self {
        Self {
            run_key,
            run_id: wish.run_id.clone(),
            wish,
            state: RunState::Planning,
            error_code: None,
            error_message: None,
            stale_index: false,
            impact_index_generation: 0,
            kev_released: None,
            candidates: 0,
            processed: 0,
            failed: 0,
            findings: 0,
            limits: Vec::new(),
            determinism_sample: None,
            determinism_score: None,
            deltas: Deltas::default(),
            message_seq: 0,
            log_second: 0,
            log_lines: 0,
            log_dropped: 0,
            planned_at: None,
            started_at: None,
            executed_at: None,
            finished_at: None,
            version: 1,
        }
    }
}

/// The run of this id, if this tenant has it.
pub async fn get(tx: &mut Tx, tenant: &Tenant, run_id: &RunId) -> Result<Option<RunRow>, LedgerError> {
    let mut query = select();
    query.push("run_id = ").bind(run_id.as_str()).push(" and tenant = ").bind(tenant.as_str());
    row(query, tx).await
}

/// The run of this key.
pub async fn by_key(tx: &mut Tx, run_key: i64) -> Result<Option<RunRow>, LedgerError> {
    let mut query = select();
    query.push("run_key = ").bind(run_key);
    row(query, tx).await
}

/// The run that came with this idempotency key.
pub async fn by_idempotency(tx: &mut Tx, tenant: &Tenant, key: &str) -> Result<Option<RunRow>, LedgerError> {
    let mut query = select();
    query.push("tenant = ").bind(tenant.as_str()).push(" and idempotency_key = ").bind(key);
    row(query, tx).await
}

/// The runs of these ids.
pub async fn by_ids(tx: &mut Tx, run_ids: &[&str]) -> Result<Vec<RunRow>, LedgerError> {
    let mut query = select();
    query.push("run_id in ").bind_list(run_ids.iter().copied());
    rows(query, tx).await
}

/// Open runs of all tenants in these states, oldest first.
pub async fn open(tx: &mut Tx, states: &[RunState], limit: i64) -> Result<Vec<RunRow>, LedgerError> {
    let mut query = select();
    // The partial index is found only when its own condition is repeated.
    query.push("state in ('planning', 'queued', 'running') and state in ");
    query.bind_list(states.iter().map(|state| state.as_str()));
    query.push(" order by run_key limit ").bind(limit);
    rows(query, tx).await
}

/// Writes the state and everything that belongs to it, if the run is still where `event` may come from.
/// Whether it was.
pub async fn change(tx: &mut Tx, run: &RunRow, event: RunEvent) -> Result<bool, LedgerError> {
    let mut query = Query::new("update runs set state = ");
    query.bind(run.state.as_str());
    query.push(", error_code = ").bind(run.error_code.map(|code| code.as_str().to_owned()));
    query.push(", error_message = ").bind(run.error_message.clone());
    query.push(", stale_index = ").bind(i64::from(run.stale_index));
    query.push(", impact_index_generation = ").bind(run.impact_index_generation);
    query.push(", kev_released = ").bind(run.kev_released.clone());
    query.push(", candidates = ").bind(run.candidates);
    if !run.limits.is_empty() {
        let limits = serde_json::to_string(&run.limits);
        query.push(", limits = ").bind(limits.map_err(|error| LedgerError::Other(error.to_string()))?);
    }
    query.push(", planned_at = ").bind(run.planned_at.map(|at| at.0));
    query.push(", started_at = ").bind(run.started_at.map(|at| at.0));
    query.push(", executed_at = ").bind(run.executed_at.map(|at| at.0));
    query.push(", finished_at = ").bind(run.finished_at.map(|at| at.0));
    query.push(", version = version + 1 where run_key = ").bind(run.run_key);
    query.push(" and state in ").bind_list(states_before(event).iter().map(|state| state.as_str()));
    Ok(query.execute(tx).await? == 1)
}

/// What one segment adds to its run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Added {
    /// Targets evaluated.
    pub processed: i64,
    /// Targets that could not be.
    pub failed: i64,
    /// Findings its evaluations left.
    pub findings: i64,
    /// Evaluated targets whose findings changed.
    pub changed_targets: i64,
    /// What changed.
    pub deltas: Deltas,
}

/// Adds to the counts of a run.
pub async fn add(tx: &mut Tx, run_key: i64, added: &Added) -> Result<(), LedgerError> {
    let mut query = Query::new("update runs set version = version + 1, processed = processed + ");
    query.bind(added.processed).push(", failed = failed + ").bind(added.failed);
    query.push(", findings = findings + ").bind(added.findings);
    query.push(", changed_targets = changed_targets + ").bind(added.changed_targets);
    deltas::push_added(&mut query, &added.deltas);
    query.push(" where run_key = ").bind(run_key);
    query.execute(tx).await?;
    Ok(())
}

/// The run over the same scope in the same mode that completed last before this one.
pub async fn last_good_before(tx: &mut Tx, run: &RunRow) -> Result<Option<RunRow>, LedgerError> {
    let wish = &run.wish;
    let mut query = select();
    query.push("tenant = ").bind(wish.tenant.as_str()).push(" and state = 'completed' and mode = ");
    query.bind(wish.mode.as_str()).push(" and scope_digest = ").bind(wish.scope_digest.as_str());
    query.push(" and (created_at, run_id) < (").bind(wish.created_at.0).push(", ").bind(wish.run_id.as_str());
    query.push(") order by created_at desc, run_id desc limit 1");
    row(query, tx).await
}

/// Completed runs that nobody sampled yet and that ended after this time, oldest first.
pub async fn unsampled(tx: &mut Tx, since: Micros, limit: i64) -> Result<Vec<RunRow>, LedgerError> {
    let mut query = select();
    query.push("state = 'completed' and determinism_sample is null and candidates > 0 and finished_at > ");
    query.bind(since.0).push(" order by finished_at limit ").bind(limit);
    rows(query, tx).await
}

/// Notes how many segments of a run were evaluated once more, and the share that left the same bytes.
pub async fn sampled(tx: &mut Tx, run_key: i64, sample: i64, score: Option<f64>) -> Result<(), LedgerError> {
    let mut query = Query::new("update runs set version = version + 1, determinism_sample = ");
    query.bind(sample);
    if let Some(score) = score {
        query.push(", determinism_score = ").bind(score);
    }
    query.push(" where run_key = ").bind(run_key);
    query.execute(tx).await?;
    Ok(())
}

/// Segments by state of each of these runs.
pub async fn segment_counts(tx: &mut Tx, run_keys: &[i64]) -> Result<Vec<(i64, SegmentCounts)>, LedgerError> {
    let mut query = Query::new("select run_key, state, count(*) from segments where run_key in ");
    query.bind_list(run_keys.iter().copied()).push(" group by run_key, state order by run_key");
    let mut counts: Vec<(i64, SegmentCounts)> = Vec::new();
    for (run_key, state, count) in query.fetch_all::<(i64, String, i64)>(tx).await? {
        if counts.last().is_none_or(|(last, _)| *last != run_key) {
            counts.push((run_key, SegmentCounts::default()));
        }
        let Some((_, of_run)) = counts.last_mut() else { continue };
        use stella_contract::segment::SegmentState as S;
        match state.parse().map_err(|_| LedgerError::corrupt("segments", "state", run_key))? {
            S::Pending => of_run.pending = count,
            S::Queued => of_run.queued = count,
            S::Running => of_run.running = count,
            S::Succeeded => of_run.succeeded = count,
            S::Failed => of_run.failed = count,
            S::Cancelled => of_run.cancelled = count,
            S::Skipped => of_run.skipped = count,
        }
    }
    Ok(counts)
}

/// Targets of each of these runs whose segments succeeded since then.
pub async fn targets_done_since(
    tx: &mut Tx,
    run_keys: &[i64],
    since: Micros,
) -> Result<Vec<(i64, i64)>, LedgerError> {
    let mut query = Query::new(
        "select run_key, cast(sum(processed) as bigint) from segments where state = 'succeeded' and ended_at >= ",
    );
    query
        .bind(since.0)
        .push(" and run_key in ")
        .bind_list(run_keys.iter().copied())
        .push(" group by run_key");
    query.fetch_all(tx).await
}

/// Notes that a planner is alive.
pub async fn beat(tx: &mut Tx, planner: &str, shards: &str, now: Micros) -> Result<(), LedgerError> {
    let mut query = Query::new(
        "insert into planner_beats (planner_id, shard_set, last_beat_at, in_flight_runs) values (",
    );
    query.bind(planner).push(", ").bind(shards).push(", ").bind(now.0);
    query.push(
        ", (select count(*) from runs where state in ('planning', 'queued', 'running')))
        on conflict (planner_id) do update set
            shard_set = excluded.shard_set,
            last_beat_at = excluded.last_beat_at,
            in_flight_runs = excluded.in_flight_runs",
    );
    query.execute(tx).await?;
    Ok(())
}

/// Runs of schedules that completed since then.
pub async fn completed_of_schedules(tx: &mut Tx, tenant: &Tenant, since: Micros) -> Result<i64, LedgerError> {
    let mut query = Query::new("select count(*) from runs where tenant = ");
    query.bind(tenant.as_str()).push(" and finished_at >= ").bind(since.0);
    query.push(" and state = 'completed' and schedule_id is not null");
    query.fetch_count(tx).await
}

/// When a planner last beat.
pub async fn last_beat(tx: &mut Tx) -> Result<Option<Micros>, LedgerError> {
    let query = Query::new("select max(last_beat_at) from planner_beats");
    let last: Option<(Option<i64>,)> = query.fetch_optional(tx).await?;
    Ok(last.and_then(|(at,)| at).map(Micros))
}
