//! The drawer beside a list: an object without leaving the list. Esc closes it and the focus goes back to the row.

use super::dialog::focused;
use super::icon::{Icon, IconSize, Shape};
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// What a [`Drawer`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct DrawerProps {
    /// What it shows, for assistive technology.
    pub label: AttrValue,
    /// Id, copy, state; stands left of the cross.
    pub head: Html,
    /// Verbs and what belongs to the head, below the id.
    #[prop_or_default]
    pub verbs: Html,
    /// Tabs and sections.
    pub children: Html,
    /// The command line, at the foot.
    #[prop_or_default]
    pub foot: Html,
    /// Asked to close.
    pub on_close: Callback<()>,
}

/// The drawer. Mount it only while something is chosen.
#[component]
pub fn Drawer(props: &DrawerProps) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((), move |()| {
            let before = focused();
            move || {
                let inside = match (focused(), node.cast::<web_sys::Node>()) {
                    (Some(now), Some(drawer)) => drawer.contains(Some(now.unchecked_ref())),
                    _ => true,
                };
                if let (true, Some(element)) = (inside, before) {
                    // The row may be gone by now; the page then keeps the focus.
                    let _ = element.focus();
                }
            }
        });
    }
    let close = props.on_close.clone();
    super::keys::use_keys(move |key| {
        let used = key.name == "Escape";
        if used {
            close.emit(());
        }
        used
    });
    html! {
        <aside ref={node} class="drawer on-raised" aria-label={props.label.clone()}>
            <div class="drawer-head">
                <div class="row">
                    { props.head.clone() }
                    <span class="grow"></span>
                    <button type="button" class="btn ghost icon sm" aria-label="Close" title="Close (Esc)"
                        onclick={props.on_close.reform(|_| ())}>
                        <Icon shape={Shape::Cross} size={IconSize::Small} />
                    </button>
                </div>
                { props.verbs.clone() }
            </div>
            <div class="drawer-body">{ props.children.clone() }</div>
            if props.foot != Html::default() { <div class="drawer-foot">{ props.foot.clone() }</div> }
        </aside>
    }
}
