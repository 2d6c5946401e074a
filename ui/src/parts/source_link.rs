//! A source by its name, as a link to its page.

use crate::kit::format::short_id;
use crate::router::Link;
use crate::store::{Watch, use_query};
use std::collections::BTreeMap;
use std::rc::Rc;
use stella_contract::ids::SourceId;
use stella_contract::page::{MAX_SIZE, PageQuery};
use stella_contract::route::Route;
use stella_contract::source::SourceFilter;
use yew::prelude::*;

/// The names of sources by their ids, as far as they are known.
pub type SourceNames = Rc<BTreeMap<String, String>>;

/// The names of the tenant's sources, at most 500 of them; others are shown by their id.
#[hook]
pub fn use_source_names() -> SourceNames {
    let asked = use_query("source names", Watch::of(&["source"]), |api| async move {
        let page = PageQuery { page_token: None, page_size: Some(MAX_SIZE) };
        let sources = api.sources(&SourceFilter::default(), &page).await?.items;
        Ok(sources.into_iter().map(|one| (one.source_id.to_string(), one.name)).collect::<BTreeMap<_, _>>())
    });
    use_memo(asked.load, |load| load.value().cloned().unwrap_or_default())
}

/// What a [`SourceLink`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SourceLinkProps {
    /// The source.
    pub id: SourceId,
    /// What sources are called.
    #[prop_or_default]
    pub names: SourceNames,
}

/// A source's name, else its id, as a link to its page.
#[component]
pub fn SourceLink(props: &SourceLinkProps) -> Html {
    let shown = props.names.get(props.id.as_str());
    let class = if shown.is_some() { classes!("n") } else { classes!("n", "mono") };
    let text = shown.cloned().unwrap_or_else(|| short_id(props.id.as_str()));
    html! {
        <Link to={Route::Source(props.id.clone())} {class}><span title={props.id.to_string()}>{ text }</span></Link>
    }
}
