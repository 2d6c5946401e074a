//! How each job type is doing: what waits, what flows through, what fails, how long it takes.

use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// The boundaries, in milliseconds, between which durations are counted. The exposition shows some of them; quotes of
/// percentiles are read off between two of them.
pub const BOUNDS_MS: &[i64] = &[
    1, 2, 5, 10, 20, 50, 75, 100, 150, 250, 375, 500, 750, 1_000, 1_500, 2_500, 3_750, 5_000, 7_500, 10_000,
    15_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000, 180_000, 240_000, 300_000, 450_000, 600_000,
    900_000, 1_200_000, 1_800_000, 2_700_000, 3_600_000,
];

/// The figures of a tenant's job types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobStats {
    /// When they were read, all from one snapshot.
    pub as_of: Micros,
    /// One row per job type that has open jobs or ended some within 24 h; most open first, then by name.
    pub by_type: Vec<TypeStats>,
}

/// The figures of one job type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TypeStats {
    /// The type.
    pub job_type: String,
    /// Held by something: a time, a limit, an upstream job.
    pub pending: i64,
    /// Ready and waiting for a worker.
    pub queued: i64,
    /// Leased and running.
    pub active: i64,
    /// When the job that waits longest in the queue was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_queued_at: Option<Micros>,
    /// Jobs that ended within the last hour, per minute.
    pub throughput_per_min: f64,
    /// Jobs that succeeded within 24 h.
    pub succeeded_24h: i64,
    /// Jobs that failed or timed out within 24 h.
    pub failed_24h: i64,
    /// Failed of those that succeeded or failed within 24 h, 0.0 to 1.0; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_rate: Option<f64>,
    /// Half of the attempts of 24 h waited at most this long in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_p50_ms: Option<f64>,
    /// Nineteen of twenty attempts of 24 h waited at most this long in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_p95_ms: Option<f64>,
    /// Half of the attempts of 24 h ran at most this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_p50_ms: Option<f64>,
    /// Nineteen of twenty attempts of 24 h ran at most this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_p95_ms: Option<f64>,
    /// What ended in each of the last 24 hours, oldest first; always 24 points.
    pub sparkline: Vec<StatPoint>,
}

/// What ended in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StatPoint {
    /// When the hour began.
    pub at: Micros,
    /// Jobs that succeeded.
    pub succeeded: i64,
    /// Jobs that failed or timed out.
    pub failed: i64,
}

/// The place of a duration among [`BOUNDS_MS`]: the first boundary it does not exceed; their number when it exceeds all.
pub fn bucket_of(ms: i64) -> usize {
    BOUNDS_MS.partition_point(|bound| *bound < ms)
}

/// The duration that this share of the counted ones does not exceed, read off evenly between two boundaries; `None`
/// when nothing was counted. `counts` has one more place than there are boundaries.
pub fn quantile(counts: &[i64], share: f64) -> Option<f64> {
    let total: i64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let wanted = share * total as f64;
    let mut below = 0_i64;
    for (at, count) in counts.iter().enumerate() {
        let reached = below + count;
        if *count > 0 && reached as f64 >= wanted {
            let from = if at == 0 { 0 } else { BOUNDS_MS[at - 1] };
            // Beyond the last boundary there is nothing to read off.
            let to = BOUNDS_MS.get(at).copied().unwrap_or(from);
            let part = ((wanted - below as f64) / *count as f64).clamp(0.0, 1.0);
            return Some(from as f64 + (to - from) as f64 * part);
        }
        below = reached;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_under_the_first_boundary_it_does_not_exceed() {
        for (ms, at) in [(0, 0), (1, 0), (2, 1), (3, 2), (50, 5), (51, 6), (3_600_000, 36), (3_600_001, 37)] {
            assert_eq!(bucket_of(ms), at, "{ms}");
        }
    }

    #[test]
    fn a_percentile_lies_between_the_boundaries_that_hold_it() {
        let mut counts = vec![0; BOUNDS_MS.len() + 1];
        assert_eq!(quantile(&counts, 0.5), None);
        counts[bucket_of(80)] = 10;
        assert_eq!(quantile(&counts, 0.5), Some(87.5));
        counts[bucket_of(4_000_000)] = 90;
        assert_eq!(quantile(&counts, 0.95), Some(3_600_000.0));
        assert_eq!(quantile(&counts, 0.05), Some(87.5));
    }
}
