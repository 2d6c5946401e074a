//! Runs: head with the schedule and the backlog, what is wrong, the list of a tab, trends and telemetry under it, and
//! one run, the trends or another tenant beside it.

use super::alerts::AlertBanners;
use super::drawer::RunDrawer;
use super::figures::{active, backlog};
use super::filter::{first_tab, tidy};
use super::form::{NewRunDialog, PreviewDialog};
use super::pinned::{PinnedRuns, next, pinned};
use super::schedule_choice::ScheduleChoice;
use super::tab::RunsTab;
use super::tabbed::TabbedRuns;
use super::telemetry::TelemetryLine;
use super::trends::{TrendStrip, TrendsPanel};
use crate::api::Load;
use crate::kit::{Button, ButtonKind, Skeleton, Tag, use_keys};
use crate::router::{Query, Router, use_router};
use crate::store::{Watch, use_query, use_session};
use stella_contract::feature::Feature;
use stella_contract::ids::{RunId, Tenant};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
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
                <ScheduleChoice query={query.clone()} />
                if let Some(overview) = &overview { { backlog(&overview.runs) } }
                <span class="grow"></span>
                if tenants.len() > 1 {
                    <Button kind={ButtonKind::Ghost} pressed={beside.is_some()} on_click={pin}>{ if beside.is_some() { "Unpin" } else { "Pin a tenant" } }</Button>
                }
                if dashboard { <Button on_click={panel.clone()}>{ "Schedules and queue" }</Button> }
                <Button on_click={preview}>{ "Preview impact" }</Button>
                <Button kind={ButtonKind::Primary} key_hint="N" disabled={refusal} on_click={new.clone()}>{ "New run" }</Button>
            </div>
            <AlertBanners />
            if let Some(tab) = tab {
                <div class={classes!("with-drawer", beside.is_some().then_some("is-split"))}>
                    <div class="list">
                        <TabbedRuns {tab} query={query.clone()} overview={overview} open={props.open.clone()} {on_open} on_new={new} />
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
fn use_tab(query: &Query, overview: &Load<Overview>) -> Option<RunsTab> {
    let first = use_mut_ref(|| None::<RunsTab>);
    if first.borrow().is_none() && !overview.is_waiting() {
        let open = overview.value().map_or(0, |overview| active(&overview.runs));
        *first.borrow_mut() = Some(first_tab(open));
    }
    let first = *first.borrow();
    query.read("tab").or(first)
}
