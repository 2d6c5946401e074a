//! Marks beside a run's id.

use crate::kit::{Shape, Tag};
use stella_contract::run::RunBadge;
use yew::prelude::*;

/// What [`RunBadges`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RunBadgesProps {
    /// The marks.
    pub badges: Vec<RunBadge>,
}

/// A tag per mark.
#[component]
pub fn RunBadges(props: &RunBadgesProps) -> Html {
    html! {
        <>{ for props.badges.iter().map(|badge| html! {
            <Tag key={badge.as_str()} icon={shape(*badge)}>{ badge.as_str() }</Tag>
        }) }</>
    }
}

const fn shape(badge: RunBadge) -> Shape {
    match badge {
        RunBadge::KevFirst => Shape::Bolt,
        RunBadge::ContentRefresh | RunBadge::Retry => Shape::Refresh,
        RunBadge::PolicyFollowUp => Shape::Flag,
        RunBadge::Partial => Shape::HalfRing,
        RunBadge::StaleIndex => Shape::RingClock,
        RunBadge::NoWork => Shape::Dash,
    }
}
