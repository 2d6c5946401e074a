//! How bad a finding is, and whether it is known to be exploited.

use super::state_badge::mark;
use crate::kit::{Shape, Tag, Tone};
use stella_contract::finding::Severity as Level;
use yew::prelude::*;

/// The shape and colour of a severity.
pub const fn look(level: Level) -> (Shape, Tone) {
    match level {
        Level::Critical => (Shape::OctagonCross, Tone::Bad),
        Level::High => (Shape::Triangle, Tone::Bad),
        Level::Medium => (Shape::Triangle, Tone::Warn),
        Level::Low => (Shape::RingDot, Tone::Idle),
        Level::Unknown => (Shape::DashedRing, Tone::Idle),
    }
}

/// What a [`Severity`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SeverityProps {
    /// How bad.
    pub level: Level,
}

/// Shape and word of a severity.
#[component]
pub fn Severity(props: &SeverityProps) -> Html {
    let (shape, tone) = look(props.level);
    mark(shape, tone, props.level.as_str(), false, false)
}

/// The mark of a vulnerability that is known to be exploited.
#[component]
pub fn KevTag() -> Html {
    html! { <Tag icon={Shape::Bolt}>{ "KEV" }</Tag> }
}
