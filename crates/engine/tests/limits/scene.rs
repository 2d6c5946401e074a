//! What several tests do.

use crate::support::World;
use stella_contract::blocker::{BlockerKind, Explanation};
use stella_contract::ids::JobId;
use stella_contract::job::{Job, JobState, WaitReason};
use stella_contract::quota::{AddQuota, Quota};
use stella_engine::work::Lease;

/// A quota of the tests' job type whose burst is no bound.
pub(crate) fn wide() -> AddQuota {
    AddQuota { job_type: "exam".to_owned(), burst: Some(1_000), ..AddQuota::default() }
}

impl World {
    pub(crate) async fn quota(&self, wish: AddQuota) -> Quota {
        self.engine.quotas().add(&self.caller, wish).await.unwrap()
    }
    pub(crate) async fn idle(&self) {
        self.engine.run_until_idle().await.unwrap();
    }
    pub(crate) async fn explain(&self, id: &JobId) -> Explanation {
        self.engine.jobs().explain(&self.caller, id).await.unwrap()
    }
    /// What holds a job, beside that nobody works.
    pub(crate) async fn held_by(&self, id: &JobId) -> Vec<BlockerKind> {
        let kinds = self.explain(id).await.blockers.into_iter().map(|blocker| blocker.kind);
        kinds.filter(|kind| *kind != BlockerKind::NoWorker).collect()
    }
    pub(crate) async fn waits(&self, id: &JobId) -> Option<WaitReason> {
        self.job(id).await.wait_reason
    }
    pub(crate) async fn submit_many(&self, n: usize) -> Vec<Job> {
        let mut jobs = Vec::with_capacity(n);
        for _ in 0..n {
            jobs.push(self.submitted().await);
        }
        jobs
    }
    /// Claims and starts as many as it gets.
    pub(crate) async fn start_many(&self, n: usize) -> Vec<Lease> {
        let leases = self.claim(n).await;
        let fences: Vec<_> = leases.iter().map(|lease| lease.fence.clone()).collect();
        if !fences.is_empty() {
            self.engine.work().ack(&fences).await.unwrap();
        }
        leases
    }
    pub(crate) async fn count(&self, jobs: &[Job], state: JobState) -> usize {
        let mut count = 0;
        for job in jobs {
            count += usize::from(self.state(&job.job_id).await == state);
        }
        count
    }
}
