//! The facts beside a job: its lease, its last failure, its identity.

use crate::clock::use_now;
use crate::kit::format::{count, duration, percent, short_id};
use crate::kit::{Clock, CopyId, Elapsed, Meter, Ring, Shape, Tone};
use crate::parts::{JobLink, mark};
use crate::router::{Link, Query};
use stella_contract::job::{Job, JobState};
use stella_contract::route::Route;
use stella_contract::time::Micros;
use yew::prelude::*;

/// What a [`Lease`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct LeaseProps {
    /// The job, in the hands of a worker.
    pub job: Job,
    /// When the lease was last renewed, as far as is known.
    pub held_since: Option<Micros>,
}

/// Of a lease of an unknown length so much is taken to be the whole.
const LEASE_MS: i64 = 60_000;
/// From this share on it is about to be lost.
const EXPIRING: f64 = 1.0 / 3.0;

/// Shape, colour and word of a lease with this share left.
fn standing(share: f64) -> (Shape, Tone, &'static str) {
    match share {
        left if left <= 0.0 => (Shape::OctagonCross, Tone::Bad, "lost"),
        left if left < EXPIRING => (Shape::RingDot, Tone::Warn, "expiring"),
        _ => (Shape::RingDot, Tone::Live, "held"),
    }
}

/// The lease as a ring that empties.
#[component]
pub(super) fn Lease(props: &LeaseProps) -> Html {
    let job = &props.job;
    let now = use_now();
    let Some(until) = job.lease_until else { return Html::default() };
    let left = until.ms_since(now).max(0);
    // The longest it was seen to have left is what it lasts.
    let longest = use_mut_ref(|| LEASE_MS);
    let whole = {
        let mut longest = longest.borrow_mut();
        *longest = (*longest).max(left);
        *longest
    };
    let share = left as f64 / whole as f64;
    let (shape, tone, word) = standing(share);
    let used = job.started_at.or(props.held_since);
    let worker = job.worker_id.as_ref();
    html! {
        <section class="sec" aria-label="Lease">
            <div class="row gap3">
                <Ring {share} {tone} label={format!("{} of the lease left", duration(left))} />
                <div class="grow">
                    <div class="row"><h2>{ "Lease" }</h2><span class="grow"></span>{ mark(shape, tone, word, false, false) }</div>
                    <div class="sm f2">{ format!("{} left, renewed by its worker", duration(left)) }</div>
                </div>
            </div>
            <dl class="kv short after">
                <dt>{ "Worker" }</dt><dd class="mono">{ match worker {
                    Some(id) => html! { <Link to={Route::Workers} query={Query::default().with("worker", id.as_str())} class="n">{ short_id(id.as_str()) }</Link> },
                    None => html! { "none" },
                } }</dd>
                if let Some(runner) = &job.task_runner_id { <dt>{ "Task runner" }</dt><dd class="mono f2">{ runner }</dd> }
                <dt>{ "Lease id" }</dt><dd class="mono f2">{ job.lease_id.as_ref().map_or_else(|| "none".into(), |id| short_id(id.as_str())) }</dd>
                <dt>{ "Epoch" }</dt><dd>{ job.lease_epoch }<span class="f3">{ " fences older writes" }</span></dd>
                <dt>{ "Progress" }</dt><dd>{ progress(job) }<Meter share={job.progress} tone={Tone::Live} label="Progress" /></dd>
                if let Some(message) = &job.progress_message { <dt>{ "Doing" }</dt><dd title={message.clone()}>{ message }</dd> }
                <dt>{ "Time limit" }</dt><dd>{ format!("{} s", count(job.timeout_s)) }if let Some(from) = used { { ", " }<Elapsed {from} />{ " used" } }</dd>
            </dl>
        </section>
    }
}

fn progress(job: &Job) -> String {
    if job.total > 0 {
        format!("{} of {}, {}", count(job.processed), count(job.total), percent(job.progress))
    } else {
        percent(job.progress)
    }
}

/// The last failure.
pub(super) fn failure(job: &Job) -> Html {
    let Some(message) = &job.error_message else { return Html::default() };
    html! {
        <section class="sec" aria-label="Last failure">
            <div class="sec-h"><h2>{ "Last failure" }</h2></div>
            <dl class="kv short">
                <dt>{ "Code" }</dt><dd class="mono">{ job.error_code.as_deref().unwrap_or("none") }</dd>
                <dt>{ "Category" }</dt><dd class="mono">{ job.error_class.map_or("none", |class| class.as_str()) }</dd>
                <dt>{ "Tried again" }</dt><dd>{ job.error_class.map_or("not known", |class| if class.is_retryable() { "while attempts are left" } else { "never" }) }</dd>
                if let Some(entry) = job.dead_letter_id.as_ref().and_then(|id| id.parse().ok()) {
                    <dt>{ "Dead letter" }</dt><dd><Link to={Route::DeadLetterEntry(entry)} class="n mono">{ job.dead_letter_id.as_deref().map(short_id) }</Link></dd>
                }
            </dl>
            <p class="prose after">{ message }</p>
        </section>
    }
}

/// What a priority is called.
const fn band(priority: i32) -> &'static str {
    match priority {
        90.. => "critical",
        75..90 => "high",
        50..75 => "normal",
        _ => "low",
    }
}

/// One point for each full minute in the queue, twenty at most.
fn aged(job: &Job, now: Micros) -> i64 {
    let queued = job.queued_at.filter(|_| job.state == JobState::Queued);
    queued.map_or(0, |at| (now.ms_since(at) / 60_000).clamp(0, 20))
}

/// Who it is.
pub(super) fn identity(job: &Job, now: Micros) -> Html {
    let by_source = Query::default().with("id", job.source_id.as_ref().map_or("", |id| id.as_str()));
    let aged = aged(job, now);
    html! {
        <section class="sec" aria-label="Identity">
            <div class="sec-h"><h2>{ "Identity" }</h2></div>
            <dl class="kv short">
                <dt>{ "Tenant" }</dt><dd>{ job.tenant.to_string() }if let Some(project) = &job.project { <span class="f3">{ format!(", {project}") }</span> }</dd>
                <dt>{ "Priority" }</dt><dd>{ job.priority }<span class="f3">{ format!(" {}", band(job.priority)) }if aged > 0 { { format!(", +{aged} by age") } }</span></dd>
                <dt>{ "Idempotency" }</dt><dd class="mono f2" title={job.idempotency_key.clone()}>{ &job.idempotency_key }</dd>
                <dt>{ "Correlation" }</dt><dd><CopyId text={job.correlation_id.clone()} shown={job.correlation_id.chars().take(12).collect::<String>()} /></dd>
                <dt>{ "Created by" }</dt><dd>{ &job.created_by }{ " " }<Clock at={job.created_at} /></dd>
                if let Some(reason) = &job.reason { <dt>{ "Reason" }</dt><dd class="wrapping">{ reason }if let Some(ticket) = &job.ticket { { format!(", {ticket}") } }</dd> }
                <dt>{ "Ended" }</dt><dd>{ job.ended_at.map_or_else(|| html! { "not finished" }, |at| html! { <Clock {at} /> }) }
                    if let Some(ms) = job.duration_ms { <span class="f3">{ format!(" after {}", duration(ms)) }</span> }</dd>
                if job.source_id.is_some() {
                    <dt>{ "Source" }</dt><dd><Link to={Route::Sources} query={by_source} class="n">{ "open the source" }</Link></dd>
                }
                if let Some(original) = &job.replay_of { <dt>{ "Replay of" }</dt><dd><JobLink id={original.clone()} /></dd> }
                if let Some(original) = &job.retry_of { <dt>{ "Retry of" }</dt><dd><JobLink id={original.clone()} /></dd> }
            </dl>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_held_expiring_or_lost_by_its_share() {
        assert_eq!(standing(0.9).2, "held");
        assert_eq!(standing(0.3).2, "expiring");
        assert_eq!(standing(0.0).2, "lost");
    }

    #[test]
    fn a_priority_has_the_name_of_its_band() {
        assert_eq!(
            [0, 49, 50, 75, 90, 100].map(band),
            ["low", "low", "normal", "high", "critical", "critical"]
        );
    }
}
