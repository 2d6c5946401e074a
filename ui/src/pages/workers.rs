//! Who does the work, and how many hands are free.

use super::listing::{foot, listing, use_reload_key};
use crate::kit::format::counted;
use crate::kit::{Column, CopyId, Elapsed, Empty, Meter, Shape, Table, TimeAgo, Width};
use crate::parts::{CliTwin, StateBadge};
use crate::router::{Link, Query};
use crate::store::{Watch, use_list};
use stella_contract::route::Route;
use stella_contract::worker::{Worker, WorkerState};
use yew::prelude::*;

/// Workers.
#[component]
pub fn WorkersPage() -> Html {
    let list = use_list("workers", Watch::of(&["worker", "job"]).every(15), false, |api, page| async move {
        api.workers(&page).await
    });
    let columns = use_memo((), |()| columns());
    use_reload_key(list.reload.clone());
    let nothing = html! {
        <Empty icon={Shape::Plug} fact="No worker has registered">
            { "This core starts its own workers with the window and with " }<span class="mono">{ "stella serve" }</span>{ ". Queued jobs wait until one is there." }
        </Empty>
    };
    let table = html! {
        <Table<Worker> label="Workers" rows={list.state.rows.clone()} row_key={key_of as fn(&Worker) -> String}
            {columns} total={list.state.total} on_more={list.more.clone()} loading={list.is_loading_more()} />
    };
    let held: i64 = list.state.rows.iter().map(|worker| worker.in_flight).sum();
    let slots: i64 = list.state.rows.iter().map(|worker| i64::from(worker.concurrency)).sum();
    html! {
        <>
            <div class="page-head">
                <h1>{ "Workers" }</h1>
                <span class="f2 sm">{ format!("{} in use of {}", held, counted(slots, "slot", "slots")) }</span>
                <span class="grow"></span>
                <CliTwin words={["orch", "workers", "list"].map(AttrValue::from).to_vec()} button={true} />
            </div>
            { listing("Workers", &list, nothing, table) }
            { foot(&list, html! { <span class="f3">{ "online up to 45 s of silence, late up to 90 s, then offline" }</span> }) }
        </>
    }
}

fn columns() -> Vec<Column<Worker>> {
    vec![
        Column::new("state", "State", Width::Fixed(112), |one: &Worker| html! { <StateBadge<WorkerState> state={one.state} /> }),
        Column::new("name", "Name", Width::Share(2, 120), |one: &Worker| html! { <span class="b">{ &one.name }</span> }),
        Column::new("id", "Worker ID", Width::Fixed(176), |one: &Worker| html! { <CopyId text={one.worker_id.to_string()} shown={crate::kit::format::short_id(one.worker_id.as_str())} /> })
            .drops_below(900),
        Column::new("types", "Takes", Width::Share(3, 160), |one: &Worker| html! { <span class="mono" title={one.job_types.join(", ")}>{ one.job_types.join(", ") }</span> }),
        Column::new("hands", "In use", Width::Fixed(150), hands),
        Column::new("host", "Host", Width::Share(1, 90), |one: &Worker| html! { &one.hostname }).drops_below(820),
        Column::new("version", "Version", Width::Fixed(72), |one: &Worker| html! { &one.version }).drops_below(1000),
        Column::new("beat", "Last beat", Width::Fixed(110), |one: &Worker| html! { <TimeAgo at={one.last_heartbeat_at} /> }).at_end(),
        Column::new("up", "Up", Width::Fixed(96), |one: &Worker| html! { <Elapsed from={one.started_at} /> }).at_end(),
    ]
}

fn hands(one: &Worker) -> Html {
    let share = one.in_flight as f64 / f64::from(one.concurrency.max(1));
    let jobs = Query::default().with("worker", one.worker_id.as_str());
    html! {
        <span class="row">
            <Meter {share} label={format!("{} of {} slots", one.in_flight, one.concurrency)} />
            <Link to={Route::Jobs} query={jobs} class="n">{ format!("{} of {}", one.in_flight, one.concurrency) }</Link>
        </span>
    }
}

fn key_of(worker: &Worker) -> String {
    worker.worker_id.to_string()
}
