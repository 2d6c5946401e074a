//! A policy is written down, checked as often as wanted, and added. What was typed stays after a refusal.

use super::trial;
use crate::api::Problem;
use crate::kit::{Banner, Button, ButtonKind, Dialog, DialogSize, Field, Input, TextArea, Tone};
use crate::parts::CliTwin;
use crate::router::{Query, use_router};
use crate::store::{use_api, use_feed, use_toasts};
use stella_contract::job::Cause;
use stella_contract::policy::{AddPolicy, CheckPolicy, POLICY_VARIABLES, PolicyCheck};
use stella_contract::route::Route;
use stella_contract::scope::REASON_MAX;
use yew::prelude::*;

/// What a new policy begins with.
const FIRST: &str = "policy: default\nrules:\n  - name: exploited\n    when: kev && fixed\n    verdict: block\n    reason: exploited in the wild, and a fix is there\n  - name: worth a look\n    when: severityLevel >= 3\n    verdict: warn\n    reason: high or critical\n";

/// What an [`EditorDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct EditorProps {
    /// What is in it at first; empty: an example.
    pub source: String,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// What a check of a text said.
#[derive(Clone, PartialEq)]
struct Checked {
    source: String,
    check: PolicyCheck,
}

/// The editor.
#[component]
pub(super) fn EditorDialog(props: &EditorProps) -> Html {
    let (api, toasts, feed, router) = (use_api(), use_toasts(), use_feed(), use_router());
    let source = use_state(|| if props.source.is_empty() { FIRST.to_owned() } else { props.source.clone() });
    let note = use_state(String::new);
    let reason = use_state(String::new);
    let checked = use_state(|| None::<Checked>);
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let check = {
        let (api, source, checked, busy, problem) =
            (api.clone(), source.clone(), checked.clone(), busy.clone(), problem.clone());
        Callback::from(move |()| {
            if *busy {
                return;
            }
            let (api, text, checked, busy, problem) =
                (api.clone(), (*source).clone(), checked.clone(), busy.clone(), problem.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.check_policy(&CheckPolicy { source: text.clone() }).await {
                    Ok(check) => {
                        problem.set(None);
                        checked.set(Some(Checked { source: text, check }));
                    }
                    Err(refused) => problem.set(Some(refused)),
                }
                busy.set(false);
            });
        })
    };
    let current = checked.as_ref().filter(|checked| checked.source == *source);
    let blocked = blocked(current.map(|checked| &checked.check), &reason).map(AttrValue::from);
    let add = {
        let (api, source, note, reason, busy, problem, on_close, can) = (
            api.clone(),
            source.clone(),
            note.clone(),
            reason.clone(),
            busy.clone(),
            problem.clone(),
            props.on_close.clone(),
            blocked.is_none(),
        );
        Callback::from(move |()| {
            if *busy || !can {
                return;
            }
            let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
            let wish = AddPolicy { source: (*source).clone(), note };
            let cause = Cause { reason: Some(reason.trim().to_owned()), ticket: None };
            let (api, busy, problem, on_close, toasts, feed, router) = (
                api.clone(),
                busy.clone(),
                problem.clone(),
                on_close.clone(),
                toasts.clone(),
                feed.clone(),
                router.clone(),
            );
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.add_policy(&wish, &cause).await {
                    Ok(snapshot) => {
                        let said = format!("Revision {} added", snapshot.policy_revision);
                        toasts.done(said, Html::default());
                        feed.refresh();
                        on_close.emit(());
                        let open = Query::default().with("snapshot", snapshot.policy_snapshot_id.as_str());
                        router.go(&Route::Policy, &open);
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text))
    };
    let words = ["policy", "add", "policy.yaml", "--reason", "…"].map(AttrValue::from).to_vec();
    html! {
        <Dialog title="Add policy" size={DialogSize::Wide} on_close={props.on_close.clone()}
            footer={html! { <>
                if let Some(why) = &blocked { <span class="why" role="status">{ why }</span> }
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button busy={*busy} on_click={check}>{ "Check" }</Button>
                <Button kind={ButtonKind::Primary} busy={*busy} disabled={blocked.clone()} says_why={false} on_click={add}>{ "Add snapshot" }</Button>
            </> }}>
            if let Some(problem) = &*problem {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
            }
            <div class="in col gap3">
                <Field label="Rules" note="YAML" hint="The first rule whose expression is true decides. A snapshot never changes; mend it by adding another.">
                    <TextArea value={(*source).clone()} on_input={set(&source)} rows={16} mono={true} />
                </Field>
                <details class="policy-help"><summary class="sm">{ "Variables of expressions" }</summary>{ variables() }</details>
                <div class="reason-fields">
                    <Field label="Note" note="optional"><Input value={(*note).clone()} on_input={set(&note)} max_length={256} placeholder="What changed" /></Field>
                    <Field label="Reason" note="required"><Input value={(*reason).clone()} on_input={set(&reason)} max_length={REASON_MAX} placeholder="Why this is needed" /></Field>
                </div>
                if let Some(checked) = &*checked {
                    if checked.source != *source { <p class="f3 sm" role="status">{ "The text changed since it was checked." }</p> }
                    { trial::shown(&checked.check) }
                }
                <CliTwin {words} />
            </div>
        </Dialog>
    }
}

/// Why it cannot be added yet.
fn blocked(check: Option<&PolicyCheck>, reason: &str) -> Option<&'static str> {
    match check {
        None => Some("Check it first"),
        Some(check) if !check.is_sound() => Some("Mend what is wrong first"),
        Some(_) if reason.trim().is_empty() => Some("Needs a reason"),
        Some(_) => None,
    }
}

fn variables() -> Html {
    html! {
        <table class="tbl"><thead><tr><th scope="col">{ "Name" }</th><th scope="col">{ "Kind" }</th><th scope="col">{ "Says" }</th></tr></thead>
            <tbody>{ for POLICY_VARIABLES.iter().map(|one| html! {
                <tr key={one.name}><td class="mono">{ one.name }</td><td>{ one.kind }</td><td>{ one.says }</td></tr>
            }) }</tbody></table>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::policy::{PolicyProblem, PolicyProblemCode};

    #[test]
    fn a_policy_is_added_only_after_a_check_of_this_very_text_and_with_a_reason() {
        let sound = PolicyCheck {
            problems: Vec::new(),
            rule_count: 1,
            policy_snapshot_id: format!("sha256:{}", "0".repeat(64)).parse().ok(),
            trial: None,
        };
        let fault = PolicyProblem {
            line: 1,
            column: 1,
            rule: None,
            code: PolicyProblemCode::Yaml,
            message: "odd".to_owned(),
        };
        let wrong = PolicyCheck { problems: vec![fault], policy_snapshot_id: None, ..sound.clone() };
        assert_eq!(blocked(None, "why"), Some("Check it first"));
        assert_eq!(blocked(Some(&wrong), "why"), Some("Mend what is wrong first"));
        assert_eq!(blocked(Some(&sound), " "), Some("Needs a reason"));
        assert_eq!(blocked(Some(&sound), "why"), None);
    }
}
