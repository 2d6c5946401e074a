//! Backfills: ranges of event time, read again window by window.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Everything, Id, Json, Listing};
use stella_contract::backfill::{Backfill, BackfillFilter, BackfillWindow, CreateBackfill, StartBackfill};
use stella_contract::ids::BackfillId;

pub(crate) async fn list(desk: Desk, list: Listing<BackfillFilter>) -> Answered<Paged<Backfill>> {
    Ok(Paged(desk.engine.backfills().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn create(desk: Desk, Json(wish): Json<CreateBackfill>) -> Answered<Answer<Backfill, 201>> {
    Ok(Answer::of(desk.engine.backfills().create(&desk.caller, wish).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<BackfillId>) -> Answered<Answer<Backfill>> {
    Ok(Answer::of(desk.engine.backfills().get(&desk.caller, &id).await?))
}

pub(crate) async fn windows(
    desk: Desk,
    Id(id): Id<BackfillId>,
    list: Listing<Everything>,
) -> Answered<Paged<BackfillWindow>> {
    Ok(Paged(desk.engine.backfills().windows(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn preview(desk: Desk, Id(id): Id<BackfillId>) -> Answered<Answer<Backfill>> {
    Ok(Answer::of(desk.engine.backfills().preview(&desk.caller, &id).await?))
}

pub(crate) async fn start(
    desk: Desk,
    Id(id): Id<BackfillId>,
    Json(wish): Json<StartBackfill>,
) -> Answered<Answer<Backfill, 202>> {
    Ok(Answer::of(desk.engine.backfills().start(&desk.caller, &id, wish).await?))
}

pub(crate) async fn pause(desk: Desk, Id(id): Id<BackfillId>) -> Answered<Answer<Backfill>> {
    Ok(Answer::of(desk.engine.backfills().pause(&desk.caller, &id).await?))
}

pub(crate) async fn resume(desk: Desk, Id(id): Id<BackfillId>) -> Answered<Answer<Backfill>> {
    Ok(Answer::of(desk.engine.backfills().resume(&desk.caller, &id).await?))
}

pub(crate) async fn cancel(desk: Desk, Id(id): Id<BackfillId>) -> Answered<Answer<Backfill>> {
    Ok(Answer::of(desk.engine.backfills().cancel(&desk.caller, &id).await?))
}
