//! Pressure: how full the queues are and how the core keeps up, and what is refused then (spec 02 §2.8); the token
//! buckets of hosts (§2.4).

use crate::ids::{BucketId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// How much pressure a tenant is under.
    PressureLevel {
        /// Nothing is refused.
        Normal = "normal",
        /// It is told.
        Elevated = "elevated",
        /// Jobs of priority below 25 are refused, backfills are held.
        High = "high",
        /// Only jobs of priority 75 and more are taken and handed out.
        Critical = "critical",
    }
}

impl PressureLevel {
    /// 0 to 3.
    pub const fn number(self) -> i64 {
        match self {
            Self::Normal => 0,
            Self::Elevated => 1,
            Self::High => 2,
            Self::Critical => 3,
        }
    }
    /// The level with this number; the highest for anything beyond.
    pub const fn of(number: i64) -> Self {
        match number {
            i64::MIN..=0 => Self::Normal,
            1 => Self::Elevated,
            2 => Self::High,
            3..=i64::MAX => Self::Critical,
        }
    }
    /// The lowest priority that is still taken in.
    pub const fn lowest_priority(self) -> i32 {
        match self {
            Self::Normal | Self::Elevated => 0,
            Self::High => 25,
            Self::Critical => 75,
        }
    }
    /// The lowest priority that is still handed out.
    pub const fn lowest_dispatched(self) -> i32 {
        match self {
            Self::Normal | Self::Elevated | Self::High => 0,
            Self::Critical => 75,
        }
    }
}

words! {
    /// What is measured.
    PressureGauge {
        /// Jobs that are ready or held by a limit.
        Queue = "queue",
        /// How long the oldest ready job has waited, in milliseconds.
        OldestQueued = "oldest_queued",
        /// The 95th percentile of writes, in milliseconds.
        WriteP95 = "write_p95",
        /// Room left on the disk of the ledger, in percent.
        DiskFree = "disk_free",
    }
}

/// A gauge and the threshold it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct GaugeReading {
    /// What is measured.
    pub gauge: PressureGauge,
    /// What it shows; absent where it cannot be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The level it asks for by itself.
    pub level: PressureLevel,
    /// The threshold of the next level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<f64>,
}

/// The pressure a tenant is under, its pools and its buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Pressure {
    /// Whose it is.
    pub tenant: Tenant,
    /// The level in force.
    pub level: PressureLevel,
    /// Since when.
    pub since: Micros,
    /// The level the gauges ask for; it comes into force after 30 s above, or is left after 2 min below 80 %.
    pub asked: PressureLevel,
    /// What the gauges show.
    pub gauges: Vec<GaugeReading>,
    /// When the gauges were last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Micros>,
    /// The pools of workers, by name.
    pub pools: Vec<Pool>,
    /// The buckets of hosts, by host.
    pub buckets: Vec<Bucket>,
}

/// A pool of workers: those that carry one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Its name.
    pub pool: String,
    /// Jobs it may hold at once: an operator's limit, what the rule recommends where it follows the rule, or else what
    /// its workers say.
    pub limit: i64,
    /// Whether an operator set the limit.
    pub fixed: bool,
    /// Whether the limit is what the rule recommends, looked at every 30 s.
    #[serde(default)]
    pub follows: bool,
    /// Jobs it holds.
    pub in_use: i64,
    /// What the rule recommends: 1 to 64.
    pub recommended: i64,
    /// Share of the places in use, 0 to 1, averaged over the last 30 s.
    pub utilisation: f64,
    /// Share of the attempts that failed in the last 5 min, 0 to 1.
    pub error_rate: f64,
    /// The 95th percentile of attempts that succeeded in the last 5 min, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<i64>,
    /// The median over the last hour, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_ms: Option<i64>,
    /// When the recommendation was last looked at.
    pub adjusted_at: Micros,
}

/// A wish to bound a pool, by a number or by the rule; with neither the bound is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitPool {
    /// Its name.
    pub pool: String,
    /// Jobs it may hold at once, 1 to 64; absent: what its workers say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 64))]
    pub limit: Option<i64>,
    /// Its bound is what the rule recommends, from now on; not together with a limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

/// The token bucket of a host. Order of lists: host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// Its id.
    pub bucket_id: BucketId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The host.
    pub host: String,
    /// Claims that may be made in one go now.
    pub tokens: f64,
    /// The most it holds.
    pub capacity: f64,
    /// Tokens per second when nothing is wrong.
    pub base_rate: f64,
    /// Tokens per second now.
    pub current_rate: f64,
    /// Tokens per second at the end of every two minutes of the last two hours, oldest first; told with the pressure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<f64>,
    /// Nothing is taken before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_until: Option<Micros>,
    /// Successes in a row.
    pub success_streak: i64,
    /// When the host last asked for fewer requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled_at: Option<Micros>,
    /// Until when an operator's rate is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_until: Option<Micros>,
    /// Who set that rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden_by: Option<String>,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// A wish to set a bucket's rate for a while; without a rate the override ends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OverrideBucket {
    /// Tokens per second; absent: back to the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000))]
    pub rate: Option<f64>,
    /// At most 24 h from now, which it is when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
}
