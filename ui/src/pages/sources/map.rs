//! The gap map as numbers: event time cut into days or hours, and what is known of each.

use crate::kit::format::{count, duration};
use crate::kit::{MapCell, MapFill};
use crate::router::Query;
use std::rc::Rc;
use stella_contract::time::Micros;
use stella_contract::watermark::{Stretch, StretchState, Watermarks, Window};

pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: i64 = 24 * HOUR;
/// Days in a column of the map.
pub(super) const WEEK: usize = 7;
/// Weeks that the name of a month takes.
const ROOM: usize = 3;
/// Weeks that are shown at once.
const WEEKS: i64 = 53;

/// A slot of the map and how much of it is in which state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    /// When it is.
    pub window: Window,
    /// How long each state lasts in it, in the order of [`StretchState::ALL`].
    amounts: [i64; StretchState::ALL.len()],
}

impl Slot {
    fn of(window: Window, stretches: &[Stretch]) -> Self {
        let mut amounts = [0; StretchState::ALL.len()];
        for stretch in stretches {
            let common = Window { start: stretch.start, end: stretch.end }.common(window);
            amounts[place(stretch.state)] += common.map_or(0, |common| common.end.0 - common.start.0);
        }
        Self { window, amounts }
    }

    fn amount(&self, state: StretchState) -> i64 {
        self.amounts[place(state)]
    }

    /// The worst of it is what is drawn.
    fn fill(&self) -> MapFill {
        let whole = self.window.end.0 - self.window.start.0;
        let covered = self.amount(StretchState::Covered);
        match () {
            () if self.amount(StretchState::Failed) > 0 => MapFill::Crossed,
            () if self.amount(StretchState::Gap) > 0 => MapFill::Struck,
            () if self.amount(StretchState::Running) > 0 => MapFill::Live,
            // The newest slot ends later than the map: what is not known of it yet is not missing.
            () if covered > 0 && self.amount(StretchState::Missing) == 0 => MapFill::Full,
            () if covered > 0 => MapFill::Part(covered as f64 / whole as f64),
            () => MapFill::Empty,
        }
    }

    /// In words.
    fn said(&self, name: &str) -> String {
        let known: Vec<&StretchState> =
            StretchState::ALL.iter().filter(|state| self.amount(**state) > 0).collect();
        match known.as_slice() {
            [] => format!("{name}: not asked for yet"),
            [one] => format!("{name}: {}", word(**one)),
            many => {
                let parts: Vec<String> = many
                    .iter()
                    .map(|state| format!("{} {}", word(**state), duration(self.amount(**state) / 1_000)))
                    .collect();
                format!("{name}: {}", parts.join(", "))
            }
        }
    }
}

const fn place(state: StretchState) -> usize {
    match state {
        StretchState::Covered => 0,
        StretchState::Missing => 1,
        StretchState::Gap => 2,
        StretchState::Failed => 3,
        StretchState::Running => 4,
    }
}

/// A state in words for people.
pub(super) const fn word(state: StretchState) -> &'static str {
    match state {
        StretchState::Covered => "covered",
        StretchState::Missing => "missing",
        StretchState::Gap => "skipped",
        StretchState::Failed => "failed",
        StretchState::Running => "being read",
    }
}

/// The day a moment is in.
pub(super) fn day_of(at: Micros) -> Micros {
    Micros(at.0.div_euclid(DAY) * DAY)
}

/// The days of the map, at most 53 weeks of them that end with `until`.
pub(super) fn days(marks: &Watermarks, until: Option<Micros>) -> Vec<Slot> {
    let last = until.unwrap_or(marks.to).min(marks.to);
    let end = day_of(Micros(last.0 + DAY - 1));
    let start = day_of(marks.from).max(Micros(end.0 - WEEKS * WEEK as i64 * DAY));
    slots(Window { start, end }, DAY, &marks.stretches)
}

/// The hours of a day.
pub(super) fn hours(day: Micros, stretches: &[Stretch]) -> Vec<Slot> {
    slots(Window { start: day, end: Micros(day.0 + DAY) }, HOUR, stretches)
}

/// Cuts a stretch of time into equal slots; the stretches lie in order, so that each slot looks at its own only.
fn slots(whole: Window, length: i64, stretches: &[Stretch]) -> Vec<Slot> {
    let mut first = 0;
    let mut out = Vec::new();
    let mut start = whole.start;
    while start < whole.end {
        let window = Window { start, end: Micros(start.0 + length) };
        while stretches.get(first).is_some_and(|stretch| stretch.end <= start) {
            first += 1;
        }
        let from_here = stretches.get(first..).unwrap_or_default();
        let own = from_here.iter().take_while(|stretch| stretch.start < window.end).count();
        out.push(Slot::of(window, &from_here[..own]));
        start = window.end;
    }
    out
}

/// The cells of a map of days.
pub(super) fn day_cells(slots: &[Slot]) -> Rc<Vec<MapCell>> {
    cells(slots, |slot| slot.window.start.to_string().get(..10).unwrap_or_default().to_owned())
}

/// The cells of a map of hours.
pub(super) fn hour_cells(slots: &[Slot]) -> Rc<Vec<MapCell>> {
    cells(slots, |slot| format!("{}Z", slot.window.start.to_string().get(11..16).unwrap_or_default()))
}

fn cells(slots: &[Slot], name: impl Fn(&Slot) -> String) -> Rc<Vec<MapCell>> {
    Rc::new(
        slots
            .iter()
            .map(|slot| MapCell { label: slot.said(&name(slot)).into(), fill: slot.fill() })
            .collect(),
    )
}

/// How many days of the first week come before the first slot; weeks begin on Monday.
pub(super) fn lead(slots: &[Slot]) -> usize {
    // The epoch was a Thursday.
    slots.first().map_or(0, |slot| (slot.window.start.0.div_euclid(DAY) + 3).rem_euclid(7) as usize)
}

/// The names of the months above the weeks in which they begin, where there is room for them.
pub(super) fn months(slots: &[Slot]) -> Vec<(usize, String)> {
    let lead = lead(slots);
    let mut out: Vec<(usize, String)> = Vec::new();
    for (at, slot) in slots.iter().enumerate() {
        let text = slot.window.start.to_string();
        let (month, first) = (text.get(..7).unwrap_or_default(), text.get(8..10) == Some("01"));
        let column = (lead + at) / WEEK;
        if first && out.len() == 1 && out.first().is_some_and(|(before, _)| column < before + ROOM) {
            // A month of which only days are left gives way to the next.
            out.clear();
        }
        let room = out.last().is_none_or(|(before, _)| column >= before + ROOM);
        if (first || at == 0) && room {
            out.push((column, month.to_owned()));
        }
    }
    out
}

/// The stretches an operator may want to read again, the newest first.
pub(super) fn wanting(marks: &Watermarks) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = marks
        .stretches
        .iter()
        .filter(|stretch| match stretch.state {
            StretchState::Gap | StretchState::Failed | StretchState::Missing => true,
            StretchState::Covered | StretchState::Running => false,
        })
        .cloned()
        .collect();
    out.reverse();
    out
}

/// The chosen range, as the address has it.
pub(super) fn chosen(query: &Query) -> Option<Window> {
    Window::between(moment(query.get("from")?)?, moment(query.get("to")?)?)
}

/// The address with a range chosen.
pub(super) fn choosing(query: &Query, window: Option<Window>) -> Query {
    match window {
        Some(window) => query.with("from", written(window.start)).with("to", written(window.end)),
        None => query.without("from").without("to"),
    }
}

/// A day, or a day and a time, as a person writes it.
pub(in crate::pages) fn moment(text: &str) -> Option<Micros> {
    let text = text.trim();
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        // 2026-11-21T14:00Z and the like, which want their seconds.
        17 if text.ends_with('Z') => format!("{}:00Z", &text[..16]),
        16 => format!("{}:00Z", text.replace(' ', "T")),
        _ => text.to_owned(),
    };
    Micros::parse(&whole)
}

/// The shortest way to write a moment.
pub(in crate::pages) fn written(at: Micros) -> String {
    let text = at.to_string();
    match (at.0.rem_euclid(DAY), at.0.rem_euclid(60_000_000)) {
        (0, _) => text.get(..10).unwrap_or_default().to_owned(),
        (_, 0) => format!("{}Z", text.get(..16).unwrap_or_default()),
        _ => text,
    }
}

/// Which slots a range takes up.
pub(super) fn picked(slots: &[Slot], window: Option<Window>) -> Option<(usize, usize)> {
    let window = window?;
    let first = slots.iter().position(|slot| slot.window.meets(window))?;
    let last = slots.iter().rposition(|slot| slot.window.meets(window))?;
    Some((first, last))
}

/// The range that slots stand for.
pub(super) fn window_of(slots: &[Slot], (first, last): (usize, usize)) -> Option<Window> {
    Window::between(slots.get(first)?.window.start, slots.get(last)?.window.end)
}

/// What is known of a range, in words: `5 d 00 h, of it missing 3 d 00 h, skipped 6 h 00 m`.
pub(super) fn summary(window: Window, stretches: &[Stretch]) -> String {
    let slot = Slot::of(window, stretches);
    let length = duration((window.end.0 - window.start.0) / 1_000);
    let parts: Vec<String> = StretchState::ALL
        .iter()
        .filter(|state| slot.amount(**state) > 0)
        .map(|state| format!("{} {}", word(*state), duration(slot.amount(*state) / 1_000)))
        .collect();
    match parts.as_slice() {
        [] => format!("{length}, not asked for yet"),
        parts => format!("{length}: {}", parts.join(", ")),
    }
}

/// How long all stretches of a state are together, and how many there are: `3 stretches, 2 d 04 h`.
pub(super) fn total(marks: &Watermarks, state: StretchState) -> Option<String> {
    let of: Vec<&Stretch> = marks.stretches.iter().filter(|stretch| stretch.state == state).collect();
    let length: i64 = of.iter().map(|stretch| stretch.end.0 - stretch.start.0).sum();
    (!of.is_empty()).then(|| {
        let noun = if of.len() == 1 { "stretch" } else { "stretches" };
        format!("{} {noun}, {}", count(of.len() as i64), duration(length / 1_000))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        moment(text).unwrap()
    }

    fn stretch(start: &str, end: &str, state: StretchState) -> Stretch {
        Stretch { start: at(start), end: at(end), state }
    }

    fn marks() -> Watermarks {
        Watermarks {
            source_id: "src_01890000-0000-7000-8000-000000000000".parse().unwrap(),
            from: at("2026-11-01"),
            to: at("2026-11-08T12:00Z"),
            items: Vec::new(),
            stretches: vec![
                stretch("2026-11-01", "2026-11-03", StretchState::Missing),
                stretch("2026-11-03", "2026-11-04T06:00Z", StretchState::Covered),
                stretch("2026-11-04T06:00Z", "2026-11-05", StretchState::Missing),
                stretch("2026-11-05", "2026-11-05T01:00Z", StretchState::Gap),
                stretch("2026-11-05T01:00Z", "2026-11-06", StretchState::Covered),
                stretch("2026-11-06", "2026-11-07", StretchState::Failed),
                stretch("2026-11-07", "2026-11-08T12:00Z", StretchState::Covered),
            ],
        }
    }

    #[test]
    fn a_day_shows_the_worst_that_is_known_of_it() {
        let days = days(&marks(), None);
        let fills: Vec<MapFill> = days.iter().map(Slot::fill).collect();
        assert_eq!(
            fills,
            [
                MapFill::Empty,
                MapFill::Empty,
                MapFill::Full,
                MapFill::Part(0.25),
                MapFill::Struck,
                MapFill::Crossed,
                MapFill::Full,
                MapFill::Full,
            ]
        );
        assert_eq!(day_cells(&days)[3].label, "2026-11-04: covered 6 h 00 m, missing 18 h 00 m");
        assert_eq!(day_cells(&days)[5].label, "2026-11-06: failed");
        assert_eq!(lead(&days), 6, "the first of November 2026 is a Sunday");
    }

    #[test]
    fn a_long_past_is_shown_a_year_at_a_time() {
        let long = Watermarks { from: at("2020-01-01"), ..marks() };
        let newest = days(&long, None);
        assert_eq!(newest.len(), 53 * 7);
        let older = days(&long, Some(newest[0].window.start));
        assert_eq!(older.last().map(|slot| slot.window.end), Some(newest[0].window.start));
        assert!(months(&newest).windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_range_reads_back_from_the_address_and_marks_its_cells() {
        let window = Window { start: at("2026-11-04"), end: at("2026-11-06") };
        let query = choosing(&Query::default(), Some(window));
        assert_eq!(query.to_string(), "?from=2026-11-04&to=2026-11-06");
        assert_eq!(chosen(&query), Some(window));
        let days = days(&marks(), None);
        assert_eq!(picked(&days, Some(window)), Some((3, 4)));
        assert_eq!(window_of(&days, (3, 4)), Some(window));
        let hour = Window { start: at("2026-11-05"), end: at("2026-11-05T01:00Z") };
        assert_eq!(choosing(&Query::default(), Some(hour)).get("to"), Some("2026-11-05T01:00Z"));
        assert_eq!(picked(&hours(at("2026-11-05"), &marks().stretches), Some(hour)), Some((0, 0)));
        assert_eq!(chosen(&Query::parse("?from=2026-11-06&to=2026-11-06")), None);
    }

    #[test]
    fn what_is_wanting_is_listed_newest_first_and_a_range_says_what_it_lacks() {
        let marks = marks();
        let states: Vec<StretchState> = wanting(&marks).iter().map(|stretch| stretch.state).collect();
        use StretchState as S;
        assert_eq!(states, [S::Failed, S::Gap, S::Missing, S::Missing]);
        let window = Window { start: at("2026-11-05"), end: at("2026-11-07") };
        assert_eq!(
            summary(window, &marks.stretches),
            "2 d 00 h: covered 23 h 00 m, skipped 1 h 00 m, failed 1 d 00 h"
        );
        assert_eq!(total(&marks, S::Missing).as_deref(), Some("2 stretches, 2 d 18 h"));
        assert_eq!(total(&marks, S::Running), None);
    }
}
