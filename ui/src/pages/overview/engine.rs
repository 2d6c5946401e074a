//! JobEngine: the health of each job type's queue.

use crate::api::Load;
use crate::clock::use_now;
use crate::kit::format::{count, duration, duration_short, percent};
use crate::kit::{Clock, Column, Elapsed, Empty, Shape, Skeleton, Sparkline, Table, TableBody, Tone, Width};
use crate::pages::listing::use_reload_key;
use crate::parts::{CliTwin, ProblemView, StaleBanner};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_query};
use std::rc::Rc;
use stella_contract::overview::{Overview, TypeFigures};
use stella_contract::route::Route;
use stella_contract::stats::{JobStats, TypeStats};
use yew::prelude::*;

/// JobEngine.
#[component]
pub fn JobEnginePage() -> Html {
    let asked =
        use_query("job stats", Watch::of(&["job"]).every(60), |api| async move { api.job_stats().await });
    use_reload_key(asked.refetch.clone());
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
        Load::Failed(problem) => html! {
            <ProblemView what="The queues" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        Load::Ready(stats, _) => html! { <Queues stats={stats.clone()} /> },
        Load::Stale(stats, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                <Queues stats={stats.clone()} />
            </>
        },
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "JobEngine" }</h1>
                <span class="f2 sm">{ "queues by job type" }</span>
                <span class="grow"></span>
                if let Some(stats) = asked.load.value() { <span class="f2 sm opt">{ "As of " }<Clock at={stats.as_of} /></span> }
                <Link to={Route::Quotas} class="link nw">{ "Quotas and pressure" }</Link>
                <Link to={Route::Jobs} class="link nw">{ "All jobs" }</Link>
                <CliTwin words={["orch", "jobs", "list"].map(AttrValue::from).to_vec()} button={true} />
            </div>
            { body }
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct QueuesProps {
    stats: JobStats,
}

#[component]
fn Queues(props: &QueuesProps) -> Html {
    let router = use_router();
    let columns = use_memo((), |()| columns());
    let rows = use_memo(props.stats.by_type.clone(), |rows| Rc::new(rows.clone()));
    let on_open = Callback::from(move |job_type: String| {
        router.go(&Route::Jobs, &Query::default().with("jobType", job_type))
    });
    if props.stats.by_type.is_empty() {
        return html! {
            <Empty icon={Shape::Engine} fact="No jobs yet">
                { "A queue appears with its first job. " }<Link to={Route::Sources} class="link">{ "Open sources" }</Link>
            </Empty>
        };
    }
    html! {
        <>
            <Totals stats={props.stats.clone()} />
            <Table label="Queues by job type" body={TableBody::new((*rows).clone(), key_of, columns)} {on_open} />
        </>
    }
}

/// All types together.
#[component]
fn Totals(props: &QueuesProps) -> Html {
    let now = use_now();
    let all = &props.stats.by_type;
    let sum = |of: fn(&TypeStats) -> i64| all.iter().map(of).sum::<i64>();
    let oldest = all.iter().filter_map(|one| one.oldest_queued_at).min();
    let (good, bad) = (sum(|one| one.succeeded_24h), sum(|one| one.failed_24h));
    let figure = |label: &'static str, value: Html, said: String| {
        html! { <div class="fig"><div class="l">{ label }</div><div class="v">{ value }</div><div class="s">{ said }</div></div> }
    };
    let list = |state: &str, number: i64| html! { <Link to={Route::Jobs} query={Query::default().with("state", state)} class="n">{ count(number) }</Link> };
    let throughput: f64 = all.iter().map(|one| one.throughput_per_min).sum();
    html! {
        <div class="sec figs run-figures">
            { figure("Queued", list("queued", sum(|one| one.queued)), oldest.map_or_else(|| "none is waiting".to_owned(), |at| format!("oldest {}", duration(now.ms_since(at))))) }
            { figure("Held", list("pending", sum(|one| one.pending)), "by a time, a limit, an upstream job".to_owned()) }
            { figure("Active", list("running", sum(|one| one.active)), "leased and running".to_owned()) }
            { figure("Throughput", html! { { format!("{throughput:.1}") } }, "ended per minute, last hour".to_owned()) }
            { figure("Failed, 24 h", html! { <span class={classes!((bad > 0).then_some("k-bad"))}>{ list("failed", bad) }</span> }, rate(good, bad).map_or_else(|| "none ended".to_owned(), |rate| format!("{} of those that ended", percent(rate)))) }
        </div>
    }
}

fn rate(good: i64, bad: i64) -> Option<f64> {
    (good + bad > 0).then(|| bad as f64 / (good + bad) as f64)
}

fn key_of(one: &TypeStats) -> String {
    one.job_type.clone()
}

fn jobs(one: &TypeStats, state: &str) -> Query {
    Query::default().with("jobType", one.job_type.as_str()).with("state", state)
}

fn columns() -> Vec<Column<TypeStats>> {
    let number = |state: &'static str, of: fn(&TypeStats) -> i64| move |one: &TypeStats| html! { <Link to={Route::Jobs} query={jobs(one, state)} class="n">{ count(of(one)) }</Link> };
    vec![
        Column::new("type", "Job type", Width::Share(2, 140), |one: &TypeStats| html! {
            <Link to={Route::Jobs} query={jobs(one, "")} class="id mono b">{ &one.job_type }</Link>
        }),
        Column::new("queued", "Queued", Width::Fixed(76), number("queued", |one| one.queued)).at_end(),
        Column::new("held", "Held", Width::Fixed(70), number("pending", |one| one.pending)).at_end(),
        Column::new("active", "Active", Width::Fixed(70), number("running", |one| one.active)).at_end(),
        Column::new("oldest", "Oldest queued", Width::Fixed(108), |one: &TypeStats| match one.oldest_queued_at {
            Some(from) => html! { <Elapsed {from} /> },
            None => html! { <span class="f3">{ "none" }</span> },
        })
        .at_end(),
        Column::new("flow", "Per minute", Width::Fixed(88), |one: &TypeStats| html! { { format!("{:.1}", one.throughput_per_min) } }).at_end(),
        Column::new("failed", "Failed, 24 h", Width::Fixed(116), failed).at_end(),
        Column::new("queue", "Waits p50, p95", Width::Fixed(126), |one: &TypeStats| spread(one.queue_p50_ms, one.queue_p95_ms))
            .at_end()
            .drops_below(1000),
        Column::new("run", "Runs p50, p95", Width::Fixed(126), |one: &TypeStats| spread(one.run_p50_ms, one.run_p95_ms)).at_end().drops_below(1100),
        Column::new("spark", "Ended per hour, 24 h", Width::Fixed(146), spark).at_end().drops_below(1200),
        Column::new("limits", "", Width::Fixed(64), |one: &TypeStats| html! {
            <Link to={Route::Quotas} query={Query::default().with("quota", one.job_type.as_str())} class="link sm">{ "Limits" }</Link>
        })
        .at_end(),
    ]
}

fn failed(one: &TypeStats) -> Html {
    let tone = tone(one);
    html! {
        <>
            <Link to={Route::Jobs} query={jobs(one, "failed")} class={classes!("n", (tone != Tone::Idle).then_some(tone.class()))}>{ count(one.failed_24h) }</Link>
            <span class="f3">{ one.failure_rate.map_or_else(|| ", none ended".to_owned(), |rate| format!(", {}", percent(rate))) }</span>
        </>
    }
}

/// From one in ten failed on it is bad, from one in a hundred it is looked at.
fn tone(one: &TypeStats) -> Tone {
    match one.failure_rate {
        Some(rate) if rate >= 0.1 => Tone::Bad,
        Some(rate) if rate >= 0.01 => Tone::Warn,
        Some(_) | None => Tone::Idle,
    }
}

/// `12 ms, 1 s`.
fn spread(half: Option<f64>, most: Option<f64>) -> Html {
    match (half, most) {
        (Some(half), Some(most)) => {
            html! { <>{ length(half) }<span class="f3">{ ", " }</span>{ length(most) }</> }
        }
        _ => html! { <span class="f3">{ "not known" }</span> },
    }
}

fn length(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.0} ms") } else { duration_short(ms as i64) }
}

fn spark(one: &TypeStats) -> Html {
    let values: Vec<f64> =
        one.sparkline.iter().map(|point| (point.succeeded + point.failed) as f64).collect();
    let all: i64 = one.sparkline.iter().map(|point| point.succeeded + point.failed).sum();
    if all == 0 {
        return html! { <span class="f3 sm">{ "none in 24 h" }</span> };
    }
    html! { <Sparkline {values} tone={tone(one)} label={format!("{} ended in 24 h", count(all))} /> }
}

/// One line for each job type, as the overview shows it.
pub(super) fn queue_table(overview: &Overview) -> Html {
    html! {
        <table class="tbl">
            <thead><tr>
                <th scope="col">{ "Job type" }</th><th scope="col" class="num">{ "Waiting" }</th><th scope="col" class="num">{ "Active" }</th>
                <th scope="col" class="num">{ "Succeeded 24 h" }</th><th scope="col" class="num">{ "Failed 24 h" }</th>
            </tr></thead>
            <tbody>{ for overview.by_type.iter().map(queue) }</tbody>
        </table>
    }
}

fn queue(one: &TypeFigures) -> Html {
    let jobs = |state: &str| Query::default().with("jobType", one.job_type.as_str()).with("state", state);
    let link = |state: &str, number: i64| html! { <Link to={Route::Jobs} query={jobs(state)} class="n">{ count(number) }</Link> };
    html! {
        <tr key={one.job_type.clone()}>
            <td class="mono"><Link to={Route::Jobs} query={jobs("")} class="id">{ &one.job_type }</Link></td>
            <td class="num">{ link("queued", one.waiting) }</td>
            <td class="num">{ link("running", one.active) }</td>
            <td class="num">{ link("succeeded", one.succeeded_24h) }</td>
            <td class={classes!("num", (one.failed_24h > 0).then_some("k-bad"))}>{ link("failed", one.failed_24h) }</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_are_milliseconds_and_long_ones_one_unit() {
        assert_eq!(length(12.4), "12 ms");
        assert_eq!(length(1_500.0), "1 s");
        assert_eq!(length(125_000.0), "2 m");
    }

    #[test]
    fn nothing_ended_is_not_nothing_failed() {
        assert_eq!(rate(0, 0), None);
        assert_eq!(rate(3, 1), Some(0.25));
    }
}
