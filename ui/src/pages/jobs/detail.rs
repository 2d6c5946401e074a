//! One job: where its time went, its attempts, its lease, what it works on, what it left, what was written down.

use super::history::History;
use super::timeline::stretches;
use crate::api::{Load, Problem};
use crate::clock::use_now;
use crate::kit::format::{bytes, count, percent, short_digest};
use crate::kit::{
    Button, ButtonKind, Clock, CopyId, Countdown, Elapsed, Meter, Shape, Skeleton, Stack, use_keys,
};
use crate::parts::{
    CliTwin, JobLink, ProblemView, ReasonDialog, RunLink, StaleBanner, StateBadge, WaitDetail, WaitReason,
};
use crate::router::{Link, Query};
use crate::store::{Watch, use_api, use_query, use_session, use_toasts};
use stella_contract::ids::JobId;
use stella_contract::job::{Attempt, Cause, Job, JobDetail, JobState, cancel_refusal};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
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
            <span class="crumb"><Link to={Route::Jobs}>{ "Jobs" }</Link>{ " ›" }</span>
            <h1 class="mono job-id"><CopyId text={props.id.to_string()} /></h1>
            { props.children.clone() }
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
    let session = use_session();
    let asking = use_state_eq(|| false);
    let refusal =
        cancel_refusal(job.state).map(str::to_owned).or_else(|| session.refusal(Scope::OrchOperate));
    let ask = {
        let (asking, can) = (asking.clone(), refusal.is_none());
        Callback::from(move |()| asking.set(can))
    };
    {
        let ask = ask.clone();
        use_keys(move |key| {
            let used = key.name == "C" && key.shift;
            if used {
                ask.emit(());
            }
            used
        });
    }
    let close = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(false))
    };
    html! {
        <>
            <Head id={job.job_id.clone()}>
                <StateBadge<JobState> state={job.state} pill={true} />
                if let Some(at) = job.cancel_requested_at.filter(|_| !job.state.is_final()) {
                    <span class="f2 sm">{ "cancel asked " }<Elapsed from={at} />{ " ago" }</span>
                }
                <span class="mono f2">{ &job.job_type }</span>
                if let Some(run) = &job.run_id { <span class="f3">{ "in" }</span><RunLink id={run.clone()} /> }
                <span class="grow"></span>
                <Button kind={ButtonKind::Danger} on_click={ask} disabled={refusal.map(AttrValue::from)}>{ "Cancel job…" }</Button>
            </Head>
            <div class="body">
                <div class="sec"><Stack label="Where the time went" parts={stretches(&props.detail, now)} /></div>
                <div class="split job-split">
                    <div>
                        <Attempts attempts={props.detail.attempts.clone()} max={job.max_attempts} />
                        <Inputs detail={props.detail.clone()} />
                        <History id={job.job_id.clone()} />
                    </div>
                    <aside aria-label="Facts">
                        { lease(job) }
                        { failure(job) }
                        { identity(job) }
                        <div class="sec"><CliTwin words={words(&["orch", "jobs", "show", job.job_id.as_str()])} /></div>
                    </aside>
                </div>
            </div>
            if *asking { <CancelJob job={job.clone()} on_close={close} /> }
        </>
    }
}

fn words(all: &[&str]) -> Vec<AttrValue> {
    all.iter().map(|word| AttrValue::from((*word).to_owned())).collect()
}

#[derive(Clone, PartialEq, Properties)]
struct CancelJobProps {
    job: Job,
    on_close: Callback<()>,
}

#[component]
fn CancelJob(props: &CancelJobProps) -> Html {
    let (api, toasts) = (use_api(), use_toasts());
    let busy = use_state_eq(|| false);
    let problem = use_state(|| None::<Problem>);
    let on_confirm = {
        let (busy, problem, props) = (busy.clone(), problem.clone(), props.clone());
        Callback::from(move |cause: Cause| {
            let (api, toasts, busy, problem, props) =
                (api.clone(), toasts.clone(), busy.clone(), problem.clone(), props.clone());
            busy.set(true);
            wasm_bindgen_futures::spawn_local(async move {
                match api.cancel_job(&props.job.job_id, &cause).await {
                    Ok(job) => {
                        toasts.done(
                            "Cancel accepted",
                            html! { { format!("{} is {}", props.job.job_id, job.state) } },
                        );
                        props.on_close.emit(());
                    }
                    Err(refused) => {
                        problem.set(Some(refused));
                        busy.set(false);
                    }
                }
            });
        })
    };
    let running = props.job.state == JobState::Running;
    html! {
        <ReasonDialog title="Cancel job" subject={props.job.job_id.to_string()} scope={Scope::OrchOperate} verb="Cancel 1 job"
            keep="Keep it" danger={true} cli={words(&["orch", "jobs", "cancel", props.job.job_id.as_str()])}
            busy={*busy} problem={(*problem).clone()} {on_confirm} on_close={props.on_close.clone()}>
            if running {
                { "Its worker is told with the next heartbeat and stops within 60 s. What it finished before that stands; its history is kept." }
            } else {
                { "It ends now and is not started. Its history is kept." }
            }
        </ReasonDialog>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct AttemptsProps {
    attempts: Vec<Attempt>,
    max: i32,
}

#[component]
fn Attempts(props: &AttemptsProps) -> Html {
    html! {
        <section class="sec" aria-label="Attempts">
            <div class="sec-h"><h2>{ "Attempts" }</h2><span class="note">{ format!("{} of {}", props.attempts.len(), props.max) }</span></div>
            if props.attempts.is_empty() {
                <p class="f3 sm">{ "No worker has claimed it yet." }</p>
            } else {
                <table class="tbl attempts">
                    <thead><tr>
                        <th scope="col" class="num seq">{ "#" }</th><th scope="col">{ "Result" }</th><th scope="col">{ "Worker" }</th>
                        <th scope="col" class="num seq">{ "Epoch" }</th><th scope="col">{ "Started" }</th>
                        <th scope="col" class="num">{ "Time" }</th><th scope="col" class="wide">{ "Error" }</th>
                    </tr></thead>
                    <tbody>{ for props.attempts.iter().map(attempt) }</tbody>
                </table>
            }
        </section>
    }
}

fn attempt(one: &Attempt) -> Html {
    let (shape, tone) = match one.outcome.as_deref() {
        None => (Shape::RingPlay, crate::kit::Tone::Live),
        Some("succeeded") => (Shape::DiscCheck, crate::kit::Tone::Ok),
        Some("cancelled" | "released" | "ack_timeout") => (Shape::RingSlash, crate::kit::Tone::Idle),
        Some(_) => (Shape::OctagonCross, crate::kit::Tone::Bad),
    };
    let result = one.outcome.as_deref().unwrap_or("running");
    let error = match (&one.error_code, &one.error_message) {
        (Some(code), Some(message)) => format!("{code}, {message}"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => "none".to_owned(),
    };
    html! {
        <tr key={one.lease_epoch}>
            <td class="num">{ one.attempt }</td>
            <td><span class={classes!("st", tone.class())}><crate::kit::Icon {shape} size={crate::kit::IconSize::Small} />{ result }</span></td>
            <td class="mono" title={one.worker_id.to_string()}>{ crate::kit::format::short_id(one.worker_id.as_str()) }</td>
            <td class="num">{ one.lease_epoch }</td>
            <td><Clock at={one.leased_at} /></td>
            <td class="num"><Elapsed from={one.leased_at} until={one.ended_at} /></td>
            <td title={error.clone()}>{ error }</td>
        </tr>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct InputsProps {
    detail: JobDetail,
}

#[component]
fn Inputs(props: &InputsProps) -> Html {
    let (job, detail) = (&props.detail.job, &props.detail);
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default();
    html! {
        <div class="split halves">
            <section class="sec" aria-label="Payload">
                <div class="sec-h"><h2>{ "Payload" }</h2>
                    <span class="note mono" title={job.payload_digest.clone()}>{ short_digest(&job.payload_digest) }</span>
                    <span class="note">{ format!("{}, secrets redacted", bytes(job.payload_size)) }</span>
                </div>
                <pre class="code json" tabindex="0">{ pretty(&detail.payload) }</pre>
                if let Some(result) = &detail.result {
                    <div class="sec-h after"><h2>{ "Result" }</h2></div>
                    <pre class="code json" tabindex="0">{ pretty(result) }</pre>
                }
            </section>
            <section class="sec" aria-label="Artifacts">
                <div class="sec-h"><h2>{ "Artifacts" }</h2><span class="note">{ count(detail.artifacts.len() as i64) }</span></div>
                if detail.artifacts.is_empty() {
                    <p class="f3 sm">{ if job.state.is_final() { "It left none." } else { "None so far." } }</p>
                } else {
                    <table class="tbl">
                        <thead><tr><th scope="col">{ "Name" }</th><th scope="col" class="num">{ "Size" }</th><th scope="col">{ "Digest" }</th></tr></thead>
                        <tbody>{ for detail.artifacts.iter().map(|one| html! {
                            <tr key={one.name.clone()}>
                                <td class="mono">{ &one.name }</td><td class="num">{ bytes(one.size_bytes) }</td>
                                <td class="mono" title={one.digest.clone()}>{ short_digest(&one.digest) }</td>
                            </tr>
                        }) }</tbody>
                    </table>
                }
                <p class="f3 sm row after">{ match &job.outputs_hash {
                    Some(hash) => html! { <>{ "Outputs hash" }<CopyId text={hash.clone()} shown={short_digest(hash)} /></> },
                    None => html! { "The outputs hash is set when the job succeeds." },
                } }</p>
            </section>
        </div>
    }
}

/// The lease while there is one; else what the job waits for.
fn lease(job: &Job) -> Html {
    html! {
        <section class="sec" aria-label="Lease">
            if let Some(until) = job.lease_until.filter(|_| !job.state.is_final()) {
                <div class="sec-h"><h2>{ "Lease" }</h2><span class="grow"></span><StateBadge<JobState> state={job.state} /></div>
                <dl class="kv">
                    <dt>{ "Ends in" }</dt><dd><Countdown {until} over="over" /></dd>
                    <dt>{ "Worker" }</dt><dd class="mono">{ job.worker_id.as_ref().map_or_else(|| "none".into(), |id| crate::kit::format::short_id(id.as_str())) }</dd>
                    <dt>{ "Lease id" }</dt><dd class="mono">{ job.lease_id.as_ref().map_or_else(|| "none".into(), |id| crate::kit::format::short_id(id.as_str())) }</dd>
                    <dt>{ "Epoch" }</dt><dd>{ job.lease_epoch }<span class="f3">{ " fences older writes" }</span></dd>
                    <dt>{ "Progress" }</dt><dd>{ format!("{} of {}, {}", count(job.processed), count(job.total), percent(job.progress)) }
                        <Meter share={job.progress} label="Progress" /></dd>
                    <dt>{ "Time limit" }</dt><dd>{ format!("{} s", count(job.timeout_s)) }</dd>
                </dl>
            } else if job.state == JobState::Pending {
                <div class="sec-h"><h2>{ "Why it waits" }</h2></div>
                <dl class="kv">
                    <dt>{ "Reason" }</dt><dd>{ job.wait_reason.map_or_else(|| html! { "the next dispatch" }, |reason| html! { <WaitReason {reason} /> }) }</dd>
                    <dt>{ "Until" }</dt><dd><WaitDetail job={job.clone()} /></dd>
                </dl>
            } else {
                <div class="sec-h"><h2>{ "Lease" }</h2></div>
                <p class="f3 sm">{ if job.state.is_final() { "The job has ended; nobody holds it." } else { "Waits for a worker." } }</p>
            }
        </section>
    }
}

/// The last failure.
fn failure(job: &Job) -> Html {
    let Some(message) = &job.error_message else { return Html::default() };
    html! {
        <section class="sec" aria-label="Last failure">
            <div class="sec-h"><h2>{ "Last failure" }</h2></div>
            <dl class="kv">
                <dt>{ "Code" }</dt><dd class="mono">{ job.error_code.as_deref().unwrap_or("none") }</dd>
                <dt>{ "Class" }</dt><dd class="mono">{ job.error_class.map_or("none", |class| class.as_str()) }</dd>
                <dt>{ "Tried again" }</dt><dd>{ job.error_class.map_or("not known", |class| if class.is_retryable() { "while attempts are left" } else { "never" }) }</dd>
            </dl>
            <p class="prose">{ message }</p>
        </section>
    }
}

fn identity(job: &Job) -> Html {
    let by_source = Query::default().with("id", job.source_id.as_ref().map_or("", |id| id.as_str()));
    html! {
        <section class="sec" aria-label="Identity">
            <div class="sec-h"><h2>{ "Identity" }</h2></div>
            <dl class="kv">
                <dt>{ "Tenant" }</dt><dd>{ job.tenant.to_string() }</dd>
                <dt>{ "Priority" }</dt><dd>{ job.priority }</dd>
                <dt>{ "Idempotency" }</dt><dd class="mono" title={job.idempotency_key.clone()}>{ &job.idempotency_key }</dd>
                <dt>{ "Correlation" }</dt><dd><CopyId text={job.correlation_id.clone()} shown={job.correlation_id.chars().take(12).collect::<String>()} /></dd>
                <dt>{ "Created by" }</dt><dd>{ &job.created_by }{ " " }<Clock at={job.created_at} /></dd>
                <dt>{ "Ended" }</dt><dd>{ job.ended_at.map_or_else(|| html! { "not finished" }, |at| html! { <Clock {at} /> }) }</dd>
                if job.source_id.is_some() {
                    <dt>{ "Source" }</dt><dd><Link to={Route::Sources} query={by_source} class="n">{ "open the source" }</Link></dd>
                }
                if let Some(original) = &job.replay_of { <dt>{ "Replay of" }</dt><dd><JobLink id={original.clone()} /></dd> }
            </dl>
        </section>
    }
}
