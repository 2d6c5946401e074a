//! The envelope in which events leave the core: CloudEvents 1.0, structured JSON mode (spec 08 §8.5). One per entry of
//! the history, told again under the same id; and one per progress, which is not part of the hash chain.

use crate::history::Actor;
use crate::ids::Tenant;
use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// The media type of one event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The WebSocket subprotocol under which each text frame is one event.
pub const SUBPROTOCOL: &str = "cloudevents.json";
/// The name of the shape of `data`.
pub const SCHEMA: &str = "orch.event.v1";
/// Events read ahead for one reader; a reader is never sent more than these at once.
pub const BUFFER: i64 = 500;
/// How long a reader of the WebSocket may leave a frame unread before it is hung up on, in milliseconds.
pub const SLOW_MS: u64 = crate::kept::HANG_UP_S * 1_000;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CloudEvent {
    /// `1.0`.
    pub specversion: String,
    /// The same each time the event is told.
    pub id: String,
    /// `/orchestrator/{instance}`.
    pub source: String,
    /// What happened: `orch.job.succeeded`, `scheduler.run.completed`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The job, run or other thing it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When.
    pub time: Micros,
    /// `application/json`.
    pub datacontenttype: String,
    /// `orch.event.v1`.
    pub dataschema: String,
    /// Whose it is.
    pub tenantid: Tenant,
    /// The part of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projectid: Option<String>,
    /// Binds everything of one cause together.
    pub correlationid: String,
    /// Made of type, subject, attempt and number; the same each time the event is told.
    pub idempotencykey: String,
    /// Its number in the tenant's history, in 19 digits so that texts sort as numbers do; resume after it. A progress
    /// carries that of the entry before it.
    pub sequence: String,
    /// Hash of the history entry before; absent for progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevhash: Option<String>,
    /// Hash of the history entry; absent for progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// What happened, in full.
    pub data: EventData,
}

/// What happened, in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventData {
    /// The noun: `job`, `run`, `segment`, `source`, `target`, `token`.
    pub entity: String,
    /// Who did it; absent for progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// State before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_state: Option<String>,
    /// State after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_state: Option<String>,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The job it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<EventJob>,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<EventMetrics>,
    /// How it is told.
    pub notifier: Notifier,
    /// What else there is to say, secrets redacted.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub details: serde_json::Value,
}

/// The job of an event, as it was then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventJob {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub job_type: String,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The attempt then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// The lease epoch then. The lease's id is the worker's key to the job and is told to nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_epoch: Option<i64>,
    /// The worker that held that lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_runner_id: Option<String>,
    /// The state after.
    pub status: String,
    /// Why it waits, or the code with which it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of its canonical payload.
    pub payload_digest: String,
    /// What it left; told when it succeeded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<EventArtifact>,
}

/// An output of the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventArtifact {
    /// Unique within the job.
    pub name: String,
    /// `sha256:<64 hex>` of its bytes.
    pub digest: String,
    /// Its size.
    pub size_bytes: i64,
}

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventMetrics {
    /// From the worker's start to the attempt's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Until the next attempt may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<i64>,
    /// 0.0 to 1.0; of a progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
}

/// How an event is told; all else is the same each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Notifier {
    /// `sse` or `websocket`.
    pub channel: String,
    /// Its number on this connection, from 1.
    pub delivery: i64,
    /// It happened before this connection was opened.
    pub replayed: bool,
}

/// Where to go on among the events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct EventsQuery {
    /// The last number seen; absent: from now on. 0: from the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
}

/// In which form the stream of events is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct StreamQuery {
    /// `feed` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<StreamFormat>,
}

crate::words! {
    /// A form of the stream of events.
    StreamFormat {
        /// The tenant's feed: one event per change of a thing, the last 10,000 of them; ids are feed numbers.
        Feed = "feed",
        /// CloudEvents: one per entry of the history, which is kept whole; ids are history numbers.
        CloudEvents = "cloudevents",
    }
}

/// A history number as CloudEvents carry it.
pub fn sequence(seq: i64) -> String {
    format!("{seq:019}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_text_and_are_read_back() {
        assert!(sequence(9) < sequence(10));
        assert_eq!(sequence(i64::MAX).len(), sequence(1).len());
        assert_eq!(sequence(41).parse::<i64>(), Ok(41));
    }
}
