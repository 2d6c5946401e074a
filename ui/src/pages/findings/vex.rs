//! What is said of a finding's vulnerability, in every product.

use crate::api::Load;
use crate::kit::{Skeleton, TimeAgo};
use crate::parts::{ProblemView, SourceLink, SourceNames, StateBadge, use_source_names};
use crate::store::{Watch, use_query};
use stella_contract::finding::FindingStatus;
use stella_contract::page::{Page, PageQuery};
use stella_contract::vex::{VexFilter, VexStatement};
use yew::prelude::*;

/// So many statements are shown beside a finding.
const SHOWN: u32 = 20;

/// What a [`Statements`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct StatementsProps {
    /// The vulnerability.
    pub vulnerability: String,
}

/// The statements about one vulnerability; which of them counts here stands among the steps.
#[component]
pub(super) fn Statements(props: &StatementsProps) -> Html {
    let names = use_source_names();
    let vulnerability = props.vulnerability.clone();
    let asked = use_query(format!("vex {vulnerability}"), Watch::of(&["source"]), move |api| {
        let filter = VexFilter { vulnerability: Some(vulnerability.clone()), source: None };
        async move { api.vex(&filter, &PageQuery { page_token: None, page_size: Some(SHOWN) }).await }
    });
    let body = match &asked.load {
        Load::Idle | Load::Loading => html! { <Skeleton rows={2} /> },
        Load::Failed(problem) => {
            html! { <ProblemView what="VEX statements" problem={problem.clone()} on_retry={asked.refetch.clone()} /> }
        }
        Load::Ready(page, _) | Load::Stale(page, _, _) => list(page, &names),
    };
    html! {
        <section class="sec" aria-label="VEX statements">
            <div class="sec-h"><h2>{ "VEX statements" }</h2><span class="note">{ "about this vulnerability, in any product" }</span></div>
            { body }
        </section>
    }
}

fn list(page: &Page<VexStatement>, names: &SourceNames) -> Html {
    if page.items.is_empty() {
        return html! { <p class="f3 sm">{ "Nobody has said anything of it." }</p> };
    }
    let more = page.total_estimate.unwrap_or(0).saturating_sub(page.items.len() as u64);
    html! {
        <>
            <ul class="steps vex-said">{ for page.items.iter().enumerate().map(|(at, one)| html! { <li key={at}><span></span>{ said(one, names) }</li> }) }</ul>
            if more > 0 { <p class="f3 sm">{ format!("{more} older ones are not shown.") }</p> }
        </>
    }
}

fn said(one: &VexStatement, names: &SourceNames) -> Html {
    let product = match &one.component {
        Some(component) => format!("{component} in {}", one.product),
        None => one.product.clone(),
    };
    let product = match &one.versions {
        Some(versions) => format!("{product}, {versions}"),
        None => product,
    };
    let why =
        [&one.justification, &one.statement].into_iter().flatten().cloned().collect::<Vec<_>>().join(": ");
    html! {
        <span class="col">
            <span class="row wrap"><StateBadge<FindingStatus> state={one.status} /><span class="f3 sm"><TimeAgo at={one.at} /></span>
                <SourceLink id={one.source_id.clone()} names={names.clone()} /></span>
            <span class="mono step-said">{ product }</span>
            if !why.is_empty() { <span class="f2 sm">{ why }</span> }
            <span class="f3 sm">{ &one.document_id }</span>
        </span>
    }
}
