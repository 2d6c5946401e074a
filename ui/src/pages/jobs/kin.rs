//! A job's lineage: what it repeats and what repeats it.

use crate::api::Load;
use crate::kit::{Shape, Tag};
use crate::parts::{JobLink, StateBadge};
use crate::store::{Watch, use_query};
use stella_contract::ids::JobId;
use stella_contract::job::JobState;
use stella_contract::lineage::{Descent, Kin, Lineage};
use yew::prelude::*;

/// What [`KinList`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct KinListProps {
    /// The job.
    pub id: JobId,
}

/// The jobs of the lineage, the first one first; nothing when there is only this one.
#[component]
pub(super) fn KinList(props: &KinListProps) -> Html {
    let id = props.id.clone();
    let asked =
        use_query(format!("lineage {id}"), Watch::of(&["job"]).only(id.as_str()).every(30), move |api| {
            let id = id.clone();
            async move { api.lineage(&id).await }
        });
    match &asked.load {
        Load::Ready(lineage, _) | Load::Stale(lineage, _, _) if lineage.jobs.len() > 1 => list(lineage),
        Load::Idle | Load::Loading | Load::Failed(_) | Load::Ready(_, _) | Load::Stale(_, _, _) => {
            Html::default()
        }
    }
}

fn list(lineage: &Lineage) -> Html {
    html! {
        <section class="sec" aria-label="Lineage">
            <div class="sec-h"><h2>{ "Lineage" }</h2><span class="note">{ format!("{} jobs with one payload", lineage.jobs.len()) }</span></div>
            <ol class="kin">{ for lineage.jobs.iter().map(|kin| row(kin, kin.job.job_id == lineage.focus_job_id)) }</ol>
        </section>
    }
}

fn row(kin: &Kin, here: bool) -> Html {
    let (shape, word) = match kin.descent {
        Descent::Original => (Shape::Dash, "original"),
        Descent::Retry => (Shape::Refresh, "retry"),
        Descent::Replay => (Shape::Loop, "replay"),
    };
    html! {
        <li key={kin.job.job_id.to_string()} class={classes!(here.then_some("is-here"))} aria-current={here.then_some("true")} title={kin.job.created_at.to_string()}>
            <StateBadge<JobState> state={kin.job.state} />
            <JobLink id={kin.job.job_id.clone()} />
            <Tag icon={shape}>{ word }</Tag>
        </li>
    }
}
