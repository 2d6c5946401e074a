//! Circuit breakers: who fails too often is left alone for a while (spec 02 §2.6).

use crate::NoSuchArrow;
use crate::ids::{BreakerId, Tenant};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where a breaker stands.
    BreakerState {
        /// In: at first, recovery, an operator. Out: too many failures, an operator. Jobs pass.
        Closed = "closed",
        /// In: too many failures, a failed probe, an operator. Out: its time, an operator. No lease starts.
        Open = "open",
        /// In: the end of its time. Out: three probes that succeed, one that fails, an operator. Probes pass.
        HalfOpen = "half_open",
    }
}

words! {
    /// What can happen to a breaker.
    BreakerEvent {
        /// At least half of the attempts in the window failed, or a probe did.
        Trip = "trip",
        /// Its time is over.
        Elapse = "elapse",
        /// Enough probes succeeded.
        Recover = "recover",
        /// An operator opens it until a reset.
        ForceOpen = "force_open",
        /// An operator closes it until a reset, whatever fails.
        ForceClose = "force_close",
        /// An operator gives it back to the rules, closed and with an empty window.
        Reset = "reset",
    }
}

/// The state after `event`, or that there is no such arrow.
pub fn next(state: BreakerState, event: BreakerEvent) -> Result<BreakerState, NoSuchArrow> {
    use BreakerEvent as E;
    use BreakerState as S;
    match (state, event) {
        (S::Closed | S::HalfOpen, E::Trip) => Ok(S::Open),
        (S::Open, E::Elapse) => Ok(S::HalfOpen),
        (S::HalfOpen, E::Recover) => Ok(S::Closed),
        (S::Closed | S::Open | S::HalfOpen, E::ForceOpen) => Ok(S::Open),
        (S::Closed | S::Open | S::HalfOpen, E::ForceClose | E::Reset) => Ok(S::Closed),
        (state, event) => {
            Err(NoSuchArrow { entity: "breaker", state: state.as_str(), event: event.as_str() })
        }
    }
}

words! {
    /// What a breaker guards.
    BreakerKind {
        /// The jobs of all sources at one host.
        Host = "host",
        /// The jobs of one type.
        JobType = "job_type",
    }
}

/// A breaker as every door shows it. Order of lists: the open ones first, then kind, key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Breaker {
    /// Its id.
    pub breaker_id: BreakerId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it guards.
    pub kind: BreakerKind,
    /// The host or the job type.
    pub key: String,
    /// Where it stands.
    pub state: BreakerState,
    /// Whether an operator holds it there until a reset.
    pub forced: bool,
    /// When it opened last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Micros>,
    /// When probes may run; absent while it is closed or forced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Micros>,
    /// How long it stays open at the next opening, in milliseconds.
    pub open_for_ms: i64,
    /// Openings in a row without a recovery.
    pub openings: i64,
    /// Probes that may be at work at once.
    pub probes_allowed: i64,
    /// Probes at work.
    pub probes_at_work: i64,
    /// Probes that succeeded since it was half open.
    pub probes_succeeded: i64,
    /// Attempts that ended in the last five minutes.
    pub attempts: i64,
    /// Those of them that failed in a way that counts.
    pub failures: i64,
    /// Why an operator holds it there, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_reason: Option<String>,
    /// When it changed its state last.
    pub changed_at: Micros,
    /// Who changed it last.
    pub changed_by: String,
    /// Rises with every change; for `If-Match`.
    pub version: i64,
}

/// Which breakers are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct BreakerFilter {
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BreakerState>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<BreakerKind>,
    /// Of this host or job type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A wish to have a breaker for a host or job type that has none yet, opened or closed by force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddBreaker {
    /// What it guards.
    pub kind: BreakerKind,
    /// The host or the job type.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 253))]
    pub key: String,
    /// `open` or `closed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(open|closed)$"))]
    pub state: BreakerState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_of_a_breaker_are_these_and_no_others() {
        let mut lines = Vec::new();
        for state in BreakerState::ALL {
            for event in BreakerEvent::ALL {
                if let Ok(to) = next(*state, *event) {
                    lines.push(format!("{state} --{event}--> {to}"));
                }
            }
        }
        let expected = "\
closed --trip--> open
closed --force_open--> open
closed --force_close--> closed
closed --reset--> closed
open --elapse--> half_open
open --force_open--> open
open --force_close--> closed
open --reset--> closed
half_open --trip--> open
half_open --recover--> closed
half_open --force_open--> open
half_open --force_close--> closed
half_open --reset--> closed";
        assert_eq!(lines.join("\n"), expected);
    }
}
