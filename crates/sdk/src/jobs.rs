//! Jobs (spec 01).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::history::HistoryEntry;
use stella_contract::ids::JobId;
use stella_contract::job::{Job, JobDetail, JobFilter, SubmitJob};
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

    /// Cancels a job, or asks its worker to.
    pub async fn cancel(self, id: &JobId, write: &Write) -> Result<Job, Error> {
        self.0.post_nothing(&format!("{JOBS}/{id}:cancel"), write).await
    }
}
