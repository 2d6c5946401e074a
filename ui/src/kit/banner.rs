//! A banner: a bold fact, what follows from it, one way on.

use super::icon::{Icon, Shape};
use super::tone::Tone;
use yew::prelude::*;

/// What a [`Banner`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct BannerProps {
    /// How it is meant.
    pub tone: Tone,
    /// Another shape than the tone's own.
    #[prop_or_default]
    pub icon: Option<Shape>,
    /// The fact, with its full stop.
    pub fact: AttrValue,
    /// What follows from it.
    #[prop_or_default]
    pub children: Html,
    /// One link or button, at the right.
    #[prop_or_default]
    pub action: Html,
}

/// One line over the page.
#[component]
pub fn Banner(props: &BannerProps) -> Html {
    let shape = props.icon.unwrap_or(match props.tone {
        Tone::Idle => Shape::Lock,
        Tone::Live => Shape::Loop,
        Tone::Ok => Shape::DiscCheck,
        Tone::Warn => Shape::Triangle,
        Tone::Bad => Shape::OctagonCross,
    });
    let role = if props.tone == Tone::Bad { "alert" } else { "status" };
    html! {
        <div class={classes!("banner", props.tone.class())} {role}>
            <Icon {shape} />
            <span class="t"><b>{ &props.fact }</b>{ " " }<span class="f2">{ props.children.clone() }</span></span>
            <span class="grow"></span>
            { props.action.clone() }
        </div>
    }
}
