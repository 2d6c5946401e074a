//! Targets and their SBOMs.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Document, Id, Listing};
use stella_contract::ids::TargetId;
use stella_contract::target::{SbomImported, SbomPlace, Target, TargetFilter};

pub(crate) async fn list(desk: Desk, list: Listing<TargetFilter>) -> Answered<Paged<Target>> {
    Ok(Paged(desk.engine.targets().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<TargetId>) -> Answered<Answer<Target>> {
    Ok(Answer::of(desk.engine.targets().get(&desk.caller, &id).await?))
}

pub(crate) async fn import(
    desk: Desk,
    Asked(place): Asked<SbomPlace>,
    Document(sbom): Document,
) -> Answered<Answer<SbomImported>> {
    Ok(Answer::of(desk.engine.targets().import(&desk.caller, place, sbom).await?))
}
