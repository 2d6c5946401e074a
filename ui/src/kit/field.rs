//! Fields: a label above, what is expected beside it, help or the error below. A field names its own control.

use super::css::use_element_id;
use super::icon::{Icon, IconSize, Shape};
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// What a control learns from the field around it.
#[derive(Debug, Clone, Default, PartialEq)]
struct FieldContext {
    id: Option<AttrValue>,
    hint: Option<AttrValue>,
    invalid: bool,
}

/// What a [`Field`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct FieldProps {
    /// What is asked for.
    pub label: AttrValue,
    /// `required`, `optional` or a count, at the right.
    #[prop_or_default]
    pub note: Option<AttrValue>,
    /// Help below.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// What is wrong and how to mend it; takes the place of the help.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// One control.
    #[prop_or_default]
    pub children: Html,
}

/// A labelled place for one control.
#[component]
pub fn Field(props: &FieldProps) -> Html {
    let id = use_element_id("field");
    let hint_id = AttrValue::from(format!("{id}-hint"));
    let said = props.error.is_some() || props.hint.is_some();
    let context = FieldContext {
        id: Some(id.clone()),
        hint: said.then(|| hint_id.clone()),
        invalid: props.error.is_some(),
    };
    html! {
        <div class="field">
            <label for={id}>
                <span>{ &props.label }</span>
                if let Some(note) = &props.note { <span class="opt">{ note }</span> }
            </label>
            <ContextProvider<FieldContext> {context}>{ props.children.clone() }</ContextProvider<FieldContext>>
            if let Some(error) = &props.error {
                <span class="hint bad row gap1" id={hint_id} role="alert">
                    <Icon shape={Shape::OctagonCross} size={IconSize::Tiny} />{ error }
                </span>
            } else if let Some(hint) = &props.hint {
                <span class="hint" id={hint_id}>{ hint }</span>
            }
        </div>
    }
}

/// What an [`Input`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct InputProps {
    /// The text.
    pub value: AttrValue,
    /// Told with every change.
    #[prop_or_default]
    pub on_input: Callback<String>,
    /// Told when Enter is pressed.
    #[prop_or_default]
    pub on_enter: Option<Callback<()>>,
    /// An example, never the label.
    #[prop_or_default]
    pub placeholder: Option<AttrValue>,
    /// `text`, `search`, `number`, ...
    #[prop_or(AttrValue::Static("text"))]
    pub kind: AttrValue,
    /// In the fixed-width face, for ids and paths.
    #[prop_or_default]
    pub mono: bool,
    /// Shown, not changed.
    #[prop_or_default]
    pub read_only: bool,
    /// The most characters.
    #[prop_or_default]
    pub max_length: Option<usize>,
    /// Takes the focus when it appears.
    #[prop_or_default]
    pub autofocus: bool,
    /// The name where no [`Field`] is around.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// The element, for the focus.
    #[prop_or_default]
    pub node: NodeRef,
}

/// One line of text.
#[component]
pub fn Input(props: &InputProps) -> Html {
    let field = use_context::<FieldContext>().unwrap_or_default();
    let node = props.node.clone();
    use_effect_with(props.autofocus, {
        let node = node.clone();
        move |wanted| {
            if let (true, Some(element)) = (*wanted, node.cast::<web_sys::HtmlElement>()) {
                // An element that cannot take the focus now is left alone.
                let _ = element.focus();
            }
        }
    });
    let on_input = props.on_input.reform(|event: InputEvent| typed(&event));
    let on_key = {
        let on_enter = props.on_enter.clone();
        Callback::from(move |event: KeyboardEvent| {
            if let ("Enter", Some(enter)) = (event.key().as_str(), &on_enter) {
                event.prevent_default();
                enter.emit(());
            }
        })
    };
    html! {
        <input
            ref={node}
            id={field.id.clone()}
            class={classes!("inp", props.mono.then_some("mono"), field.invalid.then_some("is-bad"))}
            type={props.kind.clone()}
            value={props.value.clone()}
            placeholder={props.placeholder.clone()}
            readonly={props.read_only}
            maxlength={props.max_length.map(|max| max.to_string())}
            aria-label={props.label.clone()}
            aria-describedby={field.hint.clone()}
            aria-invalid={field.invalid.then_some("true")}
            autocomplete="off"
            spellcheck="false"
            oninput={on_input}
            onkeydown={on_key}
        />
    }
}

/// What a [`TextArea`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct TextAreaProps {
    /// The text.
    pub value: AttrValue,
    /// Told with every change.
    #[prop_or_default]
    pub on_input: Callback<String>,
    /// An example, never the label.
    #[prop_or_default]
    pub placeholder: Option<AttrValue>,
    /// Lines shown.
    #[prop_or(3)]
    pub rows: u32,
    /// In the fixed-width face.
    #[prop_or_default]
    pub mono: bool,
}

/// Several lines of text.
#[component]
pub fn TextArea(props: &TextAreaProps) -> Html {
    let field = use_context::<FieldContext>().unwrap_or_default();
    html! {
        <textarea
            id={field.id.clone()}
            class={classes!("inp", "area", props.mono.then_some("mono"), field.invalid.then_some("is-bad"))}
            rows={props.rows.to_string()}
            value={props.value.clone()}
            placeholder={props.placeholder.clone()}
            aria-describedby={field.hint.clone()}
            aria-invalid={field.invalid.then_some("true")}
            spellcheck="false"
            oninput={props.on_input.reform(|event: InputEvent| typed(&event))}
        />
    }
}

/// What a [`Select`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SelectProps {
    /// The chosen value.
    pub value: AttrValue,
    /// Value and label of each choice.
    pub options: Vec<(AttrValue, AttrValue)>,
    /// Told the new value.
    pub on_change: Callback<String>,
    /// The name where no [`Field`] is around.
    #[prop_or_default]
    pub label: Option<AttrValue>,
}

/// One of several, in a list that opens.
#[component]
pub fn Select(props: &SelectProps) -> Html {
    let field = use_context::<FieldContext>().unwrap_or_default();
    let on_change = props.on_change.reform(|event: Event| {
        event.target_dyn_into::<web_sys::HtmlSelectElement>().map(|select| select.value()).unwrap_or_default()
    });
    html! {
        <select
            id={field.id.clone()}
            class={classes!("inp", field.invalid.then_some("is-bad"))}
            aria-label={props.label.clone()}
            aria-describedby={field.hint.clone()}
            onchange={on_change}
        >
            { for props.options.iter().map(|(value, label)| html! {
                <option value={value.clone()} selected={*value == props.value}>{ label }</option>
            }) }
        </select>
    }
}

/// What was typed.
fn typed(event: &InputEvent) -> String {
    let Some(target) = event.target() else { return String::new() };
    match target.dyn_into::<web_sys::HtmlInputElement>() {
        Ok(input) => input.value(),
        Err(other) => {
            other.dyn_into::<web_sys::HtmlTextAreaElement>().map(|area| area.value()).unwrap_or_default()
        }
    }
}
