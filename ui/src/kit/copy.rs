//! Things to copy: a command line, an id.

use super::icon::{Icon, IconSize, Shape};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

/// Puts text on the clipboard; does nothing where there is none.
pub fn copy_text(text: &str) {
    let Some(window) = web_sys::window() else { return };
    let promise = window.navigator().clipboard().write_text(text);
    wasm_bindgen_futures::spawn_local(async move {
        // Refused without permission; the text stands on the screen and can be marked by hand.
        let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
    });
}

/// Whether something was copied in the last two seconds, and how to copy it.
#[hook]
pub fn use_copy(text: AttrValue) -> (bool, Callback<()>) {
    let copied = use_state_eq(|| false);
    let timer = use_mut_ref(|| None::<Timeout>);
    let copy = {
        let set = copied.setter();
        Callback::from(move |()| {
            copy_text(&text);
            set.set(true);
            let set = set.clone();
            *timer.borrow_mut() = Some(Timeout::new(2_000, move || set.set(false)));
        })
    };
    (*copied, copy)
}

/// What a [`CommandLine`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct CommandLineProps {
    /// The command, in one line.
    pub command: AttrValue,
}

/// The command line that does the same, with a copy button.
#[component]
pub fn CommandLine(props: &CommandLineProps) -> Html {
    let (copied, copy) = use_copy(props.command.clone());
    html! {
        <div class="cli">
            <Icon shape={Shape::Terminal} size={IconSize::Small} />
            <span class="cut" title={props.command.clone()}>{ &props.command }</span>
            <CopyButton {copied} {copy} label="Copy command" />
        </div>
    }
}

/// What a [`CopyId`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct CopyIdProps {
    /// What is copied.
    pub text: AttrValue,
    /// What is shown instead; an empty text shows the button only.
    #[prop_or_default]
    pub shown: Option<AttrValue>,
}

/// An id with a copy button.
#[component]
pub fn CopyId(props: &CopyIdProps) -> Html {
    let (copied, copy) = use_copy(props.text.clone());
    let shown = props.shown.clone().unwrap_or_else(|| props.text.clone());
    html! {
        <span class="copy-id">
            if !shown.is_empty() { <span class="mono cut" title={props.text.clone()}>{ shown }</span> }
            <CopyButton {copied} {copy} label={format!("Copy {}", props.text)} />
        </span>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct CopyButtonProps {
    copied: bool,
    copy: Callback<()>,
    label: AttrValue,
}

#[component]
fn CopyButton(props: &CopyButtonProps) -> Html {
    let on_click = props.copy.reform(|event: MouseEvent| event.stop_propagation());
    html! {
        <>
            <button type="button" class="btn ghost icon sm" aria-label={props.label.clone()} title="Copy" onclick={on_click}>
                <Icon shape={if props.copied { Shape::Check } else { Shape::Copy }} size={IconSize::Tiny} />
            </button>
            <span class={if props.copied { "f2 sm copied" } else { "vh" }} role="status">
                { if props.copied { "copied" } else { "" } }
            </span>
        </>
    }
}
