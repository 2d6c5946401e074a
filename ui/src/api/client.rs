//! One typed method per endpoint. Paths stand here and nowhere else in the interface.

use super::problem::Problem;
use super::transport::{Request, Transport, accepted, read};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::rc::Rc;
use stella_contract::api::{IDEMPOTENCY_HEADER, Method, REASON_HEADER, TENANT_HEADER, TICKET_HEADER};
use stella_contract::artifact::Artifact;
use stella_contract::event::{RunMessages, RunMessagesQuery};
use stella_contract::finding::{ExplainQuery, Explanation, Finding, FindingChange, FindingFilter};
use stella_contract::history::{ChainCheck, HistoryEntry};
use stella_contract::ids::{JobId, RunId, SourceId, TargetId, Tenant};
use stella_contract::job::{Cause, Job, JobDetail, JobFilter, SubmitJob};
use stella_contract::overview::Overview;
use stella_contract::page::{Page, PageQuery};
use stella_contract::preview::{Preview, PreviewRequest};
use stella_contract::route::{encode, encode_query};
use stella_contract::run::{RetryRun, Run, RunFilter, StartRun};
use stella_contract::segment::Segment;
use stella_contract::session::{OpenSession, OpenedSession, Session};
use stella_contract::source::{AddSource, RunSource, Source, SourceFilter};
use stella_contract::target::{SbomImported, SbomPlace, Target, TargetFilter};
use stella_contract::worker::Worker;

/// What every method answers.
pub type Result<T> = std::result::Result<T, Problem>;

/// The core, seen through one transport as one tenant. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    transport: Rc<dyn Transport>,
    tenant: Option<Tenant>,
}

impl PartialEq for Api {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.transport, &other.transport) && self.tenant == other.tenant
    }
}

impl Api {
    /// The core behind this transport, before a tenant is known.
    pub fn new(transport: Rc<dyn Transport>) -> Self {
        Self { transport, tenant: None }
    }

    /// The same core as another tenant.
    pub fn as_tenant(&self, tenant: Option<Tenant>) -> Self {
        Self { transport: self.transport.clone(), tenant }
    }

    /// The tenant asked for.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// The way to the core.
    pub fn transport(&self) -> &Rc<dyn Transport> {
        &self.transport
    }

    /// The headers every request carries.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        self.tenant.iter().map(|tenant| (TENANT_HEADER, tenant.to_string())).collect()
    }

    /// Exchanges the one-time token of the address for a session's.
    pub async fn open_session(&self, one_time_token: String) -> Result<OpenedSession> {
        let body = serde_json::to_string(&OpenSession { one_time_token }).map_err(unwritable)?;
        self.post("/api/v1/session:open".into(), Some(body), &Cause::default()).await
    }
    /// Who is asking, and of which core.
    pub async fn session(&self) -> Result<Session> {
        self.get("/api/v1/session".into()).await
    }
    /// The figures of Jobs & Queues.
    pub async fn overview(&self) -> Result<Overview> {
        self.get("/api/v1/overview".into()).await
    }

    /// A page of jobs.
    pub async fn jobs(&self, filter: &JobFilter, page: &PageQuery) -> Result<Page<Job>> {
        self.get(with_query("/api/v1/jobs", filter, page)?).await
    }
    /// One job.
    pub async fn job(&self, id: &JobId) -> Result<JobDetail> {
        self.get(format!("/api/v1/jobs/{id}")).await
    }
    /// A page of what was written down about a job.
    pub async fn job_history(&self, id: &JobId, page: &PageQuery) -> Result<Page<HistoryEntry>> {
        self.get(with_query(&format!("/api/v1/jobs/{id}/history"), &(), page)?).await
    }
    /// Submits a job.
    pub async fn submit_job(&self, wish: &SubmitJob) -> Result<Job> {
        self.post_json("/api/v1/jobs".into(), wish, &Cause::default()).await
    }
    /// Cancels a job.
    pub async fn cancel_job(&self, id: &JobId, cause: &Cause) -> Result<Job> {
        self.post(format!("/api/v1/jobs/{id}:cancel"), None, cause).await
    }
    /// Walks the tenant's whole history.
    pub async fn verify_history(&self) -> Result<ChainCheck> {
        self.get("/api/v1/history/verify".into()).await
    }
    /// What a job left.
    pub async fn job_artifacts(&self, id: &JobId) -> Result<Page<Artifact>> {
        self.get(format!("/api/v1/jobs/{id}/artifacts")).await
    }
    /// The text of an artifact.
    pub async fn artifact(&self, digest: &str) -> Result<String> {
        let path = format!("/api/v1/artifacts/{}", encode(digest));
        let answer = self.send(Method::Get, path.clone(), None, &Cause::default()).await?;
        accepted(&path, &answer).map(str::to_owned)
    }

    /// A page of workers.
    pub async fn workers(&self, page: &PageQuery) -> Result<Page<Worker>> {
        self.get(with_query("/api/v1/workers", &(), page)?).await
    }

    /// A page of sources.
    pub async fn sources(&self, filter: &SourceFilter, page: &PageQuery) -> Result<Page<Source>> {
        self.get(with_query("/api/v1/sources", filter, page)?).await
    }
    /// One source.
    pub async fn source(&self, id: &SourceId) -> Result<Source> {
        self.get(format!("/api/v1/sources/{id}")).await
    }
    /// Adds a source.
    pub async fn add_source(&self, wish: &AddSource) -> Result<Source> {
        self.post_json("/api/v1/sources".into(), wish, &Cause::default()).await
    }
    /// Reads a source now; answers with the job that does it.
    pub async fn run_source(&self, id: &SourceId, wish: &RunSource, cause: &Cause) -> Result<Job> {
        self.post_json(format!("/api/v1/sources/{id}:run"), wish, cause).await
    }

    /// A page of targets.
    pub async fn targets(&self, filter: &TargetFilter, page: &PageQuery) -> Result<Page<Target>> {
        self.get(with_query("/api/v1/targets", filter, page)?).await
    }
    /// One target.
    pub async fn target(&self, id: &TargetId) -> Result<Target> {
        self.get(format!("/api/v1/targets/{id}")).await
    }
    /// Imports an SBOM, given as the JSON text it is.
    pub async fn import_sbom(&self, place: &SbomPlace, sbom: String) -> Result<SbomImported> {
        let path = with_query("/api/v1/sboms", place, &())?;
        self.post(path, Some(sbom), &Cause::default()).await
    }

    /// A page of runs.
    pub async fn runs(&self, filter: &RunFilter, page: &PageQuery) -> Result<Page<Run>> {
        self.get(with_query("/api/v1/runs", filter, page)?).await
    }
    /// One run.
    pub async fn run(&self, id: &RunId) -> Result<Run> {
        self.get(format!("/api/v1/runs/{id}")).await
    }
    /// What a run would touch.
    pub async fn preview_run(&self, wish: &PreviewRequest) -> Result<Preview> {
        self.post_json("/api/v1/runs:preview".into(), wish, &Cause::default()).await
    }
    /// Starts a run.
    pub async fn start_run(&self, wish: &StartRun, cause: &Cause) -> Result<Run> {
        self.post_json("/api/v1/runs".into(), wish, cause).await
    }
    /// Cancels a run.
    pub async fn cancel_run(&self, id: &RunId, cause: &Cause) -> Result<Run> {
        self.post(format!("/api/v1/runs/{id}:cancel"), None, cause).await
    }
    /// Repeats a run; answers with the new one.
    pub async fn retry_run(&self, id: &RunId, how: RetryRun, cause: &Cause) -> Result<Run> {
        self.post_json(format!("/api/v1/runs/{id}:retry"), &how, cause).await
    }
    /// A page of a run's segments.
    pub async fn segments(&self, id: &RunId, page: &PageQuery) -> Result<Page<Segment>> {
        self.get(with_query(&format!("/api/v1/runs/{id}/segments"), &(), page)?).await
    }
    /// A page of what a run changed.
    pub async fn run_changes(&self, id: &RunId, page: &PageQuery) -> Result<Page<FindingChange>> {
        self.get(with_query(&format!("/api/v1/runs/{id}/deltas"), &(), page)?).await
    }
    /// What a run's stream told since; waits for news as long as the query says.
    pub async fn run_messages(&self, id: &RunId, query: &RunMessagesQuery) -> Result<RunMessages> {
        self.get(with_query(&format!("/api/v1/runs/{id}/messages"), query, &())?).await
    }

    /// A page of findings.
    pub async fn findings(&self, filter: &FindingFilter, page: &PageQuery) -> Result<Page<Finding>> {
        self.get(with_query("/api/v1/findings", filter, page)?).await
    }
    /// Why a finding stands.
    pub async fn explain(&self, query: &ExplainQuery) -> Result<Explanation> {
        self.get(with_query("/api/v1/findings/explain", query, &())?).await
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T> {
        let answer = self.send(Method::Get, path.clone(), None, &Cause::default()).await?;
        read(&path, &answer)
    }

    pub(super) async fn post_json<T: DeserializeOwned>(
        &self,
        path: String,
        wish: &impl Serialize,
        cause: &Cause,
    ) -> Result<T> {
        let body = serde_json::to_string(wish).map_err(unwritable)?;
        self.post(path, Some(body), cause).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: String,
        body: Option<String>,
        cause: &Cause,
    ) -> Result<T> {
        let answer = self.send(Method::Post, path.clone(), body, cause).await?;
        read(&path, &answer)
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: String,
        body: Option<String>,
        cause: &Cause,
    ) -> Result<super::transport::Answer> {
        let mut headers = self.headers();
        headers.push(("accept", "application/json".into()));
        if body.is_some() {
            headers.push(("content-type", "application/json".into()));
        }
        if let Some(reason) = &cause.reason {
            headers.push((REASON_HEADER, one_line(reason)));
        }
        if let Some(ticket) = &cause.ticket {
            headers.push((TICKET_HEADER, one_line(ticket)));
        }
        if method == Method::Post {
            headers.push((IDEMPOTENCY_HEADER, super::chance::key()));
        }
        self.transport.send(Request { method, path, headers, body }).await
    }
}

/// One line without control characters, as a header takes it.
fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A path with the fields of two values as its query; fields that are absent are left out.
pub(super) fn with_query(path: &str, one: &impl Serialize, two: &impl Serialize) -> Result<String> {
    let mut out = path.to_owned();
    let mut glue = '?';
    for value in [serde_json::to_value(one), serde_json::to_value(two)] {
        let serde_json::Value::Object(fields) = value.map_err(unwritable)? else { continue };
        for (name, value) in fields {
            let text = match value {
                serde_json::Value::Null => continue,
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            out.push(glue);
            out.push_str(&format!("{}={}", encode_query(&name), encode_query(&text)));
            glue = '&';
        }
    }
    Ok(out)
}

pub(super) fn unwritable(error: serde_json::Error) -> Problem {
    Problem::Unreadable { path: "the request".into(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::job::JobState;

    #[test]
    fn a_query_holds_what_was_set_and_nothing_else() {
        let filter =
            JobFilter { state: Some(JobState::TimedOut), job_type: Some("a&b".into()), ..Default::default() };
        let page = PageQuery { page_size: Some(200), ..Default::default() };
        let path = with_query("/api/v1/jobs", &filter, &page).unwrap();
        assert_eq!(path, "/api/v1/jobs?jobType=a%26b&state=timed_out&page_size=200");
        assert_eq!(with_query("/x", &(), &PageQuery::default()).unwrap(), "/x");
    }

    #[test]
    fn a_reason_of_several_lines_becomes_one() {
        assert_eq!(one_line(" Größe\n5% "), "Größe 5%");
    }
}
