//! Runs, their segments and deltas, and what a run would touch.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Everything, Id, Json, JsonOrNothing, Listing};
use stella_contract::finding::FindingChange;
use stella_contract::ids::{RunId, SegmentId};
use stella_contract::preview::{Preview, PreviewRequest};
use stella_contract::run::{RetryRun, Run, RunFilter, StartRun};
use stella_contract::run_diff::{DiffQuery, FindingPair, RunDiff, SegmentPair};
use stella_contract::segment::Segment;

pub(crate) async fn list(desk: Desk, list: Listing<RunFilter>) -> Answered<Paged<Run>> {
    Ok(Paged(desk.engine.runs().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn start(desk: Desk, Json(wish): Json<StartRun>) -> Answered<Answer<Run, 201>> {
    let key = desk.idempotency_key.as_deref();
    let (run, replayed) = desk.engine.runs().start(&desk.caller, wish, key).await?;
    Ok(Answer::of(run).replayed_if(replayed))
}

pub(crate) async fn preview(desk: Desk, Json(wish): Json<PreviewRequest>) -> Answered<Answer<Preview>> {
    Ok(Answer::of(desk.engine.previews().make(&desk.caller, wish).await?))
}

pub(crate) async fn get(desk: Desk, Id(id): Id<RunId>) -> Answered<Answer<Run>> {
    Ok(Answer::of(desk.engine.runs().get(&desk.caller, &id).await?))
}

pub(crate) async fn segments(
    desk: Desk,
    Id(id): Id<RunId>,
    list: Listing<Everything>,
) -> Answered<Paged<Segment>> {
    Ok(Paged(desk.engine.runs().segments(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn deltas(
    desk: Desk,
    Id(id): Id<RunId>,
    list: Listing<Everything>,
) -> Answered<Paged<FindingChange>> {
    Ok(Paged(desk.engine.runs().deltas(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn cancel(desk: Desk, Id(id): Id<RunId>) -> Answered<Answer<Run>> {
    Ok(Answer::of(desk.engine.runs().cancel(&desk.caller, &id).await?))
}

pub(crate) async fn retry(
    desk: Desk,
    Id(id): Id<RunId>,
    JsonOrNothing(how): JsonOrNothing<RetryRun>,
) -> Answered<Answer<Run, 201>> {
    Ok(Answer::of(desk.engine.runs().retry(&desk.caller, &id, how).await?))
}

pub(crate) async fn retry_segment(desk: Desk, Id(id): Id<SegmentId>) -> Answered<Answer<Segment>> {
    Ok(Answer::of(desk.engine.runs().retry_segment(&desk.caller, &id).await?))
}

pub(crate) async fn diff(
    desk: Desk,
    Id(id): Id<RunId>,
    Asked(query): Asked<DiffQuery>,
) -> Answered<Answer<RunDiff>> {
    Ok(Answer::of(desk.engine.runs().diff(&desk.caller, &id, &query).await?))
}

pub(crate) async fn diff_segments(
    desk: Desk,
    Id(id): Id<RunId>,
    list: Listing<DiffQuery>,
) -> Answered<Paged<SegmentPair>> {
    Ok(Paged(desk.engine.runs().diff_segments(&desk.caller, &id, &list.filter, &list.page).await?))
}

pub(crate) async fn diff_findings(
    desk: Desk,
    Id(id): Id<RunId>,
    list: Listing<DiffQuery>,
) -> Answered<Paged<FindingPair>> {
    Ok(Paged(desk.engine.runs().diff_findings(&desk.caller, &id, &list.filter, &list.page).await?))
}
