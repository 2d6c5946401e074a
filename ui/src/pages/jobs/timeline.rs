//! Where a job's time went: every state it was in, from its history.

use crate::kit::format::duration;
use crate::kit::{Shape, Stretch, StretchFill, Tone};
use crate::parts::wait_reason;
use stella_contract::history::HistoryEntry;
use stella_contract::job::{Job, JobState, WaitReason};
use stella_contract::time::Micros;

/// A job's stay in one state.
#[derive(Debug, Clone, PartialEq)]
struct Stay {
    state: JobState,
    reason: Option<WaitReason>,
    attempt: i32,
    from: Micros,
    /// When it ended, how, and in which state it left the job.
    end: Option<(Micros, Option<String>, JobState)>,
}

/// The stretches of a job's life in order; `entries` are its history, newest first.
pub(super) fn stretches(job: &Job, entries: &[HistoryEntry], now: Micros) -> Vec<Stretch> {
    let stays = merged(stays(job, entries));
    let mut out: Vec<Stretch> =
        stays.iter().filter(|stay| !stay.state.is_final()).map(|stay| stretch(stay, now)).collect();
    out.extend(ahead(job, stays.last(), now));
    out
}

/// Every change of state as a stay until the next one.
fn stays(job: &Job, entries: &[HistoryEntry]) -> Vec<Stay> {
    let text = |entry: &HistoryEntry, name: &str| {
        entry.data.get(name).and_then(|value| value.as_str()).map(str::to_owned)
    };
    let mut out: Vec<Stay> = Vec::new();
    for entry in entries.iter().rev() {
        let Some(state) = entry.to_state.as_deref().and_then(|state| state.parse::<JobState>().ok()) else {
            continue;
        };
        let reason = text(entry, "waitReason").and_then(|reason| reason.parse().ok());
        if let Some(last) = out.last_mut() {
            // A heartbeat or a new reason for the same state is no new stay, unless the reason is what is shown.
            if last.state == state && (state != JobState::Pending || last.reason == reason) {
                continue;
            }
            last.end = Some((entry.occurred_at, text(entry, "outcome"), state));
        }
        let attempt = entry.attempt.unwrap_or(job.attempt);
        out.push(Stay { state, reason, attempt, from: entry.occurred_at, end: None });
    }
    if out.is_empty() {
        out.push(Stay {
            state: job.state,
            reason: job.wait_reason,
            attempt: job.attempt,
            from: job.created_at,
            end: None,
        });
    }
    out
}

/// The time between claim and start belongs to the attempt.
fn merged(stays: Vec<Stay>) -> Vec<Stay> {
    let mut out: Vec<Stay> = Vec::with_capacity(stays.len());
    for stay in stays {
        match out.last_mut() {
            Some(last) if last.state == JobState::Leased && stay.state == JobState::Running => {
                last.state = JobState::Running;
                last.end = stay.end;
            }
            Some(_) | None => out.push(stay),
        }
    }
    out
}

fn stretch(stay: &Stay, now: Micros) -> Stretch {
    let until = stay.end.as_ref().map_or(now, |(at, _, _)| *at);
    let ms = until.ms_since(stay.from).max(0);
    let long = duration(ms);
    match stay.state {
        JobState::Pending => {
            let (shape, tone) = stay.reason.map_or((Shape::DashedRing, Tone::Idle), wait_reason::look);
            let why = stay.reason.map_or("pending", |reason| reason.as_str());
            Stretch {
                ms,
                fill: StretchFill::Held,
                shape: Some((shape, tone)),
                head: "".into(),
                foot: format!("{long}, {why}").into(),
            }
        }
        JobState::Leased | JobState::Running => attempt(stay, ms, &long),
        JobState::Queued
        | JobState::Succeeded
        | JobState::Failed
        | JobState::TimedOut
        | JobState::Cancelled
        | JobState::Skipped => Stretch {
            ms,
            fill: StretchFill::Solid(Tone::Idle),
            shape: Some((Shape::Ring, Tone::Idle)),
            head: "".into(),
            foot: format!("{long}, queued").into(),
        },
    }
}

fn attempt(stay: &Stay, ms: i64, long: &str) -> Stretch {
    let (shape, tone, said) = match &stay.end {
        None => (Shape::RingPlay, Tone::Live, "now".to_owned()),
        Some((_, outcome, state)) => {
            let (shape, tone) = match (state, outcome.as_deref()) {
                (JobState::Succeeded, _) => (Shape::DiscCheck, Tone::Ok),
                (JobState::Cancelled | JobState::Queued, _) | (_, Some("released" | "ack_timeout")) => {
                    (Shape::RingSlash, Tone::Idle)
                }
                (_, _) => (Shape::OctagonCross, Tone::Bad),
            };
            (shape, tone, outcome.clone().unwrap_or_else(|| state.to_string()))
        }
    };
    let running = if stay.end.is_none() { format!(", {}", stay.state) } else { String::new() };
    Stretch {
        ms,
        fill: StretchFill::Solid(tone),
        shape: Some((shape, tone)),
        head: format!("attempt {}{running}", stay.attempt.max(1)).into(),
        foot: format!("{long}, {said}").into(),
    }
}

/// How much longer a running attempt takes at its pace; nothing while too little is done to say.
fn ahead(job: &Job, last: Option<&Stay>, now: Micros) -> Option<Stretch> {
    let stay = last.filter(|stay| stay.state == JobState::Running && stay.end.is_none())?;
    let share = Some(job.progress).filter(|share| (0.05..1.0).contains(share))?;
    let ms = (now.ms_since(stay.from) as f64 * (1.0 - share) / share) as i64;
    Some(Stretch {
        ms,
        fill: StretchFill::Ahead,
        shape: None,
        head: "".into(),
        foot: format!("about {} left", duration(ms)).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::history::Actor;
    use stella_contract::ids::{EventId, JobId};

    const UUID: &str = "01890000-0000-7000-8000-000000000000";

    fn at(seconds: i64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    fn job(state: &str, progress: f64) -> Job {
        serde_json::from_value(serde_json::json!({
            "jobId": JobId::from_uuid(UUID), "tenant": "acme", "jobType": "scan.segment", "priority": 50,
            "state": state, "payloadDigest": "sha256:0", "payloadSize": 2, "idempotencyKey": "k", "attempt": 1,
            "maxAttempts": 6, "timeoutS": 3600, "leaseEpoch": 1, "progress": progress, "processed": 0, "total": 0,
            "correlationId": "c", "createdBy": "o", "inputsHash": "h", "createdAt": at(0), "version": 1,
        }))
        .unwrap()
    }

    fn entry(seconds: i64, to: &str, attempt: i32, data: serde_json::Value) -> HistoryEntry {
        HistoryEntry {
            seq: seconds,
            event_id: EventId::from_uuid(UUID),
            job_id: None,
            run_id: None,
            entity: "job".into(),
            kind: "orch.job".into(),
            from_state: None,
            to_state: Some(to.into()),
            attempt: Some(attempt),
            lease_epoch: None,
            actor: Actor { subject: "o".into(), scopes: Vec::new() },
            reason: None,
            ticket: None,
            correlation_id: "c".into(),
            occurred_at: at(seconds),
            data_digest: String::new(),
            data,
            prev_hash: String::new(),
            hash: String::new(),
        }
    }

    fn told(parts: &[Stretch]) -> Vec<String> {
        parts.iter().map(|part| format!("{}|{}", part.head, part.foot)).collect()
    }

    #[test]
    fn every_state_is_a_stretch_and_the_claim_belongs_to_its_attempt() {
        let none = serde_json::json!({});
        let history = [
            entry(130, "running", 2, none.clone()),
            entry(129, "leased", 2, none.clone()),
            entry(128, "queued", 1, none.clone()),
            entry(60, "pending", 1, serde_json::json!({"waitReason": "backoff", "outcome": "lease_expired"})),
            entry(33, "running", 1, none.clone()),
            entry(32, "leased", 1, none.clone()),
            entry(1, "queued", 0, none.clone()),
            entry(0, "pending", 0, none),
        ];
        assert_eq!(
            told(&stretches(&job("running", 0.0), &history, at(160))),
            [
                "|1 s, pending",
                "|31 s, queued",
                "attempt 1|28 s, lease_expired",
                "|1 m 08 s, backoff",
                "|1 s, queued",
                "attempt 2, running|31 s, now",
            ]
        );
    }

    #[test]
    fn a_new_reason_begins_a_new_wait_and_an_ended_job_waits_for_nothing() {
        let waits = |reason: &str| serde_json::json!({ "waitReason": reason });
        let history = [
            entry(9, "cancelled", 0, serde_json::json!({})),
            entry(4, "pending", 0, waits("blackout")),
            entry(2, "pending", 0, waits("quota_max_active")),
            entry(1, "pending", 0, waits("quota_max_active")),
        ];
        assert_eq!(
            told(&stretches(&job("cancelled", 0.0), &history, at(99))),
            ["|3 s, quota_max_active", "|5 s, blackout"]
        );
    }

    #[test]
    fn what_is_left_is_told_once_there_is_a_pace() {
        let history = [entry(0, "running", 1, serde_json::json!({}))];
        let parts = stretches(&job("running", 0.25), &history, at(60));
        assert_eq!(parts.last().unwrap().foot.as_str(), "about 3 m 00 s left");
        assert_eq!(stretches(&job("running", 0.01), &history, at(60)).len(), 1);
    }

    #[test]
    fn a_job_without_history_is_told_by_its_row() {
        assert_eq!(told(&stretches(&job("pending", 0.0), &[], at(5))), ["|5 s, pending"]);
    }
}
