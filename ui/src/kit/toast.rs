//! Toasts: the result of your own action, and nothing else. F6 moves to them.

use super::icon::{Icon, IconSize, Shape};
use super::tone::Tone;
use yew::prelude::*;

/// One toast.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    /// Tells it from the others.
    pub id: u32,
    /// `Ok` goes by itself, `Bad` stays until it is closed.
    pub tone: Tone,
    /// What happened.
    pub fact: AttrValue,
    /// What else there is to say.
    pub detail: Html,
}

/// What a [`ToastHost`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ToastHostProps {
    /// Those to show, oldest first.
    pub toasts: Vec<Toast>,
    /// Asked to close one.
    pub on_close: Callback<u32>,
}

/// Where toasts appear; mounted once.
#[component]
pub fn ToastHost(props: &ToastHostProps) -> Html {
    html! {
        <section class="toasts" role="region" aria-label="Results" aria-live="polite" tabindex="-1">
            { for props.toasts.iter().map(|toast| {
                let id = toast.id;
                let shape = if toast.tone == Tone::Bad { Shape::OctagonCross } else { Shape::DiscCheck };
                html! {
                    <div class="toast on-raised" key={id.to_string()} role={if toast.tone == Tone::Bad { "alert" } else { "status" }}>
                        <span class={toast.tone.class()}><Icon {shape} size={IconSize::Small} /></span>
                        <div class="grow"><div>{ &toast.fact }</div><div class="sm f2">{ toast.detail.clone() }</div></div>
                        <button type="button" class="btn ghost icon sm" aria-label="Close"
                            onclick={props.on_close.reform(move |_| id)}>
                            <Icon shape={Shape::Cross} size={IconSize::Small} />
                        </button>
                    </div>
                }
            }) }
        </section>
    }
}
