//! Where a case is played: a worker of its own and a job type of its own.

use crate::client::{Client, Write};
use crate::error::Error;
use crate::floor::Floor;
use crate::floor::Upload;
use bytes::Bytes;
use serde_json::{Value, json};
use stella_bundle::digest;
use stella_contract::edge::Dependency;
use stella_contract::error::Code;
use stella_contract::ids::{JobId, WorkerId};
use stella_contract::job::{Cause, ErrorClass, Job, JobState, SubmitJob};
use stella_contract::lease::{
    AckLease, ClaimWork, CompleteLease, FailLease, LeaseHeartbeat, LeasePulse, RegisterWorker, WorkLease,
};

/// A worker and a job type for one case.
#[derive(Debug, Clone)]
pub struct Stage {
    pub(crate) client: Client,
    pub(crate) worker: WorkerId,
    pub(crate) job_type: String,
    pub(crate) heartbeat_s: i64,
}

/// Says where a call that had to succeed did not.
pub(crate) fn sound<T>(what: &str, result: Result<T, Error>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error}"))
}

/// Says where what has to hold does not.
pub(crate) fn holds(condition: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(what()) }
}

/// Says where a call was not refused with this code.
pub(crate) fn refused<T>(what: &str, result: Result<T, Error>, code: Code) -> Result<(), String> {
    match result {
        Ok(_) => Err(format!("{what}: it was taken, and {code} was expected")),
        Err(error) => match error.problem() {
            Some(problem) if problem.code == code => Ok(()),
            _ => Err(format!("{what}: {error}, and {code} was expected")),
        },
    }
}

impl Stage {
    /// Registers a worker for the case.
    pub(crate) async fn open(client: Client, case: &str) -> Result<Self, String> {
        let introduce = |job_types: Vec<String>| RegisterWorker {
            name: format!("conformance-{case}"),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sdk: Some("conformance".to_owned()),
            hostname: "conformance".to_owned(),
            job_types,
            concurrency: 4,
            task_runner_id: Some("conformance-runner".to_owned()),
        };
        // The server's own id of a first worker makes the job type one that nobody else has.
        let wish = introduce(vec!["conformance".to_owned()]);
        let first = sound("register", client.floor().register(&wish).await)?;
        let unique: String = first.worker_id.uuid().chars().filter(char::is_ascii_hexdigit).collect();
        let job_type = format!("conformance.{}.{unique}", case.to_ascii_lowercase());
        let own = sound("register", client.floor().register(&introduce(vec![job_type.clone()])).await)?;
        Ok(Self { client, worker: own.worker_id, job_type, heartbeat_s: own.heartbeat_s })
    }

    pub(crate) fn floor(&self) -> Floor<'_> {
        self.client.floor()
    }

    pub(crate) fn wish(&self) -> SubmitJob {
        SubmitJob {
            job_type: self.job_type.clone(),
            payload: json!({ "n": 1 }),
            project: Some("conformance".to_owned()),
            correlation_id: Some(format!("case-{}", self.job_type)),
            ..SubmitJob::default()
        }
    }

    pub(crate) async fn submit(&self, wish: SubmitJob) -> Result<Job, String> {
        sound("submit", self.client.jobs().submit(&wish, &Write::default()).await)
    }

    pub(crate) async fn submit_after(&self, job: &Job) -> Result<Job, String> {
        let on = Dependency { job_id: job.job_id.clone(), kind: stella_contract::edge::EdgeKind::OnSuccess };
        self.submit(SubmitJob { depends_on: vec![on], ..self.wish() }).await
    }

    pub(crate) async fn claim(&self, max: u32) -> Result<Vec<WorkLease>, String> {
        let wish =
            ClaimWork { worker_id: self.worker.clone(), job_types: Vec::new(), max: Some(max), wait_s: None };
        let given = sound("claim", self.floor().claim(&wish).await)?;
        Ok(given.map_or_else(Vec::new, |given| given.leases))
    }

    /// Submits a job and claims it.
    pub(crate) async fn claimed(&self, wish: SubmitJob) -> Result<WorkLease, String> {
        let job = self.submit(wish).await?;
        let lease = self.claim(1).await?.pop().ok_or("claim: a job was ready, and none was given")?;
        holds(lease.job_id == job.job_id, || {
            format!("claim: {} was given for {}", lease.job_id, job.job_id)
        })?;
        Ok(lease)
    }

    /// Submits a job, claims it and starts it.
    pub(crate) async fn started(&self, wish: SubmitJob) -> Result<WorkLease, String> {
        let lease = self.claimed(wish).await?;
        sound("ack", self.ack(&lease).await)?;
        Ok(lease)
    }

    pub(crate) async fn ack(&self, lease: &WorkLease) -> Result<LeasePulse, Error> {
        self.floor().ack(&lease.lease_id, &AckLease { lease_epoch: lease.lease_epoch }).await
    }

    pub(crate) async fn beat(&self, lease: &WorkLease) -> Result<LeasePulse, Error> {
        let wish = LeaseHeartbeat { lease_epoch: lease.lease_epoch, progress: None };
        self.floor().heartbeat(&lease.lease_id, &wish).await
    }

    pub(crate) async fn complete(&self, lease: &WorkLease, wish: CompleteLease) -> Result<Job, Error> {
        self.floor().complete(&lease.lease_id, &wish).await
    }

    pub(crate) fn bare(lease: &WorkLease) -> CompleteLease {
        CompleteLease {
            lease_epoch: lease.lease_epoch,
            artifacts: Vec::new(),
            outputs_hash: None,
            result: None,
            watermark: None,
        }
    }

    pub(crate) async fn fail(
        &self,
        lease: &WorkLease,
        category: ErrorClass,
        retryable: Option<bool>,
    ) -> Result<Job, Error> {
        let wish = FailLease {
            lease_epoch: lease.lease_epoch,
            category,
            code: "CONFORMANCE".to_owned(),
            message: "It was told to fail.".to_owned(),
            http_status: None,
            host: None,
            retry_after_ms: None,
            retryable,
        };
        self.floor().fail(&lease.lease_id, &wish).await
    }

    /// Brings bytes under a digest that may be wrong.
    pub(crate) async fn put(
        &self,
        lease: &WorkLease,
        name: &str,
        media_type: &str,
        bytes: &'static [u8],
        digest: Option<String>,
    ) -> Result<stella_contract::lease::LeaseArtifact, Error> {
        let digest = digest.unwrap_or_else(|| digest::of_bytes(bytes));
        let bytes = Bytes::from_static(bytes);
        let upload = Upload { name, kind: "output", media_type, digest: &digest, bytes };
        self.floor().put(&lease.lease_id, lease.lease_epoch, upload).await
    }

    pub(crate) async fn job(&self, id: &JobId) -> Result<Job, String> {
        sound("get", self.client.jobs().get(id).await).map(|detail| detail.job)
    }

    pub(crate) async fn is_in(&self, id: &JobId, state: JobState) -> Result<Job, String> {
        let job = self.job(id).await?;
        holds(job.state == state, || format!("the job is {}, and {state} was expected", job.state))?;
        Ok(job)
    }

    pub(crate) async fn payload(&self, lease: &WorkLease) -> Result<Value, String> {
        let bytes = sound("payload", self.floor().payload(&lease.lease_id).await)?;
        let digest = digest::of_bytes(&bytes);
        holds(digest == lease.payload_digest, || {
            format!("the payload has {digest}, not its lease's digest")
        })?;
        serde_json::from_slice(&bytes).map_err(|error| format!("the payload is not JSON: {error}"))
    }

    /// Why an operator's wish of this case is made.
    pub(crate) fn cause() -> Write {
        Write {
            cause: Cause { reason: Some("conformance".to_owned()), ticket: Some("CONFORMANCE".to_owned()) },
            ..Write::default()
        }
    }
}
