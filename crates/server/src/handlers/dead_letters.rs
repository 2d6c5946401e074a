//! The dead letter.

use crate::desk::Desk;
use crate::exported::{Accepted, Exported};
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Everything, Id, Json, JsonOrNothing, Listing};
use stella_contract::dead_letter::{
    AcknowledgeDeadLetter, BatchReplay, BatchResolve, Cluster, DeadLetter, DeadLetterBatch, DeadLetterDetail,
    DeadLetterExport, DeadLetterFilter, DeadLetterPreview, DeadLetterStats, ExportDeadLetters, Mute,
    MuteCause, ReplayDeadLetter, ReplayStarted, ResolveDeadLetter, SelectDeadLetters, UnmuteCause,
};
use stella_contract::ids::DeadLetterId;

pub(crate) async fn list(desk: Desk, list: Listing<DeadLetterFilter>) -> Answered<Paged<DeadLetter>> {
    Ok(Paged(desk.engine.dead_letters().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn clusters(desk: Desk, list: Listing<DeadLetterFilter>) -> Answered<Paged<Cluster>> {
    Ok(Paged(desk.engine.dead_letters().clusters(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn stats(desk: Desk) -> Answered<Answer<DeadLetterStats>> {
    Ok(Answer::of(desk.engine.dead_letters().stats(&desk.caller).await?))
}

pub(crate) async fn export(
    desk: Desk,
    Asked(wish): Asked<ExportDeadLetters>,
    accepted: Accepted,
) -> Answered<Exported<DeadLetterExport>> {
    let wish = ExportDeadLetters { format: accepted.format.or(wish.format), ..wish };
    let made = desk.engine.dead_letters().export(&desk.caller, &wish).await?;
    Ok(Exported { made, as_file: accepted.format.is_some() })
}

pub(crate) async fn get(desk: Desk, Id(id): Id<DeadLetterId>) -> Answered<Answer<DeadLetterDetail>> {
    Ok(Answer::of(desk.engine.dead_letters().get(&desk.caller, &id).await?))
}

pub(crate) async fn replay(
    desk: Desk,
    Id(id): Id<DeadLetterId>,
    JsonOrNothing(wish): JsonOrNothing<ReplayDeadLetter>,
) -> Answered<Answer<ReplayStarted, 202>> {
    Ok(Answer::of(desk.engine.dead_letters().replay(&desk.caller, &id, wish).await?))
}

pub(crate) async fn resolve(
    desk: Desk,
    Id(id): Id<DeadLetterId>,
    Json(wish): Json<ResolveDeadLetter>,
) -> Answered<Answer<DeadLetter>> {
    Ok(Answer::of(desk.engine.dead_letters().resolve(&desk.caller, &id, wish).await?))
}

pub(crate) async fn reopen(desk: Desk, Id(id): Id<DeadLetterId>) -> Answered<Answer<DeadLetter>> {
    Ok(Answer::of(desk.engine.dead_letters().reopen(&desk.caller, &id).await?))
}

pub(crate) async fn acknowledge(
    desk: Desk,
    Id(id): Id<DeadLetterId>,
    JsonOrNothing(wish): JsonOrNothing<AcknowledgeDeadLetter>,
) -> Answered<Answer<DeadLetter>> {
    Ok(Answer::of(desk.engine.dead_letters().acknowledge(&desk.caller, &id, wish).await?))
}

pub(crate) async fn mutes(desk: Desk, list: Listing<Everything>) -> Answered<Paged<Mute>> {
    Ok(Paged(desk.engine.dead_letters().mutes(&desk.caller, &list.page).await?))
}

pub(crate) async fn mute(desk: Desk, Json(wish): Json<MuteCause>) -> Answered<Answer<Mute>> {
    Ok(Answer::of(desk.engine.dead_letters().mute(&desk.caller, wish).await?))
}

pub(crate) async fn unmute(desk: Desk, Json(wish): Json<UnmuteCause>) -> Answered<Answer<Mute>> {
    Ok(Answer::of(desk.engine.dead_letters().unmute(&desk.caller, wish).await?))
}

pub(crate) async fn preview(
    desk: Desk,
    Json(selection): Json<SelectDeadLetters>,
) -> Answered<Answer<DeadLetterPreview>> {
    Ok(Answer::of(desk.engine.dead_letters().preview(&desk.caller, selection).await?))
}

pub(crate) async fn batch_replay(
    desk: Desk,
    Json(wish): Json<BatchReplay>,
) -> Answered<Answer<DeadLetterBatch>> {
    Ok(Answer::of(desk.engine.dead_letters().batch_replay(&desk.caller, wish).await?))
}

pub(crate) async fn batch_resolve(
    desk: Desk,
    Json(wish): Json<BatchResolve>,
) -> Answered<Answer<DeadLetterBatch>> {
    Ok(Answer::of(desk.engine.dead_letters().batch_resolve(&desk.caller, wish).await?))
}
