//! A snapshot of all quotas with their live values: looked at, copied, saved as a file.

use super::acts::words;
use crate::api::Problem;
use crate::clock;
use crate::kit::{Button, ButtonKind, Dialog, DialogSize, Segmented, Shape, Skeleton, save_file, use_copy};
use crate::parts::{CliTwin, ProblemView};
use crate::store::{use_api, use_session};
use stella_contract::quota::ExportFormat;
use yew::prelude::*;

/// Opens the snapshot.
#[component]
pub(super) fn ExportButton() -> Html {
    let open = use_state_eq(|| false);
    let set = |on: bool| {
        let open = open.clone();
        Callback::from(move |()| open.set(on))
    };
    html! {
        <>
            <Button small={true} icon={Shape::Download} on_click={set(true)}>{ "Export snapshot…" }</Button>
            if *open { <ExportDialog on_close={set(false)} /> }
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct ExportDialogProps {
    on_close: Callback<()>,
}

/// So much of the file is shown.
const SHOWN_LINES: usize = 40;

#[component]
fn ExportDialog(props: &ExportDialogProps) -> Html {
    let (api, session) = (use_api(), use_session());
    let format = use_state_eq(|| ExportFormat::Json);
    let answer = use_state(|| None::<Result<String, Problem>>);
    {
        let (api, answer) = (api.clone(), answer.clone());
        use_effect_with(*format, move |format| {
            let format = *format;
            answer.set(None);
            wasm_bindgen_futures::spawn_local(
                async move { answer.set(Some(api.export_quotas(format).await)) },
            );
        });
    }
    let text: AttrValue = match &*answer {
        Some(Ok(text)) => text.clone().into(),
        Some(Err(_)) | None => AttrValue::default(),
    };
    let (copied, copy) = use_copy(text.clone());
    let tenant = session.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    let name = file_name(&tenant, *format, &clock::now().basic());
    let save = {
        let (name, text) = (name.clone(), text.clone());
        Callback::from(move |()| save_file(&name, &text))
    };
    let choose = {
        let format = format.clone();
        Callback::from(move |value: AttrValue| format.set(value.parse().unwrap_or(ExportFormat::Json)))
    };
    let options = [
        (AttrValue::Static("json"), AttrValue::Static("JSON")),
        (AttrValue::Static("csv"), AttrValue::Static("CSV")),
    ];
    let waiting = text.is_empty().then_some("Nothing to save yet");
    html! {
        <Dialog title="Quota snapshot" subject={name} size={DialogSize::Wide} on_close={props.on_close.clone()}
            footer={html! { <>
                <span class="grow"></span>
                <Button on_click={copy} icon={if copied { Shape::Check } else { Shape::Copy }} disabled={waiting} says_why={false}>{ if copied { "Copied" } else { "Copy" } }</Button>
                <Button kind={ButtonKind::Primary} icon={Shape::Download} on_click={save} disabled={waiting} says_why={false}>{ "Save file" }</Button>
            </> }}>
            <div class="in col gap3">
                <div class="row"><Segmented label="Format" options={options.to_vec()} value={format.as_str()} on_choose={choose} />
                    <span class="f3 sm">{ "All quotas with their live values, sorted, with a SHA-256 over them." }</span></div>
                { match &*answer {
                    None => html! { <Skeleton rows={6} /> },
                    Some(Err(problem)) => html! { <ProblemView what="The snapshot" problem={problem.clone()} /> },
                    Some(Ok(text)) => html! { <pre class="code json" tabindex="0">{ shown(text, *format) }</pre> },
                } }
                <CliTwin words={words(&["orch", "quota", "export", "--as", format.as_str()])} />
            </div>
        </Dialog>
    }
}

/// `quotas-acme-20261121T143208Z.json`.
fn file_name(tenant: &str, format: ExportFormat, at: &str) -> String {
    format!("quotas-{tenant}-{at}.{format}")
}

/// The beginning of the file, JSON with its lines apart.
fn shown(text: &str, format: ExportFormat) -> String {
    let pretty = match format {
        ExportFormat::Json => serde_json::from_str::<serde_json::Value>(text)
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or_else(|_| text.to_owned()),
        ExportFormat::Csv => text.to_owned(),
    };
    let lines: Vec<&str> = pretty.lines().collect();
    match lines.get(..SHOWN_LINES) {
        Some(first) => {
            format!("{}\n… {} more lines in the file", first.join("\n"), lines.len() - SHOWN_LINES)
        }
        None => pretty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_shows_its_beginning_and_says_how_much_more_there_is() {
        let text = (0..50).map(|at| at.to_string()).collect::<Vec<_>>().join("\n");
        assert!(shown(&text, ExportFormat::Csv).ends_with("39\n… 10 more lines in the file"));
        assert_eq!(shown("a,b", ExportFormat::Csv), "a,b");
        assert_eq!(shown(r#"{"a":1}"#, ExportFormat::Json), "{\n  \"a\": 1\n}");
        assert_eq!(
            file_name("acme", ExportFormat::Csv, "20261121T143208Z"),
            "quotas-acme-20261121T143208Z.csv"
        );
    }
}
