//! Reads a source now. Taking a feed that came empty or shrank needs a reason.

use crate::api::Problem;
use crate::kit::{Banner, Button, ButtonKind, Checkbox, Checked, Dialog, DialogSize, Field, Input, Tone};
use crate::parts::{CliTwin, JobLink};
use crate::store::{use_api, use_toasts};
use stella_contract::job::Cause;
use stella_contract::scope::REASON_MAX;
use stella_contract::source::{RunSource, Source};
use yew::prelude::*;

/// What a [`RunSourceDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct RunSourceDialogProps {
    /// The source.
    pub source: Source,
    /// Left.
    pub on_close: Callback<()>,
}

/// What will be read, and whether a suspicious feed is taken.
#[component]
pub(super) fn RunSourceDialog(props: &RunSourceDialogProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let force = use_state_eq(|| false);
    let reason = use_state(String::new);
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let blocked = (*force && reason.trim().is_empty()).then(|| AttrValue::from("Forcing needs a reason"));
    let confirm = {
        let (force, reason, busy, problem, props, can) =
            (force.clone(), reason.clone(), busy.clone(), problem.clone(), props.clone(), blocked.is_none());
        Callback::from(move |()| {
            if !can || *busy {
                return;
            }
            let (api, toasts, busy, problem, props) =
                (api.clone(), toasts.clone(), busy.clone(), problem.clone(), props.clone());
            let cause = Cause {
                reason: Some(reason.trim().to_owned()).filter(|text| !text.is_empty()),
                ticket: None,
            };
            let wish = RunSource { force: *force };
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.run_source(&props.source.source_id, &wish, &cause).await {
                    Ok(job) => {
                        toasts.done("Reading started", html! { <JobLink id={job.job_id} /> });
                        props.on_close.emit(());
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    let on_force = {
        let force = force.clone();
        Callback::from(move |on: bool| force.set(on))
    };
    let on_reason = {
        let reason = reason.clone();
        Callback::from(move |text: String| reason.set(text))
    };
    let mut words = vec!["source".to_owned(), "run".into(), props.source.source_id.to_string()];
    if *force {
        words.extend(["--force".to_owned(), "--reason".into(), reason.trim().to_owned()]);
    }
    html! {
        <Dialog title="Run source" subject={props.source.name.clone()} size={DialogSize::Form} on_close={props.on_close.clone()}
            on_confirm={confirm.clone()}
            footer={html! { <>
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button kind={ButtonKind::Primary} busy={*busy} disabled={blocked.clone()} says_why={false} on_click={confirm}>{ "Run now" }</Button>
            </> }}>
            if let Some(problem) = &*problem {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }</Banner>
            }
            <div class="in col gap3">
                <p class="prose">{ "Reads " }<span class="mono">{ &props.source.location }</span>{ " as one job. Records that cannot be read are reported and stop nothing." }</p>
                <Checkbox checked={if *force { Checked::On } else { Checked::Off }} on_toggle={on_force}>
                    { "Take the feed even if it came empty or shrank by more than half" }
                </Checkbox>
                if *force {
                    <Field label="Reason" note="required">
                        <Input value={(*reason).clone()} on_input={on_reason} max_length={REASON_MAX} placeholder="Why a smaller feed is right" />
                    </Field>
                }
                if let Some(why) = blocked { <p class="why" role="status">{ why }</p> }
                <CliTwin words={words.into_iter().map(AttrValue::from).collect::<Vec<_>>()} />
            </div>
        </Dialog>
    }
}
