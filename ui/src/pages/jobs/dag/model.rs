//! A graph of jobs and a run over time as the kit draws them, and what is said about the current box. All pure.

use crate::kit::format::{counted, duration, duration_short, short_id};
use crate::kit::gantt::Span;
use crate::kit::{BarLook, EdgeLook, GanttBar, GanttLane, Graph, GraphEdge, GraphNode};
use crate::parts::{Badge, wait_reason};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use stella_contract::dag::{Dag, DagNode};
use stella_contract::gantt::{Bar, Gantt, Phase};
use stella_contract::ids::JobId;
use stella_contract::job::{JobState, WaitReason};

/// The graph as it is drawn. Without `critical` no path stands out.
pub(super) fn graph(dag: &Dag, critical: bool) -> Graph {
    let path: HashSet<&JobId> = dag.critical_path.iter().filter(|_| critical).collect();
    let steps: HashSet<(&JobId, &JobId)> =
        dag.critical_path.iter().zip(dag.critical_path.iter().skip(1)).filter(|_| critical).collect();
    let place: HashMap<&JobId, usize> =
        dag.nodes.iter().enumerate().map(|(at, node)| (&node.id, at)).collect();
    let edges = dag.edges.iter().filter_map(|edge| {
        let (from, to) = (*place.get(&edge.from)?, *place.get(&edge.to)?);
        let missed = edge.kind.is_missed_by(dag.nodes[from].state);
        let look = match (edge.satisfied, missed) {
            (true, _) => EdgeLook::Met,
            (false, true) => EdgeLook::Broken,
            (false, false) => EdgeLook::Unmet,
        };
        Some(GraphEdge { from, to, look, strong: steps.contains(&(&edge.from, &edge.to)) })
    });
    let edges = edges.collect();
    let nodes = dag.nodes.iter().map(|node| node_of(node, path.contains(&node.id))).collect();
    Graph { nodes, edges }
}

fn node_of(node: &DagNode, strong: bool) -> GraphNode {
    let waiting = node.wait_reason;
    let (shape, tone) = waiting.map_or_else(|| node.state.look(), wait_reason::look);
    // The type stands above it already.
    let own = node.label.strip_prefix(&node.job_type).unwrap_or(&node.label).trim();
    let name = if own.is_empty() { short_id(node.id.as_str()) } else { own.to_owned() };
    let tries = if node.attempt > 1 { format!(", try {}", node.attempt) } else { String::new() };
    GraphNode {
        id: node.id.to_string().into(),
        rank: u32::try_from(node.rank).unwrap_or(0),
        order: u32::try_from(node.order).unwrap_or(0),
        title: node.job_type.clone().into(),
        detail: format!("{name}{tries}").into(),
        note: note(node).into(),
        shape,
        tone,
        strong,
    }
}

/// The few words at the right of a box: how long it took, or what it waits for.
fn note(node: &DagNode) -> String {
    if let Some(reason) = node.wait_reason {
        return brief(reason).to_owned();
    }
    match node.duration_ms {
        Some(ms) if ms < 60_000 => duration_short(ms),
        Some(ms) => duration(ms),
        None => node.state.as_str().to_owned(),
    }
}

/// A reason in one word.
const fn brief(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Dependency => "dependency",
        WaitReason::UpstreamFailed => "upstream",
        WaitReason::NotBefore => "not before",
        WaitReason::Backoff => "backoff",
        WaitReason::QuotaMaxActive | WaitReason::QuotaMaxPerHour => "quota",
        WaitReason::RateLimited => "rate",
        WaitReason::BreakerOpen => "breaker",
        WaitReason::Blackout => "blackout",
        WaitReason::Backpressure => "pressure",
        WaitReason::Paused => "paused",
    }
}

/// How long the jobs of the critical path ran so far, in milliseconds.
pub(super) fn critical_ms(dag: &Dag) -> i64 {
    let path: HashSet<&JobId> = dag.critical_path.iter().collect();
    dag.nodes.iter().filter(|node| path.contains(&node.id)).filter_map(|node| node.duration_ms).sum()
}

/// What is said about a job of the graph, sentence by sentence.
pub(super) fn said(dag: &Dag, id: &JobId) -> Vec<String> {
    let mut out = Vec::new();
    if dag.critical_path.contains(id) {
        out.push("On the critical path.".to_owned());
    }
    let (before, missing) = dag
        .edges
        .iter()
        .filter(|edge| edge.to == *id)
        .fold((0, 0), |(all, open), edge| (all + 1, open + i64::from(!edge.satisfied)));
    match (before, missing) {
        (0, _) => out.push("Waits for no other job.".to_owned()),
        (all, 0) => out.push(format!("Nothing is missing of the {} before it.", counted(all, "job", "jobs"))),
        (all, open) => out.push(format!("Waits for {open} of {}.", counted(all, "job", "jobs"))),
    }
    let after = dag.edges.iter().filter(|edge| edge.from == *id).count() as i64;
    if after > 0 {
        let held = dag.edges.iter().filter(|edge| edge.from == *id && !edge.satisfied).count();
        let rest = match held {
            0 => String::new(),
            1 => "; 1 of them waits for it".to_owned(),
            held => format!("; {held} of them wait for it"),
        };
        out.push(format!("{} after it{rest}.", counted(after, "job comes", "jobs come")));
    }
    out
}

/// The job to follow: the first running one of the critical path, else any running one.
pub(super) fn running(dag: &Dag) -> Option<&JobId> {
    let runs = |node: &&DagNode| node.state == JobState::Running;
    let on_path = dag.nodes.iter().filter(runs).find(|node| dag.critical_path.contains(&node.id));
    on_path.or_else(|| dag.nodes.iter().find(runs)).map(|node| &node.id)
}

/// Lanes, bars and span of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    /// The rows.
    pub lanes: Rc<Vec<GanttLane>>,
    /// The bars.
    pub bars: Rc<Vec<GanttBar>>,
    /// What is shown of time, in milliseconds from the chart's beginning.
    pub span: Span,
}

/// A run over time. Lanes on which a job of `path` ran stand out.
pub(super) fn of_run(gantt: &Gantt, path: &[JobId]) -> Chart {
    let path: HashSet<&JobId> = path.iter().collect();
    let place: HashMap<&str, usize> =
        gantt.lanes.iter().enumerate().map(|(at, lane)| (lane.id.as_str(), at)).collect();
    let end = gantt.t1.ms_since(gantt.t0).max(1);
    let mut lanes: Vec<GanttLane> = gantt
        .lanes
        .iter()
        .map(|lane| GanttLane { label: lane.label.clone().into(), strong: false })
        .collect();
    let mut bars = Vec::with_capacity(gantt.bars.len());
    for bar in &gantt.bars {
        let Some(lane) = place.get(bar.lane.as_str()).copied() else { continue };
        lanes[lane].strong |= path.contains(&bar.job_id);
        let to = bar.end.unwrap_or(end);
        bars.push(GanttBar {
            lane,
            id: bar.job_id.to_string().into(),
            from: bar.start,
            to,
            look: look(bar),
            label: format!(
                "{}, attempt {}, {} {}{}",
                short_id(bar.job_id.as_str()),
                bar.attempt,
                bar.phase,
                duration(to - bar.start),
                if bar.end.is_none() { " so far".to_owned() } else { format!(", then {}", bar.state) }
            )
            .into(),
        });
    }
    Chart { lanes: Rc::new(lanes), bars: Rc::new(bars), span: Span { from: 0, to: end } }
}

fn look(bar: &Bar) -> BarLook {
    match bar.phase {
        Phase::Queued => BarLook::Wait,
        Phase::Leased => BarLook::Taken,
        Phase::Backoff => BarLook::Rest,
        Phase::Throttled => BarLook::Held,
        Phase::Running if bar.end.is_none() => BarLook::Live,
        Phase::Running => ended(bar.state),
    }
}

/// How an attempt looks by what became of the job after it.
const fn ended(state: JobState) -> BarLook {
    match state {
        JobState::Succeeded => BarLook::Ok,
        // It waits again, so this attempt failed.
        JobState::Failed | JobState::TimedOut | JobState::Pending => BarLook::Bad,
        JobState::Cancelled | JobState::Skipped | JobState::Queued => BarLook::Idle,
        JobState::Leased | JobState::Running => BarLook::Live,
    }
}

/// The jobs of a graph that belongs to no run: a row for each that has started.
pub(super) fn of_graph(dag: &Dag) -> Option<Chart> {
    let started = dag.nodes.iter().filter_map(|node| Some((node, node.started_at?)));
    let begin = started.clone().map(|(_, at)| at).min()?;
    let (mut lanes, mut bars) = (Vec::new(), Vec::new());
    for (lane, (node, at)) in started.enumerate() {
        let until = node.ended_at.unwrap_or(dag.generated_at);
        lanes.push(GanttLane {
            label: format!("{} {}", node.job_type, short_id(node.id.as_str())).into(),
            strong: dag.critical_path.contains(&node.id),
        });
        bars.push(GanttBar {
            lane,
            id: node.id.to_string().into(),
            from: at.ms_since(begin),
            to: until.ms_since(begin),
            look: ended(node.state),
            label: format!("{}, {}, {}", node.job_type, node.state, duration(until.ms_since(at))).into(),
        });
    }
    let to = bars.iter().map(|bar| bar.to).max().unwrap_or(0).max(1);
    Some(Chart { lanes: Rc::new(lanes), bars: Rc::new(bars), span: Span { from: 0, to } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::dag::{DAG_SCHEMA, DagEdge};
    use stella_contract::edge::EdgeKind;
    use stella_contract::gantt::{Lane, LaneKind};
    use stella_contract::time::Micros;

    fn id(number: u32) -> JobId {
        JobId::from_uuid(&format!("01890000-0000-7000-8000-{number:012x}"))
    }

    fn node(number: u32, rank: i64, state: JobState) -> DagNode {
        DagNode {
            id: id(number),
            job_type: "scan.segment".into(),
            label: "scan.segment".into(),
            state,
            wait_reason: (state == JobState::Pending).then_some(WaitReason::QuotaMaxActive),
            attempt: 2,
            priority: 50,
            rank,
            order: i64::from(number),
            started_at: (state != JobState::Pending).then_some(Micros(1_000_000)),
            ended_at: state.is_final().then_some(Micros(3_000_000)),
            duration_ms: state.is_final().then_some(2_000),
            error_category: None,
            replay_of: None,
        }
    }

    fn edge(from: u32, to: u32, satisfied: bool) -> DagEdge {
        DagEdge { from: id(from), to: id(to), kind: EdgeKind::OnSuccess, satisfied }
    }

    fn dag() -> Dag {
        Dag {
            schema: DAG_SCHEMA.into(),
            run_id: None,
            generated_at: Micros(9_000_000),
            focus_job_id: id(3),
            nodes: vec![
                node(1, 0, JobState::Succeeded),
                node(2, 0, JobState::Failed),
                node(3, 1, JobState::Running),
                node(4, 2, JobState::Pending),
            ],
            edges: vec![edge(1, 3, true), edge(2, 4, false), edge(3, 4, false)],
            critical_path: vec![id(1), id(3), id(4)],
            counts: [("succeeded".to_owned(), 1)].into(),
            truncated: false,
            omitted: 0,
        }
    }

    #[test]
    fn an_edge_that_can_no_longer_be_met_looks_broken_and_the_critical_one_strong() {
        let graph = graph(&dag(), true);
        let looks: Vec<_> = graph.edges.iter().map(|edge| (edge.look, edge.strong)).collect();
        assert_eq!(looks, [(EdgeLook::Met, true), (EdgeLook::Broken, false), (EdgeLook::Unmet, true)]);
        assert_eq!(graph.nodes.iter().filter(|node| node.strong).count(), 3);
        assert!(!super::graph(&dag(), false).edges.iter().any(|edge| edge.strong));
        assert_eq!(graph.nodes[3].note.as_str(), "quota");
        assert!(graph.nodes[0].detail.ends_with(", try 2"));
    }

    #[test]
    fn an_edge_to_a_job_that_is_not_shown_is_left_out() {
        let mut dag = dag();
        dag.edges.push(edge(9, 1, true));
        assert_eq!(graph(&dag, true).edges.len(), 3);
    }

    #[test]
    fn a_box_is_told_by_its_place() {
        assert_eq!(said(&dag(), &id(4)), ["On the critical path.", "Waits for 2 of 2 jobs."]);
        assert_eq!(
            said(&dag(), &id(3)),
            [
                "On the critical path.",
                "Nothing is missing of the 1 job before it.",
                "1 job comes after it; 1 of them waits for it."
            ]
        );
        assert_eq!(running(&dag()), Some(&id(3)));
        assert_eq!(critical_ms(&dag()), 2_000);
    }

    #[test]
    fn the_bars_of_a_run_say_how_each_attempt_ended() {
        let lane = |id: &str| Lane { id: id.into(), label: id.into(), kind: LaneKind::Worker };
        let bar = |phase, start, end, state| Bar {
            lane: "a".into(),
            job_id: id(1),
            attempt: 1,
            phase,
            start,
            end,
            state,
        };
        let gantt = Gantt {
            schema: "orch.gantt.v1".into(),
            run_id: "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap(),
            t0: Micros(0),
            t1: Micros(60_000_000),
            lanes: vec![lane("a"), lane("b")],
            bars: vec![
                bar(Phase::Queued, 0, Some(10), JobState::Leased),
                bar(Phase::Running, 10, Some(20), JobState::Pending),
                bar(Phase::Backoff, 20, Some(30), JobState::Queued),
                bar(Phase::Running, 30, None, JobState::Running),
                Bar { lane: "gone".into(), ..bar(Phase::Running, 0, None, JobState::Running) },
            ],
            marks: Vec::new(),
            truncated: false,
        };
        let chart = of_run(&gantt, &[id(1)]);
        let looks: Vec<_> = chart.bars.iter().map(|bar| bar.look).collect();
        assert_eq!(looks, [BarLook::Wait, BarLook::Bad, BarLook::Rest, BarLook::Live]);
        assert_eq!((chart.bars[3].to, chart.span.to), (60_000, 60_000));
        assert_eq!(chart.lanes.iter().map(|lane| lane.strong).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_graph_without_a_run_shows_the_jobs_that_have_started() {
        let chart = of_graph(&dag()).unwrap();
        assert_eq!(chart.lanes.len(), 3);
        assert_eq!(chart.bars[2].look, BarLook::Live);
        assert_eq!(chart.bars[2].to, 8_000);
        let mut nothing = dag();
        nothing.nodes.retain(|node| node.state == JobState::Pending);
        assert_eq!(of_graph(&nothing), None);
    }
}
