//! The replay workbench: the payload that failed, to be sent as it is or changed, with the reason.

use super::payload::{Difference, Judged, judge, pretty};
use crate::api::Problem;
use crate::kit::format::{count, short_digest};
use crate::kit::{
    Banner, Button, ButtonKind, Checkbox, Checked, Field, Icon, IconSize, Input, Shape, TextArea, Tone,
    use_keys,
};
use crate::parts::{CliTwin, JobLink};
use crate::store::{use_api, use_feed, use_session, use_toasts};
use stella_contract::dead_letter::{
    DeadLetterDetail, DeadLetterEvent, FREE_REPLAYS, ReplayDeadLetter, refusal,
};
use stella_contract::job::Cause;
use stella_contract::scope::{REASON_MAX, Scope, TICKET_MAX};
use yew::prelude::*;

/// What a [`Workbench`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct WorkbenchProps {
    /// The entry with its payload.
    pub detail: DeadLetterDetail,
}

/// What was typed beside the payload.
#[derive(Debug, Clone, Default, PartialEq)]
struct Draft {
    reason: String,
    ticket: String,
    force: bool,
}

impl Draft {
    fn cause(&self) -> Cause {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Cause { reason: some(&self.reason), ticket: some(&self.ticket) }
    }

    /// Why it cannot be sent yet.
    fn blocked(&self, judged: &Judged, replays: i32) -> Option<&'static str> {
        let cause = self.cause();
        match (judged.blocked(), cause.reason.is_some(), cause.ticket.is_some()) {
            (Some(why), _, _) => Some(why),
            (None, _, _) if replays >= FREE_REPLAYS && !self.force => {
                Some("It was replayed five times; tick that it shall be done all the same")
            }
            (None, false, false) => Some("Replay needs a reason and a ticket"),
            (None, false, true) => Some("Replay needs a reason"),
            (None, true, false) => Some("Replay needs a ticket"),
            (None, true, true) => None,
        }
    }
}

/// The editor, the differences, reason and ticket, one verb.
#[component]
pub(super) fn Workbench(props: &WorkbenchProps) -> Html {
    let (api, toasts, feed, session) = (use_api(), use_toasts(), use_feed(), use_session());
    let entry = &props.detail.entry;
    let text = use_state(|| pretty(&props.detail.payload));
    let draft = use_state(Draft::default);
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let judged =
        use_memo((props.detail.payload.clone(), (*text).clone()), |(original, text)| judge(original, text));
    let off = session
        .refusal(Scope::OrchOperate)
        .or_else(|| refusal(entry.state, DeadLetterEvent::Replay).map(str::to_owned))
        .or_else(|| draft.blocked(&judged, entry.replay_count).map(str::to_owned))
        .map(AttrValue::from);
    let edited = judged.payload().is_some();
    let confirm = {
        let (can, busy, problem, id) = (off.is_none(), busy.clone(), problem.clone(), entry.entry_id.clone());
        let wish = ReplayDeadLetter { payload: judged.payload(), force: draft.force };
        let (cause, draft) = (draft.cause(), draft.setter());
        Callback::from(move |()| {
            if !can || *busy {
                return;
            }
            let (api, toasts, feed, id, wish, cause) =
                (api.clone(), toasts.clone(), feed.clone(), id.clone(), wish.clone(), cause.clone());
            let (busy, problem, draft) = (busy.clone(), problem.clone(), draft.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.replay_dead_letter(&id, &wish, &cause).await {
                    Ok(started) => {
                        toasts.done(
                            "Replay started",
                            html! { <>{ "Job " }<JobLink id={started.job.job_id} /></> },
                        );
                        problem.set(None);
                        draft.set(Draft::default());
                        feed.refresh();
                    }
                    Err(refused) => problem.set(Some(refused)),
                }
                busy.set(false);
            });
        })
    };
    {
        // R begins with what is missing.
        use_keys(move |key| {
            let used = key.name == "r" && !key.ctrl;
            if used {
                focus_reason();
            }
            used
        });
    }
    let on_text = {
        let text = text.clone();
        Callback::from(move |typed: String| text.set(typed))
    };
    let set = |change: fn(&mut Draft, String)| {
        let draft = draft.clone();
        Callback::from(move |typed: String| {
            let mut next = (*draft).clone();
            change(&mut next, typed);
            draft.set(next);
        })
    };
    let on_force = {
        let draft = draft.clone();
        Callback::from(move |force: bool| draft.set(Draft { force, ..(*draft).clone() }))
    };
    let rewrite = |make: fn(&str, &serde_json::Value) -> String| {
        let (text, original) = (text.clone(), props.detail.payload.clone());
        Callback::from(move |()| text.set(make(&text, &original)))
    };
    let wrong = |field: &str| {
        problem
            .as_ref()
            .and_then(|problem| problem.of_field(field))
            .map(|said| AttrValue::from(said.to_owned()))
    };
    let verb = if edited { "Replay with this payload" } else { "Replay" };
    html! {
        <section class="sec workbench" aria-label="Replay">
            <div class="sec-h"><h2>{ "Replay" }</h2>
                <span class="note">{ "payload " }<span class="mono" title={entry.payload_digest.clone()}>{ short_digest(&entry.payload_digest) }</span>{ ", secrets redacted" }</span>
                <span class="grow"></span>
                <Button small={true} disabled={(!edited && *judged == Judged::Same).then(|| AttrValue::from("As it was"))} says_why={false}
                    on_click={rewrite(|_, original| pretty(original))}>{ "Original" }</Button>
                <Button small={true} on_click={rewrite(|text, _| serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| pretty(&value)))}>{ "Format" }</Button>
            </div>
            if let Some(problem) = &*problem {
                <Banner tone={Tone::Bad} fact={format!("Not replayed: {} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
            }
            <Field label="Payload" error={wrong("payload")}>
                <TextArea value={(*text).clone()} on_input={on_text} rows={lines(&text)} mono={true} />
            </Field>
            { verdict(&judged) }
            <div class="reason-fields">
                <Field label="Reason" note={format!("{} of {REASON_MAX}", draft.reason.chars().count())} error={wrong("reason")}>
                    <Input value={draft.reason.clone()} on_input={set(|draft, text| draft.reason = text)} max_length={REASON_MAX} placeholder="Why it will go well now" /></Field>
                <Field label="Ticket" note="required" error={wrong("ticket")}>
                    <Input value={draft.ticket.clone()} on_input={set(|draft, text| draft.ticket = text)} max_length={TICKET_MAX} mono={true} placeholder="OPS-0000" /></Field>
            </div>
            if entry.replay_count >= FREE_REPLAYS {
                <Checkbox checked={Checked::from(draft.force)} on_toggle={on_force}>{ "Replay it though it was replayed five times" }</Checkbox>
            }
            <CliTwin words={words(props, edited, &draft)} />
            <div class="row wrap">
                <Button kind={ButtonKind::Primary} busy={*busy} disabled={off.clone()} on_click={confirm}>{ verb }</Button>
                if off.is_none() { <span class="f3 sm">{ "A new job with attempt 0 and priority 75 or more; this entry keeps the original." }</span> }
            </div>
        </section>
    }
}

/// Enough lines to see all of a short payload.
fn lines(text: &str) -> u32 {
    (text.lines().count() as u32 + 1).clamp(5, 18)
}

fn focus_reason() {
    let document = web_sys::window().and_then(|window| window.document());
    let found =
        document.and_then(|page| page.query_selector(".workbench .reason-fields input").ok().flatten());
    if let Some(element) =
        found.and_then(|element| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(element).ok())
    {
        // A field that is gone takes no focus.
        let _ = element.focus();
    }
}

fn words(props: &WorkbenchProps, edited: bool, draft: &Draft) -> Vec<AttrValue> {
    let id = props.detail.entry.entry_id.to_string();
    let mut words: Vec<String> = vec!["orch".into(), "deadletter".into(), "replay".into(), id];
    if edited {
        words.extend(["--payload".into(), "payload.json".into()]);
    }
    if draft.force {
        words.push("--force".into());
    }
    let cause = draft.cause();
    for (option, value) in [("--reason", cause.reason), ("--ticket", cause.ticket)] {
        words.extend(value.map(|value| [option.to_owned(), value]).into_iter().flatten());
    }
    words.into_iter().map(AttrValue::from).collect()
}

/// Whether it can be sent, and what differs.
fn verdict(judged: &Judged) -> Html {
    let line = |shape: Shape, tone: Tone, words: String| {
        html! { <p class={classes!("sm", "row", "gap1", tone.class())} role="status"><Icon {shape} size={IconSize::Small} />{ words }</p> }
    };
    match judged {
        Judged::Broken(why) => line(Shape::OctagonCross, Tone::Bad, format!("Not JSON. {why}")),
        Judged::NoObject => line(Shape::OctagonCross, Tone::Bad, "A payload is a JSON object.".to_owned()),
        Judged::Same => {
            line(Shape::DiscCheck, Tone::Ok, "The payload that failed, sent as it is stored.".to_owned())
        }
        Judged::Other { differences, hidden, .. } => html! {
            <div class="col gap1">
                { if *hidden { line(Shape::Triangle, Tone::Warn, "It holds [redacted]: the secrets are not shown here and have to be filled in.".to_owned()) }
                  else { line(Shape::DiscCheck, Tone::Ok, format!("JSON. {} from the original; they are kept in the audit record.", differs(differences))) } }
                <table class="tbl diff" aria-label="Differences">
                    <thead><tr><th scope="col">{ "Where" }</th><th scope="col">{ "Was" }</th><th scope="col">{ "Is" }</th></tr></thead>
                    <tbody>{ for differences.iter().map(|one| html! {
                        <tr key={one.path.clone()}>
                            <td class="mono" title={one.path.clone()}>{ &one.path }</td>
                            <td class="mono k-bad">{ one.was.as_ref().map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |was| html! { <span title={was.clone()}>{ "− " }{ was }</span> }) }</td>
                            <td class="mono k-ok">{ one.is.as_ref().map_or_else(|| html! { <span class="f3">{ "none" }</span> }, |is| html! { <span title={is.clone()}>{ "+ " }{ is }</span> }) }</td>
                        </tr>
                    }) }</tbody>
                </table>
            </div>
        },
    }
}

fn differs(differences: &[Difference]) -> String {
    match differences.len() {
        1 => "1 value differs".to_owned(),
        many => format!("{} values differ", count(many as i64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sixth_replay_is_only_sent_when_it_is_meant() {
        let judged = judge(&json!({}), "{}");
        let full = Draft { reason: "mended".into(), ticket: "OPS-1".into(), force: false };
        assert_eq!(full.blocked(&judged, 4), None);
        assert!(full.blocked(&judged, 5).is_some());
        assert_eq!(Draft { force: true, ..full }.blocked(&judged, 5), None);
        assert_eq!(Draft::default().blocked(&judged, 0), Some("Replay needs a reason and a ticket"));
        assert_eq!(Draft::default().blocked(&judge(&json!({}), "{"), 0), Some("The payload is not JSON"));
    }
}
