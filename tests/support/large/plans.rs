//! What repeats and what judges: schedules that are on, paused and off, and two snapshots of a policy.

use super::{World, wish};
use serde_json::json;
use stella_contract::policy::PromotePolicy;
use stella_contract::schedule::PauseSchedule;

/// Each schedule: name, cron, zone.
const SCHEDULES: [(&str, &str, &str); 4] = [
    ("nightly-registry", "30 2 * * *", "Europe/Sofia"),
    ("weekly-full", "0 4 * * 0", "America/New_York"),
    ("monthly-report", "0 6 1 * *", "UTC"),
    ("old-mirror", "15 3 * * 6", "Asia/Kolkata"),
];

const POLICY: &str = "- {name: exploited, when: kev, verdict: block, reason: exploited in the wild}\n";
const STRICTER: &str = "- {name: exploited, when: kev, verdict: block, reason: exploited in the wild}\n\
                        - {name: severe, when: severityLevel >= 3, verdict: warn, reason: severe}\n";

pub(super) async fn make(world: &World) {
    let caller = world.operator("ada", "what is looked at every day");
    let schedules = world.engine.schedules();
    for (at, (name, cron, zone)) in SCHEDULES.into_iter().enumerate() {
        let make = wish(json!({"name": name, "cron": cron, "timezone": zone, "mode": "analysis-only"}));
        let id = schedules.make(&caller, make).await.unwrap().schedule_id;
        match at {
            1 => drop(schedules.pause(&caller, &id, PauseSchedule::default(), None).await.unwrap()),
            3 => drop(schedules.disable(&caller, &id, None).await.unwrap()),
            _ => {}
        }
    }
    let policies = world.engine.policies();
    for source in [POLICY, STRICTER] {
        let add = wish(json!({"source": source, "note": "agreed in the weekly round"}));
        let (snapshot, _) = policies.add(&caller, add).await.unwrap();
        policies.promote(&caller, &snapshot.policy_snapshot_id, PromotePolicy::default()).await.unwrap();
    }
}
