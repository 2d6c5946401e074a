//! May a failed attempt be followed by another, and when? Pure: the same job and attempt give the same answer.

use sha2::{Digest, Sha256};
use stella_contract::ids::JobId;
use stella_contract::job::ErrorClass;
use stella_contract::time::Micros;

/// The wait after the first attempt, before jitter.
const FIRST_MS: u64 = 10_000;
/// The longest wait that we choose.
const LONGEST_MS: u64 = 900_000;
/// The longest wait that the far side may ask for.
const LONGEST_ASKED_MS: u64 = 24 * 60 * 60 * 1_000;

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, not before then.
    Again {
        /// When it may start at the earliest.
        at: Micros,
    },
    /// Nothing: the class is not retried or no attempt is left.
    Dead,
}

/// What an attempt was and how it failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed<'a> {
    /// The job.
    pub job_id: &'a JobId,
    /// Attempts made, this one included.
    pub attempt: i32,
    /// Attempts allowed.
    pub max_attempts: i32,
    /// Why it failed.
    pub class: ErrorClass,
    /// When the far side wants to be asked again.
    pub retry_after_ms: Option<u64>,
    /// Whether its worker knows that another attempt cannot help.
    pub is_final: bool,
}

/// Decides what follows.
pub fn decide(failed: Failed<'_>, now: Micros) -> Next {
    if failed.is_final || !failed.class.is_retryable() || failed.attempt >= failed.max_attempts {
        return Next::Dead;
    }
    let own = delay_ms(failed.job_id, failed.attempt);
    let asked = failed.retry_after_ms.unwrap_or(0).min(LONGEST_ASKED_MS);
    let wait = i64::try_from(own.max(asked)).expect("a day in milliseconds fits");
    Next::Again { at: now.plus_ms(wait) }
}

/// `min(900 s, 10 s × 3^(n−1)) × u` with n attempts made and u in [0.5, 1.0] from the job's own id.
pub fn delay_ms(job_id: &JobId, attempt: i32) -> u64 {
    let made = u32::try_from(attempt.max(1) - 1).unwrap_or(0);
    let full = 3_u64.saturating_pow(made).saturating_mul(FIRST_MS).min(LONGEST_MS);
    let digest = Sha256::digest(format!("{job_id}:{attempt}"));
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    let share = u128::from(u64::from_be_bytes(first));
    let half = u128::from(full) / 2;
    let jitter = half * share / u128::from(u64::MAX);
    u64::try_from(u128::from(full) - half + jitter).unwrap_or(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> JobId {
        "job_01890000-0000-7000-8000-000000000000".parse().unwrap()
    }

    fn failed(attempt: i32, class: ErrorClass, retry_after_ms: Option<u64>) -> Next {
        let job_id = job();
        decide(
            Failed { job_id: &job_id, attempt, max_attempts: 6, class, retry_after_ms, is_final: false },
            Micros(0),
        )
    }

    #[test]
    fn the_waits_are_half_to_full_of_10_30_90_270_810_and_then_900_seconds() {
        for (attempt, full_s) in [(1, 10), (2, 30), (3, 90), (4, 270), (5, 810), (6, 900), (40, 900)] {
            let delay = delay_ms(&job(), attempt);
            assert!(delay >= full_s * 500 && delay <= full_s * 1_000, "{attempt}: {delay}");
        }
    }

    #[test]
    fn the_jitter_is_the_first_eight_bytes_of_the_digest_of_job_and_attempt() {
        // sha256("job_01890000-0000-7000-8000-000000000000:1") and so on, computed apart from this program.
        let expected = [7256, 15476, 63089, 165294, 537173];
        let made: Vec<u64> = (1..=5).map(|attempt| delay_ms(&job(), attempt)).collect();
        assert_eq!(made, expected);
    }

    #[test]
    fn a_far_side_that_asks_for_more_time_gets_it_up_to_a_day() {
        let at = |next| match next {
            Next::Again { at } => at.0 / 1_000_000,
            Next::Dead => panic!("another attempt was left"),
        };
        assert_eq!(at(failed(1, ErrorClass::UpstreamThrottle, Some(3_600_000))), 3_600);
        assert_eq!(at(failed(1, ErrorClass::UpstreamThrottle, Some(u64::MAX))), 86_400);
        assert!(
            at(failed(5, ErrorClass::UpstreamThrottle, Some(1))) >= 405,
            "it does not shorten our own wait"
        );
    }

    #[test]
    fn the_last_attempt_and_classes_that_will_not_mend_are_dead() {
        assert_eq!(failed(6, ErrorClass::Network, None), Next::Dead);
        assert_ne!(failed(5, ErrorClass::Network, None), Next::Dead);
        for class in ErrorClass::ALL {
            let dead = failed(1, *class, None) == Next::Dead;
            assert_eq!(dead, !class.is_retryable(), "{class}");
        }
    }
}
