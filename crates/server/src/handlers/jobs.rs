//! Jobs, their history and artifacts, and the workers.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Octets, Paged};
use crate::take::{ArtifactDigest, Everything, Id, Json, Listing};
use stella_contract::artifact::Artifact;
use stella_contract::dag::Dag;
use stella_contract::edge::{AddEdges, AddedEdges};
use stella_contract::history::{ChainCheck, HistoryEntry};
use stella_contract::ids::JobId;
use stella_contract::job::{Job, JobDetail, JobFilter, PrioritizeJob, SubmitJob};
use stella_contract::lease::LogLine;
use stella_contract::lineage::Lineage;
use stella_contract::worker::Worker;
use stella_engine::verbs::Verb;

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

pub(crate) async fn retry(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<Job, 201>> {
    Ok(Answer::of(desk.engine.jobs().apply_to(&desk.caller, Verb::Retry, &id).await?))
}

pub(crate) async fn replay(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<Job, 201>> {
    Ok(Answer::of(desk.engine.jobs().apply_to(&desk.caller, Verb::Replay, &id).await?))
}

pub(crate) async fn prioritize(
    desk: Desk,
    Id(id): Id<JobId>,
    Json(wish): Json<PrioritizeJob>,
) -> Answered<Answer<Job>> {
    let verb = Verb::Prioritize(wish.priority);
    Ok(Answer::of(desk.engine.jobs().apply_to(&desk.caller, verb, &id).await?))
}

pub(crate) async fn dag(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<Dag>> {
    Ok(Answer::of(desk.engine.jobs().dag(&desk.caller, &id).await?))
}

pub(crate) async fn lineage(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<Lineage>> {
    Ok(Answer::of(desk.engine.jobs().lineage(&desk.caller, &id).await?))
}

pub(crate) async fn artifacts(
    desk: Desk,
    Id(id): Id<JobId>,
    list: Listing<Everything>,
) -> Answered<Paged<Artifact>> {
    Ok(Paged(desk.engine.artifacts().of_job(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn log(
    desk: Desk,
    Id(id): Id<JobId>,
    list: Listing<Everything>,
) -> Answered<Paged<LogLine>> {
    Ok(Paged(desk.engine.jobs().log(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn add_edges(desk: Desk, Json(wish): Json<AddEdges>) -> Answered<Answer<AddedEdges, 201>> {
    Ok(Answer::of(desk.engine.edges().add(&desk.caller, wish).await?))
}

pub(crate) async fn verify_history(desk: Desk) -> Answered<Answer<ChainCheck>> {
    Ok(Answer::of(desk.engine.history().verify(&desk.caller).await?))
}

pub(crate) async fn artifact(desk: Desk, Id(digest): Id<ArtifactDigest>) -> Answered<Octets> {
    let bytes = desk.engine.artifacts().read(&desk.caller, &digest.0).await?;
    Ok(Octets { digest: digest.0, bytes })
}

pub(crate) async fn workers(desk: Desk, list: Listing<Everything>) -> Answered<Paged<Worker>> {
    Ok(Paged(desk.engine.workers().list(&desk.caller, &list.page).await?))
}
