//! A stand-in for a server that plays scenes to a worker under test and looks at what it does. The worker takes three
//! job types: `conformance.echo` completes with its payload as its result, `conformance.sleep` takes `payload.ms`
//! milliseconds, `conformance.fail` fails with the category `validation`.

#![expect(
    clippy::disallowed_methods,
    reason = "a stand-in measures when a worker speaks; no rule depends on it"
)]

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stella_contract::ids::LeaseId;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a scene waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long it listens for what must not come.
const SILENCE: Duration = Duration::from_secs(3);
/// The heartbeat that the stand-in asks for, with ten per cent and half a second on the way.
const SLOWEST_BEAT: Duration = Duration::from_millis(1_600);

/// What a worker said.
#[derive(Debug, Clone)]
struct Heard {
    at: Instant,
    /// `register`, `claim`, `payload`, `ack`, `heartbeat`, `log`, `complete`, `fail`, `release` or `artifact`.
    verb: String,
    /// The lease of its path.
    lease: Option<String>,
    body: Value,
}

/// How the stand-in answers what a worker says of one lease.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Manner {
    /// As a server does.
    #[default]
    Plain,
    /// The ack is refused: the lease is lost.
    LostAck,
    /// Heartbeats are refused: the lease is lost.
    LostBeat,
    /// Heartbeats tell that the job was cancelled.
    Cancels,
    /// The first report is not heard.
    DeafOnce,
    /// The payload comes by reference.
    ByReference,
}

#[derive(Debug, Default)]
struct Stage {
    heard: Vec<Heard>,
    offered: Option<Value>,
    manner: Manner,
    payload: Value,
    drains: bool,
}

/// The stand-in.
#[derive(Clone, Default)]
pub(crate) struct StandIn {
    stage: Arc<Mutex<Stage>>,
    bell: Arc<Notify>,
}

/// A scene and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scene {
    /// `W01`, `W02`, …; never given to another scene.
    pub(crate) id: &'static str,
    /// What has to hold.
    pub(crate) title: &'static str,
    /// Why it does not.
    pub(crate) broken: Option<String>,
}

/// Every scene, in the order in which they are played.
pub(crate) const SCENES: [(&str, &str); 10] = [
    ("W01", "registers first, with the three job types, and claims under the id it was given"),
    ("W02", "acknowledges before anything else of a lease, and completes with the result"),
    ("W03", "repeats a report that was not heard, word for word"),
    ("W04", "fetches a payload that comes by reference"),
    ("W05", "sends a heartbeat at least as often as it is asked to"),
    ("W06", "says nothing more of a lease that a heartbeat told it is lost"),
    ("W07", "says nothing more of a lease whose ack was refused"),
    ("W08", "ends its work when a heartbeat tells that the job was cancelled"),
    ("W09", "tells a failure with category and code"),
    ("W10", "claims nothing more when it is drained"),
];

impl StandIn {
    /// Listens on a port of this machine; its address.
    pub(crate) async fn listen(&self) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(base)
    }

    /// Plays every scene to the worker that speaks with it.
    pub(crate) async fn play(&self) -> Vec<Scene> {
        let outcomes = [
            self.introduction().await,
            self.echo(Manner::Plain).await,
            self.echo(Manner::DeafOnce).await,
            self.echo(Manner::ByReference).await,
            self.beats().await,
            self.lost_beat().await,
            self.lost_ack().await,
            self.cancelled().await,
            self.failure().await,
            self.drained().await,
        ];
        SCENES
            .iter()
            .zip(outcomes)
            .map(|(scene, outcome)| Scene { id: scene.0, title: scene.1, broken: outcome.err() })
            .collect()
    }

    fn open(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said of a lease, or all that was said.
    fn heard(&self, lease: Option<&str>) -> Vec<Heard> {
        let stage = self.open();
        let of = |one: &&Heard| lease.is_none() || one.lease.as_deref() == lease;
        stage.heard.iter().filter(of).cloned().collect()
    }

    /// Waits until the condition holds of what was said of a lease.
    async fn until(
        &self,
        lease: Option<&str>,
        what: &str,
        condition: impl Fn(&[Heard]) -> bool,
    ) -> Result<Vec<Heard>, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rung = self.bell.notified();
            let heard = self.heard(lease);
            if condition(&heard) {
                return Ok(heard);
            }
            if tokio::time::timeout_at(deadline, rung).await.is_err() {
                let verbs: Vec<&str> = heard.iter().map(|one| one.verb.as_str()).collect();
                return Err(format!("{what} did not come; it said: {}", verbs.join(", ")));
            }
        }
    }

    /// Offers a job; the id of its lease.
    fn offer(&self, job_type: &str, payload: Value, manner: Manner) -> String {
        let mut stage = self.open();
        let number = stage.heard.len();
        let lease_id = format!("lease_01890000-0000-7000-8000-{number:012x}");
        let digest = "sha256:".to_owned() + &"0".repeat(64);
        let mut lease = json!({
            "jobId": format!("job_01890000-0000-7000-8000-{number:012x}"), "jobType": job_type, "leaseId": lease_id,
            "leaseEpoch": 7, "leaseUntil": "2020-01-01T00:00:00.000Z", "ackS": 2, "leaseS": 3, "heartbeatS": 1,
            "timeoutS": 600, "attempt": 2, "idempotencyKey": "conformance", "payloadDigest": digest,
            "retryHints": { "maxAttempts": 6, "attempt": 2, "nextDelayMs": 30_000, "retryableClasses": ["network"] },
            "provenance": { "tenant": "conformance", "correlationId": "conformance" },
        });
        if manner == Manner::ByReference {
            lease["payloadRef"] = json!(format!("/api/v1/worker/leases/{lease_id}/payload"));
            lease["payloadDigest"] = json!(digest_of(&payload));
        } else {
            lease["payload"] = payload.clone();
        }
        stage.payload = payload;
        stage.manner = manner;
        stage.offered = Some(lease);
        lease_id
    }

    async fn introduction(&self) -> Result<(), String> {
        let heard = self.until(None, "a claim", |heard| heard.iter().any(|one| one.verb == "claim")).await?;
        let first = &heard[0];
        holds(first.verb == "register", || format!("it began with {}", first.verb))?;
        for job_type in ["conformance.echo", "conformance.sleep", "conformance.fail"] {
            let types = first.body["jobTypes"].as_array().cloned().unwrap_or_default();
            holds(types.contains(&json!(job_type)), || format!("it does not take `{job_type}`"))?;
        }
        let claim = heard.iter().find(|one| one.verb == "claim").map(|one| one.body["workerId"].clone());
        holds(claim == Some(json!(WORKER)), || format!("it claims as {claim:?}"))
    }

    async fn echo(&self, manner: Manner) -> Result<(), String> {
        let payload = json!({ "n": 1, "text": "x" });
        let lease = self.offer("conformance.echo", payload.clone(), manner);
        let wanted = 1 + usize::from(manner == Manner::DeafOnce);
        let completes = |heard: &[Heard]| heard.iter().filter(|one| one.verb == "complete").count();
        let heard = self.until(Some(&lease), "its complete", |heard| completes(heard) >= wanted).await?;
        holds(heard[0].verb == "ack", || format!("it began with {}", heard[0].verb))?;
        let told: Vec<&Heard> = heard.iter().filter(|one| one.verb == "complete").collect();
        holds(told[0].body["result"] == payload, || format!("its result is {}", told[0].body["result"]))?;
        holds(told.iter().all(|one| one.body == told[0].body), || {
            "it said something else the second time".to_owned()
        })?;
        if manner == Manner::ByReference {
            holds(heard.iter().any(|one| one.verb == "payload"), || {
                "it did not fetch the payload".to_owned()
            })?;
        }
        epochs(&heard)
    }

    async fn beats(&self) -> Result<(), String> {
        let lease = self.offer("conformance.sleep", json!({ "ms": 3_500 }), Manner::Plain);
        let heard = self.until(Some(&lease), "its complete", |heard| says(heard, "complete")).await?;
        let alive = |one: &&Heard| matches!(one.verb.as_str(), "ack" | "heartbeat" | "complete");
        let times: Vec<Instant> = heard.iter().filter(alive).map(|one| one.at).collect();
        let longest = times.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default();
        holds(longest <= SLOWEST_BEAT, || format!("it was silent for {} ms", longest.as_millis()))?;
        epochs(&heard)
    }

    async fn lost_beat(&self) -> Result<(), String> {
        let lease = self.offer("conformance.sleep", json!({ "ms": 2_500 }), Manner::LostBeat);
        self.until(Some(&lease), "a heartbeat", |heard| says(heard, "heartbeat")).await?;
        self.silent(&lease, 2).await
    }

    async fn lost_ack(&self) -> Result<(), String> {
        let lease = self.offer("conformance.echo", json!({ "n": 1 }), Manner::LostAck);
        self.until(Some(&lease), "an ack", |heard| says(heard, "ack")).await?;
        self.silent(&lease, 1).await
    }

    /// Nothing more is said of a lease after its first few messages.
    async fn silent(&self, lease: &str, first: usize) -> Result<(), String> {
        tokio::time::sleep(SILENCE).await;
        let more: Vec<String> = self.heard(Some(lease)).into_iter().skip(first).map(|one| one.verb).collect();
        holds(more.is_empty(), || format!("it went on with {}", more.join(", ")))
    }

    async fn cancelled(&self) -> Result<(), String> {
        let lease = self.offer("conformance.sleep", json!({ "ms": 600_000 }), Manner::Cancels);
        self.until(Some(&lease), "its end", |heard| says(heard, "fail") || says(heard, "complete")).await?;
        Ok(())
    }

    async fn failure(&self) -> Result<(), String> {
        let lease = self.offer("conformance.fail", json!({}), Manner::Plain);
        let heard = self.until(Some(&lease), "its failure", |heard| says(heard, "fail")).await?;
        let told =
            heard.iter().find(|one| one.verb == "fail").map(|one| one.body.clone()).unwrap_or_default();
        holds(told["category"] == "validation", || format!("its category is {}", told["category"]))?;
        let is_said = |name: &str| told[name].as_str().is_some_and(|text| !text.is_empty());
        holds(is_said("code") && is_said("message"), || "code or message is missing".to_owned())
    }

    async fn drained(&self) -> Result<(), String> {
        let before = self.heard(None).len();
        self.open().drains = true;
        self.until(None, "a claim", |heard| heard[before..].iter().any(|one| one.verb == "claim")).await?;
        let claims = || self.heard(None).iter().filter(|one| one.verb == "claim").count();
        let told = claims();
        tokio::time::sleep(SILENCE).await;
        holds(claims() == told, || "it claimed once more".to_owned())
    }
}

const WORKER: &str = "wrk_01890000-0000-7000-8000-000000000001";

fn holds(condition: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(what()) }
}

fn says(heard: &[Heard], verb: &str) -> bool {
    heard.iter().any(|one| one.verb == verb)
}

fn epochs(heard: &[Heard]) -> Result<(), String> {
    let wrong = heard.iter().find(|one| one.body.is_object() && one.body["leaseEpoch"] != 7);
    wrong.map_or(Ok(()), |one| Err(format!("{} does not carry the epoch", one.verb)))
}

fn digest_of(payload: &Value) -> String {
    stella_sdk::conformance::digest_of(payload)
}

async fn answer(State(stand_in): State<StandIn>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let bytes = axum::body::to_bytes(body, 1 << 26).await.unwrap_or_default();
    let (lease, verb) = read(&path);
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let waits = verb == "claim";
    let reply = stand_in.reply(&verb, lease, body, &parts.headers, bytes);
    stand_in.bell.notify_waiters();
    if waits && reply.status() == StatusCode::NO_CONTENT {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    reply
}

/// The lease and the verb of a path.
fn read(path: &str) -> (Option<String>, String) {
    let Some(rest) = path.strip_prefix("/api/v1/worker/") else { return (None, path.to_owned()) };
    let Some(of_lease) = rest.strip_prefix("leases/") else { return (None, rest.to_owned()) };
    if let Some((lease, verb)) = of_lease.split_once(':') {
        return (Some(lease.to_owned()), verb.to_owned());
    }
    match of_lease.split_once('/') {
        Some((lease, "payload")) => (Some(lease.to_owned()), "payload".to_owned()),
        Some((lease, _)) => (Some(lease.to_owned()), "artifact".to_owned()),
        None => (None, of_lease.to_owned()),
    }
}

impl StandIn {
    fn reply(
        &self,
        verb: &str,
        lease: Option<String>,
        body: Value,
        headers: &HeaderMap,
        bytes: Bytes,
    ) -> Response {
        let mut stage = self.open();
        let is_report = |one: &&Heard| matches!(one.verb.as_str(), "complete" | "fail") && one.lease == lease;
        let reports = stage.heard.iter().filter(is_report).count();
        let heard = Heard { at: Instant::now(), verb: verb.to_owned(), lease: lease.clone(), body };
        stage.heard.push(heard);
        let manner = stage.manner;
        let pulse = |cancels: bool| {
            let pulse = json!({
                "leaseUntil": "2020-01-01T00:00:00.000Z", "leaseS": 3, "cancelRequested": cancels, "drain": false,
            });
            said(StatusCode::OK, &pulse)
        };
        match verb {
            "register" => said(StatusCode::CREATED, &json!({ "workerId": WORKER, "heartbeatS": 1 })),
            "claim" if stage.drains => said(StatusCode::OK, &json!({ "leases": [], "drain": true })),
            "claim" => match stage.offered.take() {
                Some(lease) => said(StatusCode::OK, &json!({ "leases": [lease], "drain": false })),
                None => StatusCode::NO_CONTENT.into_response(),
            },
            "payload" => stage.payload.to_string().into_response(),
            "ack" if manner == Manner::LostAck => refused(StatusCode::CONFLICT, "LEASE_LOST"),
            "ack" => pulse(false),
            "heartbeat" if manner == Manner::LostBeat => refused(StatusCode::CONFLICT, "LEASE_LOST"),
            "heartbeat" => pulse(manner == Manner::Cancels),
            "log" => said(StatusCode::OK, &json!({ "lastSeq": 1 })),
            "artifact" => said(StatusCode::OK, &kept(headers, &bytes)),
            "complete" | "fail" if reports == 0 && manner == Manner::DeafOnce => {
                refused(StatusCode::SERVICE_UNAVAILABLE, "LEDGER_UNAVAILABLE")
            }
            "complete" | "fail" | "release" => said(StatusCode::OK, &job(lease.as_deref())),
            _ => refused(StatusCode::NOT_FOUND, "NOT_FOUND"),
        }
    }
}

fn said(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

fn refused(status: StatusCode, code: &str) -> Response {
    let problem = json!({
        "code": code, "message": "The scene wants it so.", "traceId": "conformance", "trace_id": "conformance",
        "retryable": status.is_server_error(),
    });
    said(status, &json!({ "error": problem }))
}

fn kept(headers: &HeaderMap, bytes: &Bytes) -> Value {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    json!({
        "name": "out", "kind": "output", "mediaType": header("content-type"), "sizeBytes": bytes.len(),
        "digest": header(stella_contract::lease::DIGEST_HEADER),
    })
}

/// A job that a report is answered with; a worker looks at its state at most.
fn job(lease: Option<&str>) -> Value {
    let lease: Option<LeaseId> = lease.and_then(|lease| lease.parse().ok());
    let number = lease.as_ref().map_or("01890000-0000-7000-8000-000000000000", |lease| lease.uuid());
    let zeros = "sha256:".to_owned() + &"0".repeat(64);
    json!({
        "jobId": format!("job_{number}"), "tenant": "conformance", "jobType": "conformance", "priority": 50,
        "state": "succeeded", "payloadDigest": zeros, "payloadSize": 2, "idempotencyKey": "conformance",
        "attempt": 2, "maxAttempts": 6, "timeoutS": 600, "leaseEpoch": 7, "progress": 1.0, "processed": 0,
        "total": 0, "correlationId": "conformance", "createdBy": "conformance", "inputsHash": zeros,
        "createdAt": "2020-01-01T00:00:00.000Z", "version": 9,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::job::ErrorClass;
    use stella_sdk::Client;
    use stella_sdk::worker::{Failure, Finished, Task, Worker};

    async fn work(task: Task) -> Result<Finished, Failure> {
        match task.lease().job_type.as_str() {
            "conformance.echo" => Ok(task.payload().clone().into()),
            "conformance.sleep" => {
                let ms = task.payload()["ms"].as_u64().unwrap_or(0);
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(ms)) => Ok(Finished::default()),
                    () = task.cancelled() => Err(Failure::new(ErrorClass::Internal, "CANCELLED", "As it was told.")),
                }
            }
            _ => Err(Failure::new(ErrorClass::Validation, "TOLD", "As it was told.")),
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_worker_of_the_sdk_stands_every_scene() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stand_in = StandIn::default();
        let base = stand_in.listen().await.expect("a port is free");
        let tenant = "conformance".parse().expect("a sound name");
        let client = Client::new(&base, Some("conformance"), tenant).expect("a sound address");
        let worker = Worker::new(client, "tested")
            .on("conformance.echo", work)
            .on("conformance.sleep", work)
            .on("conformance.fail", work);
        let working = tokio::spawn(worker.run_until(std::future::pending()));
        let scenes = stand_in.play().await;
        let broken: Vec<_> = scenes.iter().filter(|scene| scene.broken.is_some()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
        // Drained, it has ended by itself.
        working.await.expect("it does not panic").expect("it could begin");
    }
}
