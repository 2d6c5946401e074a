//! `stella source`: where advisories, lists and SBOMs come from.

use crate::cause::Why;
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::source_steer;
use crate::table::{Table, or_dash};
use crate::wait::{Waiting, demand_success};
use clap::{Args, Subcommand};
use stella_contract::error::Code;
use stella_contract::ids::SourceId;
use stella_contract::job::{Job, JobDetail};
use stella_contract::source::{AddSource, IngestReport, RunSource, Source as Row, SourceFilter, SourceType};
use stella_sdk::{Client, collect_all};

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Add a source.
    Add(Add),
    /// List the sources.
    #[command(visible_alias = "ls")]
    List(ListSources),
    /// Show one source.
    Show(Which),
    /// Read sources now.
    Run(Run),
    /// Change a source.
    Update(Box<source_steer::Update>),
    /// Look at a source once; nothing is kept.
    Test(source_steer::Act),
    /// Hold a source and its backfills.
    Pause(source_steer::Act),
    /// Let a source go on.
    Resume(source_steer::Act),
    /// Show how far a source has been read: what is covered, missing, skipped, failed.
    Watermarks(Which),
    /// Send the low watermark of a source back: what lies after it is read again.
    ResetWatermark(source_steer::Reset),
    /// Let the next window pass unread; it is noted as a gap.
    SkipWindow(source_steer::Skip),
}

#[derive(Debug, Args)]
pub(crate) struct ListSources {
    /// Of this kind only.
    #[arg(long = "type", value_name = "TYPE")]
    source_type: Option<SourceType>,
    /// Those that are switched on only, or the others.
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    enabled: Option<bool>,
    /// Paused ones only, or the others.
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    paused: Option<bool>,
    #[command(flatten)]
    paging: Paging,
}

impl ListSources {
    const fn filter(&self) -> SourceFilter {
        SourceFilter { source_type: self.source_type, enabled: self.enabled, paused: self.paused }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name, unique within the tenant.
    #[arg(long)]
    name: String,
    /// What it carries: advisory, kev, vex, epss, sbom, registry or custom.
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
    pub(crate) source: String,
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
            Self::Add(_)
            | Self::List(_)
            | Self::Show(_)
            | Self::Run(_)
            | Self::Update(_)
            | Self::Test(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Watermarks(_)
            | Self::ResetWatermark(_)
            | Self::SkipWindow(_) => Labour::Resting,
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
            Self::List(list) => {
                let filter = list.filter();
                let page = list.paging.read(async |page| client.sources().list(&filter, &page).await).await?;
                output.page(&page, of_many)
            }
            Self::Show(which) => output.show(&found(client, &which.source).await?, of_one),
            Self::Run(run) => run.obey(door, output).await,
            Self::Update(update) => update.obey(door, output).await,
            Self::Test(act) => act.test(door, output).await,
            Self::Pause(act) => act.pause(door, output).await,
            Self::Resume(act) => act.resume(door, output).await,
            Self::Watermarks(which) => source_steer::watermarks(which, door, output).await,
            Self::ResetWatermark(reset) => reset.obey(door, output).await,
            Self::SkipWindow(skip) => skip.obey(door, output).await,
        }
    }
}

impl Run {
    async fn wanted(&self, client: &Client) -> Result<Vec<Row>, Failure> {
        if self.all {
            let every = collect_all(client.sources().all()).await?;
            return Ok(every.into_iter().filter(|source| source.enabled && !source.paused).collect());
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

pub(crate) fn of_one(source: &Row) -> Table {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Table::of_one([
        ("id", source.source_id.to_string()),
        ("name", source.name.clone()),
        ("type", source.source_type.to_string()),
        ("location", source.location.clone()),
        ("host", text(&source.host)),
        ("job type", source.job_type.clone()),
        ("enabled", source.enabled.to_string()),
        ("paused", source.paused.to_string()),
        ("pause reason", text(&source.pause_reason)),
        ("health", source.health.to_string()),
        ("records", source.record_count.to_string()),
        ("watermark", text(&source.watermark)),
        ("low watermark", source.low_watermark.map(|at| at.to_string()).unwrap_or_default()),
        ("lag s", source.lag_s.map(|lag| lag.to_string()).unwrap_or_default()),
        ("fetch window s", source.settings.fetch_window_s.to_string()),
        ("overlap s", source.settings.overlap_s.to_string()),
        ("allowed lateness s", source.settings.allowed_lateness_s.to_string()),
        ("retention days", source.settings.retention_days.to_string()),
        ("bucket", format!("{} at {}/s", source.settings.bucket_capacity, source.settings.bucket_rate)),
        ("auth", text(&source.settings.auth_ref)),
        ("last success", source.last_success_at.map(|at| at.to_string()).unwrap_or_default()),
        ("last error", text(&source.last_error)),
        ("error code", text(&source.last_error_code)),
        ("error class", source.last_error_class.map(|class| class.to_string()).unwrap_or_default()),
        ("failures in a row", source.failures_in_a_row.to_string()),
        ("error at", source.last_error_at.map(|at| at.to_string()).unwrap_or_default()),
        ("last job", source.last_job_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("version", source.version.to_string()),
        ("not before", source.not_before.map(|at| at.to_string()).unwrap_or_default()),
    ])
}
