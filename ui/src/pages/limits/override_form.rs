//! Setting the rate of a host's bucket for a while.

use super::acts::words;
use crate::clock;
use crate::kit::{Field, Input, Select};
use crate::parts::{ActDialog, Deed};
use stella_contract::pressure::{Bucket, OverrideBucket};
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What an [`OverrideDialog`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct OverrideDialogProps {
    /// The bucket.
    pub bucket: Bucket,
    /// Left, or done.
    pub on_close: Callback<()>,
}

const HOURS: [(&str, &str); 4] = [("1", "for 1 h"), ("4", "for 4 h"), ("12", "for 12 h"), ("24", "for 24 h")];

/// The rate that was typed; nothing typed is back to the rules.
fn rate(typed: &str) -> Result<Option<f64>, &'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let rate = typed.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0 && *rate <= 1_000.0);
    rate.map(Some).ok_or("A number above 0, at most 1,000")
}

/// Asks for the rate and for how long.
#[component]
pub(super) fn OverrideDialog(props: &OverrideDialogProps) -> Html {
    let bucket = &props.bucket;
    let typed = use_state(|| format!("{:.2}", props.bucket.base_rate));
    let hours = use_state_eq(|| "1".to_owned());
    let opened = use_state(clock::now);
    let wanted = rate(&typed);
    let until = hours.parse::<i64>().ok().map(|hours| opened.plus_ms(hours * 3_600_000));
    let set = wanted.unwrap_or_default();
    let deed = {
        let id = bucket.bucket_id.clone();
        let wish = OverrideBucket { rate: set, until: until.filter(|_| set.is_some()) };
        Deed::new(move |api, cause| {
            let (id, wish) = (id.clone(), wish.clone());
            async move {
                let bucket = api.override_bucket(&id, &wish, &cause).await?;
                Ok(format!("{} now gets {:.2} per second", bucket.host, bucket.current_rate).into())
            }
        })
    };
    let mut cli = words(&["orch", "bucket", "override", bucket.bucket_id.as_str()]);
    match (set, until) {
        (Some(rate), Some(until)) => {
            cli.extend(words(&["--rate", &rate.to_string(), "--until", &until.to_string()]))
        }
        (Some(rate), None) => cli.extend(words(&["--rate", &rate.to_string()])),
        (None, _) => {}
    }
    let on_rate = {
        let typed = typed.clone();
        Callback::from(move |text: String| typed.set(text))
    };
    let on_hours = {
        let hours = hours.clone();
        Callback::from(move |text: String| hours.set(text))
    };
    let options = HOURS.map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label))).to_vec();
    let form = html! {
        <div class="reason-fields">
            <Field label="Requests per second" note="empty: the rules" error={wanted.err()}
                hint={format!("base {:.2}, now {:.2}", bucket.base_rate, bucket.current_rate)}>
                <Input value={(*typed).clone()} on_input={on_rate} />
            </Field>
            <Field label="How long"><Select value={(*hours).clone()} {options} on_change={on_hours} /></Field>
        </div>
    };
    html! {
        <ActDialog title="Set rate" subject={bucket.host.clone()} scope={Scope::OrchQuota} verb={if set.is_some() { "Set rate" } else { "Back to the rules" }}
            {cli} {deed} {form} blocked={wanted.err().map(AttrValue::from)} on_close={props.on_close.clone()}>
            { "Jobs that read from this host start at this rate. Afterwards the rate follows the host's answers again." }
        </ActDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_above_nothing_and_an_empty_one_gives_it_back_to_the_rules() {
        assert_eq!(rate(" 0.5 "), Ok(Some(0.5)));
        assert_eq!(rate(""), Ok(None));
        for wrong in ["0", "-1", "x", "inf", "1001"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
