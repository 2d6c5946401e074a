//! Cutting the targets of a run into shards and segments (spec 05 §5.4). Pure: the same targets make the same cut,
//! so that a planner that died and began again leaves the same segments.

/// A target that a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its key in the ledger.
    pub target_key: i64,
    /// Its image digest.
    pub digest: String,
    /// The first eight bytes of the SHA-256 of its digest.
    pub placement: u64,
    /// Whether it holds a component that an exploited vulnerability speaks of.
    pub kev: bool,
}

/// One segment to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The shard it is of.
    pub shard: i32,
    /// Its place within the shard, from 0.
    pub ordinal: i32,
    /// Its targets, in the order in which they are evaluated.
    pub targets: Vec<i64>,
}

/// Which targets of a shard come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By digest.
    Digest,
    /// Those with exploited vulnerabilities, then the others, each by digest.
    KevFirst,
}

/// How finely to cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grain {
    /// Into how many shards.
    pub shards: u64,
    /// Targets per segment, at least one.
    pub segment: usize,
}

/// The segments of these targets, by shard and ordinal. A shard without targets has no segment.
pub(crate) fn cut(mut candidates: Vec<Candidate>, grain: Grain, order: Order) -> Vec<Cut> {
    let shard_of = |candidate: &Candidate| candidate.placement % grain.shards;
    candidates.sort_by(|one, two| {
        shard_of(one)
            .cmp(&shard_of(two))
            .then_with(|| match order {
                Order::KevFirst => two.kev.cmp(&one.kev),
                Order::Digest => std::cmp::Ordering::Equal,
            })
            .then_with(|| one.digest.cmp(&two.digest))
            .then_with(|| one.target_key.cmp(&two.target_key))
    });
    candidates
        .chunk_by(|one, two| shard_of(one) == shard_of(two))
        .flat_map(|shard| {
            shard.chunks(grain.segment).enumerate().map(move |(ordinal, segment)| Cut {
                shard: i32::try_from(segment[0].placement % grain.shards).unwrap_or(i32::MAX),
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                targets: segment.iter().map(|candidate| candidate.target_key).collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    const GRAIN: Grain = Grain { shards: 8, segment: 50 };

    fn candidate(key: i64, kev: bool) -> Candidate {
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(key.to_string())));
        let hash = Sha256::digest(&digest);
        let placement = u64::from_be_bytes(hash[..8].try_into().unwrap());
        Candidate { target_key: key, digest, placement, kev }
    }

    #[test]
    fn every_target_is_in_exactly_one_segment_of_its_shard_whatever_order_they_came_in() {
        let all: Vec<Candidate> = (0..1_000).map(|key| candidate(key, false)).collect();
        let cuts = cut(all.clone(), GRAIN, Order::Digest);
        let mut seen: Vec<i64> = cuts.iter().flat_map(|segment| segment.targets.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..1_000).collect::<Vec<_>>());
        assert!(cuts.iter().all(|segment| (1..=50).contains(&segment.targets.len())));
        for segment in &cuts {
            for key in &segment.targets {
                assert_eq!(all[*key as usize].placement % 8, segment.shard as u64);
            }
        }
        let mut turned = all;
        turned.reverse();
        assert_eq!(cut(turned, GRAIN, Order::Digest), cuts);
    }

    #[test]
    fn exploited_targets_come_first_in_their_shard_and_digests_decide_the_rest() {
        let all: Vec<Candidate> = (0..200).map(|key| candidate(key, key % 7 == 0)).collect();
        let cuts = cut(all.clone(), Grain { shards: 1, segment: 200 }, Order::KevFirst);
        let order: Vec<&Candidate> = cuts[0].targets.iter().map(|key| &all[*key as usize]).collect();
        let first_other = order.iter().position(|one| !one.kev).unwrap();
        assert_eq!(first_other, 29);
        assert!(order[first_other..].iter().all(|one| !one.kev));
        assert!(order[..first_other].windows(2).all(|pair| pair[0].digest < pair[1].digest));
        assert!(order[first_other..].windows(2).all(|pair| pair[0].digest < pair[1].digest));
    }

    #[test]
    fn nothing_makes_no_segment_and_ordinals_count_from_zero_in_each_shard() {
        assert_eq!(cut(Vec::new(), GRAIN, Order::Digest), Vec::new());
        let cuts = cut(
            (0..300).map(|key| candidate(key, false)).collect(),
            Grain { shards: 2, segment: 10 },
            Order::Digest,
        );
        for shard in 0..2 {
            let ordinals: Vec<i32> =
                cuts.iter().filter(|one| one.shard == shard).map(|one| one.ordinal).collect();
            assert_eq!(ordinals, (0..ordinals.len() as i32).collect::<Vec<_>>());
        }
    }
}
