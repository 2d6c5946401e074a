//! One source: how it is doing, how far it has been read, what is wanting, and its backfills.

use super::backfill_dialog::BackfillDialog;
use super::backfills::{BackfillDrawer, columns, key_of};
use super::coverage::Coverage;
use super::map::{choosing, chosen};
use super::run::RunSourceDialog;
use super::verbs::{SourceVerb, SourceVerbDialog};
use crate::api::Load;
use crate::kit::format::{count, date_time, duration};
use crate::kit::{
    Banner, Button, ButtonKind, CopyId, Countdown, Shape, Skeleton, Table, TableBody, TimeAgo, Tone, use_keys,
};
use crate::pages::listing::listing;
use crate::parts::{CliTwin, JobLink, ProblemView, StaleBanner, StateBadge};
use crate::router::{Link, Query, use_router};
use crate::store::{Watch, use_list, use_query, use_session};
use stella_contract::backfill::{Backfill, BackfillFilter};
use stella_contract::ids::{BackfillId, SourceId};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use stella_contract::source::{Source, SourceHealth};
use stella_contract::watermark::{Watermark, Window};
use yew::prelude::*;

/// What a [`SourcePage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct SourcePageProps {
    /// The source.
    pub id: SourceId,
}

/// One source.
#[component]
pub fn SourcePage(props: &SourcePageProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("source {id}"), Watch::of(&["source", "job"]).every(30), move |api| {
        let id = id.clone();
        async move { api.source(&id).await }
    });
    match &asked.load {
        Load::Idle | Load::Loading => html! { <><Head name="" /><Skeleton rows={10} /></> },
        Load::Failed(problem) => html! {
            <><Head name={props.id.to_string()} /><ProblemView what="This source" problem={problem.clone()} on_retry={asked.refetch.clone()} /></>
        },
        Load::Ready(source, _) => html! { <Shown source={source.clone()} /> },
        Load::Stale(source, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                <Shown source={source.clone()} />
            </>
        },
    }
}

#[derive(Clone, PartialEq, Properties)]
struct HeadProps {
    name: AttrValue,
    #[prop_or_default]
    children: Html,
}

#[component]
fn Head(props: &HeadProps) -> Html {
    html! {
        <div class="page-head">
            <span class="crumb nw"><Link to={Route::Sources}>{ "Sources" }</Link>{ " ›" }</span>
            <h1 class="cut" title={props.name.clone()}>{ &props.name }</h1>
            { props.children.clone() }
        </div>
    }
}

/// What is open over the page.
#[derive(Debug, Clone, PartialEq)]
enum Layer {
    None,
    Run,
    Verb(SourceVerb),
    Backfill(Option<Window>),
}

#[derive(Clone, PartialEq, Properties)]
struct ShownProps {
    source: Source,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let source = &props.source;
    let (router, session) = (use_router(), use_session());
    let query = router.location().query.clone();
    let layer = use_state(|| Layer::None);
    let timed = source.source_type.has_event_time();
    let marks = {
        let id = source.source_id.clone();
        use_query(
            format!("watermarks {id}"),
            Watch::of(&["source", "backfill", "job", "watermark"]).every(60),
            move |api| {
                let id = id.clone();
                async move { api.watermarks(&id).await }
            },
        )
    };
    let mark = marks.load.value().and_then(whole).cloned();
    let why = |scope: Scope, own: Option<&'static str>| {
        session.refusal(scope).or_else(|| own.map(str::to_owned)).map(AttrValue::from)
    };
    let off = (!source.enabled).then_some("The source is disabled");
    let backfill_off = why(Scope::OrchBackfill, off.or((!timed).then_some("Its records have no event time")));
    let open = |next: Layer| {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(next.clone()))
    };
    let on_backfill = {
        let layer = layer.clone();
        Callback::from(move |range: Option<Window>| layer.set(Layer::Backfill(range)))
    };
    {
        let (on_backfill, can) = (on_backfill.clone(), backfill_off.is_none());
        let range = chosen(&query);
        use_keys(move |key| {
            let used = key.name == "b" && !key.ctrl && can;
            if used {
                on_backfill.emit(range);
            }
            used
        });
    }
    let close = open(Layer::None);
    let on_started = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |backfill: Backfill| {
            router.ask(&choosing(&query, None).with("backfill", backfill.backfill_id.as_str()));
        })
    };
    let shown: Option<BackfillId> = query.read("backfill");
    let leave = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |()| router.ask(&query.without("backfill")))
    };
    let (hold, hold_word) =
        if source.paused { (SourceVerb::Resume, "Resume…") } else { (SourceVerb::Pause, "Pause…") };
    let no_mark =
        mark.as_ref().and_then(|mark| mark.low_watermark).is_none().then_some("Nothing was read yet");
    html! {
        <>
            <Head name={source.name.clone()}>
                <StateBadge<SourceHealth> state={source.health} pill={true} />
                <span class="mono f2 sm nw">{ source.source_type.as_str() }</span>
                <span class="grow"></span>
                <Button small={true} disabled={why(Scope::OrchSubmit, None)} says_why={false} on_click={open(Layer::Verb(SourceVerb::Test))}>{ "Test…" }</Button>
                <Button small={true} disabled={why(Scope::OrchOperate, None)} says_why={false} on_click={open(Layer::Verb(SourceVerb::Change))}>{ "Settings…" }</Button>
                <Button small={true} disabled={why(Scope::OrchOperate, None)} says_why={false} on_click={open(Layer::Verb(hold))}>{ hold_word }</Button>
                <Button small={true} disabled={why(Scope::OrchSubmit, off)} says_why={false} on_click={open(Layer::Run)}>{ "Run now…" }</Button>
                <Button small={true} kind={ButtonKind::Primary} key_hint="B" disabled={backfill_off.clone()} on_click={on_backfill.reform(|()| None)}>{ "Backfill…" }</Button>
            </Head>
            <div class="with-drawer">
                <div class="list"><div class="body">
                    { standing(source) }
                    <div class="sec">{ figures(source, mark.as_ref()) }</div>
                    if timed {
                        <Coverage asked={marks} refusal={backfill_off} {on_backfill} />
                    } else {
                        <div class="sec"><div class="sec-h"><h2>{ "Coverage" }</h2></div>
                            <p class="f3 sm">{ "Its records have no event time: it is read whole each time, so that it has no watermark and no gaps." }</p></div>
                    }
                    if timed { <Backfills id={source.source_id.clone()} /> }
                    <div class="split halves">
                        { facts(source, mark.as_ref(), &open(Layer::Verb(SourceVerb::Reset)), &open(Layer::Verb(SourceVerb::Skip)), &why(Scope::OrchBackfill, no_mark), timed) }
                        { failure(source) }
                    </div>
                </div></div>
                if let Some(id) = shown { <BackfillDrawer key={id.to_string()} id={id.clone()} on_close={leave} /> }
            </div>
            { match &*layer {
                Layer::None => Html::default(),
                Layer::Run => html! { <RunSourceDialog source={source.clone()} on_close={close} /> },
                Layer::Verb(verb) => html! { <SourceVerbDialog verb={*verb} source={source.clone()} {mark} on_close={close} /> },
                Layer::Backfill(range) => html! { <BackfillDialog source={source.clone()} range={*range} {on_started} on_close={close} /> },
            } }
        </>
    }
}

/// The watermark of the part that is the whole.
fn whole(marks: &stella_contract::watermark::Watermarks) -> Option<&Watermark> {
    marks.items.iter().find(|one| one.partition.is_empty()).or(marks.items.first())
}

/// Why it does not run now.
fn standing(source: &Source) -> Html {
    if source.paused {
        return html! { <Banner tone={Tone::Idle} icon={Shape::RingBars} fact="Paused.">{ source.pause_reason.clone().unwrap_or_default() }</Banner> };
    }
    match source.not_before {
        Some(until) => {
            html! { <Banner tone={Tone::Warn} icon={Shape::Gauge} fact="The far side asked to wait.">{ "It may be called again in " }<Countdown {until} over="a moment" /></Banner> }
        }
        None => Html::default(),
    }
}

fn figures(source: &Source, mark: Option<&Watermark>) -> Html {
    let none = || html! { <span class="f3">{ "none" }</span> };
    let lag = source.lag_s.or(mark.and_then(|mark| mark.lag_s));
    let late =
        lag.is_some_and(|lag| lag > 2 * source.settings.fetch_window_s + source.settings.allowed_lateness_s);
    let time = |at: Option<stella_contract::time::Micros>| {
        at.map_or_else(
            none,
            |at| html! { <span class="mono" title={at.to_string()}>{ date_time(at) }</span> },
        )
    };
    html! {
        <div class="figs">
            <div class="fig"><div class="l">{ "Lag" }</div>
                <div class={classes!("v", late.then_some("k-warn"))}>{ lag.map_or_else(none, |lag| html! { { duration(lag * 1_000) } }) }</div>
                <div class="s">{ if late { "more than two windows" } else { "behind now" } }</div></div>
            <div class="fig"><div class="l">{ "Read without a hole until" }</div><div class="v fig-time">{ time(source.low_watermark.or(mark.and_then(|mark| mark.low_watermark))) }</div>
                <div class="s">{ "low watermark" }</div></div>
            <div class="fig"><div class="l">{ "Newest event seen" }</div><div class="v fig-time">{ time(mark.and_then(|mark| mark.high_watermark)) }</div>
                <div class="s">{ "high watermark" }</div></div>
            <div class="fig"><div class="l">{ "Records" }</div><div class="v">{ count(source.record_count) }</div><div class="s">{ if source.windowed { "read by window" } else { "read whole" } }</div></div>
            <div class="fig"><div class="l">{ "Last success" }</div><div class="v fig-time">{ source.last_success_at.map_or_else(none, |at| html! { <TimeAgo {at} /> }) }</div>
                <div class="s">{ if source.failures_in_a_row > 0 { format!("{} failures since", count(source.failures_in_a_row)) } else { "no failure since".to_owned() } }</div></div>
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct BackfillsProps {
    id: SourceId,
}

/// The backfills of the source.
#[component]
fn Backfills(props: &BackfillsProps) -> Html {
    let router = use_router();
    let filter = BackfillFilter { source: Some(props.id.clone()), state: None };
    let list = use_list(
        format!("backfills {}", props.id),
        Watch::of(&["backfill", "job"]),
        false,
        move |api, page| {
            let filter = filter.clone();
            async move { api.backfills(&filter, &page).await }
        },
    );
    let columns = use_memo((), |()| {
        columns().into_iter().filter(|column| column.head.id != "source").collect::<Vec<_>>()
    });
    let query = router.location().query.clone();
    let current = query.get("backfill").map(str::to_owned);
    let on_open = {
        let (router, query) = (router.clone(), query.clone());
        Callback::from(move |id: String| router.ask(&query.with("backfill", id)))
    };
    let nothing = html! { <p class="f3 sm">{ "None yet. Choose a range on the map, or press B." }</p> };
    let few = list.state.rows.len().min(8).to_string();
    let table = html! {
        <div class={format!("short-list rows-{few}")}>
            <Table label="Backfills" body={TableBody::new(list.state.rows.clone(), key_of, columns)} {current}
                total={list.state.total} on_open={Some(on_open)} on_more={list.more.clone()} loading={list.is_loading_more()} />
        </div>
    };
    html! {
        <section class="sec" aria-label="Backfills">
            <div class="sec-h"><h2>{ "Backfills" }</h2><span class="note">{ list.state.total.map(|total| count(total as i64)).unwrap_or_default() }</span>
                <span class="grow"></span><Link to={Route::Sources} query={Query::default().with("tab", "backfills")} class="link sm">{ "Of all sources" }</Link></div>
            { listing("Backfills", &list, nothing, table) }
        </section>
    }
}

fn facts(
    source: &Source,
    mark: Option<&Watermark>,
    reset: &Callback<()>,
    skip: &Callback<()>,
    refusal: &Option<AttrValue>,
    timed: bool,
) -> Html {
    let s = &source.settings;
    let seconds = |s: i64| duration(s * 1_000);
    html! {
        <section class="sec" aria-label="How it is read">
            <div class="sec-h"><h2>{ "How it is read" }</h2><span class="grow"></span>
                if timed {
                    <Button small={true} disabled={refusal.clone()} says_why={false} on_click={skip.clone()}>{ "Skip window…" }</Button>
                    <Button small={true} kind={ButtonKind::Danger} disabled={refusal.clone()} on_click={reset.clone()}>{ "Reset watermark…" }</Button>
                }
            </div>
            <dl class="kv">
                <dt>{ "Source ID" }</dt><dd><CopyId text={source.source_id.to_string()} /></dd>
                <dt>{ "Location" }</dt><dd class="mono" title={source.location.clone()}>{ &source.location }</dd>
                <dt>{ "Host" }</dt><dd class="mono">{ source.host.as_deref().unwrap_or("this machine") }</dd>
                <dt>{ "Job type" }</dt><dd class="mono">{ &source.job_type }</dd>
                if timed {
                    <dt>{ "Live window" }</dt><dd>{ format!("{}, reaches back {}, waits {} for late records", seconds(s.fetch_window_s), seconds(s.overlap_s), seconds(s.allowed_lateness_s)) }</dd>
                    <dt>{ "Next window" }</dt><dd class="mono">{ mark.and_then(|mark| mark.next_window).map_or_else(|| "none".to_owned(), super::coverage::span) }</dd>
                    <dt>{ "Keeps" }</dt><dd>{ format!("{} days", count(s.retention_days)) }</dd>
                }
                <dt>{ "Rate" }</dt><dd>{ format!("{} requests per second, {} at once", s.bucket_rate, count(s.bucket_capacity)) }</dd>
                <dt>{ "Secret" }</dt><dd class="mono">{ s.auth_ref.as_deref().unwrap_or("none") }</dd>
                <dt>{ "Last job" }</dt><dd>{ source.last_job_id.as_ref().map_or_else(|| html! { "none" }, |id| html! { <JobLink id={id.clone()} /> }) }</dd>
                <dt>{ "Added" }</dt><dd><TimeAgo at={source.created_at} /></dd>
            </dl>
        </section>
    }
}

fn failure(source: &Source) -> Html {
    let of_source = Query::default().with("source", source.source_id.as_str());
    html! {
        <section class="sec" aria-label="Last failure">
            <div class="sec-h"><h2>{ "Last failure" }</h2>
                if let Some(at) = source.last_error_at { <span class="note"><TimeAgo {at} /></span> }</div>
            if let Some(error) = &source.last_error {
                <p class="prose">{ error }{ source.last_error_code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default() }</p>
                <p class="f3 sm">{ "What was read before that is kept." }</p>
            } else {
                <p class="f3 sm">{ "It never failed." }</p>
            }
            <div class="row wrap after">
                <Link to={Route::Jobs} class="link" query={of_source.clone()}>{ "Its jobs" }</Link>
                <Link to={Route::DeadLetterQueue} class="link" query={of_source}>{ "Its dead letters" }</Link>
            </div>
            <div class="after"><CliTwin words={["orch", "source", "show", source.source_id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec()} button={true} /></div>
        </section>
    }
}
