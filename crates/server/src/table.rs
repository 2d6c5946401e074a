//! Every endpoint and its handler. A test compares this table with the contract's, both ways.

use crate::handlers::{core, live};
use crate::mounted::{Mounted, get, open};
use stella_contract::api::Method;

pub(crate) fn table() -> Vec<Mounted> {
    vec![
        open(Method::Get, "/health/live", "Whether the process is alive", core::live),
        open(Method::Get, "/health/ready", "Whether requests will be answered, and if not, why", core::ready),
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
    ]
}
