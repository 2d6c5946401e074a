//! A second tenant beside the shown one, live: the same list with the same filters, over a feed of its own.

use super::figures::{active, backlog};
use super::filter::list_query;
use super::tab::RunsTab;
use super::tabbed::{Side, TabbedRuns};
use crate::kit::{Button, ButtonKind, Shape};
use crate::router::{Query, use_router};
use crate::store::{FeedStore, SessionStore, Watch, use_feed_store, use_query, use_session};
use stella_contract::ids::{RunId, Tenant};
use stella_contract::route::Route;
use yew::prelude::*;

/// The tenant that is pinned by the address, as long as the caller may see it and it is not shown already.
pub(super) fn pinned(query: &Query, shown: Option<&Tenant>, tenants: &[Tenant]) -> Option<Tenant> {
    let wanted: Tenant = query.read("pin")?;
    (tenants.contains(&wanted) && shown != Some(&wanted)).then_some(wanted)
}

/// The tenant to pin when none is named: the next after the shown one.
pub(super) fn next(shown: Option<&Tenant>, tenants: &[Tenant]) -> Option<Tenant> {
    let at = tenants.iter().position(|tenant| Some(tenant) == shown).map_or(0, |at| at + 1);
    tenants.iter().cycle().skip(at).take(tenants.len()).find(|tenant| Some(*tenant) != shown).cloned()
}

/// What a [`PinnedRuns`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PinnedRunsProps {
    /// Whose runs.
    pub tenant: Tenant,
    /// Which tab, as the list beside shows it.
    pub tab: RunsTab,
    /// The filters of the list beside.
    pub query: Query,
}

/// The runs of the pinned tenant.
#[component]
pub(super) fn PinnedRuns(props: &PinnedRunsProps) -> Html {
    let session = use_session().beside(&props.tenant);
    let feed = use_feed_store(&session);
    html! {
        <ContextProvider<SessionStore> context={session}>
        <ContextProvider<FeedStore> context={feed}>
            <Pane ..props.clone() />
        </ContextProvider<FeedStore>>
        </ContextProvider<SessionStore>>
    }
}

#[component]
fn Pane(props: &PinnedRunsProps) -> Html {
    let (router, session) = (use_router(), use_session());
    let asked =
        use_query(
            "overview",
            Watch::of(&["job", "run"]).every(15),
            |api| async move { api.overview().await },
        );
    let unpin = {
        let (router, query) = (router.clone(), props.query.without("pin"));
        Callback::from(move |()| router.ask(&query))
    };
    // A run is opened where its tenant is shown.
    let on_open = {
        let (choose, tenant, query) =
            (session.choose.clone(), props.tenant.clone(), list_query(&props.query));
        Callback::from(move |id: RunId| {
            choose.emit(tenant.clone());
            router.go(&Route::Run(id), &query);
        })
    };
    html! {
        <section class="pinned" aria-label={format!("Runs of {}", props.tenant)}>
            <div class="pinned-head row">
                <span class="tag">{ props.tenant.to_string() }</span>
                if let Some(overview) = asked.load.value() {
                    <span class="f2 sm nw">{ format!("{} active", active(&overview.runs)) }</span>
                    { backlog(&overview.runs) }
                }
                <span class="grow"></span>
                <Button small={true} kind={ButtonKind::Ghost} icon={Shape::Cross} label={format!("Unpin {}", props.tenant)} on_click={unpin} />
            </div>
            <TabbedRuns tab={props.tab} query={props.query.clone()} overview={asked.load.value().cloned()} side={Side::Pinned} {on_open} on_new={Callback::noop()} />
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_tenant_the_caller_may_see_is_pinned() {
        let tenant = |name: &str| name.parse::<Tenant>().unwrap();
        let (acme, north) = (tenant("acme"), tenant("northwind"));
        let both = [acme.clone(), north.clone()];
        let asked = |name: &str| pinned(&Query::default().with("pin", name), Some(&acme), &both);
        assert_eq!(asked("northwind"), Some(north.clone()));
        assert_eq!((asked("acme"), asked("gone"), asked("")), (None, None, None));
        assert_eq!(next(Some(&acme), &both), Some(north.clone()));
        assert_eq!(next(Some(&north), &both), Some(acme.clone()));
        assert_eq!(next(Some(&acme), &both[..1]), None);
    }
}
