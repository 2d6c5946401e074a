//! The targets of the tenant, and one of them beside the list.

use super::import::ImportDialog;
use crate::kit::format::{count, short_digest};
use crate::kit::{
    Button, ButtonKind, Column, CopyId, Drawer, Empty, Shape, Table, TableBody, Tag, TimeAgo, Width, use_keys,
};
use crate::pages::filter_bar::{FilterBar, FilterField};
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::parts::{CliTwin, RunLink};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_list, use_session};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use stella_contract::target::{Target, TargetFilter};
use yew::prelude::*;

/// Targets.
#[component]
pub fn TargetsPage() -> Html {
    let router = use_router();
    let refusal = use_session().refusal(Scope::OrchSubmit).map(AttrValue::from);
    let importing = use_state_eq(|| false);
    let query = router.location().query.clone();
    let filter = TargetFilter {
        namespace: query.get("namespace").map(str::to_owned),
        q: query.get("q").map(str::to_owned),
    };
    let key = format!("targets {:?} {:?}", filter.namespace, filter.q);
    let list = use_list(key, Watch::of(&["target", "run"]), false, move |api, page| {
        let filter = filter.clone();
        async move { api.targets(&filter, &page).await }
    });
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let import = {
        let (importing, can) = (importing.clone(), refusal.is_none());
        Callback::from(move |()| importing.set(can))
    };
    {
        let import = import.clone();
        use_keys(move |key| {
            let used = key.name == "n" && !key.ctrl;
            if used {
                import.emit(());
            }
            used
        });
    }
    let chosen = query
        .get("id")
        .and_then(|id| list.state.rows.iter().find(|one| one.target_id.as_str() == id))
        .cloned();
    let on_open = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |id: String| router.ask(&query.with("id", id)))
    };
    let on_close = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |()| router.ask(&query.without("id")))
    };
    let close_import = {
        let (importing, reload) = (importing.clone(), list.reload.clone());
        Callback::from(move |()| {
            importing.set(false);
            reload.emit(());
        })
    };
    let filtered = !query.without("id").is_empty();
    let clear = {
        let router = router.clone();
        Callback::from(move |()| router.ask(&Query::default()))
    };
    let nothing = if filtered {
        html! {
            <Empty icon={Shape::Filter} fact="No target matches" actions={html! { <Button on_click={clear}>{ "Clear filters" }</Button> }}>
                { "All targets of the tenant were searched." }
            </Empty>
        }
    } else {
        html! {
            <Empty icon={Shape::Scan} fact="No targets yet"
                actions={html! { <Button kind={ButtonKind::Primary} on_click={import.clone()} disabled={refusal.clone()}>{ "Import SBOMs…" }</Button> }}>
                { "A target is one SBOM, CycloneDX 1.2 to 1.6 or SPDX 2.2 and 2.3, of an image or a service. By command: " }
                <span class="mono">{ "stella sbom add service.cdx.json" }</span>
            </Empty>
        }
    };
    let table = html! {
        <Table label="Targets" body={TableBody::new(list.state.rows.clone(), key_of, columns)}
            total={list.state.total} {on_open} current={chosen.as_ref().map(|one| one.target_id.to_string())}
            on_more={list.more.clone()} loading={list.is_loading_more()} />
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Targets" }</h1>
                <span class="f2 sm">{ "one SBOM each" }</span>
                <span class="grow"></span>
                <CliTwin words={["sbom", "list"].map(AttrValue::from).to_vec()} button={true} />
                <Button kind={ButtonKind::Primary} key_hint="N" on_click={import} disabled={refusal}>{ "Import SBOMs…" }</Button>
            </div>
            <div class="with-drawer">
                <div class="list">
                    <FilterBar fields={vec![FilterField::text("q", "name"), FilterField::text("namespace", "namespace")]} />
                    { listing("Targets", &list, nothing, table) }
                    { foot(&list, Html::default()) }
                </div>
                if let Some(target) = chosen { { drawer(&target, &on_close) } }
            </div>
            if *importing { <ImportDialog on_close={close_import} /> }
        </>
    }
}

fn findings_of(target: &Target) -> Query {
    Query::default().with("target", target.target_id.as_str())
}

fn columns() -> Vec<Column<Target>> {
    vec![
        Column::new("name", "Name", Width::Share(3, 140), |one: &Target| html! { <span class="b" title={one.name.clone()}>{ &one.name }</span> }),
        Column::new("version", "Version", Width::Fixed(96), |one: &Target| html! { if one.version.is_empty() { <span class="f3">{ "none" }</span> } else { { &one.version } } }),
        Column::new("digest", "Digest", Width::Fixed(136), |one: &Target| html! { <span class="mono" title={one.digest.clone()}>{ short_digest(&one.digest) }</span> })
            .drops_below(860),
        Column::new("namespace", "Namespace", Width::Share(1, 90), |one: &Target| html! { if one.namespace.is_empty() { <span class="f3">{ "none" }</span> } else { { &one.namespace } } })
            .drops_below(980),
        Column::new("format", "SBOM", Width::Fixed(112), |one: &Target| html! { &one.sbom_format }).drops_below(760),
        Column::new("components", "Components", Width::Fixed(96), |one: &Target| html! { count(one.component_count) }).at_end(),
        Column::new("findings", "Findings", Width::Fixed(84), |one: &Target| match one.findings {
            Some(found) => html! { <Link to={Route::Findings} query={findings_of(one)} class="n">{ count(found) }</Link> },
            None => html! { <span class="f3">{ "not run" }</span> },
        })
        .at_end(),
        Column::new("critical", "Critical", Width::Fixed(76), |one: &Target| match one.critical {
            Some(0) => html! { "0" },
            Some(found) => html! { <Link to={Route::Findings} query={findings_of(one).with("severity", "critical")} class="n k-bad">{ count(found) }</Link> },
            None => html! { <span class="f3">{ "not run" }</span> },
        })
        .at_end(),
        Column::new("updated", "SBOM changed", Width::Fixed(116), |one: &Target| html! { <TimeAgo at={one.updated_at} /> }).at_end(),
    ]
}

fn drawer(target: &Target, on_close: &Callback<()>) -> Html {
    html! {
        <Drawer label={format!("Target {}", target.name)} on_close={on_close.clone()}
            head={html! { <><span class="b cut">{ &target.name }</span><span class="f2">{ &target.version }</span></> }}
            verbs={html! { <Link to={Route::Findings} query={findings_of(target)} class="link">{ match target.findings {
                Some(found) => format!("Open {} findings", count(found)),
                None => "No run has looked at it yet".to_owned(),
            } }</Link> }}
            foot={html! { <CliTwin words={["findings", "list", "--target", target.target_id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec()} /> }}>
            <div class="sec">
                <dl class="kv">
                    <dt>{ "Target ID" }</dt><dd><CopyId text={target.target_id.to_string()} shown={crate::kit::format::short_id(target.target_id.as_str())} /></dd>
                    <dt>{ if target.is_image { "Image digest" } else { "Name digest" } }</dt><dd><CopyId text={target.digest.clone()} shown={short_digest(&target.digest)} /></dd>
                    <dt>{ "SBOM" }</dt><dd>{ &target.sbom_format }</dd>
                    <dt>{ "SBOM digest" }</dt><dd><CopyId text={target.sbom_digest.clone()} shown={short_digest(&target.sbom_digest)} /></dd>
                    <dt>{ "Components" }</dt><dd>{ count(target.component_count) }</dd>
                    <dt>{ "Without purl" }</dt><dd>{ count(target.skipped_components) }<span class="f3">{ " cannot be evaluated" }</span></dd>
                    <dt>{ "Namespace" }</dt><dd>{ word(&target.namespace) }</dd>
                    <dt>{ "Repository" }</dt><dd>{ word(&target.repository) }</dd>
                    <dt>{ "Last run" }</dt><dd>{ target.last_run_id.as_ref().map_or_else(|| html! { "none" }, |id| html! { <RunLink id={id.clone()} /> }) }</dd>
                    <dt>{ "First came" }</dt><dd><TimeAgo at={target.created_at} /></dd>
                    <dt>{ "SBOM changed" }</dt><dd><TimeAgo at={target.updated_at} /></dd>
                </dl>
                if !target.labels.is_empty() {
                    <div class="row wrap">{ for target.labels.iter().map(|(key, value)| html! { <Tag key={key.clone()}>{ format!("{key}={value}") }</Tag> }) }</div>
                }
            </div>
        </Drawer>
    }
}

fn word(text: &str) -> Html {
    if text.is_empty() {
        html! { <span class="f3">{ "none" }</span> }
    } else {
        html! { text.to_owned() }
    }
}

fn key_of(target: &Target) -> String {
    target.target_id.to_string()
}
