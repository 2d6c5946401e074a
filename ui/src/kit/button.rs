//! Buttons: one primary per view; a disabled one says why, beside itself.

use super::css::use_element_id;
use super::icon::{Icon, IconSize, Shape};
use yew::prelude::*;

/// How much a button weighs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// Outlined.
    #[default]
    Secondary,
    /// Filled: the one thing to do here.
    Primary,
    /// Outlined in the colour of failure; always opens a dialog.
    Danger,
    /// Without a border.
    Ghost,
}

impl ButtonKind {
    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Secondary => None,
            Self::Primary => Some("pri"),
            Self::Danger => Some("danger"),
            Self::Ghost => Some("ghost"),
        }
    }
}

/// What a [`Button`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ButtonProps {
    /// Verb and object: "Cancel run".
    #[prop_or_default]
    pub children: Html,
    /// How much it weighs.
    #[prop_or_default]
    pub kind: ButtonKind,
    /// 24 px instead of the control height.
    #[prop_or_default]
    pub small: bool,
    /// A shape before the label.
    #[prop_or_default]
    pub icon: Option<Shape>,
    /// The key that does the same.
    #[prop_or_default]
    pub key_hint: Option<AttrValue>,
    /// Its effect is under way; it keeps its width and takes no second click.
    #[prop_or_default]
    pub busy: bool,
    /// Why it cannot be used now; absent when it can.
    #[prop_or_default]
    pub disabled: Option<AttrValue>,
    /// Shows the reason beside it; switch off where the reason already stands there.
    #[prop_or(true)]
    pub says_why: bool,
    /// The name for assistive technology where there is no visible label.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// Whether what it toggles is on; absent for a plain button.
    #[prop_or_default]
    pub pressed: Option<bool>,
    /// `submit` inside a form.
    #[prop_or_default]
    pub submit: bool,
    /// What it does.
    #[prop_or_default]
    pub on_click: Callback<()>,
}

/// A button.
#[component]
pub fn Button(props: &ButtonProps) -> Html {
    let why = use_element_id("why");
    let off = props.disabled.is_some();
    let icon_only = props.label.is_some() && props.children == Html::default();
    let class = classes!(
        "btn",
        props.kind.class(),
        props.small.then_some("sm"),
        icon_only.then_some("icon"),
        props.busy.then_some("is-busy"),
    );
    let on_click = props.on_click.reform(|event: MouseEvent| event.stop_propagation());
    let on_click = if props.busy { Callback::noop() } else { on_click };
    let shown = props.disabled.clone().filter(|_| props.says_why);
    let size = if props.small { IconSize::Small } else { IconSize::Normal };
    html! {
        <>
            <button
                type={if props.submit { "submit" } else { "button" }}
                {class}
                disabled={off}
                aria-busy={props.busy.then_some("true")}
                aria-label={props.label.clone()}
                aria-pressed={props.pressed.map(|on| on.to_string())}
                aria-describedby={shown.as_ref().map(|_| why.clone())}
                title={props.label.clone()}
                onclick={on_click}
            >
                if props.busy {
                    <Icon shape={Shape::Loop} size={IconSize::Small} spin={true} />
                } else if let Some(shape) = props.icon {
                    <Icon {shape} {size} />
                }
                { props.children.clone() }
                if let Some(key) = &props.key_hint { <kbd>{ key }</kbd> }
            </button>
            if let Some(reason) = shown { <span class="why" id={why}>{ reason }</span> }
        </>
    }
}
