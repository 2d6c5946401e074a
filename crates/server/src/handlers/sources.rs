//! Sources of advisories, lists and SBOMs.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Everything, Id, Json, JsonOrNothing, Listing};
use stella_contract::ids::SourceId;
use stella_contract::job::Job;
use stella_contract::source::{AddSource, RunSource, Source};

pub(crate) async fn list(desk: Desk, list: Listing<Everything>) -> Answered<Paged<Source>> {
    Ok(Paged(desk.engine.sources().list(&desk.caller, &list.page).await?))
}

pub(crate) async fn add(desk: Desk, Json(wish): Json<AddSource>) -> Answered<Answer<Source, 201>> {
    Ok(Answer::of(desk.engine.sources().add(&desk.caller, wish).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<SourceId>) -> Answered<Answer<Source>> {
    Ok(Answer::of(desk.engine.sources().get(&desk.caller, &id).await?))
}

pub(crate) async fn run(
    desk: Desk,
    Id(id): Id<SourceId>,
    JsonOrNothing(wish): JsonOrNothing<RunSource>,
) -> Answered<Answer<Job, 202>> {
    Ok(Answer::of(desk.engine.sources().run(&desk.caller, &id, wish).await?))
}
