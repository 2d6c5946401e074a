//! `stella source`: where advisories, lists and SBOMs come from.

use crate::cause::Why;
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use crate::wait::{Waiting, demand_success};
use clap::{Args, Subcommand};
use stella_contract::error::Code;
use stella_contract::ids::SourceId;
use stella_contract::job::{Job, JobDetail};
use stella_contract::source::{AddSource, IngestReport, RunSource, Source as Row, SourceType};
use stella_sdk::{Client, collect_all};

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Add a source.
    Add(Add),
    /// List the sources.
    #[command(visible_alias = "ls")]
    List(Paging),
    /// Show one source.
    Show(Which),
    /// Read sources now.
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name, unique within the tenant.
    #[arg(long)]
    name: String,
    /// What it carries: advisory, kev or sbom.
    #[arg(long = "type", value_name = "TYPE")]
    source_type: SourceType,
    /// A file or folder on the core's machine, or an http(s) address.
    #[arg(long, value_name = "PLACE")]
    location: String,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its name or id.
    source: String,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Names or ids.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    source: Vec<String>,
    /// Every source that is enabled.
    #[arg(long)]
    all: bool,
    /// Take the feed even if it came empty or shrank by more than half.
    #[arg(long, requires = "reason")]
    force: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    why: Why,
}

impl Source {
    /// Only who waits for a job has it done here.
    pub(crate) fn labour(&self) -> Labour {
        match self {
            Self::Run(run) if run.waiting.wait => Labour::Working,
            Self::Add(_) | Self::List(_) | Self::Show(_) | Self::Run(_) => Labour::Resting,
        }
    }

    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let client = &door.client;
        match self {
            Self::Add(add) => {
                let wish = AddSource {
                    name: add.name.clone(),
                    source_type: add.source_type,
                    location: door.location(&add.location)?,
                };
                output.show(&client.sources().add(&wish, &add.why.write()).await?, of_one)
            }
            Self::List(paging) => {
                let page = paging.read(async |page| client.sources().list(&page).await).await?;
                output.page(&page, of_many)
            }
            Self::Show(which) => output.show(&found(client, &which.source).await?, of_one),
            Self::Run(run) => run.obey(door, output).await,
        }
    }
}

impl Run {
    async fn wanted(&self, client: &Client) -> Result<Vec<Row>, Failure> {
        if self.all {
            let every = collect_all(client.sources().all()).await?;
            return Ok(every.into_iter().filter(|source| source.enabled).collect());
        }
        let mut wanted = Vec::new();
        for name in &self.source {
            wanted.push(found(client, name).await?);
        }
        Ok(wanted)
    }

    /// All are started before the first is waited for, so that they are read side by side.
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let client = &door.client;
        let wanted = self.wanted(client).await?;
        if wanted.is_empty() {
            return Err(Failure::Usage("There is no source to read. Add one: stella source add.".to_owned()));
        }
        let mut started: Vec<(Row, Job)> = Vec::new();
        for source in wanted {
            door.demand_reachable(&source.location)?;
            let wish = RunSource { force: self.force };
            let job = client.sources().run(&source.source_id, &wish, &self.why.write()).await?;
            started.push((source, job));
        }
        if !self.waiting.wait {
            for (source, job) in &started {
                output.each(job, |job| format!("{}  {}  {}", source.name, job.job_id, job.state))?;
            }
            door.explain_pending();
            return Ok(());
        }
        let mut outcome = Ok(());
        for (source, job) in &started {
            let detail = self.waiting.for_job(client, &job.job_id).await?;
            output.each(&detail, |detail| outcome_line(&source.name, detail))?;
            outcome = outcome.and_then(|()| demand_success(&detail));
        }
        outcome
    }
}

/// A source by its id, or by its name, which is unique within the tenant.
pub(crate) async fn found(client: &Client, name: &str) -> Result<Row, Failure> {
    if let Ok(id) = name.parse::<SourceId>() {
        return Ok(client.sources().get(&id).await?);
    }
    let every = collect_all(client.sources().all()).await?;
    every.into_iter().find(|source| source.name == name).ok_or_else(|| {
        Failure::refusal(
            Code::NotFound,
            format!("There is no source `{name}`. stella source list shows them."),
        )
    })
}

fn outcome_line(name: &str, detail: &JobDetail) -> String {
    let report = detail.result.clone().and_then(|result| serde_json::from_value::<IngestReport>(result).ok());
    match report {
        Some(report) if report.unchanged => format!("{name}  unchanged, {} records", report.records),
        Some(report) => {
            let mut line = format!(
                "{name}  {} records: {} added, {} changed, {} removed, {} refused",
                report.records, report.added, report.changed, report.removed, report.refused
            );
            for problem in &report.errors {
                line.push_str(&format!(
                    "\n  {} {}: {} ({})",
                    problem.file, problem.path, problem.message, problem.code
                ));
            }
            for warning in &report.warnings {
                line.push_str(&format!("\n  warning: {warning}"));
            }
            line
        }
        None => format!("{name}  {}", detail.job.state),
    }
}

fn of_many(sources: &[Row]) -> Table {
    Table::new(&["NAME", "TYPE", "HEALTH", "RECORDS", "LAST SUCCESS", "LOCATION"]).rows(sources, |source| {
        [
            source.name.clone(),
            source.source_type.to_string(),
            source.health.to_string(),
            source.record_count.to_string(),
            or_dash(source.last_success_at.as_ref()),
            source.location.clone(),
        ]
    })
}

fn of_one(source: &Row) -> Table {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Table::of_one([
        ("id", source.source_id.to_string()),
        ("name", source.name.clone()),
        ("type", source.source_type.to_string()),
        ("location", source.location.clone()),
        ("enabled", source.enabled.to_string()),
        ("health", source.health.to_string()),
        ("records", source.record_count.to_string()),
        ("watermark", text(&source.watermark)),
        ("last success", source.last_success_at.map(|at| at.to_string()).unwrap_or_default()),
        ("last error", text(&source.last_error)),
        ("error code", text(&source.last_error_code)),
        ("error at", source.last_error_at.map(|at| at.to_string()).unwrap_or_default()),
        ("last job", source.last_job_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("not before", source.not_before.map(|at| at.to_string()).unwrap_or_default()),
    ])
}
