//! What an operator may do to a source beside reading it: try it, hold it, let it go on, send it back, let a window pass.

use super::map::{moment, written};
use super::settings::SettingsDialog;
use crate::api::Problem;
use crate::kit::format::{bytes, count, counted};
use crate::kit::{Banner, Button, Dialog, DialogSize, Field, Input, Skeleton, Tone};
use crate::parts::{ActDialog, CliTwin, Deed};
use crate::store::use_api;
use stella_contract::scope::Scope;
use stella_contract::source::{Source, SourceTested};
use stella_contract::watermark::{ResetWatermark, SkipWindow, Watermark};
use yew::prelude::*;

/// What is open over the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceVerb {
    Test,
    Change,
    Pause,
    Resume,
    Reset,
    Skip,
}

/// What a [`SourceVerbDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct SourceVerbProps {
    /// Which.
    pub verb: SourceVerb,
    /// The source.
    pub source: Source,
    /// How far its whole has been read.
    pub mark: Option<Watermark>,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// The dialog of a verb.
#[component]
pub(super) fn SourceVerbDialog(props: &SourceVerbProps) -> Html {
    match props.verb {
        SourceVerb::Test => {
            html! { <TestDialog source={props.source.clone()} on_close={props.on_close.clone()} /> }
        }
        SourceVerb::Change => {
            html! { <SettingsDialog source={props.source.clone()} on_close={props.on_close.clone()} /> }
        }
        SourceVerb::Pause | SourceVerb::Resume => held(props),
        SourceVerb::Reset => {
            html! { <ResetDialog source={props.source.clone()} mark={props.mark.clone()} on_close={props.on_close.clone()} /> }
        }
        SourceVerb::Skip => {
            html! { <SkipDialog source={props.source.clone()} mark={props.mark.clone()} on_close={props.on_close.clone()} /> }
        }
    }
}

fn words(all: &[&str]) -> Vec<AttrValue> {
    all.iter().map(|word| AttrValue::from((*word).to_owned())).collect()
}

/// Pause or resume.
fn held(props: &SourceVerbProps) -> Html {
    let id = props.source.source_id.clone();
    let pauses = props.verb == SourceVerb::Pause;
    let verb = if pauses { "pause" } else { "resume" };
    let deed = {
        let id = id.clone();
        Deed::new(move |api, cause| {
            let id = id.clone();
            async move {
                if pauses {
                    api.pause_source(&id, &cause).await.map(|_| AttrValue::from("Source paused"))
                } else {
                    api.resume_source(&id, &cause).await.map(|_| AttrValue::from("Source resumed"))
                }
            }
        })
    };
    let (title, said) = if pauses {
        (
            "Pause source",
            "Its next readings wait with the reason paused; a reading that runs goes on to its end. Backfills of it wait too.",
        )
    } else {
        ("Resume source", "Its readings go on from the low watermark; what waited is queued.")
    };
    html! {
        <ActDialog {title} subject={props.source.name.clone()} scope={Scope::OrchOperate} verb={title}
            cli={words(&["orch", "source", verb, id.as_str()])} {deed} on_close={props.on_close.clone()}>{ said }</ActDialog>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct OneProps {
    source: Source,
    #[prop_or_default]
    mark: Option<Watermark>,
    on_close: Callback<()>,
}

/// Sends the low watermark back.
#[component]
fn ResetDialog(props: &OneProps) -> Html {
    let mark = props.mark.as_ref().and_then(|mark| mark.low_watermark);
    let to = use_state(|| mark.map(written).unwrap_or_default());
    let read = moment(&to);
    let blocked = match (read, mark) {
        (None, _) => Some("Write a day or a time, as 2026-11-03 or 2026-11-03T14:00Z"),
        (Some(at), Some(mark)) if at > mark => Some("A reset only goes back; to pass a window, skip it"),
        (Some(_), _) => None,
    };
    let id = props.source.source_id.clone();
    let deed = {
        let id = id.clone();
        Deed::new(move |api, cause| {
            let id = id.clone();
            async move {
                let Some(low_watermark) = read else {
                    return Err(Problem::Unreadable { path: "the time".into(), why: "it is none".into() });
                };
                api.reset_watermark(&id, &ResetWatermark { low_watermark }, &cause).await?;
                Ok(format!("Watermark set back to {}", written(low_watermark)).into())
            }
        })
    };
    let on_input = {
        let to = to.clone();
        Callback::from(move |text: String| to.set(text))
    };
    html! {
        <ActDialog title="Reset watermark" subject={props.source.name.clone()} scope={Scope::OrchBackfill} verb="Reset watermark" danger={true}
            cli={words(&["orch", "source", "reset-watermark", id.as_str(), "--to", &read.map_or_else(|| to.trim().to_owned(), |at| at.to_string())])} {deed} on_close={props.on_close.clone()}
            blocked={blocked.map(AttrValue::from)}
            form={html! {
                <Field label="Back to" note="UTC" hint={mark.map(|at| AttrValue::from(format!("It stands at {}", written(at))))}>
                    <Input value={(*to).clone()} {on_input} mono={true} /></Field>
            }}>
            { "Everything after this moment is asked for again by the live readings, window by window. Records are replaced, not doubled." }
        </ActDialog>
    }
}

/// Lets the next window pass unread.
#[component]
fn SkipDialog(props: &OneProps) -> Html {
    let next = props.mark.as_ref().and_then(|mark| mark.next_window);
    let from = props.mark.as_ref().and_then(|mark| mark.low_watermark);
    let end = use_state(|| next.map(|window| written(window.end)).unwrap_or_default());
    let read = moment(&end);
    let blocked = match (read, from) {
        (None, _) => Some("Write a day or a time, as 2026-11-03 or 2026-11-03T14:00Z"),
        (Some(at), Some(from)) if at <= from => Some("It ends before it begins"),
        (Some(_), _) => None,
    };
    let id = props.source.source_id.clone();
    let deed = {
        let id = id.clone();
        Deed::new(move |api, cause| {
            let id = id.clone();
            async move {
                api.skip_window(&id, &SkipWindow { end: read }, &cause).await?;
                Ok("Window skipped".into())
            }
        })
    };
    let on_input = {
        let end = end.clone();
        Callback::from(move |text: String| end.set(text))
    };
    html! {
        <ActDialog title="Skip window" subject={props.source.name.clone()} scope={Scope::OrchBackfill} verb="Skip window" danger={true}
            cli={words(&["orch", "source", "skip-window", id.as_str(), "--end", &read.map_or_else(|| end.trim().to_owned(), |at| at.to_string())])} {deed} on_close={props.on_close.clone()}
            blocked={blocked.map(AttrValue::from)}
            form={html! {
                <Field label="Until" note="UTC" hint={from.map(|at| AttrValue::from(format!("It begins at the low watermark, {}", written(at))))}>
                    <Input value={(*end).clone()} {on_input} mono={true} /></Field>
            }}>
            { "The watermark passes this window without reading it. It is kept as a gap, red on the map, until a backfill closes it." }
        </ActDialog>
    }
}

/// One dry look; nothing is stored.
#[component]
fn TestDialog(props: &OneProps) -> Html {
    let api = use_api();
    let answer = use_state(|| None::<Result<SourceTested, Problem>>);
    let nonce = use_state_eq(|| 0u32);
    {
        let (answer, id) = (answer.setter(), props.source.source_id.clone());
        use_effect_with(*nonce, move |_| {
            answer.set(None);
            wasm_bindgen_futures::spawn_local(async move {
                answer.set(Some(api.test_source(&id).await));
            });
        });
    }
    let again = {
        let nonce = nonce.clone();
        Callback::from(move |()| nonce.set(*nonce + 1))
    };
    html! {
        <Dialog title="Test source" subject={props.source.name.clone()} size={DialogSize::Confirm} on_close={props.on_close.clone()}
            footer={html! { <>
                <span class="grow"></span>
                <Button on_click={props.on_close.clone()}>{ "Close" }</Button>
                <Button busy={answer.is_none()} on_click={again}>{ "Test again" }</Button>
            </> }}>
            { match &*answer {
                None => html! { <div class="in"><Skeleton rows={3} /></div> },
                Some(Err(problem)) => html! {
                    <Banner tone={Tone::Bad} fact={format!("{} ({})", problem.sentence(), problem.code())}>{ problem.next_step() }</Banner>
                },
                Some(Ok(tested)) => found(tested),
            } }
            <div class="in col gap3">
                <p class="f3 sm">{ "One dry look: fetched and read, nothing stored, the watermark stays." }</p>
                <CliTwin words={words(&["orch", "source", "test", props.source.source_id.as_str()])} />
            </div>
        </Dialog>
    }
}

fn found(tested: &SourceTested) -> Html {
    let verdict = if tested.ok {
        html! { <Banner tone={Tone::Ok} fact="It can be read.">{ format!("{} of {}", counted(tested.records, "record", "records"), bytes(tested.bytes)) }</Banner> }
    } else {
        let code = tested.error_code.as_deref().map(|code| format!("({code})")).unwrap_or_default();
        html! { <Banner tone={Tone::Bad} fact={tested.error_message.clone().unwrap_or_else(|| "It cannot be read.".into())}>{ code }</Banner> }
    };
    html! {
        <>
            { verdict }
            <div class="in">
                <dl class="kv">
                    <dt>{ "Files" }</dt><dd>{ count(tested.files) }</dd>
                    <dt>{ "Size" }</dt><dd>{ bytes(tested.bytes) }</dd>
                    <dt>{ "Records" }</dt><dd>{ count(tested.records) }</dd>
                    <dt>{ "Refused" }</dt><dd>{ count(tested.refused) }</dd>
                    <dt>{ "Newest" }</dt><dd class="mono">{ tested.newest.map_or_else(|| "none".to_owned(), written) }</dd>
                </dl>
                if !tested.errors.is_empty() {
                    <ul class="outcomes">{ for tested.errors.iter().take(8).map(|one| html! {
                        <li key={format!("{}{}", one.file, one.path)}><span></span><span class="mono">{ format!("{} {}", one.file, one.path) }</span><span class="f2">{ format!("{} ({})", one.message, one.code) }</span></li>
                    }) }</ul>
                }
            </div>
        </>
    }
}
