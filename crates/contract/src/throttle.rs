//! Throttles: what holds jobs back, as long as it does, written down (spec 02 §2.5).

use crate::ids::{Tenant, ThrottleId};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// What kind of limit holds jobs back.
    ThrottleKind {
        /// The token bucket of a host.
        Bucket = "bucket",
        /// A quota.
        Quota = "quota",
        /// A circuit breaker.
        Breaker = "breaker",
        /// A blackout.
        Blackout = "blackout",
        /// The tenant's queue is too deep or the core too slow.
        Backpressure = "backpressure",
        /// An operator.
        Manual = "manual",
    }
}

words! {
    /// Why it holds them back.
    ThrottleReason {
        /// The host said: too many requests.
        Upstream429 = "upstream_429",
        /// The host failed.
        Upstream5xx = "upstream_5xx",
        /// As many as allowed are at work.
        MaxActive = "max_active",
        /// As many as allowed ran this hour.
        MaxPerHour = "max_per_hour",
        /// No token is left.
        BucketEmpty = "bucket_empty",
        /// The breaker is open.
        BreakerOpen = "breaker_open",
        /// A blackout is on.
        Blackout = "blackout",
        /// The level of pressure.
        Backpressure = "backpressure",
        /// An operator said so.
        Operator = "operator",
    }
}

words! {
    /// How much it matters.
    ThrottleLevel {
        /// It works as meant.
        Info = "info",
        /// It delays work.
        Warn = "warn",
        /// It stops work.
        Critical = "critical",
    }
}

/// A throttle as every door shows it. Order of lists: the active ones first, then `startedAt` desc, then id desc.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Throttle {
    /// Its id.
    pub throttle_id: ThrottleId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What kind of limit it is.
    pub kind: ThrottleKind,
    /// The host, the job type or the tenant.
    pub key: String,
    /// Why.
    pub reason: ThrottleReason,
    /// How much it matters.
    pub level: ThrottleLevel,
    /// When it began.
    pub started_at: Micros,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
    /// The rate it allows, per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_now: Option<f64>,
    /// The rate without it, per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_base: Option<f64>,
    /// How often it was met.
    pub hits: i64,
    /// The last HTTP status of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_status: Option<i32>,
    /// Jobs that wait for it now; 0 once it is cleared.
    pub affected_jobs: i64,
    /// Who brought it about, when it was an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_reason: Option<String>,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Micros>,
    /// What ended it: `timer`, `recovery`, or the operator's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_by: Option<String>,
}

/// Which throttles are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ThrottleFilter {
    /// Active ones, or cleared ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ThrottleKind>,
}
