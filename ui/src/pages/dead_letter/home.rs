//! The dead letter's first page: how it is doing, the causes, and what to do about each of them at once.

use super::causes::{ENTITIES, entries_of, open_of, retryable, spike_mark, spikes, trend, use_clusters};
use super::export::ExportDialog;
use super::heat::heat;
use super::mute::{MuteButton, MuteDialog, by_cause, muted_mark, use_mutes};
use super::queue::all_of;
use crate::api::Load;
use crate::kit::format::{count, counted, duration};
use crate::kit::{
    Banner, Button, Clock, Column, Empty, Lines, Shape, Skeleton, Table, TableBody, TimeAgo, Tone, Width,
    use_keys,
};
use crate::pages::change_sets::DryRunDialog;
use crate::pages::incidents::{IncidentList, use_open_incidents};
use crate::parts::{
    CliTwin, ProblemView, SourceLink, SourceNames, StaleBanner, StateBadge, use_source_names,
};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_query, use_session};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use stella_contract::change_set::ChangeVerb;
use stella_contract::dead_letter::{
    Cluster, DeadLetterFilter, DeadLetterHealth, DeadLetterState, DeadLetterStats, Mute,
};
use stella_contract::incident::{Incident, IncidentKind, Severity};
use stella_contract::page::Page;
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What is open over the page.
#[derive(Clone, PartialEq)]
enum Layer {
    None,
    Act(ChangeVerb, Box<Cluster>),
    /// A cause is muted, or no longer.
    Mute(AttrValue, Option<Mute>),
    Export,
}

/// Dead-Letter.
#[component]
pub fn DeadLetterPage() -> Html {
    let router = use_router();
    let refusal = use_session().refusal(Scope::OrchOperate).map(AttrValue::from);
    let layer = use_state(|| Layer::None);
    let names = use_source_names();
    let watch = Watch::of(ENTITIES).every(60);
    let stats = use_query("dead letter stats", watch, |api| async move { api.dead_letter_stats().await });
    let clusters = use_clusters("open".to_owned(), DeadLetterFilter::default());
    let incidents = use_open_incidents();
    let spiking = spikes(incidents.load.value());
    let mutes = use_mutes();
    let muted = Rc::new(by_cause(mutes.load.value()));
    let rows: Rc<Vec<Cluster>> = use_memo(clusters.load.clone(), |load| {
        load.value().map(|page| page.items.clone()).unwrap_or_default()
    });
    let query = router.location().query.clone();
    let current = query.get("fingerprint").map(str::to_owned);
    let act = {
        let layer = layer.clone();
        Callback::from(move |(verb, cluster): (ChangeVerb, Cluster)| {
            layer.set(Layer::Act(verb, Box::new(cluster)))
        })
    };
    let mute = {
        let (layer, muted) = (layer.clone(), muted.clone());
        Callback::from(move |fingerprint: AttrValue| {
            let known = muted.get(fingerprint.as_str()).cloned();
            layer.set(Layer::Mute(fingerprint, known));
        })
    };
    let columns = use_memo((spiking, names, refusal.clone(), muted.clone()), {
        let (act, mute) = (act.clone(), mute.clone());
        move |(spiking, names, refusal, muted)| {
            let marks = Marks { spiking: spiking.clone(), muted: muted.clone() };
            columns(marks, names.clone(), refusal.clone(), act, mute)
        }
    });
    let on_open = {
        let (router, rows) = (router.clone(), rows.clone());
        Callback::from(move |fingerprint: String| {
            if let Some(cluster) = rows.iter().find(|one| one.fingerprint == fingerprint) {
                router.go(&Route::DeadLetterQueue, &entries_of(cluster));
            }
        })
    };
    {
        // R replays the cause that an address points at, or the largest; M mutes it.
        let (rows, act, current, can) = (rows.clone(), act.clone(), current.clone(), refusal.is_none());
        use_keys(move |key| {
            let wanted = rows.iter().find(|one| current.as_ref() == Some(&one.fingerprint)).or(rows.first());
            match (key.name.as_str(), wanted) {
                ("r", Some(cluster)) if can && !key.ctrl => {
                    act.emit((ChangeVerb::DeadLetterReplay, cluster.clone()));
                    true
                }
                ("m", Some(cluster)) if can && !key.ctrl => {
                    mute.emit(cluster.fingerprint.clone().into());
                    true
                }
                _ => false,
            }
        });
    }
    let close = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(Layer::None))
    };
    let export = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(Layer::Export))
    };
    let refetch = {
        let (one, two) = (clusters.refetch.clone(), stats.refetch.clone());
        Callback::from(move |()| {
            one.emit(());
            two.emit(());
        })
    };
    let open_query = Query::default().with("state", DeadLetterState::Open.as_str());
    html! {
        <>
            { alerts(incidents.load.value()) }
            <div class="page-head">
                <h1>{ "Dead-Letter" }</h1>
                if let Some(stats) = stats.load.value() { { totals(stats) } }
                <span class="grow"></span>
                if let Some(stats) = stats.load.value() { <span class="f3 sm nw">{ "As of " }<Clock at={stats.at} /></span> }
                <CliTwin words={["orch", "deadletter", "stats"].map(AttrValue::from).to_vec()} button={true} />
                <Button small={true} icon={Shape::Download} on_click={export}>{ "Export…" }</Button>
                <Link to={Route::DeadLetterQueue} query={open_query.clone()} class="link nw">{ "Open queue" }</Link>
            </div>
            <div class="dead-home">
                <div class="dead-main">
                    { match &stats.load {
                        Load::Idle | Load::Loading => html! { <div class="sec"><Skeleton rows={2} /></div> },
                        Load::Failed(problem) => html! { <ProblemView what="The figures" problem={problem.clone()} on_retry={stats.refetch.clone()} /> },
                        Load::Ready(found, _) => figures(found),
                        Load::Stale(found, as_of, problem) => html! {
                            <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={stats.refetch.clone()} />{ figures(found) }</>
                        },
                    } }
                    <div class="sec-h dead-causes-head"><h2>{ counted(rows.len() as i64, "cause", "causes") }</h2>
                        <span class="note">{ "open entries by fingerprint, the most first" }</span></div>
                    { match &clusters.load {
                        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
                        Load::Failed(problem) => html! { <ProblemView what="The causes" problem={problem.clone()} on_retry={clusters.refetch.clone()} /> },
                        Load::Ready(_, _) | Load::Stale(_, _, _) if rows.is_empty() => all_clear(stats.load.value()),
                        Load::Ready(_, _) | Load::Stale(_, _, _) => html! {
                            <Table label="Causes" body={TableBody::new(rows, key_of, columns)} lines={Lines::Two}
                                on_open={Some(on_open)} {current} />
                        },
                    } }
                </div>
                <aside class="dead-side" aria-label="Around it">
                    <section class="sec" aria-label="Incidents">
                        <div class="sec-h"><h2>{ "Incidents" }</h2><span class="note">{ "not over yet" }</span></div>
                        <IncidentList asked={incidents} only={Some(&[IncidentKind::DeadLetterSpike, IncidentKind::DeadLetterBacklog][..])} />
                    </section>
                    if let Some(stats) = stats.load.value() {
                        <section class="sec" aria-label="Failures by hour">
                            <div class="sec-h"><h2>{ "Failures by hour" }</h2><span class="note">{ "last 24 h, the newest right" }</span></div>
                            { heat(stats) }
                        </section>
                    }
                </aside>
            </div>
            { match &*layer {
                Layer::None => Html::default(),
                Layer::Export => html! { <ExportDialog query={open_query} on_close={close} /> },
                Layer::Mute(fingerprint, mute) => html! { <MuteDialog fingerprint={fingerprint.clone()} mute={mute.clone()} on_close={close} /> },
                Layer::Act(verb, cluster) => html! {
                    <DryRunDialog verb={*verb} selection={all_of(open_of(cluster))} on_started={refetch} on_close={close} />
                },
            } }
        </>
    }
}

fn key_of(cluster: &Cluster) -> String {
    cluster.fingerprint.clone()
}

/// A banner for the worst alert that nobody has ended.
fn alerts(incidents: Option<&Page<Incident>>) -> Html {
    let worst = incidents.and_then(|page| {
        page.items
            .iter()
            .filter(|one| matches!(one.kind, IncidentKind::DeadLetterSpike | IncidentKind::DeadLetterBacklog))
            .max_by_key(|one| (one.severity, one.kind == IncidentKind::DeadLetterSpike))
    });
    let Some(one) = worst else { return Html::default() };
    let (fact, query) = match one.kind {
        IncidentKind::DeadLetterSpike => (
            "Dead-letter spike.",
            Query::default().with("state", "open").with("fingerprint", one.subject.as_str()),
        ),
        _ => ("Dead-letter backlog.", Query::default().with("state", "open")),
    };
    let tone = if one.severity == Severity::Critical { Tone::Bad } else { Tone::Warn };
    html! {
        <Banner {tone} {fact} action={html! { <Link to={Route::DeadLetterQueue} {query} class="link sm">{ "Show the entries" }</Link> }}>
            { one.summary.trim_end_matches('.').to_owned() }{ ". Incident " }<span class="mono">{ crate::kit::format::short_id(one.incident_id.as_str()) }</span>{ format!(" is {}.", one.state) }
        </Banner>
    }
}

fn totals(stats: &DeadLetterStats) -> Html {
    let of = |state: DeadLetterState| Query::default().with("state", state.as_str());
    let link = |state: DeadLetterState, number: u64| html! { <Link to={Route::DeadLetterQueue} query={of(state)} class="n">{ count(number as i64) }</Link> };
    html! {
        <span class="sm f2 nw">{ link(DeadLetterState::Open, stats.open) }{ " open, " }
            if stats.replaying > 0 { { link(DeadLetterState::Replaying, stats.replaying) }{ " replaying, " } }
            { link(DeadLetterState::Replayed, stats.replayed) }{ " replayed, " }{ link(DeadLetterState::Resolved, stats.resolved) }{ " resolved in 90 d" }</span>
    }
}

fn figures(stats: &DeadLetterStats) -> Html {
    let open = Query::default().with("state", DeadLetterState::Open.as_str());
    let health = match stats.health {
        DeadLetterHealth::Ok => "none open",
        DeadLetterHealth::Note => "1 to 10 open",
        DeadLetterHealth::Warn => "11 to 50 open",
        DeadLetterHealth::Fail => "more than 50 open",
    };
    let number = |query: Query, number: u64| html! { <Link to={Route::DeadLetterQueue} {query} class="n">{ count(number as i64) }</Link> };
    html! {
        <div class="sec dead-figs"><div class="figs">
            <div class="fig"><div class="l">{ "Health" }</div><div class="v fig-time"><StateBadge<DeadLetterHealth> state={stats.health} /></div><div class="s">{ health }</div></div>
            <div class="fig"><div class="l">{ "Open" }</div><div class="v">{ number(open.clone(), stats.open) }</div>
                <div class="s">{ format!("{} new in 24 h", count(stats.added24h as i64)) }</div></div>
            <div class="fig"><div class="l">{ "Retryable" }</div><div class="v">{ number(open.with("retryable", "yes"), stats.retryable) }</div><div class="s">{ "of the open" }</div></div>
            <div class="fig"><div class="l">{ "Unowned" }</div><div class="v">{ number(open.with("acknowledged", "no"), stats.unacknowledged) }</div><div class="s">{ "nobody has it" }</div></div>
            <div class="fig"><div class="l">{ "Oldest open" }</div>
                <div class="v fig-time">{ stats.oldest_open_at.map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |at| html! { { duration(stats.at.ms_since(at)) } }) }</div>
                <div class="s">{ "since it failed" }</div></div>
            <div class="fig fig-wide"><div class="l">{ "Most common" }</div>{ match &stats.most_common {
                Some(cause) => html! { <>
                    <div class="v fig-time cut"><Link to={Route::DeadLetterQueue} query={open.with("fingerprint", cause.fingerprint.as_str())} class="n">{ &cause.error_code }</Link>{ format!(", {}", count(cause.count as i64)) }</div>
                    <div class="s" title={cause.error_message.clone()}>{ &cause.error_message }</div>
                </> },
                None => html! { <div class="v fig-time"><span class="f3">{ "none" }</span></div> },
            } }</div>
        </div></div>
    }
}

fn all_clear(stats: Option<&DeadLetterStats>) -> Html {
    let said = stats.map_or_else(String::new, |stats| {
        format!(
            "{} replayed and {} resolved are kept for 90 days.",
            count(stats.replayed as i64),
            count(stats.resolved as i64)
        )
    });
    html! {
        <Empty icon={Shape::DiscCheck} tone={Tone::Ok} fact="Dead-letter is empty"
            actions={html! { <Link to={Route::DeadLetterQueue} query={Query::default().with("state", "resolved")} class="link">{ "Show resolved" }</Link> }}>{ said }</Empty>
    }
}

/// What is marked at causes.
struct Marks {
    spiking: BTreeSet<String>,
    muted: Rc<BTreeMap<String, Mute>>,
}

fn columns(
    marks: Marks,
    names: SourceNames,
    refusal: Option<AttrValue>,
    act: Callback<(ChangeVerb, Cluster)>,
    mute: Callback<AttrValue>,
) -> Vec<Column<Cluster>> {
    let spikes = Rc::new(marks.spiking);
    let (marked, muted, mutes) = (spikes.clone(), marks.muted.clone(), marks.muted);
    let cause = move |one: &Cluster| {
        html! {
            <>
                <span class="row"><Link to={Route::DeadLetterQueue} query={entries_of(one)} class="b n">{ one.category.as_str() }</Link>
                    if marked.contains(&one.fingerprint) { { spike_mark() } }
                    if let Some(mute) = muted.get(&one.fingerprint) { { muted_mark(mute) } }</span>
                <div class="sm f2 cut" title={one.sample.clone()}>{ &one.sample }</div>
            </>
        }
    };
    let place = |one: &Cluster| {
        html! { <><div class="mono cut">{ &one.job_type }</div><div class="sm f3 cut">{ one.host.as_deref().unwrap_or("local") }</div></> }
    };
    let open = |one: &Cluster| {
        html! {
            <><div><Link to={Route::DeadLetterQueue} query={entries_of(one)} class="n b">{ count(one.open as i64) }</Link></div>
            <div class="sm">{ retryable(one) }</div></>
        }
    };
    let seen = |one: &Cluster| {
        html! { <><div><TimeAgo at={one.last_seen_at} /></div><div class="sm f3"><TimeAgo at={one.first_seen_at} /></div></> }
    };
    let verbs = move |one: &Cluster| {
        let does = |verb: ChangeVerb| {
            let (act, cluster) = (act.clone(), one.clone());
            Callback::from(move |()| act.emit((verb, cluster.clone())))
        };
        let fingerprint = AttrValue::from(one.fingerprint.clone());
        html! {
            <span class="row gap1 acts-end">
                <MuteButton mute={mutes.get(&one.fingerprint).cloned()} refusal={refusal.clone()} small={true}
                    on_click={mute.reform(move |()| fingerprint.clone())} />
                <Button small={true} disabled={refusal.clone()} says_why={false} on_click={does(ChangeVerb::DeadLetterResolve)}>{ "Resolve…" }</Button>
                <Button small={true} disabled={refusal.clone()} says_why={false} on_click={does(ChangeVerb::DeadLetterReplay)}>{ "Replay…" }</Button>
            </span>
        }
    };
    vec![
        Column::new("cause", "Cause", Width::Share(4, 170), cause),
        Column::new("where", "Type, host", Width::Share(2, 110), place),
        Column::new("sources", "Sources", Width::Share(1, 96), move |one: &Cluster| sources(one, &names))
            .drops_below(980),
        Column::new("trend", "Last 24 h", Width::Fixed(116), move |one: &Cluster| {
            trend(one, spikes.contains(&one.fingerprint))
        })
        .drops_below(620),
        Column::new("count", "Open, retryable", Width::Fixed(124), open).at_end(),
        Column::new("seen", "Last, first seen", Width::Fixed(124), seen).at_end().drops_below(560),
        Column::new("act", "", Width::Fixed(196), verbs).at_end(),
    ]
}

fn sources(one: &Cluster, names: &SourceNames) -> Html {
    match one.sources.as_slice() {
        [] => html! { <span class="f3">{ "none" }</span> },
        [first, ..] => html! {
            <><div class="cut"><SourceLink id={first.clone()} names={names.clone()} /></div>
            if one.source_count > 1 { <div class="sm f3">{ format!("and {} more", count(one.source_count as i64 - 1)) }</div> }</>
        },
    }
}
