//! The form of a schedule, new or kept, with the next fires of what is being typed.

use super::draft::Draft;
use super::preview::use_preview;
use crate::api::Problem;
use crate::kit::{Checkbox, Checked, DialogSize, Field, Input, Segmented, Select, Skeleton};
use crate::pages::runs::{EditRun, RunDraft, reach};
use crate::parts::{ActDialog, Deed, PlannedFires};
use stella_contract::finding::Severity;
use stella_contract::run::RunMode;
use stella_contract::schedule::{OverlapPolicy, PreviewSchedule, Schedule};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`ScheduleForm`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ScheduleFormProps {
    /// The one to change; a new one when absent.
    pub schedule: Option<Box<Schedule>>,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// Zones that are offered; any other of the database may be typed.
const ZONES: [&str; 12] = [
    "UTC",
    "Europe/London",
    "Europe/Vienna",
    "Europe/Sofia",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Australia/Sydney",
    "Pacific/Auckland",
];

/// The form.
#[component]
pub(super) fn ScheduleForm(props: &ScheduleFormProps) -> Html {
    let start = props
        .schedule
        .as_ref()
        .map(|one| (Draft::of(one), RunDraft::of(one.mode, &one.scope, one.kev_first)));
    let before = use_memo((), |()| start.clone());
    let draft = use_state(|| start.as_ref().map(|(draft, _)| draft.clone()).unwrap_or_default());
    let run = use_state(|| start.map(|(_, run)| run).unwrap_or_default());
    let wish = PreviewSchedule {
        cron: draft.cron.trim().to_owned(),
        timezone: Some(draft.zone.trim().to_owned()),
        schedule_id: props.schedule.as_ref().map(|one| one.schedule_id.clone()),
        resume_at: None,
    };
    let previewed = use_preview(wish.clone());
    let (cron_error, zone_error) = (previewed.cron_error(), previewed.zone_error());
    let blocked = draft.wrong(&run).or_else(|| cron_error.clone()).or_else(|| zone_error.clone());
    let set = |change: fn(&mut Draft, String)| {
        let draft = draft.clone();
        Callback::from(move |text: String| {
            let mut next = (*draft).clone();
            change(&mut next, text);
            draft.set(next);
        })
    };
    let form = html! {
        <div class="schedule-form">
            <div class="col gap3">
                <Field label="Name"><Input value={draft.name.clone()} on_input={set(|draft, text| draft.name = text)} max_length={80} autofocus={true} placeholder="nightly-registry" /></Field>
                <div class="pair">
                    <Field label="Cron" note="five fields, or @daily" error={cron_error.map(AttrValue::from)} hint={previewed.of(&wish).and_then(|preview| preview.words.clone()).map(AttrValue::from)}>
                        <Input value={draft.cron.clone()} on_input={set(|draft, text| draft.cron = text)} mono={true} /></Field>
                    <Field label="Zone" note="IANA name" error={zone_error.map(AttrValue::from)} hint={previewed.of(&wish).map(|preview| AttrValue::from(format!("{} now", preview.offset)))}>
                        <Input value={draft.zone.clone()} on_input={set(|draft, text| draft.zone = text)} /></Field>
                </div>
                <div class="row wrap" role="group" aria-label="Often used zones">{ for ZONES.iter().map(|zone| {
                    let on_zone = set(|draft, text| draft.zone = text);
                    html! { <button type="button" key={*zone} class="chip" onclick={Callback::from(move |_| on_zone.emit((*zone).to_owned()))}>{ *zone }</button> }
                }) }</div>
                { runs_what(&draft, &run, &set) }
                { numbers(&draft, &set) }
            </div>
            <div class="col gap3 previewed" aria-live="polite">
                <h2>{ "Next fires" }</h2>
                { match (previewed.of(&wish), previewed.problem()) {
                    (Some(preview), _) => html! { <PlannedFires preview={preview.clone()} /> },
                    (None, Some(problem)) => html! { <p class="why">{ problem.sentence() }</p> },
                    (None, None) => html! { <Skeleton rows={5} /> },
                } }
            </div>
        </div>
    };
    let was = (*before).as_ref().zip(props.schedule.as_ref());
    let cli = draft.command(&run, was.map(|((draft, run), one)| (draft, run, one.name.as_str())));
    let (title, verb) = match &props.schedule {
        Some(_) => ("Edit schedule", "Save schedule"),
        None => ("New schedule", "Create schedule"),
    };
    html! {
        <ActDialog {title} subject={props.schedule.as_ref().map(|one| AttrValue::from(one.name.clone()))} scope={Scope::RunsManage} {verb} size={DialogSize::Sheet}
            cli={cli.into_iter().map(AttrValue::from).collect::<Vec<_>>()} deed={deed(props, &draft, &run)} {form} blocked={blocked.map(AttrValue::from)} on_close={props.on_close.clone()} />
    }
}

fn deed(props: &ScheduleFormProps, draft: &Draft, run: &RunDraft) -> Deed {
    let (schedule, draft, run) = (props.schedule.clone(), draft.clone(), run.clone());
    Deed::new(move |api, cause| {
        let (schedule, draft, run) = (schedule.clone(), draft.clone(), run.clone());
        async move {
            let unreadable = |why: String| Problem::Unreadable { path: "the form".into(), why };
            match schedule {
                Some(one) => {
                    let change = draft.change(&run).map_err(unreadable)?;
                    api.change_schedule(&one.schedule_id, &change, &cause).await?;
                    Ok("Schedule saved".into())
                }
                None => {
                    let wish = draft.wish(&run).map_err(unreadable)?;
                    api.make_schedule(&wish, &cause).await?;
                    Ok("Schedule created".into())
                }
            }
        }
    })
}

/// What its runs do, for which targets, and beside which others.
fn runs_what(
    draft: &UseStateHandle<Draft>,
    run: &UseStateHandle<RunDraft>,
    set: &impl Fn(fn(&mut Draft, String)) -> Callback<String>,
) -> Html {
    let edit = EditRun(run.clone());
    let words = |all: &[&'static str]| -> Vec<(AttrValue, AttrValue)> {
        all.iter().map(|word| (AttrValue::Static(word), AttrValue::Static(word))).collect()
    };
    let modes = words(&RunMode::ALL.iter().map(|mode| mode.as_str()).collect::<Vec<_>>());
    let policies = words(&OverlapPolicy::ALL.iter().map(|policy| policy.as_str()).collect::<Vec<_>>());
    let on_policy = set(|draft, word| draft.overlap = word.parse().unwrap_or(draft.overlap));
    html! {
        <>
            <div class="row wrap"><span class="form-label f2 sm">{ "Mode" }</span>
                <Segmented label="Mode" options={modes} value={run.mode.as_str()} on_choose={edit.word(|run, word| run.mode = word.parse().unwrap_or(run.mode))} /></div>
            { reach(run, &edit, None) }
            <Checkbox checked={Checked::from(run.kev_first)} on_toggle={edit.tick(|run, on| run.kev_first = on)}>{ "KEV-affected targets first" }</Checkbox>
            <div class="row wrap"><span class="form-label f2 sm">{ "While the run before is open" }</span>
                <Segmented label="Overlap" options={policies} value={draft.overlap.as_str()} on_choose={on_policy.reform(|word: AttrValue| word.to_string())} /></div>
        </>
    }
}

fn numbers(draft: &UseStateHandle<Draft>, set: &impl Fn(fn(&mut Draft, String)) -> Callback<String>) -> Html {
    let bad = |sound: Option<i64>, bounds: &'static str| sound.is_none().then_some(bounds);
    let severities: Vec<(AttrValue, AttrValue)> = std::iter::once(("".into(), "every run that ends".into()))
        .chain(
            Severity::ALL.iter().rev().map(|one| (one.as_str().into(), format!("new {one} or worse").into())),
        )
        .collect();
    let on_kev = {
        let draft = draft.clone();
        Callback::from(move |on: bool| draft.set(Draft { on_kev: on, ..(*draft).clone() }))
    };
    html! {
        <>
            <div class="triple">
                <Field label="Jitter, s" error={bad(draft.jitter(), "0 to 3,600")}><Input value={draft.jitter_s.clone()} on_input={set(|draft, text| draft.jitter_s = text)} /></Field>
                <Field label="Catch-up, s" error={bad(draft.catchup(), "10 to 31,536,000")}><Input value={draft.catchup_s.clone()} on_input={set(|draft, text| draft.catchup_s = text)} /></Field>
                <Field label="Most targets" error={bad(draft.most(), "1 to 1,000,000")}><Input value={draft.max_targets.clone()} on_input={set(|draft, text| draft.max_targets = text)} /></Field>
                <Field label="Segments at a time" error={bad(draft.parallel(), "1 to 64")}><Input value={draft.parallelism.clone()} on_input={set(|draft, text| draft.parallelism = text)} /></Field>
                <Field label="Targets/min" error={bad(draft.rate(), "1 to 100,000")}><Input value={draft.per_minute.clone()} on_input={set(|draft, text| draft.per_minute = text)} /></Field>
                <Field label="Policy snapshot" note="active"><Input value={draft.policy.clone()} on_input={set(|draft, text| draft.policy = text)} mono={true} /></Field>
            </div>
            <div class="row wrap">
                <span class="grow"><Field label="Tell of"><Select value={draft.severity.map_or("", |one| one.as_str())} options={severities}
                    on_change={set(|draft, word| draft.severity = word.parse().ok())} /></Field></span>
                <Checkbox checked={Checked::from(draft.on_kev)} on_toggle={on_kev}>{ "and of newly exploited findings" }</Checkbox>
            </div>
        </>
    }
}
