//! Every page of the route table, and those of its views that ask for something else.

use stella_contract::route::{Route, encode_query};
use stella_tests::large::Made;

/// A page to open.
pub(crate) struct Place {
    /// What it is called in the table.
    pub(crate) name: String,
    /// Path and query.
    pub(crate) address: String,
}

impl Place {
    fn of(route: &Route) -> Self {
        Self { name: name(route).to_owned(), address: route.path() }
    }

    fn filtered(route: &Route, filter: &str) -> Self {
        let address = format!("{}?filter={}", route.path(), encode_query(filter));
        Self { name: format!("{} `{filter}`", name(route)), address }
    }

    /// The page of a route with this query.
    fn queried(route: &Route, query: &str) -> Self {
        Self { name: format!("{} `{query}`", name(route)), address: format!("{}?{query}", route.path()) }
    }

    /// A name for a file.
    pub(crate) fn file(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        self.name.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
    }
}

/// All of them.
pub(crate) fn all(made: &Made) -> Vec<Place> {
    let routes = [
        Route::JobsQueues,
        Route::JobEngine,
        Route::Jobs,
        Route::Job(made.failed.clone()),
        Route::JobDag(made.first.clone()),
        Route::ChangeSets,
        Route::ChangeSet(made.change_set.clone()),
        Route::Quotas,
        Route::DeadLetter,
        Route::DeadLetterQueue,
        Route::DeadLetterEntry(made.entry.clone()),
        Route::Scheduler,
        Route::Runs,
        Route::Run(made.run.clone()),
        Route::RunStream(made.open_run.clone()),
        Route::RunDiff(made.run.clone()),
        Route::Schedules,
        Route::Policy,
        Route::Workers,
        Route::Sources,
        Route::Source(made.source.clone()),
        Route::Targets,
        Route::Findings,
        Route::ScannerOps,
        Route::OfflineKits,
        Route::Baselines,
        Route::Analyzers,
        Route::Performance,
        Route::ScannerSettings,
        Route::Downloads,
        Route::Settings,
        Route::Runbook,
    ];
    let mut places: Vec<Place> = routes.iter().map(Place::of).collect();
    for filter in [
        "state:pending,queued,leased,running",
        "state:succeeded",
        "state:failed,timed_out",
        "type:report.render",
        "type:vex.*",
        "error:HTTP_503",
        "category:integrity",
        "priority:>=75",
        "wait:quota_max_active,paused,breaker_open,blackout",
        "age:<1h",
    ] {
        places.push(Place::filtered(&Route::Jobs, filter));
    }
    for query in
        ["tab=completed", "tab=failures", "tab=completed&severity=critical", "tab=completed&trigger=cron"]
    {
        places.push(Place::queried(&Route::Runs, query));
    }
    let of_run = format!("run:{}", made.open_run);
    places.push(Place { name: "Jobs of the run".to_owned(), ..Place::filtered(&Route::Jobs, &of_run) });
    places.push(Place { name: "Job of the graph".to_owned(), ..Place::of(&Route::Job(made.middle.clone())) });
    let middle = Route::JobDag(made.middle.clone());
    places.push(Place { name: "Job graph, in the middle".to_owned(), ..Place::of(&middle) });
    places.push(Place {
        name: "Stream of a run that ended".to_owned(),
        ..Place::of(&Route::RunStream(made.run.clone()))
    });
    for query in ["state=open&category=integrity", "jobType=sbom.normalise", "state=resolved", "q=mirror"] {
        let queue = Place::of(&Route::DeadLetterQueue);
        places.push(Place {
            name: format!("{} `{query}`", queue.name),
            address: format!("{}?{query}", queue.address),
        });
    }
    places
}

/// A new page has to be named here, and belongs into the list above.
const fn name(route: &Route) -> &'static str {
    match route {
        Route::JobsQueues
        | Route::JobEngine
        | Route::Jobs
        | Route::Job(_)
        | Route::JobDag(_)
        | Route::ChangeSets
        | Route::ChangeSet(_)
        | Route::Quotas
        | Route::DeadLetter
        | Route::DeadLetterQueue
        | Route::DeadLetterEntry(_)
        | Route::Scheduler
        | Route::Runs
        | Route::Run(_)
        | Route::RunStream(_)
        | Route::RunDiff(_)
        | Route::Policy
        | Route::Schedules
        | Route::Workers
        | Route::Sources
        | Route::Source(_)
        | Route::Targets
        | Route::Findings
        | Route::ScannerOps
        | Route::OfflineKits
        | Route::Baselines
        | Route::Analyzers
        | Route::Performance
        | Route::ScannerSettings
        | Route::Downloads
        | Route::Settings
        | Route::Runbook => route.title(),
    }
}
