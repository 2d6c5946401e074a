//! Small marks: a tag beside an id, a filter that can be taken away, a key on the keyboard.

use super::icon::{Icon, IconSize, Shape};
use yew::prelude::*;

/// What a [`Tag`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct TagProps {
    /// A shape before the word.
    #[prop_or_default]
    pub icon: Option<Shape>,
    /// The word.
    pub children: Html,
}

/// An outlined word.
#[component]
pub fn Tag(props: &TagProps) -> Html {
    html! {
        <span class="tag">
            if let Some(shape) = props.icon { <Icon {shape} /> }
            { props.children.clone() }
        </span>
    }
}

/// What a [`FilterChip`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct FilterChipProps {
    /// What is filtered.
    pub name: AttrValue,
    /// By which value.
    pub value: AttrValue,
    /// Takes the filter away.
    pub on_remove: Callback<()>,
}

/// One filter in force.
#[component]
pub fn FilterChip(props: &FilterChipProps) -> Html {
    html! {
        <span class="chip">
            <span class="k">{ &props.name }</span><span class="op">{ ":" }</span><span class="v">{ &props.value }</span>
            <button type="button" class="x" aria-label={format!("Remove filter {}", props.name)}
                onclick={props.on_remove.reform(|_| ())}>
                <Icon shape={Shape::Cross} size={IconSize::Tiny} />
            </button>
        </span>
    }
}

/// What a [`KeyHint`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct KeyHintProps {
    /// Key caps in order: `Ctrl`, `K`.
    pub keys: Vec<AttrValue>,
}

/// Keys that do the same.
#[component]
pub fn KeyHint(props: &KeyHintProps) -> Html {
    html! { <span class="keys">{ for props.keys.iter().map(|key| html! { <kbd>{ cap(key) }</kbd> }) }</span> }
}

/// A key as it is printed on the keyboard.
fn cap(key: &str) -> String {
    if key.chars().count() == 1 { key.to_uppercase() } else { key.to_owned() }
}
