//! The cases.

use super::stage::{holds, refused, sound};
use super::{Case, Stage};
use crate::worker::outputs_hash;
use futures::FutureExt as _;
use serde_json::json;
use stella_bundle::digest;
use stella_contract::error::Code;
use stella_contract::ids::SourceId;
use stella_contract::job::{ErrorClass, JobState, SubmitJob, WaitReason};
use stella_contract::lease::{
    ClaimWork, CompleteLease, LeaseHeartbeat, LeaseProgress, LogLevel, LogLines, NamedArtifact, NewLogLine,
    ReadUpTo, RegisterWorker, ReleaseLease, WorkLease,
};
use stella_contract::page::PageQuery;
use stella_contract::source::{AddSource, RunSource, SourceType, UpdateSource};
use stella_contract::time::Micros;

/// Makes a case of an async function.
macro_rules! case {
    ($id:literal, $run:ident, $title:literal) => {
        Case { id: $id, title: $title, run: |stage| $run(stage).boxed() }
    };
}

/// Every case, by id.
pub const CASES: &[Case] = &[
    case!("S01", register, "register answers a worker id and how often to beat"),
    case!("S02", register_without_types, "register without job types is 422 INVALID"),
    case!("S03", nothing_to_do, "claim without ready work is 204"),
    case!("S04", claim_of_nobody, "claim by an unknown worker is 404 NOT_FOUND"),
    case!("S05", claim_too_many, "claim of more than 16 or for more than 20 s is 422 INVALID"),
    case!("S06", whole_lease, "a lease carries payload, digest, durations, retry hints and provenance"),
    case!("S07", large_payload, "a payload over 64 KiB comes by reference and has its digest"),
    case!("S08", ack, "ack starts the job, and a second ack changes nothing"),
    case!("S09", unacked_complete, "complete before ack is 409"),
    case!("S10", wrong_epoch, "another epoch is 409 LEASE_LOST"),
    case!("S11", unknown_lease, "an unknown lease is 404 NOT_FOUND"),
    case!("S12", heartbeat, "a heartbeat answers the lease's duration and carries progress"),
    case!("S13", cancel, "a heartbeat tells that the job was cancelled, and complete still wins"),
    case!("S14", cancel_and_fail, "a failure after the wish to cancel is a cancel"),
    case!("S15", log, "log lines are numbered without gaps and listed newest first"),
    case!("S16", artifact, "artifacts are kept under name and digest when the job is completed"),
    case!(
        "S17",
        wrong_digest,
        "bytes of another digest are 422 ARTIFACT_DIGEST_MISMATCH; the job stays running"
    ),
    case!("S18", canonical_json, "the digest of a JSON artifact is that of its canonical form"),
    case!("S19", same_name, "other bytes under the same name are 409 CONFLICT, the same bytes are taken"),
    case!(
        "S20",
        wrong_outputs_hash,
        "another outputs hash is 422 ARTIFACT_DIGEST_MISMATCH; the job stays running"
    ),
    case!(
        "S21",
        unbrought_artifact,
        "an artifact that was not brought is 422 INVALID; the job stays running"
    ),
    case!("S22", complete_twice, "the same complete twice is 200 twice"),
    case!("S23", other_complete, "a complete with other outputs after complete is 409 ALREADY_FINISHED"),
    case!("S24", complete_after_fail, "complete after a final failure is 409 ALREADY_FINISHED"),
    case!("S25", fail_for_good, "a failure of a category that is not retried fails the job"),
    case!("S26", fail_and_wait, "a failure of a retried category makes the job wait, and its lease is lost"),
    case!("S27", fail_as_told, "a failure with retryable false fails the job whatever its category"),
    case!("S28", release, "release queues the job, does not count the attempt, and loses the lease"),
    case!("S29", release_running, "release of a started job is refused"),
    case!("S30", epochs_rise, "each claim of a job has a higher epoch and another lease"),
    case!("S31", order, "the higher priority is given first, then the older job"),
    case!("S32", several, "one claim gives several jobs, each once"),
    case!("S33", dependency, "a dependent job is given only after its upstream job succeeded"),
    case!("S34", drain, "a drained worker is told so and given nothing"),
    case!(
        "S35",
        watermark,
        "a completed job tells how far its custom source is read, and what was told is kept"
    ),
    case!(
        "S36",
        watermark_of_nothing,
        "a watermark of a job without a source, or one from the future, is 422 INVALID; the job stays running"
    ),
    case!(
        "S37",
        quarantine,
        "a quarantined worker is given nothing and not heard; resumed, it is given work again"
    ),
];

async fn register(stage: Stage) -> Result<(), String> {
    holds(stage.heartbeat_s > 0, || format!("heartbeatS is {}", stage.heartbeat_s))
}

async fn register_without_types(stage: Stage) -> Result<(), String> {
    let wish = RegisterWorker {
        name: "conformance".to_owned(),
        version: "1".to_owned(),
        sdk: None,
        hostname: "conformance".to_owned(),
        job_types: Vec::new(),
        concurrency: 1,
        task_runner_id: None,
    };
    refused("register", stage.floor().register(&wish).await, Code::Invalid)
}

fn claim_of(stage: &Stage) -> ClaimWork {
    ClaimWork { worker_id: stage.worker.clone(), job_types: Vec::new(), max: None, wait_s: None }
}

async fn nothing_to_do(stage: Stage) -> Result<(), String> {
    let given = sound("claim", stage.floor().claim(&claim_of(&stage)).await)?;
    holds(given.is_none(), || "something was given".to_owned())
}

async fn claim_of_nobody(stage: Stage) -> Result<(), String> {
    let nobody = "wrk_01890000-0000-7000-8000-000000000000";
    let worker_id = nobody.parse().map_err(|error| format!("{error}"))?;
    let wish = ClaimWork { worker_id, ..claim_of(&stage) };
    refused("claim", stage.floor().claim(&wish).await, Code::NotFound)
}

async fn claim_too_many(stage: Stage) -> Result<(), String> {
    let many = ClaimWork { max: Some(17), ..claim_of(&stage) };
    refused("claim of 17", stage.floor().claim(&many).await, Code::Invalid)?;
    let long = ClaimWork { wait_s: Some(21), ..claim_of(&stage) };
    refused("claim for 21 s", stage.floor().claim(&long).await, Code::Invalid)
}

async fn whole_lease(stage: Stage) -> Result<(), String> {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let wish = SubmitJob {
        traceparent: Some(trace.to_owned()),
        idempotency_key: Some(stage.job_type.clone()),
        max_attempts: Some(3),
        timeout_s: Some(77),
        ..stage.wish()
    };
    let lease = stage.claimed(wish.clone()).await?;
    holds(lease.job_type == stage.job_type, || format!("jobType is {}", lease.job_type))?;
    holds(lease.payload == Some(json!({ "n": 1 })), || format!("payload is {:?}", lease.payload))?;
    let digest = digest::of_value(&json!({ "n": 1 })).map_err(|error| error.to_string())?;
    holds(lease.payload_digest == digest, || format!("payloadDigest is {}", lease.payload_digest))?;
    holds(lease.lease_epoch == 1 && lease.attempt == 1, || "epoch and attempt do not begin at 1".to_owned())?;
    holds(lease.ack_s > 0 && lease.heartbeat_s > 0, || "a duration is missing".to_owned())?;
    holds(lease.lease_s >= 3 * lease.heartbeat_s, || "a lease lasts less than three heartbeats".to_owned())?;
    holds(lease.timeout_s == 77, || format!("timeoutS is {}", lease.timeout_s))?;
    holds(lease.idempotency_key == stage.job_type, || {
        format!("idempotencyKey is {}", lease.idempotency_key)
    })?;
    let hints = &lease.retry_hints;
    holds(hints.max_attempts == 3 && hints.attempt == 1, || format!("retryHints are {hints:?}"))?;
    let wait = hints.next_delay_ms.unwrap_or(0);
    holds((5_000..=10_000).contains(&wait), || format!("nextDelayMs is {wait}"))?;
    let is_retryable = |class: &ErrorClass| hints.retryable_classes.contains(class) == class.is_retryable();
    holds(ErrorClass::ALL.iter().all(is_retryable), || "retryableClasses are not those of 4.2".to_owned())?;
    let from = &lease.provenance;
    holds(from.tenant == *stage.client.tenant(), || format!("provenance.tenant is {}", from.tenant))?;
    holds(from.project == wish.project, || format!("provenance.project is {:?}", from.project))?;
    holds(Some(&from.correlation_id) == wish.correlation_id.as_ref(), || {
        "correlationId is another".to_owned()
    })?;
    let runner = from.task_runner_id.as_deref();
    holds(runner == Some("conformance-runner"), || format!("taskRunnerId is {runner:?}"))?;
    holds(lease.traceparent.as_deref() == Some(trace), || format!("traceparent is {:?}", lease.traceparent))
}

async fn large_payload(stage: Stage) -> Result<(), String> {
    let large = json!({ "text": "x".repeat(70_000) });
    let lease = stage.claimed(SubmitJob { payload: large.clone(), ..stage.wish() }).await?;
    holds(lease.payload.is_none() && lease.payload_ref.is_some(), || "it came with its lease".to_owned())?;
    holds(stage.payload(&lease).await? == large, || "it is another payload".to_owned())
}

async fn ack(stage: Stage) -> Result<(), String> {
    let lease = stage.claimed(stage.wish()).await?;
    let pulse = sound("ack", stage.ack(&lease).await)?;
    holds(pulse.lease_s == lease.lease_s && !pulse.cancel_requested, || format!("the ack says {pulse:?}"))?;
    let before = stage.is_in(&lease.job_id, JobState::Running).await?;
    sound("the second ack", stage.ack(&lease).await)?;
    holds(stage.job(&lease.job_id).await?.version == before.version, || "it changed the job".to_owned())
}

async fn unacked_complete(stage: Stage) -> Result<(), String> {
    let lease = stage.claimed(stage.wish()).await?;
    refused("complete", stage.complete(&lease, Stage::bare(&lease)).await, Code::LeaseLost)?;
    stage.is_in(&lease.job_id, JobState::Leased).await.map(|_| ())
}

async fn wrong_epoch(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let mut other = lease.clone();
    other.lease_epoch += 1;
    refused("ack", stage.ack(&other).await, Code::LeaseLost)?;
    refused("heartbeat", stage.beat(&other).await, Code::LeaseLost)?;
    refused("complete", stage.complete(&other, Stage::bare(&other)).await, Code::LeaseLost)?;
    refused("fail", stage.fail(&other, ErrorClass::Internal, None).await, Code::LeaseLost)?;
    refused("put", stage.put(&other, "a", "text/plain", b"a", None).await, Code::LeaseLost)?;
    stage.is_in(&lease.job_id, JobState::Running).await.map(|_| ())
}

async fn unknown_lease(stage: Stage) -> Result<(), String> {
    let mut lease = stage.claimed(stage.wish()).await?;
    let nothing = "lease_01890000-0000-7000-8000-000000000000";
    lease.lease_id = nothing.parse().map_err(|error| format!("{error}"))?;
    refused("ack", stage.ack(&lease).await, Code::NotFound)?;
    refused("heartbeat", stage.beat(&lease).await, Code::NotFound)?;
    refused("complete", stage.complete(&lease, Stage::bare(&lease)).await, Code::NotFound)
}

async fn heartbeat(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let progress = LeaseProgress { processed: 3, total: 4, message: Some("three of four".to_owned()) };
    let wish = LeaseHeartbeat { lease_epoch: lease.lease_epoch, progress: Some(progress) };
    let pulse = sound("heartbeat", stage.floor().heartbeat(&lease.lease_id, &wish).await)?;
    holds(pulse.lease_s == lease.lease_s && !pulse.drain, || format!("the heartbeat says {pulse:?}"))?;
    let job = stage.is_in(&lease.job_id, JobState::Running).await?;
    let told = (job.processed, job.total, job.progress_message.as_deref());
    holds(told == (3, 4, Some("three of four")), || format!("the job's progress is {told:?}"))?;
    holds((job.progress - 0.75).abs() < 1e-9, || format!("the job's share is {}", job.progress))
}

async fn cancel(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    sound("cancel", stage.client.jobs().cancel(&lease.job_id, &Stage::cause()).await)?;
    let pulse = sound("heartbeat", stage.beat(&lease).await)?;
    holds(pulse.cancel_requested, || "the heartbeat does not tell".to_owned())?;
    sound("complete", stage.complete(&lease, Stage::bare(&lease)).await)?;
    stage.is_in(&lease.job_id, JobState::Succeeded).await.map(|_| ())
}

async fn cancel_and_fail(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    sound("cancel", stage.client.jobs().cancel(&lease.job_id, &Stage::cause()).await)?;
    sound("fail", stage.fail(&lease, ErrorClass::Network, None).await)?;
    stage.is_in(&lease.job_id, JobState::Cancelled).await.map(|_| ())
}

async fn log(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let line = |message: &str| NewLogLine { level: LogLevel::Info, message: message.to_owned() };
    let lines = |lines: Vec<NewLogLine>| LogLines { lease_epoch: lease.lease_epoch, lines };
    let floor = stage.floor();
    sound("log", floor.log(&lease.lease_id, &lines(vec![line("one"), line("two")])).await)?;
    let kept = sound("log", floor.log(&lease.lease_id, &lines(vec![line("three")])).await)?;
    holds(kept.last_seq == 3, || format!("lastSeq is {}", kept.last_seq))?;
    refused("no lines", floor.log(&lease.lease_id, &lines(Vec::new())).await, Code::Invalid)?;
    let page = PageQuery { page_token: None, page_size: Some(2) };
    let listed = sound("log", stage.client.jobs().log(&lease.job_id, &page).await)?;
    let told: Vec<_> = listed.items.iter().map(|line| (line.seq, line.message.as_str())).collect();
    holds(told == [(3, "three"), (2, "two")], || format!("the log is {told:?}"))
}

fn completion(lease: &stella_contract::lease::WorkLease, left: Vec<NamedArtifact>) -> CompleteLease {
    CompleteLease { outputs_hash: outputs_hash(&left), artifacts: left, ..Stage::bare(lease) }
}

async fn artifact(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let mut left = Vec::new();
    for (name, bytes) in [("b.txt", &b"two"[..]), ("a.txt", &b"one"[..])] {
        let kept = sound("put", stage.put(&lease, name, "text/plain", bytes, None).await)?;
        holds(kept.digest == digest::of_bytes(bytes), || format!("{name} is kept as {}", kept.digest))?;
        left.push(NamedArtifact { name: kept.name, digest: kept.digest });
    }
    let wish = CompleteLease { result: Some(json!({ "found": 2 })), ..completion(&lease, left) };
    let done = sound("complete", stage.complete(&lease, wish.clone()).await)?;
    holds(done.outputs_hash == wish.outputs_hash, || "the job has another outputs hash".to_owned())?;
    let listed = sound("artifacts", stage.client.jobs().artifacts(&lease.job_id).await)?.items;
    let names: Vec<&str> = listed.iter().map(|one| one.name.as_str()).collect();
    holds(names == ["a.txt", "b.txt"], || format!("the artifacts are {names:?}"))?;
    let bytes = sound("artifact", stage.client.core().artifact(&listed[0].digest).await)?;
    holds(bytes == "one", || "the bytes are others".to_owned())
}

async fn wrong_digest(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let wrong = Some(digest::of_bytes(b"other"));
    let put = stage.put(&lease, "a.txt", "text/plain", b"one", wrong).await;
    refused("put", put, Code::ArtifactDigestMismatch)?;
    stage.is_in(&lease.job_id, JobState::Running).await?;
    sound("complete", stage.complete(&lease, Stage::bare(&lease)).await).map(|_| ())
}

async fn canonical_json(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let sent = br#"{ "b": 1.0, "a": [] }"#;
    let own = stage.put(&lease, "a.json", "application/json", sent, None).await;
    refused("put under the digest of the bytes as sent", own, Code::ArtifactDigestMismatch)?;
    let canonical = digest::of_bytes(br#"{"a":[],"b":1}"#);
    let put = stage.put(&lease, "a.json", "application/json", sent, Some(canonical.clone())).await;
    let kept = sound("put under the digest of the canonical form", put)?;
    holds(kept.size_bytes == 14, || format!("it is kept with {} bytes", kept.size_bytes))
}

async fn same_name(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    sound("put", stage.put(&lease, "a.txt", "text/plain", b"one", None).await)?;
    sound("the same again", stage.put(&lease, "a.txt", "text/plain", b"one", None).await)?;
    let other = stage.put(&lease, "a.txt", "text/plain", b"two", None).await;
    refused("other bytes", other, Code::Conflict)
}

async fn wrong_outputs_hash(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let wish = CompleteLease { outputs_hash: Some(digest::of_bytes(b"other")), ..Stage::bare(&lease) };
    refused("complete", stage.complete(&lease, wish).await, Code::ArtifactDigestMismatch)?;
    stage.is_in(&lease.job_id, JobState::Running).await.map(|_| ())
}

async fn unbrought_artifact(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let left = vec![NamedArtifact { name: "a.txt".to_owned(), digest: digest::of_bytes(b"one") }];
    refused("complete", stage.complete(&lease, completion(&lease, left)).await, Code::Invalid)?;
    stage.is_in(&lease.job_id, JobState::Running).await.map(|_| ())
}

async fn complete_twice(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let kept = sound("put", stage.put(&lease, "a.txt", "text/plain", b"one", None).await)?;
    let wish = completion(&lease, vec![NamedArtifact { name: kept.name, digest: kept.digest }]);
    let first = sound("complete", stage.complete(&lease, wish.clone()).await)?;
    let second = sound("the second complete", stage.complete(&lease, wish).await)?;
    holds(first == second, || "the second answer is another".to_owned())
}

async fn other_complete(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    sound("complete", stage.complete(&lease, Stage::bare(&lease)).await)?;
    let wish = CompleteLease { outputs_hash: Some(digest::of_bytes(b"other")), ..Stage::bare(&lease) };
    refused("the other complete", stage.complete(&lease, wish).await, Code::AlreadyFinished)
}

async fn complete_after_fail(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    sound("fail", stage.fail(&lease, ErrorClass::Validation, None).await)?;
    refused("complete", stage.complete(&lease, Stage::bare(&lease)).await, Code::AlreadyFinished)?;
    stage.is_in(&lease.job_id, JobState::Failed).await.map(|_| ())
}

async fn fail_for_good(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let job = sound("fail", stage.fail(&lease, ErrorClass::ParseError, None).await)?;
    holds(job.state == JobState::Failed, || format!("the job is {}", job.state))?;
    holds(job.error_code.as_deref() == Some("CONFORMANCE"), || format!("its code is {:?}", job.error_code))
}

async fn fail_and_wait(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let job = sound("fail", stage.fail(&lease, ErrorClass::Network, None).await)?;
    let told = (job.state, job.wait_reason, job.next_eligible_at.is_some());
    holds(told == (JobState::Pending, Some(WaitReason::Backoff), true), || format!("the job is {told:?}"))?;
    refused("heartbeat", stage.beat(&lease).await, Code::LeaseLost)
}

async fn fail_as_told(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let job = sound("fail", stage.fail(&lease, ErrorClass::Network, Some(false)).await)?;
    holds(job.state == JobState::Failed, || format!("the job is {}", job.state))
}

fn giving_back(lease: &stella_contract::lease::WorkLease) -> ReleaseLease {
    ReleaseLease { lease_epoch: lease.lease_epoch, reason: "conformance".to_owned() }
}

async fn release(stage: Stage) -> Result<(), String> {
    let lease = stage.claimed(stage.wish()).await?;
    let job = sound("release", stage.floor().release(&lease.lease_id, &giving_back(&lease)).await)?;
    holds(job.state == JobState::Queued && job.attempt == 0, || {
        format!("the job is {} at attempt {}", job.state, job.attempt)
    })?;
    refused("ack", stage.ack(&lease).await, Code::LeaseLost)
}

async fn release_running(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let given = stage.floor().release(&lease.lease_id, &giving_back(&lease)).await;
    refused("release", given, Code::LeaseLost)?;
    stage.is_in(&lease.job_id, JobState::Running).await.map(|_| ())
}

async fn epochs_rise(stage: Stage) -> Result<(), String> {
    let first = stage.claimed(stage.wish()).await?;
    sound("release", stage.floor().release(&first.lease_id, &giving_back(&first)).await)?;
    let second = stage.claim(1).await?.pop().ok_or("the released job is not given again")?;
    holds(second.lease_epoch > first.lease_epoch, || "the epoch did not rise".to_owned())?;
    holds(second.lease_id != first.lease_id, || "the lease is the same".to_owned())?;
    refused("the old lease", stage.ack(&first).await, Code::LeaseLost)
}

async fn order(stage: Stage) -> Result<(), String> {
    let mut jobs = Vec::new();
    for priority in [25, 50, 50, 90] {
        jobs.push(stage.submit(SubmitJob { priority: Some(priority), ..stage.wish() }).await?.job_id);
    }
    let given: Vec<_> = stage.claim(4).await?.into_iter().map(|lease| lease.job_id).collect();
    let expected = [&jobs[3], &jobs[1], &jobs[2], &jobs[0]].map(Clone::clone);
    holds(given == expected, || format!("they were given as {given:?}"))
}

async fn several(stage: Stage) -> Result<(), String> {
    for _ in 0..3 {
        stage.submit(stage.wish()).await?;
    }
    let mut ids: Vec<_> = Vec::new();
    for max in [2, 2, 2] {
        ids.extend(stage.claim(max).await?.into_iter().map(|lease| lease.job_id));
    }
    holds(ids.len() == 3, || format!("{} were given", ids.len()))?;
    ids.sort();
    ids.dedup();
    holds(ids.len() == 3, || "one was given twice".to_owned())
}

async fn dependency(stage: Stage) -> Result<(), String> {
    let up = stage.submit(stage.wish()).await?;
    let down = stage.submit_after(&up).await?;
    holds(down.wait_reason == Some(WaitReason::Dependency), || {
        format!("it waits for {:?}", down.wait_reason)
    })?;
    let given = stage.claim(4).await?;
    let lease = match given.as_slice() {
        [only] if only.job_id == up.job_id => only,
        _ => return Err(format!("{} jobs were given at first", given.len())),
    };
    sound("ack", stage.ack(lease).await)?;
    sound("complete", stage.complete(lease, Stage::bare(lease)).await)?;
    let next: Vec<_> = stage.claim(4).await?.into_iter().map(|lease| lease.job_id).collect();
    holds(next == [down.job_id], || "the dependent job is not given".to_owned())
}

async fn drain(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    stage.submit(stage.wish()).await?;
    sound("drain", stage.client.core().drain_worker(&stage.worker, &Stage::cause()).await)?;
    let pulse = sound("heartbeat", stage.beat(&lease).await)?;
    holds(pulse.drain, || "the heartbeat does not tell".to_owned())?;
    let given = sound("claim", stage.floor().claim(&claim_of(&stage)).await)?;
    let is_told = given.is_some_and(|given| given.drain && given.leases.is_empty());
    holds(is_told, || "the claim does not tell".to_owned())?;
    sound("complete", stage.complete(&lease, Stage::bare(&lease)).await).map(|_| ())
}

/// A custom source that only this case reads, and the lease of the job that reads it, started.
async fn reading(stage: &Stage) -> Result<(SourceId, WorkLease), String> {
    let (sources, why) = (stage.client.sources(), Stage::cause());
    let wish = AddSource {
        name: stage.job_type.clone(),
        source_type: SourceType::Custom,
        location: "/conformance/feed".to_owned(),
    };
    let source = sound("add source", sources.add(&wish, &why).await)?.source_id;
    let own = UpdateSource { job_type: Some(stage.job_type.clone()), ..UpdateSource::default() };
    sound("update source", sources.update(&source, &own, &why).await)?;
    let job = sound("run source", sources.run(&source, &RunSource::default(), &why).await)?;
    let lease = stage.claim(1).await?.pop().filter(|lease| lease.job_id == job.job_id);
    let lease = lease.ok_or("claim: the job of the source is not given")?;
    sound("ack", stage.ack(&lease).await)?;
    Ok((source, lease))
}

fn up_to(start: Option<Micros>, end: Micros) -> ReadUpTo {
    ReadUpTo { start, end, newest: None, last_event_hash: None, cursor: Some("page-7".to_owned()) }
}

async fn watermark(stage: Stage) -> Result<(), String> {
    let (source, lease) = reading(&stage).await?;
    let (start, end) = (Micros(1_700_000_000_000_000), Micros(1_700_003_600_000_000));
    let wish = CompleteLease { watermark: Some(up_to(Some(start), end)), ..Stage::bare(&lease) };
    sound("complete", stage.complete(&lease, wish).await)?;
    let kept = sound("watermarks", stage.client.sources().watermarks(&source).await)?;
    let whole = kept.items.iter().find(|one| one.partition.is_empty());
    let told = whole.map(|one| (one.coverage_from, one.low_watermark, one.cursor.as_deref()));
    holds(told == Some((Some(start), Some(end), Some("page-7"))), || format!("it was kept as {told:?}"))
}

async fn watermark_of_nothing(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let (_, of_source) = reading(&stage).await?;
    let (once, never) = (Micros(1_000_000), Micros(4_000_000_000_000_000));
    for (lease, end) in [(&lease, once), (&of_source, never)] {
        let wish = CompleteLease { watermark: Some(up_to(None, end)), ..Stage::bare(lease) };
        refused("complete", stage.complete(lease, wish).await, Code::Invalid)?;
        sound("complete", stage.complete(lease, Stage::bare(lease)).await)?;
    }
    Ok(())
}

async fn quarantine(stage: Stage) -> Result<(), String> {
    let lease = stage.started(stage.wish()).await?;
    let waiting = stage.submit(stage.wish()).await?;
    let core = stage.client.core();
    sound("quarantine", core.quarantine_worker(&stage.worker, &Stage::cause()).await)?;
    refused("heartbeat", stage.beat(&lease).await, Code::LeaseLost)?;
    refused("complete", stage.complete(&lease, Stage::bare(&lease)).await, Code::LeaseLost)?;
    refused("claim", stage.floor().claim(&claim_of(&stage)).await, Code::InvalidTransition)?;
    sound("resume", core.resume_worker(&stage.worker, &Stage::cause()).await)?;
    let given = stage.claim(1).await?.pop();
    holds(given.is_some_and(|given| given.job_id == waiting.job_id), || "nothing is given again".to_owned())
}
