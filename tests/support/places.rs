//! Every page of the route table, each with something on it.

use crate::large::Made;
use stella_contract::route::Route;

/// All pages, those about one thing with a thing of this ledger.
pub fn pages(made: &Made) -> Vec<Route> {
    let mut pages = vec![FIRST];
    while let Some(page) = pages.last().and_then(|last| after(last, made)) {
        pages.push(page);
    }
    pages
}

const FIRST: Route = Route::JobsQueues;

/// The page that stands after another one in the order of the route table. A new page has to be named here, and gets its
/// place in the row with it.
fn after(page: &Route, made: &Made) -> Option<Route> {
    Some(match page {
        Route::JobsQueues => Route::JobEngine,
        Route::JobEngine => Route::Jobs,
        Route::Jobs => Route::Job(made.failed.clone()),
        Route::Job(_) => Route::JobDag(made.first.clone()),
        Route::JobDag(_) => Route::ChangeSets,
        Route::ChangeSets => Route::ChangeSet(made.change_set.clone()),
        Route::ChangeSet(_) => Route::Quotas,
        Route::Quotas => Route::DeadLetter,
        Route::DeadLetter => Route::DeadLetterQueue,
        Route::DeadLetterQueue => Route::DeadLetterEntry(made.entry.clone()),
        Route::DeadLetterEntry(_) => Route::Scheduler,
        Route::Scheduler => Route::Runs,
        Route::Runs => Route::Run(made.run.clone()),
        Route::Run(_) => Route::RunStream(made.open_run.clone()),
        Route::RunStream(_) => Route::RunDiff(made.run.clone()),
        Route::RunDiff(_) => Route::Schedules,
        Route::Schedules => Route::Policy,
        Route::Policy => Route::Workers,
        Route::Workers => Route::Sources,
        Route::Sources => Route::Source(made.source.clone()),
        Route::Source(_) => Route::Targets,
        Route::Targets => Route::Findings,
        Route::Findings => Route::ScannerOps,
        Route::ScannerOps => Route::OfflineKits,
        Route::OfflineKits => Route::Baselines,
        Route::Baselines => Route::Analyzers,
        Route::Analyzers => Route::Performance,
        Route::Performance => Route::ScannerSettings,
        Route::ScannerSettings => Route::Downloads,
        Route::Downloads => Route::Settings,
        Route::Settings => Route::Runbook,
        Route::Runbook => return None,
    })
}
