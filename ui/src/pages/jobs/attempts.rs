//! The attempts of a job: who tried, for how long, and how it ended.

use crate::kit::format::short_id;
use crate::kit::{Clock, Elapsed, Shape, Tone};
use crate::parts::mark;
use crate::router::{Link, Query};
use stella_contract::job::{Attempt, Job, JobState};
use stella_contract::route::Route;
use yew::prelude::*;

/// The attempts, newest first.
pub(super) fn attempts(job: &Job, attempts: &[Attempt]) -> Html {
    html! {
        <section class="sec" aria-label="Attempts">
            <div class="sec-h"><h2>{ "Attempts" }</h2><span class="note">{ format!("{} of {}{}", job.attempt, job.max_attempts, next_wait(job)) }</span></div>
            if attempts.is_empty() {
                <p class="f3 sm">{ "No worker has claimed it yet." }</p>
            } else {
                <table class="tbl attempts">
                    <thead><tr>
                        <th scope="col" class="num seq">{ "#" }</th><th scope="col">{ "Result" }</th><th scope="col">{ "Worker" }</th>
                        <th scope="col" class="num seq">{ "Epoch" }</th><th scope="col">{ "Started" }</th>
                        <th scope="col" class="num">{ "Time" }</th><th scope="col" class="wide">{ "Error" }</th>
                    </tr></thead>
                    <tbody>{ for attempts.iter().map(attempt) }</tbody>
                </table>
            }
        </section>
    }
}

/// The wait after the next failure: 10 s, tripled with each attempt, 900 s at most, and half to all of it.
fn next_wait(job: &Job) -> String {
    if job.state.is_final() || job.attempt < 1 || job.attempt >= job.max_attempts {
        return String::new();
    }
    let exponent = u32::try_from(job.attempt - 1).unwrap_or(0).min(10);
    let most = (10 * 3_i64.pow(exponent)).min(900);
    format!(", next wait {} to {most} s", most / 2)
}

fn attempt(one: &Attempt) -> Html {
    let (shape, tone) = match one.outcome.as_deref() {
        None => (Shape::RingPlay, Tone::Live),
        Some("succeeded") => (Shape::DiscCheck, Tone::Ok),
        Some("cancelled" | "released" | "ack_timeout") => (Shape::RingSlash, Tone::Idle),
        Some(_) => (Shape::OctagonCross, Tone::Bad),
    };
    let result =
        one.outcome.as_deref().unwrap_or(if one.started_at.is_some() { "running" } else { "leased" });
    let error = match (&one.error_code, &one.error_message) {
        (Some(code), Some(message)) => format!("{code}, {message}"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => "none".to_owned(),
    };
    let worker = Query::default().with("worker", one.worker_id.as_str());
    html! {
        <tr key={one.lease_epoch}>
            <td class="num">{ one.attempt }</td>
            <td>{ mark(shape, tone, result, false, false) }</td>
            <td class="mono" title={one.worker_id.to_string()}><Link to={Route::Workers} query={worker} class="n">{ short_id(one.worker_id.as_str()) }</Link></td>
            <td class="num">{ one.lease_epoch }</td>
            <td><Clock at={one.leased_at} /></td>
            <td class="num"><Elapsed from={one.leased_at} until={one.ended_at} /></td>
            <td class="f2" title={error.clone()}>{ error }</td>
        </tr>
    }
}

/// Whether a worker holds the job.
pub(super) fn is_held(job: &Job) -> bool {
    matches!(job.state, JobState::Leased | JobState::Running) && job.lease_until.is_some()
}
