//! Entries as a file, with the digest it must have.

use super::filter::{filter_of, options};
use crate::api::Problem;
use crate::clock;
use crate::kit::format::{counted, short_digest};
use crate::kit::{
    Banner, Button, ButtonKind, Checkbox, Checked, CopyId, Dialog, DialogSize, Segmented, Tone, save_file,
};
use crate::parts::CliTwin;
use crate::router::Query;
use crate::store::use_api;
use stella_contract::dead_letter::{DeadLetterExport, ExportDeadLetters, ExportFormat};
use yew::prelude::*;

/// What an [`ExportDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ExportDialogProps {
    /// Which entries, as the address of the queue has it.
    pub query: Query,
    /// Left.
    pub on_close: Callback<()>,
}

/// In which form, with payloads or without; then the file and its digest.
#[component]
pub(super) fn ExportDialog(props: &ExportDialogProps) -> Html {
    let api = use_api();
    let format = use_state_eq(|| ExportFormat::Ndjson);
    let payload = use_state_eq(|| false);
    let answer = use_state(|| None::<Result<DeadLetterExport, Problem>>);
    let busy = use_state_eq(|| false);
    let confirm = {
        let (query, format, payload) = (props.query.clone(), *format, *payload);
        let (answer, busy) = (answer.setter(), busy.clone());
        Callback::from(move |()| {
            if *busy {
                return;
            }
            let wish = ExportDeadLetters::of(filter_of(&query, clock::now()), format, payload);
            let (api, answer, busy) = (api.clone(), answer.clone(), busy.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                let given = api.export_dead_letters(&wish).await;
                if let Ok(export) = &given {
                    save_file(&export.manifest.file_name, &export.content);
                }
                answer.set(Some(given));
                busy.set(false);
            });
        })
    };
    let on_format = {
        let format = format.clone();
        Callback::from(move |word: AttrValue| format.set(word.parse().unwrap_or(ExportFormat::Ndjson)))
    };
    let on_payload = {
        let payload = payload.clone();
        Callback::from(move |on: bool| payload.set(on))
    };
    let forms: Vec<(AttrValue, AttrValue)> =
        ExportFormat::ALL.iter().map(|form| (form.as_str().into(), form.as_str().into())).collect();
    let mut words: Vec<String> =
        ["orch", "deadletter", "export", "--as", format.as_str()].map(str::to_owned).to_vec();
    if *payload {
        words.push("--payload".into());
    }
    words.extend(options(&props.query, clock::now()));
    html! {
        <Dialog title="Export entries" size={DialogSize::Form} on_close={props.on_close.clone()} on_confirm={confirm.clone()}
            footer={html! { <>
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button kind={ButtonKind::Primary} busy={*busy} on_click={confirm}>{ "Export" }</Button>
            </> }}>
            { match &*answer {
                Some(Err(problem)) => html! { <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }</Banner> },
                Some(Ok(export)) => html! {
                    <Banner tone={Tone::Ok} fact={format!("{} saved.", counted(export.manifest.count as i64, "entry", "entries"))}>
                        { &export.manifest.file_name }{ ", sha256 " }<CopyId text={export.manifest.sha256.clone()} shown={short_digest(&export.manifest.sha256)} />
                    </Banner>
                },
                None => Html::default(),
            } }
            <div class="in col gap3">
                <p class="prose">{ "All entries that match the filter of the queue, the oldest first. The answer tells the digest the file must have." }</p>
                <div class="row wrap"><Segmented label="Form" options={forms} value={format.as_str()} on_choose={on_format} />
                    <Checkbox checked={Checked::from(*payload)} on_toggle={on_payload}>{ "With payloads, secrets redacted" }</Checkbox></div>
                <CliTwin words={words.into_iter().map(AttrValue::from).collect::<Vec<_>>()} />
            </div>
        </Dialog>
    }
}
