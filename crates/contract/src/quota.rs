//! Quotas: how many jobs of a tenant and type may be at work at once and in an hour (spec 02 §2.3).

use crate::ids::{QuotaId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

/// The job type that stands for all of a tenant's: its row bounds the tenant as a whole.
pub const EVERY_TYPE: &str = "*";

words! {
    /// How a quota shares what there is with others.
    QuotaStrategy {
        /// No bound but a pause.
        Unlimited = "unlimited",
        /// A share of the pool by weight, and never more than `maxActive`.
        Proportional = "proportional",
        /// Jobs of priority 75 and more may take `reserved` places beyond `maxActive`.
        Priority = "priority",
        /// `reserved` places of the pool are kept free for it, and never more than `maxActive` are taken.
        Reserved = "reserved",
        /// Never more than `maxActive`.
        MaxLimit = "max_limit",
    }
}

/// A quota as every door shows it. Order of lists: job type, then id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Its id.
    pub quota_id: QuotaId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The job type it is about; `*` bounds the tenant as a whole.
    pub job_type: String,
    /// What it allows.
    #[serde(flatten)]
    pub limits: QuotaLimits,
    /// Whether no new lease starts.
    pub paused: bool,
    /// Why it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_reason: Option<String>,
    /// The ticket of the pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_ticket: Option<String>,
    /// When the pause ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Micros>,
    /// When it goes back to what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_at: Option<Micros>,
    /// What it goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_to: Option<QuotaLimits>,
    /// Who changed it last.
    pub updated_by: String,
    /// When it was made.
    pub created_at: Micros,
    /// When it was changed last.
    pub updated_at: Micros,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
    /// How it is used right now.
    pub live: QuotaLive,
}

/// What a quota allows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuotaLimits {
    /// Jobs at work at once.
    pub max_active: i64,
    /// Jobs started within any sixty minutes.
    pub max_per_hour: i64,
    /// Jobs that may start in one go.
    pub burst: i64,
    /// How fast the burst is refilled, in jobs per second.
    pub refill_per_second: f64,
    /// How it shares with others.
    pub strategy: QuotaStrategy,
    /// Its weight among proportional quotas.
    pub weight: i64,
    /// Places that are its own, under `reserved` and `priority`.
    pub reserved: i64,
}

impl Default for QuotaLimits {
    fn default() -> Self {
        Self {
            max_active: 10,
            max_per_hour: 600,
            burst: 20,
            refill_per_second: 600.0 / 3_600.0,
            strategy: QuotaStrategy::MaxLimit,
            weight: 1,
            reserved: 0,
        }
    }
}

/// How a quota is used, counted from live leases and from the claims of the last hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuotaLive {
    /// Jobs under a lease.
    pub active: i64,
    /// Jobs queued or held back.
    pub waiting: i64,
    /// Claims of the last sixty minutes, since the quota was made.
    pub used_last_hour: i64,
    /// Jobs that may start in one go now.
    pub tokens: f64,
    /// How often it held a job back in the last sixty minutes.
    pub refused_last_hour: i64,
    /// When its hour or its burst next gives room, while it is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_reset_at: Option<Micros>,
}

/// A wish for a quota; what is absent has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddQuota {
    /// The job type it is about; `*` bounds the tenant as a whole.
    #[cfg_attr(feature = "openapi", schema(pattern = "^(\\*|[a-z][a-z0-9.-]{1,63})$"))]
    pub job_type: String,
    /// 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000))]
    pub max_active: Option<i64>,
    /// 600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 10_000_000))]
    pub max_per_hour: Option<i64>,
    /// 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub burst: Option<i64>,
    /// `maxPerHour` / 3600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000))]
    pub refill_per_second: Option<f64>,
    /// `max_limit` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<QuotaStrategy>,
    /// 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000))]
    pub weight: Option<i64>,
    /// 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000))]
    pub reserved: Option<i64>,
}

/// A change of a quota; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChangeQuota {
    /// Jobs at work at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000))]
    pub max_active: Option<i64>,
    /// Jobs started within any sixty minutes; the refill follows it unless it is given too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 10_000_000))]
    pub max_per_hour: Option<i64>,
    /// Jobs that may start in one go.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub burst: Option<i64>,
    /// How fast the burst is refilled, in jobs per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000))]
    pub refill_per_second: Option<f64>,
    /// How it shares with others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<QuotaStrategy>,
    /// Its weight among proportional quotas.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000))]
    pub weight: Option<i64>,
    /// Places that are its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000))]
    pub reserved: Option<i64>,
    /// When it goes back to what it was before this change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revert_at: Option<Micros>,
}

/// A wish to pause a quota. The reason and the ticket stand in the headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PauseQuota {
    /// When the pause ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
}

/// Which quotas are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct QuotaFilter {
    /// About this job type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// Paused, or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// All quotas of a tenant in figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuotaSummary {
    /// How many there are.
    pub quotas: i64,
    /// How many of them are paused.
    pub paused: i64,
    /// The tenant's jobs under a lease.
    pub active: i64,
    /// The tenant's jobs queued or held back.
    pub waiting: i64,
    /// Claims of the last sixty minutes.
    pub used_last_hour: i64,
    /// How often a quota held a job back in the last sixty minutes.
    pub refused_last_hour: i64,
    /// The tenant's waiting jobs by what holds them.
    pub held_by: Vec<HeldBy>,
    /// The five quotas nearest to their limit, nearest first.
    pub tightest: Vec<Quota>,
}

/// How many jobs wait for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldBy {
    /// The reason.
    pub wait_reason: crate::job::WaitReason,
    /// How many.
    pub jobs: i64,
}

words! {
    /// The form of an export.
    ExportFormat as "QuotaExportFormat" {
        /// One JSON document.
        Json = "json",
        /// One line per row, with a heading.
        Csv = "csv",
    }
}

/// Which form of the snapshot is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ExportQuery {
    /// `json` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ExportFormat>,
}

/// All quotas of a tenant with their live values at one moment, sorted by tenant and job type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuotaSnapshot {
    /// `orch.quota-snapshot.v1`.
    pub schema: String,
    /// Whose they are.
    pub tenant: Tenant,
    /// When it was taken.
    pub exported_at: Micros,
    /// The rows.
    pub quotas: Vec<Quota>,
    /// `sha256:<64 hex>` of the canonical JSON of `quotas`.
    pub sha256: String,
}

/// A limit that is only imagined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WhatIf {
    /// The job type; `*` for all of the tenant's.
    #[cfg_attr(feature = "openapi", schema(pattern = "^(\\*|[a-z][a-z0-9.-]{1,63})$"))]
    pub job_type: String,
    /// Jobs at work at once; as it is now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100_000))]
    pub max_active: Option<i64>,
    /// Jobs started within an hour; as it is now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 10_000_000))]
    pub max_per_hour: Option<i64>,
}

words! {
    /// What bounds a throughput.
    DrainBound {
        /// Jobs at work at once.
        MaxActive = "max_active",
        /// Jobs started within an hour.
        MaxPerHour = "max_per_hour",
        /// The places of the workers.
        Workers = "workers",
        /// It is paused.
        Paused = "paused",
        /// Too few jobs have ended lately to say.
        Unknown = "unknown",
    }
}

/// How long the backlog would last under an imagined limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DrainEstimate {
    /// The job type.
    pub job_type: String,
    /// Jobs queued or held back.
    pub backlog: i64,
    /// Jobs under a lease.
    pub active: i64,
    /// Jobs that ended per minute, over the last fifteen.
    pub throughput_per_minute: f64,
    /// Jobs that came per minute, over the last fifteen.
    pub arrivals_per_minute: f64,
    /// The mean time from start to end of those that ended, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_ms: Option<i64>,
    /// Jobs that would end per minute under the imagined limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected_per_minute: Option<f64>,
    /// What bounds that.
    pub bound_by: DrainBound,
    /// When the backlog would be gone; absent when it would not shrink or nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drained_at: Option<Micros>,
    /// When it will be gone as things are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drained_at_now: Option<Micros>,
}
