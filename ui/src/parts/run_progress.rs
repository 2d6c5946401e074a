//! How far a run is: a bar with its share in a table, its phases on its own page.

use crate::kit::{Meter, Phase, PhaseState, ProgressSegments, Tone, format};
use stella_contract::run::{Run, RunState};
use yew::prelude::*;

/// What a [`RunProgress`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RunProgressProps {
    /// The run.
    pub run: Run,
}

/// Share, count and bar; `total not known` while planning.
#[component]
pub fn RunProgress(props: &RunProgressProps) -> Html {
    let run = &props.run;
    let Some(percent) = run.percent() else {
        return html! { <span class="f2 sm">{ "total not known" }</span> };
    };
    let tone = match run.state {
        RunState::Planning | RunState::Queued => Tone::Idle,
        RunState::Running => Tone::Live,
        RunState::Completed if run.is_partial() => Tone::Warn,
        RunState::Completed => Tone::Ok,
        RunState::Cancelled => Tone::Idle,
        RunState::Error => Tone::Bad,
    };
    html! {
        <span class="run-progress">
            <span class="row sm">
                <span class="b">{ format!("{percent:.1}%") }</span><span class="grow"></span>
                <span class="f3 xs">{ format!("{} / {}", format::count(run.processed), format::count(run.candidates)) }</span>
            </span>
            <Meter share={percent / 100.0} label="targets evaluated" {tone} />
        </span>
    }
}

/// What a [`RunPhases`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RunPhasesProps {
    /// The run.
    pub run: Run,
}

/// Planner, queue, execution and post-processing side by side.
#[component]
pub fn RunPhases(props: &RunPhasesProps) -> Html {
    let run = &props.run;
    let label = match run.percent() {
        Some(percent) => format!("{}, {percent:.1}% of {} targets", run.state, format::count(run.candidates)),
        None => format!("{}, total not known", run.state),
    };
    html! { <ProgressSegments {label} phases={phases(run)} /> }
}

/// The four phases of a run and how far each is, from its times alone.
pub fn phases(run: &Run) -> Vec<Phase> {
    let ended = run.finished_at.is_some();
    let failed = run.state == RunState::Error;
    let share = |count: i64| if run.candidates > 0 { count as f64 / run.candidates as f64 } else { 0.0 };
    let of = |begun: bool, done: bool, live: PhaseState| match (begun, done) {
        (_, true) => PhaseState::Done { failed: 0.0 },
        (true, false) if failed => PhaseState::Failed,
        (true, false) if ended => PhaseState::Waiting,
        (true, false) => live,
        (false, false) => PhaseState::Waiting,
    };
    let live = PhaseState::Live { done: 0.5, failed: 0.0 };
    let planned = run.planned_at.is_some();
    let started = run.started_at.is_some();
    let executed = run.executed_at.is_some();
    let execution = match of(
        started,
        executed,
        PhaseState::Live { done: share(run.processed), failed: share(run.failed) },
    ) {
        PhaseState::Done { .. } => PhaseState::Done { failed: share(run.failed) },
        other => other,
    };
    let post = executed && run.state == RunState::Completed;
    vec![
        Phase { label: "planner".into(), weight: 0.12, state: of(true, planned, live) },
        Phase { label: "queue".into(), weight: 0.12, state: of(planned, started, live) },
        Phase { label: "execution".into(), weight: 1.0, state: execution },
        Phase { label: "post-processing".into(), weight: 0.14, state: of(executed, post, live) },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(patch: serde_json::Value) -> Run {
        let mut value = serde_json::json!({
            "runId": "run:acme:20261121T140815Z:9c1f04ab", "tenant": "acme", "trigger": "manual",
            "initiator": "op", "mode": "analysis-only", "scope": {"kind": "all"}, "scopeDigest": "d",
            "state": "planning", "plannerShardCount": 8, "impactIndexGeneration": 1, "candidates": 0,
            "processed": 0, "failed": 0, "segments": {}, "deltas": {}, "findings": 0, "kevFirst": false,
            "badges": [], "correlationId": "c", "createdAt": "2026-11-21T14:08:15.000Z", "version": 1
        });
        if let (Some(target), Some(patch)) = (value.as_object_mut(), patch.as_object()) {
            target.extend(patch.clone());
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_the_phase_at_work_is_live_and_later_ones_wait() {
        let states = |run: &Run| phases(run).into_iter().map(|phase| phase.state).collect::<Vec<_>>();
        let planning = states(&run(serde_json::json!({})));
        assert!(matches!(planning[0], PhaseState::Live { .. }));
        assert!(planning[1..].iter().all(|state| *state == PhaseState::Waiting));

        let running = states(&run(serde_json::json!({
            "state": "running", "candidates": 100, "processed": 60, "failed": 5,
            "plannedAt": "2026-11-21T14:09:00.000Z", "startedAt": "2026-11-21T14:10:00.000Z"
        })));
        assert_eq!(running[2], PhaseState::Live { done: 0.6, failed: 0.05 });
        assert_eq!(running[3], PhaseState::Waiting);

        let refused = states(&run(serde_json::json!({
            "state": "error", "finishedAt": "2026-11-21T14:09:00.000Z"
        })));
        assert_eq!(refused[0], PhaseState::Failed);
    }
}
