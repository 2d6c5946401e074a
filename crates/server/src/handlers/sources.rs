//! Sources of advisories, lists and SBOMs.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Id, Json, JsonOrNothing, Listing};
use stella_contract::ids::SourceId;
use stella_contract::job::Job;
use stella_contract::source::{AddSource, RunSource, Source, SourceFilter, SourceTested, UpdateSource};
use stella_contract::vex::{VexFilter, VexStatement};
use stella_contract::watermark::{ResetWatermark, SkipWindow, Watermark, Watermarks};

pub(crate) async fn list(desk: Desk, list: Listing<SourceFilter>) -> Answered<Paged<Source>> {
    Ok(Paged(desk.engine.sources().list(&desk.caller, &list.filter, &list.page).await?))
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

pub(crate) async fn update(
    desk: Desk,
    Id(id): Id<SourceId>,
    Json(wish): Json<UpdateSource>,
) -> Answered<Answer<Source>> {
    Ok(Answer::of(desk.engine.sources().update(&desk.caller, &id, wish).await?))
}

pub(crate) async fn test(desk: Desk, Id(id): Id<SourceId>) -> Answered<Answer<SourceTested>> {
    Ok(Answer::of(desk.engine.sources().test(&desk.caller, &id).await?))
}

pub(crate) async fn pause(desk: Desk, Id(id): Id<SourceId>) -> Answered<Answer<Source>> {
    Ok(Answer::of(desk.engine.sources().pause(&desk.caller, &id).await?))
}

pub(crate) async fn resume(desk: Desk, Id(id): Id<SourceId>) -> Answered<Answer<Source>> {
    Ok(Answer::of(desk.engine.sources().resume(&desk.caller, &id).await?))
}

pub(crate) async fn watermarks(desk: Desk, Id(id): Id<SourceId>) -> Answered<Answer<Watermarks>> {
    Ok(Answer::of(desk.engine.sources().watermarks(&desk.caller, &id).await?))
}

pub(crate) async fn reset_watermark(
    desk: Desk,
    Id(id): Id<SourceId>,
    Json(wish): Json<ResetWatermark>,
) -> Answered<Answer<Watermark>> {
    Ok(Answer::of(desk.engine.sources().reset_watermark(&desk.caller, &id, wish).await?))
}

pub(crate) async fn skip_window(
    desk: Desk,
    Id(id): Id<SourceId>,
    JsonOrNothing(wish): JsonOrNothing<SkipWindow>,
) -> Answered<Answer<Watermark>> {
    Ok(Answer::of(desk.engine.sources().skip_window(&desk.caller, &id, wish).await?))
}

pub(crate) async fn vex(desk: Desk, list: Listing<VexFilter>) -> Answered<Paged<VexStatement>> {
    Ok(Paged(desk.engine.vex().list(&desk.caller, &list.filter, &list.page).await?))
}
