//! Dialogs on the browser's own `<dialog>`: it traps the focus, and the focus goes back where it came from.

use super::css::use_element_id;
use super::icon::{Icon, IconSize, Shape};
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// How wide a dialog is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DialogSize {
    /// 520, for a form.
    Form,
    /// 640, for a confirmation.
    #[default]
    Confirm,
    /// 720, for a dry run.
    Wide,
    /// 960, for a form beside what it comes to.
    Sheet,
}

impl DialogSize {
    const fn class(self) -> &'static str {
        match self {
            Self::Form => "w-form",
            Self::Confirm => "w-confirm",
            Self::Wide => "w-wide",
            Self::Sheet => "w-sheet",
        }
    }
}

/// What a [`Dialog`] takes. It is open as long as it is mounted.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct DialogProps {
    /// What it is about.
    pub title: AttrValue,
    /// The id of the thing, in the fixed-width face.
    #[prop_or_default]
    pub subject: Option<AttrValue>,
    /// How wide.
    #[prop_or_default]
    pub size: DialogSize,
    /// Parts, each a `<div class="in">`.
    pub children: Html,
    /// Verbs, at the foot.
    #[prop_or_default]
    pub footer: Html,
    /// Asked to close: Esc or the cross.
    pub on_close: Callback<()>,
    /// Asked to go on: Ctrl Enter.
    #[prop_or_default]
    pub on_confirm: Option<Callback<()>>,
    /// More classes.
    #[prop_or_default]
    pub class: Classes,
}

/// A layer above the page that must be answered or left.
#[component]
pub fn Dialog(props: &DialogProps) -> Html {
    let node = use_node_ref();
    let title = use_element_id("dialog");
    use_modal(node.clone());
    let on_cancel = props.on_close.reform(|event: Event| event.prevent_default());
    let on_key = {
        let confirm = props.on_confirm.clone();
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            if let ("Enter", true, Some(confirm)) =
                (event.key().as_str(), event.ctrl_key() || event.meta_key(), &confirm)
            {
                event.prevent_default();
                confirm.emit(());
            }
        })
    };
    html! {
        <dialog ref={node} class={classes!("dialog", "on-raised", props.size.class(), props.class.clone())}
            aria-labelledby={title.clone()} oncancel={on_cancel} onkeydown={on_key}>
            <header>
                <h1 id={title}>{ &props.title }</h1>
                if let Some(subject) = &props.subject { <span class="mono f3 sm cut">{ subject }</span> }
                <span class="grow"></span>
                <button type="button" class="btn ghost icon sm" aria-label="Close" onclick={props.on_close.reform(|_| ())}>
                    <Icon shape={Shape::Cross} size={IconSize::Small} />
                </button>
            </header>
            { props.children.clone() }
            if props.footer != Html::default() { <footer>{ props.footer.clone() }</footer> }
        </dialog>
    }
}

/// Opens a `<dialog>` over the page while it is mounted and gives the focus back afterwards.
#[hook]
pub fn use_modal(node: NodeRef) {
    use_effect_with((), move |()| {
        let before = focused();
        let dialog = node.cast::<web_sys::HtmlDialogElement>();
        if let Some(dialog) = &dialog {
            // Refused only when it is open already, which is what is wanted.
            let _ = dialog.show_modal();
            focus_first(dialog);
        }
        move || {
            if let Some(dialog) = dialog {
                dialog.close();
            }
            if let Some(element) = before {
                // The element may be gone by now; the page then keeps the focus.
                let _ = element.focus();
            }
        }
    });
}

/// The element that has the focus now.
pub fn focused() -> Option<web_sys::HtmlElement> {
    web_sys::window()?.document()?.active_element()?.dyn_into().ok()
}

/// Prefers the first field, else the safe verb, to the cross in the head.
fn focus_first(dialog: &web_sys::HtmlDialogElement) {
    for wanted in ["[data-focus]", "input:not([readonly]), textarea, select", "footer button:not([disabled])"]
    {
        let found = dialog.query_selector(wanted).ok().flatten();
        if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
            // A hidden element does not take the focus; the dialog then keeps it.
            let _ = element.focus();
            return;
        }
    }
}
