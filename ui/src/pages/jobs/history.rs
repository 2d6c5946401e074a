//! What was written down about a job, and whether the chain it stands in is whole.

use crate::api::{Load, Problem};
use crate::kit::format::{count, counted};
use crate::kit::{Button, Clock, Icon, IconSize, Shape, Skeleton, Tone, use_keys};
use crate::parts::ProblemView;
use crate::store::{Asked, Watch, use_api, use_query};
use stella_contract::history::{ChainCheck, HistoryEntry};
use stella_contract::ids::JobId;
use stella_contract::page::{Page, PageQuery};
use yew::prelude::*;

/// What a [`History`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct HistoryProps {
    /// The job.
    pub id: JobId,
}

/// The newest entries about a job.
#[hook]
pub(super) fn use_entries(id: &JobId) -> Asked<Page<HistoryEntry>> {
    let id = id.clone();
    let page = PageQuery { page_size: Some(200), ..PageQuery::default() };
    use_query(format!("history {id}"), Watch::of(&["job"]).only(id.as_str()), move |api| {
        let (id, page) = (id.clone(), page.clone());
        async move { api.job_history(&id, &page).await }
    })
}

/// The entries, newest first, and the verb that walks the whole chain.
#[component]
pub(super) fn History(props: &HistoryProps) -> Html {
    let entries = use_entries(&props.id);
    let check = use_state(|| None::<Result<ChainCheck, Problem>>);
    let busy = use_state_eq(|| false);
    let verify = {
        let (api, check, busy) = (use_api(), check.clone(), busy.clone());
        Callback::from(move |()| {
            let (api, check, busy) = (api.clone(), check.clone(), busy.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                check.set(Some(api.verify_history().await));
                busy.set(false);
            });
        })
    };
    {
        let verify = verify.clone();
        use_keys(move |key| {
            let used = key.name == "v" && !key.ctrl;
            if used {
                verify.emit(());
            }
            used
        });
    }
    html! {
        <section class="sec" aria-label="History">
            <div class="sec-h">
                <h2>{ "History" }</h2>
                { checked(&check) }
                <span class="grow"></span>
                if let Some(page) = entries.load.value() {
                    <span class="f3 sm">{ counted(page.items.len() as i64, "entry", "entries") }</span>
                }
                <Button small={true} icon={Shape::Link} key_hint="V" busy={*busy} on_click={verify}>{ "Verify chain" }</Button>
            </div>
            { match &entries.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={5} /> },
                Load::Failed(problem) => html! {
                    <ProblemView what="History" problem={problem.clone()} on_retry={entries.refetch.clone()} />
                },
                Load::Ready(page, _) | Load::Stale(page, _, _) => table(&page.items),
            } }
        </section>
    }
}

/// The answer of the walk, once it was asked for.
fn checked(check: &Option<Result<ChainCheck, Problem>>) -> Html {
    let (shape, tone, words) = match check {
        None => (Shape::ShieldDashed, Tone::Idle, "not checked".to_owned()),
        Some(Ok(ChainCheck { broken: Some(broken), .. })) => {
            (Shape::ShieldCross, Tone::Bad, format!("broken at seq {}: {}", count(broken.seq), broken.why))
        }
        Some(Ok(check)) => {
            (Shape::ShieldCheck, Tone::Ok, format!("chain verified to seq {}", count(check.verified_to)))
        }
        Some(Err(problem)) => (Shape::ShieldQuestion, Tone::Warn, problem.sentence().to_string()),
    };
    html! {
        <span class={classes!("st", tone.class())} role="status">
            <Icon {shape} size={IconSize::Small} />{ words }
        </span>
    }
}

fn table(entries: &[HistoryEntry]) -> Html {
    html! {
        <table class="tbl history">
            <thead><tr>
                <th scope="col" class="num seq">{ "Seq" }</th><th scope="col">{ "Event" }</th>
                <th scope="col">{ "Change" }</th><th scope="col">{ "Actor" }</th>
                <th scope="col">{ "At (UTC)" }</th><th scope="col">{ "prevHash → hash" }</th>
            </tr></thead>
            <tbody>{ for entries.iter().map(row) }</tbody>
        </table>
    }
}

fn row(entry: &HistoryEntry) -> Html {
    let change = match (&entry.from_state, &entry.to_state) {
        (Some(from), Some(to)) => format!("{from} → {to}"),
        (None, Some(to)) => format!("created, {to}"),
        (Some(_), None) | (None, None) => entry.reason.clone().unwrap_or_else(|| "none".to_owned()),
    };
    let hashes = (short(&entry.prev_hash), short(&entry.hash));
    html! {
        <tr key={entry.seq}>
            <td class="num">{ count(entry.seq) }</td>
            <td class="mono">{ &entry.kind }</td>
            <td>{ change }</td>
            <td title={entry.actor.subject.clone()}>{ &entry.actor.subject }</td>
            <td><Clock at={entry.occurred_at} /></td>
            <td class="mono" title={entry.hash.clone()}><span class="f3">{ hashes.0 }{ " → " }</span>{ hashes.1 }</td>
        </tr>
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(8).collect()
}
