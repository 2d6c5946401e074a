//! The dialog of a change-set: what it meets, what is refused and why, how it is carried out, reason and ticket, one
//! verb with the number.

use super::dry_run::{DryRun, Said, Stage, Wish, update};
use super::words;
use crate::kit::format::{clock as time_of, count, duration};
use crate::kit::{
    Banner, Button, ButtonKind, Checkbox, Checked, Dialog, DialogSize, Field, Icon, IconSize, Input, Meter,
    Select, Shape, Skeleton, Tag, Tone,
};
use crate::parts::{CliTwin, mark};
use crate::router::{Link, Query};
use crate::store::{use_api, use_feed, use_program, use_toasts};
use stella_contract::change_set::{ChangeSet, ChangeVerb, Changed, ItemRefusal, Selection, ShareCount};
use stella_contract::dead_letter::{NOTE_MAX, ResolutionCode};
use stella_contract::route::Route;
use stella_contract::scope::{REASON_MAX, TICKET_MAX};
use yew::prelude::*;

/// Groups that are shown of each kind.
const SHOWN: usize = 8;

/// What a [`DryRunDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub struct DryRunDialogProps {
    /// What is done.
    pub verb: ChangeVerb,
    /// To what.
    pub selection: Selection,
    /// Told that it was started.
    #[prop_or_default]
    pub on_started: Callback<()>,
    /// Left, or started.
    pub on_close: Callback<()>,
}

/// Looks first, and then does it.
#[component]
pub fn DryRunDialog(props: &DryRunDialogProps) -> Html {
    let (api, toasts, feed) = (use_api(), use_toasts(), use_feed());
    let (model, send) = {
        let (verb, selection, started) = (props.verb, props.selection.clone(), props.on_started.clone());
        let close = props.on_close.clone();
        use_program(
            move || DryRun::new(verb, selection),
            update,
            move |wish, send: Callback<Said>| {
                let (api, toasts, feed) = (api.clone(), toasts.clone(), feed.clone());
                let (started, close) = (started.clone(), close.clone());
                wasm_bindgen_futures::spawn_local(async move {
                    let answer = match wish {
                        Wish::Look(wish) => {
                            send.emit(Said::Looked(Box::new(api.create_change_set(&wish).await)));
                            return;
                        }
                        Wish::Start(id, start, cause) => api.start_change_set(&id, &start, &cause).await,
                        Wish::LookAndStart(wish, start, cause) => match api.create_change_set(&wish).await {
                            Ok(set) if set.selection_hash == start.selection_hash => {
                                api.start_change_set(&set.change_set_id, &start, &cause).await
                            }
                            // Other items than those that were seen: they are shown before anything is done.
                            seen => {
                                send.emit(Said::Looked(Box::new(seen)));
                                return;
                            }
                        },
                    };
                    if let Ok(set) = &answer {
                        let to = Route::ChangeSet(set.change_set_id.clone());
                        let fact = format!("Started: {}.", words::title(set).to_lowercase());
                        toasts.done(fact, html! { <Link {to} class="link">{ "See how far it is" }</Link> });
                        feed.refresh();
                        started.emit(());
                        close.emit(());
                    }
                    send.emit(Said::Started(Box::new(answer)));
                });
            },
        )
    };
    {
        let send = send.clone();
        use_effect_with((), move |()| send.emit(Said::Look));
    }
    let blocked = model.blocked().map(AttrValue::from);
    let confirm = send.reform(|()| Said::Confirm(Changed::Refuse));
    let verb = words::verb(model.verb);
    let title = match model.seen() {
        Some(set) => format!("{verb} {}", words::items(model.verb, set.dry_run.selected)),
        None if model.verb.is_about_jobs() => format!("{verb} jobs"),
        None => format!("{verb} entries"),
    };
    let subject = model.seen().map(|set| format!("selection as of {}", time_of(set.created_at)));
    let again = matches!(model.stage, Stage::Unseen(_)) || model.is_selection_changed();
    let kind = if model.verb == ChangeVerb::Cancel { ButtonKind::Danger } else { ButtonKind::Primary };
    html! {
        <Dialog {title} size={DialogSize::Wide} subject={subject} on_close={props.on_close.clone()} on_confirm={confirm.clone()}
            footer={html! { <>
                if let Some(why) = &blocked { <span class="why" role="status">{ why }</span> }
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                if again { <Button on_click={send.reform(|()| Said::Look)}>{ "Run dry run again" }</Button> }
                if model.is_selection_changed() {
                    <Button {kind} disabled={blocked.clone()} says_why={false} on_click={send.reform(|()| Said::Confirm(Changed::Skip))}>{ format!("{verb} without them") }</Button>
                } else {
                    <Button {kind} busy={matches!(model.stage, Stage::Starting(_))} disabled={blocked.clone()} says_why={false} on_click={confirm}>{ model.words() }</Button>
                }
            </> }}>
            { for model.problem.as_ref().map(|problem| html! {
                <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }{ " What you typed is kept." }</Banner>
            }) }
            { match &model.stage {
                Stage::Looking => html! { <div class="in"><Skeleton rows={4} /></div> },
                Stage::Unseen(problem) => html! {
                    <Banner tone={Tone::Bad} fact={format!("Nothing was changed. {} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }</Banner>
                },
                Stage::Seen(set) | Stage::Starting(set) | Stage::Started(set) => found(set),
            } }
            { form(&model, &send) }
        </Dialog>
    }
}

/// What the dry run found; the page of a change-set shows the same.
pub(super) fn found(set: &ChangeSet) -> Html {
    let run = &set.dry_run;
    let refused = run.selected - run.eligible;
    let first = run.refusals.first().map_or("none", |refusal| refusal.code.as_str());
    let will = format!("Will {}", words::verb(set.verb).to_lowercase());
    let pace = set.options.pace_per_s.or(set.verb.usual_pace_per_s());
    let said = match set.verb {
        ChangeVerb::Cancel => "running: asked first".to_owned(),
        ChangeVerb::Retry => "as new jobs, at their priority".to_owned(),
        ChangeVerb::Replay | ChangeVerb::DeadLetterReplay => "as new jobs, priority 75 or more".to_owned(),
        ChangeVerb::Prioritize => format!("to priority {}", set.parameters.priority.unwrap_or_default()),
        ChangeVerb::DeadLetterResolve => "one code and note for all".to_owned(),
    };
    let by =
        if run.by_category.is_empty() { ("State", &run.by_state) } else { ("Category", &run.by_category) };
    html! {
        <>
            <div class="in"><div class="figs">
                <div class="fig"><div class="l">{ mark(Shape::DiscCheck, Tone::Ok, &will, false, false) }</div><div class="v">{ count(run.eligible) }</div><div class="s">{ said }</div></div>
                <div class="fig"><div class="l">{ mark(Shape::Chevrons, Tone::Idle, "Refused", false, false) }</div><div class="v">{ count(refused) }</div><div class="s mono">{ first }</div></div>
                <div class="fig"><div class="l">{ "Pace" }</div>
                    <div class="v">{ pace.map_or_else(|| html! { "no limit" }, |pace| html! { <>{ pace }<span class="f3 sm">{ " per s" }</span></> }) }</div>
                    <div class="s">{ run.duration_s.map_or_else(|| "as fast as it goes".to_owned(), |seconds| format!("all reached in {}", duration(seconds * 1_000))) }</div></div>
                <div class="fig"><div class="l">{ "Selected" }</div><div class="v">{ count(run.selected) }</div>
                    <div class="s mono" title={set.selection_hash.clone()}>{ format!("hash {}", set.selection_hash.get(7..15).unwrap_or_default()) }</div></div>
            </div></div>
            <div class="in batch-split">
                { shares(by.0, by.1, run.selected, Shares::Wide) }
                <div>
                    { shares("Type", &run.by_type, run.selected, Shares::Narrow) }
                    { for run.refusals.iter().map(|refusal| html! {
                        <p class="sm batch-left k-warn" key={refusal.code.as_str()}><Icon shape={Shape::Triangle} size={IconSize::Small} />
                            <span>{ format!("{} refused: {}", count(refusal.count), refusal.reason) }</span></p>
                    }) }
                    { for run.impact.iter().take(SHOWN).map(|one| {
                        let waiting = Query::default().with("filter", format!("state:pending,queued type:{}", one.job_type));
                        html! {
                            <p class="sm f2" key={one.job_type.clone()}><span class="mono">{ &one.job_type }</span>{ format!(": adds {} to ", count(one.added)) }
                                <Link to={Route::Jobs} query={waiting} class="n">{ count(one.waiting) }</Link>{ format!(" that wait, {} at work", count(one.at_work)) }
                                { one.max_active.map(|most| format!(" of {}", count(most))).unwrap_or_default() }</p>
                        }
                    }) }
                </div>
            </div>
        </>
    }
}

/// What is shown of each group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shares {
    /// With a bar.
    Wide,
    /// Where there is little room.
    Narrow,
}

fn shares(what: &'static str, shares: &[ShareCount], selected: i64, form: Shares) -> Html {
    let wide = form == Shares::Wide;
    html! {
        <table class="tbl batch-table change-shares">
            <thead><tr><th scope="col">{ what }</th><th scope="col" class="num">{ "Selected" }</th><th scope="col" class="num">{ "Eligible" }</th>
                if wide { <th scope="col">{ "Share" }</th> }</tr></thead>
            <tbody>{ for shares.iter().take(SHOWN).map(|one| html! {
                <tr key={one.name.clone()}><td class="mono cut" title={one.name.clone()}>{ &one.name }</td><td class="num">{ count(one.selected) }</td>
                    <td class={classes!("num", (one.eligible == 0).then_some("f3"))}>{ count(one.eligible) }</td>
                    if wide { <td><Meter share={one.eligible as f64 / selected.max(1) as f64} tone={Tone::Ok} label={format!("{} of {}", one.eligible, selected)} /></td> }</tr>
            }) }</tbody>
        </table>
    }
}

/// Whether there is something that only force takes in, or has taken in.
fn offers_force(model: &DryRun) -> bool {
    let unmended = |set: &ChangeSet| {
        set.dry_run.refusals.iter().any(|refusal| refusal.code == ItemRefusal::NotRetryable)
    };
    model.verb == ChangeVerb::DeadLetterReplay && (model.force || model.seen().is_some_and(unmended))
}

/// The codes of a resolution as options.
pub fn resolutions() -> Vec<(AttrValue, AttrValue)> {
    ResolutionCode::ALL
        .iter()
        .map(|code| (code.as_str().into(), code.as_str().replace('_', " ").into()))
        .collect()
}

/// How it is carried out, and why.
fn form(model: &DryRun, send: &Callback<Said>) -> Html {
    let wrong = |field: &str| model.wrong(field).map(AttrValue::Static);
    let refused = |field: &str| {
        let problem = model.problem.as_ref()?;
        problem.of_field(field).map(|said| AttrValue::from(said.to_owned()))
    };
    html! {
        <div class="in col gap3">
            <div class="change-options">
                if model.verb == ChangeVerb::Prioritize {
                    <Field label="Priority" note="0 to 100" error={wrong("priority")}><Input value={model.priority.clone()} on_input={send.reform(Said::Priority)} /></Field>
                }
                <Field label="First" note="optional" error={wrong("first")}><Input value={model.first.clone()} on_input={send.reform(Said::First)} placeholder="10" /></Field>
                <Field label="Stop above %" note="optional" error={wrong("stopAbove")}><Input value={model.stop_above.clone()} on_input={send.reform(Said::StopAbove)} placeholder="5" /></Field>
                <Field label="Per second" note="optional" error={wrong("pace")}><Input value={model.pace.clone()} on_input={send.reform(Said::Pace)} placeholder="no limit" /></Field>
            </div>
            if !model.first.trim().is_empty() {
                <Checkbox checked={Checked::from(model.then_pause)} on_toggle={send.reform(Said::ThenPause)}>{ "Pause after the first, so that somebody may look; else it goes on when they succeeded and stops when not" }</Checkbox>
            }
            if model.verb == ChangeVerb::DeadLetterResolve {
                <div class="reason-fields">
                    <Field label="Note" note={format!("{} of {NOTE_MAX}", model.note.chars().count())} hint="Kept with every entry." error={wrong("note").or_else(|| refused("parameters.note"))}>
                        <Input value={model.note.clone()} on_input={send.reform(Said::Note)} placeholder="What was done, for whoever looks next" /></Field>
                    <Field label="Resolution"><Select value={model.resolution.as_str()} options={resolutions()}
                        on_change={send.reform(|word: String| Said::Resolution(word.parse().unwrap_or(ResolutionCode::Other)))} /></Field>
                </div>
            }
            if offers_force(model) {
                <Checkbox checked={Checked::from(model.force)} on_toggle={send.reform(Said::Force)}>{ "Also replay what another attempt does not mend" }</Checkbox>
            }
            <div class="reason-fields">
                <Field label="Reason" note={format!("{} of {REASON_MAX}", model.reason.chars().count())} hint="Written to the audit record with your name." error={refused("reason")}>
                    <Input value={model.reason.clone()} max_length={REASON_MAX} on_input={send.reform(Said::Reason)} autofocus={true} placeholder="Why this is needed" /></Field>
                <Field label="Ticket" note="required" hint="orch:operate asks for it." error={refused("ticket")}>
                    <Input value={model.ticket.clone()} max_length={TICKET_MAX} on_input={send.reform(Said::Ticket)} mono={true} placeholder="OPS-0000" /></Field>
            </div>
            <CliTwin words={model.command().into_iter().map(AttrValue::from).collect::<Vec<_>>()} />
            if matches!(model.stage, Stage::Seen(_)) { <span class="row"><Tag>{ "dry run" }</Tag><span class="f3 sm">{ "Nothing has been changed yet." }</span></span> }
        </div>
    }
}
