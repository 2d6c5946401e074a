//! Artifacts of a job with the way to save each of them.

use crate::kit::format::{bytes, short_digest};
use crate::kit::{Button, CopyId, Shape, save_file};
use crate::store::{use_api, use_toasts};
use stella_contract::artifact::Artifact;
use yew::prelude::*;

/// What an [`ArtifactTable`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ArtifactTableProps {
    /// The artifacts.
    pub artifacts: Vec<Artifact>,
}

/// Name, size, digest, save.
#[component]
pub fn ArtifactTable(props: &ArtifactTableProps) -> Html {
    html! {
        <table class="tbl artifacts">
            <thead><tr><th scope="col">{ "Name" }</th><th scope="col" class="num">{ "Size" }</th><th scope="col">{ "Digest" }</th><th scope="col"><span class="vh">{ "Save" }</span></th></tr></thead>
            <tbody>{ for props.artifacts.iter().map(|one| html! {
                <tr key={one.name.clone()}>
                    <td class="mono cut" title={format!("{}, {}, {}", one.name, one.kind, one.media_type)}>{ &one.name }</td>
                    <td class="num f2">{ bytes(one.size_bytes) }</td>
                    <td><CopyId text={one.digest.clone()} shown={short_digest(&one.digest)} /></td>
                    <td class="num"><Save artifact={one.clone()} /></td>
                </tr>
            }) }</tbody>
        </table>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct SaveProps {
    artifact: Artifact,
}

/// Fetches it and saves it under its name.
#[component]
fn Save(props: &SaveProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let busy = use_state_eq(|| false);
    let on_click = {
        let (artifact, busy) = (props.artifact.clone(), busy.clone());
        Callback::from(move |()| {
            let (api, toasts, artifact, busy) = (api.clone(), toasts.clone(), artifact.clone(), busy.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.artifact(&artifact.digest).await {
                    Ok(text) => save_file(&artifact.name, &text),
                    Err(problem) => {
                        toasts.refused(format!("{} was not saved.", artifact.name), &problem);
                    }
                }
                busy.set(false);
            });
        })
    };
    let label = format!("Save {}", props.artifact.name);
    let binary = (!is_text(&props.artifact.media_type))
        .then_some("It is no text, and pages carry texts only: take it from the interface by its digest");
    html! { <Button small={true} icon={Shape::Download} {label} busy={*busy} disabled={binary} says_why={false} {on_click} /> }
}

/// Whether bytes of this media type are a text.
fn is_text(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let known = ["application/json", "application/xml", "application/x-ndjson", "application/yaml"];
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || known.contains(&kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_can_be_saved_and_archives_cannot() {
        for text in ["text/plain; charset=utf-8", "application/json", "application/vnd.cyclonedx+json"] {
            assert!(is_text(text), "{text}");
        }
        for other in ["application/gzip", "application/octet-stream", ""] {
            assert!(!is_text(other), "{other}");
        }
    }
}
