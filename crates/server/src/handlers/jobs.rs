//! Jobs, their history and artifacts, and the workers.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Octets, Paged};
use crate::take::{ArtifactDigest, Everything, Id, Json, Listing};
use stella_contract::history::{ChainCheck, HistoryEntry};
use stella_contract::ids::JobId;
use stella_contract::job::{Job, JobDetail, JobFilter, SubmitJob};
use stella_contract::page::Page;
use stella_contract::worker::Worker;

pub(crate) async fn list(desk: Desk, list: Listing<JobFilter>) -> Answered<Paged<Job>> {
    Ok(Paged(desk.engine.jobs().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn submit(desk: Desk, Json(mut wish): Json<SubmitJob>) -> Answered<Answer<Job, 201>> {
    wish.idempotency_key = wish.idempotency_key.or(desk.idempotency_key);
    let submitted = desk.engine.jobs().submit(&desk.caller, wish).await?;
    Ok(Answer::of(submitted.job).replayed_if(submitted.replayed))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<JobDetail>> {
    Ok(Answer::of(desk.engine.jobs().get(&desk.caller, &id).await?))
}

pub(crate) async fn history(
    desk: Desk,
    Id(id): Id<JobId>,
    list: Listing<Everything>,
) -> Answered<Paged<HistoryEntry>> {
    Ok(Paged(desk.engine.jobs().history(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn cancel(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<Job>> {
    Ok(Answer::of(desk.engine.jobs().cancel(&desk.caller, &id).await?))
}

pub(crate) async fn verify_history(desk: Desk) -> Answered<Answer<ChainCheck>> {
    Ok(Answer::of(desk.engine.history().verify(&desk.caller).await?))
}

pub(crate) async fn artifact(desk: Desk, Id(digest): Id<ArtifactDigest>) -> Answered<Octets> {
    let bytes = desk.engine.artifacts().read(&desk.caller, &digest.0).await?;
    Ok(Octets { digest: digest.0, bytes })
}

/// Workers are few, so that one page holds them all.
pub(crate) async fn workers(desk: Desk, _: Listing<Everything>) -> Answered<Paged<Worker>> {
    let items = desk.engine.workers().list(&desk.caller).await?;
    let total_estimate = Some(items.len() as u64);
    Ok(Paged(Page { items, next_page_token: None, total_estimate }))
}
