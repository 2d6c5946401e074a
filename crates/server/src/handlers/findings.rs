//! What the evaluations found.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::{Answer, Paged};
use crate::take::{Asked, Listing};
use stella_contract::finding::{ExplainQuery, Explanation, Finding, FindingFilter};

pub(crate) async fn list(desk: Desk, list: Listing<FindingFilter>) -> Answered<Paged<Finding>> {
    Ok(Paged(desk.engine.findings().list(&desk.caller, &list.filter, &list.page).await?))
}

pub(crate) async fn explain(desk: Desk, Asked(query): Asked<ExplainQuery>) -> Answered<Answer<Explanation>> {
    let ExplainQuery { target, purl, vulnerability } = query;
    Ok(Answer::of(desk.engine.findings().explain(&desk.caller, &target, &purl, &vulnerability).await?))
}
