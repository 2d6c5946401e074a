//! The graph around a job, ready to be drawn: ranks, orders, the critical path. Beyond 500 jobs it is the neighbourhood
//! of the one in focus.

use crate::caller::Caller;
use crate::error::Error;
use crate::gate::tell_holds;
use crate::graph;
use crate::jobs::Jobs;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use stella_contract::dag::{DAG_SCHEMA, Dag, DagEdge, DagNode, HOPS, MOST_SHOWN};
use stella_contract::edge::MOST_NODES;
use stella_contract::ids::{JobId, RunId};
use stella_contract::job::JobState;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::edges::{self, EdgeRecord, Node};
use stella_ledger::{Tx, jobs};

/// A graph as it lies in the ledger.
struct Found {
    focus: i64,
    run_id: Option<RunId>,
    nodes: Vec<Node>,
    edges: Vec<EdgeRecord>,
    shown: BTreeSet<i64>,
    /// Edges to shown jobs that have not come: downstream and upstream.
    unmet: HashSet<(i64, i64)>,
}

impl Jobs {
    /// The graph around a job: what it waits for, what waits for it, and so on; of a run's job, the whole run.
    pub async fn dag(&self, caller: &Caller, id: &JobId) -> Result<Dag, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, wanted, now) = (caller.tenant.clone(), id.clone(), self.engine.now());
        let found: Found = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let record = jobs::get(tx, &tenant, &wanted).await?;
                    let record = record.ok_or_else(|| Error::not_found("job", &wanted))?;
                    find(tx, record.key, record.job.run_id, now).await
                })
            })
            .await?;
        draw(found, id, now)
    }
}

async fn find(tx: &mut Tx, focus: i64, run_id: Option<RunId>, now: Micros) -> Result<Found, Error> {
    let mut keys = BTreeSet::from([focus]);
    if let Some(run) = &run_id {
        keys.extend(edges::keys_of_run(tx, run, MOST_NODES).await?);
    }
    let members: Vec<i64> = keys.iter().copied().collect();
    let graphs: BTreeSet<i64> =
        edges::graphs_of(tx, &members).await?.into_iter().map(|(_, graph)| graph).collect();
    let edges = edges::of_graphs(tx, &graphs.into_iter().collect::<Vec<_>>()).await?;
    keys.extend(edges.iter().flat_map(|edge| [edge.from_key, edge.to_key]));
    let mut nodes = edges::nodes(tx, &keys.iter().copied().collect::<Vec<_>>()).await?;
    let shown = if keys.len() > MOST_SHOWN { neighbourhood(focus, &edges) } else { keys };
    tell_waits(tx, &mut nodes, &shown, now).await?;
    let unmet = edges::unmet(tx, &shown.iter().copied().collect::<Vec<_>>()).await?;
    let unmet = unmet.into_iter().map(|edge| (edge.key, edge.from_key)).collect();
    Ok(Found { focus, run_id, nodes, edges, shown, unmet })
}

/// Says of the nodes that limits may hold what holds them now.
async fn tell_waits(
    tx: &mut Tx,
    nodes: &mut [Node],
    shown: &BTreeSet<i64>,
    now: Micros,
) -> Result<(), Error> {
    let waits = |node: &&Node| matches!(node.state, JobState::Pending | JobState::Queued);
    let waiting = nodes.iter().filter(waits).map(|node| node.key).filter(|key| shown.contains(key));
    let waiting: Vec<i64> = waiting.collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let mut records = jobs::get_many(tx, &waiting).await?;
    tell_holds(tx, &mut records, now).await?;
    let told: HashMap<i64, _> =
        records.into_iter().map(|record| (record.key, record.job.wait_reason)).collect();
    for node in nodes.iter_mut().filter(|node| told.contains_key(&node.key)) {
        node.wait_reason = told[&node.key];
    }
    Ok(())
}

/// What is at most two edges away, nearer jobs first when there are too many.
fn neighbourhood(focus: i64, edges: &[EdgeRecord]) -> BTreeSet<i64> {
    let mut beside: HashMap<i64, BTreeSet<i64>> = HashMap::new();
    for edge in edges {
        beside.entry(edge.from_key).or_default().insert(edge.to_key);
        beside.entry(edge.to_key).or_default().insert(edge.from_key);
    }
    let mut near = BTreeSet::from([focus]);
    let mut queue = VecDeque::from([(focus, 0)]);
    while let Some((key, hops)) = queue.pop_front() {
        if hops == HOPS {
            continue;
        }
        for next in beside.get(&key).into_iter().flatten() {
            if near.len() < MOST_SHOWN && near.insert(*next) {
                queue.push_back((*next, hops + 1));
            }
        }
    }
    near
}

fn draw(found: Found, focus: &JobId, now: Micros) -> Result<Dag, Error> {
    let ranks = graph::check(&found.edges)
        .map_err(|cycle| Error::internal(format!("the graph of {} has the cycle {cycle:?}", found.focus)))?;
    let rank_of = |key: i64| ranks.get(&key).copied().unwrap_or(0);
    let by_key: HashMap<i64, &Node> = found.nodes.iter().map(|node| (node.key, node)).collect();
    let mut places: Vec<(i64, &Node)> = found.nodes.iter().map(|node| (rank_of(node.key), node)).collect();
    places
        .sort_by(|(rank, node), (other_rank, other)| (rank, &node.job_id).cmp(&(other_rank, &other.job_id)));
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for node in &found.nodes {
        *counts.entry(node.state.as_str().to_owned()).or_default() += 1;
    }
    let mut nodes = Vec::with_capacity(found.shown.len());
    let (mut rank_at_hand, mut order) = (0, 0);
    for (rank, node) in places {
        order = if rank == rank_at_hand { order } else { 0 };
        rank_at_hand = rank;
        if found.shown.contains(&node.key) {
            nodes.push(view(node, rank, order, now));
        }
        order += 1;
    }
    let id_of = |key: &i64| by_key.get(key).map(|node| node.job_id.clone());
    let shown =
        |edge: &&EdgeRecord| found.shown.contains(&edge.from_key) && found.shown.contains(&edge.to_key);
    let edges = found.edges.iter().filter(shown).filter_map(|edge| {
        Some(DagEdge {
            from: id_of(&edge.from_key)?,
            to: id_of(&edge.to_key)?,
            kind: edge.kind,
            satisfied: !found.unmet.contains(&(edge.to_key, edge.from_key)),
        })
    });
    let omitted = i64::try_from(found.nodes.len() - nodes.len()).unwrap_or(i64::MAX);
    Ok(Dag {
        schema: DAG_SCHEMA.to_owned(),
        run_id: found.run_id.clone(),
        generated_at: now,
        focus_job_id: focus.clone(),
        edges: edges.collect(),
        critical_path: critical_path(&found.edges, &ranks, &by_key, now).iter().filter_map(id_of).collect(),
        nodes,
        counts,
        truncated: omitted > 0,
        omitted,
    })
}

fn duration_ms(node: &Node, now: Micros) -> Option<i64> {
    node.started_at.map(|start| node.ended_at.unwrap_or(now).ms_since(start).max(0))
}

fn view(node: &Node, rank: i64, order: i64, now: Micros) -> DagNode {
    let id = node.job_id.as_str();
    DagNode {
        id: node.job_id.clone(),
        job_type: node.job_type.clone(),
        label: format!("{} {}", node.job_type, &id[id.len() - 4..]),
        state: node.state,
        wait_reason: node.wait_reason,
        attempt: node.attempt,
        priority: node.priority,
        rank,
        order,
        started_at: node.started_at,
        ended_at: node.ended_at,
        duration_ms: duration_ms(node, now),
        error_category: node.error_class,
        replay_of: node.replay_of.clone(),
    }
}

/// The path along which most time passes. What has not run counts a millisecond, so that before anything runs it is
/// the longest path; of equals it is the one through the smaller keys.
fn critical_path(
    edges: &[EdgeRecord],
    ranks: &BTreeMap<i64, i64>,
    nodes: &HashMap<i64, &Node>,
    now: Micros,
) -> Vec<i64> {
    let mut before: HashMap<i64, Vec<i64>> = HashMap::new();
    for edge in edges {
        before.entry(edge.to_key).or_default().push(edge.from_key);
    }
    let mut by_rank: Vec<i64> = ranks.keys().copied().collect();
    by_rank.sort_by_key(|key| (ranks[key], *key));
    let mut best: HashMap<i64, (i64, Option<i64>)> = HashMap::new();
    let mut last: Option<(i64, i64)> = None;
    for key in by_rank {
        let own = nodes.get(&key).and_then(|node| duration_ms(node, now)).unwrap_or(0).max(1);
        let from =
            before.get(&key).into_iter().flatten().map(|from| (best.get(from).map_or(0, |one| one.0), *from));
        let from = from.max_by_key(|(cost, from)| (*cost, std::cmp::Reverse(*from)));
        let cost = own + from.map_or(0, |(cost, _)| cost);
        best.insert(key, (cost, from.map(|(_, from)| from)));
        if last.is_none_or(|(most, _)| cost > most) {
            last = Some((cost, key));
        }
    }
    let mut path: Vec<i64> = Vec::new();
    let mut next = last.map(|(_, key)| key);
    while let Some(key) = next {
        path.push(key);
        next = best.get(&key).and_then(|(_, from)| *from);
    }
    path.reverse();
    path
}
