//! Change-sets and saved views.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Id, Json, Listing};
use stella_contract::change_set::{
    ChangeItem, ChangeSet, ChangeSetFilter, CreateChangeSet, ItemFilter, StartChangeSet,
};
use stella_contract::ids::{ChangeSetId, ViewId};
use stella_contract::saved_view::{SaveView, SavedView, UpdateView, ViewFilter};

pub(crate) async fn list(desk: Desk, list: Listing<ChangeSetFilter>) -> Answered<Paged<ChangeSet>> {
    Ok(Paged(desk.engine.change_sets().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn create(
    desk: Desk,
    Json(wish): Json<CreateChangeSet>,
) -> Answered<Answer<ChangeSet, 201>> {
    Ok(Answer::of(desk.engine.change_sets().create(&desk.caller, wish).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<ChangeSetId>) -> Answered<Answer<ChangeSet>> {
    Ok(Answer::of(desk.engine.change_sets().get(&desk.caller, &id).await?))
}

pub(crate) async fn items(
    desk: Desk,
    Id(id): Id<ChangeSetId>,
    list: Listing<ItemFilter>,
) -> Answered<Paged<ChangeItem>> {
    Ok(Paged(desk.engine.change_sets().items(&desk.caller, &id, &list.filter, &list.page).await?))
}

pub(crate) async fn start(
    desk: Desk,
    Id(id): Id<ChangeSetId>,
    Json(wish): Json<StartChangeSet>,
) -> Answered<Answer<ChangeSet>> {
    Ok(Answer::of(desk.engine.change_sets().start(&desk.caller, &id, wish).await?))
}

pub(crate) async fn pause(desk: Desk, Id(id): Id<ChangeSetId>) -> Answered<Answer<ChangeSet>> {
    Ok(Answer::of(desk.engine.change_sets().pause(&desk.caller, &id).await?))
}

pub(crate) async fn resume(desk: Desk, Id(id): Id<ChangeSetId>) -> Answered<Answer<ChangeSet>> {
    Ok(Answer::of(desk.engine.change_sets().resume(&desk.caller, &id).await?))
}

pub(crate) async fn cancel(desk: Desk, Id(id): Id<ChangeSetId>) -> Answered<Answer<ChangeSet>> {
    Ok(Answer::of(desk.engine.change_sets().cancel(&desk.caller, &id).await?))
}

pub(crate) async fn views(desk: Desk, list: Listing<ViewFilter>) -> Answered<Paged<SavedView>> {
    Ok(Paged(desk.engine.views().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn save_view(desk: Desk, Json(wish): Json<SaveView>) -> Answered<Answer<SavedView, 201>> {
    Ok(Answer::of(desk.engine.views().save(&desk.caller, wish).await?))
}

pub(crate) async fn update_view(
    desk: Desk,
    Id(id): Id<ViewId>,
    Json(wish): Json<UpdateView>,
) -> Answered<Answer<SavedView>> {
    Ok(Answer::of(desk.engine.views().update(&desk.caller, &id, wish).await?))
}

pub(crate) async fn delete_view(desk: Desk, Id(id): Id<ViewId>) -> Answered<Answer<SavedView>> {
    Ok(Answer::of(desk.engine.views().delete(&desk.caller, &id).await?))
}
