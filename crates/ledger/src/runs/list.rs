//! Lists of runs: which are wanted, newest first.
//!
//! An index holds the runs of each state in the order of the list, with everything that filters ask for. A list is put
//! together from the states it wants, so that it looks at no row that it does not show, however rare what it wants is.

use super::{RunRow, rows, select};
use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use stella_contract::finding::Severity;
use stella_contract::ids::{ScheduleId, Tenant};
use stella_contract::run::{RunErrorCode, RunState, RunTrigger};
use stella_contract::severities::Severities;
use stella_contract::time::Micros;

/// Which runs a list wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// In one of these states; all when empty.
    pub states: Vec<RunState>,
    /// Only those that ended with segments not evaluated.
    pub partial: Partial,
    /// In this state.
    pub state: Option<RunState>,
    /// Set off by this.
    pub trigger: Option<RunTrigger>,
    /// Of this schedule.
    pub schedule_id: Option<ScheduleId>,
    /// With new findings of one of these severities.
    pub new_of: Option<Severities>,
    /// Failed with this code.
    pub error_code: Option<RunErrorCode>,
    /// Created at or after.
    pub since: Option<Micros>,
    /// Created before.
    pub until: Option<Micros>,
    /// With segments of this planner shard.
    pub shard: Option<i64>,
    /// Only these; all when empty.
    pub run_ids: Vec<String>,
    /// Judged by the policy snapshot of this number.
    pub policy_revision: Option<i64>,
}

/// How runs that ended in part count for a list by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Partial {
    /// Like any other run of their state.
    #[default]
    AsTheirState,
    /// They are wanted in addition to the states.
    Too,
}

impl Wanted {
    /// The states to look through; beside each, whether only runs that miss segments are wanted of it.
    fn branches(&self) -> Vec<(RunState, bool)> {
        let all = if self.states.is_empty() { RunState::ALL } else { self.states.as_slice() };
        let mut branches: Vec<(RunState, bool)> = all.iter().map(|state| (*state, false)).collect();
        if self.partial == Partial::Too && !all.contains(&RunState::Completed) {
            branches.push((RunState::Completed, true));
        }
        branches.retain(|(state, _)| self.state.is_none_or(|only| only == *state));
        branches
    }
}

/// Runs of one state, all that is wanted of them.
fn push_branch(query: &mut Query, tenant: &Tenant, wanted: &Wanted, (state, only_partial): (RunState, bool)) {
    query.push("tenant = ").bind(tenant.as_str()).push(" and state = ").bind(state.as_str());
    if only_partial {
        query.push(
            " and exists (
                select 1
                from segments
                where segments.run_key = runs.run_key
                    and segments.state in ('failed', 'cancelled', 'skipped'))",
        );
    }
    if let Some(trigger) = wanted.trigger {
        query.push(" and run_trigger = ").bind(trigger.as_str());
    }
    if let Some(schedule_id) = &wanted.schedule_id {
        query.push(" and schedule_id = ").bind(schedule_id.as_str());
    }
    if let Some(severities) = &wanted.new_of {
        for (at, severity) in severities.all().iter().enumerate() {
            query.push(if at == 0 { " and (" } else { " or " });
            query.push(match severity {
                Severity::Critical => "new_critical > 0",
                Severity::High => "new_high > 0",
                Severity::Medium => "new_medium > 0",
                Severity::Low => "new_low > 0",
                Severity::Unknown => "new_unknown > 0",
            });
        }
        query.push(")");
    }
    if let Some(code) = wanted.error_code {
        query.push(" and error_code = ").bind(code.as_str());
    }
    if let Some(revision) = wanted.policy_revision {
        query.push(" and policy_revision = ").bind(revision);
    }
    if let Some(since) = wanted.since {
        query.push(" and created_at >= ").bind(since.0);
    }
    if let Some(until) = wanted.until {
        query.push(" and created_at < ").bind(until.0);
    }
    if let Some(shard) = wanted.shard {
        query.push(
            " and exists (select 1 from segments where segments.run_key = runs.run_key and segments.shard = ",
        );
        query.bind(shard).push(")");
    }
    if !wanted.run_ids.is_empty() {
        query.push(" and run_id in ").bind_list(wanted.run_ids.iter().map(String::as_str));
    }
}

/// Runs of a tenant, newest first, after this one.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    wanted: &Wanted,
    after: Option<&(i64, String)>,
    limit: i64,
) -> Result<Vec<RunRow>, LedgerError> {
    match listing(tenant, wanted, after, limit) {
        Some(query) => rows(query, tx).await,
        None => Ok(Vec::new()),
    }
}

/// The statement of a list; `None` when no run can be wanted.
pub fn listing(tenant: &Tenant, wanted: &Wanted, after: Option<&(i64, String)>, limit: i64) -> Option<Query> {
    let branches = wanted.branches();
    let mut query = select();
    query.push("run_key in (select run_key from (");
    for (at, branch) in branches.iter().enumerate() {
        query.push(if at == 0 { "" } else { " union all " });
        query.push("select * from (select run_key, created_at, run_id from runs where ");
        push_branch(&mut query, tenant, wanted, *branch);
        if let Some((created_at, run_id)) = after {
            query.push(" and (created_at, run_id) < (").bind(*created_at).push(", ").bind(run_id.as_str());
            query.push(")");
        }
        query.push(" order by created_at desc, run_id desc limit ").bind(limit).push(") as of_state");
    }
    query.push(") as found order by created_at desc, run_id desc limit ").bind(limit);
    query.push(") order by created_at desc, run_id desc");
    (!branches.is_empty()).then_some(query)
}

/// How many runs of a tenant a list wants, as far as a list counts.
pub async fn total(tx: &mut Tx, tenant: &Tenant, wanted: &Wanted) -> Result<Option<i64>, LedgerError> {
    match counting(tenant, wanted) {
        Some(query) => query.fetch_total(tx).await,
        None => Ok(Some(0)),
    }
}

/// The statement whose rows are counted; `None` when no run can be wanted.
pub fn counting(tenant: &Tenant, wanted: &Wanted) -> Option<Query> {
    let branches = wanted.branches();
    let mut query = Query::new("");
    for (at, branch) in branches.iter().enumerate() {
        query.push(if at == 0 { "" } else { " union all " }).push("select 1 from runs where ");
        push_branch(&mut query, tenant, wanted, *branch);
    }
    (!branches.is_empty()).then_some(query)
}
