//! The values of the filter grammar that are more than a word: patterns and ranges.

use crate::time::Micros;
use std::fmt;

const DAY_US: i64 = 86_400_000_000;

/// A text, or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This text.
    Exactly(String),
    /// Any text that begins so.
    Starting(String),
}

impl Pattern {
    fn read(text: &str, is_sound: impl Fn(&str) -> bool) -> Option<Self> {
        let (stem, make): (&str, fn(String) -> Self) = match text.strip_suffix('*') {
            Some(stem) => (stem, Self::Starting),
            None => (text, Self::Exactly),
        };
        (!stem.is_empty() && stem.len() <= 64 && is_sound(stem)).then(|| make(stem.to_owned()))
    }
    /// Reads a job type or its beginning.
    pub fn of_type(text: &str) -> Option<Self> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        Self::read(text, |stem| stem.as_bytes()[0].is_ascii_lowercase() && stem.bytes().all(letter))
    }
    /// Reads an error code or its beginning.
    pub fn of_code(text: &str) -> Option<Self> {
        Self::read(text, |stem| {
            stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(text) => f.write_str(text),
            Self::Starting(stem) => write!(f, "{stem}*"),
        }
    }
}

/// How a range is written: one value, a bound, or two ends.
enum Written<'a> {
    One(&'a str),
    Over(&'a str),
    From(&'a str),
    Under(&'a str),
    UpTo(&'a str),
    Between(&'a str, &'a str),
}

impl<'a> Written<'a> {
    fn of(text: &'a str) -> Self {
        if let Some((from, to)) = text.split_once("..") {
            return match (from, to) {
                ("", to) => Self::UpTo(to),
                (from, "") => Self::From(from),
                (from, to) => Self::Between(from, to),
            };
        }
        let after = |sign: &str| text.strip_prefix(sign);
        if let Some(value) = after(">=") {
            return Self::From(value);
        }
        if let Some(value) = after("<=") {
            return Self::UpTo(value);
        }
        if let Some(value) = after(">") {
            return Self::Over(value);
        }
        if let Some(value) = after("<") {
            return Self::Under(value);
        }
        Self::One(text)
    }
}

/// Priorities from 0 to 100, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorityRange {
    /// The lowest.
    pub least: i32,
    /// The highest.
    pub most: i32,
}

impl PriorityRange {
    /// Reads `50`, `>=75`, `<25`, `25..75`.
    pub fn read(text: &str) -> Option<Self> {
        let number = |text: &str| -> Option<i32> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && (0..=100).contains(number))
        };
        let (least, most) = match Written::of(text) {
            Written::One(value) => (number(value)?, number(value)?),
            Written::From(value) => (number(value)?, 100),
            Written::Over(value) => (number(value)? + 1, 100),
            Written::UpTo(value) => (0, number(value)?),
            Written::Under(value) => (0, number(value)? - 1),
            Written::Between(least, most) => (number(least)?, number(most)?),
        };
        (least <= most).then_some(Self { least, most })
    }
}

impl fmt::Display for PriorityRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(f, "{least}"),
            (least, 100) => write!(f, ">={least}"),
            (0, most) => write!(f, "<={most}"),
            (least, most) => write!(f, "{least}..{most}"),
        }
    }
}

/// How long ago, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeRange {
    /// At least so long ago.
    pub least_s: Option<i64>,
    /// At most so long ago.
    pub most_s: Option<i64>,
}

impl AgeRange {
    /// Reads `>1h`, `<24h`, `1h..2d`.
    pub fn read(text: &str) -> Option<Self> {
        let (least_s, most_s) = match Written::of(text) {
            Written::One(_) => return None,
            Written::Over(value) | Written::From(value) => (Some(seconds(value)?), None),
            Written::Under(value) | Written::UpTo(value) => (None, Some(seconds(value)?)),
            Written::Between(least, most) => (Some(seconds(least)?), Some(seconds(most)?)),
        };
        let is_range = least_s.zip(most_s).is_none_or(|(least, most)| least <= most);
        is_range.then_some(Self { least_s, most_s })
    }
    /// The times that are so long ago at `now`.
    pub fn before(self, now: Micros) -> TimeRange {
        let ago = |seconds: i64| Micros(now.0.saturating_sub(seconds.saturating_mul(1_000_000)));
        TimeRange {
            from: self.most_s.map(ago),
            // The end of a range of times is not in it.
            until: self.least_s.map(|seconds| Micros(ago(seconds).0.saturating_add(1))),
        }
    }
}

impl fmt::Display for AgeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least_s, self.most_s) {
            (Some(least), Some(most)) => write!(f, "{}..{}", duration(least), duration(most)),
            (Some(least), None) => write!(f, ">{}", duration(least)),
            (None, Some(most)) => write!(f, "<{}", duration(most)),
            (None, None) => f.write_str(">0s"),
        }
    }
}

/// Longer than this nothing is kept.
const LONGEST_S: i64 = 100 * 366 * 86_400;

fn seconds(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| sound)?;
    number.checked_mul(unit).filter(|seconds| *seconds <= LONGEST_S)
}

/// In the largest unit that loses nothing; a day is said in hours.
fn duration(seconds: i64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let fits = |unit: i64| seconds != 0 && seconds % unit == 0 && (unit != 86_400 || seconds > 86_400);
    match units.into_iter().find(|(unit, _)| fits(*unit)) {
        Some((unit, letter)) => format!("{}{letter}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

/// Times from the first on and before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// From here on.
    pub from: Option<Micros>,
    /// Up to here; here is outside.
    pub until: Option<Micros>,
}

/// A day or a time, as two ends: a day is all of it.
struct Moment {
    start: Micros,
    end: Micros,
}

impl Moment {
    fn read(text: &str) -> Option<Self> {
        if text.len() == 10 {
            let start = Micros::parse(&format!("{text}T00:00:00Z"))?;
            return Some(Self { start, end: Micros(start.0 + DAY_US) });
        }
        let at = Micros::parse(text)?;
        // What is said has milliseconds.
        let start = Micros(at.0.div_euclid(1_000) * 1_000);
        Some(Self { start, end: start })
    }
}

impl TimeRange {
    /// Reads `2026-11-20`, `>=2026-11-20`, `2026-11-20..2026-11-21`, and the same with times. A last day is included, a
    /// last time is not.
    pub fn read(text: &str) -> Option<Self> {
        let (from, until) = match Written::of(text) {
            Written::One(value) => {
                let moment = Moment::read(value)?;
                (Some(moment.start), Some(moment.end))
            }
            Written::From(value) => (Some(Moment::read(value)?.start), None),
            Written::Over(value) => (Some(Moment::read(value)?.end), None),
            Written::UpTo(value) => (None, Some(Moment::read(value)?.end)),
            Written::Under(value) => (None, Some(Moment::read(value)?.start)),
            Written::Between(from, to) => (Some(Moment::read(from)?.start), Some(Moment::read(to)?.end)),
        };
        let is_range = from.zip(until).is_none_or(|(from, until)| from < until);
        is_range.then_some(Self { from, until })
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_day = |at: Micros| at.0.rem_euclid(DAY_US) == 0;
        let day = |at: Micros| at.to_string()[..10].to_owned();
        let last = |at: Micros| day(Micros(at.0 - DAY_US));
        match (self.from, self.until) {
            (Some(from), Some(until)) if is_day(from) && is_day(until) => {
                if until.0 - from.0 == DAY_US {
                    return f.write_str(&day(from));
                }
                write!(f, "{}..{}", day(from), last(until))
            }
            (Some(from), Some(until)) => write!(f, "{from}..{until}"),
            (Some(from), None) if is_day(from) => write!(f, ">={}", day(from)),
            (Some(from), None) => write!(f, ">={from}"),
            (None, Some(until)) if is_day(until) => write!(f, "<{}", day(until)),
            (None, Some(until)) => write!(f, "<{until}"),
            (None, None) => f.write_str(">=1970-01-01"),
        }
    }
}
