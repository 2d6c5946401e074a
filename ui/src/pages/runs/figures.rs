//! The key figures over the runs list, all from the overview's snapshot; each leads to its list.

use crate::kit::Sparkline;
use crate::kit::format::{count, counted};
use crate::router::{Link, Query};
use stella_contract::overview::{Overview, RunFigures};
use stella_contract::route::Route;
use yew::prelude::*;

/// How many runs are open.
pub(super) const fn active(runs: &RunFigures) -> i64 {
    runs.planning + runs.queued + runs.running
}

/// Planner and executor backlog, in the head.
pub(super) fn backlog(runs: &RunFigures) -> Html {
    let planning = tab("active").with("state", "planning");
    html! {
        <>
            <span class="f2 sm nw">{ "Planner backlog " }<Link to={Route::Runs} query={planning} class="n">{ count(runs.planning) }</Link></span>
            <span class="f2 sm nw">{ "Executor backlog " }<Link to={Route::Runs} query={tab("active")} class="n">{ count(runs.executor_backlog) }</Link><span class="wide">{ " targets" }</span></span>
        </>
    }
}

/// The row of figures.
pub(super) fn figures(overview: &Overview) -> Html {
    let (runs, jobs, inputs) = (&overview.runs, &overview.jobs, &overview.inputs);
    let depth: Vec<f64> = overview.depth.iter().map(|point| (point.queued + point.held) as f64).collect();
    let queued = Query::default().with("state", "queued");
    let pending = Query::default().with("state", "pending");
    let critical = Query::default().with("severity", "critical");
    let ended = tab("completed").with("since", "24h");
    html! {
        <section class="sec figs run-figures" aria-label="Key figures">
            <div class="fig">
                <div class="l">{ "Active runs" }</div>
                <div class="v"><Link to={Route::Runs} query={tab("active")} class="n">{ count(active(runs)) }</Link></div>
                <div class="s">{ format!("{} running, {} waiting", count(runs.running), count(runs.planning + runs.queued)) }</div>
            </div>
            <div class="fig">
                <div class="l">{ "Queue depth" }</div>
                <div class="v row">
                    <Link to={Route::Jobs} query={queued} class="n">{ count(jobs.queued) }</Link>
                    if depth.len() > 1 { <Sparkline values={depth} label="Queue depth, last 24 hours" /> }
                </div>
                <div class="s"><Link to={Route::Jobs} query={pending} class="n">{ count(jobs.pending) }</Link>{ " pending" }</div>
            </div>
            <div class="fig">
                <div class="l">{ "New findings, 24 h" }</div>
                <div class="v"><Link to={Route::Runs} query={ended.clone()} class="n">{ count(runs.new_findings_24h) }</Link></div>
                <div class="s"><Link to={Route::Findings} query={critical} class="n">{ count(inputs.findings_critical) }</Link>{ " critical stand" }</div>
            </div>
            <div class="fig">
                <div class="l">{ "KEV deltas, 24 h" }</div>
                <div class="v">
                    <Link to={Route::Runs} query={ended.clone()} class="n">{ format!("+{}", count(runs.kev_added_24h)) }</Link>
                    <span class="f3">{ " / " }</span>
                    <Link to={Route::Runs} query={ended} class="n">{ format!("−{}", count(runs.kev_removed_24h)) }</Link>
                </div>
                <div class="s">{ format!("{} in the list", counted(inputs.kev_entries, "entry", "entries")) }</div>
            </div>
        </section>
    }
}

fn tab(word: &str) -> Query {
    Query::default().with("tab", word)
}
