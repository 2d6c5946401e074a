//! Row keys inside public ids: a UUIDv7 is 48 bits of milliseconds, 21 bits of counter and 53 random bits. The first
//! two are the row's integer key, so that a public id is found without a second index.

use stella_contract::ids::{JobId, LeaseId};
use stella_contract::time::Micros;

/// Bits of the counter within one millisecond.
pub const COUNTER_BITS: u32 = 21;

/// The row key of a job.
pub fn key_of(id: &JobId) -> i64 {
    key_of_uuid(id.uuid())
}

/// The smallest row key of a job made at this time or later.
pub fn first_at(at: Micros) -> i64 {
    at.0.div_euclid(1_000).max(0) << COUNTER_BITS
}

/// The row key of the job that a lease is of.
pub fn key_of_lease(id: &LeaseId) -> i64 {
    key_of_uuid(id.uuid())
}

/// The lease id of the job with this row key: its time and counter are the job's, the rest is chance.
pub fn lease_of(key: i64, chance: u64) -> LeaseId {
    let bits = key.unsigned_abs();
    let counter = (bits & ((1 << COUNTER_BITS) - 1)) as u32;
    LeaseId::from_uuid(&uuid_of(bits >> COUNTER_BITS, counter, chance))
}

/// The row key inside a UUIDv7 in its usual spelling.
pub fn key_of_uuid(uuid: &str) -> i64 {
    let mut bits: u128 = 0;
    for digit in uuid.bytes().filter_map(|byte| char::from(byte).to_digit(16)) {
        bits = bits << 4 | u128::from(digit);
    }
    let ms = bits >> 80;
    let counter_high = bits >> 64 & 0xfff;
    let counter_low = bits >> 53 & 0x1ff;
    // 63 bits hold the milliseconds until the year 2109.
    (((ms << 21 | counter_high << 9 | counter_low) as u64) & (i64::MAX as u64)) as i64
}

/// The UUIDv7 with this time, counter and randomness, in its usual spelling.
pub fn uuid_of(ms: u64, counter: u32, random: u64) -> String {
    let counter = u128::from(counter) & 0x1f_ffff;
    let bits = (u128::from(ms) & 0xffff_ffff_ffff) << 80
        | 7 << 76
        | (counter >> 9) << 64
        | 0b10 << 62
        | (counter & 0x1ff) << 53
        | u128::from(random) & 0x1f_ffff_ffff_ffff;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_comes_back_out_of_the_id() {
        for (ms, counter, random) in
            [(1_795_271_295_204_u64, 0_u32, 0_u64), (1_795_271_295_204, 0x1f_ffff, u64::MAX), (1, 1, 1)]
        {
            let uuid = uuid_of(ms, counter, random);
            assert_eq!(key_of_uuid(&uuid), (ms << COUNTER_BITS | u64::from(counter)) as i64, "{uuid}");
            assert_eq!(key_of_lease(&lease_of(key_of_uuid(&uuid), 5)), key_of_uuid(&uuid));
            assert_eq!(uuid.as_bytes()[14], b'7');
            assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{uuid}");
        }
    }

    #[test]
    fn ids_sort_like_their_keys() {
        let (one, two) = (uuid_of(5, 0x1ff, u64::MAX), uuid_of(5, 0x200, 0));
        assert!(one < two && key_of_uuid(&one) < key_of_uuid(&two));
    }
}
