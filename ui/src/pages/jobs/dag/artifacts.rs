//! What the current job of the graph left, in a dialog.

use crate::api::Load;
use crate::kit::format::short_id;
use crate::kit::{Button, Dialog, DialogSize, Shape, Skeleton};
use crate::parts::{ArtifactTable, ProblemView};
use crate::store::{Watch, use_query};
use stella_contract::ids::JobId;
use yew::prelude::*;

/// What [`NodeArtifacts`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct NodeArtifactsProps {
    /// The job.
    pub id: JobId,
}

/// The button, and the dialog once it was pressed.
#[component]
pub(super) fn NodeArtifacts(props: &NodeArtifactsProps) -> Html {
    let open = use_state_eq(|| false);
    let set = |on: bool| {
        let open = open.setter();
        Callback::from(move |()| open.set(on))
    };
    html! {
        <>
            <Button small={true} icon={Shape::Download} on_click={set(true)}>{ "Artifacts" }</Button>
            if *open { <ArtifactDialog id={props.id.clone()} on_close={set(false)} /> }
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ArtifactDialogProps {
    id: JobId,
    on_close: Callback<()>,
}

#[component]
fn ArtifactDialog(props: &ArtifactDialogProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("artifacts {id}"), Watch::of(&["job"]), move |api| {
        let id = id.clone();
        async move { api.job_artifacts(&id).await }
    });
    let close = html! { <><span class="grow"></span><Button on_click={props.on_close.clone()}>{ "Close" }</Button></> };
    html! {
        <Dialog title="Artifacts" subject={short_id(props.id.as_str())} size={DialogSize::Form} on_close={props.on_close.clone()} footer={close}>
            <div class="in">{ match &asked.load {
                Load::Idle | Load::Loading => html! { <Skeleton rows={3} /> },
                Load::Failed(problem) => html! { <ProblemView what="The artifacts" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                Load::Ready(page, _) | Load::Stale(page, _, _) if page.items.is_empty() => html! { <p class="f3 sm">{ "It has left none." }</p> },
                Load::Ready(page, _) | Load::Stale(page, _, _) => html! { <ArtifactTable artifacts={page.items.clone()} /> },
            } }</div>
        </Dialog>
    }
}
