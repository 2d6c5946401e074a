//! The run of a graph over time: a lane for each segment and worker, bars by phase.

use super::model::{Chart, of_graph, of_run};
use crate::api::Load;
use crate::kit::format::clock;
use crate::kit::{GanttChart, Skeleton};
use crate::parts::ProblemView;
use crate::store::{Watch, use_query};
use std::rc::Rc;
use stella_contract::dag::Dag;
use stella_contract::gantt::Gantt;
use stella_contract::ids::RunId;
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`Timeline`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct TimelineProps {
    /// The graph.
    pub dag: Rc<Dag>,
    /// The job whose bars stand out.
    pub current: AttrValue,
    /// Told the job whose bar was chosen.
    pub on_choose: Callback<AttrValue>,
    /// Told the job whose bar was opened.
    pub on_open: Callback<AttrValue>,
}

/// The chart with its legend.
#[component]
pub(super) fn Timeline(props: &TimelineProps) -> Html {
    match &props.dag.run_id {
        Some(run) => html! { <OfRun run={run.clone()} shared={props.clone()} /> },
        None => {
            let begin = props.dag.nodes.iter().filter_map(|node| node.started_at).min();
            match (of_graph(&props.dag), begin) {
                (Some(chart), Some(begin)) => {
                    html! { <Drawn {chart} t0={begin} open={true} truncated={false} shared={props.clone()} /> }
                }
                _ => {
                    html! { <section class="dag-time"><div class="graph-bar"><h2>{ "Timeline" }</h2><span class="f3 sm">{ "no job of this graph has started" }</span></div></section> }
                }
            }
        }
    }
}

#[derive(Clone, PartialEq, Properties)]
struct OfRunProps {
    run: RunId,
    shared: TimelineProps,
}

#[component]
fn OfRun(props: &OfRunProps) -> Html {
    let run = props.run.clone();
    let watch = Watch::of(&["job", "run"]).only(run.as_str()).every(10);
    let asked = use_query(format!("timeline {run}"), watch, move |api| {
        let run = run.clone();
        async move { api.timeline(&run).await.map(Rc::new) }
    });
    match &asked.load {
        Load::Idle | Load::Loading => html! { <section class="dag-time"><Skeleton rows={6} /></section> },
        Load::Failed(problem) => html! {
            <section class="dag-time"><ProblemView what="The timeline" problem={problem.clone()} on_retry={asked.refetch.clone()} /></section>
        },
        Load::Ready(gantt, _) | Load::Stale(gantt, _, _) => {
            html! { <RunDrawn gantt={gantt.clone()} shared={props.shared.clone()} /> }
        }
    }
}

#[derive(Clone, PartialEq, Properties)]
struct RunDrawnProps {
    gantt: Rc<Gantt>,
    shared: TimelineProps,
}

#[component]
fn RunDrawn(props: &RunDrawnProps) -> Html {
    let key = (props.gantt.clone(), props.shared.dag.critical_path.clone());
    let chart = use_memo(key, |(gantt, path)| of_run(gantt, path));
    let open = props.gantt.bars.iter().any(|bar| bar.end.is_none());
    html! {
        <Drawn chart={(*chart).clone()} t0={props.gantt.t0} {open} truncated={props.gantt.truncated} shared={props.shared.clone()} />
    }
}

#[derive(Clone, PartialEq, Properties)]
struct DrawnProps {
    chart: Chart,
    t0: Micros,
    open: bool,
    truncated: bool,
    shared: TimelineProps,
}

/// Class and words of each phase in the legend.
const LEGEND: [(&str, &str); 6] = [
    ("wait", "queued"),
    ("taken", "leased"),
    ("live", "running"),
    ("ok", "succeeded"),
    ("bad", "failed attempt"),
    ("held", "throttled"),
];

#[component]
fn Drawn(props: &DrawnProps) -> Html {
    let t0 = props.t0;
    let write = use_memo(t0, |t0| {
        let t0 = *t0;
        Callback::from(move |ms: i64| clock(t0.plus_ms(ms)))
    });
    let now = props.open.then_some(props.chart.span.to);
    html! {
        <section class="dag-time" aria-label="Timeline">
            <div class="graph-bar">
                <h2>{ "Timeline" }</h2>
                { for LEGEND.iter().chain([&("rest", "backoff")]).map(|(class, words)| html! {
                    <span key={*class} class="row gap1 sm f2"><i class={format!("key-{class}")}></i>{ *words }</span>
                }) }
                <span class="row gap1 sm f2 opt"><i class="key-path"></i>{ "on the critical path" }</span>
                <span class="grow"></span>
                if props.truncated { <span class="k-warn sm">{ "more bars than are shown" }</span> }
                <span class="f3 sm opt">{ format!("from {}", clock(t0)) }</span>
            </div>
            <GanttChart label="Run over time" lanes={props.chart.lanes.clone()} bars={props.chart.bars.clone()} span={props.chart.span} {now} clock={(*write).clone()}
                current={props.shared.current.clone()} on_choose={props.shared.on_choose.clone()} on_open={props.shared.on_open.clone()} />
        </section>
    }
}
