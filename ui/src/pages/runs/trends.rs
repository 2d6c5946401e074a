//! How runs have been doing for a day: a strip under the list, and the panel beside it with the four named series, the
//! backlog, the schedules, and what runs went through lately.

use super::scheduler::Schedules;
use super::telemetry::Telemetry;
use crate::api::Load;
use crate::kit::format::{count, duration};
use crate::kit::{
    AreaChart, Drawer, Empty, Select, Series, Shape, Skeleton, Sparkline, Stack, StackPart, Tone,
};
use crate::parts::{CliTwin, ProblemView, StaleBanner};
use crate::router::{Link, Query};
use crate::store::{Asked, Watch, use_query};
use stella_contract::route::Route;
use stella_contract::run::RunTrigger;
use stella_contract::run_trends::{BacklogPoint, DeterminismDay, RunHour, RunSeries, RunTrends};
use stella_contract::time::Micros;
use yew::prelude::*;

/// The trends, asked for once a minute: that is how often they are sampled.
#[hook]
fn use_trends() -> Asked<RunTrends> {
    use_query("run trends", Watch::none().every(60), |api| async move { api.run_trends().await })
}

/// Three figures with their lines, under the list.
#[component]
pub(super) fn TrendStrip() -> Html {
    let asked = use_trends();
    let Some(trends) = asked.load.value() else { return Html::default() };
    let (series, sums) = (&trends.series, sums(&trends.hours));
    let ended = Query::default().with("tab", "completed").with("since", "24h");
    let failed = Query::default().with("tab", "failures").with("since", "24h");
    let errors: Vec<f64> = trends.hours.iter().map(|hour| hour.failed as f64).collect();
    html! {
        <section class="sec figs trend-strip" aria-label="Trends of the last 24 hours">
            <div class="fig fig-wide">
                <div class="l">{ "Runs per trigger, 24 h" }</div>
                if sums.is_empty() { <div class="s">{ "No run was asked for." }</div> } else {
                    <Stack label={format!("{} runs by trigger", sums.iter().map(|(_, many)| many).sum::<i64>())} parts={parts(&sums)} />
                    <div class="s">{ for sums.iter().map(|(trigger, many)| html! {
                        <span key={trigger.as_str()} class="nw">{ format!("{trigger} ") }<Link to={Route::Runs} query={Query::default().with("tab", "completed").with("trigger", trigger.as_str()).with("since", "24h")} class="n">{ count(*many) }</Link>{ " " }</span>
                    }) }</div>
                }
            </div>
            <div class="fig">
                <div class="l">{ "Average duration, 24 h" }</div>
                <div class="v row">
                    { match series.duration_mean_ms {
                        Some(ms) => html! { <Link to={Route::Runs} query={ended} class="n">{ duration(ms) }</Link> },
                        None => html! { <span class="f3">{ "none" }</span> },
                    } }
                    { spark("Average duration by hour", means(&trends.hours).into_iter().map(|(_, ms)| ms as f64).collect(), Tone::Idle) }
                </div>
            </div>
            <div class="fig">
                <div class="l">{ "Determinism, daily" }</div>
                <div class="v row">
                    { match trends.determinism.last() {
                        Some(day) => html! { <span title={sampled(day)}>{ format!("{:.3}", day.mean) }</span> },
                        None => html! { <span class="f3">{ "n/a" }</span> },
                    } }
                    { spark("Determinism by day", trends.determinism.iter().map(|day| day.mean).collect(), Tone::Idle) }
                </div>
            </div>
            <div class="fig">
                <div class="l">{ "Runs in error, 24 h" }</div>
                <div class="v row">
                    <Link to={Route::Runs} query={failed} class={classes!("n", (series.runs_error_24h > 0).then_some("k-bad"))}>{ count(series.runs_error_24h) }</Link>
                    { spark("Runs in error by hour", errors, if series.runs_error_24h > 0 { Tone::Bad } else { Tone::Idle }) }
                </div>
            </div>
        </section>
    }
}

/// How much a day's score rests on.
fn sampled(day: &DeterminismDay) -> String {
    format!("{} segments of {} runs were evaluated once more", day.sample, day.runs)
}

fn spark(label: &'static str, values: Vec<f64>, tone: Tone) -> Html {
    if values.len() < 2 {
        return Html::default();
    }
    html! { <Sparkline {values} {label} {tone} /> }
}

/// Runs of the day by trigger, the most first.
pub(super) fn sums(hours: &[RunHour]) -> Vec<(RunTrigger, i64)> {
    let mut sums: Vec<(RunTrigger, i64)> = Vec::new();
    for one in hours.iter().flat_map(|hour| &hour.by_trigger) {
        match sums.iter_mut().find(|(trigger, _)| *trigger == one.trigger) {
            Some((_, many)) => *many += one.count,
            None => sums.push((one.trigger, one.count)),
        }
    }
    sums.sort_by_key(|(_, many)| std::cmp::Reverse(*many));
    sums
}

/// Runs of one trigger, hour by hour.
fn by_hour(hours: &[RunHour], trigger: RunTrigger) -> Vec<f64> {
    let of = |hour: &RunHour| {
        hour.by_trigger.iter().find(|one| one.trigger == trigger).map_or(0, |one| one.count) as f64
    };
    hours.iter().map(of).collect()
}

/// The mean duration of the hours in which runs ended; the others have none.
fn means(hours: &[RunHour]) -> Vec<(Micros, i64)> {
    hours.iter().filter_map(|hour| Some((hour.at, hour.duration_mean_ms?))).collect()
}

/// The fills of a stack, the weightiest first.
const FILLS: [&str; 6] = ["bg-1", "bg-2", "bg-3", "bg-idle", "bg-line", "bg-live"];

fn parts(sums: &[(RunTrigger, i64)]) -> Vec<StackPart> {
    let part = |((trigger, many), fill): (&(RunTrigger, i64), &'static str)| StackPart {
        label: format!("{many} {trigger}").into(),
        weight: *many as f64,
        fill,
    };
    sums.iter().zip(FILLS).map(part).collect()
}

/// What a [`TrendsPanel`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct TrendsPanelProps {
    /// Left.
    pub on_close: Callback<()>,
}

/// Schedules, queue and trends, beside the list.
#[component]
pub(super) fn TrendsPanel(props: &TrendsPanelProps) -> Html {
    let asked = use_trends();
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={10} /> },
        Load::Failed(problem) => html! {
            <ProblemView what="The trends" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        Load::Ready(trends, _) => html! { <Charts trends={trends.clone()} /> },
        Load::Stale(trends, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                <Charts trends={trends.clone()} />
            </>
        },
    };
    html! {
        <Drawer label="Schedules and queue" on_close={props.on_close.clone()}
            head={html! { <h2>{ "Schedules and queue" }</h2> }}
            foot={html! { <CliTwin words={["runs", "trends"].map(AttrValue::from).to_vec()} /> }}>
            { body }
            <Schedules />
            <Telemetry />
        </Drawer>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ChartsProps {
    trends: RunTrends,
}

#[component]
fn Charts(props: &ChartsProps) -> Html {
    let trends = &props.trends;
    let schedule = use_state_eq(String::new);
    let chosen = trends.by_schedule.iter().find(|one| one.schedule_id == *schedule);
    let backlog = chosen.map_or(trends.backlog.as_slice(), |one| one.backlog.as_slice());
    let on_schedule = {
        let schedule = schedule.clone();
        Callback::from(move |id: String| schedule.set(id))
    };
    let mut schedules: Vec<(AttrValue, AttrValue)> = vec![("".into(), "whole tenant".into())];
    schedules.extend(trends.by_schedule.iter().map(|one| {
        let id = AttrValue::from(one.schedule_id.clone());
        (id.clone(), id)
    }));
    let means = means(&trends.hours);
    html! {
        <>
            { cards(&trends.series) }
            <section class="sec" aria-label="Queue depth">
                <div class="sec-h"><h2>{ "Queue depth, 24 h" }</h2><span class="grow"></span>
                    if !trends.by_schedule.is_empty() { <Select label="Schedule" value={(*schedule).clone()} options={schedules} on_change={on_schedule} /> }
                </div>
                { backlog_chart("Executor backlog", "targets", backlog, |point| point.executor) }
                { backlog_chart("Planner backlog", "runs", backlog, |point| point.planner) }
            </section>
            <section class="sec" aria-label="Runs per trigger">
                <div class="sec-h"><h2>{ "Runs per trigger, by hour" }</h2></div>
                if sums(&trends.hours).is_empty() { <p class="f3 sm">{ "No run was asked for in 24 hours." }</p> }
                <table class="tbl"><tbody>{ for sums(&trends.hours).into_iter().map(|(trigger, many)| html! {
                    <tr key={trigger.as_str()}>
                        <td>{ trigger.as_str() }</td><td class="num b">{ count(many) }</td>
                        <td class="num"><Sparkline values={by_hour(&trends.hours, trigger)} label={format!("{trigger} by hour, {many} in 24 hours")} /></td>
                    </tr>
                }) }</tbody></table>
            </section>
            <section class="sec" aria-label="Average duration">
                <div class="sec-h"><h2>{ "Average duration, by hour" }</h2></div>
                if means.len() < 2 {
                    <p class="f3 sm">{ "Runs must have ended in two hours at least before there is a line." }</p>
                } else {
                    <AreaChart label={format!("Average duration over {} hours, in seconds", means.len())}
                        times={means.iter().map(|(at, _)| *at).collect::<Vec<_>>()}
                        series={vec![Series { label: means.last().map(|(_, ms)| duration(*ms)).unwrap_or_default().into(), values: means.iter().map(|(_, ms)| *ms as f64 / 1_000.0).collect() }]} />
                    <p class="f3 sm">{ "seconds; hours without an ended run are left out" }</p>
                }
            </section>
            { determinism(&trends.determinism) }
        </>
    }
}

/// The daily mean score, with what it rests on.
fn determinism(days: &[DeterminismDay]) -> Html {
    html! {
        <section class="sec" aria-label="Determinism score">
            <div class="sec-h"><h2>{ "Determinism score, daily mean, 30 days" }</h2></div>
            { match days.last() {
                None => html! { <p class="f3 sm">{ "n/a: no run was sampled. A finished run has some of its segments evaluated once more." }</p> },
                Some(last) => html! {
                    <p class="row"><span class="b">{ format!("{:.3}", last.mean) }</span>{ spark("Determinism by day", days.iter().map(|day| day.mean).collect(), Tone::Idle) }<span class="f3 sm">{ sampled(last) }</span></p>
                },
            } }
        </section>
    }
}

/// The four series under their names.
fn cards(series: &RunSeries) -> Html {
    let failures = Query::default().with("tab", "failures");
    let card = |name: &'static str, value: Html, said: String| {
        html! {
            <div class="metric"><div class="l mono cut" title={name}>{ name }</div><div class="v">{ value }</div><div class="s f3 sm">{ said }</div></div>
        }
    };
    let time = |ms: Option<i64>| ms.map_or_else(|| "none".to_owned(), duration);
    html! {
        <section class="sec metrics" aria-label="Metrics">
            { card("scheduler_queue_depth", html! { <Link to={Route::Jobs} query={Query::default().with("filter", "state:queued")} class="n">{ count(series.queue_depth) }</Link> }, "jobs queued now".to_owned()) }
            { card("scheduler_runs_active", html! { <Link to={Route::Runs} query={Query::default().with("tab", "active")} class="n">{ count(series.runs_active) }</Link> }, "runs not ended".to_owned()) }
            { card("scheduler_runs_error_total", html! { <Link to={Route::Runs} query={failures} class="n">{ count(series.runs_error_total) }</Link> }, format!("{} in 24 h", count(series.runs_error_24h))) }
            { card("scheduler_runs_duration_seconds", html! { { time(series.duration_mean_ms) } }, format!("mean; 95% within {}", time(series.duration_p95_ms))) }
        </section>
    }
}

fn backlog_chart(
    name: &'static str,
    unit: &'static str,
    points: &[BacklogPoint],
    of: fn(&BacklogPoint) -> i64,
) -> Html {
    let Some(last) = points.last().filter(|_| points.len() > 1) else {
        return html! { <Empty icon={Shape::Dash} fact={format!("{name}: no line yet")}>{ "It is sampled every minute and drawn in points of five." }</Empty> };
    };
    let label = format!("{name}, {} {unit} now, the last 24 hours", count(of(last)));
    html! {
        <>
            <p class="f2 sm">{ format!("{name}, {unit}") }</p>
            <AreaChart {label} times={points.iter().map(|point| point.at).collect::<Vec<_>>()}
                series={vec![Series { label: count(of(last)).into(), values: points.iter().map(|point| of(point) as f64).collect() }]} />
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::run_trends::TriggerCount;

    fn hour(at: i64, cron: i64, manual: i64, mean: Option<i64>) -> RunHour {
        let one = |trigger, count| TriggerCount { trigger, count };
        let by_trigger = [one(RunTrigger::Cron, cron), one(RunTrigger::Manual, manual)];
        RunHour {
            at: Micros(at),
            by_trigger: by_trigger.into_iter().filter(|one| one.count > 0).collect(),
            ended: 0,
            failed: 0,
            duration_mean_ms: mean,
        }
    }

    #[test]
    fn triggers_stand_in_the_order_of_their_runs_and_each_has_every_hour() {
        let hours = [hour(0, 0, 2, None), hour(1, 5, 0, Some(9)), hour(2, 1, 1, None)];
        assert_eq!(sums(&hours), [(RunTrigger::Cron, 6), (RunTrigger::Manual, 3)]);
        assert_eq!(by_hour(&hours, RunTrigger::Manual), [2.0, 0.0, 1.0]);
        assert_eq!(means(&hours), [(Micros(1), 9)], "an hour without an ended run has no duration");
        assert_eq!(parts(&sums(&hours))[0].label.as_str(), "6 cron");
    }
}
