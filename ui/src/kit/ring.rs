//! A ring that empties: the share that is left of something.

use super::tone::Tone;
use yew::prelude::*;

/// What a [`Ring`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RingProps {
    /// The share that is left, 0.0 to 1.0.
    pub share: f64,
    /// What is left, for assistive technology.
    pub label: AttrValue,
    /// Its colour.
    pub tone: Tone,
}

const RADIUS: f64 = 19.0;

/// A ring of 44 px.
#[component]
pub fn Ring(props: &RingProps) -> Html {
    let whole = std::f64::consts::TAU * RADIUS;
    let left = props.share.clamp(0.0, 1.0) * whole;
    html! {
        <svg class={classes!("ring", props.tone.class())} width="44" height="44" viewBox="0 0 44 44" role="img" aria-label={props.label.clone()}>
            <circle class="ring-whole" cx="22" cy="22" r={RADIUS.to_string()} />
            <circle class="ring-left" cx="22" cy="22" r={RADIUS.to_string()} transform="rotate(-90 22 22)"
                stroke-dasharray={format!("{left:.1} {:.1}", whole + 1.0)} />
        </svg>
    }
}
