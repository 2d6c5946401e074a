//! Runs as a file, with the digest it must have: those that are chosen, or all that match the list.

use super::filter::{command, filter_of};
use crate::api::Problem;
use crate::clock;
use crate::kit::format::{counted, short_digest};
use crate::kit::{Banner, Button, ButtonKind, CopyId, Dialog, DialogSize, Segmented, Tone, save_file};
use crate::parts::CliTwin;
use crate::router::use_router;
use crate::store::use_api;
use stella_contract::dead_letter::ExportFormat;
use stella_contract::ids::RunId;
use stella_contract::run::{RunFilter, RunTab};
use stella_contract::run_export::{ExportRuns, RunExport};
use yew::prelude::*;

/// What an [`ExportDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ExportDialogProps {
    /// These runs; all that match the address when there are none.
    #[prop_or_default]
    pub runs: Vec<RunId>,
    /// The tab whose filter counts.
    #[prop_or_default]
    pub tab: Option<RunTab>,
    /// Left.
    pub on_close: Callback<()>,
}

/// In which form; then the file and its digest.
#[component]
pub(super) fn ExportDialog(props: &ExportDialogProps) -> Html {
    let (api, router) = (use_api(), use_router());
    let format = use_state_eq(|| ExportFormat::Csv);
    let answer = use_state(|| None::<Result<RunExport, Problem>>);
    let busy = use_state_eq(|| false);
    let filter = match (props.runs.is_empty(), props.tab) {
        (true, Some(tab)) => filter_of(&router.location().query, tab, clock::now()),
        (true, None) | (false, _) => RunFilter::default(),
    };
    let confirm = {
        let (filter, runs, format) = (filter.clone(), props.runs.clone(), *format);
        let (answer, busy) = (answer.setter(), busy.clone());
        Callback::from(move |()| {
            if *busy {
                return;
            }
            let wish = ExportRuns::of(filter.clone(), &runs, format);
            let (api, answer, busy) = (api.clone(), answer.clone(), busy.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                let given = api.export_runs(&wish).await;
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
        Callback::from(move |word: AttrValue| format.set(word.parse().unwrap_or(ExportFormat::Csv)))
    };
    let forms: Vec<(AttrValue, AttrValue)> =
        ExportFormat::ALL.iter().map(|form| (form.as_str().into(), form.as_str().into())).collect();
    let what = match props.runs.len() {
        0 => "All runs that match the list, the newest first.".to_owned(),
        many => format!("{}, the newest first.", counted(many as i64, "chosen run", "chosen runs")),
    };
    html! {
        <Dialog title="Export runs" size={DialogSize::Form} on_close={props.on_close.clone()} on_confirm={confirm.clone()}
            footer={html! { <>
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button kind={ButtonKind::Primary} busy={*busy} on_click={confirm}>{ "Export" }</Button>
            </> }}>
            { match &*answer {
                Some(Err(problem)) => html! { <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }</Banner> },
                Some(Ok(export)) => html! {
                    <Banner tone={Tone::Ok} fact={format!("{} saved.", counted(export.manifest.count as i64, "run", "runs"))}>
                        { &export.manifest.file_name }{ ", sha256 " }<CopyId text={export.manifest.sha256.clone()} shown={short_digest(&export.manifest.sha256)} />
                    </Banner>
                },
                None => Html::default(),
            } }
            <div class="in col gap3">
                <p class="prose">{ what }{ " The manifest names the digest the file must have." }</p>
                <div class="row wrap"><Segmented label="Form" options={forms} value={format.as_str()} on_choose={on_format} /></div>
                <CliTwin words={words(&filter, &props.runs, *format)} />
            </div>
        </Dialog>
    }
}

/// The command that makes the same file.
fn words(filter: &RunFilter, runs: &[RunId], format: ExportFormat) -> Vec<AttrValue> {
    let mut words: Vec<String> = ["runs", "export", "--as", format.as_str()].map(str::to_owned).to_vec();
    words.extend(runs.iter().flat_map(|id| ["--run".to_owned(), id.to_string()]));
    // The options of the list are those of the export.
    words.extend(command(filter).into_iter().skip(2));
    words.into_iter().map(AttrValue::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_the_runs_or_the_filter() {
        let run: RunId = "run:acme:20261121T140815Z:9c1f04ab".parse().unwrap();
        let said = |filter: &RunFilter, runs: &[RunId]| {
            words(filter, runs, ExportFormat::Csv)
                .iter()
                .map(|word| word.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let one = said(&RunFilter::default(), &[run]);
        assert_eq!(one, "runs export --as csv --run run:acme:20261121T140815Z:9c1f04ab");
        let failed = RunFilter { tab: Some(RunTab::Failures), shard: Some(3), ..RunFilter::default() };
        assert_eq!(said(&failed, &[]), "runs export --as csv --tab failures --shard 3");
    }
}
