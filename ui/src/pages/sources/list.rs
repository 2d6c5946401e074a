//! The sources of the tenant, and one of them beside the list.

use super::add::AddSourceDialog;
use super::board::BackfillBoard;
use super::run::RunSourceDialog;
use crate::kit::format::{count, duration_short};
use crate::kit::{
    Button, ButtonKind, Column, CopyId, Countdown, Drawer, Empty, Shape, Tab, Table, TableBody, Tabs,
    TimeAgo, Width, use_keys,
};
use crate::pages::filter_bar::{FilterBar, FilterField, wanted};
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::pages::saved_views::SavedViews;
use crate::parts::{CliTwin, JobLink, StateBadge};
use crate::router::{Link, Query, Router, use_router};
use crate::store::{Watch, use_list, use_session};
use stella_contract::route::Route;
use stella_contract::saved_view::ViewPage;
use stella_contract::scope::Scope;
use stella_contract::source::{Source, SourceFilter, SourceHealth, SourceType};
use yew::prelude::*;

/// What is open over the list.
#[derive(Clone, PartialEq)]
enum Layer {
    None,
    Add,
    Run(Box<Source>),
}

/// What the list can be filtered by, as the address names it.
const FILTERS: [&str; 3] = ["type", "enabled", "paused"];

/// The filters of the address, and nothing else of it.
fn filters(query: &Query) -> Query {
    let own = FILTERS.iter().filter_map(|name| Some((*name, query.get(name)?)));
    own.fold(Query::default(), |all, (name, value)| all.with(name, value))
}

/// What the core is asked for.
fn filter_of(query: &Query) -> SourceFilter {
    let said = |name: &str| match query.get(name) {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    };
    SourceFilter { source_type: wanted(query, "type"), enabled: said("enabled"), paused: said("paused") }
}

fn fields() -> Vec<FilterField> {
    let yes_no = || ["yes", "no"].into_iter();
    vec![
        FilterField::choice("type", "Type", SourceType::ALL.iter().map(|kind| kind.as_str())),
        FilterField::choice("enabled", "Switched on", yes_no()),
        FilterField::choice("paused", "Paused", yes_no()),
    ]
}

/// The same list on the command line.
fn command(query: &Query) -> Vec<AttrValue> {
    let filter = filter_of(query);
    let mut words = vec!["source".to_owned(), "list".to_owned()];
    if let Some(kind) = filter.source_type {
        words.extend(["--type".to_owned(), kind.to_string()]);
    }
    for (option, value) in [("--enabled", filter.enabled), ("--paused", filter.paused)] {
        if let Some(value) = value {
            words.extend([option.to_owned(), value.to_string()]);
        }
    }
    words.into_iter().map(AttrValue::from).collect()
}

fn no_match(query: &Query, router: &Router) -> Html {
    let clear = {
        let router = router.clone();
        Callback::from(move |()| router.ask(&Query::default()))
    };
    let said: Vec<String> = query.pairs().map(|(name, value)| format!("{name} {value}")).collect();
    html! {
        <Empty icon={Shape::Filter} fact="No source matches" actions={html! { <Button on_click={clear}>{ "Clear filters" }</Button> }}>
            { format!("All sources were searched for {}.", said.join(", ")) }
        </Empty>
    }
}

/// Sources.
#[component]
pub fn SourcesPage() -> Html {
    let router = use_router();
    let refusal = use_session().refusal(Scope::OrchSubmit).map(AttrValue::from);
    let layer = use_state(|| Layer::None);
    let shown = filters(&router.location().query);
    let list = {
        let filter = filter_of(&shown);
        use_list(format!("sources{shown}"), Watch::of(&["source", "job"]), false, move |api, page| {
            let filter = filter.clone();
            async move { api.sources(&filter, &page).await }
        })
    };
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let add = {
        let (layer, can) = (layer.clone(), refusal.is_none());
        Callback::from(move |()| {
            if can {
                layer.set(Layer::Add);
            }
        })
    };
    {
        let add = add.clone();
        use_keys(move |key| {
            let used = key.name == "n" && !key.ctrl;
            if used {
                add.emit(());
            }
            used
        });
    }
    let query = router.location().query.clone();
    let chosen = query
        .get("id")
        .and_then(|id| list.state.rows.iter().find(|one| one.source_id.as_str() == id))
        .cloned();
    let on_open = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |id: String| router.ask(&query.with("id", id)))
    };
    let on_close = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |()| router.ask(&query.without("id")))
    };
    let backfills = query.get("tab") == Some("backfills");
    let on_tab = {
        let router = router.clone();
        Callback::from(move |tab: AttrValue| {
            let tab = if tab == "sources" { "" } else { tab.as_str() };
            router.ask(&Query::default().with("tab", tab));
        })
    };
    let close_layer = {
        let (layer, reload) = (layer.clone(), list.reload.clone());
        Callback::from(move |()| {
            layer.set(Layer::None);
            reload.emit(());
        })
    };
    let run = {
        let layer = layer.clone();
        Callback::from(move |source: Source| layer.set(Layer::Run(Box::new(source))))
    };
    let nothing = if shown.is_empty() {
        html! {
            <Empty icon={Shape::Package} fact="No sources yet"
                actions={html! { <Button kind={ButtonKind::Primary} on_click={add.clone()} disabled={refusal.clone()}>{ "Add source…" }</Button> }}>
                { "A source is a feed of OSV advisories, the list of exploited vulnerabilities, or a folder of SBOMs. By command: " }
                <span class="mono">{ "stella source add --name osv --type advisory --location /path/osv.zip" }</span>
            </Empty>
        }
    } else {
        no_match(&shown, &router)
    };
    let table = html! {
        <Table label="Sources" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            total={list.state.total} {on_open} current={chosen.as_ref().map(|one| one.source_id.to_string())}
            on_more={list.more.clone()} loading={list.is_loading_more()} />
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Sources" }</h1>
                <span class="grow"></span>
                <CliTwin words={command(&shown)} button={true} />
                <Button kind={ButtonKind::Primary} key_hint="N" on_click={add} disabled={refusal.clone()}>{ "Add source…" }</Button>
            </div>
            <Tabs label="What is shown" tabs={vec![Tab::new("sources", "Sources").counting(list.state.total.map(|total| count(total as i64))), Tab::new("backfills", "Backfills")]}
                current={if backfills { "backfills" } else { "sources" }} on_choose={on_tab} />
            if backfills {
                <BackfillBoard />
            } else {
                <div class="with-drawer">
                    <div class="list">
                        <SavedViews page={ViewPage::Sources} filter={shown.clone()} />
                        <FilterBar fields={fields()}><span class="f3 sm">{ "By name" }</span></FilterBar>
                        { listing("Sources", &list, nothing, table) }
                        { foot(&list, Html::default()) }
                    </div>
                    if let Some(source) = chosen { { drawer(&source, &refusal, &run, &on_close) } }
                </div>
            }
            { match &*layer {
                Layer::None => Html::default(),
                Layer::Add => html! { <AddSourceDialog on_close={close_layer} /> },
                Layer::Run(source) => html! { <RunSourceDialog source={Source::clone(source)} on_close={close_layer} /> },
            } }
        </>
    }
}

fn columns() -> Vec<Column<Source>> {
    vec![
        Column::new(
            "health",
            "Health",
            Width::Fixed(104),
            |one: &Source| html! { <StateBadge<SourceHealth> state={one.health} /> },
        ),
        Column::new(
            "name",
            "Name",
            Width::Share(2, 120),
            |one: &Source| html! { <Link to={Route::Source(one.source_id.clone())} class="n b">{ &one.name }</Link> },
        ),
        Column::new("type", "Type", Width::Fixed(88), |one: &Source| html! { one.source_type.as_str() }),
        Column::new(
            "location",
            "Location",
            Width::Share(4, 160),
            |one: &Source| html! { <span class="mono" title={one.location.clone()}>{ &one.location }</span> },
        ),
        Column::new("lag", "Lag", Width::Fixed(72), |one: &Source| match one.lag_s {
            Some(lag) => html! { duration_short(lag * 1_000) },
            None => html! { <span class="f3">{ "none" }</span> },
        })
        .at_end()
        .drops_below(860),
        Column::new("records", "Records", Width::Fixed(88), |one: &Source| html! { count(one.record_count) })
            .at_end(),
        Column::new(
            "watermark",
            "Newest record",
            Width::Fixed(168),
            |one: &Source| html! { <span class="mono">{ one.watermark.as_deref().unwrap_or("none") }</span> },
        )
        .drops_below(980),
        Column::new("success", "Last success", Width::Fixed(120), |one: &Source| match one.last_success_at {
            Some(at) => html! { <TimeAgo {at} /> },
            None => html! { <span class="f3">{ "never" }</span> },
        })
        .at_end(),
    ]
}

fn drawer(
    source: &Source,
    refusal: &Option<AttrValue>,
    run: &Callback<Source>,
    on_close: &Callback<()>,
) -> Html {
    let refusal =
        refusal.clone().or_else(|| (!source.enabled).then(|| AttrValue::from("The source is disabled")));
    let read = {
        let (run, source) = (run.clone(), source.clone());
        Callback::from(move |()| run.emit(source.clone()))
    };
    html! {
        <Drawer label={format!("Source {}", source.name)} on_close={on_close.clone()}
            head={html! { <span class="b cut">{ &source.name }</span> }}
            verbs={html! { <div class="row">
                <StateBadge<SourceHealth> state={source.health} pill={true} />
                <Link to={Route::Source(source.source_id.clone())} class="link">{ "Open" }</Link>
                <span class="grow"></span>
                <Button on_click={read} disabled={refusal}>{ "Run now…" }</Button>
            </div> }}
            foot={html! { <CliTwin words={["source", "show", source.source_id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec()} /> }}>
            <div class="sec">
                <dl class="kv">
                    <dt>{ "Source ID" }</dt><dd><CopyId text={source.source_id.to_string()} shown={crate::kit::format::short_id(source.source_id.as_str())} /></dd>
                    <dt>{ "Type" }</dt><dd>{ source.source_type.as_str() }<span class="f3">{ format!(", read by {}", source.source_type.job_type()) }</span></dd>
                    <dt>{ "Location" }</dt><dd class="mono" title={source.location.clone()}>{ &source.location }</dd>
                    <dt>{ "Records" }</dt><dd>{ count(source.record_count) }</dd>
                    <dt>{ "Newest record" }</dt><dd class="mono">{ source.watermark.as_deref().unwrap_or("none") }</dd>
                    <dt>{ "Last success" }</dt><dd>{ source.last_success_at.map_or_else(|| html! { "never" }, |at| html! { <TimeAgo {at} /> }) }</dd>
                    <dt>{ "Last job" }</dt><dd>{ source.last_job_id.as_ref().map_or_else(|| html! { "none" }, |id| html! { <JobLink id={id.clone()} /> }) }</dd>
                    if let Some(until) = source.not_before { <dt>{ "Not before" }</dt><dd><Countdown {until} over="may be read now" /></dd> }
                    <dt>{ "Added" }</dt><dd><TimeAgo at={source.created_at} /></dd>
                </dl>
            </div>
            if let Some(error) = &source.last_error {
                <div class="sec">
                    <div class="sec-h"><h2>{ "Last failure" }</h2>
                        if let Some(at) = source.last_error_at { <span class="note"><TimeAgo {at} /></span> }
                    </div>
                    <p class="prose">{ error }{ source.last_error_code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default() }</p>
                    <p class="f3 sm">{ "What was read before that is kept." }</p>
                </div>
            }
            <div class="sec row wrap"><Link to={Route::Source(source.source_id.clone())} class="link">{ "Coverage and backfills" }</Link><Link to={Route::Jobs} class="link" query={Query::default().with("source", source.source_id.as_str())}>{ "Jobs of this source" }</Link></div>
        </Drawer>
    }
}

fn key_of(source: &Source) -> String {
    source.source_id.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_of_the_address_are_those_of_the_core_and_of_the_command_line() {
        let query = Query::parse("type=kev&paused=no&id=src_1&tab=backfills");
        let shown = filters(&query);
        assert_eq!(shown, Query::parse("type=kev&paused=no"));
        let filter = SourceFilter { source_type: Some(SourceType::Kev), enabled: None, paused: Some(false) };
        assert_eq!(filter_of(&shown), filter);
        assert_eq!(command(&shown).join(" "), "source list --type kev --paused false");
    }
}
