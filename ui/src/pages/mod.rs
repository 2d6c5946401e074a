//! One folder per area, one file per page: model, message, update (pure), view. The switch below is the only place
//! that knows which page an address shows.

pub mod absent;
pub mod change_sets;
pub mod dead_letter;
pub mod filter_bar;
pub mod findings;
pub mod incidents;
pub mod jobs;
pub mod limits;
pub mod listing;
pub mod overview;
pub mod policy;
pub mod runbook;
pub mod runs;
pub mod saved_views;
pub mod schedules;
pub mod settings;
pub mod sources;
pub mod targets;
pub mod workers;

use stella_contract::route::Route;
use yew::prelude::*;

/// The page of a route.
pub fn page(route: &Route) -> Html {
    match route {
        Route::JobsQueues => html! { <overview::OverviewPage /> },
        Route::JobEngine => html! { <overview::JobEnginePage /> },
        Route::Jobs => html! { <jobs::JobsPage /> },
        Route::Job(id) => html! { <jobs::JobPage key={id.to_string()} id={id.clone()} /> },
        Route::JobDag(id) => html! { <jobs::DagPage key={id.to_string()} id={id.clone()} /> },
        Route::ChangeSets => html! { <change_sets::ChangeSetsPage /> },
        Route::ChangeSet(id) => html! { <change_sets::ChangeSetPage key={id.to_string()} id={id.clone()} /> },
        Route::Quotas => html! { <limits::QuotasPage /> },
        Route::Workers => html! { <workers::WorkersPage /> },
        Route::Sources => html! { <sources::SourcesPage /> },
        Route::DeadLetter => html! { <dead_letter::DeadLetterPage /> },
        Route::DeadLetterQueue => html! { <dead_letter::DeadLetterQueuePage /> },
        Route::DeadLetterEntry(id) => {
            html! { <dead_letter::DeadLetterEntryPage key={id.to_string()} id={id.clone()} /> }
        }
        Route::Source(id) => html! { <sources::SourcePage key={id.to_string()} id={id.clone()} /> },
        Route::Targets => html! { <targets::TargetsPage /> },
        Route::Runs => html! { <runs::RunsPage /> },
        Route::Run(id) => html! { <runs::RunsPage open={id.clone()} /> },
        Route::RunStream(id) => html! { <runs::RunStreamPage key={id.to_string()} id={id.clone()} /> },
        Route::RunDiff(id) => html! { <runs::RunDiffPage key={id.to_string()} id={id.clone()} /> },
        Route::Scheduler => html! { <runs::SchedulerPage /> },
        Route::Policy => html! { <policy::PolicyPage /> },
        Route::Findings => html! { <findings::FindingsPage /> },
        Route::Settings => html! { <settings::SettingsPage /> },
        Route::Runbook => html! { <runbook::RunbookPage /> },
        Route::Schedules => html! { <schedules::SchedulesPage /> },
        Route::ScannerOps
        | Route::OfflineKits
        | Route::Baselines
        | Route::Analyzers
        | Route::Performance
        | Route::ScannerSettings
        | Route::Downloads => html! { <absent::Absent route={route.clone()} /> },
    }
}
