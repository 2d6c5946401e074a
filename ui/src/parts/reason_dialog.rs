//! Confirms an action: what happens, why, under which ticket, and the command line that does the same. What was typed
//! stays after a refusal.

use super::cli_twin::CliTwin;
use crate::api::Problem;
use crate::kit::{Banner, Button, ButtonKind, Dialog, DialogSize, Field, Input, Tone};
use stella_contract::job::Cause;
use stella_contract::scope::{REASON_MAX, Scope, TICKET_MAX};
use yew::prelude::*;

/// What a [`ReasonDialog`] takes. It is open while mounted.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ReasonDialogProps {
    /// The verb and its object: "Cancel run".
    pub title: AttrValue,
    /// The id of the thing.
    #[prop_or_default]
    pub subject: Option<AttrValue>,
    /// What happens, with its numbers.
    pub children: Html,
    /// Fields that belong to the action, above the reason.
    #[prop_or_default]
    pub form: Html,
    /// Why it cannot be confirmed, whatever the reason: a field above is wrong.
    #[prop_or_default]
    pub blocked: Option<AttrValue>,
    /// The scope the action is under; it says whether reason and ticket are demanded.
    pub scope: Scope,
    /// The words on the confirming button: "Cancel run".
    pub verb: AttrValue,
    /// The words on the other one: "Keep running".
    #[prop_or(AttrValue::Static("Close"))]
    pub keep: AttrValue,
    /// Whether the action destroys something.
    #[prop_or_default]
    pub danger: bool,
    /// The words after `stella`, without reason and ticket.
    pub cli: Vec<AttrValue>,
    /// How wide.
    #[prop_or(DialogSize::Form)]
    pub size: DialogSize,
    /// The action is under way.
    #[prop_or_default]
    pub busy: bool,
    /// Why it was refused.
    #[prop_or_default]
    pub problem: Option<Problem>,
    /// Confirmed.
    pub on_confirm: Callback<Cause>,
    /// Left.
    pub on_close: Callback<()>,
}

/// The one dialog through which actions with a reason go.
#[component]
pub fn ReasonDialog(props: &ReasonDialogProps) -> Html {
    let reason = use_state(AttrValue::default);
    let ticket = use_state(AttrValue::default);
    let cause = cause(&reason, &ticket);
    let blocked = props.blocked.clone().or_else(|| blocked(props.scope, &cause));
    let confirm = {
        let (cause, on_confirm, can) =
            (cause.clone(), props.on_confirm.clone(), blocked.is_none() && !props.busy);
        Callback::from(move |()| {
            if can {
                on_confirm.emit(cause.clone());
            }
        })
    };
    let mut cli = props.cli.clone();
    if let Some(reason) = &cause.reason {
        cli.extend(["--reason".into(), AttrValue::from(reason.clone())]);
    }
    if let Some(ticket) = &cause.ticket {
        cli.extend(["--ticket".into(), AttrValue::from(ticket.clone())]);
    }
    let set = |state: &UseStateHandle<AttrValue>| {
        let state = state.clone();
        Callback::from(move |text: String| state.set(text.into()))
    };
    let note = |needed: bool| AttrValue::Static(if needed { "required" } else { "optional" });
    let wrong = |field: &str| {
        props
            .problem
            .as_ref()
            .and_then(|problem| problem.of_field(field))
            .map(|said| AttrValue::from(said.to_owned()))
    };
    let kind = if props.danger { ButtonKind::Danger } else { ButtonKind::Primary };
    html! {
        <Dialog title={props.title.clone()} subject={props.subject.clone()} size={props.size}
            on_close={props.on_close.clone()} on_confirm={confirm.clone()}
            footer={html! {
                <>
                    <span class="grow"></span>
                    <Button on_click={props.on_close.clone()}>{ &props.keep }</Button>
                    <Button {kind} busy={props.busy} disabled={blocked.clone()} says_why={false} on_click={confirm}>
                        { &props.verb }
                    </Button>
                </>
            }}>
            if let Some(problem) = &props.problem {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>
                    { problem.next_step() }{ " What you typed is kept." }
                </Banner>
            }
            <div class="in col gap3">
                if props.children != Html::default() { <p class="prose">{ props.children.clone() }</p> }
                { props.form.clone() }
                <div class="reason-fields">
                    <Field label="Reason" note={note(props.scope.needs_reason())} error={wrong("reason")}>
                        <Input value={(*reason).clone()} on_input={set(&reason)} max_length={REASON_MAX} placeholder="Why this is needed" />
                    </Field>
                    <Field label="Ticket" note={note(props.scope.needs_ticket())} error={wrong("ticket")}>
                        <Input value={(*ticket).clone()} on_input={set(&ticket)} max_length={TICKET_MAX} placeholder="OPS-0000" mono={true} />
                    </Field>
                </div>
                if let Some(why) = blocked { <p class="why" role="status">{ why }</p> }
                <CliTwin words={cli} />
            </div>
        </Dialog>
    }
}

/// What was typed, as the engine takes it: blanks alone are nothing.
fn cause(reason: &str, ticket: &str) -> Cause {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Cause { reason: some(reason), ticket: some(ticket) }
}

/// Why the action cannot be confirmed yet.
fn blocked(scope: Scope, cause: &Cause) -> Option<AttrValue> {
    let missing = match (
        scope.needs_reason() && cause.reason.is_none(),
        scope.needs_ticket() && cause.ticket.is_none(),
    ) {
        (true, true) => "Needs a reason and a ticket",
        (true, false) => "Needs a reason",
        (false, true) => "Needs a ticket",
        (false, false) => return None,
    };
    Some(missing.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_says_what_must_be_given() {
        let none = cause("  ", "");
        let reason = cause(" mended ", "");
        let both = cause("mended", "OPS-1");
        let text = |scope, cause: &Cause| blocked(scope, cause).map(|why| why.to_string());
        assert_eq!(text(Scope::OrchSubmit, &none), None);
        assert_eq!(text(Scope::RunsManage, &none).as_deref(), Some("Needs a reason"));
        assert_eq!(text(Scope::RunsManage, &reason), None);
        assert_eq!(text(Scope::OrchOperate, &none).as_deref(), Some("Needs a reason and a ticket"));
        assert_eq!(text(Scope::OrchOperate, &reason).as_deref(), Some("Needs a ticket"));
        assert_eq!(text(Scope::OrchOperate, &both), None);
        assert_eq!(reason.reason.as_deref(), Some("mended"));
    }
}
