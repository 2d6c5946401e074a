//! What workers of other processes say, and what operators want of workers.

use crate::describe::Operation;
use crate::desk::Desk;
use crate::handlers::Answered;
use crate::refusal::Refusal;
use crate::reply::{Answer, MaybeAnswer, Octets, Reply};
use crate::take::{Asking, Id, Json};
use axum::body::Body;
use axum::response::Response;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use http::header;
use serde_json::json;
use std::str::FromStr;
use stella_contract::error::Code;
use stella_contract::ids::{LeaseId, WorkerId};
use stella_contract::job::Job;
use stella_contract::lease::{
    AckLease, AckLeases, AckedLeases, ClaimWork, CompleteLease, CompleteLeases, CompletedLeases,
    DIGEST_HEADER, EPOCH_HEADER, FailLease, KIND_HEADER, LeaseArtifact, LeaseHeartbeat, LeasePulse,
    LeaseRefusal, Leases, LogKept, LogLines, RegisterWorker, RegisteredWorker, ReleaseLease,
};
use stella_contract::worker::Worker;
use stella_engine::Error;
use stella_engine::floor::NewUpload;
use stella_engine::workers::WorkerVerb;

pub(crate) async fn register(
    desk: Desk,
    Json(wish): Json<RegisterWorker>,
) -> Answered<Answer<RegisteredWorker, 201>> {
    Ok(Answer::of(desk.engine.floor().register(&desk.caller, wish).await?))
}

pub(crate) async fn claim(desk: Desk, Json(wish): Json<ClaimWork>) -> Answered<MaybeAnswer<Leases>> {
    Ok(MaybeAnswer(desk.engine.floor().claim(&desk.caller, wish).await?))
}

pub(crate) async fn ack(
    desk: Desk,
    Id(id): Id<LeaseId>,
    Json(wish): Json<AckLease>,
) -> Answered<Answer<LeasePulse>> {
    Ok(Answer::of(desk.engine.floor().ack(&desk.caller, &id, wish).await?))
}

pub(crate) async fn ack_many(desk: Desk, Json(wish): Json<AckLeases>) -> Answered<Answer<AckedLeases>> {
    let answer = desk.engine.floor().ack_many(&desk.caller, wish).await?;
    count_lost(&desk, answer.leases.iter().filter_map(|one| one.refused.as_ref()));
    Ok(Answer::of(answer))
}

pub(crate) async fn complete_many(
    desk: Desk,
    Json(wish): Json<CompleteLeases>,
) -> Answered<Answer<CompletedLeases>> {
    let answer = desk.engine.floor().complete_many(&desk.caller, wish).await?;
    count_lost(&desk, answer.leases.iter().filter_map(|one| one.refused.as_ref()));
    Ok(Answer::of(answer))
}

/// What is said of one lease is counted by the wrapper; of several, here.
fn count_lost<'a>(desk: &Desk, refused: impl Iterator<Item = &'a LeaseRefusal>) {
    refused.filter(|refusal| refusal.code == Code::LeaseLost).for_each(|_| desk.tallies.reject_fence());
}

pub(crate) async fn heartbeat(
    desk: Desk,
    Id(id): Id<LeaseId>,
    Json(wish): Json<LeaseHeartbeat>,
) -> Answered<Answer<LeasePulse>> {
    Ok(Answer::of(desk.engine.floor().heartbeat(&desk.caller, &id, wish).await?))
}

pub(crate) async fn log(
    desk: Desk,
    Id(id): Id<LeaseId>,
    Json(wish): Json<LogLines>,
) -> Answered<Answer<LogKept>> {
    Ok(Answer::of(desk.engine.floor().log(&desk.caller, &id, wish).await?))
}

pub(crate) async fn payload(desk: Desk, Id(id): Id<LeaseId>) -> Answered<Octets> {
    let (digest, bytes) = desk.engine.floor().payload(&desk.caller, &id).await?;
    Ok(Octets { digest, bytes })
}

pub(crate) async fn complete(
    desk: Desk,
    Id(id): Id<LeaseId>,
    Json(wish): Json<CompleteLease>,
) -> Answered<Answer<Job>> {
    Ok(Answer::of(desk.engine.floor().complete(&desk.caller, &id, wish).await?))
}

pub(crate) async fn fail(
    desk: Desk,
    Id(id): Id<LeaseId>,
    Json(wish): Json<FailLease>,
) -> Answered<Answer<Job>> {
    Ok(Answer::of(desk.engine.floor().fail(&desk.caller, &id, wish).await?))
}

pub(crate) async fn release(
    desk: Desk,
    Id(id): Id<LeaseId>,
    Json(wish): Json<ReleaseLease>,
) -> Answered<Answer<Job>> {
    Ok(Answer::of(desk.engine.floor().release(&desk.caller, &id, wish).await?))
}

/// Takes in the bytes of an artifact as they come.
pub(crate) fn put_artifact(
    desk: Desk,
    asking: Asking,
    body: Body,
) -> BoxFuture<'static, Result<Response, Refusal>> {
    async move {
        let Id(id) = <Id<LeaseId> as crate::take::Taken>::take(&asking)?;
        let wish = NewUpload {
            lease_epoch: header_of(&asking, EPOCH_HEADER)?,
            name: asking.path.get(1).map_or_else(String::new, |(_, name)| name.clone()),
            kind: optional(&asking, KIND_HEADER)?.unwrap_or_else(|| "output".to_owned()),
            media_type: optional(&asking, header::CONTENT_TYPE.as_str())?
                .unwrap_or_else(|| "application/octet-stream".to_owned()),
            digest: header_of(&asking, DIGEST_HEADER)?,
        };
        let broken = |error: axum::Error| {
            Error::new(Code::BadRequest, "The body broke off before its end. Send it again.")
                .with_private(error)
        };
        let pieces = body.into_data_stream().map(move |piece| piece.map_err(broken)).boxed();
        let kept: LeaseArtifact = desk.engine.floor().put_artifact(&desk.caller, &id, wish, pieces).await?;
        Answer::<_, 200>::of(kept).respond()
    }
    .boxed()
}

fn optional(asking: &Asking, name: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = asking.headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| {
        Refusal::new(Code::BadRequest, format!("The header `{name}` must be of visible ASCII characters."))
    })?;
    Ok(Some(text.trim().to_owned()))
}

fn header_of<T: FromStr>(asking: &Asking, name: &str) -> Result<T, Refusal> {
    let text = optional(asking, name)?.unwrap_or_default();
    text.parse().map_err(|_| {
        Refusal::new(Code::BadRequest, format!("The header `{name}` is missing or cannot be read."))
    })
}

/// What the API document says of it.
pub(crate) fn describe_put_artifact(operation: &mut Operation) {
    operation.id::<LeaseId>();
    operation.parameters.push(json!({
        "name": "", "in": "path", "required": true, "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        "description": "Unique within the job.", "example": "report.json",
    }));
    for (name, required, schema, description) in [
        (EPOCH_HEADER, true, json!({ "type": "integer", "format": "int64" }), "The epoch of the lease."),
        (
            DIGEST_HEADER,
            true,
            json!({ "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" }),
            "SHA-256 of the bytes; of JSON, of its canonical form.",
        ),
        (
            KIND_HEADER,
            false,
            json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
            "What it is; `output` when absent.",
        ),
    ] {
        operation.parameters.push(json!({
            "name": name, "in": "header", "required": required, "schema": schema, "description": description,
        }));
    }
    let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
    operation.body = Some(json!({
        "required": false,
        "description": "The bytes, at most 512 MiB; JSON at most 64 MiB. `Content-Type` is the artifact's media type.",
        "content": { "application/octet-stream": bytes, "application/json": { "schema": {} } },
    }));
    operation.answers::<LeaseArtifact>(200);
}

pub(crate) async fn drain(desk: Desk, Id(id): Id<WorkerId>) -> Answered<Answer<Worker>> {
    Ok(Answer::of(desk.engine.workers().apply(&desk.caller, WorkerVerb::Drain, &id).await?))
}

pub(crate) async fn resume(desk: Desk, Id(id): Id<WorkerId>) -> Answered<Answer<Worker>> {
    Ok(Answer::of(desk.engine.workers().apply(&desk.caller, WorkerVerb::Resume, &id).await?))
}

pub(crate) async fn quarantine(desk: Desk, Id(id): Id<WorkerId>) -> Answered<Answer<Worker>> {
    Ok(Answer::of(desk.engine.workers().apply(&desk.caller, WorkerVerb::Quarantine, &id).await?))
}
