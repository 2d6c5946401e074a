//! Causes as both pages show them: who they are, how bad, since when.

use crate::kit::format::{count, percent};
use crate::kit::{Icon, IconSize, Shape, Sparkline, Tone};
use crate::parts::mark;
use crate::router::Query;
use crate::store::{Asked, Watch, use_query};
use std::collections::BTreeSet;
use stella_contract::dead_letter::{Cluster, DeadLetterFilter, DeadLetterState};
use stella_contract::incident::{Incident, IncidentKind};
use stella_contract::page::{MAX_SIZE, Page, PageQuery};
use yew::prelude::*;

/// What is told of the dead letter; jobs come and go with it.
pub(super) const ENTITIES: &[&str] = &["dead_letter", "dead_letter_cluster", "incident"];

/// The largest causes that a filter lets through.
#[hook]
pub(super) fn use_clusters(key: String, filter: DeadLetterFilter) -> Asked<Page<Cluster>> {
    use_query(format!("clusters {key}"), Watch::of(ENTITIES), move |api| {
        let filter = filter.clone();
        async move { api.clusters(&filter, &PageQuery { page_token: None, page_size: Some(MAX_SIZE) }).await }
    })
}

/// The fingerprints that a spike incident is about.
pub(super) fn spikes(incidents: Option<&Page<Incident>>) -> BTreeSet<String> {
    incidents
        .into_iter()
        .flat_map(|page| &page.items)
        .filter(|incident| incident.kind == IncidentKind::DeadLetterSpike)
        .map(|incident| incident.subject.clone())
        .collect()
}

/// The mark of a spike.
pub(super) fn spike_mark() -> Html {
    mark(Shape::OctagonCross, Tone::Bad, "spike", false, false)
}

/// Entries of the last day by the hour.
pub(super) fn trend(cluster: &Cluster, spike: bool) -> Html {
    let values: Vec<f64> = cluster.hours.iter().map(|count| f64::from(*count)).collect();
    let sum: u64 = cluster.hours.iter().map(|count| u64::from(*count)).sum();
    let tone = if spike { Tone::Bad } else { Tone::Idle };
    html! { <Sparkline {values} {tone} label={format!("{} new in the last 24 h", count(sum as i64))} /> }
}

/// Whether a repetition helps: all, none, or the share of it.
pub(super) fn retryable(cluster: &Cluster) -> Html {
    let (shape, words) = match cluster.retryable_share {
        share if share <= 0.0 => (Shape::RingSlash, "not retryable".to_owned()),
        share if share >= 1.0 => (Shape::Refresh, format!("{} retryable", count(cluster.open as i64))),
        share => (Shape::Refresh, format!("{} retryable", percent(share))),
    };
    html! { <span class="f3"><Icon {shape} size={IconSize::Tiny} />{ " " }{ words }</span> }
}

/// The entries of a cause in the queue.
pub(super) fn entries_of(cluster: &Cluster) -> Query {
    Query::default()
        .with("state", DeadLetterState::Open.as_str())
        .with("fingerprint", cluster.fingerprint.as_str())
}

/// The open entries of a cause, as the core is asked for them.
pub(super) fn open_of(cluster: &Cluster) -> DeadLetterFilter {
    DeadLetterFilter {
        state: Some(DeadLetterState::Open),
        fingerprint: Some(cluster.fingerprint.clone()),
        ..DeadLetterFilter::default()
    }
}
