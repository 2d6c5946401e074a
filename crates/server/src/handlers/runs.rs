//! Runs, their segments and deltas, and what a run would touch.

use crate::desk::Desk;
use crate::exported::{Accepted, Exported};
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Everything, Id, Json, JsonOrNothing, Listing};
use stella_contract::event::FeedEvent;
use stella_contract::finding::FindingChange;
use stella_contract::ids::{RunId, SegmentId};
use stella_contract::preview::{Preview, PreviewRequest};
use stella_contract::run::{RetryRun, Run, RunFilter, StartRun};
use stella_contract::run_alert::RunAlerts;
use stella_contract::run_diff::{DiffQuery, FindingPair, RunDiff, SegmentPair};
use stella_contract::run_export::{ExportRuns, RunEscalation, RunEvidence, RunExport};
use stella_contract::run_trends::RunTrends;
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

pub(crate) async fn trends(desk: Desk) -> Answered<Answer<RunTrends>> {
    Ok(Answer::of(desk.engine.runs().trends(&desk.caller).await?))
}

pub(crate) async fn alerts(desk: Desk) -> Answered<Answer<RunAlerts>> {
    Ok(Answer::of(desk.engine.runs().alerts(&desk.caller).await?))
}

pub(crate) async fn events(desk: Desk, list: Listing<Everything>) -> Answered<Paged<FeedEvent>> {
    Ok(Paged(desk.engine.runs().events(&desk.caller, &list.page).await?))
}

pub(crate) async fn export(
    desk: Desk,
    Asked(wish): Asked<ExportRuns>,
    accepted: Accepted,
) -> Answered<Exported<RunExport>> {
    let wish = ExportRuns { format: accepted.format.or(wish.format), ..wish };
    let made = desk.engine.runs().export(&desk.caller, &wish).await?;
    Ok(Exported { made, as_file: accepted.format.is_some() })
}

pub(crate) async fn evidence(
    desk: Desk,
    Id(id): Id<RunId>,
    list: Listing<Everything>,
) -> Answered<Paged<RunEvidence>> {
    Ok(Paged(desk.engine.runs().evidence(&desk.caller, &id, &list.page).await?))
}

pub(crate) async fn escalation(desk: Desk, Id(id): Id<RunId>) -> Answered<Answer<RunEscalation>> {
    Ok(Answer::of(desk.engine.runs().escalation(&desk.caller, &id).await?))
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
