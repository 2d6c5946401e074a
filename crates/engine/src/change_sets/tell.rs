//! What is written down and told of a change-set.

use crate::journal::{Draft, Journal, Tiding};
use serde_json::{Value, json};
use stella_contract::change_set::ChangeSetState;
use stella_contract::history::Actor;
use stella_contract::job::Cause;
use stella_contract::time::Micros;
use stella_ledger::change_sets::ChangeSetRecord;

/// Writes a change of its state into the history.
pub(super) fn enter(
    record: &ChangeSetRecord,
    from: ChangeSetState,
    happened: &str,
    actor: Actor,
    cause: &Cause,
    now: Micros,
    journal: &mut Journal,
) {
    let set = &record.set;
    journal.enter(
        &set.tenant,
        Draft {
            job_id: None,
            run_id: None,
            entity: "change_set",
            kind: format!("orch.change_set.{happened}"),
            from_state: Some(from.as_str()),
            to_state: Some(set.state.as_str()),
            attempt: None,
            lease_epoch: None,
            actor,
            cause: cause.clone(),
            correlation_id: record.correlation_id.clone(),
            occurred_at: now,
            data: json!({
                "changeSetId": set.change_set_id,
                "verb": set.verb,
                "parameters": set.parameters,
                "selection": set.selection,
                "selectionHash": set.selection_hash,
                "progress": set.progress,
                "notice": set.notice,
            }),
        },
    );
}

/// Tells how it stands.
pub(super) fn now(record: &ChangeSetRecord, happened: &str, now: Micros, journal: &mut Journal) {
    let set = &record.set;
    journal.tell(
        &set.tenant,
        Tiding {
            kind: format!("orch.change_set.{happened}"),
            entity: "change_set",
            id: set.change_set_id.as_str().to_owned(),
            run_id: None,
            correlation_id: record.correlation_id.clone(),
            at: now,
            data: data(record),
        },
    );
}

fn data(record: &ChangeSetRecord) -> Value {
    let set = &record.set;
    json!({ "state": set.state, "verb": set.verb, "progress": set.progress, "version": set.version })
}
