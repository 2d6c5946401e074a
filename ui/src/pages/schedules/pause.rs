//! Pausing a schedule: by hand or until a time, with what is dropped and when the earliest next run comes.

use super::preview::use_preview;
use crate::clock;
use crate::kit::format::{count, date_time, moment};
use crate::kit::{Field, Input, Segmented, Stretch, StretchFill, Stretches, Tone};
use crate::parts::{ActDialog, Deed, local_words};
use stella_contract::schedule::{PauseSchedule, PreviewSchedule, Schedule, SchedulePreview};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`PauseDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PauseProps {
    /// The schedule.
    pub schedule: Schedule,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// In eight hours, to the minute.
fn first_until(now: Micros) -> String {
    let at = now.plus_ms(8 * 3_600_000).to_string();
    at.get(..16).unwrap_or_default().replace('T', " ")
}

/// The dialog.
#[component]
pub(super) fn PauseDialog(props: &PauseProps) -> Html {
    let one = &props.schedule;
    let until = use_state(|| first_until(clock::now()));
    let timed = use_state_eq(|| false);
    let resume_at = moment(&until).filter(|_| *timed);
    let wrong = match (*timed, resume_at) {
        (true, None) => Some("As 2026-11-21 22:10, in UTC"),
        (true, Some(at)) if at <= clock::now() => Some("In the future"),
        (true, Some(_)) | (false, _) => None,
    };
    let wish = PreviewSchedule {
        cron: one.cron.clone(),
        timezone: Some(one.timezone.clone()),
        schedule_id: Some(one.schedule_id.clone()),
        resume_at: resume_at.filter(|_| wrong.is_none()),
    };
    let previewed = use_preview(wish.clone());
    let deed = {
        let (id, wish) = (one.schedule_id.clone(), PauseSchedule { resume_at });
        Deed::new(move |api, cause| {
            let (id, wish) = (id.clone(), wish.clone());
            async move { api.pause_schedule(&id, &wish, &cause).await.map(|_| "Schedule paused".into()) }
        })
    };
    let on_input = {
        let until = until.clone();
        Callback::from(move |text: String| until.set(text))
    };
    let on_choose = {
        let timed = timed.clone();
        Callback::from(move |word: AttrValue| timed.set(word == "time"))
    };
    let mut cli = vec!["schedules".to_owned(), "pause".to_owned(), one.name.clone()];
    if let Some(at) = resume_at {
        cli.extend(["--until".to_owned(), at.to_string()]);
    }
    let options = [("hand", "By hand"), ("time", "At a time")]
        .map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label)))
        .to_vec();
    let form = html! {
        <>
            <div class="pair">
                <div class="field"><span class="f2 sm">{ "Resume" }</span>
                    <Segmented label="Resume" {options} value={if *timed { "time" } else { "hand" }} {on_choose} /></div>
                if *timed {
                    <Field label="Resume at" note="UTC" error={wrong}><Input value={(*until).clone()} {on_input} mono={true} /></Field>
                }
            </div>
            if let Some(preview) = previewed.of(&wish) { { earliest(preview, resume_at) } }
        </>
    };
    html! {
        <ActDialog title="Pause schedule" subject={one.name.clone()} scope={Scope::OrchOperate} verb="Pause schedule" size={crate::kit::DialogSize::Confirm}
            cli={cli.into_iter().map(AttrValue::from).collect::<Vec<_>>()} {deed} {form} blocked={wrong.map(AttrValue::Static)} on_close={props.on_close.clone()}>
            { "No new runs start while paused. A run that is active now goes on. Fires that fall in the pause are dropped, not stored." }
        </ActDialog>
    }
}

/// When the first run comes, and what is dropped until then.
fn earliest(preview: &SchedulePreview, resume_at: Option<Micros>) -> Html {
    let Some(first) = &preview.earliest_next_run else {
        return html! { <p class="sm f2">{ "No run comes before the blackouts end." }</p> };
    };
    let said = match resume_at {
        None => "if it were resumed now".to_owned(),
        Some(_) => format!("{} fires dropped", count(preview.dropped)),
    };
    html! {
        <div class="earliest">
            <div class="row"><span class="f2 sm">{ "Earliest next run" }</span><span class="grow"></span><span class="f3 sm">{ said }</span></div>
            <div class="row wrap"><span class="b big mono" data-part="earliest">{ date_time(first.at) }</span>
                if preview.timezone != "UTC" { <span class="f2">{ format!("{} in {}", local_words(first), preview.timezone) }</span> }</div>
            if let Some(at) = resume_at {
                <Stretches label={format!("Paused until {}, then the first run at {}", date_time(at), date_time(first.at))} parts={stretches(preview, at, first.at)} />
            }
        </div>
    }
}

/// The pause, what holds the first run after it, and the run.
fn stretches(preview: &SchedulePreview, resume_at: Micros, first: Micros) -> Vec<Stretch> {
    let plain = |ms, fill, head: String, foot: &'static str| Stretch {
        ms,
        fill,
        shape: None,
        head: head.into(),
        foot: foot.into(),
    };
    let dropped = format!("paused, {} fires dropped", count(preview.dropped));
    let mut parts =
        vec![plain(resume_at.ms_since(preview.as_of).max(1), StretchFill::Solid(Tone::Idle), dropped, "now")];
    let rest = first.ms_since(resume_at);
    if rest > 0 {
        let dark = preview.blackout.as_ref().is_some_and(|blackout| blackout.until > resume_at);
        let (fill, foot) =
            if dark { (StretchFill::Held, "blackout") } else { (StretchFill::Ahead, "resumed") };
        parts.push(plain(rest, fill, String::new(), foot));
    }
    parts
}
