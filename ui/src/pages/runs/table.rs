//! The columns of the runs table: two lines a run.

use crate::kit::{Column, Elapsed, Width};
use crate::parts::{DeltasText, RunBadges, RunCode, RunLink, RunProgress, RunStateBadge};
use crate::router::Query;
use stella_contract::run::{Run, RunMode};
use yew::prelude::*;

/// What tells a run from the others.
pub(super) fn key_of(run: &Run) -> String {
    run.run_id.to_string()
}

/// The columns; a row's id keeps the filters of the list it stands in.
pub(super) fn columns(query: Query) -> Vec<Column<Run>> {
    vec![
        Column::new("id", "Run ID", Width::Share(3, 288), move |run: &Run| name(run, &query)),
        Column::new(
            "trigger",
            "Trigger",
            Width::Fixed(112),
            |run: &Run| html! { <span title={set_off(run)}>{ run.trigger.as_str() }</span> },
        )
        .drops_below(720),
        Column::new("state", "State", Width::Fixed(102), state),
        Column::new(
            "progress",
            "Progress",
            Width::Fixed(138),
            |run: &Run| html! { <RunProgress run={run.clone()} /> },
        ),
        Column::new(
            "duration",
            "Duration",
            Width::Fixed(84),
            |run: &Run| html! { <Elapsed from={run.created_at} until={run.finished_at} /> },
        )
        .at_end()
        .drops_below(800),
        Column::new("deltas", "Deltas", Width::Share(2, 108), deltas).drops_below(600),
    ]
}

fn name(run: &Run, query: &Query) -> Html {
    html! {
        <span class="run-name">
            <span class="cut"><RunLink id={run.run_id.clone()} query={query.clone()} /></span>
            <span class="row sm">
                <span class="cut f2" title={detail(run)}>{ detail(run) }</span>
                <RunBadges badges={run.badges.clone()} />
            </span>
        </span>
    }
}

/// What set it off and for what, in a row's width.
pub(super) fn detail(run: &Run) -> String {
    let asked = match (&run.trigger_detail, &run.ticket) {
        (Some(detail), _) => detail.clone(),
        (None, Some(ticket)) => format!("{}, {ticket}", run.initiator),
        (None, None) => run.initiator.clone(),
    };
    let scope = run.scope.to_string();
    match run.mode {
        RunMode::AnalysisOnly => format!("{asked}, {scope}"),
        RunMode::ContentRefresh => format!("{asked}, {scope}, refreshed"),
    }
}

/// What set it off, which schedule or event, and who asked.
fn set_off(run: &Run) -> String {
    let detail = run.trigger_detail.as_ref().map(|detail| format!(", {detail}")).unwrap_or_default();
    format!("{}{detail}; asked for by {}", run.trigger, run.initiator)
}

fn state(run: &Run) -> Html {
    html! {
        <span class="run-state">
            <RunStateBadge run={run.clone()} />
            if let Some(code) = run.error_code {
                <RunCode {code} />
            }
        </span>
    }
}

fn deltas(run: &Run) -> Html {
    html! { <DeltasText deltas={run.deltas} run={run.run_id.clone()} open={!run.state.is_final()} /> }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run of a test, with some of its fields given.
    pub(in crate::pages::runs) fn run(patch: serde_json::Value) -> Run {
        let mut value = serde_json::json!({
            "runId": "run:acme:20261121T140815Z:9c1f04ab", "tenant": "acme", "trigger": "manual",
            "initiator": "operator-2", "mode": "analysis-only", "scope": {"kind": "all"}, "scopeDigest": "d",
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
    fn a_row_says_what_set_the_run_off() {
        assert_eq!(detail(&run(serde_json::json!({ "ticket": "OPS-4418" }))), "operator-2, OPS-4418, all");
        let event = serde_json::json!({ "trigger": "concelier", "triggerDetail": "event 7741, 214 advisories",
            "scope": { "kind": "keys", "purls": ["pkg:npm/a"], "vulnIds": [] }, "mode": "content-refresh" });
        assert_eq!(
            set_off(&run(event.clone())),
            "concelier, event 7741, 214 advisories; asked for by operator-2"
        );
        assert_eq!(detail(&run(event)), "event 7741, 214 advisories, 1 key, refreshed");
    }
}
