//! Figures, objectives, and how job types and runs are doing.

use crate::desk::{Desk, Hall};
use crate::handlers::Answered;
use crate::reply::{Answer, Paged, Plain};
use crate::take::{Everything, Id, Json, Listing, Matching};
use stella_contract::gantt::Gantt;
use stella_contract::ids::{JobId, RunId, SloId};
use stella_contract::job::JobDetail;
use stella_contract::overview::JobFigures;
use stella_contract::scope::Scope;
use stella_contract::slo::{ChangeSlo, MakeSlo, Slo};
use stella_contract::stats::JobStats;

pub(crate) async fn metrics(hall: Hall) -> Answered<Plain> {
    let engine = hall.slot.demand()?;
    if !hall.is_near {
        hall.auth.recognise(&engine, &hall.headers).await?.demand(Scope::OrchRead)?;
    }
    Ok(Plain::exposition(engine.metrics().scrape(hall.tallies.families()).await?))
}

pub(crate) async fn job_stats(desk: Desk) -> Answered<Answer<JobStats>> {
    Ok(Answer::of(desk.engine.stats().jobs(&desk.caller).await?))
}

pub(crate) async fn job_summary(desk: Desk) -> Answered<Answer<JobFigures>> {
    Ok(Answer::of(desk.engine.overview().get(&desk.caller).await?.jobs))
}

pub(crate) async fn job_detail(desk: Desk, Id(id): Id<JobId>) -> Answered<Answer<JobDetail>> {
    Ok(Answer::of(desk.engine.jobs().get(&desk.caller, &id).await?))
}

pub(crate) async fn timeline(desk: Desk, Id(id): Id<RunId>) -> Answered<Answer<Gantt>> {
    Ok(Answer::of(desk.engine.timeline().get(&desk.caller, &id).await?))
}

pub(crate) async fn slos(desk: Desk, list: Listing<Everything>) -> Answered<Paged<Slo>> {
    Ok(Paged(desk.engine.slos().list(&desk.caller, &list.page).await?))
}

pub(crate) async fn make_slo(desk: Desk, Json(wish): Json<MakeSlo>) -> Answered<Answer<Slo, 201>> {
    Ok(Answer::of(desk.engine.slos().make(&desk.caller, wish).await?))
}

pub(crate) async fn slo(desk: Desk, Id(id): Id<SloId>) -> Answered<Answer<Slo>> {
    Ok(Answer::of(desk.engine.slos().get(&desk.caller, &id).await?))
}

pub(crate) async fn change_slo(
    desk: Desk,
    Id(id): Id<SloId>,
    (Json(wish), matching): (Json<ChangeSlo>, Matching),
) -> Answered<Answer<Slo>> {
    Ok(Answer::of(desk.engine.slos().change(&desk.caller, &id, wish, matching.version).await?))
}

pub(crate) async fn delete_slo(desk: Desk, Id(id): Id<SloId>, matching: Matching) -> Answered<Answer<Slo>> {
    Ok(Answer::of(desk.engine.slos().delete(&desk.caller, &id, matching.version).await?))
}
