//! Every page of the route table, and those of its views that ask for something else.

use stella_contract::route::{Route, encode_query};
use stella_tests::large::Made;
use stella_tests::places;

/// A page to open.
pub(crate) struct Place {
    /// What it is called in the table.
    pub(crate) name: String,
    /// Path and query.
    pub(crate) address: String,
}

impl Place {
    fn of(route: &Route) -> Self {
        Self { name: route.title().to_owned(), address: route.path() }
    }

    fn filtered(route: &Route, filter: &str) -> Self {
        let address = format!("{}?filter={}", route.path(), encode_query(filter));
        Self { name: format!("{} `{filter}`", route.title()), address }
    }

    /// The page of a route with this query.
    fn queried(route: &Route, query: &str) -> Self {
        Self { name: format!("{} `{query}`", route.title()), address: format!("{}?{query}", route.path()) }
    }

    /// A name for a file.
    pub(crate) fn file(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        self.name.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
    }
}

/// All of them.
pub(crate) fn all(made: &Made) -> Vec<Place> {
    let mut places: Vec<Place> = places::pages(made).iter().map(Place::of).collect();
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
