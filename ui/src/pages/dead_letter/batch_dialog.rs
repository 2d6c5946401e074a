//! The dialog of a batch: what it meets, what is left out and why, reason and ticket, one verb with the number, and
//! what became of each entry.

use super::act::resolutions;
use super::batch::{Batch, BatchVerb, Picked, Said, Stage, Wish, update};
use crate::clock;
use crate::kit::format::{clock as time_of, count, counted, duration};
use crate::kit::{
    Banner, Button, ButtonKind, Checkbox, Checked, Dialog, DialogSize, Field, Icon, IconSize, Input, Meter,
    Select, Shape, Skeleton, Tag, TextArea, Tone, save_file,
};
use crate::parts::{CliTwin, JobLink, SourceLink, SourceNames, mark, use_source_names};
use crate::store::{use_api, use_feed, use_program, use_toasts};
use std::collections::BTreeMap;
use stella_contract::dead_letter::{
    BATCH_MAX, DeadLetterBatch, DeadLetterPreview, NOTE_MAX, REPLAYS_PER_SECOND, ResolutionCode,
};
use stella_contract::job::REPLAY_PRIORITY;
use stella_contract::scope::{REASON_MAX, TICKET_MAX};
use yew::prelude::*;

/// What a [`BatchDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct BatchDialogProps {
    /// What is done.
    pub verb: BatchVerb,
    /// To which.
    pub picked: Picked,
    /// Told that something was done.
    pub on_done: Callback<()>,
    /// Left.
    pub on_close: Callback<()>,
}

/// The dialog.
#[component]
pub(super) fn BatchDialog(props: &BatchDialogProps) -> Html {
    let (api, toasts, feed) = (use_api(), use_toasts(), use_feed());
    let names = use_source_names();
    let (model, send) = {
        let (verb, picked, done) = (props.verb, props.picked.clone(), props.on_done.clone());
        use_program(
            move || Batch::new(verb, picked),
            update,
            move |wish, send: Callback<Said>| {
                let (api, toasts, feed, done) = (api.clone(), toasts.clone(), feed.clone(), done.clone());
                wasm_bindgen_futures::spawn_local(async move {
                    let answer = match wish {
                        Wish::Look(selection) => {
                            let answer = api.preview_dead_letters(&selection).await;
                            send.emit(Said::Looked(Box::new(answer), clock::now()));
                            return;
                        }
                        Wish::Replay(wish, cause) => api.replay_dead_letters(&wish, &cause).await,
                        Wish::Resolve(wish, cause) => api.resolve_dead_letters(&wish, &cause).await,
                    };
                    if let Ok(batch) = &answer {
                        let fact =
                            format!("{} {}", counted(batch.done as i64, "entry", "entries"), past(verb));
                        toasts.done(fact, html! { { left(batch) } });
                        feed.refresh();
                        done.emit(());
                    }
                    send.emit(Said::Ran(Box::new(answer)));
                });
            },
        )
    };
    {
        let send = send.clone();
        use_effect_with((), move |()| send.emit(Said::Look));
    }
    let done = matches!(model.stage, Stage::Done(_));
    let blocked = model.blocked().map(AttrValue::from).filter(|_| !done);
    let confirm = send.reform(|()| Said::Confirm);
    let title = match model.preview() {
        Some(preview) => {
            format!("{} {}", verb_of(model.verb), counted(preview.count as i64, "entry", "entries"))
        }
        None => format!("{} entries", verb_of(model.verb)),
    };
    let as_of = match &model.stage {
        Stage::Seen(_, at) | Stage::Running(_, at) => format!("selection as of {}", time_of(*at)),
        Stage::Looking | Stage::Unseen(_) | Stage::Done(_) => String::new(),
    };
    let unseen = matches!(model.stage, Stage::Unseen(_));
    html! {
        <Dialog {title} size={DialogSize::Wide} subject={as_of} on_close={props.on_close.clone()} on_confirm={confirm.clone()}
            footer={html! { <>
                if let Some(why) = &blocked { <span class="why" role="status">{ why }</span> }
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ if done { "Done" } else { "Cancel" } }</Button>
                if unseen { <Button kind={ButtonKind::Primary} on_click={send.reform(|()| Said::Look)}>{ "Run dry run again" }</Button> }
                if !done && !unseen {
                    <Button kind={ButtonKind::Primary} busy={model.is_running()} disabled={blocked} says_why={false} on_click={confirm}>{ model.words() }</Button>
                }
            </> }}>
            { for model.problem.as_ref().map(|problem| html! {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
            }) }
            { match &model.stage {
                Stage::Looking => html! { <div class="in"><Skeleton rows={4} /></div> },
                Stage::Unseen(problem) => html! {
                    <Banner tone={Tone::Bad} fact={format!("Nothing was changed. {} ({})", problem.sentence(), problem.code())}>{ "What you typed is kept." }</Banner>
                },
                Stage::Seen(preview, _) | Stage::Running(preview, _) => found(&model, preview, &names),
                Stage::Done(batch) => became(model.verb, batch),
            } }
            if !done { { form(&model, &send) } }
        </Dialog>
    }
}

const fn verb_of(verb: BatchVerb) -> &'static str {
    match verb {
        BatchVerb::Replay => "Replay",
        BatchVerb::Resolve => "Resolve",
    }
}

const fn past(verb: BatchVerb) -> &'static str {
    match verb {
        BatchVerb::Replay => "replayed",
        BatchVerb::Resolve => "resolved",
    }
}

fn left(batch: &DeadLetterBatch) -> String {
    match (batch.skipped, batch.failed) {
        (0, 0) => "None was left out.".to_owned(),
        (skipped, failed) => format!("{} skipped, {} failed.", count(skipped as i64), count(failed as i64)),
    }
}

/// What the dry run found.
fn found(model: &Batch, preview: &DeadLetterPreview, names: &SourceNames) -> Html {
    let eligible = model.eligible().unwrap_or(0);
    let left: u64 = preview.count.saturating_sub(eligible);
    let will = format!("Will {}", verb_of(model.verb).to_lowercase());
    let reasons = model.left_out();
    let first = reasons.first().map_or_else(|| "none".to_owned(), |(why, _)| words_of(why).to_owned());
    let most = preview.by_category.iter().map(|one| one.count).max().unwrap_or(1).max(1);
    html! {
        <>
            <div class="in"><div class="figs">
                <div class="fig"><div class="l">{ mark(Shape::DiscCheck, Tone::Ok, &will, false, false) }</div><div class="v">{ count(eligible as i64) }</div>
                    <div class="s">{ match model.verb { BatchVerb::Replay => format!("priority {REPLAY_PRIORITY}+, attempt 0"), BatchVerb::Resolve => "one code and note for all".to_owned() } }</div></div>
                <div class="fig"><div class="l">{ mark(Shape::Chevrons, Tone::Idle, "Skipped", false, false) }</div><div class="v">{ count(left as i64) }</div><div class="s">{ first }</div></div>
                if model.verb == BatchVerb::Replay {
                    <div class="fig"><div class="l">{ "Pace" }</div><div class="v">{ REPLAYS_PER_SECOND }<span class="f3 sm">{ " jobs/s" }</span></div>
                        <div class="s">{ format!("all queued in {}", duration((eligible as i64).saturating_sub(1).max(0) / REPLAYS_PER_SECOND * 1_000)) }</div></div>
                }
                <div class="fig"><div class="l">{ "Selected" }</div><div class="v">{ count(preview.count as i64) }</div>
                    <div class="s mono" title={preview.selection_hash.clone()}>{ format!("hash {}", preview.selection_hash.get(..8).unwrap_or_default()) }</div></div>
            </div></div>
            <div class="in batch-split">
                <table class="tbl batch-table">
                    <thead><tr><th scope="col">{ "Category" }</th><th scope="col" class="num">{ "Selected" }</th><th scope="col">{ "Usually" }</th><th scope="col">{ "Share" }</th></tr></thead>
                    <tbody>{ for preview.by_category.iter().map(|one| html! {
                        <tr key={one.category.as_str()}><td class="mono">{ one.category.as_str() }</td><td class="num">{ count(one.count as i64) }</td>
                            <td class="f3 sm">{ if one.category.is_retryable() { "retryable" } else { "not_retryable" } }</td>
                            <td><Meter share={one.count as f64 / most as f64} label={format!("{} of {}", one.count, preview.count)} tone={if one.category.is_retryable() { Tone::Ok } else { Tone::Idle }} /></td></tr>
                    }) }</tbody>
                </table>
                <div>
                    <table class="tbl batch-table">
                        <thead><tr><th scope="col">{ "Source" }</th><th scope="col" class="num">{ "Selected" }</th></tr></thead>
                        <tbody>{ for preview.by_source.iter().take(8).map(|one| html! {
                            <tr key={one.source_id.as_ref().map(ToString::to_string).unwrap_or_default()}>
                                <td>{ one.source_id.as_ref().map_or_else(|| html! { <span class="f3">{ "no source" }</span> }, |id| html! { <SourceLink id={id.clone()} names={names.clone()} /> }) }</td>
                                <td class="num">{ count(one.count as i64) }</td></tr>
                        }) }</tbody>
                    </table>
                    { for reasons.iter().map(|(why, number)| html! {
                        <p class="sm batch-left k-warn" key={why.clone()}><Icon shape={Shape::Triangle} size={IconSize::Small} /><span>{ format!("{} left out: {}", count(*number as i64), words_of(why)) }</span></p>
                    }) }
                </div>
            </div>
        </>
    }
}

/// Why one is left out, in words.
fn words_of(why: &str) -> &str {
    match why {
        "skipped:not_open" => "not open",
        "skipped:not_retryable" => "not retryable",
        "error:FORCE_REQUIRED" => "replayed five times already",
        other => other.rsplit(':').next().unwrap_or(other),
    }
}

/// What became of them.
fn became(verb: BatchVerb, batch: &DeadLetterBatch) -> Html {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for one in &batch.results {
        *counts.entry(one.outcome.as_str()).or_default() += 1;
    }
    let tone = if batch.done == 0 {
        Tone::Bad
    } else if batch.failed > 0 {
        Tone::Warn
    } else {
        Tone::Ok
    };
    let list = serde_json::to_string_pretty(&batch.results).unwrap_or_default();
    html! {
        <>
            <Banner {tone} fact={format!("{} {}.", counted(batch.done as i64, "entry", "entries"), past(verb))}>{ left(batch) }</Banner>
            <div class="in col gap3">
                <table class="tbl"><thead><tr><th scope="col">{ "Outcome" }</th><th scope="col" class="num">{ "Entries" }</th></tr></thead>
                    <tbody>{ for counts.iter().map(|(outcome, number)| html! {
                        <tr key={(*outcome).to_owned()}><td class="mono">{ *outcome }</td><td class="num">{ count(*number) }</td></tr>
                    }) }</tbody></table>
                if verb == BatchVerb::Replay {
                    <p class="row wrap sm f2">{ "Jobs: " }{ for batch.results.iter().filter_map(|one| one.job_id.clone()).take(5).map(|id| html! { <JobLink key={id.to_string()} id={id.clone()} /> }) }
                        if batch.done > 5 { <span class="f3">{ format!("and {} more", count(batch.done as i64 - 5)) }</span> }</p>
                }
                <div class="row"><Button small={true} icon={Shape::Download} on_click={Callback::from(move |()| save_file("dead-letter-results.json", &list))}>{ "Save results" }</Button></div>
            </div>
        </>
    }
}

/// What the operator says.
fn form(model: &Batch, send: &Callback<Said>) -> Html {
    let wrong = |field: &str| {
        model
            .problem
            .as_ref()
            .and_then(|problem| problem.of_field(field))
            .map(|said| AttrValue::from(said.to_owned()))
    };
    let named = match &model.picked {
        Picked::Ids(ids) if ids.len() > BATCH_MAX => {
            Some(format!("At most {BATCH_MAX} can be named one by one; select all that match instead."))
        }
        Picked::Ids(_) | Picked::All(..) => None,
    };
    let takes = model.force_takes();
    html! {
        <div class="in col gap3">
            { for named.map(|said| html! { <p class="k-warn sm">{ said }</p> }) }
            if takes > 0 {
                <Checkbox checked={Checked::from(model.force)} on_toggle={send.reform(Said::Force)}>
                    { format!("Also replay the {} that a repetition does not mend by itself", counted(takes as i64, "entry", "entries")) }</Checkbox>
            }
            if model.verb == BatchVerb::Resolve {
                <div class="reason-fields resolve-fields">
                    <Field label="Note" note={format!("{} of {NOTE_MAX}", model.note.chars().count())} error={wrong("note")}>
                        <TextArea value={model.note.clone()} rows={2} on_input={send.reform(Said::Note)} placeholder="What was done, for whoever looks next" /></Field>
                    <Field label="Resolution"><Select value={model.resolution.as_str()} options={resolutions()}
                        on_change={send.reform(|word: String| Said::Resolution(word.parse().unwrap_or(ResolutionCode::Other)))} /></Field>
                </div>
            }
            <div class="reason-fields">
                <Field label="Reason" note={format!("{} of {REASON_MAX}", model.reason.chars().count())} hint="Written to the audit record with your name." error={wrong("reason")}>
                    <Input value={model.reason.clone()} max_length={REASON_MAX} on_input={send.reform(Said::Reason)} autofocus={true} placeholder="Why it will go well now" /></Field>
                <Field label="Ticket" note="required" hint="orch:operate asks for it." error={wrong("ticket")}>
                    <Input value={model.ticket.clone()} max_length={TICKET_MAX} on_input={send.reform(Said::Ticket)} mono={true} placeholder="OPS-0000" /></Field>
            </div>
            <CliTwin words={model.command(clock::now()).into_iter().map(AttrValue::from).collect::<Vec<_>>()} />
            if matches!(model.stage, Stage::Seen(..)) { <span class="row"><Tag>{ "dry run" }</Tag><span class="f3 sm">{ "Nothing has been changed yet." }</span></span> }
        </div>
    }
}
