//! The segments of a run, by shard and place.

use super::segment_retry::{RetrySegment, RetrySegmentDialog};
use crate::kit::format::{count, short_id};
use crate::kit::{Column, Empty, Lines, Shape, Table, TableBody, Width};
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
        <Table label="Segments" body={TableBody::new(list.state.rows.clone(), key_of, columns)} lines={Lines::Two} main={false}
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
        Column::new("state", "Segment", Width::Fixed(108), state),
        Column::new("targets", "Targets", Width::Fixed(76), targets).at_end(),
        Column::new("executor", "Executor, job", Width::Fixed(116), executor),
        Column::new("reason", "Reason, retry", Width::Share(1, 116), move |one: &Segment| {
            html! {
                <span class="two-lines"><span class="cut">{ reason(one) }</span>
                    if one.state == SegmentState::Failed { <RetrySegment segment={one.clone()} {run} on_ask={ask.clone()} /> }</span>
            }
        }),
    ]
}

fn state(one: &Segment) -> Html {
    html! {
        <span class="two-lines"><StateBadge<SegmentState> state={one.state} />
            <span class="mono f3 sm" title={one.segment_id.to_string()}>{ place(one) }</span></span>
    }
}

fn targets(one: &Segment) -> Html {
    let tries = match one.retry_count {
        0 => format!("try {}", one.attempt),
        retries => format!("try {}, retry {retries}", one.attempt),
    };
    html! {
        <span class="two-lines"><span>{ format!("{} / {}", count(one.processed), count(one.target_count)) }</span><span class="f3 sm nw">{ tries }</span></span>
    }
}

/// Shard and place: `2.6`.
pub(super) fn place(segment: &Segment) -> String {
    format!("{}.{}", segment.shard, segment.ordinal)
}

fn executor(one: &Segment) -> Html {
    let who = match &one.executor {
        Some(id) => html! { <span class="mono cut" title={id.to_string()}>{ short_id(id.as_str()) }</span> },
        None => html! { <span class="f3">{ "none" }</span> },
    };
    html! { <span class="two-lines">{ who }<span class="sm"><JobLink id={one.job_id.clone()} /></span></span> }
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
