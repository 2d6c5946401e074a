//! The endpoints of the job engine beyond lists and single jobs: figures by type, graphs, lineage, runs over time, and
//! the verbs on jobs and workers.

use super::client::{Api, Result};
use stella_contract::dag::Dag;
use stella_contract::gantt::Gantt;
use stella_contract::ids::{JobId, RunId, WorkerId};
use stella_contract::job::{Cause, Job, PrioritizeJob};
use stella_contract::lineage::Lineage;
use stella_contract::stats::JobStats;
use stella_contract::worker::Worker;

/// What an operator may ask of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerVerb {
    /// Takes nothing new.
    Drain,
    /// Works again.
    Resume,
    /// Is not listened to any more.
    Quarantine,
}

impl WorkerVerb {
    /// As the address and the command line spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Resume => "resume",
            Self::Quarantine => "quarantine",
        }
    }
}

impl Api {
    /// How each job type is doing.
    pub async fn job_stats(&self) -> Result<JobStats> {
        self.get("/api/v1/jobs/stats".into()).await
    }
    /// The graph around a job.
    pub async fn dag(&self, id: &JobId) -> Result<Dag> {
        self.get(format!("/api/v1/jobs/{id}/dag")).await
    }
    /// A job, what it repeats and what repeats it.
    pub async fn lineage(&self, id: &JobId) -> Result<Lineage> {
        self.get(format!("/api/v1/jobs/{id}/lineage")).await
    }
    /// A run over time.
    pub async fn timeline(&self, id: &RunId) -> Result<Gantt> {
        self.get(format!("/api/v1/runs/{id}/timeline")).await
    }
    /// Gives a failed job another try; answers with the new one.
    pub async fn retry_job(&self, id: &JobId, cause: &Cause) -> Result<Job> {
        self.post(format!("/api/v1/jobs/{id}:retry"), None, cause).await
    }
    /// Does an ended job once more; answers with the new one.
    pub async fn replay_job(&self, id: &JobId, cause: &Cause) -> Result<Job> {
        self.post(format!("/api/v1/jobs/{id}:replay"), None, cause).await
    }
    /// Changes the priority of an open job.
    pub async fn prioritize_job(&self, id: &JobId, wish: PrioritizeJob, cause: &Cause) -> Result<Job> {
        self.post_json(format!("/api/v1/jobs/{id}:prioritize"), &wish, cause).await
    }
    /// Drains, resumes or quarantines a worker.
    pub async fn steer_worker(&self, id: &WorkerId, verb: WorkerVerb, cause: &Cause) -> Result<Worker> {
        self.post(format!("/api/v1/workers/{id}:{}", verb.as_str()), None, cause).await
    }
}
