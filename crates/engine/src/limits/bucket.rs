//! The token bucket of a host: how it fills, what the host's answers do to its rate (spec 02 §2.4).

use stella_contract::time::Micros;
use stella_ledger::buckets::BucketRow;

/// The most tokens a bucket holds.
pub(crate) const CAPACITY: f64 = 10.0;
/// Tokens per second when nothing is wrong.
pub(crate) const BASE_RATE: f64 = 1.0;
/// How long a host is left alone that asked for fewer requests and did not say for how long.
pub(crate) const FREEZE_MS: i64 = 30_000;
/// The longest time a host may ask for.
const LONGEST_FREEZE_MS: i64 = 24 * 3_600 * 1_000;
/// The rate never falls below this share of the base.
const LEAST_SHARE: f64 = 0.05;
/// The rate is raised after so many successes in a row, or so long without a throttle.
pub(crate) const STREAK: i64 = 20;
const EASE_MS: i64 = 60_000;
/// By this share of the base.
const EASE_SHARE: f64 = 0.1;
/// A second, in the unit of times.
const SECOND: f64 = 1_000_000.0;

/// A bucket that nobody has used yet: full.
pub(crate) fn new(tenant: &str, host: &str, now: Micros) -> BucketRow {
    BucketRow {
        bucket_id: format!(
            "{}{}",
            stella_contract::ids::BucketId::PREFIX,
            super::uuid_of(&[tenant, host], 0)
        ),
        tenant: tenant.to_owned(),
        host: host.to_owned(),
        capacity: CAPACITY,
        base_rate: BASE_RATE,
        tokens: CAPACITY,
        current_rate: BASE_RATE,
        refilled_at: now.0,
        frozen_until: None,
        streak_from: now.0,
        eased_at: now.0,
        throttled_at: None,
        override_rate: None,
        override_until: None,
        overridden_by: None,
        version: 1,
    }
}

/// The host's sources say how much it holds and how fast it fills; a rate that was lowered stays as much lower.
pub(crate) fn make_of(row: &mut BucketRow, capacity: f64, base_rate: f64) {
    row.current_rate = (row.current_rate * base_rate / row.base_rate).min(base_rate);
    row.base_rate = base_rate;
    row.capacity = capacity;
    row.tokens = row.tokens.min(capacity);
}

/// The rate in force at a time: an operator's, or else the rules'.
pub(crate) fn rate_at(row: &BucketRow, at: i64) -> f64 {
    match (row.override_rate, row.override_until) {
        (Some(rate), Some(until)) if at < until => rate,
        (_, _) => row.current_rate,
    }
}

/// Lets time pass: the rate eases every minute, the bucket fills at the rate of each span. It does not fill while it is
/// frozen, so that a host that just asked for peace is not met with a burst.
pub(crate) fn refill(row: &mut BucketRow, now: Micros) {
    let mut at = row.refilled_at.max(row.frozen_until.unwrap_or(i64::MIN).min(now.0));
    loop {
        let eases_at = (row.current_rate < row.base_rate).then(|| Micros(row.eased_at).plus_ms(EASE_MS).0);
        let until = [eases_at, row.override_until.filter(|until| *until > at)]
            .into_iter()
            .flatten()
            .fold(now.0, i64::min);
        if until > at {
            let filled = row.tokens + seconds(until - at) * rate_at(row, at);
            row.tokens = filled.min(row.capacity);
            at = until;
        }
        if eases_at.is_some_and(|eases_at| eases_at <= now.0 && eases_at <= at) {
            ease(row, until);
        } else if at >= now.0 {
            break;
        }
    }
    row.refilled_at = row.refilled_at.max(now.0);
    if row.frozen_until.is_some_and(|until| until <= now.0) {
        row.frozen_until = None;
    }
}

/// Raises the rate by a tenth of the base.
pub(crate) fn ease(row: &mut BucketRow, at: i64) {
    row.current_rate = (row.current_rate + EASE_SHARE * row.base_rate).min(row.base_rate);
    row.eased_at = at.max(row.eased_at.saturating_add(1));
}

/// Enough successes in a row raise the rate; counting begins anew.
pub(crate) fn succeeded(row: &mut BucketRow, in_a_row: i64, now: Micros) {
    refill(row, now);
    if in_a_row < STREAK || row.current_rate >= row.base_rate {
        return;
    }
    row.current_rate = (row.current_rate + EASE_SHARE * row.base_rate).min(row.base_rate);
    row.eased_at = now.0;
    row.streak_from = now.0;
}

/// The host asked for fewer requests (429 or 503): half the rate, nothing left, and peace for a while. `spread` of 0 to
/// 1 lengthens the while by up to a tenth, so that not everybody comes back at once.
pub(crate) fn throttled(row: &mut BucketRow, retry_after_ms: Option<i64>, spread: f64, now: Micros) {
    refill(row, now);
    row.current_rate = (row.current_rate * 0.5).max(row.base_rate * LEAST_SHARE);
    row.tokens = 0.0;
    let wait = retry_after_ms.unwrap_or(FREEZE_MS).clamp(0, LONGEST_FREEZE_MS);
    let until = now.plus_ms(wait + tenth(wait, spread)).0;
    row.frozen_until = Some(row.frozen_until.map_or(until, |before| before.max(until)));
    row.throttled_at = Some(now.0);
    row.streak_from = now.0;
    row.eased_at = now.0;
}

/// The host failed otherwise, or did not answer in time.
pub(crate) fn failed(row: &mut BucketRow, now: Micros) {
    refill(row, now);
    row.current_rate = (row.current_rate * 0.8).max(row.base_rate * LEAST_SHARE);
    row.streak_from = now.0;
    row.eased_at = now.0;
}

/// When this many tokens are there, as far as is known now.
pub(crate) fn ready_at(row: &BucketRow, wanted: f64, now: Micros) -> Option<Micros> {
    let from = now.0.max(row.frozen_until.unwrap_or(i64::MIN));
    if row.tokens >= wanted {
        return Some(Micros(from));
    }
    filled_at(row.tokens, wanted.min(row.capacity), rate_at(row, from), Micros(from))
}

/// When a bucket of this rate holds as many tokens as are wanted; `None` when it never does.
pub(crate) fn filled_at(tokens: f64, wanted: f64, rate: f64, from: Micros) -> Option<Micros> {
    if rate <= 0.0 {
        return None;
    }
    let wait = ((wanted - tokens).max(0.0) / rate * SECOND).ceil();
    Some(Micros(from.0.saturating_add(whole(wait))))
}

#[expect(clippy::cast_precision_loss, reason = "spans of time are far below 2^52 microseconds")]
pub(crate) fn seconds(micros: i64) -> f64 {
    micros as f64 / SECOND
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from a fraction saturates")]
fn whole(micros: f64) -> i64 {
    micros as i64
}

#[expect(clippy::cast_precision_loss, reason = "a wait of at most a day in milliseconds")]
fn tenth(wait_ms: i64, spread: f64) -> i64 {
    whole(wait_ms as f64 * 0.1 * spread.clamp(0.0, 1.0))
}

/// How far back the rate of a bucket is told, in spans of two minutes.
pub(crate) const PAST_MS: i64 = 2 * 3_600 * 1_000;
const SPAN_MS: i64 = 2 * 60 * 1_000;

/// The rate at the end of each of the last spans, oldest first, as it was noted: before anything was noted nothing was
/// wrong, and now it is what it is now.
pub(crate) fn past(noted: &[(i64, f64)], base: f64, current: f64, now: Micros) -> Vec<f64> {
    let at_end = |spans: i64| {
        let at = now.minus_ms(spans * SPAN_MS).0;
        noted.iter().rev().find(|(from, _)| *from <= at).map_or(base, |(_, rate)| *rate)
    };
    (1..PAST_MS / SPAN_MS).rev().map(at_end).chain([current]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Micros = Micros(1_000_000_000_000);

    fn bucket() -> BucketRow {
        new("acme", "a.example", START)
    }

    #[test]
    fn a_bucket_fills_at_its_rate_up_to_its_capacity() {
        let mut row = bucket();
        row.tokens = 0.0;
        refill(&mut row, START.plus_ms(3_500));
        assert!((row.tokens - 3.5).abs() < 1e-9, "{}", row.tokens);
        refill(&mut row, START.plus_ms(60_000));
        assert!((row.tokens - CAPACITY).abs() < 1e-9);
        assert_eq!(ready_at(&row, 1.0, START.plus_ms(60_000)), Some(START.plus_ms(60_000)));
    }

    #[test]
    fn a_host_that_asks_for_peace_halves_the_rate_and_is_left_alone() {
        let mut row = bucket();
        throttled(&mut row, None, 0.0, START);
        assert_eq!((row.current_rate, row.tokens), (0.5, 0.0));
        assert_eq!(row.frozen_until, Some(START.plus_ms(30_000).0));
        assert_eq!(ready_at(&row, 1.0, START), Some(START.plus_ms(32_000)));
        // Nothing gathers while it is left alone.
        refill(&mut row, START.plus_ms(30_000));
        assert_eq!((row.tokens, row.frozen_until), (0.0, None));
        let mut asked = bucket();
        throttled(&mut asked, Some(120_000), 1.0, START);
        assert_eq!(asked.frozen_until, Some(START.plus_ms(132_000).0));
    }

    #[test]
    fn other_failures_cost_a_fifth_and_the_rate_never_falls_below_a_twentieth() {
        let mut row = bucket();
        failed(&mut row, START);
        assert!((row.current_rate - 0.8).abs() < 1e-9);
        for _ in 0..50 {
            failed(&mut row, START);
            throttled(&mut row, None, 0.0, START);
        }
        assert!((row.current_rate - 0.05).abs() < 1e-9);
    }

    #[test]
    fn a_minute_without_a_throttle_or_twenty_successes_raise_the_rate_by_a_tenth() {
        let mut row = bucket();
        throttled(&mut row, Some(0), 0.0, START);
        refill(&mut row, START.plus_ms(59_999));
        assert!((row.current_rate - 0.5).abs() < 1e-9);
        refill(&mut row, START.plus_ms(60_000));
        assert!((row.current_rate - 0.6).abs() < 1e-9, "{}", row.current_rate);
        succeeded(&mut row, 19, START.plus_ms(60_001));
        assert!((row.current_rate - 0.6).abs() < 1e-9);
        succeeded(&mut row, 20, START.plus_ms(60_001));
        assert!((row.current_rate - 0.7).abs() < 1e-9);
        assert_eq!(row.streak_from, START.plus_ms(60_001).0);
        refill(&mut row, START.plus_ms(3_600_000));
        assert!((row.current_rate - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_bucket_is_made_of_what_its_sources_say_and_stays_as_much_slower() {
        let mut row = bucket();
        throttled(&mut row, Some(0), 0.0, START);
        refill(&mut row, START.plus_ms(20_000));
        make_of(&mut row, 4.0, 8.0);
        assert_eq!((row.capacity, row.base_rate, row.current_rate, row.tokens), (4.0, 8.0, 4.0, 4.0));
        make_of(&mut row, 40.0, 8.0);
        assert_eq!((row.current_rate, row.tokens), (4.0, 4.0));
        let mut full = bucket();
        make_of(&mut full, 2.0, 0.1);
        assert_eq!((full.current_rate, full.tokens), (0.1, 2.0));
    }

    #[test]
    fn an_operators_rate_holds_until_its_end() {
        let mut row = bucket();
        (row.tokens, row.override_rate, row.override_until) = (0.0, Some(2.0), Some(START.plus_ms(2_000).0));
        refill(&mut row, START.plus_ms(4_000));
        assert!((row.tokens - 6.0).abs() < 1e-9, "{}", row.tokens);
    }

    proptest! {
        /// Whatever happens in whatever order: the bounds hold, and looking in between changes nothing.
        #[test]
        fn bounds_hold_and_a_look_in_between_changes_nothing(
            steps in prop::collection::vec((0_i64..200_000, 0_u8..5), 1..60)
        ) {
            let (mut row, mut watched) = (bucket(), bucket());
            let mut now = START;
            for (ms, what) in steps {
                refill(&mut watched, now.plus_ms(ms / 2));
                now = now.plus_ms(ms);
                for one in [&mut row, &mut watched] {
                    match what {
                        0 => throttled(one, Some(ms), 0.0, now),
                        1 => failed(one, now),
                        2 => succeeded(one, 20, now),
                        _ => refill(one, now),
                    }
                    if what == 4 && one.tokens >= 1.0 && one.frozen_until.is_none() {
                        one.tokens -= 1.0;
                    }
                    prop_assert!((0.0..=one.capacity).contains(&one.tokens));
                    prop_assert!(one.current_rate >= one.base_rate * LEAST_SHARE - 1e-12);
                    prop_assert!(one.current_rate <= one.base_rate);
                }
                prop_assert!((row.current_rate - watched.current_rate).abs() < 1e-9);
                prop_assert!((row.tokens - watched.tokens).abs() < 1e-4, "{} {}", row.tokens, watched.tokens);
            }
        }
    }

    #[test]
    fn the_past_of_a_rate_is_told_in_two_hours_of_spans_and_ends_with_now() {
        let now = Micros(10 * PAST_MS * 1_000);
        assert_eq!(past(&[], 0.7, 0.7, now), [0.7; 60]);
        let noted = [(now.minus_ms(5 * SPAN_MS).0, 1.0), (now.minus_ms(2 * SPAN_MS).0, 0.5)];
        let told = past(&noted, 1.0, 0.6, now);
        assert_eq!((told.len(), told[0]), (60, 1.0));
        assert_eq!(told[54..], [1.0, 1.0, 1.0, 0.5, 0.5, 0.6]);
    }
}
