//! Imports SBOM files: each by itself, so that a bad one stops nothing.

use super::reading::{Outcome, Place, import, summary};
use crate::kit::{Button, ButtonKind, Dialog, DialogSize, Field, Icon, IconSize, Input, Shape, Tone};
use crate::parts::CliTwin;
use crate::store::use_api;
use yew::prelude::*;

/// What an [`ImportDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ImportDialogProps {
    /// Left.
    pub on_close: Callback<()>,
}

/// Files, place, and what became of each.
#[component]
pub(super) fn ImportDialog(props: &ImportDialogProps) -> Html {
    let api = use_api();
    let place = use_state(Place::default);
    let busy = use_state_eq(|| false);
    let outcomes = use_state(Vec::<Outcome>::new);
    let read = {
        let (place, busy, outcomes) = (place.clone(), busy.clone(), outcomes.clone());
        Callback::from(move |files: Vec<web_sys::File>| {
            if files.is_empty() || *busy {
                return;
            }
            let (api, place, busy, outcomes) =
                (api.clone(), (*place).clone(), busy.clone(), outcomes.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                let mut done = Vec::new();
                for file in files {
                    done.push(import(&api, &place, file).await);
                    outcomes.set(done.clone());
                }
                busy.set(false);
            });
        })
    };
    let on_files = {
        let read = read.clone();
        Callback::from(move |event: Event| {
            let input = event.target_dyn_into::<web_sys::HtmlInputElement>();
            read.emit(input.and_then(|input| input.files()).map(files).unwrap_or_default());
        })
    };
    let on_drop = {
        let read = read.clone();
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            read.emit(event.data_transfer().and_then(|data| data.files()).map(files).unwrap_or_default());
        })
    };
    let edit = |change: fn(&mut Place, String)| {
        let place = place.clone();
        Callback::from(move |text: String| {
            let mut next = (*place).clone();
            change(&mut next, text);
            place.set(next);
        })
    };
    let done = !outcomes.is_empty() && !*busy;
    html! {
        <Dialog title="Import SBOMs" size={DialogSize::Form} on_close={props.on_close.clone()}
            footer={html! { <>
                <span class="f2 sm" role="status">{ if outcomes.is_empty() { String::new() } else { summary(&outcomes) } }</span>
                <span class="grow"></span>
                <Button kind={if done { ButtonKind::Primary } else { ButtonKind::Secondary }} on_click={props.on_close.clone()}>{ if done { "Done" } else { "Close" } }</Button>
            </> }}>
            <div class="in col gap3">
                <p class="prose">{ "CycloneDX 1.2 to 1.6 or SPDX 2.2 and 2.3, as JSON. A newer SBOM of the same service replaces the older one." }</p>
                <div class="reason-fields">
                    <Field label="Namespace" note="optional"><Input value={place.namespace.clone()} on_input={edit(|place, text| place.namespace = text)} placeholder="prod" /></Field>
                    <Field label="Repository" note="optional"><Input value={place.repository.clone()} on_input={edit(|place, text| place.repository = text)} placeholder="registry/service" /></Field>
                </div>
                <label class="drop" ondrop={on_drop} ondragover={Callback::from(|event: DragEvent| event.prevent_default())}>
                    <Icon shape={Shape::File} />
                    <span>{ if *busy { "Reading…" } else { "Choose files, or drop them here" } }</span>
                    <input type="file" multiple=true accept=".json,.cdx,.spdx,application/json" aria-label="SBOM files" onchange={on_files} disabled={*busy} />
                </label>
                if !outcomes.is_empty() { <ul class="outcomes" aria-label="Files">{ for outcomes.iter().map(outcome) }</ul> }
                <CliTwin words={["sbom", "add", "FILE…"].map(AttrValue::from).to_vec()} />
            </div>
        </Dialog>
    }
}

fn files(list: web_sys::FileList) -> Vec<web_sys::File> {
    (0..list.length()).filter_map(|at| list.get(at)).collect()
}

fn outcome(one: &Outcome) -> Html {
    let (shape, tone, words) = match &one.result {
        Ok(imported) => {
            let verb = match (imported.unchanged, imported.created) {
                (true, _) => "unchanged",
                (false, true) => "new target",
                (false, false) => "SBOM replaced",
            };
            let target = &imported.target;
            let words =
                format!("{verb}: {} {}, {} components", target.name, target.version, target.component_count);
            let more = imported.warnings.join(" ");
            let tone = if imported.warnings.is_empty() {
                (Shape::DiscCheck, Tone::Ok)
            } else {
                (Shape::Triangle, Tone::Warn)
            };
            (tone.0, tone.1, if more.is_empty() { words } else { format!("{words}. {more}") })
        }
        Err(problem) => (
            Shape::OctagonCross,
            Tone::Bad,
            format!("{} ({}) {}", problem.sentence(), problem.code(), problem.next_step()),
        ),
    };
    html! {
        <li key={one.file.clone()}>
            <span class={classes!("st", tone.class())}><Icon {shape} size={IconSize::Small} /></span>
            <span class="mono">{ &one.file }</span>
            <span class="f2">{ words }</span>
        </li>
    }
}
