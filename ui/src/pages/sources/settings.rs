//! How a source is read, as a form: what was typed, what of it is new, what is wrong with it.

use crate::kit::{Checkbox, Checked, Field, Input};
use crate::parts::{ActDialog, Deed};
use stella_contract::scope::Scope;
use stella_contract::source::{Source, SourceType, UpdateSource};
use yew::prelude::*;

/// What a [`SettingsDialog`] takes. It is open while mounted.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct SettingsProps {
    /// The source as it is.
    pub source: Source,
    /// Left, or done.
    pub on_close: Callback<()>,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq)]
struct Draft {
    name: String,
    location: String,
    enabled: bool,
    job_type: String,
    auth_ref: String,
    numbers: [String; 6],
}

/// A number of the settings: its name to the core, on the command line and on the screen, its unit, least and most.
struct Number {
    field: &'static str,
    option: &'static str,
    label: &'static str,
    unit: &'static str,
    least: f64,
    most: f64,
}

const fn number(
    field: &'static str,
    option: &'static str,
    label: &'static str,
    unit: &'static str,
    least: f64,
    most: f64,
) -> Number {
    Number { field, option, label, unit, least, most }
}

const NUMBERS: [Number; 6] = [
    number("fetchWindowS", "--fetch-window-s", "Window", "seconds", 60.0, 604_800.0),
    number("overlapS", "--overlap-s", "Overlap", "seconds", 0.0, 86_400.0),
    number("allowedLatenessS", "--allowed-lateness-s", "Late records", "seconds", 0.0, 604_800.0),
    number("retentionDays", "--retention-days", "Kept", "days", 1.0, 3_650.0),
    number("bucketCapacity", "--bucket-capacity", "Requests in one go", "", 1.0, 10_000.0),
    number("bucketRate", "--bucket-rate", "Requests", "per second", 0.001, 1_000.0),
];
/// The only one that may be a fraction.
const RATE: usize = 5;

impl Draft {
    fn of(source: &Source) -> Self {
        let settings = &source.settings;
        Self {
            name: source.name.clone(),
            location: source.location.clone(),
            enabled: source.enabled,
            job_type: source.job_type.clone(),
            auth_ref: settings.auth_ref.clone().unwrap_or_default(),
            numbers: [
                settings.fetch_window_s.to_string(),
                settings.overlap_s.to_string(),
                settings.allowed_lateness_s.to_string(),
                settings.retention_days.to_string(),
                settings.bucket_capacity.to_string(),
                settings.bucket_rate.to_string(),
            ],
        }
    }

    /// Why the number at this place is none.
    fn wrong(&self, at: usize) -> Option<String> {
        let (text, number) = (self.numbers[at].trim(), &NUMBERS[at]);
        let sound = match at {
            RATE => text.parse::<f64>().is_ok_and(|value| (number.least..=number.most).contains(&value)),
            _ => {
                text.parse::<i64>().is_ok_and(|value| (number.least..=number.most).contains(&(value as f64)))
            }
        };
        (!sound).then(|| format!("{} to {}", number.least, number.most))
    }

    /// What is new, or nothing when something is wrong.
    fn wish(&self, source: &Source) -> Option<UpdateSource> {
        let before = Self::of(source);
        let text = |now: &str, then: &str| (now.trim() != then).then(|| now.trim().to_owned());
        let whole = |at: usize| -> Option<Option<i64>> {
            let changed = self.numbers[at].trim() != before.numbers[at];
            if changed { self.numbers[at].trim().parse().ok().map(Some) } else { Some(None) }
        };
        if (0..NUMBERS.len()).any(|at| self.wrong(at).is_some()) {
            return None;
        }
        let rate = self.numbers[RATE].trim();
        Some(UpdateSource {
            version: Some(source.version),
            name: text(&self.name, &before.name),
            location: text(&self.location, &before.location),
            enabled: (self.enabled != before.enabled).then_some(self.enabled),
            job_type: text(&self.job_type, &before.job_type),
            fetch_window_s: whole(0)?,
            overlap_s: whole(1)?,
            allowed_lateness_s: whole(2)?,
            retention_days: whole(3)?,
            bucket_capacity: whole(4)?,
            bucket_rate: if rate == before.numbers[RATE] { None } else { Some(rate.parse().ok()?) },
            auth_ref: text(&self.auth_ref, &before.auth_ref),
        })
    }

    /// Why it cannot be saved yet.
    fn blocked(&self, source: &Source) -> Option<&'static str> {
        if self.name.trim().is_empty() || self.location.trim().is_empty() {
            return Some("Needs a name and a location");
        }
        match self.wish(source) {
            None => Some("A field above is wrong"),
            Some(wish) if wish == (UpdateSource { version: wish.version, ..UpdateSource::default() }) => {
                Some("Nothing is changed yet")
            }
            Some(_) => None,
        }
    }

    /// The command that does the same.
    fn command(&self, source: &Source) -> Vec<String> {
        let before = Self::of(source);
        let mut words: Vec<String> =
            ["orch", "source", "update", source.source_id.as_str()].map(str::to_owned).to_vec();
        let mut option = |name: &str, now: &str, then: &str| {
            if now.trim() != then {
                words.extend([name.to_owned(), now.trim().to_owned()]);
            }
        };
        option("--name", &self.name, &before.name);
        option("--location", &self.location, &before.location);
        option("--enabled", &self.enabled.to_string(), &before.enabled.to_string());
        option("--job-type", &self.job_type, &before.job_type);
        for (at, number) in NUMBERS.iter().enumerate() {
            option(number.option, &self.numbers[at], &before.numbers[at]);
        }
        option("--auth-ref", &self.auth_ref, &before.auth_ref);
        words
    }
}

/// Name, place, pace.
#[component]
pub(super) fn SettingsDialog(props: &SettingsProps) -> Html {
    let source = &props.source;
    let draft = use_state(|| Draft::of(source));
    let edit = |change: fn(&mut Draft, String)| {
        let draft = draft.clone();
        Callback::from(move |text: String| {
            let mut next = (*draft).clone();
            change(&mut next, text);
            draft.set(next);
        })
    };
    let typed = |at: usize| {
        let draft = draft.clone();
        Callback::from(move |text: String| {
            let mut next = (*draft).clone();
            next.numbers[at] = text;
            draft.set(next);
        })
    };
    let on_enabled = {
        let draft = draft.clone();
        Callback::from(move |enabled: bool| draft.set(Draft { enabled, ..(*draft).clone() }))
    };
    let deed = {
        let (id, wish) = (source.source_id.clone(), draft.wish(source).unwrap_or_default());
        Deed::new(move |api, cause| {
            let (id, wish) = (id.clone(), wish.clone());
            async move { api.update_source(&id, &wish, &cause).await.map(|_| "Source changed".into()) }
        })
    };
    let cli: Vec<AttrValue> = draft.command(source).into_iter().map(AttrValue::from).collect();
    html! {
        <ActDialog title="Source settings" subject={source.name.clone()} scope={Scope::OrchOperate} verb="Save settings"
            {cli} {deed} on_close={props.on_close.clone()} blocked={draft.blocked(source).map(AttrValue::from)}
            form={html! { <>
                <Field label="Name"><Input value={draft.name.clone()} max_length={100} on_input={edit(|draft, text| draft.name = text)} /></Field>
                <Field label="Location" hint="{from} and {to} stand for a window; without them it is read whole.">
                    <Input value={draft.location.clone()} mono={true} on_input={edit(|draft, text| draft.location = text)} /></Field>
                <div class="form-2">{ for NUMBERS.iter().enumerate().map(|(at, number)| html! {
                    <Field key={number.field} label={number.label} note={number.unit} error={draft.wrong(at).map(AttrValue::from)}>
                        <Input value={draft.numbers[at].clone()} mono={true} on_input={typed(at)} /></Field>
                }) }</div>
                <div class="form-2">
                    <Field label="Secret" note="its name, or empty"><Input value={draft.auth_ref.clone()} mono={true} on_input={edit(|draft, text| draft.auth_ref = text)} /></Field>
                    if source.source_type == SourceType::Custom {
                        <Field label="Job type"><Input value={draft.job_type.clone()} mono={true} on_input={edit(|draft, text| draft.job_type = text)} /></Field>
                    }
                </div>
                <Checkbox checked={Checked::from(draft.enabled)} on_toggle={on_enabled}>{ "Enabled: it may be read" }</Checkbox>
            </> }}>{ "It holds from the next reading on; what runs goes on as it began." }</ActDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        serde_json::from_value(serde_json::json!({
            "sourceId": "src_01890000-0000-7000-8000-000000000000", "tenant": "acme", "name": "osv", "sourceType": "advisory",
            "location": "/srv/osv.zip", "jobType": "ingest.advisory", "enabled": true, "paused": false,
            "settings": { "fetchWindowS": 3600, "overlapS": 300, "allowedLatenessS": 900, "retentionDays": 365,
                "bucketCapacity": 10, "bucketRate": 1.0 },
            "windowed": false, "health": "healthy", "recordCount": 0, "failuresInARow": 0,
            "createdAt": "2026-11-21T14:28:15.204Z", "version": 4
        }))
        .unwrap()
    }

    #[test]
    fn only_what_was_changed_is_asked_for_and_nothing_wrong() {
        let source = source();
        let mut draft = Draft::of(&source);
        assert_eq!(draft.blocked(&source), Some("Nothing is changed yet"));
        draft.numbers[RATE] = "0.5".to_owned();
        draft.name = " osv-pypi ".to_owned();
        let wish = draft.wish(&source).unwrap();
        let only = UpdateSource {
            version: Some(4),
            name: Some("osv-pypi".to_owned()),
            bucket_rate: Some(0.5),
            ..UpdateSource::default()
        };
        assert_eq!((wish, draft.blocked(&source)), (only, None));
        assert!(draft.command(&source).join(" ").ends_with("--name osv-pypi --bucket-rate 0.5"));
        draft.numbers[0] = "5".to_owned();
        assert_eq!(draft.wrong(0).as_deref(), Some("60 to 604800"));
        assert_eq!(draft.blocked(&source), Some("A field above is wrong"));
    }
}
