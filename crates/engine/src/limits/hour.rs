//! The use of an hour: sixty minutes, each with its count, sliding (spec 02 §2.3).

use stella_contract::time::Micros;
use stella_ledger::quotas::Minute;

/// A minute, in the unit of times.
const MINUTE: i64 = 60_000_000;
/// Minutes that count.
const COUNTED: i64 = 60;

/// The minute a time lies in.
pub(crate) const fn minute_of(at: Micros) -> i64 {
    at.0.div_euclid(MINUTE)
}

/// The first minute that still counts.
pub(crate) const fn first_counted(now: Micros) -> i64 {
    minute_of(now) - COUNTED + 1
}

/// Claims and refusals of the last sixty minutes.
pub(crate) fn used(minutes: &[Minute], now: Micros) -> (i64, i64) {
    let counted = minutes.iter().filter(|minute| minute.minute >= first_counted(now));
    counted.fold((0, 0), |sum, minute| (sum.0 + minute.claims, sum.1 + minute.refusals))
}

/// When at most `most` claims count, if none is made until then; `None` when that will never be.
pub(crate) fn room_at(minutes: &[Minute], most: i64, now: Micros) -> Option<Micros> {
    let (mut left, _) = used(minutes, now);
    if left <= most {
        return Some(now);
    }
    let mut counted: Vec<&Minute> =
        minutes.iter().filter(|minute| minute.minute >= first_counted(now)).collect();
    counted.sort_by_key(|minute| minute.minute);
    for minute in counted {
        left -= minute.claims;
        if left <= most {
            return Some(Micros((minute.minute + COUNTED) * MINUTE));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(counts: &[(i64, i64)]) -> Vec<Minute> {
        let one = |(minute, claims): &(i64, i64)| Minute {
            quota_id: "q".to_owned(),
            minute: *minute,
            claims: *claims,
            refusals: 1,
        };
        counts.iter().map(one).collect()
    }

    #[test]
    fn sixty_minutes_count_and_the_sixty_first_does_not() {
        let now = Micros(1_000 * MINUTE + 5);
        let told = minutes(&[(940, 7), (941, 2), (1_000, 3)]);
        assert_eq!(used(&told, now), (5, 2));
        assert_eq!(used(&told, Micros(1_000 * MINUTE - 1)), (12, 3));
    }

    #[test]
    fn room_comes_when_the_oldest_minutes_have_gone() {
        let now = Micros(1_000 * MINUTE + 5);
        let told = minutes(&[(941, 2), (970, 4), (1_000, 3)]);
        assert_eq!(room_at(&told, 9, now), Some(now));
        assert_eq!(room_at(&told, 8, now), Some(Micros(1_001 * MINUTE)));
        assert_eq!(room_at(&told, 6, now), Some(Micros(1_030 * MINUTE)));
        assert_eq!(room_at(&told, 0, now), Some(Micros(1_060 * MINUTE)));
        assert_eq!(room_at(&told, -1, now), None);
    }
}
