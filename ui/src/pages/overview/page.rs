//! The execution overview: depth, why jobs are pending, one line for each area. Every number is a link.

use super::areas::areas;
use super::below::below;
use crate::api::Load;
use crate::kit::format::count;
use crate::kit::{AreaChart, Clock, Empty, Meter, Series, Shape, Skeleton};
use crate::pages::incidents::IncidentSection;
use crate::parts::wait_reason::{look, meaning};
use crate::parts::{CliTwin, ProblemView, StaleBanner, WaitReason};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query, use_session};
use stella_contract::overview::Overview;
use stella_contract::route::Route;
use yew::prelude::*;

/// Jobs & Queues.
#[component]
pub fn OverviewPage() -> Html {
    let tenant = use_session().tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    let watch = Watch::of(&["job", "run", "segment", "source", "target"]);
    let asked = use_query("overview", watch, |api| async move { api.overview().await });
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={12} /> },
        Load::Failed(problem) => html! {
            <ProblemView what="The overview" problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        Load::Ready(overview, _) => shown(overview),
        Load::Stale(overview, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                { shown(overview) }
            </>
        },
    };
    html! {
        <>
            <div class="page-head">
                <h1>{ "Jobs & Queues" }</h1>
                <span class="f3 sm">{ tenant }</span>
                <span class="grow"></span>
                if let Some(overview) = asked.load.value() {
                    <span class="f2 sm">{ "As of " }<Clock at={overview.as_of} />{ ", depth sampled every 60 s" }</span>
                }
                <CliTwin words={["orch", "jobs", "list"].map(AttrValue::from).to_vec()} button={true} />
            </div>
            <div class="body">{ body }</div>
        </>
    }
}

fn shown(overview: &Overview) -> Html {
    html! {
        <>
            if overview.inputs.sources == 0 && overview.inputs.targets == 0 { { first_steps() } }
            <div class="split overview-split">
                { depth(overview) }
                { waiting(overview) }
            </div>
            { areas(overview) }
            <IncidentSection />
            { below(overview) }
        </>
    }
}

/// What a new ledger needs.
fn first_steps() -> Html {
    html! {
        <div class="sec">
            <Empty icon={Shape::Star} fact="This ledger is new"
                actions={html! { <>
                    <Link to={Route::Sources} class="link">{ "1. Add sources" }</Link>
                    <Link to={Route::Targets} class="link">{ "2. Import SBOMs" }</Link>
                    <Link to={Route::Runs} class="link">{ "3. Start a run" }</Link>
                </> }}>
                { "Bring in advisories and SBOMs, then start a run. Sample data: " }<span class="mono">{ "cargo xtask run --demo" }</span>
            </Empty>
        </div>
    }
}

fn depth(overview: &Overview) -> Html {
    let last = overview.depth.last();
    let times = overview.depth.iter().map(|point| point.at).collect::<Vec<_>>();
    let series = vec![
        Series {
            label: format!("{} queued", count(last.map_or(0, |point| point.queued))).into(),
            values: overview.depth.iter().map(|point| point.queued as f64).collect(),
        },
        Series {
            label: format!("{} held", count(last.map_or(0, |point| point.held))).into(),
            values: overview.depth.iter().map(|point| point.held as f64).collect(),
        },
    ];
    let now = overview.jobs.queued + overview.jobs.pending;
    html! {
        <section class="sec" aria-label="Queue depth">
            <div class="sec-h"><h2>{ "Queue depth" }</h2><span class="note">{ "last 24 h; held = pending with a reason" }</span></div>
            if times.len() < 2 {
                <p class="f3 sm">{ format!("{} waiting now. The chart begins with the second sample, a minute after the core started.", count(now)) }</p>
            } else {
                <AreaChart label={format!("Queue depth of the last 24 hours; {} waiting now", count(now))} {times} {series} />
            }
        </section>
    }
}

fn waiting(overview: &Overview) -> Html {
    let most = overview.waiting.iter().map(|one| one.count).max().unwrap_or(1).max(1);
    let pending = Query::default().with("state", "pending");
    html! {
        <section class="sec" aria-label="Why jobs are pending">
            <div class="sec-h"><h2>{ match overview.jobs.pending {
                0 => html! { "No job is pending" },
                1 => html! { <>{ "Why " }<Link to={Route::Jobs} query={pending.clone()} class="n">{ "1" }</Link>{ " job is pending" }</> },
                number => html! { <>{ "Why " }<Link to={Route::Jobs} query={pending.clone()} class="n">{ count(number) }</Link>{ " jobs are pending" }</> },
            } }</h2></div>
            if overview.waiting.is_empty() {
                <p class="f3 sm">{ "No time, limit or upstream job holds anything back." }</p>
            } else {
                <table class="tbl waits"><tbody>{ for overview.waiting.iter().map(|one| html! {
                    <tr key={one.reason.as_str()}>
                        <td><WaitReason reason={one.reason} /></td>
                        <td class="num"><Link to={Route::Jobs} query={Query::default().with("waitReason", one.reason.as_str())} class="n">{ count(one.count) }</Link></td>
                        <td><Meter share={one.count as f64 / most as f64} tone={look(one.reason).1} label={format!("{} of {}", one.count, most)} /></td>
                        <td class="f3 sm">{ match one.next_eligible_at {
                            Some(at) => html! { <>{ "first at " }<Clock {at} /></> },
                            None => html! { { meaning(one.reason) } },
                        } }</td>
                    </tr>
                }) }</tbody></table>
            }
        </section>
    }
}
