//! What stands where there is nothing, or nothing yet.

use super::icon::{Icon, Shape};
use super::tone::Tone;
use yew::prelude::*;

/// What an [`Empty`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct EmptyProps {
    /// A shape before the fact.
    pub icon: Shape,
    /// Its colour.
    #[prop_or_default]
    pub tone: Tone,
    /// What is empty.
    pub fact: AttrValue,
    /// Why, in one sentence.
    #[prop_or_default]
    pub children: Html,
    /// One or two verbs.
    #[prop_or_default]
    pub actions: Html,
}

/// Nothing here: the fact, the reason, what to do.
#[component]
pub fn Empty(props: &EmptyProps) -> Html {
    html! {
        <div class="empty">
            <span class={props.tone.class()}><Icon shape={props.icon} /></span>
            <div class="col">
                <h2>{ &props.fact }</h2>
                <p class="f2">{ props.children.clone() }</p>
                if props.actions != Html::default() { <div class="row acts">{ props.actions.clone() }</div> }
            </div>
        </div>
    }
}

/// What a [`Skeleton`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SkeletonProps {
    /// How many rows.
    #[prop_or(5)]
    pub rows: usize,
}

/// Grey bars while the first answer is awaited; they appear after 300 ms only.
#[component]
pub fn Skeleton(props: &SkeletonProps) -> Html {
    html! {
        <div class="skels late" role="status" aria-label="Loading">
            { for (0..props.rows).map(|at| html! {
                <div class="skel-row" key={at}>
                    <span class={classes!("skel", WIDTHS[at % WIDTHS.len()])}></span>
                    <span class={classes!("skel", WIDTHS[(at + 2) % WIDTHS.len()])}></span>
                    <span class={classes!("skel", WIDTHS[(at + 1) % WIDTHS.len()])}></span>
                </div>
            }) }
        </div>
    }
}

const WIDTHS: [&str; 3] = ["w-a", "w-b", "w-c"];
