//! One attempt: acknowledge, work with the lease kept alive beside it, report.

#![expect(
    clippy::disallowed_methods,
    reason = "a worker measures how long its own leases last; no rule depends on it"
)]

use super::task::{Failure, Finished, Task, Told};
use super::together::{Refused, Together};
use super::{Handler, PAUSE};
use crate::client::Client;
use crate::error::Error;
use futures::FutureExt as _;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stella_bundle::digest;
use stella_contract::error::Code;
use stella_contract::job::ErrorClass;
use stella_contract::lease::{
    CompleteLease, FailLease, LeaseHeartbeat, LeasePulse, LogLines, NamedArtifact, WorkLease,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Does one job, whatever comes of it.
pub(super) async fn attempt(
    client: Client,
    together: Together,
    lease: WorkLease,
    handler: Handler,
    drain: CancellationToken,
) {
    let (job, cancel) = (lease.job_id.clone(), CancellationToken::new());
    match together.ack(&lease).await {
        Ok(pulse) => heed(&pulse, &cancel, &drain),
        Err(refused) => {
            tracing::warn!(%job, error = refused.message, "a claim could not be acknowledged");
            return;
        }
    }
    let payload = match payload(&client, &lease).await {
        Ok(payload) => Arc::new(payload),
        Err(failure) => return report(&client, &together, &lease, Err(failure), Vec::new()).await,
    };
    let told: Arc<Mutex<Told>> = Arc::default();
    let lease = Arc::new(lease);
    let task = Task { client: client.clone(), lease: lease.clone(), payload, cancel: cancel.clone(), told };
    let work = AssertUnwindSafe(handler(task.clone())).catch_unwind();
    let outcome = tokio::select! {
        outcome = work => outcome.unwrap_or_else(|_| {
            Err(Failure::new(ErrorClass::Internal, "PANICKED", "The work on this job broke off."))
        }),
        () = keep_alive(&client, &task, &drain) => {
            tracing::warn!(%job, "the lease is lost; the work is dropped");
            cancel.cancel();
            return;
        }
    };
    tell_lines(&client, &task).await;
    let left = std::mem::take(&mut task.open().left);
    report(&client, &together, &lease, outcome, left).await;
}

async fn payload(client: &Client, lease: &WorkLease) -> Result<Value, Failure> {
    if let Some(payload) = &lease.payload {
        return Ok(payload.clone());
    }
    let bytes = client.floor().payload(&lease.lease_id).await?;
    if digest::of_bytes(&bytes) != lease.payload_digest {
        let message = "The payload does not have the digest that its lease says.";
        return Err(Failure::new(ErrorClass::Integrity, "PAYLOAD_DIGEST", message));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(ErrorClass::ParseError, "PAYLOAD_JSON", &format!("The payload is not JSON: {error}."))
    })
}

fn heed(pulse: &LeasePulse, cancel: &CancellationToken, drain: &CancellationToken) {
    if pulse.cancel_requested {
        cancel.cancel();
    }
    if pulse.drain {
        drain.cancel();
    }
}

/// Sends heartbeats; returns when the lease is lost. A server that does not answer is asked again until the lease must
/// have ended.
async fn keep_alive(client: &Client, task: &Task, drain: &CancellationToken) {
    let lease = task.lease();
    let lasts = Duration::from_secs(u64::try_from(lease.lease_s).unwrap_or(60));
    let mut heard_at = Instant::now();
    let mut beat = 0_u32;
    let mut pause = jittered(lease, beat);
    loop {
        tokio::time::sleep(pause).await;
        let progress = task.open().progress.take();
        let wish = LeaseHeartbeat { lease_epoch: lease.lease_epoch, progress };
        match client.floor().heartbeat(&lease.lease_id, &wish).await {
            Ok(pulse) => {
                heard_at = Instant::now();
                heed(&pulse, &task.cancel, drain);
                tell_lines(client, task).await;
                beat += 1;
                pause = jittered(lease, beat);
            }
            Err(error) if is_lost(&error) => return,
            Err(error) => {
                tracing::warn!(job = %lease.job_id, %error, "a heartbeat was not heard");
                if heard_at.elapsed() >= lasts {
                    return;
                }
                pause = PAUSE.min(lasts / 10);
            }
        }
    }
}

/// The heartbeat's time, ten per cent more or less, so that workers do not speak all at once.
fn jittered(lease: &WorkLease, beat: u32) -> Duration {
    let full = u64::try_from(lease.heartbeat_s).unwrap_or(20).max(1) * 1_000;
    let seed = digest::of_bytes(format!("{}:{beat}", lease.lease_id).as_bytes());
    let share = seed.bytes().rev().take(2).map(u64::from).sum::<u64>() % 21;
    Duration::from_millis(full * (90 + share) / 100)
}

async fn tell_lines(client: &Client, task: &Task) {
    let lines = std::mem::take(&mut task.open().lines);
    let lease = task.lease();
    for some in lines.chunks(stella_contract::lease::MOST_LOG_LINES) {
        let wish = LogLines { lease_epoch: lease.lease_epoch, lines: some.to_vec() };
        if let Err(error) = client.floor().log(&lease.lease_id, &wish).await {
            tracing::warn!(job = %lease.job_id, %error, "lines of a log were not taken");
        }
    }
}

/// Reports until it is heard, as long as the lease can last. Said twice, it is said once.
async fn report(
    client: &Client,
    together: &Together,
    lease: &WorkLease,
    outcome: Result<Finished, Failure>,
    left: Vec<NamedArtifact>,
) {
    let begun = Instant::now();
    let lasts = Duration::from_secs(u64::try_from(lease.lease_s).unwrap_or(60));
    loop {
        let said = match &outcome {
            Ok(finished) => together.complete(lease, completion(lease, finished, &left)).await,
            Err(failure) => {
                let heard = client.floor().fail(&lease.lease_id, &failed(lease, failure)).await;
                heard.map(|job| job.state).map_err(|error| Refused::from(&error))
            }
        };
        let (job, error) = match said {
            Ok(state) => return tracing::info!(job = %lease.job_id, %state, "reported"),
            Err(refused) if refused.again => (&lease.job_id, refused.message),
            Err(refused) => {
                return tracing::warn!(job = %lease.job_id, error = refused.message, "a report came to nothing");
            }
        };
        if begun.elapsed() >= lasts {
            return tracing::warn!(%job, error, "a report was not heard in time");
        }
        tracing::warn!(%job, error, "a report is repeated");
        tokio::time::sleep(PAUSE).await;
    }
}

fn completion(lease: &WorkLease, finished: &Finished, left: &[NamedArtifact]) -> CompleteLease {
    CompleteLease {
        lease_epoch: lease.lease_epoch,
        artifacts: left.to_vec(),
        outputs_hash: outputs_hash(left),
        result: finished.result.clone(),
        watermark: finished.watermark.clone(),
    }
}

/// SHA-256 of the sorted `name TAB digest LF` lines; `None` without artifacts.
pub(crate) fn outputs_hash(left: &[NamedArtifact]) -> Option<String> {
    let mut lines: Vec<String> = left.iter().map(|one| format!("{}\t{}\n", one.name, one.digest)).collect();
    lines.sort();
    (!lines.is_empty()).then(|| digest::of_bytes(lines.concat().as_bytes()))
}

fn failed(lease: &WorkLease, failure: &Failure) -> FailLease {
    FailLease {
        lease_epoch: lease.lease_epoch,
        category: failure.category,
        code: failure.code.clone(),
        message: failure.message.clone(),
        http_status: failure.http_status,
        host: failure.host.clone(),
        retry_after_ms: failure.retry_after_ms,
        retryable: failure.retryable,
    }
}

/// The lease is not, or no longer, this worker's.
fn is_lost(error: &Error) -> bool {
    error.problem().is_some_and(|problem| {
        matches!(problem.code, Code::LeaseLost | Code::AlreadyFinished | Code::NotFound | Code::JobNotFound)
    })
}
