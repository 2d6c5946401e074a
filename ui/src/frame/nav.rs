//! The navigation: only pages that exist, with live counts.

use crate::api::Load;
use crate::kit::{Icon, IconSize, Shape, format};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_query, use_session};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use stella_contract::session::{LedgerKind, Session};
use yew::prelude::*;

/// What a [`Nav`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct NavProps {
    /// The figures behind the counts.
    pub overview: Load<Overview>,
}

/// One entry.
struct Entry {
    route: Route,
    label: &'static str,
    icon: Option<Shape>,
    count: Option<i64>,
    /// Whether a count above nought is worth a look.
    bad: bool,
}

/// The navigation and, at its foot, who is asking.
#[component]
pub fn Nav(props: &NavProps) -> Html {
    let router = use_router();
    let here = &router.location().route;
    let session = use_session();
    let letters = use_query("dead letter stats", Watch::of(&["dead_letter"]), |api| async move {
        api.dead_letter_stats().await
    });
    let open = letters.load.value().map(|stats| stats.open as i64);
    html! {
        <nav class="nav" aria-label="Main">
            <h3>{ "Operations" }</h3>
            { for entries(props.overview.value(), open).into_iter().map(|entry| {
                let on = section(here) == section(&entry.route);
                let within = !on && above(&section(here)).as_ref() == Some(&entry.route);
                html! {
                    <Link key={entry.route.path()} to={entry.route.clone()} current={on} label={entry.label}
                        class={classes!("nav-i", entry.icon.is_none().then_some("sub"), on.then_some("is-on"), within.then_some("is-within"))}>
                        if let Some(shape) = entry.icon { <Icon {shape} /> }
                        <span>{ entry.label }</span>
                        if let Some(count) = entry.count {
                            <span class={classes!("c", (entry.bad && count > 0).then_some("k-bad"))}>
                                if entry.bad && count > 0 { <Icon shape={Shape::OctagonCross} size={IconSize::Tiny} /> }
                                { format::count(count) }
                            </span>
                        }
                    </Link>
                }
            }) }
            <h3>{ "Tools" }</h3>
            <Link to={Route::Settings} query={Query::default()} current={section(here) == Route::Settings} label="Settings"
                class={classes!("nav-i", (section(here) == Route::Settings).then_some("is-on"))}>
                <Icon shape={Shape::Gear} /><span>{ "Settings" }</span>
            </Link>
            { session.session.value().map(foot).unwrap_or_default() }
        </nav>
    }
}

fn entries(overview: Option<&Overview>, dead: Option<i64>) -> Vec<Entry> {
    let count = |of: fn(&Overview) -> i64| overview.map(of);
    let top = |route, label, icon| Entry { route, label, icon: Some(icon), count: None, bad: false };
    let sub = |route, label, count| Entry { route, label, icon: None, count, bad: false };
    vec![
        top(Route::JobsQueues, "Jobs & Queues", Shape::Queues),
        top(Route::JobEngine, "JobEngine", Shape::Engine),
        sub(Route::Jobs, "Jobs", count(|o| o.jobs.pending + o.jobs.queued + o.jobs.leased + o.jobs.running)),
        sub(Route::Quotas, "Quotas", None),
        Entry { count: dead, bad: true, ..top(Route::DeadLetter, "Dead-Letter", Shape::DeadLetter) },
        top(Route::Scheduler, "Scheduler", Shape::Calendar),
        sub(Route::Runs, "Runs", count(|o| o.runs.planning + o.runs.queued + o.runs.running)),
        sub(Route::Schedules, "Schedules", count(|o| o.runs.schedules)),
        sub(Route::Policy, "Policy", None),
        sub(Route::Workers, "Workers", count(|o| o.workers.online + o.workers.late + o.workers.draining)),
        Entry { count: count(|o| o.inputs.sources), ..top(Route::Sources, "Sources", Shape::Package) },
        Entry { count: count(|o| o.inputs.targets), ..top(Route::Targets, "Targets", Shape::Scan) },
        Entry { count: count(|o| o.inputs.findings), ..top(Route::Findings, "Findings", Shape::Flag) },
    ]
}

/// The entry under which a page belongs.
fn section(route: &Route) -> Route {
    match route {
        Route::Job(_) | Route::JobDag(_) | Route::ChangeSets | Route::ChangeSet(_) => Route::Jobs,
        Route::Run(_) | Route::RunStream(_) | Route::RunDiff(_) => Route::Runs,
        Route::Source(_) => Route::Sources,
        Route::DeadLetter | Route::DeadLetterQueue | Route::DeadLetterEntry(_) => Route::DeadLetter,
        Route::JobsQueues
        | Route::JobEngine
        | Route::Quotas
        | Route::Jobs
        | Route::Scheduler
        | Route::Runs
        | Route::Schedules
        | Route::Policy
        | Route::Workers
        | Route::Sources
        | Route::Targets
        | Route::Findings
        | Route::ScannerOps
        | Route::OfflineKits
        | Route::Baselines
        | Route::Analyzers
        | Route::Performance
        | Route::ScannerSettings
        | Route::Downloads
        | Route::Settings => route.clone(),
        Route::Runbook => Route::Settings,
    }
}

/// The entry above an entry; it is marked in its place where there is room for shapes only.
fn above(route: &Route) -> Option<Route> {
    let pairs = [
        (Route::Jobs, Route::JobEngine),
        (Route::Quotas, Route::JobEngine),
        (Route::Runs, Route::Scheduler),
        (Route::Schedules, Route::Scheduler),
        (Route::Policy, Route::Scheduler),
        (Route::Workers, Route::Scheduler),
    ];
    pairs.into_iter().find(|(child, _)| child == route).map(|(_, parent)| parent)
}

fn foot(session: &Session) -> Html {
    let ledger = match session.ledger {
        LedgerKind::Sqlite => "SQLite ledger",
        LedgerKind::Postgres => "Postgres ledger",
    };
    html! {
        <div class="nav-foot">
            <div class="row f2">
                <span class="cut" title={session.subject.clone()}>{ &session.subject }</span>
                if session.read_only { <span class="f3">{ "read-only" }</span> }
            </div>
            <div>{ format!("{ledger}, {}", session.version) }</div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_stands_under_jobs_and_a_stream_under_runs() {
        let run = "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap();
        assert_eq!(section(&Route::RunStream(run)), Route::Runs);
        assert_eq!(section(&Route::Workers), Route::Workers);
        assert_eq!(above(&Route::Workers), Some(Route::Scheduler));
        assert!(entries(None, None).iter().all(|entry| entry.count.is_none()));
    }
}
