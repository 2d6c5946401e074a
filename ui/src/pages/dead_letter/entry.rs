//! One entry: what failed, what it worked on, what became of its replays, and the workbench to repeat it.

use super::act::{AcknowledgeDialog, ReopenDialog, ResolveDialog};
use super::causes::ENTITIES;
use super::workbench::Workbench;
use crate::api::Load;
use crate::kit::format::{clock_or_date, count, short_digest, short_id};
use crate::kit::{Button, Clock, CopyId, Countdown, Elapsed, Skeleton, TimeAgo, Tone, use_keys};
use crate::parts::{
    CliTwin, JobLink, ProblemView, RunLink, SourceLink, StaleBanner, StateBadge, use_source_names,
};
use crate::router::{Link, Query};
use crate::store::{Watch, use_query, use_session};
use stella_contract::dead_letter::{DeadLetter, DeadLetterDetail, DeadLetterEvent, DeadLetterState, refusal};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::DeadLetterId;
use stella_contract::job::{Job, JobState};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use yew::prelude::*;

/// What a [`DeadLetterEntryPage`] takes.
#[derive(Clone, PartialEq, Properties)]
pub struct DeadLetterEntryPageProps {
    /// The entry.
    pub id: DeadLetterId,
}

/// One entry.
#[component]
pub fn DeadLetterEntryPage(props: &DeadLetterEntryPageProps) -> Html {
    let id = props.id.clone();
    let mut entities = ENTITIES.to_vec();
    entities.push("job");
    let asked = use_query(format!("dead letter {id}"), Watch::of(&entities), move |api| {
        let id = id.clone();
        async move { api.dead_letter(&id).await }
    });
    match &asked.load {
        Load::Idle | Load::Loading => html! { <><Head id={props.id.clone()} /><Skeleton rows={10} /></> },
        Load::Failed(problem) => html! {
            <><Head id={props.id.clone()} /><ProblemView what="This entry" problem={problem.clone()} on_retry={asked.refetch.clone()} /></>
        },
        Load::Ready(detail, _) => html! { <Shown detail={detail.clone()} /> },
        Load::Stale(detail, as_of, problem) => html! {
            <><StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} /><Shown detail={detail.clone()} /></>
        },
    }
}

#[derive(Clone, PartialEq, Properties)]
struct HeadProps {
    id: DeadLetterId,
    #[prop_or_default]
    children: Html,
}

#[component]
fn Head(props: &HeadProps) -> Html {
    html! {
        <div class="page-head">
            <span class="crumb nw"><Link to={Route::DeadLetter}>{ "Dead-Letter" }</Link>{ " › " }<Link to={Route::DeadLetterQueue} query={Query::default().with("state", "open")}>{ "Queue" }</Link>{ " ›" }</span>
            <h1 class="mono job-id"><CopyId text={props.id.to_string()} shown={short_id(props.id.as_str())} /></h1>
            { props.children.clone() }
        </div>
    }
}

/// What is open over the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    None,
    Acknowledge,
    Resolve,
    Reopen,
}

#[derive(Clone, PartialEq, Properties)]
struct ShownProps {
    detail: DeadLetterDetail,
}

#[component]
fn Shown(props: &ShownProps) -> Html {
    let entry = &props.detail.entry;
    let session = use_session();
    let layer = use_state_eq(|| Layer::None);
    let why = |event: DeadLetterEvent| {
        session
            .refusal(Scope::OrchOperate)
            .or_else(|| refusal(entry.state, event).map(str::to_owned))
            .map(AttrValue::from)
    };
    let open = |next: Layer| {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(next))
    };
    {
        let layer = layer.clone();
        let can = [why(DeadLetterEvent::Acknowledge).is_none(), why(DeadLetterEvent::Resolve).is_none()];
        use_keys(move |key| {
            let next = match (key.name.as_str(), key.ctrl) {
                ("a", false) if can[0] => Layer::Acknowledge,
                ("e", false) if can[1] => Layer::Resolve,
                _ => return false,
            };
            layer.set(next);
            true
        });
    }
    let close = open(Layer::None);
    let is_closed = entry.state == DeadLetterState::Resolved;
    html! {
        <>
            <Head id={entry.entry_id.clone()}>
                <StateBadge<DeadLetterState> state={entry.state} pill={true} />
                <span class="f2 nw">{ entry.category.as_str() }</span>
                <span class="mono f3 cut">{ &entry.job_type }</span>
                <span class="grow"></span>
                if is_closed {
                    <Button small={true} disabled={why(DeadLetterEvent::Reopen)} on_click={open(Layer::Reopen)}>{ "Reopen…" }</Button>
                } else {
                    <Button small={true} key_hint="A" disabled={why(DeadLetterEvent::Acknowledge)} says_why={false} on_click={open(Layer::Acknowledge)}>{ "Acknowledge…" }</Button>
                    <Button small={true} key_hint="E" disabled={why(DeadLetterEvent::Resolve)} on_click={open(Layer::Resolve)}>{ "Resolve…" }</Button>
                }
            </Head>
            <div class="body">
                <div class="split job-split">
                    <div>
                        { failure(entry) }
                        <Workbench detail={props.detail.clone()} />
                        { replays(&props.detail.replays) }
                        { history(&props.detail.history) }
                    </div>
                    <aside aria-label="Facts">
                        <Facts detail={props.detail.clone()} />
                        { triage(entry) }
                        <div class="sec"><CliTwin words={["orch", "deadletter", "show", entry.entry_id.as_str()].map(|word| AttrValue::from(word.to_owned())).to_vec()} /></div>
                    </aside>
                </div>
            </div>
            { match *layer {
                Layer::None => Html::default(),
                Layer::Acknowledge => html! { <AcknowledgeDialog entry={entry.clone()} on_close={close} /> },
                Layer::Resolve => html! { <ResolveDialog entry={entry.clone()} on_close={close} /> },
                Layer::Reopen => html! { <ReopenDialog entry={entry.clone()} on_close={close} /> },
            } }
        </>
    }
}

/// What failed.
fn failure(entry: &DeadLetter) -> Html {
    html! {
        <section class="sec" aria-label="Failure">
            <div class="sec-h"><h2>{ "What failed" }</h2><span class="note mono">{ &entry.error_code }</span>
                if let Some(status) = entry.http_status { <span class="note">{ format!("HTTP {status}") }</span> }</div>
            <p class="prose">{ &entry.error_message }</p>
            <p class="f3 sm">{ if entry.retryable { "A repetition may help without anybody changing anything." } else { "A repetition does not help before the cause is mended, or the payload is changed." } }</p>
        </section>
    }
}

/// The jobs that repeated it.
fn replays(jobs: &[Job]) -> Html {
    html! {
        <section class="sec" aria-label="Replays">
            <div class="sec-h"><h2>{ "Replays so far" }</h2><span class="note">{ count(jobs.len() as i64) }</span></div>
            if jobs.is_empty() {
                <p class="f3 sm">{ "It was not repeated yet." }</p>
            } else {
                <table class="tbl">
                    <thead><tr><th scope="col">{ "State" }</th><th scope="col">{ "Job" }</th><th scope="col">{ "By" }</th><th scope="col">{ "Reason" }</th><th scope="col">{ "Started" }</th><th scope="col" class="num">{ "Time" }</th></tr></thead>
                    <tbody>{ for jobs.iter().map(|job| html! {
                        <tr key={job.job_id.to_string()}>
                            <td><StateBadge<JobState> state={job.state} /></td>
                            <td><JobLink id={job.job_id.clone()} /></td>
                            <td>{ &job.created_by }</td>
                            <td class="f2" title={job.reason.clone()}>{ job.reason.as_deref().unwrap_or("none") }</td>
                            <td><Clock at={job.created_at} /></td>
                            <td class="num"><Elapsed from={job.created_at} until={job.ended_at} /></td>
                        </tr>
                    }) }</tbody>
                </table>
            }
        </section>
    }
}

/// What was written down about it.
fn history(entries: &[HistoryEntry]) -> Html {
    html! {
        <section class="sec" aria-label="History">
            <div class="sec-h"><h2>{ "History" }</h2><span class="note">{ "newest first" }</span></div>
            if entries.is_empty() {
                <p class="f3 sm">{ "Nothing was written down yet." }</p>
            } else {
                <table class="tbl entry-history">
                    <thead><tr><th scope="col" class="num seq">{ "Seq" }</th><th scope="col">{ "When" }</th><th scope="col">{ "What" }</th><th scope="col">{ "Who" }</th><th scope="col">{ "Reason, ticket" }</th><th scope="col">{ "Hash" }</th></tr></thead>
                    <tbody>{ for entries.iter().map(told) }</tbody>
                </table>
            }
        </section>
    }
}

fn told(entry: &HistoryEntry) -> Html {
    let why = match (&entry.reason, &entry.ticket) {
        (Some(reason), Some(ticket)) => format!("{reason} ({ticket})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "none".to_owned(),
    };
    let arrow = match (&entry.from_state, &entry.to_state) {
        (Some(from), Some(to)) if from != to => format!(", {from} to {to}"),
        _ => String::new(),
    };
    html! {
        <tr key={entry.seq}>
            <td class="num">{ entry.seq }</td>
            <td><TimeAgo at={entry.occurred_at} /></td>
            <td title={entry.data.to_string()}><span class="mono">{ entry.kind.trim_start_matches("orch.deadletter.") }</span><span class="f3">{ arrow }</span></td>
            <td class="cut" title={entry.actor.subject.clone()}>{ short_id(&entry.actor.subject) }</td>
            <td class="f2" title={why.clone()}>{ why }</td>
            <td class="mono f3" title={entry.hash.clone()}>{ entry.hash.get(..8).unwrap_or_default().to_owned() }</td>
        </tr>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct FactsProps {
    detail: DeadLetterDetail,
}

#[component]
fn Facts(props: &FactsProps) -> Html {
    let entry = &props.detail.entry;
    let names = use_source_names();
    let none = || html! { <span class="f3">{ "none" }</span> };
    let alike = Query::default().with("state", "open").with("fingerprint", entry.fingerprint.as_str());
    html! {
        <section class="sec" aria-label="Identity">
            <div class="sec-h"><h2>{ "The job" }</h2><span class="grow"></span><Link to={Route::JobDag(entry.job_id.clone())} class="link sm">{ "Open its DAG" }</Link></div>
            <dl class="kv">
                <dt>{ "Job" }</dt><dd><JobLink id={entry.job_id.clone()} /></dd>
                <dt>{ "Run" }</dt><dd>{ entry.run_id.as_ref().map_or_else(none, |id| html! { <RunLink id={id.clone()} /> }) }</dd>
                <dt>{ "Source" }</dt><dd>{ entry.source_id.as_ref().map_or_else(none, |id| html! { <SourceLink id={id.clone()} {names} /> }) }</dd>
                <dt>{ "Host" }</dt><dd class="mono">{ entry.host.as_deref().unwrap_or("this machine") }</dd>
                <dt>{ "Attempts" }</dt><dd>{ entry.attempts }</dd>
                <dt>{ "First failed" }</dt><dd><TimeAgo at={entry.first_failed_at} /></dd>
                <dt>{ "Failed for good" }</dt><dd><TimeAgo at={entry.dead_lettered_at} /></dd>
                <dt>{ "Last worker" }</dt><dd class="mono">{ entry.last_worker_id.as_ref().map_or_else(|| "none".to_owned(), |id| short_id(id.as_str())) }</dd>
                <dt>{ "Payload" }</dt><dd><CopyId text={entry.payload_digest.clone()} shown={short_digest(&entry.payload_digest)} /></dd>
                <dt>{ "Correlation" }</dt><dd><CopyId text={entry.correlation_id.clone()} shown={entry.correlation_id.chars().take(12).collect::<String>()} /></dd>
                <dt>{ "Fingerprint" }</dt><dd><CopyId text={entry.fingerprint.clone()} /></dd>
                <dt>{ "Same cause" }</dt><dd><Link to={Route::DeadLetterQueue} query={alike} class="n">{ count(props.detail.alike as i64) }</Link>{ " open" }</dd>
            </dl>
        </section>
    }
}

/// Who looks after it, and how it was closed.
fn triage(entry: &DeadLetter) -> Html {
    let none = || html! { <span class="f3">{ "nobody" }</span> };
    html! {
        <section class="sec" aria-label="Triage">
            <div class="sec-h"><h2>{ "Triage" }</h2></div>
            <dl class="kv">
                <dt>{ "Owner" }</dt><dd>{ entry.owner.as_ref().map_or_else(none, |owner| html! { { owner } }) }</dd>
                if let (Some(by), Some(at)) = (&entry.acknowledged_by, entry.acknowledged_at) { <dt>{ "Acknowledged" }</dt><dd>{ by }{ " " }<TimeAgo {at} /></dd> }
                if let Some(due) = entry.due_at { <dt>{ "Due in" }</dt><dd title={clock_or_date(due, entry.dead_lettered_at)}><Countdown until={due} over="overdue" /></dd> }
                <dt>{ "Replays" }</dt><dd>{ entry.replay_count }{ entry.last_replay_at.map_or_else(Html::default, |at| html! { <span class="f3">{ ", last " }<TimeAgo {at} /></span> }) }</dd>
                if let Some(code) = entry.resolution { <dt>{ "Resolution" }</dt><dd>{ code.as_str().replace('_', " ") }</dd> }
                if let (Some(by), Some(at)) = (&entry.resolved_by, entry.resolved_at) { <dt>{ "Resolved" }</dt><dd class={Tone::Ok.class()}>{ by }{ " " }<TimeAgo {at} /></dd> }
            </dl>
            if let Some(note) = &entry.note { <p class="prose after">{ note }</p> }
        </section>
    }
}
