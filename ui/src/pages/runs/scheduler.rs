//! Scheduler: runs and workers in figures, and the ways in.

use super::alerts::AlertBanners;
use super::figures::{backlog, figures};
use crate::api::Load;
use crate::kit::format::count;
use crate::kit::{Clock, Skeleton, TimeAgo};
use crate::pages::schedules::SwitchDialog;
use crate::parts::{CliTwin, ProblemView, SchedulePanel, StaleBanner};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query, use_session};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use stella_contract::schedule::Schedule;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// Scheduler.
#[component]
pub fn SchedulerPage() -> Html {
    let asked = use_query("overview", Watch::of(&["job", "run"]), |api| async move { api.overview().await });
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="The scheduler" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(overview, _) => shown(overview),
        Load::Stale(overview, as_of, problem) => html! {
            <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ shown(overview) }</>
        },
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Scheduler" }</h1>
                if let Some(overview) = asked.load.value() { { backlog(&overview.runs) } }
                <span class="grow"></span>
                if let Some(overview) = asked.load.value() { <span class="f2 sm">{ "As of " }<Clock at={overview.as_of} /></span> }
                <CliTwin words={["runs", "list"].map(AttrValue::from).to_vec()} button={true} />
            </div>
            <AlertBanners />
            <div class="body">{ body }<Schedules /></div>
        </>
    }
}

/// The schedules with their switches.
#[component]
pub(super) fn Schedules() -> Html {
    let refusal = use_session().refusal(Scope::RunsManage).map(AttrValue::from);
    let switching = use_state(|| None::<(Schedule, bool)>);
    let on_toggle = {
        let switching = switching.clone();
        Callback::from(move |asked| switching.set(Some(asked)))
    };
    let on_close = {
        let switching = switching.clone();
        Callback::from(move |()| switching.set(None))
    };
    html! {
        <>
            <SchedulePanel {on_toggle} {refusal} />
            if let Some((schedule, on)) = &*switching { <SwitchDialog schedule={schedule.clone()} on={*on} {on_close} /> }
        </>
    }
}

fn shown(overview: &Overview) -> Html {
    let (runs, workers) = (&overview.runs, &overview.workers);
    let tab = |word: &str| Query::default().with("tab", word);
    let row = |name: &'static str, to: Route, query: Query, number: i64| {
        html! {
            <tr key={name}><td>{ name }</td><td class="num"><Link {to} {query} class="n">{ count(number) }</Link></td></tr>
        }
    };
    html! {
        <>
            { figures(overview) }
            <div class="split halves">
                <section class="sec" aria-label="Runs">
                    <div class="sec-h"><h2>{ "Runs" }</h2><span class="grow"></span><Link to={Route::Runs} class="link sm">{ "Open runs" }</Link></div>
                    <table class="tbl"><tbody>
                        { row("planning", Route::Runs, tab("active").with("state", "planning"), runs.planning) }
                        { row("queued", Route::Runs, tab("active").with("state", "queued"), runs.queued) }
                        { row("running", Route::Runs, tab("active").with("state", "running"), runs.running) }
                        { row("completed, 24 h", Route::Runs, tab("completed").with("since", "24h"), runs.completed_24h) }
                        { row("in error, 24 h", Route::Runs, tab("failures").with("since", "24h"), runs.error_24h) }
                    </tbody></table>
                </section>
                <section class="sec" aria-label="Workers">
                    <div class="sec-h"><h2>{ "Workers" }</h2><span class="grow"></span><Link to={Route::Workers} class="link sm">{ "Open workers" }</Link></div>
                    <table class="tbl"><tbody>
                        { row("online", Route::Workers, Query::default(), workers.online) }
                        { row("late", Route::Workers, Query::default(), workers.late) }
                        { row("offline", Route::Workers, Query::default(), workers.offline) }
                        { row("draining", Route::Workers, Query::default(), workers.draining) }
                        { row("slots in use", Route::Jobs, Query::default().with("state", "running"), workers.slots_in_use) }
                        <tr key="slots"><td>{ "slots" }</td><td class="num">{ count(workers.slots) }</td></tr>
                        <tr key="beat"><td>{ "planner's last beat" }</td><td class="num">{ runs.planner_beat_at.map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |at| html! { <TimeAgo {at} /> }) }</td></tr>
                    </tbody></table>
                </section>
            </div>
        </>
    }
}
