//! The forms: what a run would touch, and a new run. What was typed stays after a refusal.

use super::draft::{Draft, Reach};
use super::impact::{panel, use_impact};
use super::policy_choice::PolicyChoice;
use crate::api::Problem;
use crate::kit::{
    Banner, Button, ButtonKind, Checkbox, Checked, Dialog, DialogSize, Field, Input, Segmented, TextArea,
    Tone,
};
use crate::parts::{CliTwin, RunLink};
use crate::router::{Query, use_router};
use crate::store::{use_api, use_toasts};
use stella_contract::route::Route;
use stella_contract::run::RunMode;
use stella_contract::scope::{REASON_MAX, TICKET_MAX};
use yew::prelude::*;

/// What the forms take. They are open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct FormProps {
    /// Left.
    pub on_close: Callback<()>,
}

/// Changes one thing of what was typed.
#[derive(Clone)]
pub(in crate::pages) struct Edit(pub UseStateHandle<Draft>);

impl Edit {
    fn text(&self, change: fn(&mut Draft, String)) -> Callback<String> {
        let draft = self.0.clone();
        Callback::from(move |text| {
            let mut next = (*draft).clone();
            change(&mut next, text);
            draft.set(next);
        })
    }
    pub(in crate::pages) fn word(&self, change: fn(&mut Draft, String)) -> Callback<AttrValue> {
        self.text(change).reform(|word: AttrValue| word.to_string())
    }
    pub(in crate::pages) fn tick(&self, change: fn(&mut Draft, bool)) -> Callback<bool> {
        let draft = self.0.clone();
        Callback::from(move |on| {
            let mut next = (*draft).clone();
            change(&mut next, on);
            draft.set(next);
        })
    }
}

/// What a run would touch; nothing is started.
#[component]
pub(super) fn PreviewDialog(props: &FormProps) -> Html {
    let draft = use_state(|| Draft { reach: Reach::Keys, ..Draft::default() });
    let impact = use_impact();
    let on_confirm = {
        let (ask, draft) = (impact.ask.clone(), draft.clone());
        Callback::from(move |()| {
            if let Ok(request) = draft.request() {
                ask.emit(request);
            }
        })
    };
    html! {
        <Dialog title="Preview impact" size={DialogSize::Wide} on_close={props.on_close.clone()} {on_confirm}
            footer={html! { <><span class="grow"></span><Button on_click={props.on_close.clone()}>{ "Close" }</Button></> }}>
            <div class="in col gap3">
                { reach(&draft, &Edit(draft.clone()), impact.problem()) }
                { panel(&impact, &draft) }
                <CliTwin words={words(draft.preview_command())} />
            </div>
        </Dialog>
    }
}

/// A new run.
#[component]
pub(super) fn NewRunDialog(props: &FormProps) -> Html {
    let (api, toasts, router) = (use_api(), use_toasts(), use_router());
    let draft = use_state(Draft::default);
    let impact = use_impact();
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let blocked = draft.blocked().map(AttrValue::from);
    let preview_id = impact.of(&draft).map(|preview| preview.preview_id.clone());
    let confirm = {
        let (draft, busy, problem, on_close, preview_id) =
            (draft.clone(), busy.clone(), problem.clone(), props.on_close.clone(), preview_id.clone());
        Callback::from(move |()| {
            let Ok(wish) = draft.wish(preview_id.clone()) else { return };
            if *busy || draft.blocked().is_some() {
                return;
            }
            let (api, toasts, router, cause, busy, problem, on_close) = (
                api.clone(),
                toasts.clone(),
                router.clone(),
                draft.cause(),
                busy.clone(),
                problem.clone(),
                on_close.clone(),
            );
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.start_run(&wish, &cause).await {
                    Ok(run) => {
                        toasts.done("Run started", html! { <RunLink id={run.run_id.clone()} /> });
                        on_close.emit(());
                        router.go(&Route::Run(run.run_id), &Query::default());
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    let edit = Edit(draft.clone());
    let wrong = |field: &str| said(problem.as_ref(), field);
    let modes = RunMode::ALL
        .iter()
        .map(|mode| (mode.as_str().into(), mode.as_str().into()))
        .collect::<Vec<(AttrValue, AttrValue)>>();
    let verb = match impact.of(&draft) {
        Some(preview) => {
            format!("Start run over {} targets", crate::kit::format::count(preview.impacted_images))
        }
        None => "Start run".to_owned(),
    };
    html! {
        <Dialog title="New run" size={DialogSize::Wide} on_close={props.on_close.clone()} on_confirm={confirm.clone()}
            footer={html! { <>
                if let Some(why) = &blocked { <span class="why" role="status">{ why }</span> }
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button kind={ButtonKind::Primary} busy={*busy} disabled={blocked.clone()} says_why={false} on_click={confirm}>{ verb }</Button>
            </> }}>
            if let Some(problem) = &*problem {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
            }
            <div class="in col gap3">
                <div class="row wrap"><span class="form-label f2 sm">{ "Mode" }</span>
                    <Segmented label="Mode" options={modes} value={draft.mode.as_str()} on_choose={edit.word(|draft, word| draft.mode = word.parse().unwrap_or(draft.mode))} />
                    <span class="f3 sm">{ match draft.mode {
                        RunMode::AnalysisOnly => "evaluates what is known",
                        RunMode::ContentRefresh => "reads the SBOM sources anew first",
                    } }</span></div>
                { reach(&draft, &edit, problem.as_ref()) }
                <div class="row wrap">
                    <Checkbox checked={Checked::from(draft.kev_first)} on_toggle={edit.tick(|draft, on| draft.kev_first = on)}>{ "KEV-affected targets first" }</Checkbox>
                    <Checkbox checked={Checked::from(draft.allow_stale)} on_toggle={edit.tick(|draft, on| draft.allow_stale = on)}>{ "Allow an impact index older than 24 h" }</Checkbox>
                </div>
                <PolicyChoice chosen={draft.policy.as_ref().map(ToString::to_string)} on_choose={edit.text(|draft, text| draft.policy = text.parse().ok())} />
                <div class="reason-fields">
                    <Field label="Reason" note="required" error={wrong("reason")}>
                        <Input value={draft.reason.clone()} on_input={edit.text(|draft, text| draft.reason = text)} max_length={REASON_MAX} placeholder="Why this run is needed" />
                    </Field>
                    <Field label="Ticket" note="optional" error={wrong("ticket")}>
                        <Input value={draft.ticket.clone()} on_input={edit.text(|draft, text| draft.ticket = text)} max_length={TICKET_MAX} placeholder="OPS-0000" mono={true} />
                    </Field>
                </div>
                { panel(&impact, &draft) }
                <CliTwin words={words(draft.command(preview_id.as_ref()))} />
            </div>
        </Dialog>
    }
}

fn words(all: Vec<String>) -> Vec<AttrValue> {
    all.into_iter().map(AttrValue::from).collect()
}

fn said(problem: Option<&Problem>, field: &str) -> Option<AttrValue> {
    problem.and_then(|problem| problem.of_field(field)).map(|text| AttrValue::from(text.to_owned()))
}

/// Which targets.
pub(in crate::pages) fn reach(draft: &Draft, edit: &Edit, problem: Option<&Problem>) -> Html {
    let options = Reach::ALL.map(|reach| (reach.as_str().into(), reach.as_str().into())).to_vec();
    let fields = match draft.reach {
        Reach::All => html! { <p class="f3 sm">{ "Every target of the tenant." }</p> },
        Reach::Selector => html! {
            <div class="selector-fields">
                <Field label="Namespaces" note="any of" error={said(problem, "scope.namespaces")}>
                    <Input value={draft.namespaces.clone()} on_input={edit.text(|draft, text| draft.namespaces = text)} placeholder="prod, stage" />
                </Field>
                <Field label="Repositories" note="any of" error={said(problem, "scope.repositories")}>
                    <Input value={draft.repositories.clone()} on_input={edit.text(|draft, text| draft.repositories = text)} placeholder="registry/service" />
                </Field>
                <Field label="Labels" note="all of" error={said(problem, "scope.labels")}>
                    <Input value={draft.labels.clone()} on_input={edit.text(|draft, text| draft.labels = text)} placeholder="team=payments" />
                </Field>
            </div>
        },
        Reach::Keys => html! {
            <Field label="Packages and vulnerabilities" note="one a line" hint="What begins with pkg: is a package, with or without a version; all else is a CVE, GHSA or record id."
                error={said(problem, "purls").or_else(|| said(problem, "vulnIds")).or_else(|| said(problem, "keys"))}>
                <TextArea value={draft.keys.clone()} on_input={edit.text(|draft, text| draft.keys = text)} rows={4} mono={true} placeholder={"pkg:npm/undici\nCVE-2026-41822"} />
            </Field>
        },
        Reach::Digests => html! {
            <Field label="Image digests" note="one a line" error={said(problem, "scope.digests")}>
                <TextArea value={draft.digests.clone()} on_input={edit.text(|draft, text| draft.digests = text)} rows={3} mono={true} placeholder="sha256:…" />
            </Field>
        },
    };
    html! {
        <>
            <div class="row wrap"><span class="form-label f2 sm">{ "Scope" }</span>
                <Segmented label="Scope" {options} value={draft.reach.as_str()} on_choose={edit.word(|draft, word| draft.reach = Reach::of(&word))} /></div>
            { fields }
        </>
    }
}
