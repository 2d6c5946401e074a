//! The core or its book cannot be used: no page has anything to show, so this one says what to do.

use crate::api::{Problem, shell};
use crate::kit::{Button, ButtonKind, CopyId, Icon, Shape, Tone};
use stella_contract::error::Code;
use yew::prelude::*;

/// What a [`LedgerFailure`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct LedgerFailureProps {
    /// Why.
    pub problem: Problem,
    /// Asks again.
    pub on_retry: Callback<()>,
}

/// The whole page: what happened, what to do, try again.
#[component]
pub fn LedgerFailure(props: &LedgerFailureProps) -> Html {
    let busy = use_state_eq(|| false);
    let retry = {
        let (busy, on_retry) = (busy.setter(), props.on_retry.clone());
        Callback::from(move |()| {
            if !shell::is_here() {
                on_retry.emit(());
                return;
            }
            busy.set(true);
            let (busy, on_retry) = (busy.clone(), on_retry.clone());
            wasm_bindgen_futures::spawn_local(async move {
                // Whether it worked shows in the answer to the next question.
                let _ = shell::invoke::<serde_json::Value>("reopen_ledger", &serde_json::json!({})).await;
                busy.set(false);
                on_retry.emit(());
            });
        })
    };
    let problem = &props.problem;
    html! {
        <main class="fatal" id="main" tabindex="-1">
            <div class="empty">
                <span class={Tone::Bad.class()}><Icon shape={Shape::OctagonCross} /></span>
                <div class="col gap3">
                    <h1>{ title(problem) }</h1>
                    <p class="f2 prose">{ problem.sentence() }{ " (" }<span class="mono">{ problem.code() }</span>{ ")" }</p>
                    <p class="prose">{ problem.next_step() }</p>
                    <div class="row acts">
                        <Button kind={ButtonKind::Primary} busy={*busy} on_click={retry}>{ "Try again" }</Button>
                        if let Some(trace) = problem.trace() {
                            <span class="f3 sm">{ "Trace" }</span><CopyId text={trace.to_owned()} />
                        }
                    </div>
                </div>
            </div>
        </main>
    }
}

fn title(problem: &Problem) -> &'static str {
    match problem.refused() {
        Some(Code::LedgerLocked) => "The ledger is open elsewhere",
        Some(Code::LedgerNewer) => "The ledger was written by a newer version",
        Some(Code::LedgerOtherSchema) => "Another build made this ledger",
        Some(Code::LedgerNotOne) => "This file is not a sound ledger",
        Some(Code::NoSpace) => "The disk is full",
        Some(Code::NotWritable) => "The ledger cannot be written",
        Some(Code::LedgerUnavailable) => "The ledger cannot be reached",
        Some(Code::Unauthenticated) => "Not signed in",
        Some(Code::Starting) => "The core is starting",
        Some(_) => "The core refused the session",
        None => "The core does not answer",
    }
}
