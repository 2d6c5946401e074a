//! The ways to the rows of a list: which of them is short enough to be gone whole, and along which one a long one is
//! gone, newest first.

use super::matching::{TABLE, Wanted, is_of_failures, push_by_state, push_matching, states_of};
use crate::db::Tx;
use crate::error::LedgerError;
use crate::query::Query;
use stella_contract::filter_value::Pattern;
use stella_contract::ids::Tenant;
use stella_contract::job::JobState;

/// An index that leads to the rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// Jobs that are named.
    Jobs,
    /// The jobs of runs.
    Runs,
    /// The jobs of sources.
    Sources,
    /// Jobs that failed once.
    Failures,
    /// The jobs of these states.
    States(Vec<JobState>),
}

impl Route {
    /// The ways that lead to all that is wanted, the narrowest first.
    pub(super) fn all(wanted: &Wanted) -> Vec<Self> {
        let of = &wanted.of;
        let mut routes = Vec::new();
        let open = [
            (!of.jobs.is_empty(), Self::Jobs),
            (!of.runs.is_empty(), Self::Runs),
            (!of.sources.is_empty(), Self::Sources),
            (is_of_failures(of), Self::Failures),
            (true, Self::States(states_of(wanted))),
        ];
        routes.extend(open.into_iter().filter(|(is_open, _)| *is_open).map(|(_, route)| route));
        routes
    }

    /// Whether it leads to at most so many rows, whatever else is wanted of them.
    pub(super) async fn is_short(
        &self,
        tx: &mut Tx,
        tenant: &Tenant,
        wanted: &Wanted,
        most: i64,
    ) -> Result<bool, LedgerError> {
        let mut left = most;
        for mut part in self.parts(tenant, wanted) {
            part.push(" limit ").bind(left + 1).push(") as looked_at");
            left -= part.fetch_count(tx).await?;
            if left < 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts of the rows of each of its indexes, still to be bounded.
    fn parts(&self, tenant: &Tenant, wanted: &Wanted) -> Vec<Query> {
        let of = &wanted.of;
        let begin = || Query::new("select count(*) from (select 1 from jobs where ");
        let named = |column: &'static str, ids: Vec<&str>| {
            let mut query = begin();
            query.push(column).push(" in ").bind_list(ids);
            vec![query]
        };
        match self {
            Self::Jobs => {
                let mut query = begin();
                query.push("key in ").bind_list(of.jobs.iter().map(crate::key_of));
                vec![query]
            }
            Self::Runs => named("run_id", of.runs.iter().map(|id| id.as_str()).collect()),
            Self::Sources => named("source_id", of.sources.iter().map(|id| id.as_str()).collect()),
            Self::Failures => {
                let mut query = begin();
                query.push("error_class is not null and tenant = ").bind(tenant.as_str());
                push_exactly(&mut query, "error_code", &of.errors);
                vec![query]
            }
            Self::States(states) => states
                .iter()
                .map(|state| {
                    let mut query = begin();
                    push_state(&mut query, *state, tenant, &of.types);
                    query
                })
                .collect(),
        }
    }

    /// Goes on with the rows of this way that match.
    pub(super) fn push(&self, query: &mut Query, columns: &'static str, tenant: &Tenant, wanted: &Wanted) {
        match self {
            Self::Jobs | Self::Runs | Self::Sources | Self::Failures => {
                query.push(columns);
                push_matching(query, TABLE, tenant, wanted);
            }
            Self::States(states) => push_by_state(query, columns, tenant, wanted, states),
        }
    }
}

/// The words of the index of a state.
fn push_state(query: &mut Query, state: JobState, tenant: &Tenant, types: &[Pattern]) {
    match state {
        JobState::Pending => query.push("state = 'pending'"),
        JobState::Queued => {
            query.push("state = 'queued'");
            push_exactly(query, "job_type", types);
            query
        }
        JobState::Leased | JobState::Running => query.push("lease_until is not null"),
        JobState::Succeeded => query.push("ended_at is not null and tenant = ").bind(tenant.as_str()),
        JobState::Failed | JobState::TimedOut | JobState::Cancelled | JobState::Skipped => {
            query.push("state in ('failed', 'timed_out', 'cancelled', 'skipped') and state = '");
            query.push(state.as_str()).push("' and tenant = ").bind(tenant.as_str())
        }
    };
}

/// Goes on with exact texts; of beginnings, all rows are looked at.
fn push_exactly(query: &mut Query, column: &'static str, patterns: &[Pattern]) {
    let exact: Option<Vec<&str>> = patterns
        .iter()
        .map(|pattern| match pattern {
            Pattern::Exactly(text) => Some(text.as_str()),
            Pattern::Starting(_) => None,
        })
        .collect();
    if let Some(exact) = exact.filter(|exact| !exact.is_empty()) {
        query.push(" and ").push(column).push(" in ").bind_list(exact);
    }
}

/// Rows in the order of their keys, along which a long list is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Walk {
    /// The jobs of a run.
    Run(String),
    /// The jobs of a source.
    Source(String),
    /// The jobs that came to one bad end.
    End(JobState),
    /// All jobs.
    Table,
}

impl Walk {
    /// The shortest that leads to all that is wanted.
    pub(super) fn of(wanted: &Wanted) -> Self {
        let of = &wanted.of;
        match (&of.runs[..], &of.sources[..], &of.states[..]) {
            ([run], ..) => Self::Run(run.as_str().to_owned()),
            (_, [source], _) => Self::Source(source.as_str().to_owned()),
            (_, _, [state]) if state.is_final() && *state != JobState::Succeeded => Self::End(*state),
            _ => Self::Table,
        }
    }

    /// The table in such words that the planner goes this way. SQLite would rather gather what a partial index of some
    /// state or failure holds, however much that is.
    pub(super) fn table(&self, tx: &Tx) -> &'static str {
        match self {
            Self::Run(_) if !tx.is_postgres() => " from jobs indexed by jobs_of_run",
            Self::Source(_) if !tx.is_postgres() => " from jobs indexed by jobs_of_source",
            Self::End(_) if !tx.is_postgres() => " from jobs indexed by jobs_failed",
            Self::Table if !tx.is_postgres() => " from jobs not indexed",
            Self::Run(_) | Self::Source(_) | Self::End(_) | Self::Table => TABLE,
        }
    }

    /// Goes on with the rows along which is gone.
    pub(super) fn push(&self, query: &mut Query, tenant: &Tenant) {
        query.push(TABLE).push(" where ");
        match self {
            Self::Run(id) => query.push("run_id = ").bind(id.as_str()),
            Self::Source(id) => query.push("source_id = ").bind(id.as_str()),
            Self::End(state) => {
                push_state(query, *state, tenant, &[]);
                query
            }
            Self::Table => query.push("true"),
        };
    }
}
