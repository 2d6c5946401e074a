//! Steering sources: change, look once, hold, let go on, watermarks.

use crate::cause::Why;
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::{Which, found, of_one};
use crate::table::{Table, or_dash};
use clap::Args;
use stella_contract::source::{SourceTested, UpdateSource};
use stella_contract::time::Micros;
use stella_contract::watermark::{ResetWatermark, SkipWindow, Watermark, Watermarks};

#[derive(Debug, Args)]
pub(crate) struct Act {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// Refuse when it is at another version by now.
    #[arg(long)]
    version: Option<i64>,
    /// Its name.
    #[arg(long)]
    name: Option<String>,
    /// A file or folder on the core's machine, or an http(s) address; `{from}`, `{to}` and `{date}` stand for a window.
    #[arg(long, value_name = "PLACE")]
    location: Option<String>,
    /// Whether it may run.
    #[arg(long)]
    enabled: Option<bool>,
    /// The type of the job that reads it; of a custom source only.
    #[arg(long, value_name = "TYPE")]
    job_type: Option<String>,
    /// The length of a live window.
    #[arg(long, value_name = "SECONDS")]
    fetch_window_s: Option<i64>,
    /// How far a live window reaches back.
    #[arg(long, value_name = "SECONDS")]
    overlap_s: Option<i64>,
    /// How late a record may come.
    #[arg(long, value_name = "SECONDS")]
    allowed_lateness_s: Option<i64>,
    /// How much is kept.
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<i64>,
    /// Requests in one go.
    #[arg(long, value_name = "REQUESTS")]
    bucket_capacity: Option<i64>,
    /// Requests per second.
    #[arg(long, value_name = "RATE")]
    bucket_rate: Option<f64>,
    /// The name of the secret that opens it; empty for none.
    #[arg(long, value_name = "NAME")]
    auth_ref: Option<String>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    which: Which,
    /// Where the low watermark goes back to.
    #[arg(long, value_parser = time, value_name = "TIME")]
    to: Micros,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Skip {
    #[command(flatten)]
    which: Which,
    /// Where the window ends; the end of the next live window when absent.
    #[arg(long, value_parser = time, value_name = "TIME")]
    end: Option<Micros>,
    #[command(flatten)]
    why: Why,
}

fn time(text: &str) -> Result<Micros, String> {
    Micros::parse(text).ok_or_else(|| "expected RFC 3339, as in 2026-11-21T09:00:00Z".to_owned())
}

impl Act {
    pub(crate) async fn test(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let source = found(&door.client, &self.which.source).await?;
        door.demand_reachable(&source.location)?;
        let seen = door.client.sources().test(&source.source_id, &self.why.write()).await?;
        output.show(&seen, of_test)
    }

    pub(crate) async fn pause(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let source = found(&door.client, &self.which.source).await?;
        output.show(&door.client.sources().pause(&source.source_id, &self.why.write()).await?, of_one)
    }

    pub(crate) async fn resume(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let source = found(&door.client, &self.which.source).await?;
        output.show(&door.client.sources().resume(&source.source_id, &self.why.write()).await?, of_one)
    }
}

impl Update {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let source = found(&door.client, &self.which.source).await?;
        let location = match &self.location {
            Some(place) => Some(door.location(place)?),
            None => None,
        };
        let wish = UpdateSource {
            version: self.version,
            name: self.name.clone(),
            location,
            enabled: self.enabled,
            job_type: self.job_type.clone(),
            fetch_window_s: self.fetch_window_s,
            overlap_s: self.overlap_s,
            allowed_lateness_s: self.allowed_lateness_s,
            retention_days: self.retention_days,
            bucket_capacity: self.bucket_capacity,
            bucket_rate: self.bucket_rate,
            auth_ref: self.auth_ref.clone(),
        };
        output.show(&door.client.sources().update(&source.source_id, &wish, &self.why.write()).await?, of_one)
    }
}

impl Reset {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let source = found(&door.client, &self.which.source).await?;
        let wish = ResetWatermark { low_watermark: self.to };
        let sources = door.client.sources();
        output.show(&sources.reset_watermark(&source.source_id, &wish, &self.why.write()).await?, of_mark)
    }
}

impl Skip {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let source = found(&door.client, &self.which.source).await?;
        let wish = SkipWindow { end: self.end };
        let sources = door.client.sources();
        output.show(&sources.skip_window(&source.source_id, &wish, &self.why.write()).await?, of_mark)
    }
}

pub(crate) async fn watermarks(which: &Which, door: &Door, output: &Output) -> Result<(), Failure> {
    let source = found(&door.client, &which.source).await?;
    output.show(&door.client.sources().watermarks(&source.source_id).await?, of_map)
}

fn of_test(seen: &SourceTested) -> Table {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut lines = vec![
        ("ok", seen.ok.to_string()),
        ("files", seen.files.to_string()),
        ("bytes", seen.bytes.to_string()),
        ("records", seen.records.to_string()),
        ("refused", seen.refused.to_string()),
        ("newest", or_dash(seen.newest.as_ref())),
        ("error code", text(&seen.error_code)),
        ("error", text(&seen.error_message)),
    ];
    let wrong = |one: &stella_contract::source::RecordProblem| {
        ("problem", format!("{} {}: {} ({})", one.file, one.path, one.message, one.code))
    };
    lines.extend(seen.errors.iter().map(wrong));
    Table::of_one(lines)
}

fn of_mark(mark: &Watermark) -> Table {
    let next = mark.next_window.map(|window| format!("{} to {}", window.start, window.end));
    let mut lines = vec![
        ("coverage from", or_dash(mark.coverage_from.as_ref())),
        ("low watermark", or_dash(mark.low_watermark.as_ref())),
        ("high watermark", or_dash(mark.high_watermark.as_ref())),
        ("lag s", or_dash(mark.lag_s.as_ref())),
        ("next window", or_dash(next.as_ref())),
    ];
    let gap = |gap: &stella_contract::watermark::Gap| {
        ("gap", format!("{} to {}: {} ({}, {})", gap.start, gap.end, gap.reason, gap.ticket, gap.by))
    };
    lines.extend(mark.gaps.iter().map(gap));
    Table::of_one(lines)
}

fn of_map(map: &Watermarks) -> Table {
    Table::new(&["FROM", "TO", "STATE"]).rows(&map.stretches, |stretch| {
        [stretch.start.to_string(), stretch.end.to_string(), stretch.state.to_string()]
    })
}
