//! What the schedule of a run bounds: how many targets it takes, and how fast. Pure.

use crate::runs::cut::{Candidate, Order};
use stella_contract::edge::MOST_NODES;
use stella_contract::schedule::ScheduleLimits;

/// The bounds of a run that a schedule started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The most targets.
    pub most: usize,
    /// Segments that are at work at a time, and targets per minute once the first of them have started.
    pub limits: ScheduleLimits,
}

impl Pace {
    /// What it bounds, in a sentence.
    pub(crate) fn sentence(self) -> String {
        let ScheduleLimits { parallelism, targets_per_minute } = self.limits;
        let most = self.most;
        format!(
            "its schedule: {most} targets, {parallelism} segments at a time, {targets_per_minute} targets a minute"
        )
    }
}

/// The targets that a run takes when there are more than it may: those that come first in its order.
pub(crate) fn first(mut candidates: Vec<Candidate>, most: usize, order: Order) -> Vec<Candidate> {
    if candidates.len() > most {
        candidates.sort_by(|one, two| {
            let exploited_first = match order {
                Order::KevFirst => two.kev.cmp(&one.kev),
                Order::Digest => std::cmp::Ordering::Equal,
            };
            exploited_first.then_with(|| one.digest.cmp(&two.digest))
        });
        candidates.truncate(most);
    }
    candidates
}

/// By how many milliseconds each segment of so many targets starts later than the first: as many as may work side by side
/// start at once, the others as fast as targets are allowed.
pub(crate) fn delays_ms(sizes: &[usize], limits: ScheduleLimits) -> Vec<i64> {
    let at_once = usize::try_from(limits.parallelism).unwrap_or(usize::MAX);
    let burst: usize = sizes.iter().take(at_once).sum();
    let mut so_far = 0;
    sizes
        .iter()
        .map(|size| {
            so_far += size;
            let beyond = i64::try_from(so_far.saturating_sub(burst)).unwrap_or(i64::MAX);
            beyond.saturating_mul(60_000) / limits.targets_per_minute.max(1)
        })
        .collect()
}

/// The segment that each waits for, however that ends, so that never more than so many are at work: the one so many
/// places before it. Only where such a chain would be longer than a graph of jobs may be, nothing waits and the rate alone
/// bounds the run.
pub(crate) fn waits_for(count: usize, limits: ScheduleLimits) -> Vec<Option<usize>> {
    let at_once = usize::try_from(limits.parallelism).unwrap_or(usize::MAX).max(1);
    let longest = usize::try_from(MOST_NODES).unwrap_or(usize::MAX);
    let chained = count.div_ceil(at_once) <= longest;
    (0..count).map(|at| at.checked_sub(at_once).filter(|_| chained)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segments_start_at_once_and_the_others_as_fast_as_targets_are_allowed() {
        let limits = ScheduleLimits { parallelism: 2, targets_per_minute: 600 };
        assert_eq!(delays_ms(&[50, 50, 50, 50, 10], limits), [0, 0, 5_000, 10_000, 11_000]);
        assert_eq!(delays_ms(&[50], limits), [0]);
        assert!(delays_ms(&[], limits).is_empty());
    }

    #[test]
    fn a_segment_waits_for_the_one_so_many_places_before_it() {
        let limits = |parallelism| ScheduleLimits { parallelism, ..ScheduleLimits::default() };
        assert_eq!(waits_for(5, limits(2)), [None, None, Some(0), Some(1), Some(2)]);
        assert_eq!(waits_for(3, limits(64)), [None, None, None]);
        assert_eq!(waits_for(20_000, limits(2)).iter().flatten().count(), 19_998);
        assert!(waits_for(20_001, limits(2)).iter().all(Option::is_none), "the chain would be too long");
    }

    #[test]
    fn of_too_many_targets_the_exploited_ones_are_taken_first() {
        let candidate =
            |digest: &str, kev| Candidate { target_key: 0, digest: digest.to_owned(), placement: 0, kev };
        let all = vec![candidate("c", false), candidate("b", true), candidate("a", false)];
        let taken = |order| {
            first(all.clone(), 2, order).into_iter().map(|one| one.digest).collect::<Vec<_>>().concat()
        };
        assert_eq!((taken(Order::KevFirst), taken(Order::Digest)), ("ba".to_owned(), "ab".to_owned()));
        assert_eq!(first(all.clone(), 3, Order::Digest), all);
    }
}
