//! What runs went through lately, the newest first, live.

use crate::api::Load;
use crate::kit::{Empty, Shape, Skeleton, TimeAgo};
use crate::parts::{ProblemView, RunLink, runbook};
use crate::router::Link;
use crate::store::{Asked, Watch, use_query};
use stella_contract::event::FeedEvent;
use stella_contract::ids::RunId;
use stella_contract::page::{Page, PageQuery};
use stella_contract::route::Route;
use stella_contract::run::RunErrorCode;
use yew::prelude::*;

/// Events in the panel.
const SHOWN: u32 = 20;
/// Events in the line under the list.
const IN_LINE: usize = 3;

#[hook]
fn use_events() -> Asked<Page<FeedEvent>> {
    use_query("run events", Watch::of(&["run"]), |api| async move {
        let page = PageQuery { page_token: None, page_size: Some(SHOWN) };
        api.run_events(&page).await
    })
}

/// The events as a table.
#[component]
pub(super) fn Telemetry() -> Html {
    let asked = use_events();
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={4} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="The events" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(page, _) | Load::Stale(page, ..) if page.items.is_empty() => {
            html! { <Empty icon={Shape::Dash} fact="No events">{ "What runs go through stands here as it happens." }</Empty> }
        }
        Load::Ready(page, _) | Load::Stale(page, ..) => html! {
            <table class="tbl telemetry"><tbody>{ for page.items.iter().map(row) }</tbody></table>
        },
    };
    html! {
        <section class="sec" aria-label="Telemetry">
            <div class="sec-h"><h2>{ "Telemetry" }</h2><span class="grow"></span><span class="f3 sm">{ "live" }</span></div>
            { body }
        </section>
    }
}

fn row(event: &FeedEvent) -> Html {
    html! {
        <tr key={event.seq}>
            <td class="mono sm">{ &event.kind }</td>
            <td>{ run(event) }{ " " }{ code(event) }</td>
            <td class="num f3 sm"><TimeAgo at={event.at} /></td>
        </tr>
    }
}

fn run(event: &FeedEvent) -> Html {
    match event.id.parse::<RunId>() {
        Ok(id) => html! { <RunLink {id} short={true} /> },
        Err(_) => html! { <span class="mono">{ &event.id }</span> },
    }
}

fn code(event: &FeedEvent) -> Html {
    let code: Option<RunErrorCode> = event.data["errorCode"].as_str().and_then(|code| code.parse().ok());
    match code {
        Some(code) => {
            html! { <Link to={Route::Runbook} query={runbook(code)} class="n mono sm k-bad">{ code.as_str() }</Link> }
        }
        None => Html::default(),
    }
}

/// What a [`TelemetryLine`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct TelemetryLineProps {
    /// Opens the panel.
    pub on_open: Callback<()>,
}

/// The newest events in one line, and the way to all.
#[component]
pub(super) fn TelemetryLine(props: &TelemetryLineProps) -> Html {
    let asked = use_events();
    let events = asked.load.value().map(|page| page.items.as_slice()).unwrap_or_default();
    html! {
        <div class="telemetry-line row sm" role="region" aria-label="Latest events">
            <span class="telemetry-events grow">
                if events.is_empty() { <span class="f3">{ "No event of a run yet" }</span> }
                { for events.iter().take(IN_LINE).map(|event| html! {
                    <span key={event.seq} class="nw"><span class="mono">{ &event.kind }</span>{ " " }{ run(event) }{ " " }<span class="f3"><TimeAgo at={event.at} /></span>{ " " }</span>
                }) }
            </span>
            <button type="button" class="link" onclick={props.on_open.reform(|_| ())}>{ "Telemetry" }</button>
        </div>
    }
}
