//! "Why is it not running?": everything that holds a job, at once, and what lifts each of it.

use crate::api::Load;
use crate::kit::format::{counted, short_id};
use crate::kit::{Button, Clock, CommandLine, Countdown, Meter, Shape, Skeleton, Tone};
use crate::pages::limits::{LiftDialog, Lifting};
use crate::parts::{ProblemView, mark, wait_reason};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query, use_session};
use stella_contract::blocker::{Blocker, BlockerKind, Explanation};
use stella_contract::ids::{JobId, SourceId};
use stella_contract::job::{Job, JobState};
use stella_contract::route::Route;
use yew::prelude::*;

/// What [`Waits`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct WaitsProps {
    /// The job, before it is in the hands of a worker.
    pub job: Job,
}

/// Whether a job waits, so that there is something to explain.
pub(super) fn is_waiting(job: &Job) -> bool {
    matches!(job.state, JobState::Pending | JobState::Queued)
}

/// The panel.
#[component]
pub(super) fn Waits(props: &WaitsProps) -> Html {
    let id = props.job.job_id.clone();
    let lifting = use_state_eq(|| None::<Lifting>);
    // Limits change without an event of this job, so it is asked again by itself.
    let watch =
        Watch::of(&["job", "quota", "throttle", "breaker", "blackout", "bucket", "pressure"]).every(5);
    let asked = use_query(format!("explain {id} {}", props.job.version), watch, move |api| {
        let id = id.clone();
        async move { api.explain_job(&id).await }
    });
    let lift = {
        let lifting = lifting.clone();
        Callback::from(move |what: Lifting| lifting.set(Some(what)))
    };
    let close = {
        let lifting = lifting.clone();
        Callback::from(move |()| lifting.set(None))
    };
    html! {
        <section class="sec waits" id="why" aria-label="Why is it not running?">
            { match &asked.load {
                Load::Idle | Load::Loading => html! { <><div class="sec-h"><h2>{ "Why is it not running?" }</h2></div><Skeleton rows={2} /></> },
                Load::Failed(problem) => html! { <ProblemView what="The reasons" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(explained, _) | Load::Stale(explained, _, _) => html! { <Reasons explained={explained.clone()} on_lift={lift} /> },
            } }
            if let Some(what) = (*lifting).clone() { <LiftDialog {what} on_close={close} /> }
        </section>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct ReasonsProps {
    explained: Explanation,
    on_lift: Callback<Lifting>,
}

#[component]
fn Reasons(props: &ReasonsProps) -> Html {
    let explained = &props.explained;
    let held = explained.blockers.len() as i64;
    html! {
        <>
            <div class="sec-h">
                <h2>{ "Why is it not running?" }</h2>
                if held > 1 { <span class="note">{ counted(held, "thing holds it", "things hold it") }</span> }
                <span class="grow"></span>
                if let Some(at) = explained.next_eligible_at { <span class="sm f2">{ "at the earliest in " }<Countdown until={at} over="a moment" /></span> }
                if let Some(place) = explained.position { <span class="sm f2">{ format!("number {place} among the ready jobs of its type") }</span> }
                <span class="f3 sm">{ "looked at " }<Clock at={explained.asked_at} /></span>
            </div>
            if explained.blockers.is_empty() {
                <p class="f2">{ &explained.sentence }</p>
            } else {
                <ul class="blockers">{ for explained.blockers.iter().map(|one| html! {
                    <Held key={format!("{} {}", one.kind, one.holder)} blocker={one.clone()} on_lift={props.on_lift.clone()} />
                }) }</ul>
            }
        </>
    }
}

/// Shape and colour of a kind.
const fn look(kind: BlockerKind) -> (Shape, Tone) {
    match kind.wait_reason() {
        Some(reason) => wait_reason::look(reason),
        None => (Shape::Unplugged, Tone::Bad),
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct HeldProps {
    blocker: Blocker,
    on_lift: Callback<Lifting>,
}

/// One thing that holds it: what, the figure, until when, who, what lifts it.
#[component]
fn Held(props: &HeldProps) -> Html {
    let session = use_session();
    let blocker = &props.blocker;
    let (shape, tone) = look(blocker.kind);
    let (figures, share) = figures(blocker);
    html! {
        <li class="blocker">
            <div class="row">
                <span class="blocker-kind">{ mark(shape, tone, blocker.kind.as_str(), false, false) }</span>
                <span class="grow blocker-said">{ &blocker.sentence }</span>
                if let Some(share) = share { <span class="short-bar"><Meter {share} tone={tone} label={figures.clone()} /></span> }
                if !figures.is_empty() { <span class="sm nw">{ figures }</span> }
                <span class="sm f2 nw">{ match blocker.until {
                    Some(until) => html! { <>{ "lifts in " }<Countdown {until} over="a moment" /></> },
                    None => html! { <span class="f3">{ "until it is lifted" }</span> },
                } }</span>
                { holder(blocker) }
                { match (Lifting::of(blocker), &blocker.lift) {
                    (Some(what), Some(lift)) => html! {
                        <Button small={true} on_click={props.on_lift.reform(move |()| what.clone())} disabled={session.refusal(lift.scope).map(AttrValue::from)}>{ format!("{}…", lift.action) }</Button>
                    },
                    _ => Html::default(),
                } }
            </div>
            if let Some(lift) = &blocker.lift { <div class="blocker-cli"><CommandLine command={lift.cli_command.clone()} /></div> }
        </li>
    }
}

/// `10 of 10`, and its share where it is one of a limit.
fn figures(blocker: &Blocker) -> (String, Option<f64>) {
    let whole =
        |number: f64| if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") };
    let counts = matches!(blocker.kind, BlockerKind::QuotaMaxActive | BlockerKind::QuotaMaxPerHour);
    match (blocker.number, blocker.limit) {
        (Some(number), Some(limit)) => {
            let share = (counts && limit > 0.0).then_some(number / limit);
            (format!("{} of {}", whole(number), whole(limit)), share)
        }
        (Some(_) | None, _) => (String::new(), None),
    }
}

/// The thing itself, as a link.
fn holder(blocker: &Blocker) -> Html {
    let id = blocker.holder.as_str();
    let quotas = |fragment: &'static str| html! { <a class="n sm" href={format!("{}{fragment}", Route::Quotas.path())}>{ "look" }</a> };
    match blocker.kind {
        BlockerKind::Dependency | BlockerKind::UpstreamFailed => match id.parse::<JobId>() {
            Ok(job) => html! { <Link to={Route::Job(job)} class="n mono sm">{ short_id(id) }</Link> },
            Err(_) => html! { <span class="mono sm">{ short_id(id) }</span> },
        },
        BlockerKind::QuotaMaxActive | BlockerKind::QuotaMaxPerHour => {
            html! { <Link to={Route::Quotas} query={Query::default().with("quota", id)} class="n sm">{ "its quota" }</Link> }
        }
        BlockerKind::Paused => match id.parse::<SourceId>() {
            Ok(source) => html! { <Link to={Route::Source(source)} class="n sm">{ "its source" }</Link> },
            Err(_) => {
                html! { <Link to={Route::Quotas} query={Query::default().with("quota", id)} class="n sm">{ "its quota" }</Link> }
            }
        },
        BlockerKind::RateLimited => quotas("#buckets"),
        BlockerKind::BreakerOpen => quotas("#breakers"),
        BlockerKind::Blackout => quotas("#blackouts"),
        BlockerKind::Backpressure => quotas("#pressure"),
        BlockerKind::NoWorker => html! { <Link to={Route::Workers} class="n sm">{ "workers" }</Link> },
        BlockerKind::NotBefore | BlockerKind::Backoff => Html::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocker(kind: BlockerKind, number: Option<f64>, limit: Option<f64>) -> Blocker {
        Blocker { kind, holder: "h".into(), sentence: String::new(), number, limit, until: None, lift: None }
    }

    #[test]
    fn a_figure_is_told_against_its_limit_and_only_counts_have_a_share() {
        let of = |kind, number, limit| figures(&blocker(kind, number, limit));
        assert_eq!(of(BlockerKind::QuotaMaxActive, Some(10.0), Some(10.0)), ("10 of 10".into(), Some(1.0)));
        assert_eq!(of(BlockerKind::RateLimited, Some(0.25), Some(1.0)), ("0.25 of 1".into(), None));
        assert_eq!(of(BlockerKind::BreakerOpen, Some(3.0), None), (String::new(), None));
    }
}
