//! The filter as chips, and as the text they stand for: both can be changed.

use super::filter::{hints, problem_of};
use crate::kit::{Button, ButtonKind, FilterChip, Input, Shape, use_keys};
use stella_contract::filter::{Filter, Token, pieces};
use yew::prelude::*;

/// Words offered while a text is written.
const OFFERED: usize = 14;

/// What a [`FilterEdit`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct FilterEditProps {
    /// The filter as text.
    pub text: AttrValue,
    /// Told the new text.
    pub on_change: Callback<String>,
    /// What stands at the right end.
    #[prop_or_default]
    pub children: Html,
}

/// Chips for the keys in force; the whole as text on `/`.
#[component]
pub(super) fn FilterEdit(props: &FilterEditProps) -> Html {
    let writing = use_state_eq(|| None::<String>);
    let open = {
        let (writing, text) = (writing.clone(), props.text.clone());
        Callback::from(move |()| {
            let glue = if text.is_empty() { "" } else { " " };
            writing.set(Some(format!("{text}{glue}")));
        })
    };
    let close = {
        let writing = writing.clone();
        Callback::from(move |()| writing.set(None))
    };
    {
        let (open, close, is_open) = (open.clone(), close.clone(), writing.is_some());
        use_keys(move |key| match key.name.as_str() {
            "/" if !key.ctrl => {
                open.emit(());
                true
            }
            "Escape" if is_open => {
                close.emit(());
                true
            }
            _ => false,
        });
    }
    let apply = {
        let (writing, on_change) = (writing.clone(), props.on_change.clone());
        Callback::from(move |()| {
            if let Some(text) = &*writing
                && problem_of(text).is_none()
            {
                on_change.emit(text.trim().to_owned());
                writing.set(None);
            }
        })
    };
    let Some(text) = &*writing else {
        return html! {
            <div class="filters" role="group" aria-label="Filters">
                { chips(props) }
                <Button small={true} icon={Shape::Plus} key_hint="/" on_click={open}>
                    { if props.text.is_empty() { "Filter" } else { "Edit as text" } }
                </Button>
                <span class="grow"></span>
                { props.children.clone() }
            </div>
        };
    };
    let on_input = {
        let writing = writing.clone();
        Callback::from(move |text: String| writing.set(Some(text)))
    };
    let on_escape = {
        let close = close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.stop_propagation();
                close.emit(());
            }
        })
    };
    let offered = hints(text);
    let writes_word = !text.ends_with(char::is_whitespace) && !text.is_empty();
    let problem = problem_of(text).filter(|_| offered.is_empty() || !writes_word);
    html! {
        <div class="filters filter-text" role="group" aria-label="Filters" onkeydown={on_escape}>
            <Input label="Filter as text" value={text.clone()} {on_input} on_enter={apply.clone()} autofocus={true} mono={true}
                placeholder="state:failed,timed_out type:ingest.* age:<24h" />
            <Button small={true} kind={ButtonKind::Primary} disabled={problem_of(text).map(AttrValue::from)} says_why={false} on_click={apply}>{ "Apply" }</Button>
            <Button small={true} on_click={close}>{ "Close" }</Button>
            <div class="filter-hints row wrap">
                { for offered.into_iter().take(OFFERED).map(|(label, whole)| {
                    let writing = writing.clone();
                    let on_click = Callback::from(move |_: MouseEvent| writing.set(Some(whole.clone())));
                    html! { <button key={label.clone()} type="button" class="chip add mono" onclick={on_click}>{ label }</button> }
                }) }
                if let Some(problem) = problem { <span class="sm k-bad" role="alert">{ problem }</span> }
                <span class="f3 sm">{ "Several values of one key mean or, several keys mean and." }</span>
            </div>
        </div>
    }
}

/// One chip for each key; a word that cannot be read has its own, which says why.
fn chips(props: &FilterEditProps) -> Html {
    let read: Vec<_> = pieces(&props.text);
    let filter = Filter::of(read.iter().filter_map(|piece| piece.tokens.clone().ok()).flatten());
    let wrong = read.into_iter().filter_map(|piece| Some((piece.text, piece.tokens.err()?)));
    let change = |text: String| props.on_change.reform(move |()| text.clone());
    html! {
        <>
            { for filter.groups().map(|(key, tokens)| {
                let values: Vec<String> = tokens.iter().map(Token::value).collect();
                let on_remove = change(filter.without(key).to_string());
                html! { <FilterChip key={key.as_str()} name={key.as_str()} value={values.join(", ")} {on_remove} /> }
            }) }
            { for wrong.map(|(text, error)| html! {
                <span class="row" key={text.clone()}>
                    <FilterChip name="unknown" value={text} on_remove={change(filter.to_string())} />
                    <span class="sm k-bad" role="alert">{ error.to_string() }</span>
                </span>
            }) }
        </>
    }
}
