//! A new blackout: once or again and again, what it is about, what becomes of what would have started.

use super::acts::words;
use super::blackouts::times_words;
use crate::clock;
use crate::kit::format::moment;
use crate::kit::{Field, Input, Segmented, Select};
use crate::parts::{ActDialog, Deed};
use stella_contract::blackout::{
    AddBlackout, BlackoutAction, BlackoutTarget, BlackoutTargetKind, BlackoutTimes,
};
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use yew::prelude::*;

/// A blackout as it is being typed.
#[derive(Debug, Clone, PartialEq)]
struct Draft {
    kind: BlackoutTargetKind,
    key: String,
    again: bool,
    start: String,
    end: String,
    cron: String,
    minutes: String,
    zone: String,
    skip: bool,
    drain: String,
}

impl Draft {
    /// One that begins in an hour and lasts an hour.
    fn new(now: Micros) -> Self {
        let text = |at: Micros| at.to_string().get(..16).unwrap_or_default().replace('T', " ");
        Self {
            kind: BlackoutTargetKind::JobType,
            key: String::new(),
            again: false,
            start: text(now.plus_ms(3_600_000)),
            end: text(now.plus_ms(7_200_000)),
            cron: "0 2 * * 1-5".into(),
            minutes: "60".into(),
            zone: "UTC".into(),
            skip: false,
            drain: "0".into(),
        }
    }

    fn key_wrong(&self) -> Option<&'static str> {
        (self.kind != BlackoutTargetKind::Tenant && self.key.trim().is_empty()).then_some(match self.kind {
            BlackoutTargetKind::JobType => "The job type",
            BlackoutTargetKind::Host => "The host, as its source names it",
            BlackoutTargetKind::Source => "The id of the source",
            BlackoutTargetKind::Schedule => "The id of the schedule",
            BlackoutTargetKind::Tenant => "",
        })
    }

    fn whole(text: &str, most: i64) -> Option<i64> {
        text.trim().parse::<i64>().ok().filter(|number| (0..=most).contains(number))
    }

    fn minutes_of(&self) -> Option<i64> {
        Self::whole(&self.minutes, 7 * 24 * 60).filter(|minutes| *minutes > 0)
    }

    fn end_wrong(&self) -> Option<&'static str> {
        match (moment(&self.start), moment(&self.end)) {
            (_, None) => Some("As 2026-11-21 18:00, in UTC"),
            (Some(start), Some(end)) if end <= start => Some("After the beginning"),
            _ => None,
        }
    }

    /// The first thing that is wrong.
    fn wrong(&self) -> Option<&'static str> {
        if self.key_wrong().is_some() {
            return Some("Say what it is about");
        }
        if Self::whole(&self.drain, 24 * 60).is_none() {
            return Some("Say for how many minutes it drains");
        }
        match self.again {
            true if self.cron.split_whitespace().count() != 5 => Some("Cron has five fields"),
            true if self.minutes_of().is_none() => Some("Say how long it lasts"),
            false if moment(&self.start).is_none() => Some("Say when it begins"),
            false if self.end_wrong().is_some() => Some("Say when it ends"),
            _ => None,
        }
    }

    fn wish(&self) -> AddBlackout {
        let (once, again) = (!self.again, self.again);
        let key = if self.kind == BlackoutTargetKind::Tenant { "" } else { self.key.trim() };
        AddBlackout {
            targets: vec![BlackoutTarget { kind: self.kind, key: key.to_owned() }],
            start: moment(&self.start).filter(|_| once),
            end: moment(&self.end).filter(|_| once),
            cron: again.then(|| self.cron.trim().to_owned()),
            duration_s: self.minutes_of().filter(|_| again).map(|minutes| minutes * 60),
            time_zone: again.then(|| self.zone.trim().to_owned()).filter(|zone| !zone.is_empty()),
            action: Some(if self.skip { BlackoutAction::Skip } else { BlackoutAction::Hold }),
            drain_before_s: Self::whole(&self.drain, 24 * 60).map(|minutes| minutes * 60).filter(|s| *s > 0),
        }
    }

    fn times(&self) -> BlackoutTimes {
        let wish = self.wish();
        BlackoutTimes {
            start: wish.start,
            end: wish.end,
            cron: wish.cron,
            duration_s: wish.duration_s,
            time_zone: wish.time_zone,
        }
    }

    fn cli(&self) -> Vec<AttrValue> {
        let wish = self.wish();
        let mut out = words(&["orch", "blackout", "add"]);
        for target in &wish.targets {
            let text = if target.key.is_empty() {
                target.kind.to_string()
            } else {
                format!("{}:{}", target.kind, target.key)
            };
            out.extend(words(&["--target", &text]));
        }
        let mut flag = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                out.extend(words(&[name, &value]));
            }
        };
        flag("--start", wish.start.map(|at| at.to_string()));
        flag("--end", wish.end.map(|at| at.to_string()));
        flag("--cron", wish.cron);
        flag("--duration-s", wish.duration_s.map(|s| s.to_string()));
        flag("--time-zone", wish.time_zone);
        flag("--action", wish.action.map(|action| action.to_string()));
        flag("--drain-before-s", wish.drain_before_s.map(|s| s.to_string()));
        out
    }
}

/// What a [`BlackoutDialog`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct BlackoutDialogProps {
    /// Left, or done.
    pub on_close: Callback<()>,
}

const KINDS: [(BlackoutTargetKind, &str); 5] = [
    (BlackoutTargetKind::JobType, "a job type"),
    (BlackoutTargetKind::Host, "a host"),
    (BlackoutTargetKind::Source, "a source"),
    (BlackoutTargetKind::Schedule, "a schedule"),
    (BlackoutTargetKind::Tenant, "the whole tenant"),
];

/// Asks for all of it.
#[component]
pub(super) fn BlackoutDialog(props: &BlackoutDialogProps) -> Html {
    let draft = use_state(|| Draft::new(clock::now()));
    let deed = {
        let wish = draft.wish();
        Deed::new(move |api, cause| {
            let wish = wish.clone();
            async move { api.add_blackout(&wish, &cause).await.map(|_| "Blackout made".into()) }
        })
    };
    let set = |change: fn(&mut Draft, String)| {
        let draft = draft.clone();
        Callback::from(move |text: String| {
            let mut next = (*draft).clone();
            change(&mut next, text);
            draft.set(next);
        })
    };
    let choose = |change: fn(&mut Draft, String)| set(change).reform(|value: AttrValue| value.to_string());
    let kinds =
        KINDS.map(|(kind, label)| (AttrValue::Static(kind.as_str()), AttrValue::Static(label))).to_vec();
    let pair = |one: (&'static str, &'static str), two: (&'static str, &'static str)| {
        [one, two].map(|(value, label)| (AttrValue::Static(value), AttrValue::Static(label))).to_vec()
    };
    let bad_start = moment(&draft.start).is_none().then_some("As 2026-11-21 18:00, in UTC");
    let form = html! {
        <>
            <div class="pair">
                <Field label="About"><Select value={draft.kind.as_str()} options={kinds}
                    on_change={set(|draft, text| draft.kind = text.parse().unwrap_or(BlackoutTargetKind::JobType))} /></Field>
                if draft.kind != BlackoutTargetKind::Tenant {
                    <Field label="Which" note={draft.key_wrong().map(AttrValue::Static)}>
                        <Input value={draft.key.clone()} on_input={set(|draft, text| draft.key = text)} mono={true} />
                    </Field>
                }
            </div>
            <div class="row wrap">
                <Segmented label="How often" options={pair(("once", "Once"), ("again", "Again and again"))}
                    value={if draft.again { "again" } else { "once" }} on_choose={choose(|draft, text| draft.again = text == "again")} />
                <Segmented label="What becomes of what would have started" options={pair(("hold", "Hold"), ("skip", "Skip fires"))}
                    value={if draft.skip { "skip" } else { "hold" }} on_choose={choose(|draft, text| draft.skip = text == "skip")} />
            </div>
            if draft.again {
                <div class="pair">
                    <Field label="Cron" hint={stella_contract::cron_words::cron_words(&draft.cron)} error={(draft.cron.split_whitespace().count() != 5).then_some("Five fields: minute, hour, day, month, weekday")}>
                        <Input value={draft.cron.clone()} on_input={set(|draft, text| draft.cron = text)} mono={true} />
                    </Field>
                    <Field label="Lasts, minutes" error={draft.minutes_of().is_none().then_some("From 1 to 10,080")}>
                        <Input value={draft.minutes.clone()} on_input={set(|draft, text| draft.minutes = text)} />
                    </Field>
                    <Field label="Time zone"><Input value={draft.zone.clone()} on_input={set(|draft, text| draft.zone = text)} placeholder="UTC" /></Field>
                </div>
            } else {
                <div class="pair">
                    <Field label="From, UTC" error={bad_start}><Input value={draft.start.clone()} on_input={set(|draft, text| draft.start = text)} mono={true} /></Field>
                    <Field label="Until, UTC" error={draft.end_wrong()}><Input value={draft.end.clone()} on_input={set(|draft, text| draft.end = text)} mono={true} /></Field>
                </div>
            }
            <Field label="Drains before, minutes" hint="nothing new starts in this time either" error={Draft::whole(&draft.drain, 24 * 60).is_none().then_some("From 0 to 1,440")}>
                <Input value={draft.drain.clone()} on_input={set(|draft, text| draft.drain = text)} />
            </Field>
            if draft.wrong().is_none() { <p class="sm f2" role="status">{ format!("On {}.", times_words(&draft.times(), clock::now())) }</p> }
        </>
    };
    html! {
        <ActDialog title="New blackout" scope={Scope::OrchQuota} verb="Make blackout" cli={draft.cli()} {deed} {form}
            blocked={draft.wrong().map(AttrValue::Static)} on_close={props.on_close.clone()} />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_blackout_sends_its_ends_and_a_repeated_one_its_cron() {
        let mut draft = Draft { key: " scan.segment ".into(), ..Draft::new(Micros(0)) };
        assert_eq!(draft.wrong(), None);
        let once = draft.wish();
        assert_eq!((once.start, once.cron.as_deref()), (Some(Micros(3_600_000_000)), None));
        assert_eq!(once.targets[0].key, "scan.segment");
        draft.again = true;
        let again = draft.wish();
        assert_eq!((again.start, again.duration_s), (None, Some(3_600)));
        assert_eq!(draft.cli().last().map(AttrValue::as_str), Some("hold"));
    }

    #[test]
    fn what_is_missing_is_named_before_it_is_sent() {
        let whole = Draft { key: "scan.segment".into(), ..Draft::new(Micros(0)) };
        assert_eq!(Draft::new(Micros(0)).wrong(), Some("Say what it is about"));
        assert_eq!(Draft { kind: BlackoutTargetKind::Tenant, ..Draft::new(Micros(0)) }.wrong(), None);
        assert_eq!(Draft { end: whole.start.clone(), ..whole.clone() }.wrong(), Some("Say when it ends"));
        assert_eq!(
            Draft { again: true, cron: "* *".into(), ..whole.clone() }.wrong(),
            Some("Cron has five fields")
        );
        assert_eq!(
            Draft { again: true, minutes: "0".into(), ..whole }.wrong(),
            Some("Say how long it lasts")
        );
    }
}
