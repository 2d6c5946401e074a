//! Spikes of dead letters that wait to be told. A burst takes a few seconds to come in whole, and who is told wants to
//! know how many in the end: a spike is told when its number stands still, and once. Pure.

use std::collections::BTreeMap;
use stella_contract::event::FeedEvent;
use stella_contract::ids::IncidentId;
use stella_contract::incident::{Incident, IncidentState};

/// Looks with the same number after which it is told.
const STILL: u32 = 2;
/// Looks after which it is told though it still grows.
const PATIENCE: u32 = 15;

/// Spikes that came up and are not told yet.
#[derive(Debug, Default)]
pub(crate) struct Waiting(BTreeMap<IncidentId, Look>);

#[derive(Debug, Clone, Copy, Default)]
struct Look {
    count: i64,
    looks: u32,
    still: u32,
}

impl Waiting {
    /// Notes the spikes among the events.
    pub(crate) fn hear(&mut self, events: &[FeedEvent]) {
        let spikes = events.iter().filter(|event| event.kind == "orch.deadletter.spike");
        for id in spikes.filter_map(|event| event.data["incidentId"].as_str()?.parse().ok()) {
            self.0.entry(id).or_default();
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that wait.
    pub(crate) fn ids(&self) -> Vec<IncidentId> {
        self.0.keys().cloned().collect()
    }

    /// Whether this one, as it now is, has to be told; it waits no longer then. One below the operator's threshold goes
    /// on waiting, one that is over is forgotten.
    pub(crate) fn is_due(&mut self, incident: &Incident, threshold: i64) -> bool {
        let id = &incident.incident_id;
        if matches!(incident.state, IncidentState::Mitigated | IncidentState::Resolved) {
            self.0.remove(id);
            return false;
        }
        let Some(look) = self.0.get_mut(id) else { return false };
        look.still = if look.count == incident.count { look.still + 1 } else { 0 };
        look.count = incident.count;
        if incident.count < threshold {
            return false;
        }
        look.looks += 1;
        let is_due = look.still >= STILL || look.looks >= PATIENCE;
        if is_due {
            self.0.remove(id);
        }
        is_due
    }

    /// Forgets one that cannot be read any more.
    pub(crate) fn forget(&mut self, id: &IncidentId) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "inc_01890000-0000-7000-8000-000000000000";

    fn heard() -> Waiting {
        let event = |kind: &str| -> FeedEvent {
            serde_json::from_value(json!({
                "seq": 1, "type": kind, "entity": "dead_letter_cluster", "id": "5f1c0a9b7e2d4c68", "tenant": "default",
                "correlationId": "c", "at": "2026-11-21T09:30:00.000Z", "data": {"incidentId": ID}
            }))
            .unwrap()
        };
        let mut waiting = Waiting::default();
        waiting.hear(&[event("orch.deadletter.added")]);
        assert!(waiting.is_empty());
        waiting.hear(&[event("orch.deadletter.spike"), event("orch.deadletter.spike")]);
        assert_eq!(waiting.ids().len(), 1);
        waiting
    }

    fn incident(count: i64, state: &str) -> Incident {
        serde_json::from_value(json!({
            "incidentId": ID, "tenant": "default", "kind": "deadletter.spike", "alertName": "ErrorCluster",
            "severity": "warning", "state": state, "openedAt": "2026-11-21T09:30:00.000Z",
            "lastSeenAt": "2026-11-21T09:30:00.000Z", "count": count, "subject": "5f1c0a9b7e2d4c68",
            "reasonCode": "X", "summary": "s", "links": [], "version": 1
        }))
        .unwrap()
    }

    #[test]
    fn a_burst_is_told_once_and_with_its_last_number() {
        let mut waiting = heard();
        let told: Vec<bool> =
            [12, 22, 30, 30, 30, 30].map(|count| waiting.is_due(&incident(count, "open"), 10)).into();
        assert_eq!(told, [false, false, false, false, true, false]);
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_burst_without_end_is_told_all_the_same() {
        let mut waiting = heard();
        let looks = (0..).take_while(|look| !waiting.is_due(&incident(10 + look, "open"), 10)).count();
        assert_eq!(looks, 14);
    }

    #[test]
    fn below_the_threshold_it_waits_and_when_it_is_over_it_is_forgotten() {
        let mut waiting = heard();
        for _ in 0..50 {
            assert!(!waiting.is_due(&incident(12, "open"), 25));
        }
        assert!(!waiting.is_empty());
        assert!(!waiting.is_due(&incident(12, "mitigated"), 25));
        assert!(waiting.is_empty());
    }
}
