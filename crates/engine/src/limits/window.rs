//! When a breaker opens and for how long (spec 02 §2.6).

use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;

/// Attempts of the last five minutes count.
pub(crate) const WINDOW_MS: i64 = 300_000;
/// Fewer attempts say nothing.
pub(crate) const LEAST_ATTEMPTS: i64 = 10;
/// Probes that may run, and must succeed, before it closes.
pub(crate) const PROBES: i64 = 3;
const OPEN_MS: i64 = 60_000;
const LONGEST_OPEN_MS: i64 = 900_000;
/// A span of failures, in the unit of times.
const SLOT: i64 = 10_000_000;

/// Whether so many failures among so many attempts open it.
pub(crate) const fn trips(attempts: i64, failures: i64) -> bool {
    attempts >= LEAST_ATTEMPTS && failures.saturating_mul(2) >= attempts
}

/// How long the n-th opening in a row lasts.
pub(crate) fn open_ms(openings: i64) -> i64 {
    let doublings = u32::try_from(openings.max(1) - 1).unwrap_or(u32::MAX).min(10);
    (OPEN_MS << doublings).min(LONGEST_OPEN_MS)
}

/// The span a time lies in.
pub(crate) const fn slot_of(at: Micros) -> i64 {
    at.0.div_euclid(SLOT)
}

/// Where the window begins: five minutes ago, or at the last reset.
pub(crate) fn begins(now: Micros, window_from: i64) -> Micros {
    Micros(now.minus_ms(WINDOW_MS).0.max(window_from))
}

/// How an attempt that failed counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// As a failure.
    Against,
    /// As an attempt only: another attempt would not help, so the far side is not at fault.
    Beside,
    /// Not here: it counts for the bucket.
    Nowhere,
}

/// How an attempt that failed in this way counts.
pub(crate) const fn counts(class: ErrorClass) -> Counts {
    if matches!(class, ErrorClass::UpstreamThrottle) {
        return Counts::Nowhere;
    }
    if class.is_retryable() { Counts::Against } else { Counts::Beside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_at_least_ten_attempts_open_it() {
        for (attempts, failures, expected) in
            [(9, 9, false), (10, 4, false), (10, 5, true), (11, 5, false), (12, 6, true), (100, 100, true)]
        {
            assert_eq!(trips(attempts, failures), expected, "{failures} of {attempts}");
        }
    }

    #[test]
    fn each_opening_in_a_row_lasts_twice_as_long_up_to_a_quarter_of_an_hour() {
        let lasts: Vec<i64> = (1..=7).map(|n| open_ms(n) / 1_000).collect();
        assert_eq!(lasts, [60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(open_ms(i64::MAX), LONGEST_OPEN_MS);
    }

    #[test]
    fn too_many_requests_count_for_the_bucket_and_not_for_the_breaker() {
        assert_eq!(counts(ErrorClass::UpstreamThrottle), Counts::Nowhere);
        assert_eq!(counts(ErrorClass::UpstreamError), Counts::Against);
        assert_eq!(counts(ErrorClass::Timeout), Counts::Against);
        assert_eq!(counts(ErrorClass::SchemaMismatch), Counts::Beside);
    }
}
