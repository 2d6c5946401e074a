//! The change-sets of the tenant, newest first.

use super::words;
use crate::kit::format::count;
use crate::kit::{Column, Empty, Meter, Shape, Tab, Table, TableBody, Tabs, TimeAgo, Tone, Width};
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::parts::{CliTwin, StateBadge};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_list};
use stella_contract::change_set::{ChangeSet, ChangeSetFilter, ChangeSetState};
use stella_contract::ids::ChangeSetId;
use stella_contract::route::Route;
use yew::prelude::*;

/// Change-sets.
#[component]
pub fn ChangeSetsPage() -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let filter = ChangeSetFilter { state: query.read("state") };
    let held = use_state_eq(|| false);
    let list = {
        let filter = filter.clone();
        use_list(format!("change-sets{query}"), Watch::of(&["change_set"]), *held, move |api, page| {
            let filter = filter.clone();
            async move { api.change_sets(&filter, &page).await }
        })
    };
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let on_tab = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |tab: AttrValue| {
            router.ask(&query.with("state", if tab == "all" { "" } else { tab.as_str() }));
        })
    };
    let on_open = Callback::from(move |id: String| {
        if let Ok(id) = id.parse::<ChangeSetId>() {
            router.go(&Route::ChangeSet(id), &Query::default());
        }
    });
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let mut cli: Vec<AttrValue> = ["orch", "change-set", "list"].map(AttrValue::from).to_vec();
    if let Some(state) = filter.state {
        cli.extend(["--state".into(), state.as_str().into()]);
    }
    let states = ChangeSetState::ALL.iter().map(|state| Tab::new(state.as_str(), state.as_str()));
    let tabs: Vec<Tab> = std::iter::once(Tab::new("all", "All")).chain(states).collect();
    let table = html! {
        <Table label="Change-sets" body={TableBody::new(list.state.rows.clone(), key_of, columns)} {on_open}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let nothing = html! {
        <Empty icon={Shape::Filter} fact={filter.state.map_or_else(|| "No change-sets yet".to_owned(), |state| format!("No change-set is {state}"))}>
            { "A change-set is one verb on many jobs. Select rows of the jobs list to make one. " }
            <Link to={Route::Jobs} class="link">{ "Open jobs" }</Link>
        </Empty>
    };
    html! {
        <>
            <div class="page-head">
                <span class="crumb nw"><Link to={Route::Jobs}>{ "Jobs" }</Link>{ " ›" }</span>
                <h1>{ "Change-sets" }</h1>
                <span class="grow"></span>
                <CliTwin words={cli} button={true} />
            </div>
            <Tabs label="State" {tabs} current={filter.state.map_or("all", ChangeSetState::as_str)} on_choose={on_tab} />
            { listing("Change-sets", &list, nothing, table) }
            { foot(&list, Html::default()) }
        </>
    }
}

fn key_of(set: &ChangeSet) -> String {
    set.change_set_id.to_string()
}

/// How much of it has been reached.
pub(super) fn share(set: &ChangeSet) -> f64 {
    let all = set.dry_run.eligible.max(1);
    (all - set.progress.waiting) as f64 / all as f64
}

fn columns() -> Vec<Column<ChangeSet>> {
    vec![
        Column::new("state", "State", Width::Fixed(104), |set: &ChangeSet| html! { <StateBadge<ChangeSetState> state={set.state} /> }),
        Column::new("what", "Change-set", Width::Fixed(170), |set: &ChangeSet| html! {
            <Link to={Route::ChangeSet(set.change_set_id.clone())} class="b">{ words::title(set) }</Link>
        }),
        Column::new("selection", "Selection", Width::Share(3, 160), |set: &ChangeSet| html! { <span class="mono cut">{ words::selection(set).0 }</span> }),
        Column::new("progress", "Reached", Width::Share(2, 140), |set: &ChangeSet| html! {
            <Meter share={share(set)} tone={Tone::Live} label={format!("{} of {}", set.dry_run.eligible - set.progress.waiting, set.dry_run.eligible)} />
        }),
        Column::new("failed", "Failed", Width::Fixed(72), |set: &ChangeSet| html! {
            <span class={classes!((set.progress.failed > 0).then_some("k-bad"))}>{ count(set.progress.failed) }</span>
        }).at_end(),
        Column::new("by", "By", Width::Fixed(110), |set: &ChangeSet| html! {
            <span class="cut">{ set.started_by.as_ref().unwrap_or(&set.created_by) }</span>
        }).drops_below(860),
        Column::new("reason", "Reason", Width::Share(2, 120), |set: &ChangeSet| match &set.reason {
            Some(reason) => html! { <span class="cut" title={reason.clone()}>{ reason }</span> },
            None => html! { <span class="f3">{ "not started" }</span> },
        }).drops_below(980),
        Column::new("age", "Made", Width::Fixed(96), |set: &ChangeSet| html! { <TimeAgo at={set.created_at} /> }).at_end(),
    ]
}
