//! Why a job waits: shape, the API's word, and what it waits for.

use crate::kit::{Clock, Countdown, Icon, IconSize, Shape, Tone};
use stella_contract::job::{Job, WaitReason as Reason};
use stella_contract::time::Micros;
use yew::prelude::*;

/// The shape and colour of a reason.
pub const fn look(reason: Reason) -> (Shape, Tone) {
    match reason {
        Reason::Dependency => (Shape::DashedRing, Tone::Idle),
        Reason::UpstreamFailed => (Shape::OctagonCross, Tone::Bad),
        Reason::NotBefore => (Shape::Clock, Tone::Idle),
        Reason::Backoff | Reason::QuotaMaxActive | Reason::QuotaMaxPerHour => (Shape::Hourglass, Tone::Warn),
        Reason::RateLimited => (Shape::Gauge, Tone::Warn),
        Reason::BreakerOpen => (Shape::ContactOpen, Tone::Bad),
        Reason::Blackout => (Shape::Crescent, Tone::Warn),
        Reason::Backpressure => (Shape::Triangle, Tone::Warn),
        Reason::Paused => (Shape::RingBars, Tone::Idle),
    }
}

/// What a reason means, in words.
pub const fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::Dependency => "an upstream job has not ended",
        Reason::UpstreamFailed => "an upstream job failed",
        Reason::NotBefore => "its time has not come",
        Reason::Backoff => "it failed and waits to be tried again",
        Reason::QuotaMaxActive => "as many as allowed are at work",
        Reason::QuotaMaxPerHour => "as many as allowed ran this hour",
        Reason::RateLimited => "the host asked to be called less often",
        Reason::BreakerOpen => "the host failed too often and is left alone",
        Reason::Blackout => "a blackout is on",
        Reason::Backpressure => "the queue is too deep",
        Reason::Paused => "it is paused",
    }
}

/// What a [`WaitReason`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct WaitReasonProps {
    /// The reason.
    pub reason: Reason,
}

/// Shape and word of a reason.
#[component]
pub fn WaitReason(props: &WaitReasonProps) -> Html {
    let (shape, tone) = look(props.reason);
    html! {
        <span class={classes!("st", tone.class())} title={meaning(props.reason)}>
            <Icon {shape} size={IconSize::Small} /><span class="mono">{ props.reason.as_str() }</span>
        </span>
    }
}

/// What a [`WaitDetail`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct WaitDetailProps {
    /// The job that waits.
    pub job: Job,
}

/// What a job waits for, with the seconds where they are known. A queued one waits when a limit holds it.
#[component]
pub fn WaitDetail(props: &WaitDetailProps) -> Html {
    let job = &props.job;
    let Some(reason) = job.wait_reason else {
        return html! { <span class="f3 sm">{ "none" }</span> };
    };
    let until: Option<Micros> = job.next_eligible_at.or(job.not_before);
    match (reason, until) {
        (Reason::NotBefore, Some(at)) => html! { <>{ "at " }<Clock {at} /></> },
        (_, Some(until)) => html! { <>{ "eligible in " }<Countdown {until} over="a moment" /></> },
        (_, None) => html! { { meaning(reason) } },
    }
}
