//! Which rows are wanted, in the words that the indexes know.

use crate::query::Query;
use stella_contract::filter::JobMatch;
use stella_contract::filter_value::{Pattern, TimeRange};
use stella_contract::ids::Tenant;
use stella_contract::job::{JobState, WaitReason};
use stella_contract::time::Micros;

/// The table, by whichever index is best.
pub(super) const TABLE: &str = " from jobs";

/// What is wanted of a list: a filter at a time, and what limits hold at that time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The filter.
    pub of: JobMatch,
    /// What waits for a limit; needed only where the filter asks for reasons to wait.
    pub held: Vec<HeldLane>,
}

impl From<JobMatch> for Wanted {
    fn from(of: JobMatch) -> Self {
        Self { of, held: Vec::new() }
    }
}

/// Jobs of one state, type and priority, and what holds them now, whatever their rows say: a limit changes for all of
/// them at once, and their rows are written when somebody comes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLane {
    /// `queued`, or `pending` for a limit.
    pub state: JobState,
    /// Their type.
    pub job_type: String,
    /// Their priority.
    pub priority: i32,
    /// What holds those that read none of the sources below; `None` when nothing does and the row says what it says.
    pub hold: Option<Told>,
    /// Sources whose jobs are held by something else.
    pub sources: Vec<(String, Told)>,
}

/// What holds jobs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Why they wait.
    pub reason: WaitReason,
    /// Until when, where that is known.
    pub until: Option<Micros>,
}

impl HeldLane {
    /// What holds its jobs that read this source.
    pub fn hold_of(&self, source_id: Option<&str>) -> Option<Told> {
        let own = self.sources.iter().find(|(id, _)| Some(id.as_str()) == source_id);
        own.map_or(self.hold, |(_, hold)| Some(*hold))
    }
}

/// Whether only jobs with a failure can match, whatever their state; they have an index of their own.
pub(super) fn is_of_failures(wanted: &JobMatch) -> bool {
    !wanted.errors.is_empty() || !wanted.categories.is_empty()
}

/// The states of which alone a match can be.
pub(super) fn states_of(wanted: &Wanted) -> Vec<JobState> {
    let all = if wanted.of.states.is_empty() { JobState::ALL } else { &wanted.of.states[..] };
    let waits = !wanted.of.waits.is_empty();
    let holds_queued = wanted.held.iter().any(|lane| lane.state == JobState::Queued);
    all.iter()
        .copied()
        .filter(|state| match state {
            JobState::Pending => true,
            JobState::Queued => !waits || holds_queued,
            JobState::Leased
            | JobState::Running
            | JobState::Succeeded
            | JobState::Failed
            | JobState::TimedOut
            | JobState::Cancelled
            | JobState::Skipped => !waits,
        })
        .collect()
}

/// Goes on with the matching jobs, in no order, by way of the states' indexes where that is shorter.
pub(crate) fn push_candidates(query: &mut Query, columns: &'static str, tenant: &Tenant, wanted: &Wanted) {
    let of = &wanted.of;
    // What names its jobs, a run, a source or a failure has an index of its own, as all together have the table.
    let is_plain = of.states.is_empty() && of.types.is_empty() && of.waits.is_empty();
    if is_plain || of.states.contains(&JobState::Succeeded) {
        query.push(columns);
        return push_matching(query, TABLE, tenant, wanted);
    }
    push_by_state(query, columns, tenant, wanted, &states_of(wanted));
}

/// Goes on with the matching jobs of each state in turn, so that each part can use the index of its state.
pub(super) fn push_by_state(
    query: &mut Query,
    columns: &'static str,
    tenant: &Tenant,
    wanted: &Wanted,
    states: &[JobState],
) {
    if states.is_empty() {
        query.push(columns).push(TABLE).push(" where false");
    }
    for (at, state) in states.iter().enumerate() {
        query.push(if at == 0 { "" } else { " union all " }).push(columns);
        let of = JobMatch { states: vec![*state], ..wanted.of.clone() };
        push_matching(query, TABLE, tenant, &Wanted { of, held: wanted.held.clone() });
        if *state == JobState::Succeeded {
            // In these words the index of what ended is known again.
            query.push(" and ended_at is not null");
        }
    }
}

/// Goes on with the table and everything that is wanted of its rows.
pub(super) fn push_matching(query: &mut Query, table: &'static str, tenant: &Tenant, all: &Wanted) {
    let wanted = &all.of;
    query.push(table).push(" where tenant = ").bind(tenant.as_str());
    push_states(query, &wanted.states);
    if !wanted.jobs.is_empty() {
        query.push(" and key in ").bind_list(wanted.jobs.iter().map(crate::key_of));
        query.push(" and job_id in ").bind_list(wanted.jobs.iter().map(|id| id.as_str()));
    }
    push_patterns(query, "job_type", &wanted.types);
    if !wanted.waits.is_empty() {
        push_waits(query, all);
    }
    for (at, range) in wanted.priorities.iter().enumerate() {
        query.push(if at == 0 { " and (" } else { " or " }).push("priority between ");
        query.bind(i64::from(range.least)).push(" and ").bind(i64::from(range.most));
    }
    close(query, wanted.priorities.len());
    for ranges in &wanted.created {
        push_times(query, ranges);
    }
    if !wanted.runs.is_empty() {
        query.push(" and run_id in ").bind_list(wanted.runs.iter().map(|id| id.as_str()));
    }
    if !wanted.sources.is_empty() {
        query.push(" and source_id in ").bind_list(wanted.sources.iter().map(|id| id.as_str()));
    }
    if !wanted.workers.is_empty() {
        query.push(" and worker_id in ").bind_list(wanted.workers.iter().map(|id| id.as_str()));
    }
    if is_of_failures(wanted) {
        // The words of the index of failures.
        query.push(" and error_class is not null");
    }
    push_patterns(query, "error_code", &wanted.errors);
    if !wanted.categories.is_empty() {
        query.push(" and error_class in ").bind_list(wanted.categories.iter().map(|class| class.as_str()));
    }
}

fn close(query: &mut Query, opened: usize) {
    query.push(if opened == 0 { "" } else { ")" });
}

fn push_patterns(query: &mut Query, column: &'static str, patterns: &[Pattern]) {
    for (at, pattern) in patterns.iter().enumerate() {
        query.push(if at == 0 { " and (" } else { " or " });
        match pattern {
            Pattern::Exactly(text) => {
                query.push(column).push(" = ").bind(text.as_str());
            }
            // No comparison of texts, whose order differs between databases.
            Pattern::Starting(stem) => {
                let letters = i64::try_from(stem.chars().count()).unwrap_or(i64::MAX);
                query.push("substr(").push(column).push(", 1, cast(").bind(letters);
                query.push(" as integer)) = ").bind(stem.as_str());
            }
        }
    }
    close(query, patterns.len());
}

/// Row keys begin with the time of making, so that a range of times is a range of rows.
pub(super) fn push_key_ranges(query: &mut Query, created: &[Vec<TimeRange>]) {
    for ranges in created {
        for (at, range) in ranges.iter().enumerate() {
            query.push(if at == 0 { " and (" } else { " or " }).push("(");
            push_keys(query, range);
            query.push(")");
        }
        close(query, ranges.len());
    }
}

fn push_keys(query: &mut Query, range: &TimeRange) {
    let (from, until) = (from_of(range), until_of(range));
    query.push("key >= ").bind(first_key(from.0.div_euclid(1_000))).push(" and key < ");
    query.bind(first_key(until.0.div_euclid(1_000).saturating_add(1)));
}

fn from_of(range: &TimeRange) -> Micros {
    range.from.unwrap_or(Micros(0))
}

fn until_of(range: &TimeRange) -> Micros {
    range.until.unwrap_or(Micros(i64::MAX))
}

fn push_times(query: &mut Query, ranges: &[TimeRange]) {
    for (at, range) in ranges.iter().enumerate() {
        query.push(if at == 0 { " and (" } else { " or " }).push("(");
        push_keys(query, range);
        query.push(" and created_at >= ").bind(from_of(range).0);
        query.push(" and created_at < ").bind(until_of(range).0).push(")");
    }
    close(query, ranges.len());
}

/// The lowest row key of this millisecond.
fn first_key(ms: i64) -> i64 {
    ms.clamp(0, i64::MAX >> crate::key::COUNTER_BITS) << crate::key::COUNTER_BITS
}

/// The words of the partial index of each state; a planner takes it only when it meets them again.
fn push_states(query: &mut Query, states: &[JobState]) {
    let is_bad_end = |state: &JobState| state.is_final() && *state != JobState::Succeeded;
    if !states.is_empty() && states.iter().all(is_bad_end) {
        query.push(" and state in ('failed', 'timed_out', 'cancelled', 'skipped')");
    }
    if !states.is_empty() && states.iter().all(|state| matches!(state, JobState::Leased | JobState::Running))
    {
        query.push(" and lease_until is not null");
    }
    match states {
        [] => {}
        // Literals, so that the partial index of the state can be used.
        [state] => {
            query.push(" and state = '").push(state.as_str()).push("'");
        }
        _ => {
            for (at, state) in states.iter().enumerate() {
                query.push(if at == 0 { " and state in ('" } else { "', '" }).push(state.as_str());
            }
            query.push("')");
        }
    }
}

/// Goes on with: it waits for one of the wanted reasons, as its row says it, or as the limits say it now.
fn push_waits(query: &mut Query, wanted: &Wanted) {
    let is_about = |state: JobState| wanted.of.states.is_empty() || wanted.of.states.contains(&state);
    let lanes = |state: JobState| wanted.held.iter().filter(move |lane| lane.state == state);
    query.push(" and (");
    if is_about(JobState::Pending) {
        // Only pending jobs have a reason, and only they are in the index of what waits.
        query.push("(state = 'pending' and ((wait_reason in ");
        query.bind_list(wanted.of.waits.iter().map(|reason| reason.as_str()));
        push_lanes(query, " and not (", lanes(JobState::Pending), ") ", |reason| {
            !wanted.of.waits.contains(&reason)
        });
        query.push(")");
        push_lanes(query, " or (", lanes(JobState::Pending), ")", |reason| wanted.of.waits.contains(&reason));
        query.push("))");
    } else {
        query.push("false");
    }
    if is_about(JobState::Queued) {
        push_lanes(query, " or (state = 'queued' and (", lanes(JobState::Queued), "))", |reason| {
            wanted.of.waits.contains(&reason)
        });
    }
    query.push(")");
}

/// Goes on with those of these lanes that are held by a reason that fits, when there are any.
fn push_lanes<'a>(
    query: &mut Query,
    before: &'static str,
    lanes: impl Iterator<Item = &'a HeldLane>,
    after: &'static str,
    fits: impl Fn(WaitReason) -> bool,
) {
    let mut some = false;
    let some_fit = |lane: &&HeldLane| {
        lane.hold.iter().chain(lane.sources.iter().map(|(_, hold)| hold)).any(|hold| fits(hold.reason))
    };
    for lane in lanes.filter(some_fit) {
        query.push(if some { " or (" } else { before }).push(if some { "" } else { "(" });
        some = true;
        if lane.state == JobState::Pending {
            query.push(crate::limits::LIMITED).push(" and ");
        }
        query.push("job_type = ").bind(lane.job_type.as_str());
        query.push(" and priority = ").bind(i64::from(lane.priority));
        push_sources(query, lane, &fits);
        query.push(")");
    }
    query.push(if some { after } else { "" });
}

fn push_sources(query: &mut Query, lane: &HeldLane, fits: &impl Fn(WaitReason) -> bool) {
    let ids = |fit: bool| {
        let some = lane.sources.iter().filter(move |(_, hold)| fits(hold.reason) == fit);
        some.map(|(id, _)| id.as_str()).collect::<Vec<_>>()
    };
    if !lane.hold.is_some_and(|hold| fits(hold.reason)) {
        // Without a source it is surely not one of these, which `in` alone would not say.
        query.push(" and source_id is not null and source_id in ").bind_list(ids(true));
    } else if !ids(false).is_empty() {
        query.push(" and (source_id is null or source_id not in ").bind_list(ids(false)).push(")");
    }
}
