//! Pausing a quota, for ever or until a time.

use super::acts::{named, words};
use crate::clock;
use crate::kit::format::counted;
use crate::kit::{Field, Select};
use crate::parts::{ActDialog, Deed};
use stella_contract::quota::{PauseQuota, Quota};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`PauseDialog`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PauseDialogProps {
    /// The quota.
    pub quota: Quota,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// How long a pause may last, in hours, with its words.
pub(super) const HOURS: [(&str, &str); 5] = [
    ("", "until somebody ends it"),
    ("1", "for 1 h"),
    ("4", "for 4 h"),
    ("12", "for 12 h"),
    ("24", "for 24 h"),
];

/// Asks until when.
#[component]
pub(super) fn PauseDialog(props: &PauseDialogProps) -> Html {
    let hours = use_state_eq(String::new);
    let opened = use_state(clock::now);
    let until = hours.parse::<i64>().ok().map(|hours| opened.plus_ms(hours * 3_600_000));
    let quota = &props.quota;
    let deed = {
        let id = quota.quota_id.clone();
        Deed::new(move |api, cause| {
            let id = id.clone();
            async move {
                let paused = api.pause_quota(&id, &PauseQuota { until }, &cause).await?;
                Ok(format!("Quota {} paused", named(&paused)).into())
            }
        })
    };
    let mut cli = words(&["orch", "quota", "pause", quota.quota_id.as_str()]);
    if let Some(until) = until {
        cli.extend(words(&["--until", &until.to_string()]));
    }
    let on_change = {
        let hours = hours.clone();
        Callback::from(move |text: String| hours.set(text))
    };
    let options = HOURS.map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label))).to_vec();
    html! {
        <ActDialog title="Pause quota" subject={named(quota)} scope={Scope::OrchQuota} verb="Pause quota" {cli} {deed}
            on_close={props.on_close.clone()}
            form={html! { <Field label="How long"><Select value={(*hours).clone()} {options} {on_change} /></Field> }}>
            { format!("No new job of it starts. {} at work go on; {} wait.",
                counted(quota.live.active, "job", "jobs"), counted(quota.live.waiting, "job", "jobs")) }
        </ActDialog>
    }
}
