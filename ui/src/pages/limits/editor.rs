//! One quota: what waits for it, what another limit would mean, and the form that changes it.

use super::acts::{LimitAct, called, named, words};
use super::draft::{Draft, Field as Number, STRATEGIES};
use super::pause_form::HOURS;
use super::standing::{drain, quota as standing};
use crate::api::Load;
use crate::clock::{self, use_now};
use crate::kit::format::{count, date_time};
use crate::kit::{Button, ButtonKind, Clock, Field, Input, Select};
use crate::parts::{ActDialog, CliTwin, Deed, mark};
use crate::store::{Watch, use_query, use_session};
use stella_contract::quota::{Quota, QuotaLimits, QuotaStrategy, WhatIf};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`QuotaEditor`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct QuotaEditorProps {
    /// The quota.
    pub quota: Quota,
    /// Asks for an action on it.
    pub on_act: Callback<LimitAct>,
}

/// The form beside the table. It keeps what is being typed while the quota's live values change.
#[component]
pub(super) fn QuotaEditor(props: &QuotaEditorProps) -> Html {
    let quota = &props.quota;
    let limits = quota.limits;
    let draft = use_state(|| Draft::of(&limits));
    let saving = use_state_eq(|| false);
    let refusal = use_session().refusal(Scope::OrchQuota).map(AttrValue::from);
    {
        // Somebody else changed it: what is typed over the old values would undo that unseen.
        let draft = draft.clone();
        use_effect_with((quota.quota_id.clone(), quota.version), move |_| draft.set(Draft::of(&limits)));
    }
    let told = draft.told(&limits);
    let wrong = draft.wrong();
    let blocked = match (&wrong, told.is_empty()) {
        (Some(wrong), _) => Some(AttrValue::from(wrong.clone())),
        (None, true) => Some(AttrValue::Static("Nothing is changed yet")),
        (None, false) => None,
    };
    let open = {
        let saving = saving.clone();
        Callback::from(move |()| saving.set(true))
    };
    let close = {
        let saving = saving.clone();
        Callback::from(move |()| saving.set(false))
    };
    let discard = {
        let draft = draft.clone();
        Callback::from(move |()| draft.set(Draft::of(&limits)))
    };
    let act = |act: LimitAct| props.on_act.reform(move |()| act.clone());
    let (shape, tone, word) = standing(quota);
    let mut cli = words(&["orch", "quota", "set", quota.quota_id.as_str()]);
    cli.extend(draft.flags(&limits, clock::now()).into_iter().map(AttrValue::from));
    html! {
        <section class="sec editor" aria-label={format!("Quota {}", named(quota))}>
            <div class="row"><h2 class="mono cut">{ named(quota) }</h2><span class="grow"></span>{ mark(shape, tone, word, false, false) }</div>
            <Drain job_type={quota.job_type.clone()} {limits} draft={(*draft).clone()} />
            { notes(quota) }
            <DraftFields draft={(*draft).clone()} before={Some(limits)} on_change={ { let draft = draft.clone(); Callback::from(move |next| draft.set(next)) } } />
            <div class="row wrap after">
                if quota.paused {
                    <Button small={true} on_click={act(LimitAct::ResumeQuota(quota.clone()))} disabled={refusal.clone()} says_why={false}>{ "Resume…" }</Button>
                } else {
                    <Button small={true} on_click={act(LimitAct::PauseQuota(quota.clone()))} disabled={refusal.clone()} says_why={false}>{ "Pause…" }</Button>
                }
                if told.is_empty() { <Button small={true} kind={ButtonKind::Ghost} on_click={act(LimitAct::DeleteQuota(quota.clone()))} disabled={refusal.clone()} says_why={false}>{ "Remove…" }</Button> }
                <span class="grow"></span>
                if !told.is_empty() { <Button small={true} kind={ButtonKind::Ghost} on_click={discard}>{ "Discard" }</Button> }
                <Button small={true} kind={ButtonKind::Primary} on_click={open} disabled={refusal.clone().or(blocked.clone())} says_why={false}>{ "Save quota…" }</Button>
            </div>
            if let Some(why) = refusal.or(blocked) { <p class="why">{ why }</p> }
            <div class="after"><CliTwin words={cli} /></div>
            if *saving { <SaveDialog quota={quota.clone()} draft={(*draft).clone()} on_close={close} /> }
        </section>
    }
}

/// A pause and a way back, where there are.
fn notes(quota: &Quota) -> Html {
    html! {
        <>
            if quota.paused {
                <p class="sm f2 after">
                    { format!("Paused: {}", quota.pause_reason.as_deref().unwrap_or("no reason given")) }
                    if let Some(ticket) = &quota.pause_ticket { { format!(", {ticket}") } }
                    if let Some(until) = quota.paused_until { { ", until " }<Clock at={until} /> }
                </p>
            }
            if let Some(at) = quota.revert_at {
                <p class="sm f2 after">
                    { "Goes back at " }<Clock {at} />
                    if let Some(back) = &quota.revert_to { { format!(" to {} at once, {} an hour", count(back.max_active), count(back.max_per_hour)) } }
                </p>
            }
            <p class="sm f3 after">{ format!("Changed by {} at {}", quota.updated_by, date_time(quota.updated_at)) }</p>
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct DrainProps {
    /// The job type.
    pub job_type: String,
    /// As it is.
    pub limits: QuotaLimits,
    /// As it is being typed.
    pub draft: Draft,
}

/// What waits, and until when, as it is and as it is being typed.
#[component]
pub(super) fn Drain(props: &DrainProps) -> Html {
    let number = |field| props.draft.number(field).ok();
    let (active, hour) = (number(Number::MaxActive), number(Number::MaxPerHour));
    let wish = WhatIf { job_type: props.job_type.clone(), max_active: active, max_per_hour: hour };
    let key = format!("what-if {} {active:?} {hour:?}", props.job_type);
    let asked = use_query(key, Watch::of(&["job", "quota"]).every(15), move |api| {
        let wish = wish.clone();
        async move { api.what_if(&wish).await }
    });
    let now = use_now();
    let said = match &asked.load {
        Load::Idle | Load::Loading => vec!["Looking at what waits".to_owned()],
        Load::Failed(problem) => vec![problem.sentence().to_string()],
        Load::Ready(estimate, _) | Load::Stale(estimate, _, _) => {
            drain(estimate, active.unwrap_or(props.limits.max_active), props.limits.max_active, now)
        }
    };
    html! { <p class="sm f2 after" role="status">{ said.join(" ") }</p> }
}

/// What [`DraftFields`] take.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct DraftFieldsProps {
    /// As it is typed.
    pub draft: Draft,
    /// What stands now; absent for a new quota.
    #[prop_or_default]
    pub before: Option<QuotaLimits>,
    /// Told with every change.
    pub on_change: Callback<Draft>,
}

/// The numbers, the strategy and the way back.
#[component]
pub(super) fn DraftFields(props: &DraftFieldsProps) -> Html {
    let draft = &props.draft;
    let strategies = STRATEGIES
        .map(|(strategy, _)| (AttrValue::Static(strategy.as_str()), AttrValue::Static(strategy.as_str())));
    let meaning = STRATEGIES
        .iter()
        .find(|(strategy, _)| *strategy == draft.strategy)
        .map_or("", |(_, meaning)| meaning);
    let on_strategy = {
        let draft = draft.clone();
        props.on_change.reform(move |text: String| Draft {
            strategy: text.parse().unwrap_or(QuotaStrategy::MaxLimit),
            ..draft.clone()
        })
    };
    let on_back = {
        let draft = draft.clone();
        props.on_change.reform(move |hours: String| Draft { back_in_h: hours, ..draft.clone() })
    };
    let hours = HOURS.map(|(value, label)| {
        (AttrValue::Static(value), AttrValue::Static(if value.is_empty() { "stays" } else { label }))
    });
    html! {
        <div class="draft after">
            { for draft.fields().into_iter().map(|field| {
                let on_input = {
                    let draft = draft.clone();
                    props.on_change.reform(move |text: String| draft.with(field, text))
                };
                let was = props.before.map(|limits| field.of(&limits)).filter(|was| draft.number(field).as_ref() != Ok(was));
                html! {
                    <Field key={field.label()} label={field.label()} hint={was.map(|was| AttrValue::from(format!("was {}", count(was))))}
                        error={draft.number(field).err().map(AttrValue::from)}>
                        <Input value={draft.text(field).to_owned()} {on_input} />
                    </Field>
                }
            }) }
            <Field label="Strategy"><Select value={draft.strategy.as_str()} options={strategies.to_vec()} on_change={on_strategy} /></Field>
            if props.before.is_some() {
                <Field label="Goes back"><Select value={draft.back_in_h.clone()} options={hours.to_vec()} on_change={on_back} /></Field>
            }
            <p class="hint wide">{ meaning }</p>
        </div>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct SaveDialogProps {
    quota: Quota,
    draft: Draft,
    on_close: Callback<()>,
}

/// Shows what changes and asks why.
#[component]
fn SaveDialog(props: &SaveDialogProps) -> Html {
    // The quota as it was when the dialog opened: that is what the operator decides about.
    let quota = use_state(|| props.quota.clone());
    let opened = use_state(clock::now);
    let change = props.draft.change(&quota.limits, *opened);
    let deed = {
        let (id, change) = (quota.quota_id.clone(), change.clone());
        Deed::new(move |api, cause| {
            let (id, change) = (id.clone(), change.clone());
            async move {
                api.change_quota(&id, &change, &cause)
                    .await
                    .map(|quota| format!("Quota {} saved", named(&quota)).into())
            }
        })
    };
    let mut cli = words(&["orch", "quota", "set", quota.quota_id.as_str()]);
    cli.extend(props.draft.flags(&quota.limits, *opened).into_iter().map(AttrValue::from));
    let form = html! {
        <>
            <table class="tbl"><tbody>{ for props.draft.told(&quota.limits).into_iter().map(|(label, was, becomes)| html! {
                <tr key={label}><td class="f2">{ label }</td><td class="num f3">{ was }</td><td class="num b">{ becomes }</td></tr>
            }) }</tbody></table>
            <Drain job_type={quota.job_type.clone()} limits={quota.limits} draft={props.draft.clone()} />
            if let Some(at) = change.revert_at { <p class="sm f2">{ format!("It goes back to what it is now at {}.", date_time(at)) }</p> }
        </>
    };
    html! {
        <ActDialog title="Save quota" subject={called(&quota.job_type)} scope={Scope::OrchQuota} verb="Save quota" {cli} {deed} {form}
            on_close={props.on_close.clone()}>{ "The new limits count for what starts from now on; what runs goes on." }</ActDialog>
    }
}
