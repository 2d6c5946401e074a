//! What waits for what: edges come in without a cycle, dependents go when what they wait for has come, in the very
//! transaction in which it comes.

use crate::caller::Caller;
use crate::change::{self, By, JobChange, settle_again};
use crate::engine::Engine;
use crate::error::Error;
use crate::graph::{self, Cycle};
use crate::jobs::engine_itself;
use crate::journal::Journal;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use stella_contract::edge::{
    AddEdges, AddedEdges, Dependency, Edge, MOST_AT_ONCE, MOST_EDGES, MOST_NODES, add_edge_refusal,
};
use stella_contract::error::{Code, FieldProblem};
use stella_contract::ids::{JobId, RunId, Tenant};
use stella_contract::job::{JobEvent, JobState, WaitReason};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::edges::{self, EdgeRecord, Graph, UnmetEdge, Wait};
use stella_ledger::jobs::Hold;
use stella_ledger::record::JobRecord;
use stella_ledger::{Tx, jobs, runs};

/// Who lets dependents go, as the history names it.
const DAG: &str = "dag";

/// What waits for what.
#[derive(Clone)]
pub struct Edges {
    engine: Engine,
}

impl Engine {
    /// What waits for what.
    pub fn edges(&self) -> Edges {
        Edges { engine: self.clone() }
    }
}

impl Edges {
    /// Makes jobs that no worker holds yet wait for others, all or none. An edge that is there already is left alone.
    pub async fn add(&self, caller: &Caller, wish: AddEdges) -> Result<AddedEdges, Error> {
        caller.demand_write(Scope::OrchOperate)?;
        if wish.edges.is_empty() || wish.edges.len() > MOST_AT_ONCE {
            return Err(Error::invalid("edges", format!("has 1 to {MOST_AT_ONCE} edges")));
        }
        let by = By { actor: caller.actor(), cause: caller.cause.clone() };
        let (tenant, engine) = (caller.tenant.clone(), self.engine.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let mut journal = Journal::default();
                    let added = add(tx, &tenant, wish, &by, engine.now(), &mut journal).await?;
                    journal.leave(tx);
                    Ok(added)
                })
            })
            .await
    }
}

async fn add(
    tx: &mut Tx,
    tenant: &Tenant,
    wish: AddEdges,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<AddedEdges, Error> {
    let ends =
        wish.edges.iter().flat_map(|edge| [edge.from_job_id.clone(), edge.to_job_id.clone()]).collect();
    let named = named(tx, tenant, ends).await?;
    let mut records = Vec::with_capacity(wish.edges.len());
    for edge in &wish.edges {
        let (from, to) = (&named[&edge.from_job_id], &named[&edge.to_job_id]);
        if let Some(why) = add_edge_refusal(to.job.state) {
            let sentence =
                format!("{why}: `{}` is {} and cannot be made to wait.", to.job.job_id, to.job.state);
            return Err(Error::new(Code::InvalidTransition, sentence));
        }
        records.push(EdgeRecord { from_key: from.key, to_key: to.key, kind: edge.kind });
    }
    let fresh = unknown(tx, &records).await?;
    link(tx, tenant, &fresh, Novelty::Known).await?;
    let waiting: BTreeSet<i64> = fresh.iter().map(|edge| edge.to_key).collect();
    let waiting: Vec<JobRecord> = named.values().filter(|one| waiting.contains(&one.key)).cloned().collect();
    settle_anew(tx, waiting, by, now, journal).await?;
    let edges = wish.edges.into_iter().map(|edge| Edge {
        run_id: named[&edge.to_job_id].job.run_id.clone(),
        from_job_id: edge.from_job_id,
        to_job_id: edge.to_job_id,
        kind: edge.kind,
    });
    Ok(AddedEdges { edges: edges.collect(), added: i64::try_from(fresh.len()).unwrap_or(i64::MAX) })
}

/// The jobs with these ids. One of another tenant is refused as such, one that is not there as unknown.
async fn named(
    tx: &mut Tx,
    tenant: &Tenant,
    ids: BTreeSet<JobId>,
) -> Result<BTreeMap<JobId, JobRecord>, Error> {
    let keys: Vec<i64> = ids.iter().map(stella_ledger::key_of).collect();
    let found = jobs::get_many(tx, &keys).await?;
    let found: BTreeMap<JobId, JobRecord> =
        found.into_iter().map(|record| (record.job.job_id.clone(), record)).collect();
    for id in ids {
        let Some(record) = found.get(&id) else { return Err(Error::not_found("job", id)) };
        if record.job.tenant != *tenant {
            let sentence = format!("`{id}` is of another tenant; an edge joins jobs of one tenant only.");
            return Err(Error::new(Code::DagCrossTenant, sentence));
        }
    }
    Ok(found)
}

/// The edges that are not there yet, each once.
async fn unknown(tx: &mut Tx, wanted: &[EdgeRecord]) -> Result<Vec<EdgeRecord>, Error> {
    let to: BTreeSet<i64> = wanted.iter().map(|edge| edge.to_key).collect();
    let known = edges::into(tx, &to.into_iter().collect::<Vec<_>>()).await?;
    let mut seen: HashMap<(i64, i64), _> =
        known.into_iter().map(|edge| ((edge.from_key, edge.to_key), edge.kind)).collect();
    let mut fresh = Vec::new();
    for edge in wanted {
        match seen.insert((edge.from_key, edge.to_key), edge.kind) {
            None => fresh.push(*edge),
            Some(kind) if kind == edge.kind => {}
            Some(kind) => {
                let sentence = format!(
                    "Between two jobs there is one edge at most, and one of them waits `{kind}` already. Leave it out."
                );
                return Err(Error::new(Code::Conflict, sentence));
            }
        }
    }
    Ok(fresh)
}

/// Whether the waiting ends of new edges were there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Novelty {
    /// They are made in this transaction, so that nothing can wait for them: a cycle cannot be.
    New,
    /// They may be waited for.
    Known,
}

/// Writes edges that are not there yet, after a look at what they make of the graphs that they touch.
async fn link(tx: &mut Tx, tenant: &Tenant, new: &[EdgeRecord], novelty: Novelty) -> Result<(), Error> {
    if new.is_empty() {
        return Ok(());
    }
    let keys: BTreeSet<i64> = new.iter().flat_map(|edge| [edge.from_key, edge.to_key]).collect();
    let known = edges::graphs_of(tx, &keys.into_iter().collect::<Vec<_>>()).await?;
    for group in graph::groups(new, &known) {
        let sizes = edges::sizes(tx, &group.graphs).await?;
        let nodes = sizes.iter().map(|graph| graph.nodes).sum::<i64>() + group.new_nodes;
        let count = sizes.iter().map(|graph| graph.edges).sum::<i64>()
            + i64::try_from(group.edges.len()).unwrap_or(i64::MAX);
        if nodes > MOST_NODES || count > MOST_EDGES {
            let sentence = format!(
                "These edges would join {nodes} jobs by {count} edges; a graph holds at most {MOST_NODES} jobs and {MOST_EDGES} edges."
            );
            return Err(Error::new(Code::DagTooLarge, sentence));
        }
        if novelty == Novelty::Known {
            let mut all = edges::of_graphs(tx, &group.graphs).await?;
            all.extend(&group.edges);
            if let Err(cycle) = graph::check(&all) {
                return Err(refused(tx, &cycle).await?);
            }
        }
        let others: Vec<i64> = group.graphs.iter().copied().filter(|graph| *graph != group.key).collect();
        edges::merge(tx, group.key, &others).await?;
        edges::insert_many(tx, tenant, group.key, &group.edges).await?;
        edges::put_graph(tx, Graph { graph_key: group.key, nodes, edges: count }).await?;
    }
    Ok(())
}

/// The refusal of a cycle, which names its jobs.
async fn refused(tx: &mut Tx, cycle: &Cycle) -> Result<Error, Error> {
    let records = jobs::get_many(tx, &cycle.keys).await?;
    let id = |key: &i64| records.iter().find(|one| one.key == *key).map(|one| one.job.job_id.to_string());
    let ids: Vec<String> = cycle.keys.iter().filter_map(id).collect();
    let round: Vec<&str> = ids.iter().chain(ids.first()).map(String::as_str).collect();
    let sentence =
        format!("These jobs would wait for each other: {}. Leave one of the edges out.", round.join(", "));
    let problem = |id: &String| FieldProblem {
        field: "edges".to_owned(),
        code: Code::DagCycle.as_str().to_owned(),
        message: id.clone(),
    };
    Ok(Error::new(Code::DagCycle, sentence).with_fields(ids.iter().map(problem).collect()))
}

/// New jobs, written in this transaction as pending, wait for these. Those with nothing left to wait for are queued.
pub(crate) async fn attach(
    tx: &mut Tx,
    tenant: &Tenant,
    new: &[(JobRecord, Vec<Dependency>)],
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let upstream = new.iter().flat_map(|(_, on)| on.iter().map(|one| one.job_id.clone())).collect();
    let named = named(tx, tenant, upstream).await?;
    let mut wanted = Vec::new();
    for (record, on) in new {
        wanted.extend(on.iter().map(|one| EdgeRecord {
            from_key: named[&one.job_id].key,
            to_key: record.key,
            kind: one.kind,
        }));
    }
    let fresh = unknown(tx, &wanted).await?;
    link(tx, tenant, &fresh, Novelty::New).await?;
    settle_anew(tx, new.iter().map(|(record, _)| record.clone()).collect(), by, now, journal).await
}

/// What holds each of the jobs.
async fn held_by(tx: &mut Tx, jobs: &[JobRecord]) -> Result<HashMap<i64, Vec<UnmetEdge>>, Error> {
    let keys: Vec<i64> = jobs.iter().map(|record| record.key).collect();
    let mut held: HashMap<i64, Vec<UnmetEdge>> = HashMap::new();
    for edge in edges::unmet(tx, &keys).await? {
        held.entry(edge.key).or_default().push(edge);
    }
    Ok(held)
}

/// Why a job waits whose edges are these; `None` when nothing is left to wait for.
pub(crate) fn wait_reason(held: &[UnmetEdge]) -> Option<WaitReason> {
    let missed = |edge: &UnmetEdge| edge.wait_reason() == WaitReason::UpstreamFailed;
    match held {
        [] => None,
        held if held.iter().any(missed) => Some(WaitReason::UpstreamFailed),
        _ => Some(WaitReason::Dependency),
    }
}

const fn waits_for_edges(why: Option<WaitReason>) -> bool {
    matches!(why, Some(WaitReason::Dependency | WaitReason::UpstreamFailed))
}

/// Brings pending and queued jobs whose edges changed to where they belong; the jobs as they are then.
async fn settle_anew(
    tx: &mut Tx,
    waiting: Vec<JobRecord>,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) -> Result<Vec<JobRecord>, Error> {
    let held = held_by(tx, &waiting).await?;
    let reason_of = |record: &JobRecord| held.get(&record.key).and_then(|held| wait_reason(held));
    let runs: BTreeSet<RunId> = waiting
        .iter()
        .filter(|one| reason_of(one) == Some(WaitReason::UpstreamFailed))
        .filter_map(|one| one.job.run_id.clone())
        .collect();
    let ended_runs = ended(tx, runs).await?;
    let (mut go, mut hold, mut wait, mut skip) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for record in &waiting {
        let (key, job) = (record.key, &record.job);
        let is_over = job.run_id.as_ref().is_some_and(|run| ended_runs.contains(run));
        match (job.state, reason_of(record)) {
            (JobState::Pending, Some(WaitReason::UpstreamFailed)) if is_over => skip.push(key),
            (JobState::Pending, Some(why)) if job.wait_reason != Some(why) => {
                wait.push(Wait { key, why, until: None });
            }
            (JobState::Queued, Some(wait_reason)) => {
                hold.push(Hold { key, wait_reason, next_eligible_at: None });
            }
            // What waits for something else as well, waits on.
            (JobState::Pending, None) if !waits_for_edges(job.wait_reason) => {}
            (JobState::Pending, None) => match job.not_before.filter(|at| *at > now) {
                Some(at) => wait.push(Wait { key, why: WaitReason::NotBefore, until: Some(at) }),
                None => go.push(key),
            },
            (
                JobState::Pending
                | JobState::Queued
                | JobState::Leased
                | JobState::Running
                | JobState::Succeeded
                | JobState::Failed
                | JobState::TimedOut
                | JobState::Cancelled
                | JobState::Skipped,
                _,
            ) => {}
        }
    }
    let waits = edges::wait_many(tx, &wait).await?;
    change::tell_waits(&waits, now, journal)?;
    let mut changes = Vec::new();
    if !hold.is_empty() {
        let held = jobs::hold_many(tx, &hold).await?;
        changes.extend(held.into_iter().map(|one| JobChange::along(JobEvent::Hold, JobState::Queued, one)));
    }
    let gone = jobs::queue_many(tx, &go, now).await?;
    changes.extend(gone.into_iter().map(|one| JobChange::along(JobEvent::Queue, JobState::Pending, one)));
    let skipped = jobs::skip_many(tx, &skip, now).await?;
    changes.extend(skipped.into_iter().map(|one| JobChange::along(JobEvent::Skip, JobState::Pending, one)));
    if !changes.is_empty() {
        // What follows from a skip is told by the same way again.
        settle_again(tx, &changes, by, now, journal).await?;
    }
    Ok(waits.into_iter().chain(changes.into_iter().map(|change| change.after)).collect())
}

/// Which of the runs have ended.
async fn ended(tx: &mut Tx, runs: BTreeSet<RunId>) -> Result<BTreeSet<RunId>, Error> {
    if runs.is_empty() {
        return Ok(runs);
    }
    let ids: Vec<&str> = runs.iter().map(RunId::as_str).collect();
    let runs = runs::by_ids(tx, &ids).await?;
    Ok(runs.into_iter().filter(|run| run.state.is_final()).map(|run| run.run_id).collect())
}

/// Whether a change of a job may matter to who waits for it: it ended, or a repeat of it begins.
fn matters(change: &JobChange) -> bool {
    let job = &change.after.job;
    job.state.is_final() || (change.from.is_none() && change.after.origin_key.is_some())
}

/// Lets go who waited for these jobs, or tells them that it will not come. It asks nothing when no job ended.
pub(crate) async fn follow(
    tx: &mut Tx,
    changes: &[JobChange],
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let mattering: Vec<&JobRecord> =
        changes.iter().filter(|change| matters(change)).map(|change| &change.after).collect();
    if mattering.is_empty() {
        return Ok(());
    }
    let mut keys: BTreeSet<i64> = mattering.iter().map(|record| record.key).collect();
    let origins: BTreeSet<i64> = mattering.iter().filter_map(|record| record.origin_key).collect();
    if !origins.is_empty() {
        // Who waits for the first job, or for another repeat of it, waits for this one.
        let origins: Vec<i64> = origins.into_iter().collect();
        keys.extend(edges::repeats_of(tx, &origins).await?);
        keys.extend(origins);
    }
    let waiting = edges::waiting_on(tx, &keys.into_iter().collect::<Vec<_>>()).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    settle_anew(tx, waiting, &engine_itself(DAG), now, journal).await?;
    Ok(())
}

/// The run has ended: its jobs that wait for what failed are skipped, and so are those that wait for them.
pub(crate) async fn run_ended(
    tx: &mut Tx,
    run_id: &RunId,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let waiting = edges::missed_of_run(tx, run_id).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    settle_anew(tx, waiting, &engine_itself(DAG), now, journal).await?;
    Ok(())
}
