//! Below the areas: the queues by job type and the latest runs.

use super::engine::queue_table;
use crate::api::Load;
use crate::kit::{Skeleton, TimeAgo};
use crate::parts::{DeltasText, ProblemView, RunLink, RunStateBadge};
use crate::router::Link;
use crate::store::{Watch, use_query};
use stella_contract::overview::Overview;
use stella_contract::page::{Page, PageQuery};
use stella_contract::route::Route;
use stella_contract::run::{Run, RunFilter};
use yew::prelude::*;

/// The queues by job type beside the latest runs.
pub(super) fn below(overview: &Overview) -> Html {
    html! {
        <div class="split halves">
            <section class="sec" aria-label="Queues by job type">
                <div class="sec-h"><h2>{ "Queues by job type" }</h2><span class="grow"></span>
                    <Link to={Route::JobEngine} class="link">{ "JobEngine" }</Link></div>
                if overview.by_type.is_empty() { <p class="f3 sm">{ "No jobs yet." }</p> } else { { queue_table(overview) } }
            </section>
            <LatestRuns />
        </div>
    }
}

#[component]
fn LatestRuns() -> Html {
    let asked = use_query("latest runs", Watch::of(&["run"]), |api| async move {
        let page = PageQuery { page_size: Some(6), ..PageQuery::default() };
        api.runs(&RunFilter::default(), &page).await
    });
    html! {
        <section class="sec" aria-label="Latest runs">
            <div class="sec-h"><h2>{ "Latest runs" }</h2><span class="grow"></span><Link to={Route::Runs} class="link">{ "All runs" }</Link></div>
            { match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={4} /> },
                Load::Failed(problem) => html! { <ProblemView what="Runs" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(page, _) | Load::Stale(page, _, _) => table(page),
            } }
        </section>
    }
}

fn table(page: &Page<Run>) -> Html {
    if page.items.is_empty() {
        return html! { <p class="f3 sm">{ "No run yet." }</p> };
    }
    html! {
        <table class="tbl latest">
            <thead><tr>
                <th scope="col">{ "Run" }</th><th scope="col">{ "State" }</th><th scope="col">{ "Deltas" }</th><th scope="col" class="num">{ "Asked for" }</th>
            </tr></thead>
            <tbody>{ for page.items.iter().map(|run| html! {
                <tr key={run.run_id.to_string()}>
                    <td><RunLink id={run.run_id.clone()} short={true} /></td>
                    <td><RunStateBadge run={run.clone()} /></td>
                    <td><DeltasText deltas={run.deltas} run={run.run_id.clone()} open={!run.state.is_final()} /></td>
                    <td class="num"><TimeAgo at={run.created_at} /></td>
                </tr>
            }) }</tbody>
        </table>
    }
}
