//! What a run is and how far it is: its phases, its pace, its segments, its facts.

use super::diff::determinism;
use crate::kit::format::{count, duration};
use crate::kit::{Banner, Clock, CopyId, Elapsed, Icon, IconSize, PhaseState, Shape, Stack, StackPart, Tone};
use crate::parts::{Badge, RunCode, RunLink, RunPhases, phases};
use crate::router::{Link, Query};
use stella_contract::route::Route;
use stella_contract::run::{Run, RunState, SegmentCounts};
use stella_contract::segment::SegmentState;
use stella_contract::time::Micros;
use yew::prelude::*;

/// The summary.
pub(super) fn summary(run: &Run) -> Html {
    html! {
        <>
            if let Some(code) = run.error_code {
                <Banner tone={Tone::Bad} icon={Shape::OctagonCross} fact={run.error_message.clone().unwrap_or_else(|| code.meaning().to_owned())}
                    action={html! { <RunCode {code} /> }}>
                    { code.next_step() }
                </Banner>
            }
            { progress(run) }
            { segments(run) }
            <section class="sec" aria-label="Facts"><div class="sec-h"><h2>{ "Summary" }</h2></div>{ facts(run) }</section>
        </>
    }
}

fn progress(run: &Run) -> Html {
    let pace = run.targets_per_minute.filter(|pace| *pace > 0.0);
    html! {
        <section class="sec" aria-label="Progress">
            <div class="sec-h"><h2>{ "Progress" }</h2><span class="grow"></span>
                if let Some(percent) = run.percent() {
                    <span class="f2 sm">{ format!("{} of {} targets", count(run.processed), count(run.candidates)) }</span>
                    <span class="b">{ format!("{percent:.1}%") }</span>
                } else {
                    <span class="f2 sm">{ "total not known" }</span>
                }
            </div>
            <RunPhases run={run.clone()} />
            <table class="tbl phase-rows"><tbody>{ for phase_rows(run).into_iter().map(phase_row) }</tbody></table>
            <div class="figs">
                <div class="fig"><div class="l">{ "Throughput" }</div>
                    <div class="v">{ match pace { Some(pace) => html! { { pace_text(pace) } }, None => html! { <span class="f3">{ "none" }</span> } } }</div>
                    <div class="s">{ "targets/min, last 5 min" }</div></div>
                <div class="fig"><div class="l">{ "Remaining" }</div>
                    <div class="v">{ remaining_ms(run).map_or_else(|| html! { <span class="f3">{ if run.state.is_final() { "none" } else { "not known" } }</span> }, |ms| html! { { duration(ms) } }) }</div>
                    <div class="s">{ "at this rate" }</div></div>
            </div>
        </section>
    }
}

/// The day of the KEV list a run used.
pub(super) fn kev_date(run: &Run) -> Option<String> {
    let released = run.kev_released.as_ref()?;
    Some(released.get(..10).unwrap_or(released).to_owned())
}

/// A pace with one decimal where it is small.
pub(super) fn pace_text(pace: f64) -> String {
    if pace < 10.0 { format!("{pace:.1}") } else { count(pace.round() as i64) }
}

/// How long the rest takes at the present pace; unknown while nothing moves.
pub(super) fn remaining_ms(run: &Run) -> Option<i64> {
    let pace = run.targets_per_minute.filter(|pace| *pace > 0.0)?;
    let left = run.candidates - run.processed;
    (run.state == RunState::Running && left > 0).then(|| (left as f64 / pace * 60_000.0) as i64)
}

/// One phase in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhaseRow {
    /// Its name.
    pub name: AttrValue,
    /// How it stands.
    pub state: PhaseState,
    /// In words.
    pub words: &'static str,
    /// When it began.
    pub from: Option<Micros>,
    /// When it ended.
    pub until: Option<Micros>,
}

/// The four phases with their times; each begins when the one before ended.
pub(super) fn phase_rows(run: &Run) -> Vec<PhaseRow> {
    let times = [
        (Some(run.created_at), run.planned_at),
        (run.planned_at, run.started_at),
        (run.started_at, run.executed_at),
        (run.executed_at, run.finished_at),
    ];
    phases(run)
        .into_iter()
        .zip(times)
        .map(|(phase, (from, until))| PhaseRow {
            name: phase.label,
            state: phase.state,
            words: match phase.state {
                PhaseState::Waiting if run.state.is_final() => "not reached",
                PhaseState::Waiting => "waiting",
                PhaseState::Live { .. } => "at work",
                PhaseState::Done { failed } if failed > 0.0 => "done, some failed",
                PhaseState::Done { .. } => "done",
                PhaseState::Failed => "failed",
            },
            from,
            until: until.or(run.finished_at),
        })
        .collect()
}

/// The shape and the colour of a phase.
pub(super) fn look(state: PhaseState) -> (Shape, Tone) {
    match state {
        PhaseState::Waiting => (Shape::DashedRing, Tone::Idle),
        PhaseState::Live { .. } => (Shape::RingPlay, Tone::Live),
        PhaseState::Done { .. } => (Shape::DiscCheck, Tone::Ok),
        PhaseState::Failed => (Shape::OctagonCross, Tone::Bad),
    }
}

fn phase_row(row: PhaseRow) -> Html {
    let (shape, tone) = look(row.state);
    html! {
        <tr key={row.name.to_string()}>
            <td><span class={classes!("st", tone.class())}><Icon {shape} size={IconSize::Small} />{ &row.name }</span></td>
            <td class="f2">{ row.words }</td>
            <td class="num">{ row.from.map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |at| html! { <Clock {at} /> }) }</td>
            <td class="num">{ row.from.map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |from| html! { <Elapsed {from} until={row.until} /> }) }</td>
        </tr>
    }
}

/// Segments by state: the state, how many, the fill.
pub(super) const fn by_state(counts: &SegmentCounts) -> [(SegmentState, i64, &'static str); 7] {
    [
        (SegmentState::Succeeded, counts.succeeded, "bg-ok"),
        (SegmentState::Failed, counts.failed, "bg-bad"),
        (SegmentState::Running, counts.running, "bg-live"),
        (SegmentState::Queued, counts.queued, "bg-idle"),
        (SegmentState::Pending, counts.pending, "bg-line"),
        (SegmentState::Cancelled, counts.cancelled, "bg-2"),
        (SegmentState::Skipped, counts.skipped, "bg-2"),
    ]
}

fn segments(run: &Run) -> Html {
    let to = Route::Run(run.run_id.clone());
    let all = Query::default().with("tab", "segments");
    let total = run.segments.total();
    if total == 0 {
        return html! {
            <section class="sec" aria-label="Segments"><div class="sec-h"><h2>{ "Segments" }</h2></div>
                <p class="f3 sm">{ if run.state.is_final() { "There was nothing to cut into segments." } else { "The planner has not cut any yet." } }</p>
            </section>
        };
    }
    let parts = by_state(&run.segments)
        .into_iter()
        .map(|(state, many, fill)| StackPart {
            label: format!("{many} {state}").into(),
            weight: many as f64,
            fill,
        })
        .collect::<Vec<_>>();
    html! {
        <section class="sec" aria-label="Segments">
            <div class="sec-h"><h2>{ "Segments" }</h2><span class="grow"></span>
                <Link {to} query={all} class="link sm">{ format!("Open {} segments", count(total)) }</Link></div>
            <Stack label={format!("{total} segments by state")} {parts} />
            <div class="row wrap sm legend">{ legend(run) }</div>
        </section>
    }
}

/// Segments by state in words, each leading to them.
pub(super) fn legend(run: &Run) -> Html {
    let to = Route::Run(run.run_id.clone());
    let all = Query::default().with("tab", "segments");
    html! {
        <>{ for by_state(&run.segments).into_iter().filter(|(_, many, _)| *many > 0).map(|(state, many, _)| {
            let (shape, tone) = state.look();
            html! {
                <span key={state.as_str()} class={classes!("st", tone.class())}><Icon {shape} size={IconSize::Small} />
                    <Link to={to.clone()} query={all.clone()} class="n">{ count(many) }</Link>{ state.as_str() }</span>
            }
        }) }</>
    }
}

fn facts(run: &Run) -> Html {
    let none = |text: &'static str| html! { <span class="f3">{ text }</span> };
    html! {
        <dl class="kv">
            <dt>{ "Tenant" }</dt><dd>{ run.tenant.to_string() }</dd>
            <dt>{ "Trigger" }</dt><dd>{ run.trigger.as_str() }<span class="f3">{ run.trigger_detail.as_ref().map(|detail| format!(" {detail}")).unwrap_or_default() }</span></dd>
            <dt>{ "Started by" }</dt><dd>{ &run.initiator }</dd>
            <dt>{ "Reason" }</dt><dd title={run.reason.clone()}>{ run.reason.clone().map_or_else(|| none("none"), |text| html! { { text } }) }</dd>
            <dt>{ "Ticket" }</dt><dd>{ run.ticket.clone().map_or_else(|| none("none"), |text| html! { <span class="mono">{ text }</span> }) }</dd>
            <dt>{ "Mode, scope" }</dt><dd>{ format!("{}, {}", run.mode, run.scope) }</dd>
            <dt>{ "Policy" }</dt><dd>{ match (run.policy_revision, &run.policy_snapshot_id) {
                (Some(revision), Some(id)) => html! { <Link to={Route::Policy} query={Query::default().with("snapshot", id.as_str())} class="link">{ format!("revision {revision}") }</Link> },
                (None, Some(id)) => html! { <span class="mono" title={id.to_string()}>{ format!("{}, not known here", id.short()) }</span> },
                (Some(_) | None, None) => none("none was active"),
            } }</dd>
            <dt>{ "Planner shards" }</dt><dd>{ run.planner_shard_count }<span class="f3">{ if run.kev_first { " KEV-affected targets first" } else { "" } }</span></dd>
            <dt>{ "Impact index" }</dt><dd>{ format!("generation {}", count(run.impact_index_generation)) }</dd>
            <dt>{ "KEV list" }</dt><dd>{ kev_date(run).map_or_else(|| none("no list was known"), |text| html! { { text } }) }</dd>
            <dt>{ "Started" }</dt><dd>{ run.started_at.map_or_else(|| none("not started"), |at| html! { <Clock {at} /> }) }</dd>
            <dt>{ "Finished" }</dt><dd>{ run.finished_at.map_or_else(|| none("not finished"), |at| html! { <Clock {at} /> }) }</dd>
            <dt>{ "Targets failed" }</dt><dd>{ count(run.failed) }</dd>
            <dt>{ "Findings" }</dt><dd>{ findings(run) }</dd>
            <dt>{ "Determinism" }</dt><dd>{ determinism(run) }</dd>
            <dt>{ "Correlation" }</dt><dd><CopyId text={run.correlation_id.clone()} /></dd>
            <dt>{ "Retry of" }</dt><dd>{ run.retry_of.clone().map_or_else(|| none("none"), |id| html! { <RunLink {id} /> }) }<span class="f3">{ if run.only_failed { " failed targets only" } else { "" } }</span></dd>
        </dl>
    }
}

fn findings(run: &Run) -> Html {
    if !run.state.is_final() {
        return html! { <span class="f3">{ "known when it has ended" }</span> };
    }
    html! { <Link to={Route::Findings} query={Query::default().with("run", run.run_id.as_str())} class="n">{ count(run.findings) }</Link> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;

    #[test]
    fn each_phase_begins_where_the_one_before_ended() {
        let running = run(serde_json::json!({ "state": "running", "candidates": 100, "processed": 40,
            "plannedAt": "2026-11-21T14:09:00.000Z", "startedAt": "2026-11-21T14:10:00.000Z", "targetsPerMinute": 20.0 }));
        let rows = phase_rows(&running);
        assert_eq!(
            rows.iter().map(|row| row.words).collect::<Vec<_>>(),
            ["done", "done", "at work", "waiting"]
        );
        assert_eq!(rows[1].from, rows[0].until);
        assert_eq!(remaining_ms(&running), Some(180_000));
    }

    #[test]
    fn a_phase_of_an_ended_run_does_not_wait_any_more() {
        let refused = run(serde_json::json!({ "state": "error", "finishedAt": "2026-11-21T14:09:00.000Z" }));
        let rows = phase_rows(&refused);
        assert_eq!(
            rows.iter().map(|row| row.words).collect::<Vec<_>>(),
            ["failed", "not reached", "not reached", "not reached"]
        );
        assert_eq!(rows[0].until, refused.finished_at);
        assert_eq!(remaining_ms(&refused), None);
        assert_eq!((pace_text(4.25), pace_text(1_420.4)), ("4.2".to_owned(), "1,420".to_owned()));
    }
}
