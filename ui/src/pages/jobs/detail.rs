//! One job: why it does not run, where its time went, its attempts, its lease, what it works on, what it left, what can
//! be done with it, what was written down.

use super::actions::Actions;
use super::aside::{Lease, failure, identity};
use super::attempts::{attempts, is_held};
use super::history::{History, use_entries};
use super::inputs::inputs;
use super::kin::KinList;
use super::tabs::JobTabs;
use super::timeline::stretches;
use super::waits::{Waits, is_waiting};
use crate::api::Load;
use crate::clock::use_now;
use crate::kit::{CopyId, Elapsed, Skeleton, Stretches, use_keys};
use crate::parts::{CliTwin, ProblemView, RunLink, StaleBanner, StateBadge};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query};
use stella_contract::ids::JobId;
use stella_contract::job::{JobDetail, JobState};
use stella_contract::route::Route;
use yew::prelude::*;

/// What a [`JobPage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct JobPageProps {
    /// The job.
    pub id: JobId,
}

/// One job.
#[component]
pub fn JobPage(props: &JobPageProps) -> Html {
    let id = props.id.clone();
    let asked = use_query(format!("job {id}"), Watch::of(&["job"]).only(id.as_str()), move |api| {
        let id = id.clone();
        async move { api.job(&id).await }
    });
    match &asked.load {
        Load::Idle | Load::Loading => html! { <><Head id={props.id.clone()} /><Skeleton rows={10} /></> },
        Load::Failed(problem) => html! {
            <>
                <Head id={props.id.clone()} />
                <ProblemView what="This job" problem={problem.clone()} on_retry={asked.refetch.clone()} />
            </>
        },
        Load::Ready(detail, _) => html! { <Shown detail={detail.clone()} /> },
        Load::Stale(detail, as_of, problem) => html! {
            <>
                <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
                <Shown detail={detail.clone()} />
            </>
        },
    }
}

#[derive(Clone, PartialEq, Properties)]
struct HeadProps {
    id: JobId,
    #[prop_or_default]
    children: Html,
}

#[component]
fn Head(props: &HeadProps) -> Html {
    html! {
        <div class="page-head">
            <span class="crumb sm"><Link to={Route::Jobs}>{ "Jobs" }</Link>{ " ›" }</span>
            <h1 class="mono job-id"><CopyId text={props.id.to_string()} /></h1>
            { props.children.clone() }
            <JobTabs id={props.id.clone()} current="detail" />
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ShownProps {
    detail: JobDetail,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let job = &props.detail.job;
    let now = use_now();
    let entries = use_entries(&job.job_id);
    let history = entries.load.value().map(|page| page.items.clone()).unwrap_or_default();
    use_why_key();
    let of_type = Query::default().with("jobType", job.job_type.as_str());
    let held_since = props.detail.attempts.first().map(|last| last.leased_at);
    html! {
        <>
            <Head id={job.job_id.clone()}>
                <StateBadge<JobState> state={job.state} pill={true} />
                if let Some(at) = job.cancel_requested_at.filter(|_| !job.state.is_final()) {
                    <span class="f2 sm nw">{ "cancel asked " }<Elapsed from={at} />{ " ago" }</span>
                }
                <Link to={Route::Jobs} query={of_type} class="mono f2 sm n nw">{ &job.job_type }</Link>
                if let Some(run) = &job.run_id { <span class="f3 sm">{ "in" }</span><span class="cut"><RunLink id={run.clone()} /></span> }
                <span class="grow"></span>
                <CliTwin words={["orch", "jobs", "show", job.job_id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec()} button={true} />
            </Head>
            <div class="body">
                <div class="sec time-bar"><Stretches label="Time in each state" parts={stretches(job, &history, now)} /></div>
                if is_waiting(job) { <Waits job={job.clone()} /> }
                <div class="split job-split grow">
                    <div>
                        { attempts(job, &props.detail.attempts) }
                        { inputs(&props.detail) }
                        <History id={job.job_id.clone()} />
                    </div>
                    <aside aria-label="Facts and actions">
                        if is_held(job) { <Lease job={job.clone()} {held_since} /> }
                        { failure(job) }
                        <Actions job={job.clone()} />
                        <KinList id={job.job_id.clone()} />
                        { identity(job, now) }
                    </aside>
                </div>
            </div>
        </>
    }
}

/// `w` leads to the reasons why it waits.
#[hook]
fn use_why_key() {
    use_keys(|key| {
        let wanted = key.name == "w" && !key.ctrl;
        let page = web_sys::window().and_then(|window| window.document());
        let panel = page.filter(|_| wanted).and_then(|page| page.get_element_by_id("why"));
        if let Some(panel) = &panel {
            panel.scroll_into_view();
        }
        panel.is_some()
    });
}
