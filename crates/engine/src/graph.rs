//! Graphs as such: which edges hang together, whether they lead round, how far from a root each job is. Pure, and the
//! same input gives the same output.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use stella_ledger::edges::EdgeRecord;

/// New edges that hang together, with the graphs they join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The key of the graph that they make.
    pub(crate) key: i64,
    /// The graphs that they touch, by key.
    pub(crate) graphs: Vec<i64>,
    /// The new edges.
    pub(crate) edges: Vec<EdgeRecord>,
    /// How many of their jobs were in no graph.
    pub(crate) new_nodes: i64,
}

/// Sorts new edges into what hangs together; `known` tells the graph of jobs that are in one.
pub(crate) fn groups(new: &[EdgeRecord], known: &[(i64, i64)]) -> Vec<Group> {
    let graph_of: HashMap<i64, i64> = known.iter().copied().collect();
    // A job in a graph stands for its graph: both are row keys, and a graph's key is that of one of its jobs.
    let place = |key: i64| graph_of.get(&key).map_or(Place::Job(key), |graph| Place::Graph(*graph));
    let mut forest = Forest::default();
    for edge in new {
        forest.join(place(edge.from_key), place(edge.to_key));
    }
    let mut groups: BTreeMap<Place, Group> = BTreeMap::new();
    let empty = || Group { key: i64::MAX, graphs: Vec::new(), edges: Vec::new(), new_nodes: 0 };
    for edge in new {
        groups.entry(forest.root(place(edge.from_key))).or_insert_with(empty).edges.push(*edge);
    }
    let places: BTreeSet<Place> =
        new.iter().flat_map(|edge| [place(edge.from_key), place(edge.to_key)]).collect();
    for one in places {
        let Some(group) = groups.get_mut(&forest.root(one)) else { continue };
        match one {
            Place::Graph(graph) => group.graphs.push(graph),
            Place::Job(_) => group.new_nodes += 1,
        }
    }
    for group in groups.values_mut() {
        let jobs = group.edges.iter().flat_map(|edge| [edge.from_key, edge.to_key]);
        let first = jobs.min().unwrap_or(i64::MAX);
        group.key = group.graphs.first().copied().unwrap_or(first);
    }
    groups.into_values().collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Graph(i64),
    Job(i64),
}

/// Who hangs together with whom.
#[derive(Debug, Default)]
struct Forest {
    parents: HashMap<Place, Place>,
}

impl Forest {
    fn root(&mut self, of: Place) -> Place {
        let mut root = of;
        while let Some(parent) = self.parents.get(&root).copied() {
            root = parent;
        }
        let mut one = of;
        while one != root {
            one = self.parents.insert(one, root).unwrap_or(root);
        }
        root
    }
    fn join(&mut self, one: Place, other: Place) {
        let (one, other) = (self.root(one), self.root(other));
        if one != other {
            self.parents.insert(one.max(other), one.min(other));
        }
    }
}

/// Jobs that would wait for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// Their row keys, each waited for by the next, the last by the first; the smallest comes first.
    pub(crate) keys: Vec<i64>,
}

/// How far from a root each job is, by the longest way (Kahn); or a cycle.
pub(crate) fn check(edges: &[EdgeRecord]) -> Result<BTreeMap<i64, i64>, Cycle> {
    let mut out: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut open: BTreeMap<i64, usize> = BTreeMap::new();
    for edge in edges {
        out.entry(edge.from_key).or_default().push(edge.to_key);
        open.entry(edge.from_key).or_default();
        *open.entry(edge.to_key).or_default() += 1;
    }
    let mut ranks: BTreeMap<i64, i64> = BTreeMap::new();
    let mut free: Vec<i64> = open.iter().filter(|(_, open)| **open == 0).map(|(key, _)| *key).collect();
    ranks.extend(free.iter().map(|key| (*key, 0)));
    while let Some(key) = free.pop() {
        let rank = ranks.get(&key).copied().unwrap_or(0);
        for to in out.get(&key).into_iter().flatten() {
            let best = ranks.entry(*to).or_default();
            *best = (*best).max(rank + 1);
            if let Some(left) = open.get_mut(to) {
                *left -= 1;
                if *left == 0 {
                    free.push(*to);
                }
            }
        }
    }
    let stuck: BTreeSet<i64> = open.into_iter().filter(|(_, open)| *open > 0).map(|(key, _)| key).collect();
    if stuck.is_empty() { Ok(ranks) } else { Err(round(edges, &stuck)) }
}

/// One cycle among jobs of which each waits for another of them.
fn round(edges: &[EdgeRecord], stuck: &BTreeSet<i64>) -> Cycle {
    let mut waits_for: HashMap<i64, i64> = HashMap::new();
    for edge in edges.iter().filter(|edge| stuck.contains(&edge.from_key) && stuck.contains(&edge.to_key)) {
        let first = waits_for.entry(edge.to_key).or_insert(edge.from_key);
        *first = (*first).min(edge.from_key);
    }
    let mut way: Vec<i64> = stuck.first().copied().into_iter().collect();
    while let Some(next) = way.last().and_then(|last| waits_for.get(last)).copied() {
        if let Some(at) = way.iter().position(|key| *key == next) {
            way.drain(..at);
            break;
        }
        way.push(next);
    }
    // The way went upstream.
    way.reverse();
    let least = way.iter().enumerate().min_by_key(|(_, key)| **key).map_or(0, |(at, _)| at);
    way.rotate_left(least);
    Cycle { keys: way }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::edge::EdgeKind;

    fn edges(pairs: &[(i64, i64)]) -> Vec<EdgeRecord> {
        pairs
            .iter()
            .map(|(from_key, to_key)| EdgeRecord {
                from_key: *from_key,
                to_key: *to_key,
                kind: EdgeKind::OnSuccess,
            })
            .collect()
    }

    #[test]
    fn a_rank_is_the_longest_way_from_a_root() {
        let ranks = check(&edges(&[(1, 2), (2, 4), (1, 4), (3, 4), (4, 5)])).unwrap();
        assert_eq!(ranks.into_iter().collect::<Vec<_>>(), [(1, 0), (2, 1), (3, 0), (4, 2), (5, 3)]);
    }

    #[test]
    fn a_cycle_is_named_from_its_smallest_job_on_in_the_direction_of_its_edges() {
        for (pairs, cycle) in [
            (vec![(1, 1)], vec![1]),
            (vec![(2, 3), (3, 2)], vec![2, 3]),
            (vec![(9, 4), (4, 6), (6, 9), (1, 4), (6, 7)], vec![4, 6, 9]),
            (vec![(5, 1), (5, 6), (6, 5)], vec![5, 6]),
        ] {
            assert_eq!(check(&edges(&pairs)).unwrap_err().keys, cycle, "{pairs:?}");
        }
    }

    #[test]
    fn edges_are_grouped_by_what_hangs_together() {
        let new = edges(&[(1, 2), (10, 11), (2, 12), (20, 21)]);
        let made = groups(&new, &[(2, 2), (3, 2), (11, 5), (12, 5), (20, 20)]);
        let told: Vec<_> = made
            .iter()
            .map(|group| (group.key, group.graphs.clone(), group.edges.len(), group.new_nodes))
            .collect();
        assert_eq!(told, [(2, vec![2, 5], 3, 2), (20, vec![20], 1, 1)]);
    }

    #[test]
    fn jobs_in_no_graph_make_one_under_their_smallest_key() {
        let made = groups(&edges(&[(8, 9), (7, 9)]), &[]);
        assert_eq!((made[0].key, made[0].new_nodes, made.len()), (7, 3, 1));
    }
}
