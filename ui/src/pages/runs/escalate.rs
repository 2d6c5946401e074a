//! Escalate to support: a text that holds all that is known of a run, to be copied or saved. Nothing is sent.

use crate::api::Load;
use crate::kit::{
    Banner, Button, ButtonKind, Dialog, DialogSize, Shape, Skeleton, Tone, save_file, use_copy,
};
use crate::parts::{CliTwin, ProblemView};
use crate::store::{Watch, use_query};
use stella_contract::ids::RunId;
use stella_contract::run_export::RunEscalation;
use yew::prelude::*;

/// What an [`EscalateDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct EscalateDialogProps {
    /// The run.
    pub id: RunId,
    /// Left.
    pub on_close: Callback<()>,
}

/// The text, and two ways to take it along.
#[component]
pub(super) fn EscalateDialog(props: &EscalateDialogProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("escalation {id}"), Watch::none(), {
        let id = id.clone();
        move |api| {
            let id = id.clone();
            async move { api.run_escalation(&id).await }
        }
    });
    let made = asked.load.value().cloned();
    let (copied, copy) = use_copy(made.as_ref().map(|made| made.text.clone()).unwrap_or_default().into());
    let save = {
        let made = made.clone();
        Callback::from(move |()| {
            if let Some(made) = &made {
                save_file(&made.file_name, &made.text);
            }
        })
    };
    let waiting = made.is_none().then_some(AttrValue::Static("The text is being made"));
    let words =
        ["runs", "escalate", "--run", id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec();
    html! {
        <Dialog title="Escalate to support" subject={id.to_string()} size={DialogSize::Form} on_close={props.on_close.clone()}
            footer={html! { <>
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button icon={Shape::Download} disabled={waiting.clone()} says_why={false} on_click={save}>{ "Save" }</Button>
                <Button kind={ButtonKind::Primary} icon={if copied { Shape::Check } else { Shape::Copy }} disabled={waiting} says_why={false} on_click={copy}>{ if copied { "Copied" } else { "Copy" } }</Button>
            </> }}>
            <Banner tone={Tone::Idle} icon={Shape::Lock} fact="Nothing is sent.">{ "Copy the text or save it, fill in the three questions, and send it your own way. Secrets in it are hidden." }</Banner>
            <div class="in col gap3">
                { match &asked.load {
                    Load::Failed(problem) => html! { <ProblemView what="The text" problem={problem.clone()} on_retry={asked.refetch.clone()} /> },
                    Load::Idle | Load::Loading => html! { <Skeleton rows={8} /> },
                    Load::Ready(made, _) | Load::Stale(made, ..) => text(made),
                } }
                <CliTwin {words} />
            </div>
        </Dialog>
    }
}

fn text(made: &RunEscalation) -> Html {
    html! {
        <>
            <p class="f3 sm">{ format!("{} with {} log lines", made.file_name, made.log_lines) }</p>
            <pre class="code escalation" tabindex="0" aria-label="Text for support">{ &made.text }</pre>
        </>
    }
}
