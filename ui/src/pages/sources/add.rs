//! Adds a source. What was typed stays after a refusal.

use crate::api::Problem;
use crate::kit::{Banner, Button, ButtonKind, Dialog, DialogSize, Field, Input, Select, Tone};
use crate::parts::CliTwin;
use crate::store::{use_api, use_toasts};
use stella_contract::source::{AddSource, SourceType};
use yew::prelude::*;

/// What an [`AddSourceDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct AddSourceDialogProps {
    /// Left, with or without a new source.
    pub on_close: Callback<()>,
}

/// Name, type, location.
#[component]
pub(super) fn AddSourceDialog(props: &AddSourceDialogProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let draft = use_state(|| AddSource {
        name: String::new(),
        source_type: SourceType::Advisory,
        location: String::new(),
    });
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let blocked = blocked(&draft);
    let confirm = {
        let (draft, busy, problem, on_close, can) =
            (draft.clone(), busy.clone(), problem.clone(), props.on_close.clone(), blocked.is_none());
        Callback::from(move |()| {
            if !can || *busy {
                return;
            }
            let (api, toasts, wish, busy, problem, on_close) = (
                api.clone(),
                toasts.clone(),
                trimmed(&draft),
                busy.clone(),
                problem.clone(),
                on_close.clone(),
            );
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.add_source(&wish).await {
                    Ok(source) => {
                        toasts.done(
                            "Source added",
                            html! { { format!("{} holds nothing until it is run", source.name) } },
                        );
                        on_close.emit(());
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    let edit = |change: fn(&mut AddSource, String)| {
        let draft = draft.clone();
        Callback::from(move |text: String| {
            let mut next = (*draft).clone();
            change(&mut next, text);
            draft.set(next);
        })
    };
    let wrong = |field: &str| {
        problem
            .as_ref()
            .and_then(|problem| problem.of_field(field))
            .map(|said| AttrValue::from(said.to_owned()))
    };
    let types = SourceType::ALL
        .iter()
        .map(|kind| (kind.as_str().into(), words(*kind).into()))
        .collect::<Vec<(AttrValue, AttrValue)>>();
    html! {
        <Dialog title="Add source" size={DialogSize::Form} on_close={props.on_close.clone()} on_confirm={confirm.clone()}
            footer={html! { <>
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button kind={ButtonKind::Primary} busy={*busy} disabled={blocked.clone()} says_why={false} on_click={confirm}>{ "Add source" }</Button>
            </> }}>
            if let Some(problem) = &*problem {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
            }
            <div class="in col gap3">
                <Field label="Name" note="required" error={wrong("name")}>
                    <Input value={draft.name.clone()} max_length={100} autofocus={true} on_input={edit(|draft, text| draft.name = text)} placeholder="osv-pypi" />
                </Field>
                <Field label="Type" note="required">
                    <Select value={draft.source_type.as_str()} options={types} on_change={edit(|draft, text| draft.source_type = text.parse().unwrap_or(draft.source_type))} />
                </Field>
                <Field label="Location" note="required" hint="An address with http or https, or the full path of a file or folder on the core's machine." error={wrong("location")}>
                    <Input value={draft.location.clone()} mono={true} on_input={edit(|draft, text| draft.location = text)} placeholder="/srv/feeds/osv-pypi.zip" />
                </Field>
                if let Some(why) = blocked { <p class="why" role="status">{ why }</p> }
                <CliTwin words={command(&draft)} />
            </div>
        </Dialog>
    }
}

/// What a type carries, in words.
const fn words(kind: SourceType) -> &'static str {
    match kind {
        SourceType::Advisory => "advisory: OSV records, a zip or NDJSON of them",
        SourceType::Kev => "kev: the catalogue of known exploited vulnerabilities",
        SourceType::Sbom => "sbom: a folder of CycloneDX or SPDX files",
        SourceType::Vex => "vex: OpenVEX, CycloneDX or CSAF documents",
        SourceType::Epss => "epss: the list of how likely each vulnerability is exploited",
        SourceType::Registry => "registry: SBOM files by the digest of their images",
        SourceType::Custom => "custom: what a worker of your own reads",
    }
}

fn trimmed(draft: &AddSource) -> AddSource {
    AddSource {
        name: draft.name.trim().to_owned(),
        source_type: draft.source_type,
        location: draft.location.trim().to_owned(),
    }
}

/// Why it cannot be added yet.
fn blocked(draft: &AddSource) -> Option<AttrValue> {
    match (draft.name.trim().is_empty(), draft.location.trim().is_empty()) {
        (true, _) => Some("Needs a name".into()),
        (false, true) => Some("Needs a location".into()),
        (false, false) => None,
    }
}

fn command(draft: &AddSource) -> Vec<AttrValue> {
    let AddSource { name, source_type, location } = trimmed(draft);
    ["source", "add", "--name", &name, "--type", source_type.as_str(), "--location", &location]
        .map(|word| AttrValue::from(word.to_owned()))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_place_are_needed() {
        let draft = |name: &str, location: &str| AddSource {
            name: name.into(),
            source_type: SourceType::Kev,
            location: location.into(),
        };
        assert_eq!(blocked(&draft(" ", "/a")).as_deref(), Some("Needs a name"));
        assert_eq!(blocked(&draft("kev", "")).as_deref(), Some("Needs a location"));
        assert_eq!(blocked(&draft("kev", "/a")), None);
        let words: Vec<String> = command(&draft(" kev ", "/a b")).iter().map(AttrValue::to_string).collect();
        assert_eq!(words, ["source", "add", "--name", "kev", "--type", "kev", "--location", "/a b"]);
    }
}
