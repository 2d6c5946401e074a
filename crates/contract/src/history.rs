//! The history: append-only, hash-chained per tenant (spec 01 §1.9).

use crate::ids::{EventId, JobId, RunId};
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// The hash before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One entry. Order of lists: `seq` desc.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Its place in the tenant's chain; gap-free from 1.
    pub seq: i64,
    /// Its id.
    pub event_id: EventId,
    /// The job it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// The run it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The noun: `job`, `run`, `segment`, `source`, `target`, `token`.
    pub entity: String,
    /// What happened: `orch.job.queued`, `scheduler.run.started`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// State before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_state: Option<String>,
    /// State after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_state: Option<String>,
    /// The job's attempt then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// The job's lease epoch then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_epoch: Option<i64>,
    /// Who did it.
    pub actor: Actor,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Binds everything of one cause together.
    pub correlation_id: String,
    /// When.
    pub occurred_at: Micros,
    /// SHA-256 of the canonical `data`.
    pub data_digest: String,
    /// What else there is to say.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: serde_json::Value,
    /// Hash of the entry before.
    pub prev_hash: String,
    /// SHA-256 of `prevHash` and the canonical entry without this field.
    pub hash: String,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The OS user, the token's name, a worker's id or a background task's name.
    pub subject: String,
    /// The scopes it acted under.
    pub scopes: Vec<String>,
}

/// The answer of a walk along the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChainCheck {
    /// Entries walked.
    pub entries: i64,
    /// The last entry that is sound.
    pub verified_to: i64,
    /// The first entry that is not, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<ChainBreak>,
}

/// Where and why a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChainBreak {
    /// The entry.
    pub seq: i64,
    /// What does not agree.
    pub why: String,
}
