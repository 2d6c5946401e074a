//! `stella orch`: the job engine from the inside: jobs, workers, and whether the history is sound.

use crate::cause::Why;
use crate::change_set::{ChangeSets, Views};
use crate::dead_letter::DeadLetters;
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::incident::Incidents;
use crate::jobs_steer::{Steer, dependency};
use crate::limits::{Limits, of_explanation};
use crate::ops;
use crate::output::Output;
use crate::paging::Paging;
use crate::scope::read_json;
use crate::table::{Table, or_dash};
use crate::wait::{Waiting, demand_success};
use crate::{backfill, change_set, source};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use stella_contract::edge::Dependency;
use stella_contract::history::{ChainCheck, HistoryEntry};
use stella_contract::ids::{JobId, RunId, WorkerId};
use stella_contract::job::{Job, JobDetail, JobFilter, JobState, SubmitJob, WaitReason};
use stella_contract::saved_view::{SavedView, ViewPage};
use stella_contract::worker::Worker;

#[derive(Debug, Subcommand)]
pub(crate) enum Orch {
    /// Jobs.
    #[command(subcommand)]
    Jobs(Box<Jobs>),
    /// One verb on many jobs: dry run, start, results.
    #[command(subcommand, name = "change-set")]
    ChangeSets(ChangeSets),
    /// Jobs that failed for good.
    #[command(subcommand, name = "deadletter", alias = "dead-letter")]
    DeadLetters(Box<DeadLetters>),
    /// What needs attention.
    #[command(subcommand, name = "incident")]
    Incidents(Incidents),
    /// Saved views.
    #[command(subcommand, name = "view")]
    Views(Views),
    /// Sources; the same as `stella source`.
    #[command(subcommand)]
    Source(source::Source),
    /// Backfills: ranges of event time, read again.
    #[command(subcommand)]
    Backfill(backfill::Backfill),
    #[command(flatten)]
    Limits(Box<Limits>),
    /// Workers.
    #[command(subcommand, visible_alias = "worker")]
    Workers(Workers),
    /// Service level objectives.
    #[command(subcommand)]
    Slo(ops::SloCommand),
    /// How each job type is doing.
    Stats,
    /// The history.
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List jobs, the newest first.
    #[command(visible_alias = "ls")]
    List(List),
    /// Show one job with its payload, attempts and artifacts.
    Show(Show),
    /// List what was written down about a job, the newest first.
    History(WhichPages),
    /// Hand in a job.
    Submit(Submit),
    /// How each job type is doing; the same as `stella orch stats`.
    Stats,
    /// Say why a job is not running: everything that holds it, and what would lift it.
    Explain(Which),
    /// Cancel a job.
    Cancel(Cancel),
    #[command(flatten)]
    Steer(Steer),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Workers {
    /// List the workers.
    #[command(visible_alias = "ls")]
    List(Paging),
    /// Let a worker take nothing new; it ends when its hands are free.
    Drain(SteerWorker),
    /// Let a worker work again.
    Resume(SteerWorker),
    /// Hear a worker no more, until it is resumed.
    Quarantine(SteerWorker),
}

#[derive(Debug, Args)]
pub(crate) struct SteerWorker {
    /// Its id.
    #[arg(value_name = "WORKER")]
    worker: WorkerId,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Walk the hash chain of the history; exit 5 names the first entry that is broken.
    Verify,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// In this state.
    #[arg(long)]
    state: Option<JobState>,
    /// Of this type.
    #[arg(long = "type", alias = "job-type", value_name = "TYPE")]
    job_type: Option<String>,
    /// Waiting for this reason.
    #[arg(long)]
    wait_reason: Option<WaitReason>,
    /// Of this run.
    #[arg(long)]
    run: Option<RunId>,
    /// Of this source, by name or id.
    #[arg(long)]
    source: Option<String>,
    /// Held or last held by this worker.
    #[arg(long)]
    worker: Option<WorkerId>,
    /// The same and more: "state:failed,timed_out type:ingest.* age:<24h".
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// As this saved view has it, by name or id.
    #[arg(
        long,
        value_name = "VIEW",
        conflicts_with_all = ["state", "job_type", "wait_reason", "run", "source", "worker", "filter"]
    )]
    view: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// A job, named after the command or by `--job`.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id.
    #[arg(value_name = "JOB", required_unless_present = "job_flag", conflicts_with = "job_flag")]
    job: Option<JobId>,
    /// The same.
    #[arg(long = "job", value_name = "JOB", id = "job_flag")]
    flag: Option<JobId>,
}

impl Which {
    pub(crate) fn id(&self) -> Result<&JobId, Failure> {
        self.job.as_ref().or(self.flag.as_ref()).ok_or_else(|| Failure::Usage("Name the job.".to_owned()))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct WhichPages {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// What it does: ingest.advisory, scan.segment, ….
    #[arg(long = "type", alias = "job-type", value_name = "TYPE")]
    job_type: String,
    /// What to work on, as a file of JSON; `-` reads it from stdin. {} when absent.
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// 0 to 100; 50 when absent.
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=100))]
    priority: Option<i32>,
    /// Attempts allowed, the first included.
    #[arg(long)]
    max_attempts: Option<i32>,
    /// Wall time of one attempt.
    #[arg(long, value_name = "SECONDS")]
    timeout_s: Option<i64>,
    /// A part of the tenant.
    #[arg(long)]
    project: Option<String>,
    /// A job it waits for: `JOB` or `JOB:on_success`, `JOB:on_completion`, `JOB:on_failure`; may be repeated.
    #[arg(long = "depends-on", value_name = "JOB[:KIND]", value_parser = dependency)]
    depends_on: Vec<Dependency>,
    /// The open run it belongs to.
    #[arg(long)]
    run: Option<RunId>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
}

impl Orch {
    /// Only who waits for a job has it done here.
    pub(crate) fn labour(&self) -> Labour {
        match self {
            Self::Jobs(jobs) => match &**jobs {
                Jobs::Submit(submit) if submit.waiting.wait => Labour::Working,
                Jobs::Show(show) if show.waiting.wait => Labour::Working,
                Jobs::List(_)
                | Jobs::Show(_)
                | Jobs::History(_)
                | Jobs::Submit(_)
                | Jobs::Cancel(_)
                | Jobs::Stats
                | Jobs::Explain(_)
                | Jobs::Steer(_) => Labour::Resting,
            },
            Self::ChangeSets(sets) => sets.labour(),
            Self::Source(source) => source.labour(),
            Self::Backfill(backfill) => backfill.labour(),
            Self::Limits(_) => Labour::Resting,
            Self::DeadLetters(_)
            | Self::Incidents(_)
            | Self::Views(_)
            | Self::Slo(_)
            | Self::Stats
            | Self::Workers(_)
            | Self::Audit(_) => Labour::Resting,
        }
    }

    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Jobs(jobs) => jobs.obey(door, output).await,
            Self::ChangeSets(sets) => sets.obey(door, output).await,
            Self::DeadLetters(dead_letters) => dead_letters.obey(door, output).await,
            Self::Incidents(incidents) => incidents.obey(door, output).await,
            Self::Views(views) => views.obey(door, output).await,
            Self::Source(source) => source.obey(door, output).await,
            Self::Backfill(backfill) => backfill.obey(door, output).await,
            Self::Limits(limits) => limits.obey(door, output).await,
            Self::Workers(workers) => workers.obey(door, output).await,
            Self::Slo(slo) => slo.obey(door, output).await,
            Self::Stats => ops::stats(door, output).await,
            Self::Audit(Audit::Verify) => verify(door, output).await,
        }
    }
}

impl Workers {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let core = door.client.core();
        let worker = match self {
            Self::List(paging) => {
                let page = paging.read(async |page| core.workers(&page).await).await?;
                return output.page(&page, of_workers);
            }
            Self::Drain(asked) => core.drain_worker(&asked.worker, &asked.why.write()).await?,
            Self::Resume(asked) => core.resume_worker(&asked.worker, &asked.why.write()).await?,
            Self::Quarantine(asked) => core.quarantine_worker(&asked.worker, &asked.why.write()).await?,
        };
        output.show(&worker, |worker| of_workers(std::slice::from_ref(worker)))
    }
}

impl Jobs {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let jobs = door.client.jobs();
        match self {
            Self::List(list) => {
                let filter = list.filter(door).await?;
                let page = list.paging.read(async |page| jobs.list(&filter, &page).await).await?;
                output.page(&page, of_many)
            }
            Self::Show(show) => {
                let id = show.which.id()?;
                if !show.waiting.wait {
                    return output.show(&jobs.get(id).await?, of_one);
                }
                let detail = show.waiting.for_job(&door.client, id).await?;
                output.show(&detail, of_one)?;
                demand_success(&detail)
            }
            Self::History(asked) => {
                let id = asked.which.id()?;
                let page = asked.paging.read(async |page| jobs.history(id, &page).await).await?;
                output.page(&page, of_history)
            }
            Self::Submit(submit) => submit.obey(door, output).await,
            Self::Stats => ops::stats(door, output).await,
            Self::Explain(which) => output.show(&jobs.explain(which.id()?).await?, of_explanation),
            Self::Cancel(cancel) => {
                let job = jobs.cancel(cancel.which.id()?, &cancel.why.write()).await?;
                output.show(&job, |job| of_many(std::slice::from_ref(job)))
            }
            Self::Steer(steer) => steer.obey(door, output).await,
        }
    }
}

impl List {
    async fn filter(&self, door: &Door) -> Result<JobFilter, Failure> {
        if let Some(named) = &self.view {
            return of_view(&change_set::found(door, ViewPage::Jobs, named).await?);
        }
        let source = match &self.source {
            Some(name) => Some(source::found(&door.client, name).await?.source_id),
            None => None,
        };
        Ok(JobFilter {
            state: self.state,
            job_type: self.job_type.clone(),
            wait_reason: self.wait_reason,
            run: self.run.clone(),
            source,
            worker: self.worker.clone(),
            filter: self.filter.clone(),
        })
    }
}

/// The filter of a saved view: what the address of its page says of the jobs.
fn of_view(view: &SavedView) -> Result<JobFilter, Failure> {
    let known = ["state", "jobType", "waitReason", "run", "source", "worker", "filter"];
    let pairs = url::form_urlencoded::parse(view.query.as_bytes());
    let fields: serde_json::Map<String, serde_json::Value> = pairs
        .filter(|(name, value)| known.contains(&&**name) && !value.is_empty())
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    serde_json::from_value(fields.into())
        .map_err(|error| Failure::Usage(format!("The view `{}` cannot be read: {error}.", view.name)))
}

impl Submit {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let payload = match &self.payload {
            Some(file) => read_json(file)?,
            None => serde_json::json!({}),
        };
        let wish = SubmitJob {
            job_type: self.job_type.clone(),
            priority: self.priority,
            payload,
            idempotency_key: self.why.idempotency_key.clone(),
            project: self.project.clone(),
            max_attempts: self.max_attempts,
            timeout_s: self.timeout_s,
            depends_on: self.depends_on.clone(),
            run_id: self.run.clone(),
            ..SubmitJob::default()
        };
        let job = door.client.jobs().submit(&wish, &self.why.write()).await?;
        if !self.waiting.wait {
            output.show(&job, |job| of_many(std::slice::from_ref(job)))?;
            door.explain_pending();
            return Ok(());
        }
        let detail = self.waiting.for_job(&door.client, &job.job_id).await?;
        output.show(&detail, of_one)?;
        demand_success(&detail)
    }
}

/// A broken chain is told like any answer, and then fails the command: integrity is exit 5.
async fn verify(door: &Door, output: &Output) -> Result<(), Failure> {
    let check = door.client.core().verify_history().await?;
    output.show(&check, of_check)?;
    let Some(broken) = &check.broken else { return Ok(()) };
    Err(Failure::Ended {
        what: format!("The history is broken at entry {}: {}", broken.seq, broken.why),
        next: Some(
            "Stop writing to this ledger, keep a copy of it, and compare it with the last backup.".to_owned(),
        ),
        exit: 5,
    })
}

fn of_check(check: &ChainCheck) -> Table {
    Table::of_one([
        ("entries", check.entries.to_string()),
        ("sound to", check.verified_to.to_string()),
        ("history", if check.broken.is_none() { "sound".to_owned() } else { "broken".to_owned() }),
    ])
}

pub(crate) fn of_many(jobs: &[Job]) -> Table {
    let headings = &["JOB", "TYPE", "STATE", "WAITS FOR", "PRIORITY", "ATTEMPT", "CREATED"];
    Table::new(headings).rows(jobs, |job| {
        [
            job.job_id.to_string(),
            job.job_type.clone(),
            job.state.to_string(),
            or_dash(job.wait_reason.as_ref()),
            job.priority.to_string(),
            format!("{}/{}", job.attempt, job.max_attempts),
            job.created_at.to_string(),
        ]
    })
}

fn of_one(detail: &JobDetail) -> Table {
    let job = &detail.job;
    let at =
        |time: Option<stella_contract::time::Micros>| time.map(|time| time.to_string()).unwrap_or_default();
    let error = match (&job.error_message, &job.error_code) {
        (Some(message), Some(code)) => format!("{message} ({code})"),
        (Some(said), None) | (None, Some(said)) => said.clone(),
        (None, None) => String::new(),
    };
    let mut table = Table::of_one([
        ("job", job.job_id.to_string()),
        ("type", job.job_type.clone()),
        ("state", job.state.to_string()),
        ("waits for", job.wait_reason.map(|reason| reason.to_string()).unwrap_or_default()),
        ("eligible at", at(job.next_eligible_at)),
        ("error", error),
        ("run", job.run_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("source", job.source_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("priority", job.priority.to_string()),
        ("attempt", format!("{} of {}", job.attempt, job.max_attempts)),
        ("progress", job.progress_message.clone().unwrap_or_default()),
        ("created by", job.created_by.clone()),
        ("created", at(Some(job.created_at))),
        ("started", at(job.started_at)),
        ("ended", at(job.ended_at)),
        ("correlation", job.correlation_id.clone()),
        ("payload", detail.payload.to_string()),
        ("result", detail.result.as_ref().map(ToString::to_string).unwrap_or_default()),
    ]);
    for attempt in &detail.attempts {
        let outcome = attempt.outcome.as_deref().unwrap_or("at work");
        table.row([format!("epoch {}", attempt.lease_epoch), format!("{outcome}, {}", attempt.worker_id)]);
    }
    for artifact in &detail.artifacts {
        let what = format!("{} ({} bytes, {})", artifact.digest, artifact.size_bytes, artifact.media_type);
        table.row([artifact.name.clone(), what]);
    }
    table
}

fn of_history(entries: &[HistoryEntry]) -> Table {
    let headings = &["SEQ", "AT", "WHAT", "FROM", "TO", "WHO", "REASON"];
    Table::new(headings).rows(entries, |entry| {
        [
            entry.seq.to_string(),
            entry.occurred_at.to_string(),
            entry.kind.clone(),
            or_dash(entry.from_state.as_ref()),
            or_dash(entry.to_state.as_ref()),
            entry.actor.subject.clone(),
            or_dash(entry.reason.as_ref()),
        ]
    })
}

fn of_workers(workers: &[Worker]) -> Table {
    let headings = &["NAME", "STATE", "BUSY", "LAST HEARTBEAT", "JOB TYPES", "ID"];
    Table::new(headings).rows(workers, |worker| {
        [
            worker.name.clone(),
            worker.state.to_string(),
            format!("{}/{}", worker.in_flight, worker.concurrency),
            worker.last_heartbeat_at.to_string(),
            worker.job_types.join(" "),
            worker.worker_id.to_string(),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_lists_what_the_address_of_its_page_shows() {
        let of = |query: &str| {
            let view = serde_json::json!({
                "viewId": "view_01890000-0000-7000-8000-000000000001", "page": "jobs", "name": "mine",
                "query": query, "origin": "operator", "version": 1,
            });
            of_view(&serde_json::from_value(view).unwrap())
        };
        let read = of("filter=state%3Afailed+type%3Aingest.*&page=2").unwrap();
        assert_eq!(read.filter.as_deref(), Some("state:failed type:ingest.*"));
        let old = of("state=timed_out&jobType=scan.segment").unwrap();
        assert_eq!((old.state, old.job_type.as_deref()), (Some(JobState::TimedOut), Some("scan.segment")));
        assert_eq!(of("").unwrap(), JobFilter::default());
        assert!(of("state=asleep").is_err());
    }
}
