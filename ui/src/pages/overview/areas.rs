//! One line for each area: its state, its numbers, the way in.

use crate::kit::format::count;
use crate::kit::{Clock, Countdown, Elapsed, Icon, IconSize, Shape, Tone};
use crate::parts::mark;
use crate::router::{Link, Query};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use stella_contract::time::Micros;
use yew::prelude::*;

/// A number of an area, its word, and the list behind it.
struct Figure {
    value: Html,
    word: &'static str,
}

fn figure(value: i64, word: &'static str, to: Route, query: Query) -> Figure {
    Figure { value: html! { <Link {to} {query} class="n b">{ count(value) }</Link> }, word }
}

fn plain(value: Html, word: &'static str) -> Figure {
    Figure { value, word }
}

fn only(name: &str, value: &str) -> Query {
    Query::default().with(name, value)
}

/// The lines.
pub(super) fn areas(overview: &Overview) -> Html {
    html! {
        <div class="areas" role="list">
            { job_engine(overview) }
            { scheduler(overview) }
            { workers(overview) }
            { inputs(overview) }
            { findings(overview) }
        </div>
    }
}

fn line(name: &'static str, icon: Shape, to: Route, state: Html, figures: Vec<Figure>) -> Html {
    html! {
        <div class="area" role="listitem">
            <span class="name row"><Icon shape={icon} />{ name }</span>
            <span class="state">{ state }</span>
            { for figures.into_iter().map(|one| html! { <span class="figure"><span class="num">{ one.value }</span><span class="f2">{ one.word }</span></span> }) }
            <span class="grow"></span>
            <Link {to} class="more" label={format!("Open {name}")}><Icon shape={Shape::Right} size={IconSize::Small} /></Link>
        </div>
    }
}

fn job_engine(overview: &Overview) -> Html {
    let jobs = overview.jobs;
    let state = match jobs.failed_24h {
        0 => mark(Shape::DiscCheck, Tone::Ok, "Healthy", false, false),
        _ => mark(Shape::Triangle, Tone::Warn, "Failures", false, false),
    };
    let oldest = match jobs.oldest_queued_at {
        Some(from) => html! { <Elapsed {from} /> },
        None => html! { "none" },
    };
    line(
        "JobEngine",
        Shape::Engine,
        Route::JobEngine,
        state,
        vec![
            figure(jobs.queued, "queued", Route::Jobs, only("state", "queued")),
            figure(jobs.running + jobs.leased, "running", Route::Jobs, only("state", "running")),
            figure(jobs.failed_24h, "failed 24 h", Route::Jobs, only("state", "failed")),
            plain(oldest, "oldest queued"),
            figure(jobs.succeeded_24h, "succeeded 24 h", Route::Jobs, only("state", "succeeded")),
        ],
    )
}

fn scheduler(overview: &Overview) -> Html {
    let runs = overview.runs;
    let state = match runs.error_24h {
        0 => mark(Shape::DiscCheck, Tone::Ok, "Healthy", false, false),
        _ => mark(Shape::Triangle, Tone::Warn, "Runs in error", false, false),
    };
    let beat = match runs.planner_beat_at {
        Some(from) => html! { <Elapsed {from} /> },
        None => html! { "none" },
    };
    line(
        "Scheduler",
        Shape::Calendar,
        Route::Scheduler,
        state,
        vec![
            figure(
                runs.planning + runs.queued + runs.running,
                "active runs",
                Route::Runs,
                only("tab", "active"),
            ),
            plain(beat, "planner age"),
            plain(next_fire(runs.next_fire_at), "next fire"),
            figure(runs.error_24h, "in error 24 h", Route::Runs, only("tab", "failures")),
            plain(html! { count(runs.executor_backlog) }, "targets to go"),
        ],
    )
}

fn next_fire(at: Option<Micros>) -> Html {
    match at {
        Some(until) => {
            html! { <Link to={Route::Schedules} class="n"><Countdown {until} over="now" /></Link> }
        }
        None => html! { <Link to={Route::Schedules} class="n">{ "none" }</Link> },
    }
}

fn workers(overview: &Overview) -> Html {
    let workers = overview.workers;
    let state = match (workers.online, workers.late + workers.offline) {
        (0, _) => mark(Shape::OctagonCross, Tone::Bad, "None online", false, false),
        (_, 0) => mark(Shape::DiscCheck, Tone::Ok, "Healthy", false, false),
        (_, _) => mark(Shape::HalfRing, Tone::Warn, "Degraded", false, false),
    };
    line(
        "Workers",
        Shape::Columns,
        Route::Workers,
        state,
        vec![
            figure(workers.online, "online", Route::Workers, Query::default()),
            figure(workers.late, "late", Route::Workers, Query::default()),
            figure(workers.offline, "offline", Route::Workers, Query::default()),
            figure(workers.slots_in_use, "slots in use", Route::Jobs, only("state", "running")),
            plain(html! { count(workers.slots) }, "slots"),
        ],
    )
}

fn inputs(overview: &Overview) -> Html {
    let inputs = overview.inputs;
    let state = match (inputs.sources, inputs.sources_failing) {
        (0, _) => mark(Shape::DashedRing, Tone::Idle, "No sources", false, false),
        (_, 0) => mark(Shape::DiscCheck, Tone::Ok, "Healthy", false, false),
        (_, _) => mark(Shape::Triangle, Tone::Warn, "Sources failing", false, false),
    };
    line(
        "Inputs",
        Shape::Package,
        Route::Sources,
        state,
        vec![
            figure(inputs.sources, "sources", Route::Sources, Query::default()),
            figure(inputs.sources_failing, "failing", Route::Sources, Query::default()),
            figure(inputs.advisories, "advisories", Route::Sources, Query::default()),
            figure(inputs.kev_entries, "known exploited", Route::Sources, Query::default()),
            figure(inputs.targets, "targets", Route::Targets, Query::default()),
        ],
    )
}

fn findings(overview: &Overview) -> Html {
    let inputs = overview.inputs;
    let state = match (inputs.index_built_at, inputs.findings_critical) {
        (None, _) => mark(Shape::DashedRing, Tone::Idle, "No index yet", false, false),
        (Some(_), 0) => mark(Shape::DiscCheck, Tone::Ok, "No critical", false, false),
        (Some(_), _) => mark(Shape::OctagonCross, Tone::Bad, "Critical", false, false),
    };
    let built = match inputs.index_built_at {
        Some(at) => html! { <Clock {at} /> },
        None => html! { "none" },
    };
    line(
        "Findings",
        Shape::Flag,
        Route::Findings,
        state,
        vec![
            figure(inputs.findings, "standing", Route::Findings, Query::default()),
            figure(inputs.findings_critical, "critical", Route::Findings, only("severity", "critical")),
            figure(overview.runs.new_findings_24h, "new 24 h", Route::Runs, only("tab", "completed")),
            plain(html! { count(inputs.index_generation) }, "index generation"),
            plain(built, "index changed"),
        ],
    )
}
