//! Who does the work, how many hands are free, and what is wanted of each.

use super::listing::{foot, listing, use_reload_key};
use crate::api::WorkerVerb;
use crate::kit::format::{count, counted, short_id};
use crate::kit::{
    Button, ButtonKind, Column, CopyId, Elapsed, Empty, Meter, Shape, Table, TableBody, TimeAgo, Tone, Width,
};
use crate::parts::{ActDialog, CliTwin, Deed, StateBadge};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_list, use_session};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use stella_contract::worker::{Worker, WorkerState, WorkerWish};
use yew::prelude::*;

/// A verb on a worker, asked for in its row.
type Ask = Callback<(Worker, WorkerVerb)>;

/// Workers.
#[component]
pub fn WorkersPage() -> Html {
    let router = use_router();
    let session = use_session();
    let asked = use_state(|| None::<(Worker, WorkerVerb)>);
    let list = use_list(
        "workers",
        Watch::of(&["worker", "job"]).every(15),
        asked.is_some(),
        |api, page| async move { api.workers(&page).await },
    );
    let refusal = session.refusal(Scope::OrchOperate);
    let columns = {
        let set = asked.setter();
        use_memo(refusal.is_none(), move |allowed| {
            let ask = allowed.then(|| Callback::from(move |what: (Worker, WorkerVerb)| set.set(Some(what))));
            columns(ask)
        })
    };
    use_reload_key(list.reload.clone());
    let close = {
        let asked = asked.setter();
        Callback::from(move |()| asked.set(None))
    };
    let nothing = html! {
        <Empty icon={Shape::Plug} fact="No worker has registered">
            { "This core starts its own workers with the window and with " }<span class="mono">{ "stella serve" }</span>{ ". Queued jobs wait until one is there." }
        </Empty>
    };
    let current = router.location().query.get("worker").map(str::to_owned);
    let table = html! {
        <Table label="Workers" body={TableBody::new(list.state.rows.clone(), key_of, columns)} {current} total={list.state.total} on_more={list.more.clone()} loading={list.is_loading_more()} />
    };
    let held: i64 = list.state.rows.iter().map(|worker| worker.in_flight).sum();
    let slots: i64 = list.state.rows.iter().map(|worker| i64::from(worker.concurrency)).sum();
    html! {
        <>
            <div class="page-head">
                <h1>{ "Workers" }</h1>
                <span class="f2 sm">{ format!("{} in use of {}", count(held), counted(slots, "slot", "slots")) }</span>
                if let Some(why) = refusal { <span class="f3 sm">{ why }</span> }
                <span class="grow"></span>
                <a class="link nw" href={format!("{}#pools", Route::Quotas.path())}>{ "Pools and advice" }</a>
                <CliTwin words={["orch", "workers", "list"].map(AttrValue::from).to_vec()} button={true} />
            </div>
            { listing("Workers", &list, nothing, table) }
            { foot(&list, html! { <span class="f3">{ "online up to 45 s of silence, late up to 90 s, then offline" }</span> }) }
            if let Some((worker, verb)) = (*asked).clone() { <SteerDialog {worker} {verb} on_close={close} /> }
        </>
    }
}

fn columns(ask: Option<Ask>) -> Vec<Column<Worker>> {
    let mut out = vec![
        Column::new("state", "State", Width::Fixed(120), |one: &Worker| html! {
            <span title={one.wish_reason.clone()}><StateBadge<WorkerState> state={one.state} /></span>
        }),
        Column::new("name", "Name", Width::Share(2, 110), |one: &Worker| html! { <span class="b" title={one.name.clone()}>{ &one.name }</span> }),
        Column::new("id", "Worker ID", Width::Fixed(170), |one: &Worker| html! { <CopyId text={one.worker_id.to_string()} shown={short_id(one.worker_id.as_str())} /> })
            .drops_below(1_250),
        Column::new("types", "Takes", Width::Share(3, 130), |one: &Worker| html! { <span class="mono" title={one.job_types.join(", ")}>{ one.job_types.join(", ") }</span> }),
        Column::new("hands", "In use", Width::Fixed(150), hands),
        Column::new("host", "Host", Width::Share(1, 80), |one: &Worker| html! { <span title={one.hostname.clone()}>{ &one.hostname }</span> }).drops_below(1000),
        Column::new("version", "Version", Width::Fixed(76), |one: &Worker| html! {
            <span title={one.sdk.clone()}>{ &one.version }</span>
        })
        .drops_below(1_250),
        Column::new("beat", "Last beat", Width::Fixed(112), beat).at_end(),
        Column::new("up", "Up", Width::Fixed(90), |one: &Worker| html! { <Elapsed from={one.started_at} /> }).at_end().drops_below(1000),
    ];
    if let Some(ask) = ask {
        out.push(Column::new("verbs", "", Width::Fixed(220), move |one: &Worker| verbs(one, &ask)).at_end());
    }
    out
}

fn hands(one: &Worker) -> Html {
    let share = one.in_flight as f64 / f64::from(one.concurrency.max(1));
    let jobs = Query::default().with("worker", one.worker_id.as_str());
    // All hands at work is how it should be.
    let tone = if share > 0.0 { Tone::Live } else { Tone::Idle };
    html! {
        <span class="row">
            <Meter {share} {tone} label={format!("{} of {} slots", one.in_flight, one.concurrency)} />
            <Link to={Route::Jobs} query={jobs} class="n nw">{ format!("{} of {}", one.in_flight, one.concurrency) }</Link>
        </span>
    }
}

fn beat(one: &Worker) -> Html {
    let class = match one.state {
        WorkerState::Late => Some("k-warn"),
        WorkerState::Offline => Some("k-bad"),
        WorkerState::Online | WorkerState::Draining | WorkerState::Quarantined => None,
    };
    html! { <span class={classes!(class)}><TimeAgo at={one.last_heartbeat_at} /></span> }
}

/// What may be asked of a worker of which this is wanted.
const fn offered(wish: WorkerWish) -> &'static [WorkerVerb] {
    match wish {
        WorkerWish::Work => &[WorkerVerb::Drain, WorkerVerb::Quarantine],
        WorkerWish::Drain => &[WorkerVerb::Resume, WorkerVerb::Quarantine],
        WorkerWish::Quarantine => &[WorkerVerb::Resume],
    }
}

fn verbs(one: &Worker, ask: &Ask) -> Html {
    html! {
        <span class="row-verbs">{ for offered(one.wish).iter().map(|verb| {
            let (label, _, _) = words(*verb);
            let what = (one.clone(), *verb);
            html! { <Button key={label} small={true} kind={ButtonKind::Ghost} on_click={ask.reform(move |()| what.clone())}>{ format!("{label}…") }</Button> }
        }) }</span>
    }
}

/// The verb, its result and its effect.
const fn words(verb: WorkerVerb) -> (&'static str, &'static str, &'static str) {
    match verb {
        WorkerVerb::Drain => (
            "Drain",
            "drains",
            "It takes nothing new and ends when its hands are free. What it holds goes on.",
        ),
        WorkerVerb::Resume => ("Resume", "works again", "It takes jobs again with its next claim."),
        WorkerVerb::Quarantine => (
            "Quarantine",
            "is in quarantine",
            "It gets nothing, and nothing it says of its jobs is believed until somebody resumes it. Its leases expire and others take the jobs.",
        ),
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct SteerDialogProps {
    worker: Worker,
    verb: WorkerVerb,
    on_close: Callback<()>,
}

#[component]
fn SteerDialog(props: &SteerDialogProps) -> Html {
    let (worker, verb) = (&props.worker, props.verb);
    let (label, result, effect) = words(verb);
    let deed = {
        let id = worker.worker_id.clone();
        Deed::new(move |api, cause| {
            let id = id.clone();
            async move {
                api.steer_worker(&id, verb, &cause)
                    .await
                    .map(|worker| format!("{} {result}", worker.name).into())
            }
        })
    };
    let cli = ["orch", "workers", verb.as_str(), worker.worker_id.as_str()]
        .map(|word| AttrValue::from(word.to_owned()))
        .to_vec();
    html! {
        <ActDialog title={format!("{label} worker")} subject={worker.name.clone()} scope={Scope::OrchOperate} verb={format!("{label} worker")}
            danger={verb == WorkerVerb::Quarantine} {cli} {deed} on_close={props.on_close.clone()}>
            { effect }{ format!(" It holds {} now.", counted(worker.in_flight, "job", "jobs")) }
        </ActDialog>
    }
}

fn key_of(worker: &Worker) -> String {
    worker.worker_id.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_offered_what_changes_something() {
        for wish in WorkerWish::ALL {
            let offered = offered(*wish);
            assert_eq!(offered.contains(&WorkerVerb::Resume), *wish != WorkerWish::Work, "{wish}");
            assert_eq!(offered.contains(&WorkerVerb::Drain), *wish == WorkerWish::Work, "{wish}");
            assert_eq!(offered.contains(&WorkerVerb::Quarantine), *wish != WorkerWish::Quarantine, "{wish}");
        }
    }
}
