//! The key figures, the tabs, and the list of the tab that is shown.

use super::export::ExportDialog;
use super::figures::{active, figures};
use super::filter::{command, filter_of};
use super::rows::RunRows;
use super::scheduled::{ScheduledFires, command as command_of_fires};
use super::tab::RunsTab;
use crate::clock;
use crate::kit::format::count;
use crate::kit::{Button, ButtonKind, Tab, Tabs};
use crate::parts::CliTwin;
use crate::router::{Query, use_router};
use crate::store::use_session;
use stella_contract::feature::Feature;
use stella_contract::ids::RunId;
use stella_contract::overview::Overview;
use stella_contract::run::RunTab;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// Where a list of runs stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Side {
    /// It is the page's own.
    #[default]
    Main,
    /// It is of the pinned tenant, beside the page's own, and has its filters.
    Pinned,
}

/// What a [`TabbedRuns`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct TabbedRunsProps {
    /// Which tab.
    pub tab: RunsTab,
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

/// Figures, tabs, and the list.
#[component]
pub(super) fn TabbedRuns(props: &TabbedRunsProps) -> Html {
    let (router, session) = (use_router(), use_session());
    let exporting = use_state_eq(|| None::<RunTab>);
    let counted = use_state_eq(|| None::<(RunsTab, u64)>);
    let (tab, query) = (props.tab, props.query.clone());
    let is_main = props.side == Side::Main;
    let on_tab = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |tab: AttrValue| router.ask(&query.with("tab", tab.as_str())))
    };
    let on_total = {
        let counted = counted.clone();
        Callback::from(move |total: Option<u64>| counted.set(total.map(|total| (tab, total))))
    };
    let export = {
        let exporting = exporting.clone();
        Callback::from(move |tab: Option<RunTab>| exporting.set(tab))
    };
    let download = session.session.value().is_some_and(|one| one.scopes.contains(&Scope::DownloadsRead));
    let words = match tab {
        RunsTab::Runs(tab) => command(&filter_of(&query, tab, clock::now())),
        RunsTab::Scheduled => command_of_fires(&query),
    };
    let words: Vec<AttrValue> = words.into_iter().map(AttrValue::from).collect();
    let verb = match (tab, download && is_main) {
        (RunsTab::Runs(tab), true) => html! {
            <Button small={true} kind={ButtonKind::Ghost} on_click={export.reform(move |()| Some(tab))}>{ "Export…" }</Button>
        },
        (RunsTab::Runs(_) | RunsTab::Scheduled, _) => Html::default(),
    };
    html! {
        <>
            if is_main && !session.is_off(Feature::Dashboard) { if let Some(overview) = &props.overview { { figures(overview) } } }
            <Tabs label="Runs by outcome" tabs={tabs(props.overview.as_ref(), *counted)}
                current={tab.as_str()} on_choose={on_tab} main={is_main && props.open.is_none()}>
                { verb }
                if is_main { <CliTwin {words} button={true} /> }
            </Tabs>
            { match tab {
                RunsTab::Runs(tab) => html! {
                    <RunRows {tab} query={query.clone()} open={props.open.clone()} side={props.side} on_open={props.on_open.clone()} on_new={props.on_new.clone()} {on_total} />
                },
                RunsTab::Scheduled => html! { <ScheduledFires query={query.clone()} side={props.side} {on_total} /> },
            } }
            if let Some(tab) = *exporting { <ExportDialog {tab} on_close={export.reform(|()| None)} /> }
        </>
    }
}

fn tabs(overview: Option<&Overview>, shown: Option<(RunsTab, u64)>) -> Vec<Tab> {
    RunsTab::ALL
        .iter()
        .map(|tab| {
            let known = match tab {
                RunsTab::Runs(RunTab::Active) => overview.map(|overview| active(&overview.runs)),
                RunsTab::Runs(RunTab::Completed | RunTab::Failures) | RunsTab::Scheduled => {
                    shown.filter(|(shown, _)| shown == tab).map(|(_, total)| total as i64)
                }
            };
            Tab::new(tab.as_str(), tab.title()).counting(known.map(count))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_counts_only_what_is_known() {
        let tabs = tabs(None, Some((RunsTab::Runs(RunTab::Failures), 9)));
        let counts: Vec<_> =
            tabs.iter().map(|tab| tab.count.as_ref().map(|count| count.to_string())).collect();
        assert_eq!(counts, [None, None, None, Some("9".to_owned())]);
        let titles: Vec<String> = tabs.iter().map(|tab| tab.label.to_string()).collect();
        assert_eq!(titles, ["Active", "Completed", "Scheduled", "Failures"]);
    }
}
