//! Blackouts: what they are about, when in words, and where they stand in the next 24 hours.

use super::acts::LimitAct;
use crate::kit::format::{clock_or_date, duration};
use crate::kit::{Button, ButtonKind, Countdown, Shape, Tone};
use crate::parts::mark;
use stella_contract::blackout::{Blackout, BlackoutTarget, BlackoutTargetKind, BlackoutTimes};
use stella_contract::cron_words::cron_words;
use stella_contract::time::Micros;
use yew::prelude::*;

/// How much of the future the strip shows.
const AHEAD_MS: i64 = 24 * 3_600_000;
/// And of the past, so that one that is on shows where it began.
const BEHIND_MS: i64 = 2 * 3_600_000;

/// All blackouts, those that are on or come next first.
pub(super) fn blackouts(all: &[Blackout], now: Micros, add: Html, act: Option<&Callback<LimitAct>>) -> Html {
    let mut sorted: Vec<&Blackout> = all.iter().collect();
    sorted.sort_by_key(|one| (!one.active, one.span.map_or(i64::MAX, |span| span.from.0)));
    html! {
        <section class="sec" id="blackouts" aria-label="Blackouts">
            <div class="sec-h"><h2>{ "Blackouts" }</h2><span class="note">{ "next 24 h; filled = on now" }</span><span class="grow"></span>{ add }</div>
            if sorted.is_empty() {
                <p class="f3 sm">{ "None is planned." }</p>
            } else {
                <table class="tbl blackouts">
                    <thead><tr><th scope="col">{ "What, how" }</th><th scope="col">{ axis(now) }</th><th scope="col">{ "When" }</th><th scope="col"><span class="vh">{ "Remove" }</span></th></tr></thead>
                    <tbody>{ for sorted.into_iter().map(|one| row(one, now, act)) }</tbody>
                </table>
            }
        </section>
    }
}

fn row(one: &Blackout, now: Micros, act: Option<&Callback<LimitAct>>) -> Html {
    let about = one.targets.iter().map(target_words).collect::<Vec<_>>().join(", ");
    let (shape, tone) =
        if one.active { (Shape::Crescent, Tone::Warn) } else { (Shape::Crescent, Tone::Idle) };
    let remove = LimitAct::DeleteBlackout(one.clone());
    let ticket = one.ticket.as_deref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
    html! {
        <tr key={one.blackout_id.to_string()} title={format!("{}{ticket}, by {}", one.reason, one.created_by)}>
            <td>{ mark(shape, tone, &format!("{about}, {}", one.action), false, false) }</td>
            <td>{ strip(one, now) }</td>
            <td class="f2">
                { times_words(&one.times, now) }
                if one.drain_before_s > 0 { { format!(", drains {} before", duration(one.drain_before_s * 1_000)) } }
                if let Some(span) = one.span.filter(|_| one.active) { <span class="k-warn">{ ", ends in " }<Countdown until={span.until} over="a moment" /></span> }
            </td>
            <td class="num acts">{ match act {
                Some(act) => html! { <Button small={true} kind={ButtonKind::Ghost} on_click={act.reform(move |()| remove.clone())}>{ "Remove…" }</Button> },
                None => Html::default(),
            } }</td>
        </tr>
    }
}

/// What a target is called.
pub(super) fn target_words(target: &BlackoutTarget) -> String {
    match target.kind {
        BlackoutTargetKind::Tenant => "tenant".to_owned(),
        BlackoutTargetKind::Source => format!("source {}", crate::kit::format::short_id(&target.key)),
        BlackoutTargetKind::Host | BlackoutTargetKind::JobType => target.key.clone(),
        BlackoutTargetKind::Schedule => format!("schedule {}", crate::kit::format::short_id(&target.key)),
    }
}

/// When it is on, in words.
pub(super) fn times_words(times: &BlackoutTimes, now: Micros) -> String {
    match (times.start, times.end, &times.cron) {
        (_, _, Some(cron)) => {
            let when = cron_words(cron).unwrap_or_else(|| cron.clone());
            let long = times.duration_s.map_or_else(String::new, |s| format!(" for {}", duration(s * 1_000)));
            format!("{when}{long}, {}", times.time_zone.as_deref().unwrap_or("UTC"))
        }
        (Some(start), Some(end), None) => {
            format!("{} to {}", clock_or_date(start, now), clock_or_date(end, now))
        }
        (Some(start), None, None) => format!("from {}", clock_or_date(start, now)),
        (None, Some(end), None) => format!("until {}", clock_or_date(end, now)),
        (None, None, None) => "never".to_owned(),
    }
}

/// Where a moment stands in the strip, in percent.
fn place(at: Micros, now: Micros) -> f64 {
    let from = now.minus_ms(BEHIND_MS);
    (at.ms_since(from) as f64 / (BEHIND_MS + AHEAD_MS) as f64 * 100.0).clamp(0.0, 100.0)
}

fn strip(one: &Blackout, now: Micros) -> Html {
    let bar = one.span.filter(|span| span.from < now.plus_ms(AHEAD_MS)).map(|span| {
        let (from, to) = (place(span.from, now), place(span.until, now));
        html! { <rect class={if one.active { "on" } else { "off" }} x={percent(from)} width={percent((to - from).max(1.0))} y="4.5" height="9" rx="2" /> }
    });
    html! {
        <svg class="ch strip-24" width="100%" height="18" aria-hidden="true">
            { bar.unwrap_or_default() }
            <line class="now" x1={percent(place(now, now))} x2={percent(place(now, now))} y1="0" y2="18" />
        </svg>
    }
}

/// Every sixth hour over the strips.
fn axis(now: Micros) -> Html {
    const STEP: i64 = 6 * 3_600 * 1_000_000;
    let first = (now.0.div_euclid(STEP) + 1) * STEP;
    let hours = (0..4).map(|at| Micros(first + at * STEP)).filter(|at| place(*at, now) < 97.0);
    html! {
        <svg class="ch" width="100%" height="16" role="img" aria-label="Next 24 hours">
            { for hours.map(|at| {
                let text = at.to_string().get(11..16).unwrap_or_default().to_owned();
                html! { <text key={text.clone()} class="m" x={percent(place(at, now))} y="12">{ text }</text> }
            }) }
        </svg>
    }
}

fn percent(share: f64) -> String {
    format!("{share:.1}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blackout_is_told_in_words_once_and_again() {
        let at = |hour: i64| Some(Micros(hour * 3_600_000_000));
        let once = BlackoutTimes { start: at(10), end: at(12), ..BlackoutTimes::default() };
        assert_eq!(times_words(&once, Micros(0)), "10:00:00Z to 12:00:00Z");
        let again = BlackoutTimes {
            cron: Some("0 2 * * 1-5".into()),
            duration_s: Some(7_200),
            time_zone: Some("Europe/Sofia".into()),
            ..BlackoutTimes::default()
        };
        assert_eq!(times_words(&again, Micros(0)), "at 02:00 on Monday to Friday for 2 h 00 m, Europe/Sofia");
        let odd = BlackoutTimes { cron: Some("0 2 L * *".into()), ..BlackoutTimes::default() };
        assert_eq!(times_words(&odd, Micros(0)), "0 2 L * *, UTC");
    }

    #[test]
    fn the_strip_begins_two_hours_ago_and_ends_in_a_day() {
        let now = Micros(100 * 3_600_000_000);
        assert!((place(now, now) - 100.0 * 2.0 / 26.0).abs() < 0.01);
        assert_eq!(place(now.plus_ms(AHEAD_MS * 2), now), 100.0);
        assert_eq!(place(now.minus_ms(AHEAD_MS), now), 0.0);
    }
}
