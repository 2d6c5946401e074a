//! Every endpoint and its handler. A test compares this table with the contract's, both ways.

use crate::handlers::{core, findings, jobs, live, ops, runs, sources, targets};
use crate::mounted::{Mounted, get, open, post};
use stella_contract::api::Method;

/// SBOMs of whole images run to tens of megabytes.
const SBOM_LIMIT: usize = 64 * 1024 * 1024;

pub(crate) fn table() -> Vec<Mounted> {
    vec![
        open(Method::Get, "/health/live", "Whether the process is alive", core::live),
        open(Method::Get, "/health/ready", "Whether requests will be answered, and if not, why", core::ready),
        open(Method::Get, "/metrics", "Figures for whoever watches from outside", ops::metrics),
        open(Method::Get, "/.well-known/openapi", "Where the API document is", core::discover),
        open(Method::Get, "/openapi/orchestrator.json", "The API document", core::document),
        open(
            Method::Post,
            "/api/v1/session:open",
            "Exchange a one-time token for a session's",
            core::open_session,
        ),
        get("/api/v1/session", "Who is asking, and of which core", core::session),
        get("/api/v1/overview", "The figures of Jobs & Queues, all from one snapshot", core::overview),
        get("/api/v1/feed", "What happened since; waits for news", live::feed),
        get("/api/v1/events/stream", "The feed as server-sent events", live::feed_stream),
        get("/api/v1/events/ws", "Events as CloudEvents over a WebSocket", live::events_socket),
        get("/api/v1/jobs", "Jobs, newest first", jobs::list),
        post("/api/v1/jobs", "Submit a job", jobs::submit),
        get("/api/v1/jobs/stats", "How each job type is doing", ops::job_stats),
        get("/api/v1/jobs/summary", "Jobs by state", ops::job_summary).gone_to("/api/v1/jobs/stats"),
        get("/api/v1/jobs/{id}/detail", "One job, at its former address", ops::job_detail)
            .gone_to("/api/v1/jobs/{id}"),
        get("/api/v1/jobs/{id}", "One job with payload, result, attempts and artifacts", jobs::get),
        get("/api/v1/jobs/{id}/history", "What happened to a job, newest first", jobs::history),
        post("/api/v1/jobs/{id}:cancel", "Cancel a job", jobs::cancel),
        get("/api/v1/history/verify", "Walk along the hash chain of the history", jobs::verify_history),
        get("/api/v1/artifacts/{digest}", "The bytes of an artifact", jobs::artifact),
        get("/api/v1/workers", "Workers, by name", jobs::workers),
        get("/api/v1/sources", "Sources, by name", sources::list),
        post("/api/v1/sources", "Add a source", sources::add),
        get("/api/v1/sources/{id}", "One source", sources::get),
        post("/api/v1/sources/{id}:run", "Read a source now", sources::run),
        get("/api/v1/targets", "Targets, by name", targets::list),
        get("/api/v1/targets/{id}", "One target", targets::get),
        post("/api/v1/sboms", "Bring in an SBOM", targets::import).up_to(SBOM_LIMIT),
        get("/api/v1/runs", "Runs, newest first", runs::list),
        post("/api/v1/runs", "Start a run", runs::start),
        post("/api/v1/runs:preview", "What a run would touch", runs::preview),
        get("/api/v1/runs/{id}", "One run", runs::get),
        get("/api/v1/runs/{id}/segments", "A run's segments, by shard", runs::segments),
        get("/api/v1/runs/{id}/deltas", "What a run changed", runs::deltas),
        get("/api/v1/runs/{id}/timeline", "A run over time", ops::timeline),
        get("/api/v1/runs/{id}/messages", "A run's messages since; waits for news", live::run_messages),
        post("/api/v1/runs/{id}:cancel", "Cancel a run", runs::cancel),
        post("/api/v1/runs/{id}:retry", "Repeat a finished run", runs::retry),
        get("/console/runs/{id}/stream", "A run's messages as server-sent events", live::run_stream),
        get("/api/v1/slos", "Objectives, by name", ops::slos),
        post("/api/v1/slos", "Set an objective", ops::make_slo),
        get("/api/v1/slos/{id}", "One objective", ops::slo),
        post("/api/v1/slos/{id}:update", "Change an objective", ops::change_slo),
        post("/api/v1/slos/{id}:delete", "Take an objective away", ops::delete_slo),
        get("/api/v1/findings", "Findings, worst first", findings::list),
        get("/api/v1/findings/explain", "Why a finding stands", findings::explain),
    ]
}
