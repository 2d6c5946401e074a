//! Schedules, what a cron text would do, and what became of fires.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Everything, Id, Json, JsonOrNothing, Listing, Matching};
use stella_contract::ids::ScheduleId;
use stella_contract::run::Run;
use stella_contract::schedule::{
    ChangeSchedule, MakeSchedule, PauseSchedule, PreviewSchedule, Schedule, ScheduleFilter, ScheduleFire,
    SchedulePreview, SchedulerHealth, TriggerSchedule, UpcomingFires, UpcomingQuery,
};

pub(crate) async fn list(desk: Desk, list: Listing<ScheduleFilter>) -> Answered<Paged<Schedule>> {
    Ok(Paged(desk.engine.schedules().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn make(desk: Desk, Json(wish): Json<MakeSchedule>) -> Answered<Answer<Schedule, 201>> {
    Ok(Answer::of(desk.engine.schedules().make(&desk.caller, wish).await?))
}

pub(crate) async fn upcoming(
    desk: Desk,
    Asked(query): Asked<UpcomingQuery>,
) -> Answered<Answer<UpcomingFires>> {
    Ok(Answer::of(desk.engine.schedules().upcoming(&desk.caller, query).await?))
}

pub(crate) async fn health(desk: Desk) -> Answered<Answer<SchedulerHealth>> {
    Ok(Answer::of(desk.engine.schedules().health(&desk.caller).await?))
}

pub(crate) async fn preview(
    desk: Desk,
    Json(wish): Json<PreviewSchedule>,
) -> Answered<Answer<SchedulePreview>> {
    Ok(Answer::of(desk.engine.schedules().preview(&desk.caller, wish).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<ScheduleId>) -> Answered<Answer<Schedule>> {
    Ok(Answer::of(desk.engine.schedules().get(&desk.caller, &id).await?))
}

pub(crate) async fn fires(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    list: Listing<Everything>,
) -> Answered<Paged<ScheduleFire>> {
    Ok(Paged(desk.engine.schedules().fires(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn change(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    (Json(wish), matching): (Json<ChangeSchedule>, Matching),
) -> Answered<Answer<Schedule>> {
    Ok(Answer::of(desk.engine.schedules().change(&desk.caller, &id, wish, matching.version).await?))
}

pub(crate) async fn enable(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    matching: Matching,
) -> Answered<Answer<Schedule>> {
    Ok(Answer::of(desk.engine.schedules().enable(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn disable(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    matching: Matching,
) -> Answered<Answer<Schedule>> {
    Ok(Answer::of(desk.engine.schedules().disable(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn pause(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    (JsonOrNothing(wish), matching): (JsonOrNothing<PauseSchedule>, Matching),
) -> Answered<Answer<Schedule>> {
    Ok(Answer::of(desk.engine.schedules().pause(&desk.caller, &id, wish, matching.version).await?))
}

pub(crate) async fn resume(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    matching: Matching,
) -> Answered<Answer<Schedule>> {
    Ok(Answer::of(desk.engine.schedules().resume(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn trigger(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    JsonOrNothing(wish): JsonOrNothing<TriggerSchedule>,
) -> Answered<Answer<Run, 201>> {
    let (run, replayed) = desk.engine.schedules().trigger(&desk.caller, &id, wish).await?;
    Ok(Answer::of(run).replayed_if(replayed))
}

pub(crate) async fn delete(
    desk: Desk,
    Id(id): Id<ScheduleId>,
    matching: Matching,
) -> Answered<Answer<Schedule>> {
    Ok(Answer::of(desk.engine.schedules().delete(&desk.caller, &id, matching.version).await?))
}
