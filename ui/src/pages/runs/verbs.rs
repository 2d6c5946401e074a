//! What an operator may do to a run: cancel it, or repeat it once it has ended, all of it or what failed alone.

use crate::api::Problem;
use crate::kit::format::{count, counted};
use crate::kit::{Button, ButtonKind, Checkbox, Checked};
use crate::parts::{ReasonDialog, RunLink};
use crate::router::{Query, use_router};
use crate::store::{use_api, use_session, use_toasts};
use stella_contract::feature::Feature;
use stella_contract::job::Cause;
use stella_contract::route::Route;
use stella_contract::run::{ONLY_FAILED_HOURS, RetryRun, Run, cancel_refusal, retry_refusal};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Cancel,
    Retry,
}

impl Verb {
    const fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
        }
    }
    /// Why it is not possible now.
    fn refusal(self, run: &Run) -> Option<&'static str> {
        match self {
            Self::Cancel => cancel_refusal(run.state),
            Self::Retry => retry_refusal(run.state),
        }
    }
}

/// What [`RunVerbs`] take.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct RunVerbsProps {
    /// The run.
    pub run: Run,
    /// Told that something was done.
    pub on_done: Callback<()>,
}

/// The two verbs; one that is not possible says why.
#[component]
pub(super) fn RunVerbs(props: &RunVerbsProps) -> Html {
    let session = use_session();
    let asking = use_state_eq(|| None::<Verb>);
    let scope = session.refusal(Scope::RunsManage);
    let off = session.off(Feature::Retry);
    let why = |verb: Verb| {
        let off = off.clone().filter(|_| verb == Verb::Retry);
        off.or_else(|| scope.clone())
            .or_else(|| verb.refusal(&props.run).map(str::to_owned))
            .map(AttrValue::from)
    };
    let ask = |verb: Verb| {
        let (asking, can) = (asking.clone(), why(verb).is_none());
        Callback::from(move |()| asking.set(can.then_some(verb)))
    };
    let close = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(None))
    };
    let said = why(Verb::Retry).or(why(Verb::Cancel));
    html! {
        <>
            <Button small={true} kind={ButtonKind::Danger} disabled={why(Verb::Cancel)} says_why={false} on_click={ask(Verb::Cancel)}>{ "Cancel run…" }</Button>
            <Button small={true} disabled={why(Verb::Retry)} says_why={false} on_click={ask(Verb::Retry)}>{ "Retry…" }</Button>
            if let Some(said) = said { <span class="why">{ said }</span> }
            if let Some(verb) = *asking {
                <VerbDialog {verb} run={props.run.clone()} on_done={props.on_done.clone()} on_close={close} />
            }
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct VerbDialogProps {
    verb: Verb,
    run: Run,
    on_done: Callback<()>,
    on_close: Callback<()>,
}

#[component]
fn VerbDialog(props: &VerbDialogProps) -> Html {
    let (api, toasts, router) = (use_api(), use_toasts(), use_router());
    let busy = use_state_eq(|| false);
    let only_failed = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let (verb, run) = (props.verb, &props.run);
    let on_confirm = {
        let (busy, problem, props) = (busy.clone(), problem.clone(), props.clone());
        let how = RetryRun { only_failed: *only_failed };
        Callback::from(move |cause: Cause| {
            let (api, toasts, router, busy, problem, props) =
                (api.clone(), toasts.clone(), router.clone(), busy.clone(), problem.clone(), props.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                let id = &props.run.run_id;
                let answer = match props.verb {
                    Verb::Cancel => api.cancel_run(id, &cause).await,
                    Verb::Retry => api.retry_run(id, how, &cause).await,
                };
                match answer {
                    Ok(run) => {
                        let fact = match props.verb {
                            Verb::Cancel => "Run cancelled",
                            Verb::Retry => "Run started again",
                        };
                        toasts.done(fact, html! { <RunLink id={run.run_id.clone()} /> });
                        props.on_done.emit(());
                        props.on_close.emit(());
                        if props.verb == Verb::Retry {
                            router.go(&Route::Run(run.run_id), &Query::default());
                        }
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    let open = run.segments.pending + run.segments.queued + run.segments.running;
    let mut cli: Vec<AttrValue> = ["runs", verb.word(), "--run", run.run_id.as_str()]
        .map(|word| AttrValue::from(word.to_owned()))
        .to_vec();
    if *only_failed {
        cli.push("--only-failed".into());
    }
    let form = match verb {
        Verb::Retry if run.failed > 0 => {
            let on_toggle = {
                let only_failed = only_failed.clone();
                Callback::from(move |on: bool| only_failed.set(on))
            };
            html! {
                <Checkbox checked={Checked::from(*only_failed)} {on_toggle}>
                    { format!("Only the {} that failed; within {ONLY_FAILED_HOURS} hours of the end", counted(run.failed, "target", "targets")) }
                </Checkbox>
            }
        }
        Verb::Retry | Verb::Cancel => Html::default(),
    };
    let (title, words, keep, what) = match verb {
        Verb::Cancel => (
            "Cancel run",
            "Cancel run",
            "Keep running",
            format!(
                "{} of {} targets are evaluated. {} open segments are cancelled; what is evaluated stays. A cancelled run cannot go on, only be repeated.",
                count(run.processed), count(run.candidates), count(open)
            ),
        ),
        Verb::Retry => (
            "Retry run",
            "Retry run",
            "Close",
            "A new run begins with the same mode and scope, all of its segments fresh. This run stays as it is and is named as its origin.".to_owned(),
        ),
    };
    html! {
        <ReasonDialog {title} subject={run.run_id.to_string()} scope={Scope::RunsManage} verb={words} {keep}
            danger={verb == Verb::Cancel} {form} {cli} busy={*busy} problem={(*problem).clone()} {on_confirm} on_close={props.on_close.clone()}>
            { what }
        </ReasonDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::table::tests::run;

    #[test]
    fn an_open_run_can_be_cancelled_and_an_ended_one_repeated() {
        let open = run(serde_json::json!({ "state": "running" }));
        assert_eq!(
            (Verb::Cancel.refusal(&open), Verb::Retry.refusal(&open)),
            (None, Some("Retry needs a finished run"))
        );
        let ended = run(serde_json::json!({ "state": "error" }));
        assert_eq!(
            (Verb::Cancel.refusal(&ended), Verb::Retry.refusal(&ended)),
            (Some("The run has already ended"), None)
        );
    }
}
