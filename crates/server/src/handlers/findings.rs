//! What the evaluations found.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged, Written};
use crate::take::{Asked, Listing};
use stella_contract::finding::{ExplainQuery, Explanation, Finding, FindingFilter};

pub(crate) async fn list(desk: Desk, list: Listing<FindingFilter>) -> Answered<Paged<Finding>> {
    Ok(Paged(desk.engine.findings().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn explain(desk: Desk, Asked(query): Asked<ExplainQuery>) -> Answered<Answer<Explanation>> {
    let ExplainQuery { target, purl, vulnerability } = query;
    Ok(Answer::of(desk.engine.findings().explain(&desk.caller, &target, &purl, &vulnerability).await?))
}

pub(crate) async fn export(desk: Desk, Asked(filter): Asked<FindingFilter>) -> Answered<Written> {
    let csv = desk.engine.findings().csv(&desk.caller, filter).await?;
    Ok(Written { media_type: "text/csv; charset=utf-8", file_name: csv.file_name, pieces: csv.pieces })
}
