//! What is written down and told of an entry.

use crate::change::By;
use crate::journal::{Draft, Journal, Tiding};
use serde_json::{Map, Value, json};
use stella_contract::dead_letter::{DeadLetter, DeadLetterEvent, DeadLetterState};
use stella_contract::time::Micros;

/// The noun under which history and feed speak of entries.
pub(super) const ENTITY: &str = "dead_letter";

/// An entry was made.
pub(super) fn added(entry: &DeadLetter, by: &By, now: Micros, journal: &mut Journal) {
    say(entry, None, "orch.deadletter.added", failure(entry), by, now, journal);
}

/// An entry went along an arrow.
pub(super) fn changed(
    before: &DeadLetter,
    after: &DeadLetter,
    event: DeadLetterEvent,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) {
    let (kind, data) = match event {
        DeadLetterEvent::Acknowledge => (
            "orch.deadletter.acknowledged",
            json!({ "owner": after.owner, "note": after.note, "dueAt": after.due_at }),
        ),
        DeadLetterEvent::Replay => (
            "orch.deadletter.replaying",
            json!({ "jobId": after.last_replay_job_id, "replayCount": after.replay_count }),
        ),
        DeadLetterEvent::ReplaySucceeded => {
            ("orch.deadletter.replayed", json!({ "jobId": after.last_replay_job_id }))
        }
        DeadLetterEvent::ReplayFailed => {
            let mut data = failure(after);
            data["jobId"] = json!(after.last_replay_job_id);
            // What it said before is kept here, since the entry now says what failed last.
            data["before"] = failure(before);
            ("orch.deadletter.reopened", data)
        }
        DeadLetterEvent::Resolve => {
            ("orch.deadletter.resolved", json!({ "resolution": after.resolution, "note": after.note }))
        }
        DeadLetterEvent::Reopen => (
            "orch.deadletter.reopened",
            json!({ "before": { "resolution": before.resolution, "resolvedBy": before.resolved_by } }),
        ),
    };
    say(after, Some(before.state), kind, data, by, now, journal);
}

/// Something is written down of an entry that is no arrow.
pub(super) fn noted(
    entry: &DeadLetter,
    kind: &str,
    data: Value,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) {
    journal.enter(&entry.tenant, draft(entry, Some(entry.state), kind, data, by, now));
}

fn failure(entry: &DeadLetter) -> Value {
    let mut data = Map::new();
    data.insert("category".to_owned(), json!(entry.category));
    data.insert("errorCode".to_owned(), json!(entry.error_code));
    data.insert("errorMessage".to_owned(), json!(entry.error_message));
    data.insert("fingerprint".to_owned(), json!(entry.fingerprint));
    Value::Object(data)
}

fn draft(
    entry: &DeadLetter,
    from: Option<DeadLetterState>,
    kind: &str,
    data: Value,
    by: &By,
    now: Micros,
) -> Draft {
    Draft {
        job_id: Some(entry.job_id.clone()),
        run_id: entry.run_id.clone(),
        entity: ENTITY,
        kind: kind.to_owned(),
        from_state: from.map(DeadLetterState::as_str),
        to_state: Some(entry.state.as_str()),
        attempt: None,
        lease_epoch: None,
        actor: by.actor.clone(),
        cause: by.cause.clone(),
        correlation_id: entry.correlation_id.clone(),
        occurred_at: now,
        data,
    }
}

fn say(
    entry: &DeadLetter,
    from: Option<DeadLetterState>,
    kind: &str,
    data: Value,
    by: &By,
    now: Micros,
    journal: &mut Journal,
) {
    journal.enter(&entry.tenant, draft(entry, from, kind, data, by, now));
    let tiding = Tiding {
        kind: kind.to_owned(),
        entity: ENTITY,
        id: entry.entry_id.as_str().to_owned(),
        run_id: entry.run_id.clone(),
        correlation_id: entry.correlation_id.clone(),
        at: now,
        data: json!({
            "state": entry.state,
            "jobId": entry.job_id,
            "jobType": entry.job_type,
            "category": entry.category,
            "errorCode": entry.error_code,
            "fingerprint": entry.fingerprint,
        }),
    };
    journal.tell(&entry.tenant, tiding);
}
