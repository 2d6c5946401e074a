//! The newest runs of a schedule as bars: as high as they took long, coloured where one went wrong.

use crate::kit::format::{counted, duration};
use stella_contract::run::RunState;
use stella_contract::schedule::ScheduleRun;
use yew::prelude::*;

/// What [`RunBars`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RunBarsProps {
    /// The runs, newest first.
    pub runs: Vec<ScheduleRun>,
}

const WIDTH: usize = 5;
const STEP: usize = 6;
const HEIGHT: f64 = 16.0;
/// However short, a run is seen.
const LEAST: f64 = 3.0;

/// A bar per run, oldest first.
#[component]
pub fn RunBars(props: &RunBarsProps) -> Html {
    if props.runs.is_empty() {
        return html! { <span class="f3">{ "none yet" }</span> };
    }
    let longest = props.runs.iter().filter_map(took).max().unwrap_or(0);
    let view = format!("0 0 {} 16", STEP * props.runs.len());
    html! {
        <svg class="run-bars" viewBox={view} width={(STEP * props.runs.len()).to_string()} height="16" role="img" aria-label={words(&props.runs)}>
            { for props.runs.iter().rev().enumerate().map(|(at, run)| {
                let high = height(took(run), longest);
                html! {
                    <rect key={run.run_id.to_string()} class={look(run)} x={(at * STEP).to_string()} width={WIDTH.to_string()}
                        y={format!("{:.1}", HEIGHT - high)} height={format!("{high:.1}")} />
                }
            }) }
        </svg>
    }
}

fn took(run: &ScheduleRun) -> Option<i64> {
    Some(run.finished_at?.ms_since(run.created_at).max(0))
}

/// The longest is as high as there is room; one that is open is as high as the least.
fn height(took: Option<i64>, longest: i64) -> f64 {
    let share = took.map_or(0.0, |ms| ms as f64 / longest.max(1) as f64);
    LEAST + (HEIGHT - LEAST) * share
}

fn look(run: &ScheduleRun) -> &'static str {
    match (run.state, run.partial) {
        (RunState::Error, _) => "bad",
        (RunState::Completed, true) => "warn",
        (RunState::Planning | RunState::Queued | RunState::Running, _) => "live",
        (RunState::Completed | RunState::Cancelled, _) => "done",
    }
}

/// The main fact.
fn words(runs: &[ScheduleRun]) -> String {
    let bad = runs.iter().filter(|run| run.state == RunState::Error).count() as i64;
    let longest = runs.iter().filter_map(took).max();
    let mut said = format!("{}, {} in error", counted(runs.len() as i64, "run", "runs"), bad);
    if let Some(longest) = longest {
        said.push_str(&format!(", the longest took {}", duration(longest)));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::time::Micros;

    fn run(state: RunState, took_s: Option<i64>) -> ScheduleRun {
        ScheduleRun {
            run_id: "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap(),
            state,
            error_code: None,
            partial: false,
            created_at: Micros(0),
            finished_at: took_s.map(|s| Micros(0).plus_ms(s * 1_000)),
        }
    }

    #[test]
    fn the_longest_run_is_the_highest_bar_and_an_open_one_is_still_seen() {
        assert!((height(Some(60_000), 60_000) - HEIGHT).abs() < 1e-9);
        assert!((height(None, 60_000) - LEAST).abs() < 1e-9);
        assert!((height(Some(0), 0) - LEAST).abs() < 1e-9);
    }

    #[test]
    fn the_bars_say_their_main_fact_in_words() {
        let runs = [
            run(RunState::Running, None),
            run(RunState::Error, Some(90)),
            run(RunState::Completed, Some(30)),
        ];
        assert_eq!(words(&runs), "3 runs, 1 in error, the longest took 1 m 30 s");
        assert_eq!(look(&runs[1]), "bad");
    }
}
