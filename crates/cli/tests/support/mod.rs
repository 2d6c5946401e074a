//! The command as a process, a server that plays back, and things as the interface tells them.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) const SOURCE: &str = "src_01890000-0000-7000-8000-000000000001";
pub(crate) const TARGET: &str = "tgt_01890000-0000-7000-8000-000000000001";

/// The command without anything of the tester's own environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
    for name in ["STELLA_SERVER", "STELLA_TOKEN", "STELLA_TENANT", "STELLA_LEDGER", "STELLA_LOG"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs the command and tells its exit code, its output and its errors in one text.
pub(crate) fn stella(arguments: &[&str]) -> String {
    told(&command(arguments).output().unwrap())
}

/// The same on a ledger of its own.
pub(crate) fn stella_on(ledger: &Path, arguments: &[&str]) -> Output {
    command(arguments).env("STELLA_LEDGER", ledger).output().unwrap()
}

fn told(output: &Output) -> String {
    let exit = output.status.code().map_or_else(|| "signal".to_owned(), |code| code.to_string());
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("exit {exit}\n--- stdout\n{stdout}--- stderr\n{stderr}")
}

/// A server that plays back.
pub(crate) struct Stage {
    pub(crate) server: MockServer,
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self { server: MockServer::start().await }
    }

    /// Answers a path with this.
    pub(crate) async fn gives(&self, at: &str, body: Value) {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(path(at)).respond_with(answer).mount(&self.server).await;
    }

    /// Refuses everything.
    pub(crate) async fn refuses(&self, status: u16, code: &str, message: &str) {
        let answer = ResponseTemplate::new(status).set_body_json(problem(code, message));
        Mock::given(any()).respond_with(answer).mount(&self.server).await;
    }

    /// Runs the command against it, as tenant `acme` with a token.
    pub(crate) async fn stella(&self, arguments: &[&str]) -> String {
        let mut command = command(arguments);
        command.args(["--server", &self.server.uri(), "--tenant", "acme", "--token", "s3cret"]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        told(&output)
    }

    /// The paths and queries it was asked for.
    pub(crate) async fn asked(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        let text = |url: &wiremock::Request| match url.url.query() {
            Some(query) => format!("{}?{query}", url.url.path()),
            None => url.url.path().to_owned(),
        };
        requests.iter().map(text).collect()
    }
}

pub(crate) fn page(items: Value, next: Option<&str>) -> Value {
    let total = items.as_array().map_or(0, Vec::len) + usize::from(next.is_some());
    let mut page = json!({ "items": items, "totalEstimate": total });
    if let Some(token) = next {
        page["nextPageToken"] = token.into();
    }
    page
}

pub(crate) fn problem(code: &str, message: &str) -> Value {
    json!({ "error": {
        "code": code, "message": message, "traceId": "4bf92f3577b34da6", "trace_id": "4bf92f3577b34da6",
        "retryable": false,
    } })
}

pub(crate) fn source(name: &str, records: i64) -> Value {
    let mut source = json!({
        "sourceId": SOURCE, "tenant": "acme", "name": name, "sourceType": "advisory", "jobType": "ingest.advisory",
        "location": format!("/feeds/{name}.zip"), "enabled": true, "health": "unknown", "recordCount": records,
        "createdAt": "2026-11-21T08:00:00.000Z", "version": 1,
    });
    if records > 0 {
        source["health"] = "healthy".into();
        source["lastSuccessAt"] = "2026-11-21T08:30:00.000Z".into();
    }
    source
}

pub(crate) fn job(id: &str, state: &str) -> Value {
    json!({
        "jobId": id, "tenant": "acme", "sourceId": SOURCE, "jobType": "ingest.advisory", "priority": 50,
        "state": state, "payloadDigest": "sha256:00", "payloadSize": 2, "idempotencyKey": "k", "attempt": 1,
        "maxAttempts": 6, "timeoutS": 3600, "leaseEpoch": 1, "progress": 0.0, "processed": 0, "total": 0,
        "correlationId": "c1", "createdBy": "ada", "inputsHash": "00", "createdAt": "2026-11-21T08:00:00.000Z",
        "version": 3,
    })
}

pub(crate) fn target(name: &str, version: &str) -> Value {
    json!({
        "targetId": TARGET, "tenant": "acme", "name": name, "version": version, "digest": "sha256:00",
        "isImage": false, "namespace": "shop", "repository": "", "labels": {}, "sbomFormat": "CycloneDX 1.5",
        "sbomDigest": "sha256:01", "componentCount": 8, "skippedComponents": 0, "findings": 4,
        "createdAt": "2026-11-21T08:00:00.000Z", "updatedAt": "2026-11-21T08:00:00.000Z",
    })
}

pub(crate) fn run(state: &str) -> Value {
    let done = if state == "completed" { 12 } else { 0 };
    json!({
        "runId": "run:acme:20261121T140815Z:9c1f04ab", "tenant": "acme", "trigger": "manual", "initiator": "ada",
        "reason": "first look", "mode": "analysis-only", "scope": { "kind": "all" }, "scopeDigest": "00",
        "state": state, "plannerShardCount": 1, "impactIndexGeneration": 4, "candidates": 12, "processed": done,
        "failed": 0, "segments": { "succeeded": 1 },
        "deltas": { "newCritical": 2, "newHigh": 5, "resolvedLow": 1, "kevAdded": 1 }, "findings": 31,
        "kevFirst": true, "badges": ["KEV first"], "correlationId": "c1",
        "createdAt": "2026-11-21T14:08:15.000Z", "version": 5,
    })
}

pub(crate) fn segment() -> Value {
    json!({
        "segmentId": "seg_01890000-0000-7000-8000-000000000001", "runId": "run:acme:20261121T140815Z:9c1f04ab",
        "shard": 0, "ordinal": 0, "state": "succeeded", "targetCount": 12, "processed": 12, "failedTargets": 0,
        "attempt": 1, "retryCount": 0, "deltas": { "newCritical": 2 },
        "jobId": "job_01890000-0000-7000-8000-000000000001",
    })
}

pub(crate) fn finding() -> Value {
    json!({
        "targetId": TARGET, "targetName": "till-api", "targetVersion": "2026.11",
        "purl": "pkg:pypi/saltmarsh@2.0.4", "vulnerabilityId": "CVE-2026-99003", "recordIds": ["DEMO-2026-0003"],
        "aliases": [], "severity": "critical", "score": 9.8,
        "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "kev": true, "status": "affected",
        "quieted": false, "fixedVersion": "2.0.7", "summary": "saltmarsh templates run what a visitor writes",
        "firstRunId": "run:acme:20261121T140815Z:9c1f04ab", "firstSeenAt": "2026-11-21T14:08:16.000Z",
    })
}
