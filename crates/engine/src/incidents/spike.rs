//! When dead letters are a spike or a backlog (spec 4.5). Pure.

use stella_contract::incident::Severity;

/// The span in which new entries are counted.
pub(crate) const WINDOW_MS: i64 = 15 * 60 * 1_000;
/// Spans before the present one whose median is the yardstick: with it, 24 hours.
pub(crate) const WINDOWS: usize = 95;
const LEAST: i64 = 10;
const TIMES: i64 = 3;
/// Open entries from which a spike is critical.
const OPEN_CRITICAL: i64 = 50;
/// New entries of one cause that are critical by themselves.
const CAUSE_CRITICAL: i64 = 25;
const BACKLOG_WARN: i64 = 10;
const BACKLOG_CRITICAL: i64 = 50;

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look<'a> {
    /// New entries in the present span.
    pub(crate) recent: i64,
    /// New entries in each span before it; spans without any may be left out.
    pub(crate) before: &'a [i64],
    /// Open entries.
    pub(crate) open: i64,
}

/// A condition that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Firing {
    pub(crate) severity: Severity,
    /// The number from which it came up.
    pub(crate) threshold: i64,
}

/// From how many new entries on it is a spike: ten, or three times the median of the day.
pub(crate) fn threshold(before: &[i64]) -> i64 {
    let mut spans = before.to_vec();
    spans.resize(WINDOWS.max(spans.len()), 0);
    spans.sort_unstable();
    LEAST.max(TIMES * spans[spans.len() / 2])
}

/// Whether this cause, with so many new entries, is part of a spike. Of a spike of many causes, those count that are
/// large by themselves, and the largest, which is first.
pub(crate) fn spike(look: &Look<'_>, of_cause: i64, is_first: bool) -> Option<Firing> {
    if of_cause >= CAUSE_CRITICAL {
        return Some(Firing { severity: Severity::Critical, threshold: CAUSE_CRITICAL });
    }
    let threshold = threshold(look.before);
    let crowded = look.open >= OPEN_CRITICAL;
    let counts = is_first || of_cause >= LEAST;
    if of_cause == 0 || !counts || (look.recent < threshold && !crowded) {
        return None;
    }
    let severity = if crowded { Severity::Critical } else { Severity::Warning };
    Some(Firing { severity, threshold })
}

/// Whether so many open entries are a backlog.
pub(crate) fn backlog(open: i64) -> Option<Firing> {
    let severity = match open {
        _ if open > BACKLOG_CRITICAL => Severity::Critical,
        _ if open > BACKLOG_WARN => Severity::Warning,
        _ => return None,
    };
    Some(Firing { severity, threshold: BACKLOG_WARN })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(recent: i64, of_cause: i64, open: i64, before: &[i64]) -> Option<(Severity, i64)> {
        let look = Look { recent, before, open };
        spike(&look, of_cause, true).map(|firing| (firing.severity, firing.threshold))
    }

    #[test]
    fn a_spike_is_ten_or_three_times_the_median() {
        use Severity::{Critical, Warning};
        let quiet: &[i64] = &[];
        let busy = [5_i64; WINDOWS];
        let half = [5_i64; WINDOWS / 2];
        let more = [5_i64; WINDOWS / 2 + 1];
        for (recent, of_cause, open, before, expected) in [
            (9, 9, 9, quiet, None),
            (10, 10, 10, quiet, Some((Warning, 10))),
            (10, 3, 10, quiet, Some((Warning, 10))),
            (14, 14, 14, &busy[..], None),
            (15, 15, 15, &busy[..], Some((Warning, 15))),
            // Spans without entries count as zero, so that the median of a quiet day is zero.
            (10, 10, 10, &half[..], Some((Warning, 10))),
            (14, 14, 14, &more[..], None),
            (24, 24, 24, quiet, Some((Warning, 10))),
            (25, 25, 25, quiet, Some((Critical, 25))),
            (25, 25, 25, &[100; WINDOWS], Some((Critical, 25))),
            (10, 10, 50, quiet, Some((Critical, 10))),
            (1, 1, 50, quiet, Some((Critical, 10))),
            (1, 1, 49, quiet, None),
            (0, 0, 60, quiet, None),
        ] {
            assert_eq!(fires(recent, of_cause, open, before), expected, "{recent} {of_cause} {open}");
        }
    }

    #[test]
    fn of_many_causes_the_first_and_the_large_ones_count() {
        let look = Look { recent: 30, before: &[], open: 30 };
        let warning = Some(Firing { severity: Severity::Warning, threshold: 10 });
        assert_eq!(spike(&look, 12, false), warning);
        assert_eq!(spike(&look, 9, false), None);
        assert_eq!(spike(&look, 9, true), warning);
    }

    #[test]
    fn a_backlog_is_more_than_ten() {
        for (open, expected) in [
            (10, None),
            (11, Some(Severity::Warning)),
            (50, Some(Severity::Warning)),
            (51, Some(Severity::Critical)),
        ] {
            assert_eq!(backlog(open).map(|firing| firing.severity), expected, "{open}");
        }
    }
}
