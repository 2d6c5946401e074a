//! When a blackout is on: once, or at the fires of a cron expression in a zone (spec 02 §2.7).

use crate::cron::{Cron, CronProblem};
use crate::error::Error;
use stella_contract::blackout::{BlackoutTimes, Span};
use stella_contract::time::Micros;

/// The longest a repeated blackout may last each time: a week.
const LONGEST_S: i64 = 7 * 24 * 3_600;
/// Fires looked at for one answer; more of them within one duration only overlap.
const MOST_FIRES: usize = 2_000;

/// Refuses times that say nothing, or too much.
pub(crate) fn check(times: &BlackoutTimes, now: Micros) -> Result<(), Error> {
    match (times.start, times.end, &times.cron, times.duration_s) {
        (Some(start), Some(end), None, None) => {
            if end <= start {
                return Err(Error::invalid("end", "is after `start`"));
            }
            if end <= now {
                return Err(Error::invalid("end", "lies in the future"));
            }
            if times.time_zone.is_some() {
                return Err(Error::invalid(
                    "timeZone",
                    "belongs to `cron`; `start` and `end` carry their own",
                ));
            }
            Ok(())
        }
        (None, None, Some(cron), Some(duration_s)) => {
            if !(60..=LONGEST_S).contains(&duration_s) {
                return Err(Error::invalid("durationS", format!("is 60 to {LONGEST_S} seconds")));
            }
            read(cron, times.time_zone.as_deref()).map(|_| ())
        }
        (_, _, _, _) => {
            Err(Error::invalid("start", "give either `start` and `end`, or `cron` and `durationS`"))
        }
    }
}

fn read(cron: &str, zone: Option<&str>) -> Result<Cron, Error> {
    if cron.split_whitespace().count() != 5 {
        return Err(Error::invalid("cron", "has five fields: minute, hour, day, month, weekday"));
    }
    Cron::read(cron, zone.unwrap_or("UTC")).map_err(|problem| match problem {
        CronProblem::Text { why, .. } => Error::invalid("cron", why),
        CronProblem::Zone(why) => Error::invalid("timeZone", why),
    })
}

/// Times of a blackout whose cron has been read, for who asks more than once.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    times: BlackoutTimes,
    cron: Option<Cron>,
}

impl Calendar {
    pub(crate) fn of(times: BlackoutTimes) -> Self {
        let cron = times.cron.as_ref().and_then(|cron| read(cron, times.time_zone.as_deref()).ok());
        Self { times, cron }
    }

    /// The spans that are not over, the time of draining included, the first one first: of a single blackout its one,
    /// of a repeated one those that were begun and the next.
    pub(crate) fn coming(&self, drain_before_s: i64, now: Micros) -> Vec<Span> {
        let drain_ms = drain_before_s.saturating_mul(1_000);
        if let (Some(start), Some(end)) = (self.times.start, self.times.end) {
            let span = Span { from: start.minus_ms(drain_ms), until: end };
            return if end > now { vec![span] } else { Vec::new() };
        }
        let (Some(cron), Some(duration_s)) = (&self.cron, self.times.duration_s) else { return Vec::new() };
        let mut spans = Vec::new();
        // The first fire whose blackout is not over lies after this time.
        let since = now.minus_ms(duration_s.saturating_mul(1_000));
        for fire in cron.after(since).take(MOST_FIRES) {
            let span = Span { from: fire.minus_ms(drain_ms), until: fire.plus_ms(duration_s * 1_000) };
            let begun = span.from <= now;
            if span.until > now {
                spans.push(span);
            }
            if !begun {
                break;
            }
        }
        stella_contract::blackout::merge(spans)
    }
}

/// The spans of these times that are not over.
pub(crate) fn coming(times: &BlackoutTimes, drain_before_s: i64, now: Micros) -> Vec<Span> {
    Calendar::of(times.clone()).coming(drain_before_s, now)
}

/// Until when something that some of these spans cover stays covered; `None` when none covers this time.
pub(crate) fn dark_until(spans: Vec<Span>, now: Micros) -> Option<Micros> {
    let merged = stella_contract::blackout::merge(spans);
    merged.into_iter().find(|span| span.from <= now && now < span.until).map(|span| span.until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::error::Code;

    fn at(text: &str) -> Micros {
        Micros::parse(text).unwrap()
    }

    fn nightly(cron: &str, duration_s: i64, zone: Option<&str>) -> BlackoutTimes {
        BlackoutTimes {
            cron: Some(cron.to_owned()),
            duration_s: Some(duration_s),
            time_zone: zone.map(str::to_owned),
            ..BlackoutTimes::default()
        }
    }

    #[test]
    fn a_single_blackout_is_on_from_its_draining_to_its_end() {
        let times = BlackoutTimes {
            start: Some(at("2026-11-21T12:00:00Z")),
            end: Some(at("2026-11-21T13:00:00Z")),
            ..BlackoutTimes::default()
        };
        let until = |now: &str| dark_until(coming(&times, 600, at(now)), at(now));
        assert_eq!(until("2026-11-21T11:49:59Z"), None);
        assert_eq!(until("2026-11-21T11:50:00Z"), times.end);
        assert_eq!(until("2026-11-21T12:59:59Z"), times.end);
        assert_eq!(until("2026-11-21T13:00:00Z"), None);
        assert!(coming(&times, 600, at("2026-11-21T13:00:00Z")).is_empty());
    }

    #[test]
    fn a_repeated_blackout_is_on_in_its_zone_and_across_the_change_of_the_clock() {
        let times = nightly("30 1 * * *", 2 * 3_600, Some("Europe/Vienna"));
        // In winter 01:30 in Vienna is 00:30 UTC, in summer 23:30 UTC.
        for (now, until) in [
            ("2026-01-10T00:29:59Z", None),
            ("2026-01-10T00:30:00Z", Some("2026-01-10T02:30:00Z")),
            ("2026-07-10T00:30:00Z", Some("2026-07-10T01:30:00Z")),
            ("2026-07-10T01:30:00Z", None),
            // The night in which the clock is set forward at 02:00: two hours from 01:30 are two hours.
            ("2026-03-29T02:29:59Z", Some("2026-03-29T02:30:00Z")),
        ] {
            let now = at(now);
            assert_eq!(dark_until(coming(&times, 0, now), now), until.map(at), "{now}");
        }
    }

    #[test]
    fn fires_that_come_before_the_one_before_is_over_merge_and_the_latest_end_counts() {
        let times = nightly("0,30 4 * * *", 3_600, None);
        let now = at("2026-11-21T04:45:00Z");
        assert_eq!(dark_until(coming(&times, 0, now), now), Some(at("2026-11-21T05:30:00Z")));
        let before = at("2026-11-21T03:00:00Z");
        assert_eq!(coming(&times, 0, before)[0].from, at("2026-11-21T04:00:00Z"));
    }

    #[test]
    fn times_that_say_nothing_or_too_much_are_refused() {
        let now = at("2026-11-21T12:00:00Z");
        let (start, end) = (Some(now), Some(now.plus_ms(1_000)));
        for (field, times) in [
            ("start", BlackoutTimes::default()),
            ("start", BlackoutTimes { start, ..BlackoutTimes::default() }),
            ("end", BlackoutTimes { start: end, end: start, ..BlackoutTimes::default() }),
            (
                "end",
                BlackoutTimes { start: Some(Micros(0)), end: Some(Micros(1)), ..BlackoutTimes::default() },
            ),
            ("start", BlackoutTimes { start, ..nightly("* * * * *", 60, None) }),
            (
                "timeZone",
                BlackoutTimes { start, end, time_zone: Some("UTC".into()), ..BlackoutTimes::default() },
            ),
            ("durationS", nightly("* * * * *", 59, None)),
            ("cron", nightly("* * * *", 60, None)),
            ("cron", nightly("61 * * * *", 60, None)),
            ("timeZone", nightly("* * * * *", 60, Some("Mars/Olympus"))),
            ("timeZone", nightly("* * * * *", 60, Some("a b"))),
        ] {
            let error = check(&times, now).unwrap_err();
            assert_eq!((error.code, error.fields[0].field.as_str()), (Code::Invalid, field), "{times:?}");
        }
        assert_eq!(check(&nightly("30 1 * * 1-5", 3_600, Some("Europe/Vienna")), now), Ok(()));
    }
}
