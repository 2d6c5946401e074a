//! The jobs of the tenant: saved views as tabs, the filter as chips and text, one line a job, newest first. Rows are
//! selected to do one verb to all of them.

use super::export;
use super::filter::{asking, command, problem_of, text_of, wanted};
use super::filter_edit::FilterEdit;
use super::picked::{Picked, has_more};
use super::views;
use crate::kit::format::{count, counted, short_id};
use crate::kit::{
    Button, ButtonKind, Column, Elapsed, Empty, Icon, IconSize, Meter, Selection, Shape, Sheet, Table,
    TableBody, Tabs, Width, save_file, use_keys,
};
use crate::pages::change_sets::DryRunDialog;
use crate::pages::listing::{foot, listing, use_reload_key};
use crate::pages::saved_views::{self, ViewDialog};
use crate::parts::{CliTwin, JobLink, RunLink, StateBadge, WaitDetail, WaitReason};
use crate::router::{Link, Query, use_router};
use crate::store::{List, Watch, use_api, use_list, use_query, use_session, use_toasts};
use stella_contract::change_set::{ChangeVerb, Selection as Chosen};
use stella_contract::ids::{JobId, ViewId};
use stella_contract::job::{Job, JobState};
use stella_contract::overview::JobFigures;
use stella_contract::page::PageQuery;
use stella_contract::route::{Route, encode_query};
use stella_contract::saved_view::{ViewFilter, ViewPage, system_views};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What is open over the page.
#[derive(Clone, PartialEq)]
enum Layer {
    None,
    Act(ChangeVerb, Chosen),
    View,
}

/// Jobs.
#[component]
pub fn JobsPage() -> Html {
    let router = use_router();
    let session = use_session();
    let query = router.location().query.clone();
    let text = text_of(&query);
    let over = use_state_eq(|| false);
    let picked = use_state_eq(Picked::default);
    let layer = use_state(|| Layer::None);
    let held = *over || picked.any();
    let list = {
        let filter = wanted(&text);
        use_list(format!("jobs {text}"), Watch::of(&["job"]), held, move |api, page| {
            let filter = filter.clone();
            async move { api.jobs(&filter, &page).await }
        })
    };
    let overview =
        use_query("overview", Watch::of(&["job", "run"]), |api| async move { api.overview().await });
    let known = use_query("views jobs", Watch::of(&["view"]), |api| async move {
        let page = PageQuery { page_token: None, page_size: Some(100) };
        api.views(&ViewFilter { page: Some(ViewPage::Jobs) }, &page).await
    });
    let of_page = |page: ViewPage| system_views().into_iter().filter(move |view| view.page == page).collect();
    let views = known.load.value().map_or_else(|| of_page(ViewPage::Jobs), |page| page.items.clone());
    let standing = views::standing(&query, &views);
    {
        // Another filter is another list; what was selected in the one before is not in it.
        let picked = picked.setter();
        use_effect_with(text.clone(), move |_| picked.set(Picked::None));
    }
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let on_tab = {
        let (router, query, views) = (router.clone(), query.clone(), views.clone());
        Callback::from(move |tab: AttrValue| router.ask(&views::opening(&query, &tab, &views)))
    };
    let on_filter = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |text: String| router.ask(&asking(&query, &text)))
    };
    let on_open = {
        let (router, rows) = (router.clone(), list.state.rows.clone());
        Callback::from(move |id: String| {
            if let Some(job) = rows.iter().find(|job| job.job_id.as_str() == id) {
                router.go(&Route::Job(job.job_id.clone()), &Query::default());
            }
        })
    };
    let on_select = {
        let (picked, rows, total) = (picked.clone(), list.state.rows.clone(), list.state.total);
        Callback::from(move |keys: Selection| picked.set(picked.after(keys, &rows, total)))
    };
    let act = {
        let (layer, picked, text) = (layer.clone(), picked.clone(), text.clone());
        let rows = list.state.rows.clone();
        let can = session.refusal(Scope::OrchOperate).is_none();
        Callback::from(move |verb: ChangeVerb| {
            if can && picked.any() && picked.refusal(verb, &rows).is_none() {
                layer.set(Layer::Act(verb, chosen(&picked, &text)));
            }
        })
    };
    {
        let (act, any) = (act.clone(), picked.any());
        let (router, alone) = (router.clone(), alone(&picked));
        use_keys(move |key| {
            let verb = match key.name.as_str() {
                "r" => ChangeVerb::Replay,
                "p" => ChangeVerb::Prioritize,
                "w" => {
                    if let Some(id) = alone.clone().filter(|_| !key.ctrl) {
                        router.go(&Route::Job(id), &Query::default());
                        return true;
                    }
                    return false;
                }
                _ => return false,
            };
            if any && !key.ctrl {
                act.emit(verb);
            }
            any && !key.ctrl
        });
    }
    let close = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(Layer::None))
    };
    let started = {
        let (picked, reload) = (picked.clone(), list.reload.clone());
        Callback::from(move |()| {
            picked.set(Picked::None);
            reload.emit(());
        })
    };
    let on_view = {
        let (router, query, refetch, text) =
            (router.clone(), query.clone(), known.refetch.clone(), text.clone());
        Callback::from(move |id: Option<ViewId>| {
            refetch.emit(());
            let view = id.map(|id| id.to_string()).unwrap_or_default();
            router.ask(&asking(&query, &text).with("view", view));
        })
    };
    let save = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(Layer::View))
    };
    let on_hold = Callback::from(move |on: bool| over.set(on));
    let save_as_file = html! { <ExportButton picked={(*picked).clone()} rows={list.state.rows.clone()} text={text.clone()} /> };
    let figures = overview.load.value().map(|overview| overview.jobs);
    let words: Vec<AttrValue> = command(&text).into_iter().map(AttrValue::from).collect();
    let selected = picked.keys(&list.state.rows);
    let table = html! {
        <Table label="Jobs" body={TableBody::new(list.state.rows.clone(), key_of, columns)} total={list.state.total}
            selected={Some(selected)} {on_select} {on_open} on_more={list.more.clone()} loading={list.is_loading_more()} {on_hold} />
    };
    let current = standing.view.as_ref().map_or_else(
        || AttrValue::Static(if text.is_empty() { saved_views::ALL } else { "" }),
        |view| AttrValue::from(view.view_id.to_string()),
    );
    html! {
        <>
            <div class="page-head">
                <h1>{ "Jobs" }</h1>
                if let Some(tenant) = &session.tenant { <span class="f3 sm">{ tenant.to_string() }</span> }
                if let Some(figures) = figures { <span class="f2 sm">{ summary(&figures) }</span> }
                <span class="grow"></span>
                <Link to={Route::ChangeSets} class="link sm">{ "Change-sets" }</Link>
                <CliTwin {words} button={true} />
            </div>
            <Tabs label="Views" tabs={saved_views::tabs(&views)} {current} on_choose={on_tab}>{ saved_views::mark(&standing, save) }</Tabs>
            <FilterEdit text={text.clone()} on_change={on_filter}>
                <span class="f3 sm">{ "Newest first" }</span>
            </FilterEdit>
            { listing("Jobs", &list, nothing(&text, &query, &router), table) }
            if picked.any() { { bar(&picked, &list, session.refusal(Scope::OrchOperate), &picked_setter(&picked), &act, save_as_file) } }
            { foot(&list, Html::default()) }
            { match &*layer {
                Layer::None => Html::default(),
                Layer::Act(verb, selection) => html! { <DryRunDialog verb={*verb} selection={selection.clone()} on_started={started} on_close={close} /> },
                Layer::View => html! { <ViewDialog page={ViewPage::Jobs} query={format!("filter={}", encode_query(&text))} {text} view={standing.view.clone()} on_done={on_view} on_close={close} /> },
            } }
        </>
    }
}

/// The only job that is selected.
fn alone(picked: &Picked) -> Option<JobId> {
    match picked {
        Picked::Rows(keys) if keys.len() == 1 => keys.first()?.parse().ok(),
        Picked::None | Picked::Rows(_) | Picked::All(_) => None,
    }
}

fn picked_setter(picked: &UseStateHandle<Picked>) -> Callback<Picked> {
    let picked = picked.clone();
    Callback::from(move |next: Picked| picked.set(next))
}

#[derive(Clone, PartialEq, Properties)]
struct ExportButtonProps {
    picked: Picked,
    rows: Sheet<Job>,
    text: String,
}

/// Saves what is selected as a file.
#[component]
fn ExportButton(props: &ExportButtonProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let busy = use_state_eq(|| false);
    let on_click = {
        let (props, busy) = (props.clone(), busy.clone());
        Callback::from(move |()| {
            let (api, toasts, props, busy) = (api.clone(), toasts.clone(), props.clone(), busy.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match export::lines(&api, &props.picked, &props.rows, &wanted(&props.text)).await {
                    Ok(lines) => {
                        let number = counted(lines.lines().count() as i64, "job", "jobs");
                        save_file("jobs.ndjson", &lines);
                        toasts.done(format!("{number} saved."), html! { "One job a line, as JSON" });
                    }
                    Err(problem) => {
                        toasts.refused("Nothing was saved.", &problem);
                    }
                }
                busy.set(false);
            });
        })
    };
    html! { <Button small={true} busy={*busy} {on_click}>{ "Export" }</Button> }
}

/// What the core is told was selected.
fn chosen(picked: &Picked, text: &str) -> Chosen {
    match picked {
        Picked::None => Chosen::Ids { ids: Vec::new() },
        Picked::Rows(keys) => Chosen::Ids { ids: keys.iter().cloned().collect() },
        Picked::All(without) => {
            Chosen::Filter { filter: text.to_owned(), excluding: without.iter().cloned().collect() }
        }
    }
}

/// The bar below the list while rows are selected.
fn bar(
    picked: &Picked,
    list: &List<Job>,
    refusal: Option<String>,
    set: &Callback<Picked>,
    act: &Callback<ChangeVerb>,
    save_as_file: Html,
) -> Html {
    let (rows, total, news) = (&list.state.rows, list.state.total, list.state.news);
    let number = picked.count(total);
    let shown = number.map_or_else(|| "All that match".to_owned(), |number| count(number as i64));
    let all = |total: Option<u64>| match total {
        Some(total) => format!("Select all {} that match", count(total as i64)),
        None => "Select all that match".to_owned(),
    };
    let offers_all = matches!(picked, Picked::Rows(_)) && has_more(picked.keys(rows).len(), total);
    let held = match news {
        0 => "list held".to_owned(),
        news => format!("list held, {} waiting", counted(news as i64, "change", "changes")),
    };
    let button = |verb: ChangeVerb, label: String, key: Option<&'static str>, kind: ButtonKind| {
        let impossible = picked.refusal(verb, rows).map(AttrValue::Static);
        let says_why = impossible.is_some();
        let disabled = impossible.or_else(|| refusal.clone().map(AttrValue::from));
        html! { <Button small={true} {kind} key_hint={key} {disabled} {says_why} on_click={act.reform(move |()| verb)}>{ label }</Button> }
    };
    let words = |verb: &str| {
        number.map_or_else(|| format!("{verb}…"), |number| format!("{verb} {}…", count(number as i64)))
    };
    html! {
        <div class="sel-bar" role="region" aria-label="Selection">
            <span class="b nw" role="status">{ format!("{shown} selected") }</span>
            if offers_all { <button type="button" class="link sm nw" onclick={set.reform(|_| Picked::All(Default::default()))}>{ all(total) }</button> }
            <span class="f3 sm cut"><Icon shape={Shape::Pause} size={IconSize::Tiny} />{ " " }{ held }</span>
            <Button small={true} kind={ButtonKind::Ghost} key_hint="Esc" on_click={set.reform(|()| Picked::None)}>{ "Clear" }</Button>
            <span class="grow"></span>
            if let Some(why) = &refusal { <span class="why">{ why }</span> }
            if let Some(id) = alone(picked) { <Link to={Route::Job(id)} class="btn sm">{ "Explain" }<kbd>{ "W" }</kbd></Link> }
            { save_as_file }
            { button(ChangeVerb::Prioritize, "Prioritise…".to_owned(), Some("P"), ButtonKind::Secondary) }
            { button(ChangeVerb::Retry, "Retry…".to_owned(), None, ButtonKind::Secondary) }
            { button(ChangeVerb::Replay, "Replay…".to_owned(), Some("R"), ButtonKind::Secondary) }
            { button(ChangeVerb::Cancel, words("Cancel"), None, ButtonKind::Danger) }
        </div>
    }
}

fn key_of(job: &Job) -> String {
    job.job_id.to_string()
}

fn summary(figures: &JobFigures) -> Html {
    let open = figures.pending + figures.queued + figures.leased + figures.running;
    let done = Query::default().with("filter", "state:succeeded age:<24h");
    let still = Query::default().with("filter", "state:pending,queued,leased,running");
    html! {
        <>
            <Link to={Route::Jobs} query={still} class="n">{ count(open) }</Link>{ " open, " }
            <Link to={Route::Jobs} query={done} class="n">{ count(figures.succeeded_24h) }</Link>{ " succeeded in 24 h" }
        </>
    }
}

fn nothing(text: &str, query: &Query, router: &crate::router::Router) -> Html {
    if text.is_empty() {
        return html! {
            <Empty icon={Shape::Engine} fact="No jobs yet">
                { "Jobs are made when a source is read and when a run is planned. " }
                <Link to={Route::Sources} class="link">{ "Open sources" }</Link>
            </Empty>
        };
    }
    let clear = {
        let (router, all) = (router.clone(), asking(query, "").without("view"));
        Callback::from(move |()| router.ask(&all))
    };
    let said = problem_of(text).unwrap_or_else(|| format!("All jobs were searched for {text}."));
    html! {
        <Empty icon={Shape::Filter} fact="No job matches" actions={html! { <Button on_click={clear}>{ "Clear filters" }</Button> }}>
            { said }
        </Empty>
    }
}

fn columns() -> Vec<Column<Job>> {
    vec![
        Column::new(
            "state",
            "State",
            Width::Fixed(104),
            |job: &Job| html! { <StateBadge<JobState> state={job.state} /> },
        ),
        Column::new(
            "id",
            "Job ID",
            Width::Fixed(150),
            |job: &Job| html! { <JobLink id={job.job_id.clone()} /> },
        ),
        Column::new(
            "type",
            "Type",
            Width::Fixed(140),
            |job: &Job| html! { <span class="mono">{ &job.job_type }</span> },
        ),
        Column::new("wait", "Wait reason, progress", Width::Share(2, 150), progress),
        Column::new("detail", "Detail", Width::Share(3, 140), detail),
        Column::new("run", "Run", Width::Fixed(96), run).drops_below(980),
        Column::new("priority", "Priority", Width::Fixed(64), |job: &Job| html! { job.priority })
            .at_end()
            .drops_below(760),
        Column::new(
            "tries",
            "Tries",
            Width::Fixed(56),
            |job: &Job| html! { format!("{} / {}", job.attempt, job.max_attempts) },
        )
        .at_end()
        .drops_below(860),
        Column::new(
            "age",
            "Age",
            Width::Fixed(88),
            |job: &Job| html! { <Elapsed from={job.created_at} until={job.ended_at} /> },
        )
        .at_end(),
    ]
}

fn progress(job: &Job) -> Html {
    match (job.state, job.wait_reason) {
        (JobState::Pending | JobState::Queued, Some(reason)) => html! { <WaitReason {reason} /> },
        (JobState::Running, _) => html! {
            <span class="row">
                <Meter share={job.progress} label={format!("{} of {}", job.processed, job.total)} />
                <span class="sm">{ crate::kit::format::percent(job.progress) }</span>
            </span>
        },
        _ => html! { <span class="f3 sm">{ "none" }</span> },
    }
}

fn detail(job: &Job) -> Html {
    if job.wait_reason.is_some() {
        return html! { <WaitDetail job={job.clone()} /> };
    }
    if let Some(message) = &job.error_message {
        return html! { <span class="cut" title={message.clone()}>{ job.error_code.as_deref().unwrap_or_default() }{ " " }{ message }</span> };
    }
    let worker = job.worker_id.as_ref().filter(|_| !job.state.is_final()).map(|id| short_id(id.as_str()));
    match (&job.progress_message, worker) {
        (Some(message), _) if job.state == JobState::Running => html! { message },
        (_, Some(worker)) => html! { <span class="mono">{ worker }</span> },
        _ => html! { <span class="f3">{ "none" }</span> },
    }
}

fn run(job: &Job) -> Html {
    match &job.run_id {
        Some(id) => html! { <RunLink id={id.clone()} short={true} /> },
        None => html! { <span class="f3 sm">{ "none" }</span> },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn the_core_is_told_rows_by_id_and_all_that_match_by_filter() {
        let rows = Picked::Rows(Rc::new(["job_1".to_owned()].into()));
        assert_eq!(chosen(&rows, "state:failed"), Chosen::Ids { ids: vec!["job_1".to_owned()] });
        let all = Picked::All(["job_2".to_owned()].into());
        let filter = "state:failed".to_owned();
        assert_eq!(
            chosen(&all, &filter),
            Chosen::Filter { filter: filter.clone(), excluding: vec!["job_2".to_owned()] }
        );
    }
}
