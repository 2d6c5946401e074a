//! What holds jobs back beside quotas: throttles, breakers, blackouts, pressure; and why one job is not running.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Everything, Id, Json, JsonOrNothing, Listing, Matching};
use stella_contract::blackout::{AddBlackout, Blackout};
use stella_contract::blocker::Explanation;
use stella_contract::breaker::{AddBreaker, Breaker, BreakerFilter};
use stella_contract::ids::{BlackoutId, BreakerId, BucketId, JobId, ThrottleId};
use stella_contract::pressure::{Bucket, LimitPool, OverrideBucket, Pool, Pressure};
use stella_contract::throttle::{Throttle, ThrottleFilter};

pub(crate) async fn explain(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<Explanation>> {
    Ok(Answer::of(desk.engine.jobs().explain(&desk.caller, &id).await?))
}

pub(crate) async fn throttles(desk: Desk, list: Listing<ThrottleFilter>) -> Answered<Paged<Throttle>> {
    Ok(Paged(desk.engine.throttles().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn clear_throttle(desk: Desk, Id(id): Id<ThrottleId>) -> Answered<Answer<Throttle>> {
    Ok(Answer::of(desk.engine.throttles().clear(&desk.caller, &id).await?))
}

pub(crate) async fn breakers(desk: Desk, Asked(filter): Asked<BreakerFilter>) -> Answered<Paged<Breaker>> {
    Ok(Paged(desk.engine.breakers().list(&desk.caller, &filter).await?))
}

pub(crate) async fn add_breaker(desk: Desk, Json(wish): Json<AddBreaker>) -> Answered<Answer<Breaker, 201>> {
    Ok(Answer::of(desk.engine.breakers().add(&desk.caller, wish).await?))
}

pub(crate) async fn open_breaker(
    desk: Desk,
    Id(id): Id<BreakerId>,
    matching: Matching,
) -> Answered<Answer<Breaker>> {
    Ok(Answer::of(desk.engine.breakers().open(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn close_breaker(
    desk: Desk,
    Id(id): Id<BreakerId>,
    matching: Matching,
) -> Answered<Answer<Breaker>> {
    Ok(Answer::of(desk.engine.breakers().close(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn reset_breaker(
    desk: Desk,
    Id(id): Id<BreakerId>,
    matching: Matching,
) -> Answered<Answer<Breaker>> {
    Ok(Answer::of(desk.engine.breakers().reset(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn blackouts(desk: Desk, list: Listing<Everything>) -> Answered<Paged<Blackout>> {
    Ok(Paged(desk.engine.blackouts().list(&desk.caller, &list.page).await?))
}

pub(crate) async fn add_blackout(
    desk: Desk,
    Json(wish): Json<AddBlackout>,
) -> Answered<Answer<Blackout, 201>> {
    Ok(Answer::of(desk.engine.blackouts().add(&desk.caller, wish).await?))
}

pub(crate) async fn delete_blackout(
    desk: Desk,
    Id(id): Id<BlackoutId>,
    matching: Matching,
) -> Answered<Answer<Blackout>> {
    Ok(Answer::of(desk.engine.blackouts().delete(&desk.caller, &id, matching.version).await?))
}

pub(crate) async fn pressure(desk: Desk) -> Answered<Answer<Pressure>> {
    Ok(Answer::of(desk.engine.pressure().get(&desk.caller).await?))
}

pub(crate) async fn limit_pool(desk: Desk, Json(wish): Json<LimitPool>) -> Answered<Answer<Pool>> {
    Ok(Answer::of(desk.engine.pressure().limit_pool(&desk.caller, wish).await?))
}

pub(crate) async fn override_bucket(
    desk: Desk,
    (Id(id), matching): (Id<BucketId>, Matching),
    JsonOrNothing(wish): JsonOrNothing<OverrideBucket>,
) -> Answered<Answer<Bucket>> {
    Ok(Answer::of(desk.engine.pressure().override_bucket(&desk.caller, &id, matching.version, wish).await?))
}
