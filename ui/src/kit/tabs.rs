//! Tabs: a label with a count, the current one underlined; arrows, Home and End move.

use super::css::use_element_id;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// One tab.
#[derive(Debug, Clone, PartialEq)]
pub struct Tab {
    /// What it is called in the URL.
    pub id: AttrValue,
    /// What it is called on the screen.
    pub label: AttrValue,
    /// How many are behind it; absent while not known.
    pub count: Option<AttrValue>,
}

impl Tab {
    /// A tab without a count.
    pub fn new(id: impl Into<AttrValue>, label: impl Into<AttrValue>) -> Self {
        Self { id: id.into(), label: label.into(), count: None }
    }
    /// The same tab with a count, when it is known.
    pub fn counting(mut self, count: Option<impl Into<AttrValue>>) -> Self {
        self.count = count.map(Into::into);
        self
    }
}

/// What [`Tabs`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct TabsProps {
    /// What is chosen between.
    pub label: AttrValue,
    /// The tabs, in order.
    pub tabs: Vec<Tab>,
    /// The one that is shown.
    pub current: AttrValue,
    /// Told the one to show.
    pub on_choose: Callback<AttrValue>,
    /// Answers to `[` and `]` anywhere on the page; off for tabs within tabs.
    #[prop_or(true)]
    pub main: bool,
    /// What stands at the right end.
    #[prop_or_default]
    pub children: Html,
}

/// A row of tabs.
#[component]
pub fn Tabs(props: &TabsProps) -> Html {
    let base = use_element_id("tab");
    let list = use_node_ref();
    {
        let (tabs, current, choose) = (props.tabs.clone(), props.current.clone(), props.on_choose.clone());
        let main = props.main;
        super::keys::use_keys(move |key| {
            let at = tabs.iter().position(|tab| tab.id == current).unwrap_or(0);
            let step = match key.name.as_str() {
                "[" if main => "ArrowLeft",
                "]" if main => "ArrowRight",
                _ => return false,
            };
            if let Some(next) = moved(at, tabs.len(), step) {
                choose.emit(tabs[next].id.clone());
            }
            true
        });
    }
    let on_key = {
        let (tabs, current, choose) = (props.tabs.clone(), props.current.clone(), props.on_choose.clone());
        let list = list.clone();
        Callback::from(move |event: KeyboardEvent| {
            let at = tabs.iter().position(|tab| tab.id == current).unwrap_or(0);
            let Some(next) = moved(at, tabs.len(), &event.key()) else { return };
            event.prevent_default();
            choose.emit(tabs[next].id.clone());
            focus_child(&list, next);
        })
    };
    html! {
        <div class="tabs">
            <div ref={list} class="tab-list" role="tablist" aria-label={props.label.clone()} onkeydown={on_key}>
            { for props.tabs.iter().map(|tab| {
                let on = tab.id == props.current;
                let chosen = tab.id.clone();
                html! {
                    <button type="button" role="tab" key={tab.id.to_string()} id={format!("{base}-{}", tab.id)}
                        class={classes!("tab", on.then_some("is-on"))} aria-selected={on.to_string()}
                        tabindex={if on { "0" } else { "-1" }}
                        onclick={props.on_choose.reform(move |_| chosen.clone())}>
                        { &tab.label }
                        if let Some(count) = &tab.count { <span class="c">{ count }</span> }
                    </button>
                }
            }) }
            </div>
            if props.children != Html::default() {
                <span class="grow"></span>{ props.children.clone() }
            }
        </div>
    }
}

/// Where a key leads from tab `at` of `count`; `None` for keys that lead nowhere.
fn moved(at: usize, count: usize, key: &str) -> Option<usize> {
    if count == 0 {
        return None;
    }
    match key {
        "ArrowRight" => Some((at + 1) % count),
        "ArrowLeft" => Some((at + count - 1) % count),
        "Home" => Some(0),
        "End" => Some(count - 1),
        _ => None,
    }
}

/// Gives the focus to this child of a list.
pub(super) fn focus_child(list: &NodeRef, at: usize) {
    let list = list.cast::<web_sys::Element>();
    let child = list.and_then(|list| list.children().item(at as u32));
    if let Some(button) = child.and_then(|child| child.dyn_into::<web_sys::HtmlElement>().ok()) {
        // It may have gone with the same key press; then there is nothing to focus.
        let _ = button.focus();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_round_and_home_and_end_go_to_the_edges() {
        assert_eq!(moved(2, 3, "ArrowRight"), Some(0));
        assert_eq!(moved(0, 3, "ArrowLeft"), Some(2));
        assert_eq!(moved(1, 3, "Home"), Some(0));
        assert_eq!(moved(1, 3, "End"), Some(2));
        assert_eq!(moved(1, 3, "a"), None);
        assert_eq!(moved(0, 0, "Home"), None);
    }
}
