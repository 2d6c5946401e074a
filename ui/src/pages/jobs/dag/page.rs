//! The graph around a job: what it waits for and what waits for it, with the run over time below.

use super::artifacts::NodeArtifacts;
use super::model::{self, graph};
use super::timeline::Timeline;
use crate::api::Load;
use crate::kit::format::{count, counted, duration};
use crate::kit::{Banner, Button, Checkbox, Checked, CopyId, GraphView, Shape, Skeleton, Tone, save_file};
use crate::pages::jobs::tabs::JobTabs;
use crate::parts::{Badge, CliTwin, JobLink, ProblemView, RunLink, StaleBanner, StateBadge, mark};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_query};
use std::rc::Rc;
use stella_contract::dag::{Dag, DagNode};
use stella_contract::ids::JobId;
use stella_contract::job::JobState;
use stella_contract::route::Route;
use yew::prelude::*;

/// What a [`DagPage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct DagPageProps {
    /// The job in focus.
    pub id: JobId,
}

/// A graph of jobs.
#[component]
pub fn DagPage(props: &DagPageProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("dag {id}"), Watch::of(&["job"]), move |api| {
        let id = id.clone();
        async move { api.dag(&id).await.map(Rc::new) }
    });
    let focus = asked.load.value().and_then(|dag| dag.nodes.iter().find(|node| node.id == props.id).cloned());
    let run = asked.load.value().and_then(|dag| dag.run_id.clone());
    let dag = asked.load.value().cloned();
    let export = {
        let id = props.id.clone();
        Callback::from(move |()| {
            let text = dag.as_ref().and_then(|dag| serde_json::to_string_pretty(&**dag).ok());
            save_file(&format!("dag-{id}.json"), &text.unwrap_or_default());
        })
    };
    let waiting = asked.load.value().is_none().then_some("Nothing to save yet");
    html! {
        <>
            <div class="page-head">
                <span class="crumb sm"><Link to={Route::Jobs}>{ "Jobs" }</Link>{ " ›" }</span>
                <h1 class="mono job-id"><CopyId text={props.id.to_string()} shown={crate::kit::format::short_id(props.id.as_str())} /></h1>
                if let Some(node) = focus { <StateBadge<JobState> state={node.state} pill={true} /><span class="mono f2 sm">{ node.job_type }</span> }
                if let Some(run) = run { <span class="row gap1 opt"><span class="f3 sm">{ "in" }</span><RunLink id={run} /></span> }
                <span class="grow"></span>
                <JobTabs id={props.id.clone()} current="dag" />
                <CliTwin words={["orch", "jobs", "dag", props.id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec()} button={true} />
                <Button small={true} icon={Shape::Download} on_click={export} disabled={waiting} says_why={false}>{ "Export JSON" }</Button>
            </div>
            { match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={12} /> },
                Load::Failed(problem) => html! { <ProblemView what="The graph" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(dag, _) => html! { <Shown dag={dag.clone()} /> },
                Load::Stale(dag, as_of, problem) => html! { <>
                    <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                    <Shown dag={dag.clone()} />
                </> },
            } }
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ShownProps {
    dag: Rc<Dag>,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let router = use_router();
    let dag = &props.dag;
    let query = router.location().query.clone();
    let critical = query.get("path") != Some("off");
    let follow = query.get("follow").is_some();
    let asked: Option<JobId> = query.read("at");
    let shown = |id: &JobId| dag.nodes.iter().any(|node| node.id == *id);
    let at = follow
        .then(|| model::running(dag).cloned())
        .flatten()
        .or(asked.filter(shown))
        .unwrap_or_else(|| dag.focus_job_id.clone());
    let drawn = use_memo((dag.clone(), critical), |(dag, critical)| Rc::new(graph(dag, *critical)));
    let ask = {
        let (router, focus) = (router.clone(), dag.focus_job_id.clone());
        move |query: Query| router.replace(&Route::JobDag(focus.clone()), &query)
    };
    let on_choose = {
        let (ask, query) = (ask.clone(), query.clone());
        // Who chooses a box by hand follows no other.
        Callback::from(move |id: AttrValue| ask(query.with("at", id.to_string()).without("follow")))
    };
    let on_open = {
        let router = router.clone();
        Callback::from(move |id: AttrValue| {
            if let Ok(id) = id.parse::<JobId>() {
                router.go(&Route::Job(id), &Query::default());
            }
        })
    };
    let flip = |name: &'static str, value: &'static str| {
        let (ask, query) = (ask.clone(), query.clone());
        Callback::from(move |set: bool| ask(if set { query.with(name, value) } else { query.without(name) }))
    };
    let on_path = flip("path", "off").reform(|on: bool| !on);
    let on_follow = flip("follow", "1");
    let label = format!(
        "Graph of {} and {}",
        counted(drawn.nodes.len() as i64, "job", "jobs"),
        counted(drawn.edges.len() as i64, "edge", "edges")
    );
    html! {
        <>
        if dag.truncated {
            <Banner tone={Tone::Warn} icon={Shape::Graph} fact={format!("Only the neighbourhood is shown: {} of {} jobs.", count(dag.nodes.len() as i64), count(dag.nodes.len() as i64 + dag.omitted))}>
                { "Beyond 500 jobs a graph shows what is at most two edges from the job in focus." }
            </Banner>
        }
        <div class="dag">
            <GraphView {label} graph={(*drawn).clone()} current={at.to_string()} {on_choose} on_open={on_open.clone()}
                tools={html! { <>
                    <Checkbox checked={Checked::from(critical)} on_toggle={on_path}>{ "Critical path " }<span class="f2">{ duration(model::critical_ms(dag)) }</span></Checkbox>
                    <Checkbox checked={Checked::from(follow)} on_toggle={on_follow}>{ "Follow running" }</Checkbox>
                </> }}>
                { counts(dag) }
            </GraphView>
            <Timeline dag={dag.clone()} current={at.to_string()} on_choose={ { let (ask, query) = (ask, query.clone()); Callback::from(move |id: AttrValue| ask(query.with("at", id.to_string()).without("follow"))) } } {on_open} />
            { dag.nodes.iter().find(|node| node.id == at).map(|node| foot(dag, node)).unwrap_or_default() }
        </div>
        </>
    }
}

/// How many jobs are in each state, and what is not shown.
fn counts(dag: &Dag) -> Html {
    let of = |state: JobState| dag.counts.get(state.as_str()).copied().filter(|count| *count > 0);
    let run = dag.run_id.as_ref().map_or("", |run| run.as_str());
    let list = |state: JobState| Query::default().with("run", run).with("state", state.as_str());
    html! {
        <>
            <span class="nw">{ format!("{} nodes, {} edges", count(dag.nodes.len() as i64), count(dag.edges.len() as i64)) }</span>
            { for JobState::ALL.iter().filter_map(|state| Some((*state, of(*state)?))).map(|(state, number)| {
                let (shape, tone) = state.look();
                html! {
                    <span key={state.as_str()} class="row gap1" title={state.as_str()}>
                        { mark(shape, tone, "", false, false) }
                        if run.is_empty() { <span>{ count(number) }</span> }
                        else { <Link to={Route::Jobs} query={list(state)} class="n" label={format!("{number} {state}")}>{ count(number) }</Link> }
                    </span>
                }
            }) }
        </>
    }
}

/// The current box in words.
fn foot(dag: &Dag, node: &DagNode) -> Html {
    let (shape, tone) = node.state.look();
    html! {
        <div class="dag-foot" role="status">
            <div class="dag-what">
                <div class="row">{ mark(shape, tone, &node.job_type, false, false) }<JobLink id={node.id.clone()} /></div>
                <div class="sm f2 cut">
                    { format!("{}, attempt {}, priority {}", node.state, node.attempt, node.priority) }
                    if node.id == dag.focus_job_id { { ", in focus" } }
                </div>
            </div>
            <p class="sm f2 grow">{ model::said(dag, &node.id).join(" ") }</p>
            if node.id != dag.focus_job_id {
                <Link to={Route::JobDag(node.id.clone())} class="link">{ "Focus here" }</Link>
            }
            <NodeArtifacts key={node.id.to_string()} id={node.id.clone()} />
            <Link to={Route::Job(node.id.clone())} class="btn sm">{ "Open job" }<kbd>{ "↵" }</kbd></Link>
        </div>
    }
}
