//! What a run left: the outputs of its segments, and in plain words what there is none of.

use crate::kit::format::count;
use crate::kit::{Banner, Empty, Shape, Tone};
use crate::pages::listing::{foot, listing};
use crate::parts::ArtifactTable;
use crate::router::{Link, Query};
use crate::store::{Watch, use_list, use_session};
use stella_contract::feature::Feature;
use stella_contract::route::Route;
use stella_contract::run::Run;
use stella_contract::run_export::RunEvidence;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What [`Evidence`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct EvidenceProps {
    /// The run.
    pub run: Run,
}

/// What there is of it; nothing is asked for where it may not be seen.
#[component]
pub(super) fn Evidence(props: &EvidenceProps) -> Html {
    let session = use_session();
    let may = session.session.value().is_some_and(|one| one.scopes.contains(&Scope::DownloadsRead));
    let why = match (session.off(Feature::EvidenceBundles), may) {
        (Some(off), _) => Some(off),
        (None, false) => Some(format!("Needs the scope {}", Scope::DownloadsRead)),
        (None, true) => None,
    };
    match why {
        Some(why) => {
            html! { <Banner tone={Tone::Idle} icon={Shape::Lock} fact="Evidence is not shown.">{ why }</Banner> }
        }
        None => html! { <Shown run={props.run.clone()} /> },
    }
}

#[component]
fn Shown(props: &EvidenceProps) -> Html {
    let run = &props.run;
    let id = run.run_id.clone();
    let list = use_list(
        format!("evidence {id}"),
        Watch::of(&["run", "segment"]).only(&id),
        false,
        move |api, page| {
            let id = id.clone();
            async move { api.run_evidence(&id, &page).await }
        },
    );
    let nothing = html! {
        <Empty icon={Shape::Dash} fact={if run.state.is_final() { "No segment left an output" } else { "No output yet" }}>
            { "Each segment leaves its findings as one JSON document when it succeeds." }
        </Empty>
    };
    let rows: Vec<RunEvidence> = list.state.rows.iter().cloned().collect();
    let table = html! { <div class="evidence-rows">{ for by_segment(&rows).into_iter().map(segment) }</div> };
    let findings = Query::default().with("run", run.run_id.as_str());
    html! {
        <>
            <section class="sec" aria-label="What there is">
                <div class="sec-h"><h2>{ "Segment outputs" }</h2><span class="grow"></span>
                    <span class="f3 sm">{ format!("{} of {}", count(rows.len() as i64), count(list.state.total.unwrap_or(0) as i64)) }</span></div>
                { listing("Evidence", &list, nothing, table) }
                if rows.len() < list.state.total.unwrap_or(0) as usize {
                    <button type="button" class="link sm" onclick={list.more.reform(|_| ())}>{ "Show more" }</button>
                }
                { foot(&list, Html::default()) }
            </section>
            <section class="sec" aria-label="Findings and reasons">
                <div class="sec-h"><h2>{ "Findings and reasons" }</h2></div>
                <p class="sm"><Link to={Route::Findings} query={findings} class="link">{ format!("{} findings of this run", count(run.findings)) }</Link>{ ", each with the steps that led to it." }</p>
            </section>
            <section class="sec" aria-label="What there is not">
                <div class="sec-h"><h2>{ "Not there" }</h2></div>
                <ul class="sm f2">{ for absent().into_iter().map(|said| html! { <li>{ said }</li> }) }</ul>
            </section>
        </>
    }
}

/// What a run does not have, so that nobody looks for it.
const fn absent() -> [&'static str; 2] {
    [
        "No signed attestation (DSSE): the outputs have digests, but no signature.",
        "No offline bundle: take the outputs one by one, each with its SHA-256.",
    ]
}

/// Outputs of one segment stand together; they come in the order of shard and place.
fn by_segment(rows: &[RunEvidence]) -> Vec<&[RunEvidence]> {
    rows.chunk_by(|one, two| one.segment_id == two.segment_id).collect()
}

fn segment(rows: &[RunEvidence]) -> Html {
    let Some(first) = rows.first() else { return Html::default() };
    html! {
        <div key={first.segment_id.to_string()}>
            <p class="f3 sm" title={first.segment_id.to_string()}>{ format!("segment {}.{}", first.shard, first.ordinal) }</p>
            <ArtifactTable artifacts={rows.iter().map(|one| one.artifact.clone()).collect::<Vec<_>>()} />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_stand_with_their_segment() {
        let one = |segment: u32, name: &str| -> RunEvidence {
            serde_json::from_value(serde_json::json!({
                "segmentId": format!("seg_01890000-0000-7000-8000-{segment:012}"), "shard": 0, "ordinal": segment,
                "artifact": { "artifactId": "art_01890000-0000-7000-8000-000000000000",
                    "jobId": "job_01890000-0000-7000-8000-000000000000", "name": name, "kind": "segment-output",
                    "mediaType": "application/json", "sizeBytes": 2, "digest": "sha256:0",
                    "createdAt": "2026-11-21T14:28:15.204Z" } }))
            .unwrap()
        };
        let rows = [one(1, "a"), one(1, "b"), one(2, "a")];
        assert_eq!(by_segment(&rows).iter().map(|rows| rows.len()).collect::<Vec<_>>(), [2, 1]);
    }
}
