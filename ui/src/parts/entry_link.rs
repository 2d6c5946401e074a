//! A dead-letter entry by its id, as a link to its page.

use crate::kit::format::short_id;
use crate::router::Link;
use stella_contract::ids::DeadLetterId;
use stella_contract::route::Route;
use yew::prelude::*;

/// What an [`EntryLink`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct EntryLinkProps {
    /// The entry, as a job names it.
    pub id: AttrValue,
}

/// An entry's id as a link to its page.
#[component]
pub fn EntryLink(props: &EntryLinkProps) -> Html {
    let shown = short_id(&props.id);
    match props.id.parse::<DeadLetterId>() {
        Ok(id) => html! {
            <Link to={Route::DeadLetterEntry(id)} class="mono id"><span title={props.id.clone()}>{ shown }</span></Link>
        },
        // An id of another form leads nowhere; it is shown all the same.
        Err(_) => html! { <span class="mono" title={props.id.clone()}>{ shown }</span> },
    }
}
