//! The API document: OpenAPI 3.1, built from the mounted table and nothing else.

use crate::ageing;
use crate::describe::Operation;
use crate::examples;
use crate::mounted::Mounted;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use stella_contract::api;
use stella_contract::error::{Code, Envelope};
use stella_contract::time::Micros;
use utoipa::ToSchema;

/// The document and what discovery says of it.
#[derive(Debug, Clone)]
pub(crate) struct ApiDocument {
    pub(crate) text: String,
    /// Lower-case hex.
    pub(crate) sha256: String,
    pub(crate) generated_at: Micros,
}

impl ApiDocument {
    pub(crate) fn of(table: &[Mounted], generated_at: Micros) -> Self {
        let text = text_of(table);
        let sha256 = hex::encode(Sha256::digest(text.as_bytes()));
        Self { text, sha256, generated_at }
    }

    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", self.sha256)
    }
}

/// The document as JSON text, the same that `/openapi/orchestrator.json` answers with.
pub fn document() -> String {
    text_of(&crate::table::table())
}

fn text_of(table: &[Mounted]) -> String {
    let mut document = build(table);
    // Whether a map keeps the order of its making depends on what else is built beside it; the bytes must not.
    document.sort_all_objects();
    serde_json::to_string_pretty(&document).expect("the document is plain JSON")
}

fn build(table: &[Mounted]) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut schemas = BTreeMap::new();
    collect::<Envelope>(&mut schemas);
    for mounted in table {
        let mut operation = Operation::default();
        (mounted.describe)(&mut operation);
        for (name, schema) in std::mem::take(&mut operation.schemas) {
            let known = schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            debug_assert_eq!(*known, schema, "two schemas are called `{name}`");
        }
        let method = mounted.endpoint.method.as_str().to_ascii_lowercase();
        paths.entry(mounted.endpoint.path).or_default().insert(method, written(mounted, operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stella Operator",
            "version": api::VERSION,
            "summary": "Jobs, runs, sources, targets and findings of one ledger.",
            "description": description(),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server that gave this document." }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": refusals(),
            "parameters": parameters(),
            "headers": {
                "ApiVersion": {
                    "description": "The version of this interface.",
                    "schema": { "type": "string", "const": api::VERSION },
                },
                "RetryAfter": {
                    "description": "Seconds to wait before the same request may succeed.",
                    "schema": { "type": "integer", "minimum": 0 },
                },
                "ETag": {
                    "description": "The thing's version, and a digest of all that is shown with it. `If-Match` compares the version, `If-None-Match` the whole.",
                    "schema": { "type": "string" }, "example": ETAG,
                },
                "RateLimitLimit": {
                    "description": "How many requests this token may make at once.",
                    "schema": { "type": "integer", "minimum": 1 },
                },
                "RateLimitRemaining": {
                    "description": "How many of them are left.",
                    "schema": { "type": "integer", "minimum": 0 },
                },
                "RateLimitReset": {
                    "description": "When all of them are there again, in seconds since the epoch.",
                    "schema": { "type": "integer", "format": "int64" },
                },
                "Deprecation": {
                    "description": "Since when the address goes (RFC 9745).",
                    "schema": { "type": "string" }, "example": ageing::SINCE,
                },
                "Sunset": {
                    "description": "Until when it is answered, at least (RFC 8594).",
                    "schema": { "type": "string" }, "example": ageing::SUNSET,
                },
                "Link": {
                    "description": "Which address follows, and where this is told.",
                    "schema": { "type": "string" },
                    "example": "</api/v1/jobs/stats>; rel=\"successor-version\", </openapi/orchestrator.json>; rel=\"deprecation\"",
                },
                "IdempotencyReplayed": {
                    "description": "`true` when the answer is that of an earlier request with the same key.",
                    "schema": { "type": "string", "const": "true" },
                },
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "A token made by `stella token create`, or opened with the one-time token that `stella serve` prints.",
                },
            },
        },
        "security": [{ "bearer": [] }],
    })
}

fn written(mounted: &Mounted, mut operation: Operation) -> Value {
    let endpoint = mounted.endpoint;
    // Foreign pages and foreign host names are turned away before any endpoint is asked.
    let mut refusals = vec![400_u16, 403, 421, 500];
    name_path_parameters(endpoint.path, &mut operation.parameters);
    if let Some(scope) = endpoint.scope {
        operation.parameters.push(parameter("Tenant"));
        refusals.extend([401, 403, 429, 503]);
        for answer in operation.answers.values_mut() {
            for (header, shared) in LIMIT_HEADERS {
                answer["headers"][header] = json!({ "$ref": format!("#/components/headers/{shared}") });
            }
        }
        if endpoint.writes {
            operation.parameters.push(parameter("IdempotencyKey"));
            operation.parameters.push(parameter(if scope.needs_reason() {
                "ReasonRequired"
            } else {
                "Reason"
            }));
            operation.parameters.push(parameter(if scope.needs_ticket() {
                "TicketRequired"
            } else {
                "Ticket"
            }));
            refusals.push(409);
            for answer in operation.answers.values_mut() {
                answer["headers"]["Idempotency-Replayed"] =
                    json!({ "$ref": "#/components/headers/IdempotencyReplayed" });
            }
        }
    }
    if endpoint.path.starts_with("/api/v1/worker/") {
        refusals.extend([404, 409]);
    }
    if endpoint.path == "/health/ready" {
        refusals.push(503);
    }
    if matches!(endpoint.path, "/api/v1/session:open" | "/metrics") {
        refusals.extend([401, 403, 503]);
    }
    if endpoint.path.starts_with("/api/v1/webhooks/") {
        refusals.extend([401, 429]);
    }
    // Parts of the runs workspace can be switched off.
    if matches!(
        endpoint.path,
        "/console/runs/{id}/stream"
            | "/api/v1/runs/alerts"
            | "/api/v1/runs/events"
            | "/api/v1/runs/trends"
            | "/api/v1/runs/{id}/evidence"
    ) {
        refusals.push(409);
    }
    // What a query names may not be there.
    if matches!(endpoint.path, "/api/v1/policies/diff" | "/api/v1/schedules/upcoming") {
        refusals.push(404);
    }
    if operation.parameters.contains(&parameter("IfMatch")) {
        refusals.push(412);
    }
    if endpoint.method == api::Method::Get && operation.is_versioned {
        operation.parameters.push(parameter("IfNoneMatch"));
        operation.answers["200"]["headers"]["ETag"] = json!({ "$ref": "#/components/headers/ETag" });
        let unchanged = "It has not changed since the entity tag in `If-None-Match`.";
        operation.answer(304, unchanged, json!({}));
    }
    if mounted.deprecated.is_some() {
        for name in ["Deprecation", "Sunset", "Link"] {
            let reference = json!({ "$ref": format!("#/components/headers/{name}") });
            operation.answers["200"]["headers"][name] = reference;
        }
    }
    // A body may name things too.
    let asks_by_id = endpoint.path.starts_with("/api/v1/findings");
    if endpoint.path.contains('{') || asks_by_id || operation.body.is_some() {
        refusals.push(404);
    }
    if endpoint.path.ends_with(":update") {
        refusals.push(412);
    }
    if operation.body.is_some() {
        refusals.extend([413, 415]);
    }
    if operation.body.is_some() || operation.parameters.iter().any(|parameter| parameter["in"] == "query") {
        refusals.push(422);
    }
    for status in refusals {
        operation
            .answers
            .entry(status.to_string())
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/Error{status}") }));
    }
    let mut written = json!({
        "operationId": mounted.operation_id(),
        "summary": mounted.summary,
        "tags": [mounted.tag()],
        "parameters": operation.parameters,
        "responses": operation.answers,
    });
    if let Some(body) = operation.body {
        written["requestBody"] = body;
    }
    if mounted.deprecated.is_some() {
        written["deprecated"] = json!(true);
    }
    match endpoint.scope {
        Some(scope) => {
            let next =
                mounted.deprecated.map(|gone| format!(" This address goes: use `{}`.", gone.successor));
            let next = next.unwrap_or_default();
            written["description"] = json!(format!("Needs the scope `{scope}`.{next}"));
            written["x-stella-scope"] = json!(scope.as_str());
        }
        None => written["security"] = json!([]),
    }
    written
}

/// What every answer to a token says of its bucket.
const LIMIT_HEADERS: [(&str, &str); 3] = [
    ("X-RateLimit-Limit", "RateLimitLimit"),
    ("X-RateLimit-Remaining", "RateLimitRemaining"),
    ("X-RateLimit-Reset", "RateLimitReset"),
];
/// An entity tag.
const ETAG: &str = "\"7-9f86d081884c7d65\"";

/// The parameter of a path stands in braces; the handler's input only knows its type.
fn name_path_parameters(path: &str, parameters: &mut [Value]) {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let unnamed = parameters.iter_mut().filter(|parameter| parameter["in"] == "path");
    for (name, parameter) in names.zip(unnamed) {
        parameter["name"] = json!(name);
    }
}

fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

fn parameters() -> Value {
    use stella_contract::scope::{REASON_MAX, TICKET_MAX};
    let header = |name: &str, required: bool, schema: Value, example: &str, description: &str| json!({ "name": name, "in": "header", "required": required, "schema": schema, "example": example, "description": description });
    let text = |max: usize| json!({ "type": "string", "maxLength": max });
    let said = |max: usize| json!({ "type": "string", "maxLength": max, "pattern": "\\S" });
    let like = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let reason = "Why, in the operator's words; kept in the history.";
    let ticket = "The ticket it belongs to; kept in the history.";
    let (reason_example, ticket_example) = ("feed was mended upstream", "OPS-1412");
    json!({
        "Tenant": header("X-Stella-Tenant", false, like("^([a-z0-9][a-z0-9-]{0,62})?$"), "acme",
            "The tenant the request is about; the token's own when absent."),
        "IfMatch": header("If-Match", false, like(r#"^(|\*|(W/)?"[0-9]{1,18}(-[0-9a-f]{1,64})?")$"#), ETAG,
            "The entity tag of the thing as it was read, or `*`; refused with VERSION_MISMATCH when its version has risen since."),
        "IfNoneMatch": header("If-None-Match", false, json!({ "type": "string" }), ETAG,
            "The entity tag of the thing as the client has it; answered with 304 while nothing of it changed."),
        "IdempotencyKey": header("Idempotency-Key", false, like("^[!-~]{1,200}$"), "2f1c9d1e-6d0e-4b58-9a8c-5f5f1f0f6a11",
            "The same key with the same body gives the first answer again for 24 h, with `Idempotency-Replayed: true`; with another body it is refused with IDEMPOTENCY_KEY_REUSED, and while the first is being answered with IDEMPOTENCY_IN_PROGRESS. A key belongs to its tenant and path."),
        "Reason": header("X-Stella-Operator-Reason", false, text(REASON_MAX), reason_example, reason),
        "ReasonRequired": header("X-Stella-Operator-Reason", true, said(REASON_MAX), reason_example, reason),
        "Ticket": header("X-Stella-Operator-Ticket", false, text(TICKET_MAX), ticket_example, ticket),
        "TicketRequired": header("X-Stella-Operator-Ticket", true, said(TICKET_MAX), ticket_example, ticket),
    })
}

/// One shared answer per status, with an example of every code that comes with it.
fn refusals() -> Value {
    let mut by_status: BTreeMap<u16, Map<String, Value>> = BTreeMap::new();
    for code in Code::ALL.iter().copied() {
        by_status.entry(code.status()).or_default().insert(code.to_string(), example_of(code));
    }
    by_status.insert(421, Map::from_iter([(Code::BadRequest.to_string(), example_of(Code::BadRequest))]));
    let named = by_status.into_iter().map(|(status, examples)| {
        let mut headers = json!({ "X-Stella-Api-Version": { "$ref": "#/components/headers/ApiVersion" } });
        if matches!(status, 429 | 503) {
            headers["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfter" });
        }
        let answer = json!({
            "description": meaning_of(status),
            "headers": headers,
            "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Envelope" }, "examples": examples } },
        });
        (format!("Error{status}"), answer)
    });
    Value::Object(named.collect())
}

fn example_of(code: Code) -> Value {
    let refusal = crate::refusal::Refusal::new(code, examples::sentence(code));
    json!({ "value": Envelope { error: refusal.problem("4bf92f3577b34da6a3ce929d0e0e4736") } })
}

const fn meaning_of(status: u16) -> &'static str {
    match status {
        400 => "The request cannot be read, or lacks a reason or a ticket.",
        401 => "No token, or one that is unknown, expired or revoked.",
        403 => "The token may not do this, or a page of another origin asks.",
        404 => "There is no such thing for this tenant.",
        409 => "The thing's state does not allow it.",
        412 => "The thing changed since it was read.",
        413 => "The body is larger than the path takes.",
        415 => "The body is of another type than the path reads.",
        421 => "The host name is not one that this server answers to.",
        422 => "The request can be read, but a value in it cannot be.",
        429 => "Come back later.",
        503 => "The core cannot answer now; the code says why.",
        _ => "A fault inside the product.",
    }
}

fn tags() -> Value {
    let told = [
        ("core", "Health, session, overview and this document."),
        ("live", "What changes, as it changes."),
        ("jobs", "Units of work, their history and artifacts."),
        ("limits", "What holds jobs back: quotas, throttles, breakers, blackouts, pressure."),
        ("change-sets", "One verb on many things, and views kept under a name."),
        ("worker", "What workers say: claim, ack, heartbeat, artifacts, complete, fail, release."),
        ("inputs", "Sources of advisories and lists; targets and their SBOMs."),
        ("runs", "Evaluations of many targets, in segments."),
        ("findings", "What the evaluations found."),
        ("ops", "Figures and objectives for whoever watches the core."),
    ];
    Value::Array(told.iter().map(|(name, text)| json!({ "name": name, "description": text })).collect())
}

fn collect<T: ToSchema>(into: &mut BTreeMap<String, Value>) {
    let mut operation = Operation::default();
    operation.answers::<T>(200);
    into.append(&mut operation.schemas);
}

fn description() -> String {
    use stella_contract::cloud_event::BUFFER;
    use stella_contract::kept;
    format!(
        "{GENERAL} The feed keeps the last {} events of a tenant, and {} of them in memory; who is further behind is told \
         to read everything anew. CloudEvents follow the history, which is kept whole, so that a reader may go on after \
         any number; at most {BUFFER} of them are read ahead for one reader. A silent stream says every {} s that it is \
         alive, and who leaves a frame of a WebSocket unread for {} s is hung up on. Of the messages of a run the newest \
         {} are kept, for {} minutes; who comes later gets a snapshot first. A job keeps its last {} lines of log. Answers \
         to idempotency keys are kept {} hours; closed dead letters and incidents that are over, {} days.",
        kept::FEED_EVENTS,
        kept::FEED_IN_MEMORY,
        kept::PING_S,
        kept::HANG_UP_S,
        kept::RUN_MESSAGES,
        kept::RUN_MESSAGES_MIN,
        stella_contract::lease::LOG_LINES_KEPT,
        kept::ANSWERS_H,
        kept::CLOSED_DAYS,
    )
}

const GENERAL: &str = "\
Times are RFC 3339 in UTC with milliseconds. Names are in camelCase. \
Lists are pages by key: `page_size` 1 to 500 (50 when absent; `limit` is accepted too) and `page_token` \
(`continuationToken` is accepted too); the order of each list is total and documented at its rows. \
Every refusal has the same envelope, whose `traceId` finds it in the log. \
Every write takes an `Idempotency-Key`; some need a reason or a ticket. \
Single things with a version carry an `ETag`, which `If-None-Match` and `If-Match` take back. \
Every answer to a token says in `X-RateLimit-*` how many requests it has left; beyond them it is refused with 429 and \
`Retry-After`.";
