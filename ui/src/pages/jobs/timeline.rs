//! Where a job's time went: waiting, each attempt, the waits between them.

use crate::kit::StackPart;
use crate::kit::format::duration;
use stella_contract::job::{Attempt, JobDetail};
use stella_contract::time::Micros;

/// The stretches of a job's life in order, each with its words, its weight and its fill.
pub(super) fn stretches(detail: &JobDetail, now: Micros) -> Vec<StackPart> {
    let mut parts = Vec::new();
    let mut at = detail.job.created_at;
    for attempt in detail.attempts.iter().rev() {
        push(
            &mut parts,
            &format!("wait before attempt {}", attempt.attempt),
            "bg-held",
            at,
            attempt.leased_at,
        );
        let ended = attempt.ended_at.unwrap_or(now);
        let words =
            format!("attempt {}, {}", attempt.attempt, attempt.outcome.as_deref().unwrap_or("running"));
        push(&mut parts, &words, fill(attempt), attempt.leased_at, ended);
        at = ended;
    }
    if !detail.job.state.is_final() && detail.attempts.first().is_none_or(|last| last.ended_at.is_some()) {
        push(&mut parts, "waits", "bg-held", at, now);
    }
    parts
}

fn push(parts: &mut Vec<StackPart>, words: &str, fill: &'static str, from: Micros, to: Micros) {
    let ms = to.ms_since(from);
    if ms > 0 {
        let label = format!("{words}, {}", duration(ms)).into();
        parts.push(StackPart { label, weight: ms as f64, fill });
    }
}

fn fill(attempt: &Attempt) -> &'static str {
    match attempt.outcome.as_deref() {
        None => "bg-live",
        Some("succeeded") => "bg-ok",
        Some("released" | "ack_timeout" | "cancelled") => "bg-idle",
        Some(_) => "bg-bad",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::ids::{JobId, WorkerId};
    use stella_contract::job::{Job, JobState};

    const UUID: &str = "01890000-0000-7000-8000-000000000000";

    fn at(seconds: i64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    fn attempt(number: i32, from: i64, to: Option<i64>, outcome: Option<&str>) -> Attempt {
        Attempt {
            lease_epoch: i64::from(number),
            attempt: number,
            worker_id: WorkerId::from_uuid(UUID),
            leased_at: at(from),
            started_at: Some(at(from)),
            ended_at: to.map(at),
            outcome: outcome.map(str::to_owned),
            error_code: None,
            error_message: None,
        }
    }

    fn detail(state: &str, attempts: Vec<Attempt>) -> JobDetail {
        let job: Job = serde_json::from_value(serde_json::json!({
            "jobId": JobId::from_uuid(UUID), "tenant": "acme", "jobType": "scan.segment", "priority": 50,
            "state": state, "payloadDigest": "sha256:0", "payloadSize": 2, "idempotencyKey": "k", "attempt": 1,
            "maxAttempts": 6, "timeoutS": 3600, "leaseEpoch": 1, "progress": 0.0, "processed": 0, "total": 0,
            "correlationId": "c", "createdBy": "o", "inputsHash": "h", "createdAt": at(0), "version": 1,
        }))
        .unwrap();
        JobDetail { job, payload: serde_json::Value::Null, result: None, attempts, artifacts: Vec::new() }
    }

    #[test]
    fn waits_and_attempts_follow_each_other_to_now() {
        let newest_first = vec![attempt(2, 100, None, None), attempt(1, 32, Some(60), Some("lease_expired"))];
        let parts = stretches(&detail("running", newest_first), at(130));
        let told: Vec<_> = parts.iter().map(|part| (part.label.as_str(), part.fill)).collect();
        assert_eq!(
            told,
            [
                ("wait before attempt 1, 32 s", "bg-held"),
                ("attempt 1, lease_expired, 28 s", "bg-bad"),
                ("wait before attempt 2, 40 s", "bg-held"),
                ("attempt 2, running, 30 s", "bg-live"),
            ]
        );
    }

    #[test]
    fn an_ended_job_waits_for_nothing() {
        let parts = stretches(&detail("succeeded", vec![attempt(1, 1, Some(3), Some("succeeded"))]), at(90));
        assert_eq!(parts.last().unwrap().fill, "bg-ok");
        assert_eq!(stretches(&detail("pending", Vec::new()), at(5)).len(), 1);
        assert_eq!(JobState::Pending.as_str(), "pending");
    }
}
