//! Lists of runs: which are wanted, newest first.

use super::{RunRow, rows, select};
use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use stella_contract::ids::{ScheduleId, Tenant};
use stella_contract::run::{RunErrorCode, RunState, RunTrigger};
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
    /// With new findings of this severity.
    pub new_of: Option<stella_contract::finding::Severity>,
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

fn push_wanted(query: &mut Query, tenant: &Tenant, wanted: &Wanted) {
    query.push("tenant = ").bind(tenant.as_str());
    if !wanted.states.is_empty() {
        query.push(" and (state in ").bind_list(wanted.states.iter().map(|state| state.as_str()));
        if wanted.partial == Partial::Too {
            query.push(
                " or (state = 'completed' and exists (
                    select 1
                    from segments
                    where segments.run_key = runs.run_key
                        and segments.state in ('failed', 'cancelled', 'skipped')))",
            );
        }
        query.push(")");
    }
    if let Some(state) = wanted.state {
        query.push(" and state = ").bind(state.as_str());
    }
    if let Some(trigger) = wanted.trigger {
        query.push(" and run_trigger = ").bind(trigger.as_str());
    }
    if let Some(schedule_id) = &wanted.schedule_id {
        query.push(" and schedule_id = ").bind(schedule_id.as_str());
    }
    if let Some(severity) = wanted.new_of {
        use stella_contract::finding::Severity;
        query.push(match severity {
            Severity::Critical => " and new_critical > 0",
            Severity::High => " and new_high > 0",
            Severity::Medium => " and new_medium > 0",
            Severity::Low => " and new_low > 0",
            Severity::Unknown => " and new_unknown > 0",
        });
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
    let mut query = select();
    push_wanted(&mut query, tenant, wanted);
    if let Some((created_at, run_id)) = after {
        query
            .push(" and (created_at, run_id) < (")
            .bind(*created_at)
            .push(", ")
            .bind(run_id.as_str())
            .push(")");
    }
    query.push(" order by created_at desc, run_id desc limit ").bind(limit);
    rows(query, tx).await
}

/// How many runs of a tenant a list wants, as far as a list counts.
pub async fn total(tx: &mut Tx, tenant: &Tenant, wanted: &Wanted) -> Result<Option<i64>, LedgerError> {
    let mut query = Query::new("select 1 from runs where ");
    push_wanted(&mut query, tenant, wanted);
    query.fetch_total(tx).await
}
