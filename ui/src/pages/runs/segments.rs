//! The segments of a run, by shard and place.

use super::segment_retry::{RetrySegment, RetrySegmentDialog};
use crate::kit::format::{count, short_id};
use crate::kit::{Column, Empty, Shape, Table, TableBody, Width};
use crate::pages::listing::{foot, listing};
use crate::parts::{JobLink, RunCode, StateBadge};
use crate::store::{Watch, use_list};
use stella_contract::run::{Run, RunErrorCode, RunState};
use stella_contract::segment::{Segment, SegmentState};
use yew::prelude::*;

/// What [`Segments`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct SegmentsProps {
    /// The run.
    pub run: Run,
}

/// The segments.
#[component]
pub(super) fn Segments(props: &SegmentsProps) -> Html {
    let id = props.run.run_id.clone();
    let held = use_state_eq(|| false);
    let list = use_list(
        format!("segments {id}"),
        Watch::of(&["run", "segment"]).only(&id),
        *held,
        move |api, page| {
            let id = id.clone();
            async move { api.segments(&id, &page).await }
        },
    );
    let asking = use_state(|| None::<Segment>);
    let ask = {
        let asking = asking.clone();
        Callback::from(move |segment: Segment| asking.set(Some(segment)))
    };
    let close = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let columns = use_memo(props.run.state, |state| columns(*state, ask));
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let nothing = html! { <Empty icon={Shape::DashedRing} fact="No segments">{ "The planner has not cut any, or there was nothing to do." }</Empty> };
    let table = html! {
        <Table label="Segments" body={TableBody::new(list.state.rows.clone(), key_of, columns)} main={false}
            total={list.state.total} on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    html! {
        <>
            <div class="list side-list">{ listing("Segments", &list, nothing, table) }{ foot(&list, Html::default()) }</div>
            if let Some(segment) = &*asking {
                <RetrySegmentDialog segment={segment.clone()} on_done={list.reload.clone()} on_close={close} />
            }
        </>
    }
}

fn key_of(segment: &Segment) -> String {
    segment.segment_id.to_string()
}

fn columns(run: RunState, ask: Callback<Segment>) -> Vec<Column<Segment>> {
    vec![
        Column::new(
            "state",
            "State",
            Width::Fixed(96),
            |one: &Segment| html! { <StateBadge<SegmentState> state={one.state} /> },
        ),
        Column::new(
            "place",
            "Place",
            Width::Fixed(48),
            |one: &Segment| html! { <span class="mono" title={one.segment_id.to_string()}>{ place(one) }</span> },
        ),
        Column::new(
            "targets",
            "Targets",
            Width::Fixed(72),
            |one: &Segment| html! { { format!("{} / {}", count(one.processed), count(one.target_count)) } },
        )
        .at_end(),
        Column::new("tries", "Tries", Width::Fixed(40), |one: &Segment| html! { { one.attempt } }).at_end(),
        Column::new(
            "job",
            "Job",
            Width::Fixed(112),
            |one: &Segment| html! { <JobLink id={one.job_id.clone()} /> },
        ),
        Column::new("executor", "Executor", Width::Fixed(120), executor).drops_below(560),
        Column::new("reason", "Reason", Width::Share(1, 60), reason),
        Column::new("retry", "Retry", Width::Fixed(96), move |one: &Segment| {
            html! { <RetrySegment segment={one.clone()} {run} on_ask={ask.clone()} /> }
        }),
    ]
}

/// Shard and place: `2.6`.
pub(super) fn place(segment: &Segment) -> String {
    format!("{}.{}", segment.shard, segment.ordinal)
}

fn executor(one: &Segment) -> Html {
    match &one.executor {
        Some(id) => html! { <span class="mono" title={id.to_string()}>{ short_id(id.as_str()) }</span> },
        None => html! { <span class="f3">{ "none" }</span> },
    }
}

/// The code of a segment: one of runs leads to the runbook, one of its job stands as it is.
fn code_of(code: &str) -> Html {
    match code.parse::<RunErrorCode>() {
        Ok(code) => html! { <RunCode {code} /> },
        Err(_) => html! { <span class="mono">{ code.to_owned() }</span> },
    }
}

fn reason(one: &Segment) -> Html {
    match (&one.reason, &one.error_code) {
        (Some(reason), code) => {
            html! { <span title={reason.clone()}>{ code.as_deref().map(code_of) }{ " " }{ reason }</span> }
        }
        (None, Some(code)) => code_of(code),
        (None, None) => html! { <span class="f3">{ "none" }</span> },
    }
}
