//! One schedule beside the list: what it does, when it fires, what became of its fires, and what can be done to it.

use super::acts::Act;
use crate::api::Load;
use crate::kit::format::{count, counted, date_time, duration};
use crate::kit::{Banner, Button, ButtonKind, CopyId, Drawer, Shape, Skeleton, Tone};
use crate::parts::{CliTwin, PlannedFires, ProblemView, RunLink, StaleBanner, StateBadge, overlap_words};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query, use_session};
use stella_contract::ids::ScheduleId;
use stella_contract::page::PageQuery;
use stella_contract::route::Route;
use stella_contract::schedule::{
    FireOutcome, PreviewSchedule, Schedule, ScheduleEvent, ScheduleState, refusal,
};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// Fires that are shown.
const FIRES: u32 = 12;

/// What a [`Side`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct SideProps {
    /// The schedule.
    pub id: ScheduleId,
    /// Asked to do something.
    pub on_act: Callback<Act>,
    /// Asked to close.
    pub on_close: Callback<()>,
}

/// The drawer.
#[component]
pub(super) fn Side(props: &SideProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(
        format!("schedule {id}"),
        Watch::of(&["schedule", "run"]).only(&props.id).every(60),
        move |api| {
            let id = id.clone();
            async move { api.schedule(&id).await }
        },
    );
    let shown = asked.load.value().cloned();
    let head = match &shown {
        Some(one) => html! {
            <><span class="b cut" title={one.name.clone()}>{ &one.name }</span><StateBadge<ScheduleState> state={one.state} pill={true} /></>
        },
        None => html! { <span class="mono cut">{ props.id.to_string() }</span> },
    };
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="This schedule" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(one, _) => whole(one),
        Load::Stale(one, as_of, problem) => html! {
            <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />{ whole(one) }</>
        },
    };
    let cli = ["schedules", "show", shown.as_ref().map_or(props.id.as_str(), |one| one.name.as_str())];
    html! {
        <Drawer label={format!("Schedule {}", shown.as_ref().map_or(props.id.as_str(), |one| one.name.as_str()))} on_close={props.on_close.clone()} {head}
            verbs={shown.as_ref().map(|one| html! { <Verbs schedule={one.clone()} on_act={props.on_act.clone()} /> }).unwrap_or_default()}
            foot={html! { <CliTwin words={cli.map(|word| AttrValue::from(word.to_owned())).to_vec()} /> }}>
            { body }
        </Drawer>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct VerbsProps {
    schedule: Schedule,
    on_act: Callback<Act>,
}

/// What can be done; what cannot says why.
#[component]
fn Verbs(props: &VerbsProps) -> Html {
    let (session, one) = (use_session(), &props.schedule);
    let why = |scope: Scope, own: Option<&'static str>| {
        session.refusal(scope).or_else(|| own.map(str::to_owned)).map(AttrValue::from)
    };
    let button = |label: &'static str,
                  kind: ButtonKind,
                  disabled: Option<AttrValue>,
                  act: fn(Box<Schedule>) -> Act| {
        let (on_act, one) = (props.on_act.clone(), one.clone());
        let on_click = Callback::from(move |()| on_act.emit(act(Box::new(one.clone()))));
        html! { <Button small={true} {kind} {disabled} says_why={false} {on_click}>{ label }</Button> }
    };
    let plain = ButtonKind::Secondary;
    let pause = why(Scope::OrchOperate, refusal(one.state, ScheduleEvent::Pause));
    let resume = why(Scope::OrchOperate, refusal(one.state, ScheduleEvent::Resume));
    let manage = why(Scope::RunsManage, None);
    html! {
        <div class="row wrap">
            { button("Run now…", plain, manage.clone(), Act::RunNow) }
            if one.paused { { button("Resume…", plain, resume, Act::Resume) } } else { { button("Pause…", plain, pause, Act::Pause) } }
            { button("Edit…", plain, manage.clone(), Act::Edit) }
            { button("Delete…", ButtonKind::Danger, manage, Act::Delete) }
        </div>
    }
}

fn whole(one: &Schedule) -> Html {
    html! {
        <>
            { standing(one) }
            <div class="sec">{ facts(one) }</div>
            <Fires schedule={one.clone()} />
            <PastFires id={one.schedule_id.clone()} />
            <div class="sec row wrap">
                <Link to={Route::Runs} class="link" query={Query::default().with("schedule", one.schedule_id.as_str())}>{ "Its runs" }</Link>
                if let Some(run) = &one.last_run_id { <RunLink id={run.clone()} /> }
            </div>
        </>
    }
}

fn standing(one: &Schedule) -> Html {
    match one.state {
        ScheduleState::Paused => {
            let until = one
                .resume_at
                .map_or_else(|| "Resumes by hand.".to_owned(), |at| format!("Resumes at {}.", date_time(at)));
            html! { <Banner tone={Tone::Idle} icon={Shape::RingBars} fact="Paused.">{ format!("{} {until}", one.pause_reason.as_deref().unwrap_or_default()) }</Banner> }
        }
        ScheduleState::Disabled => {
            html! { <Banner tone={Tone::Idle} icon={Shape::RingSlash} fact="Switched off.">{ "It fires nothing until it is switched on." }</Banner> }
        }
        ScheduleState::Enabled => Html::default(),
    }
}

fn facts(one: &Schedule) -> Html {
    let notify = match (one.notify.min_severity, one.notify.on_kev) {
        (Some(severity), true) => format!("{severity} or worse, and known exploited"),
        (Some(severity), false) => format!("{severity} or worse"),
        (None, _) => "every run that ends".to_owned(),
    };
    html! {
        <dl class="kv">
            <dt>{ "Cron" }</dt><dd class="mono">{ &one.cron }</dd>
            <dt>{ "In words" }</dt><dd>{ one.words.as_deref().unwrap_or("too long for words") }</dd>
            <dt>{ "Zone" }</dt><dd>{ &one.timezone }</dd>
            <dt>{ "Overlap" }</dt><dd>{ overlap_words(one.overlap_policy) }</dd>
            <dt>{ "Catch-up" }</dt><dd>{ duration(one.catchup_window_s * 1_000) }<span class="f3">{ " newest missed fire only" }</span></dd>
            <dt>{ "Jitter" }</dt><dd>{ format!("{} s", count(one.jitter_s)) }<span class="f3">{ " +30 s under pressure" }</span></dd>
            <dt>{ "Mode, scope" }</dt><dd class="cut" title={one.scope.to_string()}>{ format!("{}, {}", one.mode, one.scope) }</dd>
            <dt>{ "Policy" }</dt><dd class="mono cut">{ one.policy_snapshot_id.as_deref().unwrap_or("active") }</dd>
            <dt>{ "Limits" }</dt><dd>{ format!("{} targets, {} targets/min", count(one.max_targets), count(one.limits.targets_per_minute)) }</dd>
            <dt>{ "At a time" }</dt><dd>{ counted(one.limits.parallelism, "segment of a run", "segments of a run") }</dd>
            <dt>{ "Tells of" }</dt><dd>{ notify }</dd>
            <dt>{ "Missed" }</dt><dd class={classes!((one.missed_count > 0).then_some("k-warn"))}>{ count(one.missed_count) }</dd>
            <dt>{ "Schedule ID" }</dt><dd><CopyId text={one.schedule_id.to_string()} shown={crate::kit::format::short_id(one.schedule_id.as_str())} /></dd>
            <dt>{ "Made by" }</dt><dd>{ &one.created_by }</dd>
        </dl>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct FiresProps {
    schedule: Schedule,
}

/// The next fires.
#[component]
fn Fires(props: &FiresProps) -> Html {
    let one = &props.schedule;
    let wish = PreviewSchedule {
        cron: one.cron.clone(),
        timezone: Some(one.timezone.clone()),
        schedule_id: Some(one.schedule_id.clone()),
        resume_at: None,
    };
    let asked = use_query(
        format!("fires {} {} {}", one.schedule_id, one.cron, one.timezone),
        Watch::of(&["schedule", "blackout"]).every(60),
        move |api| {
            let wish = wish.clone();
            async move { api.preview_schedule(&wish).await }
        },
    );
    html! {
        <section class="sec" aria-label="Next fires">
            <div class="sec-h"><h2>{ "Next fires" }</h2>
                if one.state != ScheduleState::Enabled { <span class="note">{ "if it were at work" }</span> }</div>
            { match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={5} /> },
                Load::Failed(problem) => html! { <ProblemView what="The next fires" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(preview, _) | Load::Stale(preview, _, _) => html! { <PlannedFires preview={preview.clone()} /> },
            } }
        </section>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct PastProps {
    id: ScheduleId,
}

/// What became of the last fires.
#[component]
fn PastFires(props: &PastProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("past fires {id}"), Watch::of(&["schedule"]).only(&props.id), move |api| {
        let id = id.clone();
        let page = PageQuery { page_size: Some(FIRES), ..PageQuery::default() };
        async move { api.schedule_fires(&id, &page).await }
    });
    let Some(page) = asked.load.value() else { return Html::default() };
    html! {
        <section class="sec" aria-label="Last fires">
            <div class="sec-h"><h2>{ "Last fires" }</h2><span class="note">{ count(page.total_estimate.unwrap_or(0) as i64) }</span></div>
            if page.items.is_empty() { <p class="f3 sm">{ "It has not fired yet." }</p> }
            <table class="tbl past-fires"><tbody>{ for page.items.iter().map(|fire| html! {
                <tr key={fire.due_at.0}>
                    <td class="mono">{ date_time(fire.due_at) }</td>
                    <td><StateBadge<FireOutcome> state={fire.outcome} /></td>
                    <td class="num">{ match &fire.run_id {
                        Some(run) => html! { <RunLink id={run.clone()} short={true} /> },
                        None => Html::default(),
                    } }</td>
                </tr>
            }) }</tbody></table>
        </section>
    }
}
