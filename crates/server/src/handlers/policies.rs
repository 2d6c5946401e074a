//! Policies: snapshots, what they would say, promotions.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Everything, Id, Json, JsonOrNothing, Listing};
use stella_contract::ids::PolicySnapshotId;
use stella_contract::policy::{
    AddPolicy, CheckPolicy, PolicyCheck, PolicyDiff, PolicyDiffQuery, PolicyDocument, PolicyPromotion,
    PolicySnapshot, PromotePolicy,
};

pub(crate) async fn list(desk: Desk, list: Listing<Everything>) -> Answered<Paged<PolicySnapshot>> {
    Ok(Paged(desk.engine.policies().list(&desk.caller, &list.page).await?))
}

pub(crate) async fn add(desk: Desk, Json(wish): Json<AddPolicy>) -> Answered<Answer<PolicySnapshot, 201>> {
    let (snapshot, known) = desk.engine.policies().add(&desk.caller, wish).await?;
    Ok(Answer::of(snapshot).replayed_if(known))
}

pub(crate) async fn check(desk: Desk, Json(wish): Json<CheckPolicy>) -> Answered<Answer<PolicyCheck>> {
    Ok(Answer::of(desk.engine.policies().check(&desk.caller, wish).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<PolicySnapshotId>) -> Answered<Answer<PolicyDocument>> {
    Ok(Answer::of(desk.engine.policies().get(&desk.caller, &id).await?))
}

pub(crate) async fn diff(desk: Desk, Asked(query): Asked<PolicyDiffQuery>) -> Answered<Answer<PolicyDiff>> {
    Ok(Answer::of(desk.engine.policies().diff(&desk.caller, &query).await?))
}

pub(crate) async fn promote(
    desk: Desk,
    Id(id): Id<PolicySnapshotId>,
    JsonOrNothing(wish): JsonOrNothing<PromotePolicy>,
) -> Answered<Answer<PolicyPromotion>> {
    Ok(Answer::of(desk.engine.policies().promote(&desk.caller, &id, wish).await?))
}

pub(crate) async fn promotions(desk: Desk, list: Listing<Everything>) -> Answered<Paged<PolicyPromotion>> {
    Ok(Paged(desk.engine.policies().promotions(&desk.caller, &list.page).await?))
}
