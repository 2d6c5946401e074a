//! `stella orch backfill`: ranges of a source's event time, read again window by window.

use crate::cause::Why;
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::source;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use stella_contract::backfill::{
    Backfill as Row, BackfillFilter, BackfillOrder, BackfillState, BackfillWindow, CreateBackfill,
    OverlapPolicy, Reprocess, StartBackfill,
};
use stella_contract::ids::BackfillId;
use stella_contract::time::Micros;

#[derive(Debug, Subcommand)]
pub(crate) enum Backfill {
    /// List backfills, the newest first.
    #[command(visible_alias = "ls")]
    List(List),
    /// Draft a backfill. Nothing is read before it is previewed and started.
    Create(Box<Create>),
    /// Show one backfill.
    Show(Which),
    /// List the windows of a backfill, in the order in which they are read.
    Windows(Windows),
    /// Say what it would do: windows, requests, time, what stands in its way.
    Preview(Act),
    /// Start it on its preview.
    Start(Start),
    /// Hold it; what is under way ends.
    Pause(Act),
    /// Let it go on.
    Resume(Act),
    /// Stop it and its jobs.
    Cancel(Act),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this source, by name or id.
    #[arg(long)]
    source: Option<String>,
    /// In this state.
    #[arg(long)]
    state: Option<BackfillState>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The source, by name or id.
    #[arg(long)]
    source: String,
    /// The first moment of the range.
    #[arg(long, value_parser = time, value_name = "TIME")]
    from: Micros,
    /// The first moment after it.
    #[arg(long, value_parser = time, value_name = "TIME")]
    to: Micros,
    /// The length of a window, 3600 to 604800; 86400 when absent.
    #[arg(long, value_name = "SECONDS")]
    window_s: Option<i64>,
    /// Which windows go first: `oldest_first` or `newest_first`.
    #[arg(long)]
    order: Option<BackfillOrder>,
    /// What is read again besides what never was: none, failed or completed.
    #[arg(long)]
    reprocess: Option<Reprocess>,
    /// Windows under way at once, 1 to 16; 2 when absent.
    #[arg(long, value_name = "WINDOWS")]
    max_active: Option<i64>,
    /// The share of the source's rate it may use; 0.25 when absent.
    #[arg(long, value_name = "SHARE")]
    bucket_share: Option<f64>,
    /// Beside a live reading of the source: `buffer_all` waits, `allow_all` does not.
    #[arg(long)]
    overlap_policy: Option<OverlapPolicy>,
    /// Only to be previewed.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id.
    backfill: BackfillId,
}

#[derive(Debug, Args)]
pub(crate) struct Windows {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Act {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    which: Which,
    /// The digest of the preview that was looked at; the newest one when absent.
    #[arg(long, value_name = "DIGEST")]
    preview: Option<String>,
    #[command(flatten)]
    why: Why,
}

fn time(text: &str) -> Result<Micros, String> {
    Micros::parse(text).ok_or_else(|| "expected RFC 3339, as in 2026-11-21T09:00:00Z".to_owned())
}

impl Backfill {
    /// The windows are read by whoever runs the core.
    pub(crate) const fn labour(&self) -> Labour {
        Labour::Resting
    }

    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let backfills = door.client.backfills();
        match self {
            Self::List(list) => list.obey(door, output).await,
            Self::Create(create) => {
                let wish = create.wish(door).await?;
                output.show(&backfills.create(&wish, &create.why.write()).await?, of_one)
            }
            Self::Show(which) => output.show(&backfills.get(&which.backfill).await?, of_one),
            Self::Windows(windows) => {
                let id = &windows.which.backfill;
                let page = windows.paging.read(async |page| backfills.windows(id, &page).await).await?;
                output.page(&page, of_windows)
            }
            Self::Preview(act) => {
                output.show(&backfills.preview(&act.which.backfill, &act.why.write()).await?, of_one)
            }
            Self::Start(start) => start.obey(door, output).await,
            Self::Pause(act) => {
                output.show(&backfills.pause(&act.which.backfill, &act.why.write()).await?, of_one)
            }
            Self::Resume(act) => {
                output.show(&backfills.resume(&act.which.backfill, &act.why.write()).await?, of_one)
            }
            Self::Cancel(act) => {
                output.show(&backfills.cancel(&act.which.backfill, &act.why.write()).await?, of_one)
            }
        }
    }
}

impl List {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let source = match &self.source {
            Some(name) => Some(source::found(&door.client, name).await?.source_id),
            None => None,
        };
        let filter = BackfillFilter { source, state: self.state };
        let backfills = door.client.backfills();
        output.page(&self.paging.read(async |page| backfills.list(&filter, &page).await).await?, of_many)
    }
}

impl Create {
    async fn wish(&self, door: &Door) -> Result<CreateBackfill, Failure> {
        let source = source::found(&door.client, &self.source).await?;
        let usual = CreateBackfill::of(source.source_id, self.from, self.to);
        Ok(CreateBackfill {
            window_s: self.window_s.unwrap_or(usual.window_s),
            order: self.order.unwrap_or(usual.order),
            reprocess: self.reprocess.unwrap_or(usual.reprocess),
            max_active: self.max_active.unwrap_or(usual.max_active),
            bucket_share: self.bucket_share.unwrap_or(usual.bucket_share),
            overlap_policy: self.overlap_policy.unwrap_or(usual.overlap_policy),
            dry_run: self.dry_run,
            ..usual
        })
    }
}

impl Start {
    async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let (backfills, id) = (door.client.backfills(), &self.which.backfill);
        let preview_digest = match &self.preview {
            Some(digest) => digest.clone(),
            None => backfills.get(id).await?.preview.map(|preview| preview.digest).unwrap_or_default(),
        };
        let wish = StartBackfill { preview_digest };
        output.show(&backfills.start(id, &wish, &self.why.write()).await?, of_one)
    }
}

fn percent(row: &Row) -> String {
    format!("{:.0} %", row.progress * 100.0)
}

fn of_many(rows: &[Row]) -> Table {
    let header = ["ID", "SOURCE", "FROM", "TO", "STATE", "DONE", "FAILED", "PLANNED", "PROGRESS"];
    Table::new(&header).rows(rows, |row| {
        [
            row.backfill_id.to_string(),
            row.source_name.clone(),
            row.request.from.to_string(),
            row.request.to.to_string(),
            row.state.to_string(),
            row.done.to_string(),
            row.failed.to_string(),
            row.planned.to_string(),
            percent(row),
        ]
    })
}

fn of_one(row: &Row) -> Table {
    let at = |time: Option<Micros>| time.map(|time| time.to_string()).unwrap_or_default();
    let request = &row.request;
    let mut lines = vec![
        ("id", row.backfill_id.to_string()),
        ("source", row.source_name.clone()),
        ("from", request.from.to_string()),
        ("to", request.to.to_string()),
        ("window s", request.window_s.to_string()),
        ("order", request.order.to_string()),
        ("reprocess", request.reprocess.to_string()),
        ("max active", request.max_active.to_string()),
        ("bucket share", request.bucket_share.to_string()),
        ("overlap policy", request.overlap_policy.to_string()),
        ("dry run", request.dry_run.to_string()),
        ("state", row.state.to_string()),
        ("failure reason", row.failure_reason.clone().unwrap_or_default()),
        ("planned", row.planned.to_string()),
        ("done", row.done.to_string()),
        ("failed", row.failed.to_string()),
        ("active", row.active.to_string()),
        ("progress", percent(row)),
        ("reason", row.reason.clone()),
        ("ticket", row.ticket.clone()),
        ("created by", row.created_by.clone()),
        ("created", row.created_at.to_string()),
        ("started", at(row.started_at)),
        ("ended", at(row.ended_at)),
    ];
    if let Some(preview) = &row.preview {
        lines.extend([
            ("windows", preview.window_count.to_string()),
            ("already done", preview.already_done.to_string()),
            ("left failed", preview.left_failed.to_string()),
            ("will run", preview.will_run.to_string()),
            ("requests", preview.estimated_requests.to_string()),
            ("takes s", preview.estimated_duration_s.to_string()),
            ("beyond retention", preview.retention_hits.to_string()),
            ("valid until", preview.valid_until.to_string()),
            ("preview", preview.digest.clone()),
        ]);
        let told =
            preview.collisions.iter().map(|one| ("in the way", format!("{}: {}", one.code, one.message)));
        lines.extend(told);
    }
    Table::of_one(lines)
}

fn of_windows(windows: &[BackfillWindow]) -> Table {
    Table::new(&["#", "START", "END", "STATE", "JOB", "ERROR", "ENDED"]).rows(windows, |window| {
        [
            window.position.to_string(),
            window.start.to_string(),
            window.end.to_string(),
            window.state.to_string(),
            or_dash(window.job_id.as_ref()),
            or_dash(window.error_code.as_ref()),
            or_dash(window.ended_at.as_ref()),
        ]
    })
}
