//! Addresses. The page, its query and its fragment are read from the address alone; old addresses are replaced by
//! their new ones with query and fragment kept, so that Back never leads into a redirect.

use gloo_history::{BrowserHistory, History};
use std::collections::BTreeMap;
use stella_contract::route::{Resolved, Route, canonicalize, decode, encode_query};
use yew::prelude::*;

/// Where the interface is.
#[derive(Debug, Clone, PartialEq)]
pub struct Location {
    /// The page.
    pub route: Route,
    /// What the address asked for where there is no such page.
    pub unknown: Option<String>,
    /// Filters, tab, selection.
    pub query: Query,
    /// The part of the page to show.
    pub fragment: String,
}

/// The query of an address: names and values, in order of name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads `?a=b&c=d`, with or without the mark.
    pub fn parse(text: &str) -> Self {
        let pairs = text.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (plain(name), plain(value)))
                .collect(),
        )
    }

    /// The value of a name; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a name, read as one of a closed set; unreadable ones count as none.
    pub fn read<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// The same with a name set; an empty value takes it out.
    pub fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut next = self.clone();
        let value = value.into();
        if value.is_empty() {
            next.0.remove(name);
        } else {
            next.0.insert(name.to_owned(), value);
        }
        next
    }

    /// The same without a name.
    pub fn without(&self, name: &str) -> Self {
        self.with(name, "")
    }

    /// The names and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Query {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        pairs.into_iter().fold(Self::default(), |query, (name, value)| query.with(&name.into(), value))
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (name, value)) in self.0.iter().enumerate() {
            let glue = if at == 0 { "?" } else { "&" };
            write!(f, "{glue}{}={}", encode_query(name), encode_query(value))?;
        }
        Ok(())
    }
}

fn plain(text: &str) -> String {
    decode(&text.replace('+', " "))
}

/// The address of a page with a query.
pub fn href(route: &Route, query: &Query) -> String {
    format!("{}{query}", route.path())
}

/// Reads path, query and fragment of an address whose path is not an old one.
pub fn locate(path: &str, search: &str, hash: &str) -> Location {
    let (route, unknown) = match Route::resolve(path) {
        Resolved::Page(route) => (route, None),
        Resolved::UnknownChild(index) => (index, Some(path.to_owned())),
        Resolved::Nowhere => (Route::JobsQueues, Some(path.to_owned())),
    };
    Location { route, unknown, query: Query::parse(search), fragment: decode(hash.trim_start_matches('#')) }
}

/// The address an old one now has, query and fragment kept.
pub fn moved(path: &str, search: &str, hash: &str) -> Option<String> {
    canonicalize(path).map(|path| format!("{path}{search}{hash}"))
}

/// Where the interface is and how to go elsewhere.
#[derive(Clone, PartialEq)]
pub struct Router {
    location: Location,
    history: BrowserHistory,
}

impl Router {
    /// Where the interface is.
    pub fn location(&self) -> &Location {
        &self.location
    }
    /// Goes to a page; Back leads here again.
    pub fn go(&self, route: &Route, query: &Query) {
        self.history.push(href(route, query));
    }
    /// Goes to a page in place of this one.
    pub fn replace(&self, route: &Route, query: &Query) {
        self.history.replace(href(route, query));
    }
    /// Stays on the page with another query; Back leads to the old one.
    pub fn ask(&self, query: &Query) {
        self.history.push(href(&self.location.route, query));
    }
    /// Goes to an address of ours as it stands, query and fragment included.
    pub fn open(&self, address: &str) {
        self.history.push(address.to_owned());
    }
    /// Goes back.
    pub fn back(&self) {
        self.history.back();
    }
}

/// What a [`RouterProvider`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct RouterProviderProps {
    /// Everything that looks at the address.
    pub children: Html,
}

/// Follows the address and tells everything below.
#[component]
pub fn RouterProvider(props: &RouterProviderProps) -> Html {
    let history = use_memo((), |()| BrowserHistory::new());
    let location = use_state_eq(|| arrive(&history));
    {
        let (history, set) = ((*history).clone(), location.setter());
        use_effect_with((), move |()| {
            let listener = history.listen({
                let history = history.clone();
                move || set.set(arrive(&history))
            });
            move || drop(listener)
        });
    }
    use_effect_with((*location).clone(), |location| {
        set_title(&location.route);
        scroll_to(&location.fragment);
    });
    let context = Router { location: (*location).clone(), history: (*history).clone() };
    html! { <ContextProvider<Router> {context}>{ props.children.clone() }</ContextProvider<Router>> }
}

/// Reads the address; an old one is replaced first.
fn arrive(history: &BrowserHistory) -> Location {
    let here = history.location();
    if let Some(address) = moved(here.path(), here.query_str(), here.hash()) {
        history.replace(address);
    }
    let here = history.location();
    locate(here.path(), here.query_str(), here.hash())
}

/// Where the interface is and how to go elsewhere.
#[hook]
pub fn use_router() -> Router {
    use_context::<Router>().expect("everything is mounted below RouterProvider")
}

/// What a [`Link`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct LinkProps {
    /// The page it leads to.
    pub to: Route,
    /// With which query.
    #[prop_or_default]
    pub query: Query,
    /// `n` for a number, `link` for a word in the accent colour.
    #[prop_or_default]
    pub class: Classes,
    /// The words.
    pub children: Html,
    /// Whether it is where the interface is.
    #[prop_or_default]
    pub current: bool,
    /// The name where the words do not say it.
    #[prop_or_default]
    pub label: Option<AttrValue>,
}

/// A link within the interface: a real address, so that it can be copied and opened elsewhere.
#[component]
pub fn Link(props: &LinkProps) -> Html {
    let router = use_router();
    let address = href(&props.to, &props.query);
    let on_click = {
        let address = address.clone();
        Callback::from(move |event: MouseEvent| {
            if event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0 {
                return;
            }
            event.prevent_default();
            router.open(&address);
        })
    };
    html! {
        <a href={address} class={props.class.clone()} aria-current={props.current.then_some("page")}
            aria-label={props.label.clone()} title={props.label.clone()} onclick={on_click}>
            { props.children.clone() }
        </a>
    }
}

fn set_title(route: &Route) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        document.set_title(&format!("{} · Stella Operator", route.title()));
    }
}

fn scroll_to(fragment: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    let element = document.filter(|_| !fragment.is_empty()).and_then(|page| page.get_element_by_id(fragment));
    if let Some(element) = element {
        element.scroll_into_view();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back_as_written() {
        let query = Query::default().with("run", "run:acme:20261121T140815Z:9c1f04ab").with("q", "a b&c=ü");
        assert_eq!(Query::parse(&query.to_string()), query);
        assert_eq!(query.get("q"), Some("a b&c=ü"));
        assert!(query.without("q").get("q").is_none());
        assert_eq!(Query::parse("?a=&b"), Query::parse("b&a"));
        assert_eq!(Query::default().to_string(), "");
    }

    #[test]
    fn an_old_address_keeps_query_and_fragment() {
        assert_eq!(
            moved("/console/runs", "?tab=failures", "#top").as_deref(),
            Some("/ops/operations/scheduler/runs?tab=failures#top")
        );
        assert_eq!(moved("/ops/operations/scheduler/runs", "?a=b", ""), None);
    }

    #[test]
    fn an_unknown_child_leads_to_its_section_and_is_named() {
        let found = locate("/ops/operations/jobengine/nope", "?x=1", "#y");
        assert_eq!(found.route, Route::JobEngine);
        assert_eq!(found.unknown.as_deref(), Some("/ops/operations/jobengine/nope"));
        assert_eq!((found.query.get("x"), found.fragment.as_str()), (Some("1"), "y"));
    }
}
