//! An address whose page is not part of this version: said plainly, with what there is instead.

use crate::kit::{Empty, Shape};
use crate::router::Link;
use stella_contract::route::Route;
use yew::prelude::*;

/// What an [`Absent`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct AbsentProps {
    /// The page that was asked for.
    pub route: Route,
}

/// The honest page.
#[component]
pub fn Absent(props: &AbsentProps) -> Html {
    let (why, instead) = instead(&props.route);
    html! {
        <>
            <div class="page-head"><h1>{ props.route.title() }</h1></div>
            <div class="body">
                <Empty icon={Shape::RingSlash} fact="Not part of this version"
                    actions={html! { <>{ for instead.into_iter().map(|to| html! {
                        <Link key={to.path()} to={to.clone()} class="link">{ to.title() }</Link>
                    }) }</> }}>
                    { why }
                </Empty>
            </div>
        </>
    }
}

/// What exists instead of a page that does not.
fn instead(route: &Route) -> (&'static str, Vec<Route>) {
    match route {
        Route::ScannerOps
        | Route::OfflineKits
        | Route::Baselines
        | Route::Analyzers
        | Route::Performance
        | Route::ScannerSettings => (
            "Advisories and lists come from sources, SBOMs from imports. Both work without a network.",
            vec![Route::Sources, Route::Targets],
        ),
        Route::Downloads => (
            "Results are shown on the run and on the job that made them; the command line writes them to files.",
            vec![Route::Runs, Route::Findings],
        ),
        Route::JobsQueues
        | Route::JobEngine
        | Route::Jobs
        | Route::Job(_)
        | Route::JobDag(_)
        | Route::ChangeSets
        | Route::ChangeSet(_)
        | Route::Quotas
        | Route::Scheduler
        | Route::Runs
        | Route::Policy
        | Route::Run(_)
        | Route::RunStream(_)
        | Route::RunDiff(_)
        | Route::Schedules
        | Route::Workers
        | Route::Sources
        | Route::Source(_)
        | Route::DeadLetter
        | Route::DeadLetterQueue
        | Route::DeadLetterEntry(_)
        | Route::Targets
        | Route::Findings
        | Route::Settings
        | Route::Runbook => ("The page is elsewhere.", vec![Route::JobsQueues]),
    }
}
