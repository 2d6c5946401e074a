//! Incidents: what needs somebody's attention, once per kind and subject for as long as it lasts (spec 08 §8.3).

use crate::NoSuchArrow;
use crate::ids::{IncidentId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where an incident stands.
    IncidentState {
        /// In: its condition came up, or came up again. Out: somebody acknowledges it, the condition goes, resolve.
        Open = "open",
        /// In: somebody looks after it. Out: the condition goes, resolve.
        Acknowledged = "acknowledged",
        /// In: the condition is gone. Out: it comes again, 30 minutes pass, resolve.
        Mitigated = "mitigated",
        /// In: an operator, or 30 minutes after the condition went. Final.
        Resolved = "resolved",
    }
}

words! {
    /// What can happen to an incident.
    IncidentEvent {
        /// Its condition is seen again.
        See = "see",
        /// Somebody looks after it.
        Acknowledge = "acknowledge",
        /// Its condition is gone.
        Clear = "clear",
        /// It is over.
        Resolve = "resolve",
    }
}

words! {
    /// How bad it is.
    Severity as "IncidentSeverity" {
        /// Worth knowing.
        Note = "note",
        /// Somebody should look today.
        Warning = "warning",
        /// Somebody should look now.
        Critical = "critical",
    }
}

words! {
    /// What it is about.
    IncidentKind {
        /// Many new dead letters of one cause in a short time; its subject is the fingerprint.
        DeadLetterSpike = "deadletter.spike",
        /// Many open dead letters.
        DeadLetterBacklog = "deadletter.backlog",
        /// A circuit breaker opened; its subject is the breaker's key.
        BreakerOpened = "breaker.opened",
        /// A job runs and gets no further; its subject is the job.
        JobStuck = "job.stuck",
        /// A pool of workers loses its leases; its subject is the pool.
        LeaseStall = "lease.stall",
        /// An objective's error budget is used up too fast; its subject is the objective.
        SloBurn = "slo.burn",
        /// The queue is too deep.
        Backpressure = "backpressure",
        /// The planner does not tell that it is alive.
        PlannerStalled = "planner.stalled",
        /// Fires passed while nobody was there, too long ago to be made up for; its subject is the schedule.
        ScheduleMissed = "schedule.missed",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: IncidentState, event: IncidentEvent) -> Result<IncidentState, NoSuchArrow> {
    use IncidentEvent as E;
    use IncidentState as S;
    match (state, event) {
        (S::Open | S::Acknowledged, E::See) => Ok(state),
        (S::Mitigated, E::See) => Ok(S::Open),
        (S::Open, E::Acknowledge) => Ok(S::Acknowledged),
        (S::Open | S::Acknowledged, E::Clear) => Ok(S::Mitigated),
        (S::Open | S::Acknowledged | S::Mitigated, E::Resolve) => Ok(S::Resolved),
        (state, event) => {
            Err(NoSuchArrow { entity: "incident", state: state.as_str(), event: event.as_str() })
        }
    }
}

/// Why an operator may not do this to an incident in this state; `None` when they may.
pub fn refusal(state: IncidentState, event: IncidentEvent) -> Option<&'static str> {
    if next(state, event).is_ok() {
        return None;
    }
    Some(match state {
        IncidentState::Open => "The incident is open",
        IncidentState::Acknowledged => "Somebody looks after it already",
        IncidentState::Mitigated => "Its condition is gone",
        IncidentState::Resolved => "It is over",
    })
}

impl IncidentKind {
    /// The name under which the platform's alerts know it.
    pub const fn alert_name(self) -> &'static str {
        match self {
            Self::DeadLetterSpike => "ErrorCluster",
            Self::DeadLetterBacklog => "DLQDepthHigh",
            Self::BreakerOpened => "FailuresHigh",
            Self::JobStuck => "JobStuck",
            Self::LeaseStall => "LeaseStall",
            Self::SloBurn => "FailureBurnRateHigh",
            Self::Backpressure => "Backpressure",
            Self::PlannerStalled => "PlannerStalled",
            Self::ScheduleMissed => "ScheduleMissed",
        }
    }
}

/// The longest note, in characters.
pub const NOTE_MAX: usize = 1_000;

/// An incident. Order of lists: `openedAt` desc, then `incidentId` desc.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// Its id.
    pub incident_id: IncidentId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it is about.
    pub kind: IncidentKind,
    /// The platform's name for such an alert.
    pub alert_name: String,
    /// How bad it is, or was at its worst.
    pub severity: Severity,
    /// Where it stands.
    pub state: IncidentState,
    /// When it came up.
    pub opened_at: Micros,
    /// When its condition was last seen.
    pub last_seen_at: Micros,
    /// The number behind it when it was last seen: entries, expiries, minutes.
    pub count: i64,
    /// What exactly: a fingerprint, a job, a pool, a breaker's key.
    pub subject: String,
    /// A stable code of the cause.
    pub reason_code: String,
    /// A sentence: what, how many, why.
    pub summary: String,
    /// Pages that show it.
    pub links: Vec<IncidentLink>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Ack>,
    /// What an operator noted of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When its condition went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Micros>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Micros>,
    /// Who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// A page that shows an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IncidentLink {
    /// What the page is called.
    pub title: String,
    /// Its location in the app, query included.
    pub path: String,
}

/// Who looks after something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ack {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: Micros,
}

/// Which incidents are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct IncidentFilter {
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<IncidentState>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<IncidentKind>,
    /// As bad as this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// About exactly this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Those that are not over only, or others only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<bool>,
}

/// What an operator notes of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NoteIncident {
    /// At most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 1_000))]
    pub note: Option<String>,
}

/// What ended an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveIncident {
    /// 1 to 1,000 characters.
    #[cfg_attr(feature = "openapi", schema(max_length = 1_000, pattern = "\\S"))]
    pub note: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table as text: a reviewer sees any new arrow as one added line.
    #[test]
    fn the_arrows_of_an_incident_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in IncidentState::ALL {
            for event in IncidentEvent::ALL {
                match next(*state, *event) {
                    Ok(to) => lines.push(format!("{state} --{event}--> {to}")),
                    Err(_) => assert!(refusal(*state, *event).is_some()),
                }
            }
        }
        let expected = "\
open --see--> open
open --acknowledge--> acknowledged
open --clear--> mitigated
open --resolve--> resolved
acknowledged --see--> acknowledged
acknowledged --clear--> mitigated
acknowledged --resolve--> resolved
mitigated --see--> open
mitigated --resolve--> resolved";
        assert_eq!(lines.join("\n"), expected);
    }
}
