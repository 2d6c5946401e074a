//! Times that stay true while they stand on the screen; all share one ticker.

use super::format;
use crate::clock::{running_end, use_now};
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`TimeAgo`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct TimeAgoProps {
    /// When it was.
    pub at: Micros,
}

/// `4 m 12 s ago`; the absolute time shows on hover and to assistive technology.
#[component]
pub fn TimeAgo(props: &TimeAgoProps) -> Html {
    let age = use_now().ms_since(props.at);
    time(props.at, format!("{} ago", format::duration(age)))
}

/// What an [`Elapsed`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ElapsedProps {
    /// When it began.
    pub from: Micros,
    /// When it ended; counts on while absent.
    #[prop_or_default]
    pub until: Option<Micros>,
}

/// How long something took or takes: `23 m 53 s`.
#[component]
pub fn Elapsed(props: &ElapsedProps) -> Html {
    let now = use_now();
    let length = props.until.unwrap_or_else(|| running_end(now)).ms_since(props.from);
    time(props.from, format::duration(length))
}

/// What a [`Countdown`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct CountdownProps {
    /// When it will be.
    pub until: Micros,
    /// What is said once it is over.
    #[prop_or(AttrValue::Static("now"))]
    pub over: AttrValue,
}

/// How long until something: `41 s`.
#[component]
pub fn Countdown(props: &CountdownProps) -> Html {
    let left = props.until.ms_since(use_now());
    let text = if left <= 0 { props.over.to_string() } else { format::duration(left) };
    time(props.until, text)
}

/// What a [`Clock`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ClockProps {
    /// When.
    pub at: Micros,
}

/// The time of day where it is today, else with its date.
#[component]
pub fn Clock(props: &ClockProps) -> Html {
    let now = use_now();
    html! { <span class="mono">{ time(props.at, format::clock_or_date(props.at, now)) }</span> }
}

fn time(at: Micros, text: String) -> Html {
    html! { <time datetime={at.to_string()} title={at.to_string()}>{ text }</time> }
}
