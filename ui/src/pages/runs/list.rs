//! Runs: head with the backlog, what is wrong, key figures, tabs, the live table, trends and telemetry under it, and one
//! run, the trends or another tenant beside it.

use super::alerts::AlertBanners;
use super::drawer::RunDrawer;
use super::export::ExportDialog;
use super::figures::{active, backlog, figures};
use super::filter::{command, fields, filter_of, first_tab, in_force, list_query, tidy};
use super::form::{NewRunDialog, PreviewDialog};
use super::picked::{SelectionBar, chosen};
use super::pinned::{PinnedRuns, next, pinned};
use super::steps::Steps;
use super::table::{columns, key_of};
use super::telemetry::TelemetryLine;
use super::trends::{TrendStrip, TrendsPanel};
use crate::api::Load;
use crate::clock;
use crate::kit::format::count;
use crate::kit::{
    Button, ButtonKind, Empty, Lines, Selection, Shape, Skeleton, Tab, Table, TableBody, Tabs, Tag, use_keys,
};
use crate::pages::filter_bar::FilterBar;
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::pages::saved_views::SavedViews;
use crate::parts::CliTwin;
use crate::router::{Link, Query, Router, use_router};
use crate::store::{Watch, use_list, use_query, use_session};
use stella_contract::feature::Feature;
use stella_contract::ids::{RunId, Tenant};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use stella_contract::run::RunTab;
use stella_contract::saved_view::ViewPage;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`RunsPage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct RunsPageProps {
    /// The run that is open beside the list.
    #[prop_or_default]
    pub open: Option<RunId>,
}

/// Runs.
#[component]
pub fn RunsPage(props: &RunsPageProps) -> Html {
    let router = use_router();
    let session = use_session();
    let asked = use_query("overview", Watch::of(&["job", "run"]), |api| async move { api.overview().await });
    let query = use_tidy_query(&router, props.open.is_some());
    let tab = use_tab(&query, &asked.load);
    let refusal = session.refusal(Scope::RunsManage).map(AttrValue::from);
    let form = use_state_eq(|| None::<Form>);
    let show = |wanted: Form, can: bool| {
        let form = form.clone();
        Callback::from(move |()| form.set(can.then_some(wanted)))
    };
    let (preview, new) = (show(Form::Preview, true), show(Form::New, refusal.is_none()));
    let close = {
        let form = form.clone();
        Callback::from(move |()| form.set(None))
    };
    let tenants: Vec<Tenant> = session.session.value().map(|found| found.tenants.clone()).unwrap_or_default();
    let beside = pinned(&query, session.tenant.as_ref(), &tenants);
    let pin = {
        let (router, query, beside) = (router.clone(), query.clone(), beside.clone());
        let other = next(session.tenant.as_ref(), &tenants);
        Callback::from(move |()| {
            let wanted = if beside.is_some() { None } else { other.clone() };
            router.ask(&query.with("pin", wanted.map_or_else(String::new, |tenant| tenant.to_string())));
        })
    };
    let dashboard = !session.is_off(Feature::Dashboard);
    let panel = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |()| router.go(&Route::Runs, &query.without("show").with("panel", "trends")))
    };
    use_page_keys(new.clone(), pin.clone());
    let overview = asked.load.value().cloned();
    let on_open = {
        let (router, query) = (router.clone(), query.without("panel"));
        Callback::from(move |id: RunId| router.go(&Route::Run(id), &query))
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Runs" }</h1>
                if let Some(tenant) = &session.tenant { <Tag>{ tenant.to_string() }</Tag> }
                if let Some(overview) = &overview { { backlog(&overview.runs) } }
                <span class="grow"></span>
                if tenants.len() > 1 {
                    <Button kind={ButtonKind::Ghost} pressed={beside.is_some()} on_click={pin}>{ if beside.is_some() { "Unpin" } else { "Pin a tenant" } }</Button>
                }
                if dashboard { <Button on_click={panel.clone()}>{ "Queue and trends" }</Button> }
                <Button on_click={preview}>{ "Preview impact" }</Button>
                <Button kind={ButtonKind::Primary} key_hint="N" disabled={refusal} on_click={new.clone()}>{ "New run" }</Button>
            </div>
            <AlertBanners />
            if let Some(tab) = tab {
                <div class={classes!("with-drawer", beside.is_some().then_some("is-split"))}>
                    <div class="list">
                        <RunsList {tab} query={query.clone()} overview={overview} open={props.open.clone()} {on_open} on_new={new} />
                        if dashboard && beside.is_none() { <TrendStrip /><TelemetryLine on_open={panel} /> }
                    </div>
                    if let Some(tenant) = beside { <PinnedRuns key={tenant.to_string()} tenant={tenant.clone()} {tab} query={query.clone()} /> }
                    { side(props.open.clone(), query, dashboard, &router) }
                </div>
            } else {
                <Skeleton rows={12} />
            }
            { match *form {
                Some(Form::Preview) => html! { <PreviewDialog on_close={close} /> },
                Some(Form::New) => html! { <NewRunDialog on_close={close} /> },
                None => Html::default(),
            } }
        </>
    }
}

/// What stands beside the list: the open run, else the trends when they are asked for.
fn side(open: Option<RunId>, query: Query, dashboard: bool, router: &Router) -> Html {
    if let Some(id) = open {
        return html! { <RunDrawer key="drawer" {id} {query} /> };
    }
    if dashboard && query.get("panel") == Some("trends") {
        let (router, query) = (router.clone(), query.without("panel"));
        let on_close = Callback::from(move |()| router.ask(&query));
        return html! { <TrendsPanel key="trends" {on_close} /> };
    }
    Html::default()
}

/// `n` for a new run; Shift `g` and then `t` for another tenant beside this one.
#[hook]
fn use_page_keys(new: Callback<()>, pin: Callback<()>) {
    let after_g = use_mut_ref(|| false);
    use_keys(move |key| {
        let was_after_g = std::mem::replace(&mut *after_g.borrow_mut(), key.name == "G" && !key.ctrl);
        match key.name.as_str() {
            "n" if !key.ctrl => new.emit(()),
            "G" if !key.ctrl => {}
            "t" | "T" if was_after_g => pin.emit(()),
            "g T" => pin.emit(()),
            _ => return false,
        }
        true
    });
}

/// The form that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Preview,
    New,
}

/// The query of the address; a link to a run that names no filters keeps those of the list.
#[hook]
fn use_tidy_query(router: &Router, open: bool) -> Query {
    let kept = use_mut_ref(Query::default);
    let asked = router.location().query.clone();
    let query = if open { tidy(&asked, &kept.borrow()) } else { asked.clone() };
    *kept.borrow_mut() = query.without("show").without("panel");
    let router = router.clone();
    use_effect_with((asked, query.clone()), move |(asked, query)| {
        if asked != query {
            router.replace(&router.location().route.clone(), query);
        }
    });
    query
}

/// The tab of the address; without one, the open runs when there are any. Once chosen it stays, so that the list does
/// not turn over when the last open run ends.
#[hook]
fn use_tab(query: &Query, overview: &Load<Overview>) -> Option<RunTab> {
    let first = use_mut_ref(|| None::<RunTab>);
    if first.borrow().is_none() && !overview.is_waiting() {
        let open = overview.value().map_or(0, |overview| active(&overview.runs));
        *first.borrow_mut() = Some(first_tab(open));
    }
    let first = *first.borrow();
    query.read("tab").or(first)
}

/// Where a list of runs stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Side {
    /// It is the page's own.
    #[default]
    Main,
    /// It is of the pinned tenant, beside the page's own, and has its filters.
    Pinned,
}

/// What a [`RunsList`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct RunsListProps {
    /// Which runs.
    pub tab: RunTab,
    /// The address.
    pub query: Query,
    /// The tenant's figures.
    pub overview: Option<Overview>,
    /// The run that is open beside the list.
    #[prop_or_default]
    pub open: Option<RunId>,
    /// Where it stands.
    #[prop_or_default]
    pub side: Side,
    /// Told the run to open.
    pub on_open: Callback<RunId>,
    /// Opens the form for a new run.
    pub on_new: Callback<()>,
}

/// Figures, tabs, filters and the table.
#[component]
pub(super) fn RunsList(props: &RunsListProps) -> Html {
    let (router, session) = (use_router(), use_session());
    let held = use_state_eq(|| false);
    let selected = use_state_eq(Selection::default);
    let exporting = use_state_eq(|| false);
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
    let columns = use_memo(listed, |query| columns(query.clone()));
    use_reload_key(list.reload.clone());
    let on_tab = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |tab: AttrValue| router.ask(&query.with("tab", tab.as_str())))
    };
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
    let export = {
        let exporting = exporting.clone();
        Callback::from(move |on: bool| exporting.set(on))
    };
    let download = session.session.value().is_some_and(|one| one.scopes.contains(&Scope::DownloadsRead));
    let words: Vec<AttrValue> =
        command(&filter_of(&query, tab, clock::now())).into_iter().map(AttrValue::from).collect();
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
            if is_main && !session.is_off(Feature::Dashboard) { if let Some(overview) = &props.overview { { figures(overview) } } }
            <Tabs label="Runs by outcome" tabs={tabs(props.overview.as_ref(), &list.state.total.map(|total| (tab, total)))}
                current={tab.as_str()} on_choose={on_tab} main={is_main && props.open.is_none()}>
                if is_main {
                    if download { <Button small={true} kind={ButtonKind::Ghost} on_click={export.reform(|()| true)}>{ "Export…" }</Button> }
                    <CliTwin {words} button={true} />
                }
            </Tabs>
            if is_main {
                <SavedViews page={ViewPage::Runs} filter={query.without("show").without("view")} />
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
            if *exporting { <ExportDialog {tab} on_close={export.reform(|()| false)} /> }
        </>
    }
}

fn tabs(overview: Option<&Overview>, shown: &Option<(RunTab, u64)>) -> Vec<Tab> {
    RunTab::ALL
        .iter()
        .map(|tab| {
            let known = match tab {
                RunTab::Active => overview.map(|overview| active(&overview.runs)),
                RunTab::Completed | RunTab::Failures => {
                    shown.filter(|(shown, _)| shown == tab).map(|(_, total)| total as i64)
                }
            };
            Tab::new(tab.as_str(), title(*tab)).counting(known.map(count))
        })
        .collect()
}

const fn title(tab: RunTab) -> &'static str {
    match tab {
        RunTab::Active => "Active",
        RunTab::Completed => "Completed",
        RunTab::Failures => "Failures",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_counts_only_what_is_known() {
        let tabs = tabs(None, &Some((RunTab::Failures, 9)));
        let counts: Vec<_> =
            tabs.iter().map(|tab| tab.count.as_ref().map(|count| count.to_string())).collect();
        assert_eq!(counts, [None, None, Some("9".to_owned())]);
    }
}
