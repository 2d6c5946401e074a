//! Jobs (spec 01).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::artifact::Artifact;
use stella_contract::blocker::Explanation;
use stella_contract::dag::Dag;
use stella_contract::edge::{AddEdges, AddedEdges};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::JobId;
use stella_contract::job::{Job, JobDetail, JobFilter, PrioritizeJob, SubmitJob};
use stella_contract::lease::LogLine;
use stella_contract::lineage::Lineage;
use stella_contract::page::{Page, PageQuery};

const JOBS: &str = "/api/v1/jobs";

/// The jobs of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Jobs<'a>(&'a Client);

impl Client {
    /// The tenant's jobs.
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs(self)
    }
}

impl<'a> Jobs<'a> {
    /// Why a job is not running: everything that holds it.
    pub async fn explain(self, id: &JobId) -> Result<Explanation, Error> {
        self.0.get(&format!("{JOBS}/{id}/explain"), &[]).await
    }

    /// One page of the jobs that the filter lets through.
    pub async fn list(self, filter: &JobFilter, page: &PageQuery) -> Result<Page<Job>, Error> {
        self.0.get(JOBS, &[filter, page]).await
    }

    /// Every job that the filter lets through.
    pub fn all(self, filter: JobFilter) -> Rows<'a, Job> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// One job with its payload, attempts and artifacts.
    pub async fn get(self, id: &JobId) -> Result<JobDetail, Error> {
        self.0.get(&format!("{JOBS}/{id}"), &[]).await
    }

    /// One page of what was written down about a job, newest first.
    pub async fn history(self, id: &JobId, page: &PageQuery) -> Result<Page<HistoryEntry>, Error> {
        self.0.get(&format!("{JOBS}/{id}/history"), &[page]).await
    }

    /// Hands in a job.
    pub async fn submit(self, wish: &SubmitJob, write: &Write) -> Result<Job, Error> {
        self.0.post(JOBS, wish, write).await
    }

    /// Gives a failed job another try: the new job.
    pub async fn retry(self, id: &JobId, write: &Write) -> Result<Job, Error> {
        self.0.post_nothing(&format!("{JOBS}/{id}:retry"), write).await
    }

    /// Does an ended job once more, at high priority: the new job.
    pub async fn replay(self, id: &JobId, write: &Write) -> Result<Job, Error> {
        self.0.post_nothing(&format!("{JOBS}/{id}:replay"), write).await
    }

    /// Lets an open job come sooner or later.
    pub async fn prioritize(self, id: &JobId, priority: i32, write: &Write) -> Result<Job, Error> {
        self.0.post(&format!("{JOBS}/{id}:prioritize"), &PrioritizeJob { priority }, write).await
    }

    /// The graph around a job.
    pub async fn dag(self, id: &JobId) -> Result<Dag, Error> {
        self.0.get(&format!("{JOBS}/{id}/dag"), &[]).await
    }

    /// A job with everything it repeats and everything that repeats it.
    pub async fn lineage(self, id: &JobId) -> Result<Lineage, Error> {
        self.0.get(&format!("{JOBS}/{id}/lineage"), &[]).await
    }

    /// What a job left, by name.
    pub async fn artifacts(self, id: &JobId) -> Result<Page<Artifact>, Error> {
        self.0.get(&format!("{JOBS}/{id}/artifacts"), &[]).await
    }

    /// One page of what workers wrote about a job, newest first.
    pub async fn log(self, id: &JobId, page: &PageQuery) -> Result<Page<LogLine>, Error> {
        self.0.get(&format!("{JOBS}/{id}/log"), &[page]).await
    }

    /// Makes jobs wait for others, all or none.
    pub async fn add_edges(self, edges: &AddEdges, write: &Write) -> Result<AddedEdges, Error> {
        self.0.post("/api/v1/edges", edges, write).await
    }

    /// Cancels a job, or asks its worker to.
    pub async fn cancel(self, id: &JobId, write: &Write) -> Result<Job, Error> {
        self.0.post_nothing(&format!("{JOBS}/{id}:cancel"), write).await
    }
}
