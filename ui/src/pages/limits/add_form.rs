//! A new quota.

use super::acts::{called, words};
use super::draft::Draft;
use super::editor::DraftFields;
use crate::clock;
use crate::kit::{Field, Input};
use crate::parts::{ActDialog, Deed};
use stella_contract::quota::{EVERY_TYPE, QuotaLimits};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What an [`AddQuotaDialog`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct AddQuotaDialogProps {
    /// The job types that have one already.
    pub taken: Vec<String>,
    /// The job type to begin with.
    #[prop_or_default]
    pub job_type: Option<AttrValue>,
    /// Told the job type of the quota that was made.
    #[prop_or_default]
    pub on_made: Callback<String>,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// What is wrong with a job type.
fn wrong(typed: &str, taken: &[String]) -> Option<&'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Some("A job type, or * for all");
    }
    if taken.iter().any(|one| one == typed) {
        return Some("It has a quota already");
    }
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let first = typed.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    (typed != EVERY_TYPE && !(first && typed.len() >= 2 && typed.len() <= 64 && typed.chars().all(letters)))
        .then_some("Small letters, digits, dots and hyphens, a letter first")
}

/// Asks for the type and the limits.
#[component]
pub(super) fn AddQuotaDialog(props: &AddQuotaDialogProps) -> Html {
    let job_type = use_state(|| props.job_type.as_ref().map(ToString::to_string).unwrap_or_default());
    let draft = use_state(|| Draft::of(&QuotaLimits::default()));
    let bad_type = wrong(&job_type, &props.taken);
    let blocked = bad_type.map(AttrValue::Static).or_else(|| draft.wrong().map(AttrValue::from));
    let deed = {
        let wish = draft.add(&job_type);
        Deed::new(move |api, cause| {
            let wish = wish.clone();
            async move {
                api.add_quota(&wish, &cause)
                    .await
                    .map(|quota| format!("Quota {} made", called(&quota.job_type)).into())
            }
        })
    };
    let mut cli = words(&["orch", "quota", "set", "--type", job_type.trim()]);
    cli.extend(draft.flags(&QuotaLimits::default(), clock::now()).into_iter().map(AttrValue::from));
    let on_type = {
        let job_type = job_type.clone();
        Callback::from(move |text: String| job_type.set(text))
    };
    let on_change = {
        let draft = draft.clone();
        Callback::from(move |next: Draft| draft.set(next))
    };
    let on_done = {
        let made = job_type.trim().to_owned();
        props.on_made.reform(move |()| made.clone())
    };
    // Nothing is wrong before anything was typed.
    let error = bad_type.filter(|_| !job_type.is_empty());
    let form = html! {
        <>
            <Field label="Job type" note="* bounds the tenant as a whole" {error}>
                <Input value={(*job_type).clone()} on_input={on_type} mono={true} placeholder="scan.segment" />
            </Field>
            <DraftFields draft={(*draft).clone()} {on_change} />
        </>
    };
    html! {
        <ActDialog title="New quota" scope={Scope::OrchQuota} verb="Make quota" {cli} {deed} {form} {blocked} {on_done}
            on_close={props.on_close.clone()} />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_type_is_spelled_as_the_core_wants_it_and_has_one_quota() {
        let taken = ["scan.segment".to_owned()];
        assert_eq!(wrong("ingest.vex", &taken), None);
        assert_eq!(wrong(" * ", &taken), None);
        assert_eq!(wrong("scan.segment", &taken), Some("It has a quota already"));
        for bad in ["", "Scan", "1a", "a", "a b"] {
            assert!(wrong(bad, &taken).is_some(), "{bad}");
        }
    }
}
