//! Coming fires: in UTC, on the clocks of the zone, and in how long; with the rule where a change of the clock moved one.

use crate::kit::format::{clock, date_time};
use crate::kit::{Banner, Countdown, Shape, Tone};
use stella_contract::schedule::{PlannedFire, SchedulePreview};
use stella_contract::time::Micros;
use yew::prelude::*;

/// A time on a zone's clocks, shortly: the time of day, with its date where that is another day than in UTC.
pub fn local_words(fire: &PlannedFire) -> String {
    let (date, time) = (fire.local.get(..10).unwrap_or_default(), fire.local.get(11..16).unwrap_or_default());
    if fire.at.to_string().get(..10) == Some(date) { time.to_owned() } else { format!("{date} {time}") }
}

/// The same in a row's width: another day than in UTC is the one before or after it.
pub(super) fn local_short(fire: &PlannedFire) -> String {
    let (date, time) = (fire.local.get(..10).unwrap_or_default(), fire.local.get(11..16).unwrap_or_default());
    match date.cmp(fire.at.to_string().get(..10).unwrap_or_default()) {
        std::cmp::Ordering::Equal => time.to_owned(),
        std::cmp::Ordering::Greater => format!("{time} +1 d"),
        std::cmp::Ordering::Less => format!("{time} −1 d"),
    }
}

/// A time in UTC, with its date where it is not today.
pub fn utc_words(at: Micros, now: Micros) -> String {
    if at.to_string().get(..10) == now.to_string().get(..10) {
        clock(at)
    } else {
        date_time(at).replacen(":00Z", "Z", 1)
    }
}

/// What [`PlannedFires`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct PlannedFiresProps {
    /// What a cron text does.
    pub preview: SchedulePreview,
}

/// The next fires as a table, the rule at changes of the clock, and what the next ones do.
#[component]
pub fn PlannedFires(props: &PlannedFiresProps) -> Html {
    let preview = &props.preview;
    let place = preview.timezone.rsplit('/').next().unwrap_or("UTC").replace('_', " ");
    html! {
        <>
            <table class="tbl fires">
                <thead><tr><th scope="col"><span class="vh">{ "Number" }</span></th><th scope="col">{ "UTC" }</th><th scope="col">{ place }</th><th scope="col" class="num">{ "In" }</th></tr></thead>
                <tbody>{ for preview.fires.iter().enumerate().map(|(at, fire)| row(at, fire, preview.as_of)) }</tbody>
            </table>
            { for preview.fires.iter().filter_map(|fire| fire.rule.as_ref()).map(|rule| html! {
                <p key={rule.clone()} class="sm k-warn">{ rule }</p>
            }) }
            if let Some(blackout) = &preview.blackout {
                <Banner tone={Tone::Warn} icon={Shape::Crescent} fact={format!("Blackout, {}.", blackout.action)}>
                    { format!("{} to {}{}: {}.", utc_words(blackout.from, preview.as_of), utc_words(blackout.until, preview.as_of),
                        blackout.ticket.as_deref().map(|ticket| format!(", {ticket}")).unwrap_or_default(),
                        crate::kit::format::counted(blackout.fires, "fire falls into it", "fires fall into it")) }
                </Banner>
            }
            <p class="f3 sm">{ &preview.daylight_rule }</p>
            { for preview.clock_changes.iter().map(|change| html! {
                <p key={change.at.0} class="f2 sm"><span class="mono">{ date_time(change.at) }</span>{ format!(" clocks go from {} to {}. {}", time_of(&change.from_local), time_of(&change.to_local), change.effect) }</p>
            }) }
        </>
    }
}

fn time_of(local: &str) -> &str {
    local.get(11..).unwrap_or(local)
}

fn row(at: usize, fire: &PlannedFire, now: Micros) -> Html {
    html! {
        <tr key={fire.at.0}>
            <td class="f3">{ at + 1 }</td>
            <td class="mono">{ utc_words(fire.at, now) }</td>
            <td class="mono" title={format!("{} {}", fire.local, fire.abbreviation)}>{ local_words(fire) }</td>
            <td class="num f2"><Countdown until={fire.at} over="now" /></td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_has_its_date_only_where_it_is_another_day() {
        let fire = |at: &str, local: &str| PlannedFire {
            at: Micros::parse(at).unwrap(),
            local: local.to_owned(),
            abbreviation: "EET".to_owned(),
            rule: None,
        };
        assert_eq!(local_words(&fire("2026-11-21T14:40:00Z", "2026-11-21T16:40+02:00")), "16:40");
        assert_eq!(local_words(&fire("2026-11-21T22:30:00Z", "2026-11-22T00:30+02:00")), "2026-11-22 00:30");
        let short = |at: &str, local: &str| local_short(&fire(at, local));
        assert_eq!(short("2026-11-21T14:40:00Z", "2026-11-21T16:40+02:00"), "16:40");
        assert_eq!(short("2026-11-21T22:30:00Z", "2026-11-22T00:30+02:00"), "00:30 +1 d");
        assert_eq!(short("2026-11-22T01:30:00Z", "2026-11-21T20:30-05:00"), "20:30 −1 d");
    }
}
