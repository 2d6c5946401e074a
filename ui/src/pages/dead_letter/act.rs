//! What an operator does to one entry beside repeating it: look after it, close it, open it again.

use crate::kit::{Field, Input, Select, TextArea};
use crate::pages::change_sets::resolutions;
use crate::pages::sources::moment;
use crate::parts::{ActDialog, Deed};
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, DeadLetter, NOTE_MAX, OWNER_MAX, ResolutionCode, ResolveDeadLetter,
};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What an [`EntryActDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct EntryActProps {
    /// The entry.
    pub entry: DeadLetter,
    /// Left, or done.
    pub on_close: Callback<()>,
}

fn words(all: &[&str]) -> Vec<AttrValue> {
    all.iter().map(|word| AttrValue::from((*word).to_owned())).collect()
}

fn typed(state: &UseStateHandle<String>) -> Callback<String> {
    let state = state.clone();
    Callback::from(move |text: String| state.set(text))
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Somebody looks after it: who, what is known, by when.
#[component]
pub(super) fn AcknowledgeDialog(props: &EntryActProps) -> Html {
    let owner = use_state(|| props.entry.owner.clone().unwrap_or_default());
    let note = use_state(|| props.entry.note.clone().unwrap_or_default());
    let due = use_state(|| props.entry.due_at.map(crate::pages::sources::written).unwrap_or_default());
    let id = props.entry.entry_id.clone();
    let wish = AcknowledgeDeadLetter { owner: some(&owner), note: some(&note), due_at: moment(&due) };
    let blocked = (some(&due).is_some() && wish.due_at.is_none())
        .then_some("Write a day or a time, as 2026-11-30 or 2026-11-30T14:00Z");
    let mut cli = words(&["orch", "deadletter", "acknowledge", id.as_str()]);
    for (option, value) in [("--owner", &wish.owner), ("--note", &wish.note)] {
        if let Some(value) = value {
            cli.extend(words(&[option, value]));
        }
    }
    if let Some(at) = wish.due_at {
        cli.extend(words(&["--due", &at.to_string()]));
    }
    let deed = Deed::new(move |api, cause| {
        let (id, wish) = (id.clone(), wish.clone());
        async move { api.acknowledge_dead_letter(&id, &wish, &cause).await.map(|_| "Entry acknowledged".into()) }
    });
    html! {
        <ActDialog title="Acknowledge entry" subject={crate::kit::format::short_id(props.entry.entry_id.as_str())} scope={Scope::OrchOperate} verb="Acknowledge"
            {cli} {deed} on_close={props.on_close.clone()} blocked={blocked.map(AttrValue::from)}
            form={html! { <>
                <div class="form-2">
                    <Field label="Owner" note="you, when empty"><Input value={(*owner).clone()} on_input={typed(&owner)} max_length={OWNER_MAX} /></Field>
                    <Field label="Due" note="optional, UTC"><Input value={(*due).clone()} on_input={typed(&due)} mono={true} placeholder="2026-11-30" /></Field>
                </div>
                <Field label="What is known so far" note={format!("{} of {NOTE_MAX}", note.chars().count())}><TextArea value={(*note).clone()} on_input={typed(&note)} rows={3} /></Field>
            </> }}>{ "It stays open; others see who looks after it." }</ActDialog>
    }
}

/// Closes it with a code and a note.
#[component]
pub(super) fn ResolveDialog(props: &EntryActProps) -> Html {
    let code = use_state_eq(|| ResolutionCode::FixedUpstream);
    let note = use_state(|| props.entry.note.clone().unwrap_or_default());
    let id = props.entry.entry_id.clone();
    let blocked = match note.trim().chars().count() {
        0 => Some("Resolve needs a note"),
        long if long > NOTE_MAX => Some("The note is too long"),
        _ => None,
    };
    let wish = ResolveDeadLetter { resolution: *code, note: note.trim().to_owned() };
    let cli = words(&[
        "orch",
        "deadletter",
        "resolve",
        id.as_str(),
        "--code",
        code.as_str(),
        "--note",
        note.trim(),
    ]);
    let deed = Deed::new(move |api, cause| {
        let (id, wish) = (id.clone(), wish.clone());
        async move { api.resolve_dead_letter(&id, &wish, &cause).await.map(|_| "Entry resolved".into()) }
    });
    let on_code = {
        let code = code.clone();
        Callback::from(move |word: String| code.set(word.parse().unwrap_or(ResolutionCode::Other)))
    };
    html! {
        <ActDialog title="Resolve entry" subject={crate::kit::format::short_id(props.entry.entry_id.as_str())} scope={Scope::OrchOperate} verb="Resolve"
            {cli} {deed} on_close={props.on_close.clone()} blocked={blocked.map(AttrValue::from)}
            form={html! { <>
                <Field label="Resolution"><Select value={code.as_str()} options={resolutions()} on_change={on_code} /></Field>
                <Field label="Note" note={format!("{} of {NOTE_MAX}", note.chars().count())}><TextArea value={(*note).clone()} on_input={typed(&note)} rows={3} placeholder="What was done, for whoever looks next" /></Field>
            </> }}>{ "It is closed without being repeated and kept for 90 days. It can be reopened." }</ActDialog>
    }
}

/// Opens a closed one again.
#[component]
pub(super) fn ReopenDialog(props: &EntryActProps) -> Html {
    let id = props.entry.entry_id.clone();
    let cli = words(&["orch", "deadletter", "reopen", id.as_str()]);
    let deed = Deed::new(move |api, cause| {
        let id = id.clone();
        async move { api.reopen_dead_letter(&id, &cause).await.map(|_| "Entry reopened".into()) }
    });
    html! {
        <ActDialog title="Reopen entry" subject={crate::kit::format::short_id(props.entry.entry_id.as_str())} scope={Scope::OrchOperate} verb="Reopen"
            {cli} {deed} on_close={props.on_close.clone()}>{ "It is open again, with its resolution kept in its history." }</ActDialog>
    }
}
