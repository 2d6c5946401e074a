//! Runs: head with the backlog, key figures, tabs, the live table, and one run beside it.

use super::drawer::RunDrawer;
use super::figures::{active, backlog, figures};
use super::filter::{command, fields, filter_of, first_tab, in_force, tidy};
use super::form::{NewRunDialog, PreviewDialog};
use super::steps::Steps;
use super::table::{columns, key_of};
use crate::api::Load;
use crate::clock;
use crate::kit::format::count;
use crate::kit::{Button, ButtonKind, Empty, Lines, Shape, Skeleton, Tab, Table, Tabs, use_keys};
use crate::pages::filter_bar::FilterBar;
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::parts::CliTwin;
use crate::router::{Link, Query, Router, use_router};
use crate::store::{Watch, use_list, use_query, use_session};
use stella_contract::ids::RunId;
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use stella_contract::run::{Run, RunTab};
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
    {
        let new = new.clone();
        use_keys(move |key| {
            let used = key.name == "n" && !key.ctrl;
            if used {
                new.emit(());
            }
            used
        });
    }
    let overview = asked.load.value().cloned();
    html! {
        <>
            <div class="page-head">
                <h1>{ "Runs" }</h1>
                if let Some(tenant) = &session.tenant { <span class="f3 sm">{ tenant.to_string() }</span> }
                if let Some(overview) = &overview { { backlog(&overview.runs) } }
                <span class="grow"></span>
                <Button on_click={preview}>{ "Preview impact" }</Button>
                <Button kind={ButtonKind::Primary} key_hint="N" disabled={refusal} on_click={new.clone()}>{ "New run" }</Button>
            </div>
            if let Some(tab) = tab {
                <RunsList {tab} {query} {overview} open={props.open.clone()} on_new={new} />
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
    *kept.borrow_mut() = query.without("show");
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

#[derive(Clone, PartialEq, Properties)]
struct RunsListProps {
    tab: RunTab,
    query: Query,
    overview: Option<Overview>,
    open: Option<RunId>,
    on_new: Callback<()>,
}

#[component]
fn RunsList(props: &RunsListProps) -> Html {
    let router = use_router();
    let held = use_state_eq(|| false);
    let (tab, query) = (props.tab, props.query.clone());
    let list = {
        let query = query.clone();
        use_list(
            format!("runs {tab}{}", query.without("show")),
            Watch::of(&["run", "segment"]),
            *held,
            move |api, page| {
                let filter = filter_of(&query, tab, clock::now());
                async move { api.runs(&filter, &page).await }
            },
        )
    };
    let columns = use_memo(query.without("show"), |query| columns(query.clone()));
    use_reload_key(list.reload.clone());
    let open = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |id: RunId| router.go(&Route::Run(id), &query))
    };
    let on_tab = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |tab: AttrValue| router.ask(&query.with("tab", tab.as_str())))
    };
    let on_open = {
        let (open, rows) = (open.clone(), list.state.rows.clone());
        Callback::from(move |id: String| {
            if let Some(run) = rows.iter().find(|run| run.run_id.as_str() == id) {
                open.emit(run.run_id.clone());
            }
        })
    };
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let words: Vec<AttrValue> =
        command(&filter_of(&query, tab, clock::now())).into_iter().map(AttrValue::from).collect();
    let table = html! {
        <Table<Run> label="Runs" rows={list.state.rows.clone()} row_key={key_of as fn(&Run) -> String} {columns} lines={Lines::Two}
            total={list.state.total} {on_open} current={props.open.as_ref().map(|id| id.to_string())}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    html! {
        <div class="with-drawer">
            <div class="list">
                if let Some(overview) = &props.overview { { figures(overview) } }
                <Tabs label="Runs by outcome" tabs={tabs(props.overview.as_ref(), &list.state.total.map(|total| (tab, total)))}
                    current={tab.as_str()} on_choose={on_tab} main={props.open.is_none()}>
                    <CliTwin {words} button={true} />
                </Tabs>
                <FilterBar fields={fields()}>
                    <span class="f3 sm">{ "Newest first, live" }</span>
                </FilterBar>
                { listing("Runs", &list, nothing(&query, tab, &router, &props.on_new), table) }
                { foot(&list, Html::default()) }
            </div>
            if let (Some(current), false) = (props.open.clone(), list.state.rows.is_empty()) {
                <Steps rows={list.state.rows.clone()} {current} on_step={open} />
            }
            if let Some(id) = props.open.clone() {
                <RunDrawer key="drawer" {id} query={query} />
            }
        </div>
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
