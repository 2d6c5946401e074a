//! JobEngine: the queues by job type.

use crate::api::Load;
use crate::kit::format::count;
use crate::kit::{Empty, Shape, Skeleton};
use crate::parts::{CliTwin, ProblemView, StaleBanner};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query};
use stella_contract::overview::{Overview, TypeFigures};
use stella_contract::route::Route;
use yew::prelude::*;

/// JobEngine.
#[component]
pub fn JobEnginePage() -> Html {
    let asked = use_query("overview", Watch::of(&["job", "run"]), |api| async move { api.overview().await });
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={6} /> },
        Load::Failed(problem) => html! {
            <ProblemView what="The queues" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        Load::Ready(overview, _) => queues(overview),
        Load::Stale(overview, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                { queues(overview) }
            </>
        },
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "JobEngine" }</h1>
                <span class="f2 sm">{ "queues by job type" }</span>
                <span class="grow"></span>
                <Link to={Route::Jobs} class="link">{ "All jobs" }</Link>
                <CliTwin words={["orch", "jobs", "list"].map(AttrValue::from).to_vec()} button={true} />
            </div>
            <div class="body">{ body }</div>
        </>
    }
}

fn queues(overview: &Overview) -> Html {
    if overview.by_type.is_empty() {
        return html! {
            <Empty icon={Shape::Engine} fact="No jobs yet">
                { "A queue appears with its first job. " }<Link to={Route::Sources} class="link">{ "Open sources" }</Link>
            </Empty>
        };
    }
    html! { <div class="sec">{ queue_table(overview) }</div> }
}

/// One line for each job type.
pub(super) fn queue_table(overview: &Overview) -> Html {
    html! {
        <table class="tbl">
            <thead><tr>
                <th scope="col">{ "Job type" }</th><th scope="col" class="num">{ "Waiting" }</th><th scope="col" class="num">{ "Active" }</th>
                <th scope="col" class="num">{ "Succeeded 24 h" }</th><th scope="col" class="num">{ "Failed 24 h" }</th>
            </tr></thead>
            <tbody>{ for overview.by_type.iter().map(queue) }</tbody>
        </table>
    }
}

fn queue(one: &TypeFigures) -> Html {
    let jobs = |state: &str| Query::default().with("jobType", one.job_type.as_str()).with("state", state);
    let link = |state: &str, number: i64| html! { <Link to={Route::Jobs} query={jobs(state)} class="n">{ count(number) }</Link> };
    html! {
        <tr key={one.job_type.clone()}>
            <td class="mono">{ link_name(one) }</td>
            <td class="num">{ link("queued", one.waiting) }</td>
            <td class="num">{ link("running", one.active) }</td>
            <td class="num">{ link("succeeded", one.succeeded_24h) }</td>
            <td class={classes!("num", (one.failed_24h > 0).then_some("k-bad"))}>{ link("failed", one.failed_24h) }</td>
        </tr>
    }
}

fn link_name(one: &TypeFigures) -> Html {
    let query = Query::default().with("jobType", one.job_type.as_str());
    html! { <Link to={Route::Jobs} {query} class="id">{ &one.job_type }</Link> }
}
