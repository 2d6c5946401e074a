//! Limits of every kind, some of them in force.

use super::{HOUR, World, wish};
use serde_json::json;
use stella_contract::quota::PauseQuota;

/// Each quota: type, most at work, most in an hour, whether it is paused.
const QUOTAS: [(&str, i64, i64, bool); 9] = [
    ("*", 400, 50_000, false),
    ("sbom.normalise", 64, 6_000, false),
    ("policy.evaluate", 64, 9_000, false),
    ("registry.crawl", 16, 1_200, false),
    ("feed.snapshot", 8, 400, false),
    ("evidence.pack", 32, 2_000, false),
    ("report.render", 4, 300, false),
    ("vex.merge", 8, 600, true),
    ("scan.segment", 8, 600, true),
];

pub(super) async fn make(world: &World) {
    quotas(world).await;
    let caller = world.operator("grace", "the registry is being moved");
    let breakers = [
        ("host", "registry.example", "open"),
        ("host", "cdn.example", "closed"),
        ("job_type", "registry.crawl", "open"),
        ("job_type", "policy.evaluate", "closed"),
    ];
    for (kind, key, state) in breakers {
        let add = wish(json!({"kind": kind, "key": key, "state": state}));
        world.engine.breakers().add(&caller, add).await.unwrap();
    }
    blackouts(world).await;
}

async fn quotas(world: &World) {
    let caller = world.operator("grace", "the yearly review of limits");
    for (job_type, max_active, max_per_hour, paused) in QUOTAS {
        let add = wish(json!({"jobType": job_type, "maxActive": max_active, "maxPerHour": max_per_hour}));
        let quota = world.engine.quotas().add(&caller, add).await.unwrap();
        if paused {
            let caller = world.operator("grace", "until the vendor has answered");
            let pause = PauseQuota::default();
            world.engine.quotas().pause(&caller, &quota.quota_id, None, pause).await.unwrap();
        }
    }
}

async fn blackouts(world: &World) {
    let caller = world.operator("grace", "the storage is being moved");
    let now = world.now();
    let at = |hours: i64| now.plus_ms(hours * HOUR);
    let wishes = [
        json!({"targets": [{"kind": "jobType", "key": "feed.snapshot"}], "start": now, "end": at(9)}),
        json!({"targets": [{"kind": "tenant"}], "start": at(30), "end": at(34), "drainBeforeS": 600}),
        json!({"targets": [{"kind": "host", "key": "mirror.example"}], "cron": "0 3 * * 6", "durationS": 7_200}),
    ];
    for one in wishes {
        world.engine.blackouts().add(&caller, wish(one)).await.unwrap();
    }
}
