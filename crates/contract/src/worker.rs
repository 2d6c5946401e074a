//! Who does the work (spec 05 §5.10).

use crate::ids::WorkerId;
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

impl WorkerState {
    /// The state of a worker that was last heard of so long ago.
    pub const fn judge(silent_ms: i64, draining: bool) -> Self {
        if silent_ms > 90_000 {
            return Self::Offline;
        }
        if draining {
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
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
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
        for (silent_ms, draining, state) in [
            (0, false, WorkerState::Online),
            (45_000, false, WorkerState::Online),
            (45_001, false, WorkerState::Late),
            (90_000, false, WorkerState::Late),
            (90_001, false, WorkerState::Offline),
            (45_001, true, WorkerState::Draining),
            (90_001, true, WorkerState::Offline),
        ] {
            assert_eq!(WorkerState::judge(silent_ms, draining), state, "{silent_ms} {draining}");
        }
    }
}
