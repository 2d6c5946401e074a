//! `stella metrics`, `stella events`, `stella orch stats` and `stella orch slo`: how the core is doing.

use crate::cause::{Seen, Why};
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use futures::StreamExt as _;
use stella_contract::event::FeedQuery;
use stella_contract::ids::SloId;
use stella_contract::slo::{ChangeSlo, MakeSlo, Sli, Slo};
use stella_contract::stats::JobStats;

/// How long one look at the feed waits for news.
const WAIT_MS: u64 = 25_000;

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Print what happens, as it happens, one line each.
    Tail(Tail),
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Print CloudEvents as JSON, one per line: one per entry of the history, with its hash.
    #[arg(long = "cloudevents")]
    cloud_events: bool,
    /// Go on after this number; from now on when absent. 0 starts with the first that is kept.
    #[arg(long, value_name = "NUMBER")]
    after: Option<i64>,
    /// End after so many.
    #[arg(long, value_name = "COUNT")]
    count: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SloCommand {
    /// List the objectives and how they stand.
    #[command(visible_alias = "ls")]
    List(Paging),
    /// Show one objective.
    Show(WhichSlo),
    /// Set an objective.
    Create(CreateSlo),
    /// Change an objective.
    Update(UpdateSlo),
    /// Take an objective away.
    Delete(DeleteSlo),
}

#[derive(Debug, Args)]
pub(crate) struct WhichSlo {
    /// Its id.
    #[arg(value_name = "SLO")]
    id: SloId,
}

#[derive(Debug, Args)]
pub(crate) struct CreateSlo {
    /// Its name.
    #[arg(value_name = "NAME")]
    name: String,
    /// What is counted: job_success, run_success, queue_latency, availability.
    #[arg(long)]
    sli: Sli,
    /// The share that must go well: 0.99.
    #[arg(long)]
    target: f64,
    /// Over so many days; 28 when absent.
    #[arg(long, value_name = "DAYS")]
    window_days: Option<i32>,
    /// For queue_latency: how long a job may wait.
    #[arg(long, value_name = "MS")]
    threshold_ms: Option<i64>,
    /// Only jobs of this type.
    #[arg(long = "type", value_name = "TYPE")]
    job_type: Option<String>,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateSlo {
    #[command(flatten)]
    which: WhichSlo,
    /// The share that must go well.
    #[arg(long)]
    target: Option<f64>,
    /// Its name.
    #[arg(long)]
    name: Option<String>,
    /// Whether it is watched.
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteSlo {
    #[command(flatten)]
    which: WhichSlo,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

/// The figures, as they are.
pub(crate) async fn metrics(door: &Door, output: &Output) -> Result<(), Failure> {
    output.text(&door.client.ops().metrics().await?)
}

/// How each job type is doing.
pub(crate) async fn stats(door: &Door, output: &Output) -> Result<(), Failure> {
    output.show(&door.client.ops().job_stats().await?, of_stats)
}

impl Events {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let Self::Tail(tail) = self;
        match tail.cloud_events {
            true => tail.cloud_events(door, output).await,
            false => tail.feed(door, output).await,
        }
    }
}

impl Tail {
    async fn cloud_events(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let events = door.client.ops().events(self.after).await?;
        let mut events = events.take(self.count.unwrap_or(usize::MAX));
        while let Some(event) = events.next().await {
            output.ndjson(&event?)?;
        }
        Ok(())
    }

    async fn feed(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let mut cursor = match self.after {
            Some(after) => after,
            None => door.client.feed().cursor().await?,
        };
        let mut left = self.count.unwrap_or(usize::MAX);
        while left > 0 {
            let query = FeedQuery { cursor: Some(cursor), max_wait_ms: Some(WAIT_MS) };
            let batch = door.client.feed().since(query).await?;
            if batch.reset {
                eprintln!("Events before {} are no longer kept.", batch.cursor);
            }
            cursor = batch.cursor;
            for event in batch.events.iter().take(left) {
                output.each(event, |event| {
                    let state = event.data["state"].as_str().unwrap_or("-");
                    format!("{}  {}  {}  {} {state}", event.seq, event.at, event.kind, event.id)
                })?;
            }
            left = left.saturating_sub(batch.events.len());
        }
        Ok(())
    }
}

impl SloCommand {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let ops = door.client.ops();
        let one = |slo: &Slo| of_slo(slo);
        match self {
            Self::List(paging) => {
                output.page(&paging.read(async |page| ops.slos(&page).await).await?, of_slos)
            }
            Self::Show(which) => output.show(&ops.slo(&which.id).await?, one),
            Self::Create(create) => {
                let wish = MakeSlo {
                    name: create.name.clone(),
                    sli: create.sli,
                    target: create.target,
                    window_days: create.window_days,
                    threshold_ms: create.threshold_ms,
                    job_type: create.job_type.clone(),
                    enabled: None,
                };
                output.show(&ops.make_slo(&wish, &create.why.write()).await?, one)
            }
            Self::Update(update) => {
                let wish = ChangeSlo {
                    name: update.name.clone(),
                    target: update.target,
                    enabled: update.enabled,
                    ..ChangeSlo::default()
                };
                output.show(
                    &ops.change_slo(&update.which.id, &wish, &update.seen.write(&update.why)).await?,
                    one,
                )
            }
            Self::Delete(delete) => {
                output.show(&ops.delete_slo(&delete.which.id, &delete.seen.write(&delete.why)).await?, one)
            }
        }
    }
}

fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn of_slos(slos: &[Slo]) -> Table {
    let headings = &["NAME", "TARGET", "BUDGET LEFT", "BURN 1H", "TIER", "WATCHED", "ID"];
    Table::new(headings).rows(slos, |slo| {
        let hourly = slo.status.burn.iter().find(|window| window.window == "1h");
        [
            slo.name.clone(),
            percent(slo.target),
            percent(slo.status.budget_remaining),
            hourly.map_or_else(|| "-".to_owned(), |window| format!("{:.1}", window.burn)),
            or_dash(slo.status.tier.as_ref()),
            if slo.enabled { "yes".to_owned() } else { "no".to_owned() },
            slo.slo_id.to_string(),
        ]
    })
}

fn of_slo(slo: &Slo) -> Table {
    let left = slo.status.exhausted_in_ms.map(|ms| format!("{:.1} h", ms as f64 / 3_600_000.0));
    let mut table = Table::of_one([
        ("objective", slo.slo_id.to_string()),
        ("name", slo.name.clone()),
        ("counts", slo.sli.to_string()),
        ("type", slo.job_type.clone().unwrap_or_default()),
        ("target", percent(slo.target)),
        ("threshold", slo.threshold_ms.map(|ms| format!("{ms} ms")).unwrap_or_default()),
        ("days", slo.window_days.to_string()),
        ("watched", if slo.enabled { "yes".to_owned() } else { "no".to_owned() }),
        ("bad", format!("{} of {}", slo.status.bad, slo.status.total)),
        ("budget left", percent(slo.status.budget_remaining)),
        ("used up in", left.unwrap_or_default()),
        ("tier", slo.status.tier.map(|tier| tier.to_string()).unwrap_or_default()),
        ("burning since", slo.status.burning_since.map(|at| at.to_string()).unwrap_or_default()),
        ("version", slo.version.to_string()),
    ]);
    for window in &slo.status.burn {
        let burn = format!("{:.2} ({} of {})", window.burn, window.bad, window.total);
        table.row([format!("burn {}", window.window), burn]);
    }
    table
}

fn of_stats(stats: &JobStats) -> Table {
    let headings = &[
        "TYPE",
        "PENDING",
        "QUEUED",
        "ACTIVE",
        "PER MIN",
        "FAILED 24H",
        "RATE",
        "RUN P50",
        "RUN P95",
        "OLDEST QUEUED",
    ];
    let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0} ms"));
    Table::new(headings).rows(&stats.by_type, |one| {
        [
            one.job_type.clone(),
            one.pending.to_string(),
            one.queued.to_string(),
            one.active.to_string(),
            format!("{:.1}", one.throughput_per_min),
            one.failed_24h.to_string(),
            one.failure_rate.map_or_else(|| "-".to_owned(), percent),
            ms(one.run_p50_ms),
            ms(one.run_p95_ms),
            or_dash(one.oldest_queued_at.as_ref()),
        ]
    })
}
