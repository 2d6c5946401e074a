//! Cron in a zone. Which local times an expression names is known by the crate that reads it; when these are, at changes
//! of the clock, is decided here, because the rule is ours (spec 05 §5.2) and the crate has another:
//!
//! * a local time that is left out fires at the first moment after the gap;
//! * a local time that comes twice fires once, the first time;
//! * where minute or hour begins with `*`, fires follow the clock: every hour is a real hour.

mod change;
mod fires;

pub(crate) use change::{changes, offset_text};

use change::local_text;

use cronexpr::{Crontab, MakeTimestamp};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use stella_contract::cron_words::SHORTHANDS;
use stella_contract::error::{Code, FieldProblem};
use stella_contract::time::Micros;

use crate::error::Error;

/// The fields, as clients and operators call them, and what each may be.
const FIELDS: [(&str, &str, &str); 5] = [
    ("minute", "minute", "0 to 59"),
    ("hour", "hour", "0 to 23"),
    ("dayOfMonth", "day of the month", "1 to 31"),
    ("month", "month", "1 to 12 or JAN to DEC"),
    ("dayOfWeek", "day of the week", "0 to 7 or SUN to SAT"),
];
/// The crate looks four years ahead. The 29th of February on a given weekday may be forty years away.
const YEARS_AT_ONCE: i32 = 4;
const LOOKS: usize = 11;

/// When something happens again and again, in a zone.
#[derive(Debug, Clone)]
pub(crate) struct Cron {
    /// The expression, read as if every place were in UTC.
    local: Crontab,
    zone: TimeZone,
    zone_name: String,
    /// Whether minute or hour begins with `*`.
    follows_the_clock: bool,
}

/// Why a text is no cron, or a zone no zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CronProblem {
    /// This field, or the whole text, cannot be read.
    Text {
        /// `cron` or `cron.<field>`.
        field: String,
        /// What is wrong, in a sentence.
        why: String,
    },
    /// There is no such zone.
    Zone(String),
}

impl CronProblem {
    fn text(field: &str, why: String) -> Self {
        let field = if field.is_empty() { "cron".to_owned() } else { format!("cron.{field}") };
        Self::Text { field, why }
    }
}

impl From<CronProblem> for Error {
    fn from(problem: CronProblem) -> Self {
        match problem {
            CronProblem::Text { field, why } => {
                let of_field =
                    FieldProblem { field, code: Code::CronInvalid.as_str().to_owned(), message: why.clone() };
                Self::new(Code::CronInvalid, why).with_fields(vec![of_field])
            }
            CronProblem::Zone(why) => Self::invalid("timezone", why),
        }
    }
}

impl Cron {
    /// Reads five fields or a shorthand, in this zone of the IANA database.
    pub(crate) fn read(text: &str, zone: &str) -> Result<Self, CronProblem> {
        let text = text.trim();
        let fields = match SHORTHANDS.iter().find(|(name, _)| *name == text) {
            Some((_, fields)) => fields,
            None => text,
        };
        let parts = five(fields)?;
        for (at, part) in parts.iter().enumerate() {
            check_field(at, part)?;
        }
        let local = cronexpr::parse_crontab(&format!("{} UTC", parts.join(" ")))
            .map_err(|error| CronProblem::text("", format!("The cron text cannot be read: {error}.")))?;
        let zone = zone_of(zone)?;
        let zone_name = zone.iana_name().unwrap_or("UTC").to_owned();
        let follows_the_clock = parts[0].starts_with('*') || parts[1].starts_with('*');
        let cron = Self { local, zone, zone_name, follows_the_clock };
        if cron.next(Micros(0)).is_none() {
            let why = format!("`{}` of month `{}` never comes.", parts[2], parts[3]);
            return Err(CronProblem::text(FIELDS[2].0, why));
        }
        Ok(cron)
    }

    /// The zone, as the database spells it.
    pub(crate) fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The zone.
    pub(crate) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether fires follow the clock through its changes.
    pub(crate) const fn follows_the_clock(&self) -> bool {
        self.follows_the_clock
    }

    /// The first fire after this time.
    pub(crate) fn next(&self, after: Micros) -> Option<Micros> {
        let after = Timestamp::from_microsecond(after.0).ok()?;
        let fire = if self.follows_the_clock { self.next_moving(after) } else { self.next_fixed(after) }?;
        Some(Micros(fire.as_microsecond()))
    }

    /// The fires after this time, without an end.
    pub(crate) fn after(&self, after: Micros) -> impl Iterator<Item = Micros> + '_ {
        std::iter::successors(self.next(after), |fire| self.next(*fire))
    }

    /// Local times stand for moments in their order, so the first named local time that stands for a later moment is it.
    fn next_fixed(&self, after: Timestamp) -> Option<Timestamp> {
        let mut local = self.zone.to_datetime(after);
        loop {
            local = self.next_local(local)?;
            let moment = moment_of(&self.zone, local)?;
            if moment > after {
                return Some(moment);
            }
        }
    }

    /// Between two changes of the clock, local times and moments go hand in hand.
    fn next_moving(&self, after: Timestamp) -> Option<Timestamp> {
        let mut offset = self.zone.to_offset(after);
        let mut before = offset.to_datetime(after);
        let mut changes = self.zone.following(after);
        loop {
            let moment = offset.to_timestamp(self.next_local(before)?).ok()?;
            match changes.next() {
                Some(change) if moment >= change.timestamp() => {
                    offset = change.offset();
                    // The moment of the change itself may be named, too.
                    before = offset.to_datetime(change.timestamp()).checked_sub(1.microsecond()).ok()?;
                }
                Some(_) | None => return Some(moment),
            }
        }
    }

    /// The first named local time after this one.
    fn next_local(&self, after: DateTime) -> Option<DateTime> {
        let mut from = Offset::UTC.to_timestamp(after).ok()?;
        for _ in 0..LOOKS {
            if let Ok(found) = self.local.find_next(MakeTimestamp(from)) {
                return Some(found.datetime());
            }
            let later = Offset::UTC.to_datetime(from).checked_add(YEARS_AT_ONCE.years()).ok()?;
            from = Offset::UTC.to_timestamp(later).ok()?;
        }
        None
    }
}

/// The moment for which a local time stands.
fn moment_of(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    use jiff::tz::AmbiguousOffset;
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        // Read with the offset from before the gap it lies behind it, with the one from after before it.
        AmbiguousOffset::Gap { after, .. } => {
            let inside = after.to_timestamp(local).ok()?;
            Some(zone.following(inside).next()?.timestamp())
        }
    }
}

fn five(fields: &str) -> Result<Vec<&str>, CronProblem> {
    let parts: Vec<&str> = fields.split_whitespace().collect();
    if fields.starts_with('@') {
        let known: Vec<&str> = SHORTHANDS.iter().map(|(name, _)| *name).collect();
        let why = format!("`{fields}` is not known. There are {}.", known.join(", "));
        return Err(CronProblem::text("", why));
    }
    match FIELDS.get(parts.len()) {
        Some((field, name, _)) => {
            let why = format!(
                "The {name} is missing: five fields are minute, hour, day, month, weekday; {} came.",
                parts.len()
            );
            Err(CronProblem::text(field, why))
        }
        None if parts.len() > FIELDS.len() => {
            let why = format!("Five fields are minute, hour, day, month, weekday; {} came.", parts.len());
            Err(CronProblem::text("", why))
        }
        None => Ok(parts),
    }
}

/// Reads a field by itself, so that the one that cannot be read is named.
fn check_field(at: usize, part: &str) -> Result<(), CronProblem> {
    let mut alone = ["*"; 5];
    alone[at] = part;
    if cronexpr::parse_crontab(&format!("{} UTC", alone.join(" "))).is_ok() {
        return Ok(());
    }
    let (field, name, range) = FIELDS[at];
    let why = format!("`{part}` is no {name}: {range}, `*`, and lists, ranges and steps of these.");
    Err(CronProblem::text(field, why))
}

fn zone_of(name: &str) -> Result<TimeZone, CronProblem> {
    let found = TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some());
    found.ok_or_else(|| CronProblem::Zone(format!("`{name}` is no zone; give one such as `Europe/Vienna`.")))
}

#[cfg(test)]
mod tests;
