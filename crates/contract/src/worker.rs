//! Who does the work (spec 05 §5.10).

use crate::ids::{Tenant, WorkerId};
use crate::time::Micros;
use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// How a worker is doing, judged by the age of its last heartbeat.
    WorkerState {
        /// Beat at most 45 s ago.
        Online = "online",
        /// Beat at most 90 s ago.
        Late = "late",
        /// Silent for longer; its leases expire.
        Offline = "offline",
        /// Takes nothing new and ends when its hands are free.
        Draining = "draining",
        /// Broke the fence too often; an operator clears it.
        Quarantined = "quarantined",
    }
}

words! {
    /// What is wanted of a worker.
    WorkerWish {
        /// That it works.
        Work = "work",
        /// That it takes nothing new and ends when its hands are free.
        Drain = "drain",
        /// That it does nothing: what it says of its jobs is refused until an operator clears it.
        Quarantine = "quarantine",
    }
}

impl WorkerState {
    /// The state of a worker that was last heard of so long ago.
    pub const fn judge(silent_ms: i64, wish: WorkerWish) -> Self {
        if matches!(wish, WorkerWish::Quarantine) {
            return Self::Quarantined;
        }
        if silent_ms > 90_000 {
            return Self::Offline;
        }
        if matches!(wish, WorkerWish::Drain) {
            return Self::Draining;
        }
        if silent_ms > 45_000 { Self::Late } else { Self::Online }
    }
}

/// A worker as every door shows it. Order of lists: name, then id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Worker {
    /// Its id.
    pub worker_id: WorkerId,
    /// The tenant it works for; absent when it works for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is built with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// The machine it runs on.
    pub hostname: String,
    /// Job types it takes.
    pub job_types: Vec<String>,
    /// How many jobs it holds at most.
    pub concurrency: i32,
    /// How many it holds now, counted from live leases.
    pub in_flight: i64,
    /// How it is doing.
    pub state: WorkerState,
    /// What is wanted of it.
    pub wish: WorkerWish,
    /// Why, in the words of who wanted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish_reason: Option<String>,
    /// When it was last heard of.
    pub last_heartbeat_at: Micros,
    /// When it started.
    pub started_at: Micros,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_judged_by_its_silence_first_and_by_draining_second() {
        use WorkerWish::{Drain, Quarantine, Work};
        for (silent_ms, wish, state) in [
            (0, Work, WorkerState::Online),
            (45_000, Work, WorkerState::Online),
            (45_001, Work, WorkerState::Late),
            (90_000, Work, WorkerState::Late),
            (90_001, Work, WorkerState::Offline),
            (45_001, Drain, WorkerState::Draining),
            (90_001, Drain, WorkerState::Offline),
            (0, Quarantine, WorkerState::Quarantined),
            (90_001, Quarantine, WorkerState::Quarantined),
        ] {
            assert_eq!(WorkerState::judge(silent_ms, wish), state, "{silent_ms} {wish}");
        }
    }
}
