//! A failed segment once more: the button with its cooldown, and the dialog.

use super::segments::place;
use crate::api::Problem;
use crate::clock::use_now;
use crate::kit::{Button, Countdown};
use crate::parts::ReasonDialog;
use crate::store::{use_api, use_session, use_toasts};
use stella_contract::feature::Feature;
use stella_contract::job::Cause;
use stella_contract::run::RunState;
use stella_contract::scope::Scope;
use stella_contract::segment::{Segment, SegmentState, retry_refusal};
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`RetrySegment`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct RetrySegmentProps {
    /// The segment.
    pub segment: Segment,
    /// Where its run stands.
    pub run: RunState,
    /// Told that the operator wants it.
    pub on_ask: Callback<Segment>,
}

/// What stands in the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Nothing failed.
    Nothing,
    /// It may be retried.
    Ready,
    /// It rests until then.
    Resting(Micros),
    /// It cannot be, and why.
    Refused(&'static str),
}

fn stand(segment: &Segment, run: RunState, now: Micros) -> Stand {
    if segment.state != SegmentState::Failed {
        return Stand::Nothing;
    }
    match (retry_refusal(segment.state, run, segment.retry_count), segment.cooldown_until) {
        (Some(why), _) => Stand::Refused(why),
        (None, Some(until)) if until > now => Stand::Resting(until),
        (None, _) => Stand::Ready,
    }
}

/// The button of a failed segment; while it rests, how long yet.
#[component]
pub(super) fn RetrySegment(props: &RetrySegmentProps) -> Html {
    // A rest ends by the clock alone; nothing comes from the core then.
    let now = use_now();
    let session = use_session();
    let on_click = {
        let (segment, on_ask) = (props.segment.clone(), props.on_ask.clone());
        Callback::from(move |()| on_ask.emit(segment.clone()))
    };
    let refusal =
        session.off(Feature::Retry).or_else(|| session.refusal(Scope::RunsManage)).map(AttrValue::from);
    match stand(&props.segment, props.run, now) {
        Stand::Nothing => html! { <span class="f3">{ "none" }</span> },
        Stand::Ready => html! {
            <Button small={true} disabled={refusal} says_why={false} {on_click}>{ "Retry…" }</Button>
        },
        Stand::Resting(until) => html! { <span class="f2 sm">{ "rests " }<Countdown {until} /></span> },
        Stand::Refused(why) => html! { <span class="f3 sm cut" title={why}>{ why }</span> },
    }
}

/// What a [`RetrySegmentDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct RetrySegmentDialogProps {
    /// The segment.
    pub segment: Segment,
    /// Told that it was done.
    pub on_done: Callback<()>,
    /// Left.
    pub on_close: Callback<()>,
}

/// Asks once, with a reason.
#[component]
pub(super) fn RetrySegmentDialog(props: &RetrySegmentDialogProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let segment = &props.segment;
    let on_confirm = {
        let (busy, problem, props) = (busy.clone(), problem.clone(), props.clone());
        Callback::from(move |cause: Cause| {
            let (api, toasts, busy, problem, props) =
                (api.clone(), toasts.clone(), busy.clone(), problem.clone(), props.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.retry_segment(&props.segment.segment_id, &cause).await {
                    Ok(_) => {
                        toasts.done("Segment started again", html! { { place(&props.segment) } });
                        props.on_done.emit(());
                        props.on_close.emit(());
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    let cli: Vec<AttrValue> =
        ["runs", "retry", segment.run_id.as_str(), "--segment", segment.segment_id.as_str()]
            .map(|word| AttrValue::from(word.to_owned()))
            .to_vec();
    html! {
        <ReasonDialog title="Retry segment" subject={segment.segment_id.to_string()} scope={Scope::RunsManage} verb="Retry segment"
            {cli} busy={*busy} problem={(*problem).clone()} {on_confirm} on_close={props.on_close.clone()}>
            { format!(
                "Another job evaluates the {} targets of segment {} once more, retry {} of at most {}. The run waits for it.",
                segment.target_count, place(segment), segment.retry_count + 1, stella_contract::segment::RETRIES_MOST
            ) }
        </ReasonDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(retry_count: i32) -> Segment {
        serde_json::from_value(serde_json::json!({
            "segmentId": "seg_01890000-0000-7000-8000-000000000000", "runId": "run:acme:20261121T140815Z:9c1f04ab",
            "shard": 0, "ordinal": 1, "state": "failed", "targetCount": 50, "processed": 0, "failedTargets": 50,
            "attempt": 1, "retryCount": retry_count, "deltas": {}, "cooldownUntil": "2026-11-21T14:09:15.000Z",
            "jobId": "job_01890000-0000-7000-8000-000000000000" }))
        .unwrap()
    }

    #[test]
    fn a_failed_segment_rests_then_may_be_retried_and_at_last_says_why_not() {
        let until = Micros::parse("2026-11-21T14:09:15.000Z").unwrap();
        let running = RunState::Running;
        assert_eq!(stand(&failed(0), running, until.minus_ms(1)), Stand::Resting(until));
        assert_eq!(stand(&failed(0), running, until), Stand::Ready);
        assert!(
            matches!(stand(&failed(5), running, until), Stand::Refused(why) if why.contains("five times"))
        );
        assert!(
            matches!(stand(&failed(0), RunState::Completed, until), Stand::Refused(why) if why.contains("ended"))
        );
        let well = Segment { state: SegmentState::Succeeded, ..failed(0) };
        assert_eq!(stand(&well, running, until), Stand::Nothing);
    }
}
