//! Changes of the clock, and what they do to fires.

use super::Cron;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use stella_contract::schedule::{ClockChange, ClockChangeKind};
use stella_contract::time::Micros;

/// How far ahead changes are told, in milliseconds: a year and a day.
const AHEAD_MS: i64 = 366 * 24 * 3_600 * 1_000;
/// The changes that are told: one forward, one back.
const MOST: usize = 2;

/// A local time to the minute: `2027-03-28T02:30`.
pub(super) fn local_text(local: DateTime) -> String {
    local.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// How far the clocks of the zone are ahead of UTC at this time.
pub(crate) fn offset_text(cron: &Cron, at: Micros) -> String {
    let offset = Timestamp::from_microsecond(at.0).map_or(Offset::UTC, |at| cron.zone().to_offset(at));
    said(offset)
}

/// `+02:00`.
pub(super) fn said(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// The next changes of the clock within a year, and what each does to the fires.
pub(crate) fn changes(cron: &Cron, now: Micros) -> Vec<ClockChange> {
    let Ok(after) = Timestamp::from_microsecond(now.0) else { return Vec::new() };
    let until = now.plus_ms(AHEAD_MS);
    let mut before = cron.zone().to_offset(after);
    let mut told = Vec::new();
    for change in cron.zone().following(after) {
        let at = Micros(change.timestamp().as_microsecond());
        if at > until || told.len() == MOST {
            break;
        }
        let offset = change.offset();
        // Some changes are of the name only.
        if offset != before {
            told.push(of(cron, change.timestamp(), before, offset));
        }
        before = offset;
    }
    told
}

fn of(cron: &Cron, moment: Timestamp, before: Offset, after: Offset) -> ClockChange {
    let (from, to) = (before.to_datetime(moment), after.to_datetime(moment));
    let kind = if to > from { ClockChangeKind::Gap } else { ClockChangeKind::Repeat };
    ClockChange {
        at: Micros(moment.as_microsecond()),
        kind,
        from_local: local_text(from),
        to_local: local_text(to),
        effect: effect(cron, kind, from, to),
    }
}

fn effect(cron: &Cron, kind: ClockChangeKind, from: DateTime, to: DateTime) -> String {
    let (first, last) = if from < to { (from, to) } else { (to, from) };
    if cron.follows_the_clock() {
        return match kind {
            ClockChangeKind::Gap => {
                "Local times in the gap are passed over; fires follow the clock.".to_owned()
            }
            ClockChangeKind::Repeat => "Fires follow the clock through the repeated time.".to_owned(),
        };
    }
    let just_before = first.checked_sub(jiff::Span::new().microseconds(1)).unwrap_or(first);
    match cron.next_local(just_before).filter(|named| *named < last) {
        Some(named) => {
            let (named, to) = (named.strftime("%H:%M"), to.strftime("%H:%M"));
            match kind {
                ClockChangeKind::Gap => format!("The fire of {named} comes at {to}, right after the gap."),
                ClockChangeKind::Repeat => format!("{named} comes twice; it fires the first time only."),
            }
        }
        None => "No fire is touched.".to_owned(),
    }
}
