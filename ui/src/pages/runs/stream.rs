//! A run as it happens: phases, segments by shard, pace, what changed so far, the log and the events.

use super::board::{
    EventRow, Stand, events_of, log_of, newest, pace_by_shard, pace_line, shown_segment, strip,
};
use super::changes::matrix;
use super::log::{CopyQuery, Level, NEAR_END, levels, line};
use super::segment_retry::{RetrySegment, RetrySegmentDialog};
use super::summary::{PhaseRow, kev_date, legend, look, pace_text, phase_rows, remaining_ms};
use super::verbs::RunVerbs;
use crate::clock::use_now;
use crate::kit::format::{count, duration};
use crate::kit::{
    Banner, Button, Clock, CopyId, Elapsed, Empty, HeatStrip, Icon, IconSize, Meter, Shape, Skeleton,
    Sparkline, TimeAgo, Tone, use_keys,
};
use crate::parts::{CliTwin, JobLink, ProblemView, RunBadges, RunPhases, RunStateBadge, mark, split};
use crate::router::Link;
use crate::store::{FeedState, RunStream, Slow, WatchedRun, use_run_stream};
use std::rc::Rc;
use stella_contract::ids::RunId;
use stella_contract::route::Route;
use stella_contract::run::Run;
use stella_contract::segment::{Segment, SegmentState};
use yew::prelude::*;

/// What a [`RunStreamPage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct RunStreamPageProps {
    /// The run.
    pub id: RunId,
}

/// The stream of a run.
#[component]
pub fn RunStreamPage(props: &RunStreamPageProps) -> Html {
    let id = props.id.clone();
    let stream = use_run_stream(&id);
    let frozen = use_state(|| None::<Rc<WatchedRun>>);
    let watched = (*frozen).clone().unwrap_or_else(|| stream.watched.clone());
    let freeze = {
        let (frozen, live) = (frozen.clone(), stream.watched.clone());
        Callback::from(move |()| frozen.set(if frozen.is_some() { None } else { Some(live.clone()) }))
    };
    {
        let freeze = freeze.clone();
        use_keys(move |key| {
            let used = key.name == " " && !key.ctrl;
            if used {
                freeze.emit(());
            }
            used
        });
    }
    let thaw = {
        let frozen = frozen.clone();
        Callback::from(move |()| frozen.set(None))
    };
    let body = match (&stream.problem, &watched.run) {
        (Some(problem), None) => html! { <ProblemView what="This run" problem={problem.clone()} /> },
        (_, None) => html! { <Skeleton rows={12} /> },
        (_, Some(run)) => html! {
            <>
                { lost(&stream) }
                { progress(run) }
                <div class="split stream-split">
                    <Segments run={Run::clone(run)} watched={watched.clone()} />
                    <section class="sec" aria-label="Deltas">
                        <div class="sec-h"><h2>{ if run.state.is_final() { "Deltas" } else { "Deltas so far" } }</h2><span class="grow"></span>
                            <span class="f3 sm">{ kev_date(run).map_or_else(|| "no KEV list".to_owned(), |date| format!("KEV list of {date}")) }</span></div>
                        { matrix(&run.deltas, &run.run_id) }
                        <Throughput run={Run::clone(run)} watched={watched.clone()} />
                    </section>
                </div>
                <div class="split stream-split stream-rest">
                    <Log watched={watched.clone()} live={stream.watched.clone()} frozen={frozen.is_some()} on_live={thaw} />
                    { events(&id, events_of(&watched), watched.seq) }
                </div>
            </>
        },
    };
    let (head, tail) = split(id.as_str());
    html! {
        <>
            <div class="page-head">
                <span class="crumb"><Link to={Route::Runs}>{ "Runs" }</Link>{ " ›" }</span>
                <h1 class="mono job-id"><span class="f3">{ head }</span>{ tail }</h1><CopyId text={id.to_string()} shown="" />
                if let Some(run) = &watched.run { <RunStateBadge run={Run::clone(run)} pill={true} /><RunBadges badges={run.badges.clone()} /> }
                <span class="grow"></span>
                { connection(&stream) }
                if !stream.watched.ended || frozen.is_some() { <Button small={true} icon={if frozen.is_some() { Shape::Play } else { Shape::Pause }} key_hint="Space" pressed={frozen.is_some()} on_click={freeze}>
                    { if frozen.is_some() { "Follow" } else { "Freeze" } }
                </Button> }
                if let Some(run) = &stream.watched.run { <RunVerbs run={Run::clone(run)} on_done={Callback::noop()} /> }
            </div>
            <div class="body stream">{ body }</div>
        </>
    }
}

/// How the stream stands, in the head.
fn connection(stream: &RunStream) -> Html {
    let (shape, tone, word) = match (stream.watched.ended, stream.state) {
        (true, _) => (Shape::DiscCheck, Tone::Idle, "Ended"),
        (false, FeedState::Polling) if stream.slow.is_some() => {
            (Shape::RingClock, Tone::Warn, "Asked every 30 s")
        }
        (false, FeedState::Live) => (Shape::DiscCheck, Tone::Ok, "Streaming"),
        (false, FeedState::Polling) => (Shape::DiscCheck, Tone::Ok, "Following"),
        (false, FeedState::Connecting) => (Shape::Loop, Tone::Live, "Connecting"),
        (false, FeedState::Reconnecting { .. }) => (Shape::RingClock, Tone::Warn, "Reconnecting"),
    };
    html! {
        <span class="row sm nw" role="status">
            { mark(shape, tone, word, false, false) }
            if let Some(seq) = stream.watched.seq { <span class="f3">{ format!("event {}", count(seq)) }</span> }
            if let Some(heard) = stream.heard.filter(|_| !stream.watched.ended) { <span class="f3"><TimeAgo at={heard} /></span> }
        </span>
    }
}

/// Says that what is shown is old, and when it is tried again.
fn lost(stream: &RunStream) -> Html {
    if let (Some(slow), FeedState::Polling, false) = (stream.slow, stream.state, stream.watched.ended) {
        let (tone, fact, why) = match slow {
            Slow::StreamLost => (
                Tone::Warn,
                "The stream cannot be held.",
                "Five tries in a row failed. The run is asked for every 30 s, and the stream is tried again every five minutes.",
            ),
            Slow::SwitchedOff => (
                Tone::Idle,
                "Streams are switched off on this ledger (runs.sse.enabled).",
                "The run is asked for every 30 s.",
            ),
        };
        return html! { <Banner {tone} icon={Shape::RingClock} {fact}>{ why }</Banner> };
    }
    let FeedState::Reconnecting { attempt, next } = stream.state else { return Html::default() };
    if stream.watched.ended {
        return Html::default();
    }
    html! {
        <Banner tone={Tone::Warn} icon={Shape::RingClock} fact="The stream is lost.">
            if let Some(heard) = stream.heard { { "Shown as it was " }<TimeAgo at={heard} />{ ". " } }
            { format!("Try {attempt} in ") }<crate::kit::Countdown until={next} over="a moment" />{ "; it goes on where it was." }
        </Banner>
    }
}

fn progress(run: &Run) -> Html {
    html! {
        <section class="sec stream-progress" aria-label="Progress">
            <div class="fig">
                <div class="l">{ "Progress" }</div>
                <div class="v">{ run.percent().map_or_else(|| "planning".to_owned(), |percent| format!("{percent:.1}%")) }</div>
                <div class="s">{ remaining_ms(run).map_or_else(|| format!("{} of {}", count(run.processed), count(run.candidates)), |ms| format!("{} left at this rate", duration(ms))) }</div>
            </div>
            <div class="stream-phases">
                <RunPhases run={run.clone()} />
                <div class="phase-words">{ for phase_rows(run).into_iter().map(|row| phase(run, row)) }</div>
            </div>
        </section>
    }
}

fn phase(run: &Run, row: PhaseRow) -> Html {
    let (shape, tone) = look(row.state);
    let more = match row.name.as_str() {
        "planner" => format!("{} shards", run.planner_shard_count),
        "execution" => {
            let pace =
                run.targets_per_minute.map(|pace| format!(", {}/min", pace_text(pace))).unwrap_or_default();
            format!("{} of {}{pace}", count(run.processed), count(run.candidates))
        }
        _ => row.words.to_owned(),
    };
    html! {
        <div key={row.name.to_string()} class="phase-word">
            <span class="row"><span class={classes!("st", tone.class())}><Icon {shape} size={IconSize::Small} />{ &row.name }</span>
                <span class="b">{ row.from.map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |from| html! { <Elapsed {from} until={row.until} /> }) }</span></span>
            <span class="f3 sm">{ more }</span>
        </div>
    }
}

/// Targets per minute, and how they went in the last twenty.
#[component]
fn Throughput(props: &SegmentsProps) -> Html {
    let line = pace_line(&props.run, &props.watched.segments, use_now());
    let pace = props.run.targets_per_minute.filter(|pace| *pace > 0.0);
    html! {
        <p class="row sm throughput"><span class="f3">{ "Throughput" }</span>
            if line.len() > 1 { <Sparkline values={line} label="Targets of segments that ended, by minute" /> }
            { match pace {
                Some(pace) => html! { <><span class="b">{ pace_text(pace) }</span>{ " targets/min" }</> },
                None => html! { <span class="f3">{ "none now" }</span> },
            } }
        </p>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct SegmentsProps {
    run: Run,
    watched: Rc<WatchedRun>,
}

/// The strip and the pace beside it; an opened cell names its segment and its job.
#[component]
fn Segments(props: &SegmentsProps) -> Html {
    let now = use_now();
    let open = use_state_eq(|| None::<AttrValue>);
    let (run, segments) = (&props.run, &props.watched.segments);
    let on_open = {
        let open = open.clone();
        Callback::from(move |id: AttrValue| open.set(Some(id)))
    };
    let retrying = use_state(|| None::<Segment>);
    let retry = {
        let retrying = retrying.clone();
        Callback::from(move |one: Option<Segment>| retrying.set(one))
    };
    let chosen = shown_segment(segments, open.as_deref());
    let paces = pace_by_shard(run, segments, now);
    let fastest = paces.iter().map(|(_, pace)| *pace).fold(0.0_f64, f64::max).max(f64::MIN_POSITIVE);
    html! {
        <section class="sec" aria-label="Segments">
            <div class="sec-h"><h2>{ format!("{} segments", count(segments.len() as i64)) }</h2><span class="row wrap sm">{ legend(run) }</span></div>
            if segments.is_empty() {
                <p class="f3 sm">{ if run.state.is_final() { "There was nothing to cut into segments." } else { "The planner has not cut any yet." } }</p>
            } else {
                <div class="strip">
                    <div class="strip-in">
                        <p class="f3 xs">{ if run.kev_first { "shard, segments in planner order, KEV-affected first, paler = slower" } else { "shard, segments in planner order, paler = slower" } }</p>
                        <HeatStrip label={format!("{} segments by shard", segments.len())} rows={strip(segments)} current={(*open).clone()} {on_open} />
                    </div>
                    <div class="strip-pace">
                        <p class="f3 xs">{ "targets/min by shard" }</p>
                        { for paces.iter().map(|(shard, pace)| html! {
                            <div key={*shard} class="row pace-row"><span class="num xs b">{ pace_text(*pace) }</span>
                                <Meter share={pace / fastest} label={format!("shard {shard}")} tone={Tone::Idle} /></div>
                        }) }
                    </div>
                </div>
            }
            if let Some(segment) = chosen {
                <p class="row wrap sm" role="status">
                    <span class="mono">{ format!("segment {}.{}", segment.shard, segment.ordinal) }</span>
                    <span class="f2">{ format!("{}, {} of {} targets", segment.state, count(segment.processed), count(segment.target_count)) }</span>
                    if let Some(reason) = &segment.reason { <span class="k-bad">{ reason }</span> }
                    <JobLink id={segment.job_id.clone()} />
                    if segment.state == SegmentState::Failed {
                        <RetrySegment segment={segment.clone()} run={run.state} on_ask={retry.reform(Some)} />
                    }
                </p>
            }
            if let Some(segment) = &*retrying {
                <RetrySegmentDialog segment={segment.clone()} on_done={Callback::noop()} on_close={retry.reform(|()| None)} />
            }
        </section>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct LogProps {
    /// What is shown: live, or as it was when it was frozen.
    watched: Rc<WatchedRun>,
    /// What has come meanwhile.
    live: Rc<WatchedRun>,
    frozen: bool,
    on_live: Callback<()>,
}

/// The tail of the log. It follows its end until the reader scrolls up or freezes it.
#[component]
fn Log(props: &LogProps) -> Html {
    let level = use_state_eq(Level::default);
    let stand = use_state_eq(Stand::default);
    let node = use_node_ref();
    let at = match (*stand, props.frozen) {
        (Stand::Live, true) => Stand::Scrolled(newest(&props.watched)),
        (at, _) => at,
    };
    let shown = log_of(&props.live, *level, at);
    {
        let node = node.clone();
        let last = shown.lines.last().map(|line| line.seq);
        use_effect_with((last, at), move |(_, at)| {
            if let (Stand::Live, Some(element)) = (at, node.cast::<web_sys::Element>()) {
                element.set_scroll_top(element.scroll_height());
            }
        });
    }
    let on_scroll = {
        let (node, stand, last) = (node.clone(), stand.clone(), newest(&props.live));
        Callback::from(move |_: Event| {
            let Some(element) = node.cast::<web_sys::Element>() else { return };
            let left = element.scroll_height() - element.scroll_top() - element.client_height();
            match (*stand, left > NEAR_END) {
                (Stand::Live, true) => stand.set(Stand::Scrolled(last)),
                (Stand::Scrolled(_), _) | (Stand::Live, false) => {}
            }
        })
    };
    let go_live = {
        let (stand, thaw) = (stand.clone(), props.on_live.clone());
        Callback::from(move |()| {
            stand.set(Stand::Live);
            thaw.emit(());
        })
    };
    {
        let go_live = go_live.clone();
        use_keys(move |key| {
            let used = key.name == "G";
            if used {
                go_live.emit(());
            }
            used
        });
    }
    let on_level = {
        let level = level.clone();
        Callback::from(move |one| level.set(one))
    };
    html! {
        <section class="stream-log" aria-label="Log">
            <div class="row stream-bar"><h2>{ "Log" }</h2>
                <span class="f3 sm">{ format!("last {} of {}, kept for 30 minutes", count(shown.lines.len() as i64), count(shown.kept as i64)) }</span>
                <span class="grow"></span>{ levels(*level, on_level) }
                if let Some(run) = &props.live.run { <CopyQuery run={Run::clone(run)} label="Copy query" /> }</div>
            if shown.lines.is_empty() {
                <Empty icon={Shape::Dash} fact="No log lines">{ if props.live.ended { "Lines are kept for 30 minutes after they were written." } else { "Lines appear as the run goes on." } }</Empty>
            } else {
                <div ref={node} class="log stream-lines" tabindex="0" role="log" aria-live="off" aria-label="Log lines" onscroll={on_scroll}>
                    { for shown.lines.iter().map(line) }
                </div>
            }
            if at != Stand::Live {
                <div class="go-live"><Button icon={Shape::Down} key_hint="G" on_click={go_live}>{ format!("{} new lines, go to live", count(shown.news as i64)) }</Button></div>
            }
        </section>
    }
}

fn events(id: &RunId, rows: Vec<EventRow>, seq: Option<i64>) -> Html {
    let words =
        ["runs", "stream", "--run", id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec();
    html! {
        <section class="stream-events" aria-label="Events">
            <div class="row stream-bar"><h2>{ "Events" }</h2><span class="f3 sm">{ "2,000 or 30 min are kept" }</span><span class="grow"></span>
                if let Some(seq) = seq { <span class="mono f3 sm">{ format!("Last-Event-ID {seq}") }</span> }</div>
            <div class="stream-lines event-rows">
                if rows.is_empty() { <p class="f3 sm">{ "None has come since the page was opened." }</p> }
                <table class="tbl"><tbody>{ for rows.into_iter().map(|row| html! {
                    <tr key={format!("{} {}", row.seq, row.name)}>
                        <td class="num mono">{ count(row.seq) }</td><td class="mono">{ row.name }</td>
                        <td class="f2" title={row.words.clone()}>{ row.words.clone() }</td><td class="num f3"><Clock at={row.at} /></td>
                    </tr>
                }) }</tbody></table>
            </div>
            <div class="drawer-foot"><CliTwin {words} /></div>
        </section>
    }
}
