//! Every endpoint of the server: method, path, scope. The server mounts exactly these, a test holds the two together,
//! and the authorisation tests walk this table so that a new write cannot be forgotten.

use crate::scope::Scope;

/// How an endpoint is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of HTTP")]
pub enum Method {
    Get,
    Post,
    Put,
}

impl Method {
    /// As spelled on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// One endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// How it is called.
    pub method: Method,
    /// Its path, parameters in braces; `{id}:verb` acts on one thing.
    pub path: &'static str,
    /// What the caller must be allowed; `None` for what anybody may ask.
    pub scope: Option<Scope>,
    /// Whether it changes anything.
    pub writes: bool,
}

const fn read(path: &'static str, scope: Scope) -> Endpoint {
    Endpoint { method: Method::Get, path, scope: Some(scope), writes: false }
}

const fn write(path: &'static str, scope: Scope) -> Endpoint {
    Endpoint { method: Method::Post, path, scope: Some(scope), writes: true }
}

const fn open(method: Method, path: &'static str) -> Endpoint {
    Endpoint { method, path, scope: None, writes: false }
}

/// The header that names the tenant.
pub const TENANT_HEADER: &str = "x-stella-tenant";
/// The header that says why.
pub const REASON_HEADER: &str = "x-stella-operator-reason";
/// The header that names the ticket.
pub const TICKET_HEADER: &str = "x-stella-operator-ticket";
/// The header that makes a repeated write the same write.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// The header that says an answer is a repeated one.
pub const REPLAYED_HEADER: &str = "idempotency-replayed";
/// The header that names the version of this interface.
pub const VERSION_HEADER: &str = "x-stella-api-version";
/// The header that says how many requests a token may make at once.
pub const LIMIT_HEADER: &str = "x-ratelimit-limit";
/// The header that says how many of them are left.
pub const REMAINING_HEADER: &str = "x-ratelimit-remaining";
/// The header that says when all of them are there again, in seconds since the epoch.
pub const RESET_HEADER: &str = "x-ratelimit-reset";
/// The version of this interface.
pub const VERSION: &str = "v1";

/// All of them.
pub const ENDPOINTS: &[Endpoint] = &[
    open(Method::Get, "/health/live"),
    open(Method::Get, "/health/ready"),
    open(Method::Get, "/metrics"),
    open(Method::Get, "/.well-known/openapi"),
    open(Method::Get, "/openapi/orchestrator.json"),
    open(Method::Post, "/api/v1/session:open"),
    read("/api/v1/session", Scope::OrchRead),
    read("/api/v1/overview", Scope::OrchRead),
    read("/api/v1/features", Scope::OrchRead),
    write("/api/v1/features/{id}:set", Scope::OrchOperate),
    read("/api/v1/feed", Scope::OrchRead),
    read("/api/v1/events/stream", Scope::OrchRead),
    read("/api/v1/events/ws", Scope::OrchRead),
    read("/api/v1/jobs", Scope::OrchRead),
    write("/api/v1/jobs", Scope::OrchSubmit),
    read("/api/v1/jobs/stats", Scope::OrchRead),
    read("/api/v1/jobs/summary", Scope::OrchRead),
    read("/api/v1/jobs/{id}/detail", Scope::OrchRead),
    read("/api/v1/jobs/{id}", Scope::OrchRead),
    read("/api/v1/jobs/{id}/history", Scope::OrchRead),
    read("/api/v1/jobs/{id}/dag", Scope::OrchRead),
    read("/api/v1/jobs/{id}/lineage", Scope::OrchRead),
    read("/api/v1/jobs/{id}/artifacts", Scope::OrchRead),
    read("/api/v1/jobs/{id}/log", Scope::OrchRead),
    write("/api/v1/jobs/{id}:cancel", Scope::OrchOperate),
    write("/api/v1/jobs/{id}:retry", Scope::OrchOperate),
    write("/api/v1/jobs/{id}:replay", Scope::OrchOperate),
    write("/api/v1/jobs/{id}:prioritize", Scope::OrchOperate),
    write("/api/v1/edges", Scope::OrchOperate),
    read("/api/v1/change-sets", Scope::OrchRead),
    // The dry run: kept for a day and changes nothing else, so that it needs the right to act but no reason yet.
    Endpoint {
        method: Method::Post,
        path: "/api/v1/change-sets",
        scope: Some(Scope::OrchOperate),
        writes: false,
    },
    read("/api/v1/change-sets/{id}", Scope::OrchRead),
    read("/api/v1/change-sets/{id}/items", Scope::OrchRead),
    write("/api/v1/change-sets/{id}:start", Scope::OrchOperate),
    write("/api/v1/change-sets/{id}:pause", Scope::OrchOperate),
    write("/api/v1/change-sets/{id}:resume", Scope::OrchOperate),
    write("/api/v1/change-sets/{id}:cancel", Scope::OrchOperate),
    read("/api/v1/views", Scope::OrchRead),
    write("/api/v1/views", Scope::OrchRead),
    write("/api/v1/views/{id}:update", Scope::OrchRead),
    write("/api/v1/views/{id}:delete", Scope::OrchRead),
    read("/api/v1/jobs/{id}/explain", Scope::OrchRead),
    read("/api/v1/quotas", Scope::OrchRead),
    write("/api/v1/quotas", Scope::OrchQuota),
    read("/api/v1/quotas/summary", Scope::OrchRead),
    read("/api/v1/quotas/export", Scope::OrchRead),
    // Imagines a limit and changes nothing, so that who may look may also ask.
    Endpoint {
        method: Method::Post,
        path: "/api/v1/quotas:whatIf",
        scope: Some(Scope::OrchRead),
        writes: false,
    },
    read("/api/v1/quotas/{id}", Scope::OrchRead),
    write("/api/v1/quotas/{id}:update", Scope::OrchQuota),
    write("/api/v1/quotas/{id}:pause", Scope::OrchQuota),
    write("/api/v1/quotas/{id}:resume", Scope::OrchQuota),
    write("/api/v1/quotas/{id}:delete", Scope::OrchQuota),
    read("/api/v1/throttles", Scope::OrchRead),
    write("/api/v1/throttles/{id}:clear", Scope::OrchQuota),
    read("/api/v1/breakers", Scope::OrchRead),
    write("/api/v1/breakers", Scope::OrchQuota),
    write("/api/v1/breakers/{id}:open", Scope::OrchQuota),
    write("/api/v1/breakers/{id}:close", Scope::OrchQuota),
    write("/api/v1/breakers/{id}:reset", Scope::OrchQuota),
    read("/api/v1/blackouts", Scope::OrchRead),
    write("/api/v1/blackouts", Scope::OrchQuota),
    write("/api/v1/blackouts/{id}:delete", Scope::OrchQuota),
    read("/api/v1/pressure", Scope::OrchRead),
    write("/api/v1/pools:limit", Scope::OrchQuota),
    write("/api/v1/buckets/{id}:override", Scope::OrchQuota),
    read("/api/v1/history/verify", Scope::OrchRead),
    read("/api/v1/artifacts/{digest}", Scope::OrchRead),
    read("/api/v1/workers", Scope::OrchRead),
    write("/api/v1/workers/{id}:drain", Scope::OrchOperate),
    write("/api/v1/workers/{id}:resume", Scope::OrchOperate),
    write("/api/v1/workers/{id}:quarantine", Scope::OrchOperate),
    write("/api/v1/worker/register", Scope::Worker),
    // It waits, and who goes away while it waits must not be given anything: it is not carried through to its end.
    Endpoint {
        method: Method::Post,
        path: "/api/v1/worker/claim",
        scope: Some(Scope::Worker),
        writes: false,
    },
    read("/api/v1/worker/leases/{id}/payload", Scope::Worker),
    Endpoint {
        method: Method::Put,
        path: "/api/v1/worker/leases/{id}/artifacts/{name}",
        scope: Some(Scope::Worker),
        writes: true,
    },
    write("/api/v1/worker/leases:ack", Scope::Worker),
    write("/api/v1/worker/leases:complete", Scope::Worker),
    write("/api/v1/worker/leases/{id}:ack", Scope::Worker),
    write("/api/v1/worker/leases/{id}:heartbeat", Scope::Worker),
    write("/api/v1/worker/leases/{id}:log", Scope::Worker),
    write("/api/v1/worker/leases/{id}:complete", Scope::Worker),
    write("/api/v1/worker/leases/{id}:fail", Scope::Worker),
    write("/api/v1/worker/leases/{id}:release", Scope::Worker),
    read("/api/v1/sources", Scope::OrchRead),
    write("/api/v1/sources", Scope::OrchSubmit),
    read("/api/v1/sources/{id}", Scope::OrchRead),
    write("/api/v1/sources/{id}:run", Scope::OrchSubmit),
    write("/api/v1/sources/{id}:test", Scope::OrchSubmit),
    write("/api/v1/sources/{id}:update", Scope::OrchOperate),
    write("/api/v1/sources/{id}:pause", Scope::OrchOperate),
    write("/api/v1/sources/{id}:resume", Scope::OrchOperate),
    read("/api/v1/sources/{id}/watermarks", Scope::OrchRead),
    write("/api/v1/sources/{id}:resetWatermark", Scope::OrchBackfill),
    write("/api/v1/sources/{id}:skipWindow", Scope::OrchBackfill),
    read("/api/v1/backfills", Scope::OrchRead),
    write("/api/v1/backfills", Scope::OrchBackfill),
    read("/api/v1/backfills/{id}", Scope::OrchRead),
    read("/api/v1/backfills/{id}/windows", Scope::OrchRead),
    write("/api/v1/backfills/{id}:preview", Scope::OrchBackfill),
    write("/api/v1/backfills/{id}:start", Scope::OrchBackfill),
    write("/api/v1/backfills/{id}:pause", Scope::OrchBackfill),
    write("/api/v1/backfills/{id}:resume", Scope::OrchBackfill),
    write("/api/v1/backfills/{id}:cancel", Scope::OrchBackfill),
    read("/api/v1/vex", Scope::OrchRead),
    read("/api/v1/targets", Scope::OrchRead),
    read("/api/v1/targets/{id}", Scope::OrchRead),
    write("/api/v1/sboms", Scope::OrchSubmit),
    read("/api/v1/runs", Scope::RunsRead),
    write("/api/v1/runs", Scope::RunsManage),
    // Kept 15 minutes and changes nothing else, so that who may look may also preview.
    Endpoint {
        method: Method::Post,
        path: "/api/v1/runs:preview",
        scope: Some(Scope::RunsRead),
        writes: false,
    },
    read("/api/v1/runs/trends", Scope::RunsRead),
    read("/api/v1/runs/alerts", Scope::RunsRead),
    read("/api/v1/runs/events", Scope::RunsRead),
    read("/api/v1/runs/export", Scope::DownloadsRead),
    read("/api/v1/runs/{id}", Scope::RunsRead),
    read("/api/v1/runs/{id}/segments", Scope::RunsRead),
    read("/api/v1/runs/{id}/deltas", Scope::RunsRead),
    read("/api/v1/runs/{id}/timeline", Scope::RunsRead),
    read("/api/v1/runs/{id}/messages", Scope::RunsRead),
    read("/api/v1/runs/{id}/diff", Scope::RunsRead),
    read("/api/v1/runs/{id}/diff/segments", Scope::RunsRead),
    read("/api/v1/runs/{id}/diff/findings", Scope::RunsRead),
    read("/api/v1/runs/{id}/evidence", Scope::DownloadsRead),
    read("/api/v1/runs/{id}/escalation", Scope::RunsRead),
    write("/api/v1/runs/{id}:cancel", Scope::RunsManage),
    write("/api/v1/runs/{id}:retry", Scope::RunsManage),
    write("/api/v1/segments/{id}:retry", Scope::RunsManage),
    read("/console/runs/{id}/stream", Scope::RunsRead),
    read("/api/v1/schedules", Scope::RunsRead),
    write("/api/v1/schedules", Scope::RunsManage),
    read("/api/v1/schedules/upcoming", Scope::RunsRead),
    read("/api/v1/schedules/health", Scope::RunsRead),
    // Says what a cron text would do and changes nothing, so that who may look may also ask.
    Endpoint {
        method: Method::Post,
        path: "/api/v1/schedules:preview",
        scope: Some(Scope::RunsRead),
        writes: false,
    },
    read("/api/v1/schedules/{id}", Scope::RunsRead),
    read("/api/v1/schedules/{id}/fires", Scope::RunsRead),
    write("/api/v1/schedules/{id}:update", Scope::RunsManage),
    write("/api/v1/schedules/{id}:enable", Scope::RunsManage),
    write("/api/v1/schedules/{id}:disable", Scope::RunsManage),
    write("/api/v1/schedules/{id}:pause", Scope::OrchOperate),
    write("/api/v1/schedules/{id}:resume", Scope::OrchOperate),
    write("/api/v1/schedules/{id}:trigger", Scope::RunsManage),
    write("/api/v1/schedules/{id}:delete", Scope::RunsManage),
    read("/api/v1/deadletter", Scope::OrchRead),
    read("/api/v1/deadletter/stats", Scope::OrchRead),
    read("/api/v1/deadletter/clusters", Scope::OrchRead),
    read("/api/v1/deadletter/export", Scope::OrchRead),
    // It changes nothing; what it gives has to be quoted by the batch that follows.
    Endpoint {
        method: Method::Post,
        path: "/api/v1/deadletter:preview",
        scope: Some(Scope::OrchOperate),
        writes: false,
    },
    write("/api/v1/deadletter:batchReplay", Scope::OrchOperate),
    write("/api/v1/deadletter:batchResolve", Scope::OrchOperate),
    read("/api/v1/deadletter/mutes", Scope::OrchRead),
    write("/api/v1/deadletter:mute", Scope::OrchOperate),
    write("/api/v1/deadletter:unmute", Scope::OrchOperate),
    read("/api/v1/deadletter/{id}", Scope::OrchRead),
    write("/api/v1/deadletter/{id}:replay", Scope::OrchOperate),
    write("/api/v1/deadletter/{id}:resolve", Scope::OrchOperate),
    write("/api/v1/deadletter/{id}:reopen", Scope::OrchOperate),
    write("/api/v1/deadletter/{id}:acknowledge", Scope::OrchOperate),
    read("/api/v1/incidents", Scope::OrchRead),
    read("/api/v1/incidents/{id}", Scope::OrchRead),
    write("/api/v1/incidents/{id}:acknowledge", Scope::OrchOperate),
    write("/api/v1/incidents/{id}:resolve", Scope::OrchOperate),
    read("/api/v1/slos", Scope::OrchRead),
    write("/api/v1/slos", Scope::OrchQuota),
    read("/api/v1/slos/{id}", Scope::OrchRead),
    write("/api/v1/slos/{id}:update", Scope::OrchQuota),
    write("/api/v1/slos/{id}:delete", Scope::OrchQuota),
    read("/api/v1/findings", Scope::OrchRead),
    read("/api/v1/findings/explain", Scope::OrchRead),
    read("/api/v1/findings/export", Scope::DownloadsRead),
    read("/api/v1/policies", Scope::PolicyRuns),
    write("/api/v1/policies", Scope::RunsManage),
    // Tries a policy and keeps nothing, so that who may look may also try.
    Endpoint {
        method: Method::Post,
        path: "/api/v1/policies:validate",
        scope: Some(Scope::PolicyRuns),
        writes: false,
    },
    read("/api/v1/policies/diff", Scope::PolicyRuns),
    read("/api/v1/policies/promotions", Scope::PolicyRuns),
    read("/api/v1/policies/{id}", Scope::PolicyRuns),
    write("/api/v1/policies/{id}:promote", Scope::RunsManage),
    read("/api/v1/triggers", Scope::RunsRead),
    write("/api/v1/triggers/{id}:update", Scope::RunsManage),
    write("/api/v1/triggers/{id}:rotateSecret", Scope::RunsManage),
    // Who sends is known by the signature over the body, not by a token.
    open(Method::Post, "/api/v1/webhooks/{tenant}/{kind}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_endpoint_is_listed_twice_and_every_write_has_a_scope() {
        for (at, one) in ENDPOINTS.iter().enumerate() {
            assert!(!one.writes || one.scope.is_some(), "{}", one.path);
            let twin =
                ENDPOINTS[at + 1..].iter().find(|two| two.method == one.method && two.path == one.path);
            assert_eq!(twin, None, "{}", one.path);
        }
    }
}
