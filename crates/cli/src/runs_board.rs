//! `stella runs trends|alerts|events|export|evidence|escalate`: runs over a day, and what is taken away of them.

use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::runs::{Filter, Which};
use crate::table::{Table, or_dash};
use clap::Args;
use std::path::PathBuf;
use stella_contract::dead_letter::ExportFormat;
use stella_contract::event::FeedEvent;
use stella_contract::ids::RunId;
use stella_contract::run_alert::{RunAlert, RunAlerts};
use stella_contract::run_export::{ExportRuns, RunEvidence};
use stella_contract::run_trends::{BacklogPoint, RunTrends};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Only this run; may be given again. All that match the filter when none is named.
    #[arg(long = "run", value_name = "RUN")]
    runs: Vec<RunId>,
    #[command(flatten)]
    filter: Filter,
    /// The form of the file.
    #[arg(long = "as", value_name = "ndjson|csv", default_value = "ndjson")]
    form: ExportFormat,
    /// Write the file and its manifest into this folder instead of printing the file.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Export {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let wish = ExportRuns::of(self.filter.read(), &self.runs, self.form);
        let made = door.client.runs().export(&wish).await?;
        let manifest = &made.manifest;
        match &self.out {
            None => output.text(&made.content)?,
            Some(folder) => {
                let said = serde_json::to_string_pretty(manifest).map_err(std::io::Error::from)?;
                write(&folder.join(&manifest.file_name), &made.content)?;
                write(&folder.join(format!("{}.manifest.json", manifest.file_name)), &format!("{said}\n"))?;
            }
        }
        eprintln!("{} runs, sha256 {}, {}", manifest.count, manifest.sha256, manifest.file_name);
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Evidence {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

impl Evidence {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let (runs, id) = (door.client.runs(), self.which.id()?);
        let page = self.paging.read(async |page| runs.evidence(id, &page).await).await?;
        output.page(&page, of_evidence)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Escalate {
    #[command(flatten)]
    which: Which,
    /// Write the text into this folder instead of printing it.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Escalate {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let made = door.client.runs().escalation(self.which.id()?).await?;
        let Some(folder) = &self.out else { return output.text(&made.text) };
        let place = folder.join(&made.file_name);
        write(&place, &made.text)?;
        eprintln!("{}. Nothing was sent.", place.display());
        Ok(())
    }
}

fn write(place: &std::path::Path, text: &str) -> Result<(), Failure> {
    std::fs::write(place, text).map_err(Failure::file(format!("{} cannot be written", place.display())))
}

pub(crate) async fn trends(door: &Door, output: &Output) -> Result<(), Failure> {
    output.show(&door.client.runs().trends().await?, of_trends)
}

pub(crate) async fn alerts(door: &Door, output: &Output) -> Result<(), Failure> {
    let found = door.client.runs().alerts().await?;
    if found.items.is_empty() && !output.as_json() {
        eprintln!("Nothing is wrong.");
        return Ok(());
    }
    output.show(&found, of_alerts)
}

pub(crate) async fn events(paging: &Paging, door: &Door, output: &Output) -> Result<(), Failure> {
    let runs = door.client.runs();
    let page = paging.read(async |page| runs.events(&page).await).await?;
    output.page(&page, of_events)
}

fn of_trends(trends: &RunTrends) -> Table {
    let seconds =
        |ms: Option<i64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1_000.0));
    let series = &trends.series;
    let last = trends.backlog.last();
    let backlog = |of: fn(&BacklogPoint) -> i64| or_dash(last.map(of).as_ref());
    Table::of_one([
        ("scheduler_queue_depth", series.queue_depth.to_string()),
        ("scheduler_runs_active", series.runs_active.to_string()),
        (
            "scheduler_runs_error_total",
            format!("{} ({} in 24 h)", series.runs_error_total, series.runs_error_24h),
        ),
        (
            "scheduler_runs_duration_seconds",
            format!(
                "mean {}, 95% within {}, of {} runs in 24 h",
                seconds(series.duration_mean_ms),
                seconds(series.duration_p95_ms),
                series.runs_ended_24h
            ),
        ),
        ("planner backlog", backlog(|point| point.planner)),
        ("executor backlog", backlog(|point| point.executor)),
        ("runs by trigger, 24 h", by_trigger(trends)),
    ])
}

fn by_trigger(trends: &RunTrends) -> String {
    let mut sums = std::collections::BTreeMap::new();
    for one in trends.hours.iter().flat_map(|hour| &hour.by_trigger) {
        *sums.entry(one.trigger).or_insert(0) += one.count;
    }
    let said: Vec<String> = sums.iter().map(|(trigger, count)| format!("{trigger} {count}")).collect();
    if said.is_empty() { "none".to_owned() } else { said.join(", ") }
}

fn of_alerts(alerts: &RunAlerts) -> Table {
    Table::new(&["SEVERITY", "SINCE", "WHAT", "RUN", "NEXT"]).rows(&alerts.items, |alert: &RunAlert| {
        [
            alert.severity.to_string(),
            alert.since.to_string(),
            alert.fact(),
            or_dash(alert.run_id.as_ref()),
            alert.next_step().to_owned(),
        ]
    })
}

fn of_events(events: &[FeedEvent]) -> Table {
    Table::new(&["NO", "WHEN", "EVENT", "RUN", "STATE", "CODE"]).rows(events, |event| {
        let said = |name: &str| event.data[name].as_str().unwrap_or("-").to_owned();
        [
            event.seq.to_string(),
            event.at.to_string(),
            event.kind.clone(),
            event.id.clone(),
            said("state"),
            said("errorCode"),
        ]
    })
}

fn of_evidence(evidence: &[RunEvidence]) -> Table {
    Table::new(&["SHARD", "NO", "NAME", "BYTES", "DIGEST", "JOB"]).rows(evidence, |one| {
        [
            one.shard.to_string(),
            one.ordinal.to_string(),
            one.artifact.name.clone(),
            one.artifact.size_bytes.to_string(),
            one.artifact.digest.clone(),
            one.artifact.job_id.to_string(),
        ]
    })
}
