//! The old addresses that lead to pages of today.

/// One address per alias pattern of the execution operations, and two of the runs workspace.
pub const OLD_AND_NEW: &[(&str, &str)] = &[
    ("/ops/jobengine/jobs", "/ops/operations/jobengine/jobs"),
    ("/ops/scheduler/runs", "/ops/operations/scheduler/runs"),
    ("/ops/scanner", "/ops/scanner-ops"),
    ("/ops/scanner/baselines", "/ops/scanner-ops/baselines"),
    ("/platform-ops/jobengine/quotas", "/ops/operations/jobengine/quotas"),
    ("/platform-ops/scheduler/workers", "/ops/operations/scheduler/workers"),
    ("/platform-ops/scanner-ops/offline-kits", "/ops/scanner-ops/offline-kits"),
    ("/platform/ops/jobengine", "/ops/operations/jobengine"),
    ("/platform/ops/scheduler/schedules", "/ops/operations/scheduler/schedules"),
    ("/platform/ops/dead-letter/queue", "/ops/operations/dead-letter/queue"),
    ("/console/runs", "/ops/operations/scheduler/runs"),
];
