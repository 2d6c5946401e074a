//! The backfills of all sources, and one of them beside the list.

use super::backfills::{BackfillDrawer, columns, key_of};
use crate::kit::{Button, Empty, Shape, Table, TableBody};
use crate::pages::filter_bar::{FilterBar, FilterField, wanted};
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::router::{Query, use_router};
use crate::store::{Watch, use_list};
use stella_contract::backfill::{BackfillFilter, BackfillState};
use stella_contract::ids::BackfillId;
use yew::prelude::*;

/// The filter an address asks for.
fn filter_of(query: &Query) -> BackfillFilter {
    BackfillFilter { source: wanted(query, "source"), state: wanted(query, "state") }
}

/// The list.
#[component]
pub(super) fn BackfillBoard() -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let filter = filter_of(&query);
    let key = format!("all backfills {:?} {:?}", filter.source, filter.state);
    let list = use_list(key, Watch::of(&["backfill", "job"]), false, move |api, page| {
        let filter = filter.clone();
        async move { api.backfills(&filter, &page).await }
    });
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let shown: Option<BackfillId> = query.read("backfill");
    let on_open = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |id: String| router.ask(&query.with("backfill", id)))
    };
    let leave = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |()| router.ask(&query.without("backfill")))
    };
    let clear = {
        let router = router.clone();
        Callback::from(move |()| router.ask(&Query::default().with("tab", "backfills")))
    };
    let filtered = query.get("source").is_some() || query.get("state").is_some();
    let nothing = if filtered {
        html! { <Empty icon={Shape::Filter} fact="No backfill matches" actions={html! { <Button on_click={clear}>{ "Clear filters" }</Button> }}>{ "All backfills of the tenant were searched." }</Empty> }
    } else {
        html! { <Empty icon={Shape::Clock} fact="No backfills yet">{ "A backfill reads a range of a source's event time again. Open a source and choose the range on its map." }</Empty> }
    };
    let table = html! {
        <Table label="Backfills" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            total={list.state.total} on_open={Some(on_open)} current={shown.as_ref().map(ToString::to_string)}
            on_more={list.more.clone()} loading={list.is_loading_more()} />
    };
    let states = FilterField::choice("state", "state", BackfillState::ALL.iter().map(|word| word.as_str()));
    html! {
        <div class="with-drawer">
            <div class="list">
                <FilterBar fields={vec![states, FilterField::text("source", "source")]} />
                { listing("Backfills", &list, nothing, table) }
                { foot(&list, Html::default()) }
            </div>
            if let Some(id) = shown { <BackfillDrawer key={id.to_string()} id={id.clone()} on_close={leave} /> }
        </div>
    }
}
