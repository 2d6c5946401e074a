//! What a worker says, call by call (spec 09 §9.3). [`crate::worker::Worker`] says it all in the right order.

use crate::client::{Client, Write};
use crate::error::Error;
use bytes::Bytes;
use std::time::Duration;
use stella_contract::ids::LeaseId;
use stella_contract::job::Job;
use stella_contract::lease::{
    AckLease, AckLeases, AckedLeases, ClaimWork, CompleteLease, CompleteLeases, CompletedLeases,
    DIGEST_HEADER, EPOCH_HEADER, FailLease, KIND_HEADER, LeaseArtifact, LeaseHeartbeat, LeasePulse, Leases,
    LogKept, LogLines, RegisterWorker, RegisteredWorker, ReleaseLease,
};
use stella_contract::route::encode;

/// The worker's side of the interface.
#[derive(Debug, Clone, Copy)]
pub struct Floor<'a>(&'a Client);

impl Client {
    /// The worker's side of the interface.
    pub fn floor(&self) -> Floor<'_> {
        Floor(self)
    }
}

/// Bytes to be brought for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload<'a> {
    /// Unique within the job.
    pub name: &'a str,
    /// What it is.
    pub kind: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// The digest of the bytes; of JSON, of its canonical form.
    pub digest: &'a str,
    /// The bytes.
    pub bytes: Bytes,
}

impl Floor<'_> {
    /// Introduces the worker.
    pub async fn register(self, wish: &RegisterWorker) -> Result<RegisteredWorker, Error> {
        self.0.post("/api/v1/worker/register", wish, &Write::default()).await
    }

    /// Takes ready jobs, or waits for one; `None` when none came in time.
    pub async fn claim(self, wish: &ClaimWork) -> Result<Option<Leases>, Error> {
        let wait = Duration::from_secs(u64::from(wish.wait_s.unwrap_or(0)));
        self.0.post_slow("/api/v1/worker/claim", wish, wait).await
    }

    /// The canonical payload of a held job.
    pub async fn payload(self, id: &LeaseId) -> Result<Bytes, Error> {
        self.0.get_bytes(&format!("/api/v1/worker/leases/{id}/payload"), &[]).await
    }

    /// Starts a claimed job.
    pub async fn ack(self, id: &LeaseId, wish: &AckLease) -> Result<LeasePulse, Error> {
        self.say(id, "ack", wish).await
    }

    /// Starts several claimed jobs; each is answered for itself.
    pub async fn ack_many(self, wish: &AckLeases) -> Result<AckedLeases, Error> {
        self.0.post("/api/v1/worker/leases:ack", wish, &Write::default()).await
    }

    /// Says that the job is alive, and how far it is.
    pub async fn heartbeat(self, id: &LeaseId, wish: &LeaseHeartbeat) -> Result<LeasePulse, Error> {
        self.say(id, "heartbeat", wish).await
    }

    /// Writes lines about the job.
    pub async fn log(self, id: &LeaseId, wish: &LogLines) -> Result<LogKept, Error> {
        self.say(id, "log", wish).await
    }

    /// Brings the bytes of an artifact.
    pub async fn put(self, id: &LeaseId, epoch: i64, upload: Upload<'_>) -> Result<LeaseArtifact, Error> {
        let path = format!("/api/v1/worker/leases/{id}/artifacts/{}", encode(upload.name));
        let epoch = epoch.to_string();
        let headers = [
            (EPOCH_HEADER, epoch.as_str()),
            (DIGEST_HEADER, upload.digest),
            (KIND_HEADER, upload.kind),
            ("content-type", upload.media_type),
        ];
        self.0.put_bytes(&path, &headers, upload.bytes).await
    }

    /// The job is done.
    pub async fn complete(self, id: &LeaseId, wish: &CompleteLease) -> Result<Job, Error> {
        self.say(id, "complete", wish).await
    }

    /// Several jobs are done; each is answered for itself.
    pub async fn complete_many(self, wish: &CompleteLeases) -> Result<CompletedLeases, Error> {
        self.0.post("/api/v1/worker/leases:complete", wish, &Write::default()).await
    }

    /// The attempt failed.
    pub async fn fail(self, id: &LeaseId, wish: &FailLease) -> Result<Job, Error> {
        self.say(id, "fail", wish).await
    }

    /// Gives a claimed job back unstarted.
    pub async fn release(self, id: &LeaseId, wish: &ReleaseLease) -> Result<Job, Error> {
        self.say(id, "release", wish).await
    }

    async fn say<B, T>(self, id: &LeaseId, verb: &str, wish: &B) -> Result<T, Error>
    where
        B: serde::Serialize + Sync,
        T: serde::de::DeserializeOwned,
    {
        self.0.post(&format!("/api/v1/worker/leases/{id}:{verb}"), wish, &Write::default()).await
    }
}
