//! The runs of a tab: views, filters and the table.

use super::filter::{fields, filter_of, in_force, list_query};
use super::picked::{SelectionBar, chosen};
use super::steps::Steps;
use super::tab::title;
use super::tabbed::Side;
use super::table::{columns, key_of};
use crate::clock;
use crate::kit::{Button, ButtonKind, Empty, Lines, Selection, Shape, Table, TableBody};
use crate::pages::filter_bar::FilterBar;
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::pages::saved_views::SavedViews;
use crate::router::{Link, Query, Router, use_router};
use crate::store::{Watch, use_list};
use stella_contract::ids::RunId;
use stella_contract::route::Route;
use stella_contract::run::RunTab;
use stella_contract::saved_view::ViewPage;
use yew::prelude::*;

/// What [`RunRows`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct RunRowsProps {
    /// Which runs.
    pub tab: RunTab,
    /// The address.
    pub query: Query,
    /// The run that is open beside the list.
    pub open: Option<RunId>,
    /// Where the list stands.
    pub side: Side,
    /// Told the run to open.
    pub on_open: Callback<RunId>,
    /// Opens the form for a new run.
    pub on_new: Callback<()>,
    /// Told how many there are, when that is known.
    pub on_total: Callback<Option<u64>>,
}

/// Views, filters and the table.
#[component]
pub(super) fn RunRows(props: &RunRowsProps) -> Html {
    let router = use_router();
    let held = use_state_eq(|| false);
    let selected = use_state_eq(Selection::default);
    let (tab, query) = (props.tab, props.query.clone());
    let is_main = props.side == Side::Main;
    let listed = list_query(&query);
    let list = {
        let query = query.clone();
        use_list(
            format!("runs {tab}{listed}"),
            Watch::of(&["run", "segment"]),
            *held || !selected.is_empty(),
            move |api, page| {
                let filter = filter_of(&query, tab, clock::now());
                async move { api.runs(&filter, &page).await }
            },
        )
    };
    {
        // Other filters, other rows: what was chosen among the old ones is not chosen any more.
        let selected = selected.setter();
        use_effect_with((tab, listed.clone()), move |_| selected.set(Selection::default()));
    }
    {
        let on_total = props.on_total.clone();
        use_effect_with((tab, list.state.total), move |(_, total)| on_total.emit(*total));
    }
    let columns = use_memo(listed, |query| columns(query.clone()));
    use_reload_key(list.reload.clone());
    let on_row = {
        let (open, rows) = (props.on_open.clone(), list.state.rows.clone());
        Callback::from(move |id: String| {
            if let Some(run) = rows.iter().find(|run| run.run_id.as_str() == id) {
                open.emit(run.run_id.clone());
            }
        })
    };
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let select = {
        let selected = selected.clone();
        Callback::from(move |keys: Selection| selected.set(keys))
    };
    let choosable = is_main.then(|| (*selected).clone());
    let table = html! {
        <Table label="Runs" body={TableBody::new(list.state.rows.clone(), key_of, columns)} lines={Lines::Two} main={is_main}
            total={list.state.total} on_open={on_row} current={props.open.as_ref().map(|id| id.to_string())}
            selected={choosable} on_select={select.clone()}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let picked = chosen(&list.state.rows, &selected);
    html! {
        <>
            if is_main {
                <SavedViews page={ViewPage::Runs} filter={list_query(&query).without("view")} />
                <FilterBar fields={fields()}>
                    <span class="f3 sm">{ "Newest first, live" }</span>
                </FilterBar>
            }
            { listing("Runs", &list, nothing(&query, tab, &router, &props.on_new), table) }
            if !picked.is_empty() {
                <SelectionBar runs={picked} on_clear={select.reform(|()| Selection::default())} />
            } else {
                { foot(&list, Html::default()) }
            }
            if let (Some(current), false) = (props.open.clone(), list.state.rows.is_empty()) {
                <Steps rows={list.state.rows.clone()} {current} on_step={props.on_open.clone()} />
            }
        </>
    }
}

/// What stands in place of rows: which filter to drop, or how a first run comes about.
fn nothing(query: &Query, tab: RunTab, router: &Router, on_new: &Callback<()>) -> Html {
    let filters = in_force(query);
    if let Some((name, label, value)) = filters.last().cloned() {
        let drop = {
            let (router, without) = (router.clone(), query.without(name));
            Callback::from(move |()| router.ask(&without))
        };
        let clear = {
            let router = router.clone();
            Callback::from(move |()| router.ask(&Query::default().with("tab", tab.as_str())))
        };
        let said: Vec<String> = filters.iter().map(|(_, label, value)| format!("{label} {value}")).collect();
        return html! {
            <Empty icon={Shape::Filter} fact={format!("No {} run matches", title(tab).to_lowercase())}
                actions={html! { <>
                    <Button on_click={drop}>{ format!("Remove {label}: {value}") }</Button>
                    if filters.len() > 1 { <Button kind={ButtonKind::Ghost} on_click={clear}>{ "Clear all" }</Button> }
                </> }}>
                { format!("All runs of this tab were searched for {}.", said.join(", ")) }
            </Empty>
        };
    }
    match tab {
        RunTab::Active => html! {
            <Empty icon={Shape::Runs} fact="No run is open">
                { "Nothing is planned, queued or running. Ended runs are under " }
                <Link to={Route::Runs} query={Query::default().with("tab", "completed")} class="link">{ "Completed" }</Link>{ "." }
            </Empty>
        },
        RunTab::Failures => html! {
            <Empty icon={Shape::DiscCheck} tone={crate::kit::Tone::Ok} fact="No run failed">
                { "Runs in error and runs that completed in part would stand here." }
            </Empty>
        },
        RunTab::Completed => html! {
            <Empty icon={Shape::Runs} fact="No runs yet"
                actions={html! { <>
                    <Link to={Route::Sources} class="link">{ "1. Add a source" }</Link>
                    <Link to={Route::Targets} class="link">{ "2. Import SBOMs" }</Link>
                    <Button on_click={on_new.clone()}>{ "3. Start a run" }</Button>
                </> }}>
                { "A run compares SBOMs with advisories and says what changed. It needs one source and one SBOM. By command: " }
                <span class="mono">{ "stella runs submit --reason 'first run'" }</span>
            </Empty>
        },
    }
}
