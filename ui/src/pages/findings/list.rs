//! The findings of the tenant, the worst first, and one of them beside the list.

use super::drawer::FindingDrawer;
use super::export::ExportButton;
use super::filter::{command, fields, filter_of, key_of, key_of_open, list_of, open_of, opening};
use super::purl::short;
use crate::kit::format::count;
use crate::kit::{Button, Column, Empty, Shape, Table, TableBody, TimeAgo, Width};
use crate::pages::filter_bar::FilterBar;
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::pages::saved_views::SavedViews;
use crate::parts::{CliTwin, KevTag, Severity, StateBadge};
use crate::router::{Link, Query, Router, use_router};
use crate::store::{Watch, use_list, use_query, use_session};
use stella_contract::finding::Finding;
use stella_contract::overview::Overview;
use stella_contract::policy::Verdict;
use stella_contract::route::Route;
use stella_contract::saved_view::ViewPage;
use yew::prelude::*;

/// Findings.
#[component]
pub fn FindingsPage() -> Html {
    let router = use_router();
    let session = use_session();
    let query = router.location().query.clone();
    let shown = list_of(&query);
    let filter = filter_of(&shown);
    let held = use_state_eq(|| false);
    let list = {
        let filter = filter.clone();
        use_list(format!("findings{shown}"), Watch::of(&["run", "target"]), *held, move |api, page| {
            let filter = filter.clone();
            async move { api.findings(&filter, &page).await }
        })
    };
    let overview =
        use_query("overview", Watch::of(&["job", "run"]), |api| async move { api.overview().await });
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let open = open_of(&query);
    let on_open = {
        let (router, query, rows) = (router.clone(), query.clone(), list.state.rows.clone());
        Callback::from(move |key: String| {
            if let Some(finding) = rows.iter().find(|finding| key_of(finding) == key) {
                router.ask(&opening(&query, finding));
            }
        })
    };
    let on_close = {
        let (router, shown) = (router.clone(), shown.clone());
        Callback::from(move |()| router.ask(&shown))
    };
    let on_hold = Callback::from(move |over: bool| held.set(over));
    let words: Vec<AttrValue> = command(&filter).into_iter().map(AttrValue::from).collect();
    let table = html! {
        <Table label="Findings" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            total={list.state.total} {on_open} current={open.as_ref().map(key_of_open)}
            on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let summary = overview.load.value().map(totals);
    let nothing = nothing(&shown, overview.load.value(), &router);
    html! {
        <>
            <div class="page-head">
                <h1>{ "Findings" }</h1>
                if let Some(tenant) = &session.tenant { <span class="f3 sm">{ tenant.to_string() }</span> }
                if let Some(summary) = summary { <span class="f2 sm">{ summary }</span> }
                <span class="grow"></span>
                <ExportButton filter={filter.clone()} />
                <CliTwin {words} button={true} />
            </div>
            <div class="with-drawer">
                <div class="list">
                    <SavedViews page={ViewPage::Findings} filter={shown.clone()} />
                    <FilterBar fields={fields()}>
                        <span class="f3 sm">{ if filter.run.is_some() { "As this run left them, the worst first" } else { "The latest of every target, the worst first" } }</span>
                    </FilterBar>
                    { listing("Findings", &list, nothing, table) }
                    { foot(&list, Html::default()) }
                </div>
                if let Some(open) = open {
                    <FindingDrawer key={key_of_open(&open)} open={open.clone()} {on_close} />
                }
            </div>
        </>
    }
}

/// How many stand, in the head.
fn totals(overview: &Overview) -> Html {
    let inputs = overview.inputs;
    let critical = Query::default().with("severity", "critical");
    html! {
        <>
            <Link to={Route::Findings} class="n">{ count(inputs.findings) }</Link>{ " stand, " }
            <Link to={Route::Findings} query={critical} class={classes!("n", (inputs.findings_critical > 0).then_some("k-bad"))}>{ count(inputs.findings_critical) }</Link>
            { " critical, in " }<Link to={Route::Targets} class="n">{ count(inputs.targets) }</Link>{ " targets" }
        </>
    }
}

/// What stands in place of rows. Nothing found is not the same as nothing evaluated.
fn nothing(query: &Query, overview: Option<&Overview>, router: &Router) -> Html {
    if !query.is_empty() {
        let clear = {
            let router = router.clone();
            Callback::from(move |()| router.ask(&Query::default()))
        };
        let said: Vec<String> = query.pairs().map(|(name, value)| format!("{name} {value}")).collect();
        return html! {
            <Empty icon={Shape::Filter} fact="No finding matches"
                actions={html! { <Button on_click={clear}>{ "Clear filters" }</Button> }}>
                { format!("All findings were searched for {}.", said.join(", ")) }
            </Empty>
        };
    }
    let inputs = overview.map(|overview| overview.inputs);
    if inputs.is_some_and(|inputs| inputs.targets > 0 && inputs.advisories > 0) {
        return html! {
            <Empty icon={Shape::Scan} fact="No findings"
                actions={html! { <Link to={Route::Runs} class="link">{ "Open runs" }</Link> }}>
                { "Either no run has looked at the targets yet, or the last runs found nothing in them. The targets say which." }
            </Empty>
        };
    }
    html! {
        <Empty icon={Shape::DashedRing} fact="No findings data"
            actions={html! { <>
                <Link to={Route::Sources} class="link">{ "1. Add a source" }</Link>
                <Link to={Route::Targets} class="link">{ "2. Import SBOMs" }</Link>
                <Link to={Route::Runs} class="link">{ "3. Start a run" }</Link>
            </> }}>
            { "Findings are unknown, not zero: they need advisories, SBOMs and a run." }
        </Empty>
    }
}

/// The list of a target's findings.
pub(super) fn of_target(finding: &Finding) -> Query {
    Query::default().with("target", finding.target_id.as_str())
}

fn columns() -> Vec<Column<Finding>> {
    vec![
        Column::new(
            "severity",
            "Severity",
            Width::Fixed(96),
            |one: &Finding| html! { <Severity level={one.severity} /> },
        ),
        Column::new("score", "Score", Width::Fixed(56), score).at_end().drops_below(900),
        Column::new("vulnerability", "Vulnerability", Width::Share(2, 176), vulnerability),
        Column::new("verdict", "Verdict", Width::Fixed(88), |one: &Finding| match one.verdict {
            Some(verdict) => html! { <StateBadge<Verdict> state={verdict} /> },
            None => html! { <span class="f3">{ "none" }</span> },
        })
        .drops_below(800),
        Column::new("component", "Component", Width::Share(3, 160), |one: &Finding| {
            html! {
                <span class="mono" title={one.purl.clone()}>{ short(&one.purl) }</span>
            }
        }),
        Column::new("target", "Target", Width::Share(2, 120), |one: &Finding| {
            html! {
                <Link to={Route::Findings} query={of_target(one)} class="n"><span title={one.target_id.to_string()}>{ named(one) }</span></Link>
            }
        }),
        Column::new("fixed", "Fixed in", Width::Fixed(112), |one: &Finding| match &one.fixed_version {
            Some(version) => html! { <span class="mono" title={version.clone()}>{ version }</span> },
            None => html! { <span class="f3">{ "none" }</span> },
        })
        .drops_below(720),
        Column::new(
            "seen",
            "First seen",
            Width::Fixed(116),
            |one: &Finding| html! { <TimeAgo at={one.first_seen_at} /> },
        )
        .at_end()
        .drops_below(860),
    ]
}

fn score(one: &Finding) -> Html {
    match one.score {
        Some(score) => html! { { format!("{score:.1}") } },
        None => html! { <span class="f3">{ "none" }</span> },
    }
}

fn vulnerability(one: &Finding) -> Html {
    html! {
        <span class="row">
            <span class="mono cut" title={one.summary.clone()}>{ &one.vulnerability_id }</span>
            if one.kev { <KevTag /> }
            if one.quieted { <span class="f3 sm">{ "quieted" }</span> }
        </span>
    }
}

/// A target by name and version.
pub(super) fn named(one: &Finding) -> String {
    match one.target_version.as_str() {
        "" => one.target_name.clone(),
        version => format!("{} {version}", one.target_name),
    }
}
