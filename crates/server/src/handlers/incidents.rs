//! Incidents.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Id, Json, JsonOrNothing, Listing};
use stella_contract::ids::IncidentId;
use stella_contract::incident::{Incident, IncidentFilter, NoteIncident, ResolveIncident};

pub(crate) async fn list(desk: Desk, list: Listing<IncidentFilter>) -> Answered<Paged<Incident>> {
    Ok(Paged(desk.engine.incidents().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<IncidentId>) -> Answered<Answer<Incident>> {
    Ok(Answer::of(desk.engine.incidents().get(&desk.caller, &id).await?))
}

pub(crate) async fn acknowledge(
    desk: Desk,
    Id(id): Id<IncidentId>,
    JsonOrNothing(wish): JsonOrNothing<NoteIncident>,
) -> Answered<Answer<Incident>> {
    Ok(Answer::of(desk.engine.incidents().acknowledge(&desk.caller, &id, wish).await?))
}

pub(crate) async fn resolve(
    desk: Desk,
    Id(id): Id<IncidentId>,
    Json(wish): Json<ResolveIncident>,
) -> Answered<Answer<Incident>> {
    let wish = NoteIncident { note: Some(wish.note) };
    Ok(Answer::of(desk.engine.incidents().resolve(&desk.caller, &id, wish).await?))
}
