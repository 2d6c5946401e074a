//! The causes beside the queue: one press shows the entries of one.

use super::causes::{retryable, spike_mark, spikes, trend, use_clusters};
use super::filter::{filter_of, list_of};
use super::mute::{MuteButton, MuteDialog, by_cause, muted_mark, use_mutes};
use crate::api::Load;
use crate::clock;
use crate::kit::format::{count, counted};
use crate::kit::{Skeleton, TimeAgo};
use crate::pages::incidents::use_open_incidents;
use crate::parts::ProblemView;
use crate::router::use_router;
use crate::store::use_session;
use std::collections::BTreeSet;
use stella_contract::dead_letter::{Cluster, DeadLetterFilter, Mute};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// The rail.
#[component]
pub(super) fn CauseRail() -> Html {
    let router = use_router();
    let query = router.location().query.clone();
    let chosen = query.get("fingerprint").map(str::to_owned);
    // A cause stays in sight while its own entries are shown.
    let around = list_of(&query).without("fingerprint");
    let filter = DeadLetterFilter { fingerprint: None, ..filter_of(&around, clock::now()) };
    let asked = use_clusters(around.to_string(), filter);
    let spikes = spikes(use_open_incidents().load.value());
    let muted = by_cause(use_mutes().load.value());
    let refusal = use_session().refusal(Scope::OrchOperate).map(AttrValue::from);
    let layer = use_state(|| None::<(AttrValue, Option<Mute>)>);
    let choose = {
        let (router, query, chosen) = (router.clone(), query.clone(), chosen.clone());
        Callback::from(move |fingerprint: String| {
            let again = chosen.as_ref() == Some(&fingerprint);
            router.ask(&query.with("fingerprint", if again { String::new() } else { fingerprint }));
        })
    };
    let causes = asked.load.value().map(|page| page.items.len() as i64);
    let close = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(None))
    };
    let mute = chosen.clone().map(AttrValue::from).map(|fingerprint| {
        let (layer, mute) = (layer.clone(), muted.get(fingerprint.as_str()).cloned());
        let on_click = {
            let mute = mute.clone();
            Callback::from(move |()| layer.set(Some((fingerprint.clone(), mute.clone()))))
        };
        html! { <MuteButton {mute} {refusal} {on_click} /> }
    });
    html! {
        <aside class="cause-rail" aria-label="Causes">
            <div class="cause-head row">
                <h2>{ causes.map_or_else(|| "Causes".to_owned(), |causes| counted(causes, "cause", "causes")) }</h2>
                if let Some(mute) = mute { <span class="grow"></span>{ mute } } else {
                    <span class="f3 sm">{ "by fingerprint" }</span><span class="grow"></span><span class="f3 sm">{ "Count" }</span>
                }
            </div>
            <div class="cause-list">{ match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={6} /> },
                Load::Failed(problem) => html! { <ProblemView what="The causes" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(page, _) | Load::Stale(page, _, _) if page.items.is_empty() => html! { <p class="sec f3 sm">{ "No cause matches." }</p> },
                Load::Ready(page, _) | Load::Stale(page, _, _) => html! {
                    <>{ for page.items.iter().map(|one| cause(one, &spikes, muted.get(&one.fingerprint), chosen.as_deref(), &choose)) }</>
                },
            } }</div>
            if let Some((fingerprint, mute)) = &*layer { <MuteDialog fingerprint={fingerprint.clone()} mute={mute.clone()} on_close={close} /> }
        </aside>
    }
}

fn cause(
    one: &Cluster,
    spikes: &BTreeSet<String>,
    mute: Option<&Mute>,
    chosen: Option<&str>,
    choose: &Callback<String>,
) -> Html {
    let (spike, on) = (spikes.contains(&one.fingerprint), chosen == Some(one.fingerprint.as_str()));
    let fingerprint = one.fingerprint.clone();
    html! {
        <button type="button" key={one.fingerprint.clone()} class={classes!("cause", on.then_some("is-on"))} aria-pressed={on.to_string()}
            onclick={choose.reform(move |_| fingerprint.clone())}>
            <span class="row"><span class="b cut">{ one.category.as_str() }</span>
                if spike { { spike_mark() } }
                if let Some(mute) = mute { { muted_mark(mute) } }
                <span class="grow"></span>{ trend(one, spike) }<span class="b num">{ count(one.count as i64) }</span></span>
            <span class="sm f2 cut" title={one.sample.clone()}>{ &one.sample }</span>
            <span class="row sm f3"><span class="mono nw">{ &one.job_type }</span><span class="cut">{ one.host.as_deref().unwrap_or("local") }</span>
                <span class="grow"></span><span class="nw"><TimeAgo at={one.last_seen_at} /></span></span>
            <span class="sm">{ retryable(one) }</span>
        </button>
    }
}
