//! How many jobs a pool of workers can bear at once (spec 02 §2.8).

/// What a new pool is given.
pub(crate) const START: i64 = 4;
/// Never fewer, never more.
pub(crate) const LEAST: i64 = 1;
pub(crate) const MOST: i64 = 64;

/// How a pool did lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Showing {
    /// Share of its places in use.
    pub(crate) utilisation: f64,
    /// Share of its attempts that failed.
    pub(crate) error_rate: f64,
    /// The 95th percentile of the times of those that succeeded, in milliseconds.
    pub(crate) p95_ms: Option<i64>,
    /// The median of the last hour.
    pub(crate) median_ms: Option<i64>,
}

/// What the rule recommends next: one more while it is busy and well, three tenths less when it fails or is slow.
pub(crate) fn adjust(limit: i64, showing: Showing) -> i64 {
    let slower_than = |times: f64| match (showing.p95_ms, showing.median_ms) {
        (Some(p95), Some(median)) if median > 0 => ratio(p95, median) > times,
        (_, _) => false,
    };
    if showing.error_rate > 0.10 || slower_than(2.0) {
        return (limit * 7 / 10).clamp(LEAST, MOST);
    }
    if showing.utilisation > 0.80 && showing.error_rate < 0.05 && !slower_than(1.5) {
        return (limit + 1).clamp(LEAST, MOST);
    }
    limit.clamp(LEAST, MOST)
}

#[expect(clippy::cast_precision_loss, reason = "times of attempts are far below 2^52 milliseconds")]
fn ratio(a: i64, b: i64) -> f64 {
    a as f64 / b as f64
}

/// The value below which this share of the sorted values lies.
pub(crate) fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    if sorted.is_empty() {
        return None;
    }
    sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WELL: Showing =
        Showing { utilisation: 0.9, error_rate: 0.0, p95_ms: Some(150), median_ms: Some(100) };

    #[test]
    fn a_busy_pool_that_does_well_gets_one_more() {
        assert_eq!(adjust(4, WELL), 5);
        assert_eq!(adjust(64, WELL), 64);
        for same in [
            Showing { utilisation: 0.8, ..WELL },
            Showing { error_rate: 0.05, ..WELL },
            Showing { p95_ms: Some(151), ..WELL },
        ] {
            assert_eq!(adjust(4, same), 4, "{same:?}");
        }
        assert_eq!(adjust(4, Showing { p95_ms: None, median_ms: None, ..WELL }), 5);
    }

    #[test]
    fn a_pool_that_fails_or_is_slow_gets_three_tenths_less_rounded_down() {
        for worse in [Showing { error_rate: 0.11, ..WELL }, Showing { p95_ms: Some(201), ..WELL }] {
            assert_eq!(adjust(10, worse), 7, "{worse:?}");
            assert_eq!(adjust(4, worse), 2, "{worse:?}");
            assert_eq!(adjust(1, worse), 1, "{worse:?}");
        }
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<i64> = (1..=100).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 95)), (Some(50), Some(95)));
        assert_eq!((percentile(&[7], 95), percentile(&[], 50)), (Some(7), None));
    }

    proptest! {
        #[test]
        fn a_recommendation_stays_within_its_bounds(
            limit in 1_i64..=64, utilisation in 0.0_f64..=1.0, error_rate in 0.0_f64..=1.0,
            p95 in prop::option::of(0_i64..10_000), median in prop::option::of(0_i64..10_000)
        ) {
            let next = adjust(limit, Showing { utilisation, error_rate, p95_ms: p95, median_ms: median });
            prop_assert!((LEAST..=MOST).contains(&next));
            prop_assert!(next <= limit + 1);
        }
    }
}
