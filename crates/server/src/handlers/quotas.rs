//! Quotas: how many jobs of a tenant and type may be at work at once and in an hour.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Download, Paged};
use crate::take::{Asked, Id, Json, JsonOrNothing, Listing, Matching};
use stella_contract::ids::QuotaId;
use stella_contract::quota::{
    AddQuota, ChangeQuota, DrainEstimate, ExportQuery, PauseQuota, Quota, QuotaFilter, QuotaSummary, WhatIf,
};

pub(crate) async fn list(desk: Desk, list: Listing<QuotaFilter>) -> Answered<Paged<Quota>> {
    Ok(Paged(desk.engine.quotas().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn add(desk: Desk, Json(wish): Json<AddQuota>) -> Answered<Answer<Quota, 201>> {
    Ok(Answer::of(desk.engine.quotas().add(&desk.caller, wish).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<QuotaId>) -> Answered<Answer<Quota>> {
    Ok(Answer::of(desk.engine.quotas().get(&desk.caller, &id).await?))
}

pub(crate) async fn change(
    desk: Desk,
    (Id(id), matching): (Id<QuotaId>, Matching),
    Json(wish): Json<ChangeQuota>,
) -> Answered<Answer<Quota>> {
    Ok(Answer::of(desk.engine.quotas().change(&desk.caller, &id, matching.version, wish).await?))
}

pub(crate) async fn pause(
    desk: Desk,
    (Id(id), matching): (Id<QuotaId>, Matching),
    JsonOrNothing(wish): JsonOrNothing<PauseQuota>,
) -> Answered<Answer<Quota>> {
    Ok(Answer::of(desk.engine.quotas().pause(&desk.caller, &id, matching.version, wish).await?))
}

pub(crate) async fn resume(desk: Desk, Id(id): Id<QuotaId>, matching: Matching) -> Answered<Answer<Quota>> {
    Ok(Answer::of(desk.engine.quotas().resume(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn delete(desk: Desk, Id(id): Id<QuotaId>, matching: Matching) -> Answered<Answer<Quota>> {
    Ok(Answer::of(desk.engine.quotas().delete(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn summary(desk: Desk) -> Answered<Answer<QuotaSummary>> {
    Ok(Answer::of(desk.engine.quotas().summary(&desk.caller).await?))
}

pub(crate) async fn export(desk: Desk, Asked(query): Asked<ExportQuery>) -> Answered<Download> {
    let export = desk.engine.quotas().export(&desk.caller, &query).await?;
    Ok(Download {
        media_type: export.media_type,
        file_name: export.file_name,
        digest: export.digest,
        bytes: export.bytes.into(),
    })
}

pub(crate) async fn what_if(desk: Desk, Json(wish): Json<WhatIf>) -> Answered<Answer<DrainEstimate>> {
    Ok(Answer::of(desk.engine.quotas().what_if(&desk.caller, wish).await?))
}
