//! Choices: checkbox, switch, and a few options side by side.

use super::icon::{Icon, IconSize, Shape};
use super::tabs::focus_child;
use yew::prelude::*;

/// How a [`Checkbox`] stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Checked {
    /// Not chosen.
    #[default]
    Off,
    /// Chosen.
    On,
    /// Some of what it stands for is chosen.
    Mixed,
}

impl From<bool> for Checked {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// What a [`Checkbox`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct CheckboxProps {
    /// How it stands.
    pub checked: Checked,
    /// Told what it is to become.
    pub on_toggle: Callback<bool>,
    /// The words beside it.
    #[prop_or_default]
    pub children: Html,
    /// The name where no words stand beside it.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// Cannot be changed now.
    #[prop_or_default]
    pub disabled: bool,
}

/// A box to tick.
#[component]
pub fn Checkbox(props: &CheckboxProps) -> Html {
    let (state, class, mark) = match props.checked {
        Checked::Off => ("false", None, None),
        Checked::On => ("true", Some("on"), Some(Shape::Check)),
        Checked::Mixed => ("mixed", Some("mix"), Some(Shape::Dash)),
    };
    let becomes = props.checked != Checked::On;
    let on_click = props.on_toggle.reform(move |event: MouseEvent| {
        event.stop_propagation();
        becomes
    });
    html! {
        <button type="button" class="check" role="checkbox" aria-checked={state} disabled={props.disabled}
            aria-label={props.label.clone()} onclick={on_click}>
            <span class={classes!("cb", class)}>
                if let Some(shape) = mark { <Icon {shape} size={IconSize::Tiny} /> }
            </span>
            { props.children.clone() }
        </button>
    }
}

/// What a [`Switch`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SwitchProps {
    /// Whether it is on.
    pub on: bool,
    /// Told what it is to become.
    pub on_toggle: Callback<bool>,
    /// The words beside it.
    pub children: Html,
    /// Cannot be changed now.
    #[prop_or_default]
    pub disabled: bool,
}

/// Something that takes effect at once.
#[component]
pub fn Switch(props: &SwitchProps) -> Html {
    let becomes = !props.on;
    html! {
        <button type="button" class="check" role="switch" aria-checked={props.on.to_string()} disabled={props.disabled}
            onclick={props.on_toggle.reform(move |event: MouseEvent| {
                event.stop_propagation();
                becomes
            })}>
            <span class={classes!("sw", props.on.then_some("on"))}></span>
            { props.children.clone() }
        </button>
    }
}

/// What a [`Segmented`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SegmentedProps {
    /// What is chosen between.
    pub label: AttrValue,
    /// Value and label of two to four options.
    pub options: Vec<(AttrValue, AttrValue)>,
    /// The chosen value.
    pub value: AttrValue,
    /// Told the new value.
    pub on_choose: Callback<AttrValue>,
}

/// A few options side by side; arrows move.
#[component]
pub fn Segmented(props: &SegmentedProps) -> Html {
    let list = use_node_ref();
    let on_key = {
        let (options, value, choose) = (props.options.clone(), props.value.clone(), props.on_choose.clone());
        let list = list.clone();
        Callback::from(move |event: KeyboardEvent| {
            let at = options.iter().position(|(one, _)| *one == value).unwrap_or(0);
            let next = match event.key().as_str() {
                "ArrowRight" | "ArrowDown" => (at + 1) % options.len().max(1),
                "ArrowLeft" | "ArrowUp" => (at + options.len().max(1) - 1) % options.len().max(1),
                _ => return,
            };
            event.prevent_default();
            if let Some((one, _)) = options.get(next) {
                choose.emit(one.clone());
                focus_child(&list, next);
            }
        })
    };
    html! {
        <div ref={list} class="seg" role="radiogroup" aria-label={props.label.clone()} onkeydown={on_key}>
            { for props.options.iter().map(|(value, label)| {
                let on = *value == props.value;
                let chosen = value.clone();
                html! {
                    <button type="button" role="radio" class={classes!(on.then_some("on"))}
                        aria-checked={on.to_string()} tabindex={if on { "0" } else { "-1" }}
                        onclick={props.on_choose.reform(move |_| chosen.clone())}>{ label }</button>
                }
            }) }
        </div>
    }
}
