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
    /// Whether one value rules out the others.
    pub arity: Arity,
}

/// How many values a filter can have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// One.
    One,
    /// Several, with commas between them; any of them will do.
    Several,
}

impl FilterField {
    /// A filter by any text.
    pub const fn text(name: &'static str, label: &'static str) -> Self {
        Self { name, label, options: Vec::new(), arity: Arity::One }
    }
    /// A filter by one of these words.
    pub fn choice(
        name: &'static str,
        label: &'static str,
        options: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self { name, label, options: options.collect(), arity: Arity::One }
    }
    /// A filter by any of these words, several at once.
    pub fn several(
        name: &'static str,
        label: &'static str,
        options: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self { arity: Arity::Several, ..Self::choice(name, label, options) }
    }
    /// The same with the words that can still be added to what is in force; none when there is nothing left to add.
    fn left(&self, query: &Query) -> Option<Self> {
        let Some(value) = query.get(self.name) else { return Some(self.clone()) };
        match self.arity {
            Arity::One => None,
            Arity::Several => {
                let chosen: Vec<&str> = value.split(',').collect();
                let options: Vec<_> =
                    self.options.iter().copied().filter(|word| !chosen.contains(word)).collect();
                (!options.is_empty()).then(|| Self { options, ..self.clone() })
            }
        }
    }
}

/// The address with a filter's value added.
fn adding(query: &Query, fields: &[FilterField], name: &str, value: &str) -> Query {
    let several = fields.iter().any(|field| field.name == name && field.arity == Arity::Several);
    match query.get(name).filter(|_| several) {
        Some(before) => query.with(name, format!("{before},{value}")),
        None => query.with(name, value),
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
    let free: Vec<FilterField> = props.fields.iter().filter_map(|field| field.left(&query)).collect();
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
        let fields = props.fields.clone();
        Callback::from(move |()| {
            if let Some((name, value)) = &*editing {
                router.ask(&adding(&query, &fields, name, value.trim()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_severity_is_added_to_the_first_and_neither_is_offered_again() {
        let fields = [
            FilterField::several("severity", "new findings", ["critical", "high", "low"].into_iter()),
            FilterField::choice("state", "state", ["error"].into_iter()),
        ];
        let one = adding(&Query::default(), &fields, "severity", "critical");
        let two = adding(&one, &fields, "severity", "high");
        assert_eq!(two.get("severity"), Some("critical,high"));
        assert_eq!(fields[0].left(&two).unwrap().options, ["low"]);
        assert_eq!(fields[0].left(&adding(&two, &fields, "severity", "low")), None);
        let state = adding(&two, &fields, "state", "error");
        assert_eq!(fields[1].left(&state), None, "of this one there is only one value at a time");
    }
}
