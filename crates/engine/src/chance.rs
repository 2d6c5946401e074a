//! The only source of chance, and what is made of it: identifiers and secrets.

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use std::sync::{Mutex, PoisonError};
use stella_contract::time::Micros;
use stella_ledger::key::{COUNTER_BITS, uuid_of};

/// What makes random bytes.
pub trait Chance: Send + Sync + 'static {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);
    /// A number of 64 random bits.
    fn number(&self) -> u64 {
        let mut bytes = [0_u8; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Random bytes good enough for secrets, seeded by the operating system.
#[derive(Debug)]
pub struct SystemChance(Mutex<StdRng>);

impl Default for SystemChance {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system for chance")]
    fn default() -> Self {
        Self(Mutex::new(StdRng::from_os_rng()))
    }
}

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// The same bytes for the same seed, for tests.
#[derive(Debug)]
pub struct SeededChance(Mutex<StdRng>);

impl SeededChance {
    /// Starts from this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// Makes UUIDv7s that rise strictly, even within one millisecond and when the clock is set back.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    last: Mutex<(u64, u32)>,
}

impl Ids {
    pub(crate) fn next(&self, now: Micros, chance: &dyn Chance) -> String {
        let mut bytes = [0_u8; 8];
        chance.fill(&mut bytes);
        let random = u64::from_be_bytes(bytes);
        let ms = u64::try_from(now.0 / 1_000).unwrap_or(0);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // The counter starts at random in the lower half, so that two nodes hardly meet and a million ids fit in.
        let start = (random >> 44) as u32 & ((1 << (COUNTER_BITS - 1)) - 1);
        *last = if ms > last.0 {
            (ms, start)
        } else if last.1 + 1 < 1 << COUNTER_BITS {
            (last.0, last.1 + 1)
        } else {
            (last.0 + 1, start)
        };
        uuid_of(last.0, last.1, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_ledger::key_of_uuid;

    #[test]
    fn ids_rise_strictly_whatever_the_clock_does() {
        let (ids, chance) = (Ids::default(), SeededChance::new(1));
        let mut last = 0;
        for ms in [5, 5, 5, 6, 4, 4, 9] {
            let key = key_of_uuid(&ids.next(Micros(ms * 1_000), &chance));
            assert!(key > last, "{key} after {last}");
            last = key;
        }
        *ids.last.lock().unwrap() = (9, (1 << COUNTER_BITS) - 1);
        let full = key_of_uuid(&ids.next(Micros(9_000), &chance));
        assert_eq!(full >> COUNTER_BITS, 10);
    }
}
