//! The wizard: which range, how, why; then what it would do; only then it starts. What was typed stays after a refusal.

use super::draft::{Draft, Said, WINDOWS, Wish, Wizard, update};
use super::map::written;
use crate::clock::use_now;
use crate::kit::format::{count, counted, duration};
use crate::kit::{Banner, Button, ButtonKind, Countdown, Dialog, DialogSize, Field, Input, Select, Tone};
use crate::parts::CliTwin;
use crate::store::{use_api, use_feed, use_program, use_toasts};
use std::fmt::Display;
use std::str::FromStr;
use stella_contract::backfill::{
    Backfill, BackfillOrder, BackfillPreview, OverlapPolicy, Reprocess, StartBackfill,
};
use stella_contract::job::Cause;
use stella_contract::scope::{REASON_MAX, TICKET_MAX};
use stella_contract::source::Source;
use stella_contract::watermark::Window;
use yew::prelude::*;

/// What a [`BackfillDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct BackfillDialogProps {
    /// The source.
    pub source: Source,
    /// The range it begins with.
    pub range: Option<Window>,
    /// Told what was started.
    pub on_started: Callback<Backfill>,
    /// Left.
    pub on_close: Callback<()>,
}

/// The wizard.
#[component]
pub(super) fn BackfillDialog(props: &BackfillDialogProps) -> Html {
    let (api, toasts, feed, now) = (use_api(), use_toasts(), use_feed(), use_now());
    let (model, send) = {
        let (source, range) = (props.source.source_id.clone(), props.range);
        let (started, close) = (props.on_started.clone(), props.on_close.clone());
        use_program(
            move || Wizard::new(source, range),
            update,
            move |wish, send: Callback<Said>| {
                let (api, toasts, feed) = (api.clone(), toasts.clone(), feed.clone());
                let (started, close) = (started.clone(), close.clone());
                wasm_bindgen_futures::spawn_local(async move {
                    match wish {
                        Wish::Preview { request, cause, known, old } => {
                            let id = match known {
                                Some(id) => Ok(id),
                                None => {
                                    api.create_backfill(&request, &cause).await.map(|made| made.backfill_id)
                                }
                            };
                            let answer = match id {
                                Ok(id) => api.preview_backfill(&id, &cause).await,
                                Err(problem) => Err(problem),
                            };
                            if let (Some(old), true) = (old, answer.is_ok()) {
                                // The draft before is only in the way; one that is gone already is as good as cancelled.
                                let cause = Cause { reason: Some("asked for anew".into()), ..cause };
                                let _ =
                                    api.steer_backfill(&old, crate::api::BackfillVerb::Cancel, &cause).await;
                            }
                            send.emit(Said::Previewed(request, Box::new(answer)));
                        }
                        Wish::Start { id, digest, cause } => {
                            let wish = StartBackfill { preview_digest: digest };
                            send.emit(Said::Started(Box::new(api.start_backfill(&id, &wish, &cause).await)));
                        }
                        Wish::Tell(backfill) => {
                            let said = counted(backfill.planned, "window", "windows");
                            toasts.done(
                                "Backfill started",
                                html! { { format!("{said} of {}", backfill.source_name) } },
                            );
                            feed.refresh();
                            started.emit(*backfill);
                            close.emit(());
                        }
                    }
                });
            },
        )
    };
    let blocked = model.draft.blocked(&model.source).map(AttrValue::from);
    let start_blocked = model.start_blocked(now).map(AttrValue::from);
    let preview = send.reform(|()| Said::Preview);
    let start = send.reform(|()| Said::Start);
    let is_seen = start_blocked.is_none();
    let confirm = if is_seen { start.clone() } else { preview.clone() };
    let wrong = |field: &str| {
        let own = model
            .draft
            .request(&model.source)
            .err()
            .filter(|(at, _)| *at == field && !model.draft.to.is_empty());
        own.map(|(_, why)| AttrValue::from(why))
            .or_else(|| Some(AttrValue::from(model.problem.as_ref()?.of_field(field)?.to_owned())))
    };
    let edit = Edit { draft: model.draft.clone(), send: send.clone() };
    let why = if model.current().is_none() { blocked.clone() } else { start_blocked.clone() };
    html! {
        <Dialog title="Backfill" subject={props.source.name.clone()} size={DialogSize::Wide} on_close={props.on_close.clone()} on_confirm={confirm}
            footer={html! { <>
                if let Some(why) = why { <span class="why" role="status">{ why }</span> }
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button kind={if is_seen { ButtonKind::Secondary } else { ButtonKind::Primary }} busy={model.busy && !is_seen}
                    disabled={blocked} says_why={false} on_click={preview}>{ "Preview" }</Button>
                <Button kind={if is_seen { ButtonKind::Primary } else { ButtonKind::Secondary }} busy={model.busy && is_seen}
                    disabled={start_blocked} says_why={false} on_click={start}>{ model.verb() }</Button>
            </> }}>
            if let Some(problem) = &model.problem {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
            }
            <div class="in col gap3">
                <div class="form-2">
                    <Field label="From" error={wrong("from")} hint="UTC; a day or a time">
                        <Input value={model.draft.from.clone()} on_input={edit.text(|draft, text| draft.from = text)} mono={true} placeholder="2026-11-01" /></Field>
                    <Field label="To" error={wrong("to")} hint="not included">
                        <Input value={model.draft.to.clone()} on_input={edit.text(|draft, text| draft.to = text)} mono={true} placeholder="2026-11-04" /></Field>
                </div>
                <div class="form-3">
                    <Field label="Window" error={wrong("window")}>
                        <Select value={model.draft.window_s.to_string()} options={WINDOWS.iter().map(|(s, word)| (s.to_string().into(), (*word).into())).collect::<Vec<_>>()}
                            on_change={edit.text(|draft, text| draft.window_s = text.parse().unwrap_or(draft.window_s))} /></Field>
                    <Field label="Order"><Select value={model.draft.order.as_str()} options={words(BackfillOrder::ALL)} on_change={edit.word(|draft, word| draft.order = word)} /></Field>
                    <Field label="Read again" hint="besides what never was"><Select value={model.draft.reprocess.as_str()} options={words(Reprocess::ALL)} on_change={edit.word(|draft, word| draft.reprocess = word)} /></Field>
                    <Field label="At once" note="1 to 16" error={wrong("max_active")}>
                        <Input value={model.draft.max_active.clone()} on_input={edit.text(|draft, text| draft.max_active = text)} kind="number" /></Field>
                    <Field label="Share of the rate" note="percent" error={wrong("share")}>
                        <Input value={model.draft.share.clone()} on_input={edit.text(|draft, text| draft.share = text)} kind="number" /></Field>
                    <Field label="Live reading due"><Select value={model.draft.overlap.as_str()} options={words(OverlapPolicy::ALL)} on_change={edit.word(|draft, word| draft.overlap = word)} /></Field>
                </div>
                <div class="reason-fields">
                    <Field label="Reason" note="required" error={wrong("reason")}>
                        <Input value={model.draft.reason.clone()} on_input={edit.text(|draft, text| draft.reason = text)} max_length={REASON_MAX} placeholder="Why this range is read again" /></Field>
                    <Field label="Ticket" note="required" error={wrong("ticket")}>
                        <Input value={model.draft.ticket.clone()} on_input={edit.text(|draft, text| draft.ticket = text)} max_length={TICKET_MAX} placeholder="OPS-0000" mono={true} /></Field>
                </div>
            </div>
            <div class="in col gap3" aria-live="polite">
                { match model.current().and_then(|backfill| backfill.preview.as_ref()) {
                    Some(preview) => seen(preview),
                    None if model.seen.is_some() => html! { <p class="f3 sm">{ "The request changed since the last preview. Preview it again." }</p> },
                    None => html! { <p class="f3 sm">{ "The preview lists the windows, the requests they need and what stands in their way. Nothing is read by looking." }</p> },
                } }
                <CliTwin words={model.draft.command(&model.source).into_iter().map(AttrValue::from).collect::<Vec<_>>()} />
            </div>
        </Dialog>
    }
}

/// Changes one thing of what was typed.
struct Edit {
    draft: Draft,
    send: Callback<Said>,
}

impl Edit {
    fn text(&self, change: fn(&mut Draft, String)) -> Callback<String> {
        let (draft, send) = (self.draft.clone(), self.send.clone());
        Callback::from(move |text| {
            let mut next = draft.clone();
            change(&mut next, text);
            send.emit(Said::Edit(Box::new(next)));
        })
    }
    fn word<W: FromStr + 'static>(&self, change: fn(&mut Draft, W)) -> Callback<String> {
        let (draft, send) = (self.draft.clone(), self.send.clone());
        Callback::from(move |text: String| {
            let mut next = draft.clone();
            if let Ok(word) = text.parse() {
                change(&mut next, word);
            }
            send.emit(Said::Edit(Box::new(next)));
        })
    }
}

/// The words of a closed set as options.
fn words<W: Display>(all: &[W]) -> Vec<(AttrValue, AttrValue)> {
    all.iter()
        .map(|word| (AttrValue::from(word.to_string()), AttrValue::from(word.to_string().replace('_', " "))))
        .collect()
}

/// What it would do.
pub(super) fn seen(preview: &BackfillPreview) -> Html {
    let figure = |label: &'static str, value: String, below: String| {
        html! { <div class="fig"><div class="l">{ label }</div><div class="v">{ value }</div><div class="s">{ below }</div></div> }
    };
    let left = preview.already_done + preview.left_failed;
    let hidden = preview.window_count - preview.windows.len() as i64;
    html! {
        <>
            { for preview.collisions.iter().map(|one| html! {
                <Banner key={one.message.clone()} tone={Tone::Bad} fact={one.message.clone()}>{ format!("({})", one.code.as_str()) }</Banner>
            }) }
            <div class="figs">
                { figure("Will run", count(preview.will_run), format!("of {}", counted(preview.window_count, "window", "windows"))) }
                { figure("Left out", count(left), format!("{} read, {} failed before", count(preview.already_done), count(preview.left_failed))) }
                { figure("Requests", count(preview.estimated_requests), "about".to_owned()) }
                { figure("Duration", duration(preview.estimated_duration_s * 1_000), "at the rate of now".to_owned()) }
            </div>
            if preview.retention_hits > 0 {
                <Banner tone={Tone::Warn} fact={format!("{} before what the source keeps.", counted(preview.retention_hits, "window begins", "windows begin"))}>{ "Begin later, or let the source keep more days." }</Banner>
            }
            <div class="preview-windows" tabindex="0" role="group" aria-label="Windows">
                <table class="tbl">
                    <thead><tr><th scope="col">{ "Window" }</th><th scope="col">{ "Before" }</th><th scope="col">{ "Now" }</th></tr></thead>
                    <tbody>{ for preview.windows.iter().map(|one| html! {
                        <tr key={one.start.0}>
                            <td class="mono">{ format!("{} to {}", written(one.start), written(one.end)) }</td>
                            <td class="f2">{ match (one.done_before, one.failed_before) { (true, _) => "read", (false, true) => "failed", (false, false) => "never" } }</td>
                            <td class={if one.will_run { "" } else { "f3" }}>{ if one.will_run { "runs" } else { "left out" } }</td>
                        </tr>
                    }) }</tbody>
                </table>
            </div>
            <div class="row f3 sm">
                if hidden > 0 { <span>{ format!("{} more windows.", count(hidden)) }</span> }
                <span class="grow"></span><span>{ "Valid for " }<Countdown until={preview.valid_until} over="no longer, preview again" /></span>
            </div>
        </>
    }
}
