//! The filters of a list as chips: read from the address, written to the address.

use crate::kit::{Button, FilterChip, Input, Select, Shape, use_keys};
use crate::router::{Query, use_router};
use std::str::FromStr;
use yew::prelude::*;

/// One thing a list can be filtered by.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterField {
    /// Its name in the address.
    pub name: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// The values to choose from; empty where any text may stand.
    pub options: Vec<&'static str>,
}

impl FilterField {
    /// A filter by any text.
    pub const fn text(name: &'static str, label: &'static str) -> Self {
        Self { name, label, options: Vec::new() }
    }
    /// A filter by one of these words.
    pub fn choice(
        name: &'static str,
        label: &'static str,
        options: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self { name, label, options: options.collect() }
    }
}

/// A filter of the address, read; one that cannot be read counts as none.
pub fn wanted<T: FromStr>(query: &Query, name: &str) -> Option<T> {
    query.read(name)
}

/// What a [`FilterBar`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct FilterBarProps {
    /// What the list can be filtered by.
    pub fields: Vec<FilterField>,
    /// What stands at the right end.
    #[prop_or_default]
    pub children: Html,
}

/// Chips for the filters in force and an editor for one more.
#[component]
pub fn FilterBar(props: &FilterBarProps) -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let editing = use_state(|| None::<(&'static str, String)>);
    let free: Vec<FilterField> =
        props.fields.iter().filter(|field| query.get(field.name).is_none()).cloned().collect();
    let open = {
        let (editing, first) = (editing.clone(), free.first().cloned());
        Callback::from(move |()| editing.set(first.as_ref().map(|field| (field.name, start(field)))))
    };
    {
        let (open, editing) = (open.clone(), editing.clone());
        use_keys(move |key| match key.name.as_str() {
            "/" => {
                open.emit(());
                true
            }
            "Escape" if editing.is_some() => {
                editing.set(None);
                true
            }
            _ => false,
        });
    }
    let apply = {
        let (router, query, editing) = (router.clone(), query.clone(), editing.clone());
        Callback::from(move |()| {
            if let Some((name, value)) = &*editing {
                router.ask(&query.with(name, value.trim()));
            }
            editing.set(None);
        })
    };
    html! {
        <div class="filters" role="group" aria-label="Filters">
            { for props.fields.iter().filter_map(|field| {
                let value = query.get(field.name)?.to_owned();
                let (router, without) = (router.clone(), query.without(field.name));
                let on_remove = Callback::from(move |()| router.ask(&without));
                Some(html! { <FilterChip key={field.name} name={field.label} {value} {on_remove} /> })
            }) }
            if let Some((name, value)) = &*editing {
                { editor(&free, name, value, &editing, &apply) }
            } else if !free.is_empty() {
                <Button small={true} icon={Shape::Plus} key_hint="/" on_click={open}>{ "Filter" }</Button>
            }
            <span class="grow"></span>
            { props.children.clone() }
        </div>
    }
}

/// The value an editor begins with.
fn start(field: &FilterField) -> String {
    field.options.first().map(|&word| word.to_owned()).unwrap_or_default()
}

fn editor(
    free: &[FilterField],
    name: &'static str,
    value: &str,
    editing: &UseStateHandle<Option<(&'static str, String)>>,
    apply: &Callback<()>,
) -> Html {
    let on_field = {
        let (free, editing) = (free.to_vec(), editing.clone());
        Callback::from(move |chosen: String| {
            let field = free.iter().find(|field| field.name == chosen);
            editing.set(field.map(|field| (field.name, start(field))));
        })
    };
    let on_value = {
        let editing = editing.clone();
        Callback::from(move |text: String| editing.set(Some((name, text))))
    };
    let cancel = {
        let editing = editing.clone();
        Callback::from(move |()| editing.set(None))
    };
    let fields: Vec<(AttrValue, AttrValue)> =
        free.iter().map(|field| (field.name.into(), field.label.into())).collect();
    let words =
        free.iter().find(|field| field.name == name).map(|field| field.options.clone()).unwrap_or_default();
    html! {
        <span class="filter-editor row">
            <Select label="Filter by" value={name} options={fields} on_change={on_field} />
            if words.is_empty() {
                <Input label="Value" value={value.to_owned()} on_input={on_value} on_enter={apply.clone()} autofocus={true} />
            } else {
                <Select label="Value" value={value.to_owned()} on_change={on_value}
                    options={words.iter().map(|&word| (word.into(), word.into())).collect::<Vec<_>>()} />
            }
            <Button small={true} on_click={apply.clone()}>{ "Apply" }</Button>
            <Button small={true} on_click={cancel}>{ "Close" }</Button>
        </span>
    }
}
