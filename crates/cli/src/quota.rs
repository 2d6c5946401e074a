//! `stella orch quota`: how many jobs of a tenant and type may be at work at once and in an hour.

use crate::cause::{Seen, Why};
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand};
use stella_contract::ids::QuotaId;
use stella_contract::quota::{
    AddQuota, ChangeQuota, DrainEstimate, ExportFormat, ExportQuery, PauseQuota, Quota, QuotaFilter,
    QuotaStrategy, QuotaSummary, WhatIf,
};
use stella_contract::time::Micros;

#[derive(Debug, Subcommand)]
pub(crate) enum Quotas {
    /// List quotas by job type.
    #[command(visible_alias = "ls")]
    List(List),
    /// Show one quota and how it is used.
    Show {
        /// Its id.
        quota: QuotaId,
    },
    /// All quotas in figures.
    Summary,
    /// Change a quota, or make one for --type.
    Set(Box<Set>),
    /// Take a quota away.
    Delete(On),
    /// Let nothing new start under a quota.
    Pause(Pause),
    /// Let jobs start under a quota again.
    Resume(On),
    /// Print a snapshot of all quotas, as JSON or CSV.
    Export {
        /// The form.
        #[arg(long = "as", value_name = "json|csv", default_value = "json")]
        form: ExportFormat,
    },
    /// When the backlog would be gone under another limit.
    WhatIf(Imagine),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this job type.
    #[arg(long = "type", alias = "job-type", value_name = "TYPE")]
    job_type: Option<String>,
    /// Paused ones, or those that are not.
    #[arg(long, value_name = "true|false")]
    paused: Option<bool>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Its id; a new one is made for --type.
    #[arg(required_unless_present = "job_type")]
    quota: Option<QuotaId>,
    /// The job type of a new one; `*` bounds the whole tenant.
    #[arg(long = "type", id = "job_type", alias = "job-type", value_name = "TYPE", conflicts_with = "quota")]
    job_type: Option<String>,
    /// Jobs at work at once.
    #[arg(long)]
    max_active: Option<i64>,
    /// Jobs started within any sixty minutes.
    #[arg(long)]
    max_per_hour: Option<i64>,
    /// Jobs that may start in one go.
    #[arg(long)]
    burst: Option<i64>,
    /// How fast the burst is refilled.
    #[arg(long, value_name = "PER-SECOND")]
    refill: Option<f64>,
    /// How it shares with others.
    #[arg(long)]
    strategy: Option<QuotaStrategy>,
    /// Its weight among proportional quotas.
    #[arg(long)]
    weight: Option<i64>,
    /// Places that are its own.
    #[arg(long)]
    reserved: Option<i64>,
    /// When it goes back to what it was.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "quota")]
    revert_at: Option<Micros>,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct On {
    /// Its id.
    quota: QuotaId,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// Its id.
    quota: QuotaId,
    /// When the pause ends by itself.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Micros>,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Imagine {
    /// The job type; `*` for all.
    #[arg(long = "type", alias = "job-type", value_name = "TYPE")]
    job_type: String,
    /// Jobs at work at once.
    #[arg(long)]
    max_active: Option<i64>,
    /// Jobs started within an hour.
    #[arg(long)]
    max_per_hour: Option<i64>,
}

/// A time as the interface spells it.
pub(crate) fn parse_time(text: &str) -> Result<Micros, String> {
    Micros::parse(text).ok_or_else(|| "expected a time such as 2026-11-21T18:00:00Z".to_owned())
}

impl Quotas {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let quotas = door.client.quotas();
        let quota = match self {
            Self::List(list) => {
                let filter = QuotaFilter { job_type: list.job_type.clone(), paused: list.paused };
                let page = list.paging.read(async |page| quotas.list(&filter, &page).await).await?;
                return output.page(&page, of_many);
            }
            Self::Summary => return output.show(&quotas.summary().await?, of_summary),
            Self::Export { form } => {
                let bytes = quotas.export(&ExportQuery { format: Some(*form) }).await?;
                return output.text(&String::from_utf8_lossy(&bytes));
            }
            Self::WhatIf(imagine) => {
                let wish = WhatIf {
                    job_type: imagine.job_type.clone(),
                    max_active: imagine.max_active,
                    max_per_hour: imagine.max_per_hour,
                };
                return output.show(&quotas.what_if(&wish).await?, of_estimate);
            }
            Self::Show { quota } => quotas.get(quota).await?,
            Self::Set(set) => set.obey(door).await?,
            Self::Delete(on) => quotas.delete(&on.quota, &on.seen.write(&on.why)).await?,
            Self::Pause(pause) => {
                let wish = PauseQuota { until: pause.until };
                quotas.pause(&pause.quota, &wish, &pause.seen.write(&pause.why)).await?
            }
            Self::Resume(on) => quotas.resume(&on.quota, &on.seen.write(&on.why)).await?,
        };
        output.show(&quota, of_one)
    }
}

impl Set {
    async fn obey(&self, door: &Door) -> Result<Quota, Failure> {
        let (quotas, write) = (door.client.quotas(), self.seen.write(&self.why));
        if let Some(id) = &self.quota {
            let wish = ChangeQuota {
                max_active: self.max_active,
                max_per_hour: self.max_per_hour,
                burst: self.burst,
                refill_per_second: self.refill,
                strategy: self.strategy,
                weight: self.weight,
                reserved: self.reserved,
                revert_at: self.revert_at,
            };
            return Ok(quotas.change(id, &wish, &write).await?);
        }
        let wish = AddQuota {
            job_type: self.job_type.clone().unwrap_or_default(),
            max_active: self.max_active,
            max_per_hour: self.max_per_hour,
            burst: self.burst,
            refill_per_second: self.refill,
            strategy: self.strategy,
            weight: self.weight,
            reserved: self.reserved,
        };
        Ok(quotas.add(&wish, &write).await?)
    }
}

fn of_many(quotas: &[Quota]) -> Table {
    let headings = &["QUOTA", "TYPE", "ACTIVE", "THIS HOUR", "WAITING", "TOKENS", "PAUSED", "STRATEGY"];
    Table::new(headings).rows(quotas, |quota| {
        [
            quota.quota_id.to_string(),
            quota.job_type.clone(),
            format!("{}/{}", quota.live.active, quota.limits.max_active),
            format!("{}/{}", quota.live.used_last_hour, quota.limits.max_per_hour),
            quota.live.waiting.to_string(),
            format!("{:.1}", quota.live.tokens),
            if quota.paused { "yes".to_owned() } else { "-".to_owned() },
            quota.limits.strategy.to_string(),
        ]
    })
}

fn of_one(quota: &Quota) -> Table {
    let at = |time: Option<Micros>| time.map(|time| time.to_string()).unwrap_or_default();
    let (limits, live) = (&quota.limits, &quota.live);
    Table::of_one([
        ("quota", quota.quota_id.to_string()),
        ("type", quota.job_type.clone()),
        ("active", format!("{} of {}", live.active, limits.max_active)),
        ("this hour", format!("{} of {}", live.used_last_hour, limits.max_per_hour)),
        (
            "burst",
            format!("{:.1} of {}, {:.3} per second", live.tokens, limits.burst, limits.refill_per_second),
        ),
        ("strategy", limits.strategy.to_string()),
        ("weight", limits.weight.to_string()),
        ("reserved", limits.reserved.to_string()),
        ("waiting", live.waiting.to_string()),
        ("refused this hour", live.refused_last_hour.to_string()),
        ("room at", at(live.next_reset_at)),
        ("paused", quota.pause_reason.clone().unwrap_or_default()),
        ("paused until", at(quota.paused_until)),
        ("goes back at", at(quota.revert_at)),
        ("changed by", quota.updated_by.clone()),
        ("changed", at(Some(quota.updated_at))),
        ("version", quota.version.to_string()),
    ])
}

fn of_summary(summary: &QuotaSummary) -> Table {
    let mut table = Table::of_one([
        ("quotas", format!("{}, {} paused", summary.quotas, summary.paused)),
        ("active", summary.active.to_string()),
        ("waiting", summary.waiting.to_string()),
        ("started this hour", summary.used_last_hour.to_string()),
        ("refused this hour", summary.refused_last_hour.to_string()),
    ]);
    for held in &summary.held_by {
        table.row([format!("held by {}", held.wait_reason), held.jobs.to_string()]);
    }
    for quota in &summary.tightest {
        let used = format!("{} of {} at work", quota.live.active, quota.limits.max_active);
        table.row([quota.job_type.clone(), used]);
    }
    table
}

fn of_estimate(estimate: &DrainEstimate) -> Table {
    Table::of_one([
        ("type", estimate.job_type.clone()),
        ("backlog", estimate.backlog.to_string()),
        ("active", estimate.active.to_string()),
        ("ending", format!("{:.2} per minute", estimate.throughput_per_minute)),
        ("coming", format!("{:.2} per minute", estimate.arrivals_per_minute)),
        (
            "would end",
            estimate.projected_per_minute.map(|rate| format!("{rate:.2} per minute")).unwrap_or_default(),
        ),
        ("bound by", estimate.bound_by.to_string()),
        ("gone at", or_dash(estimate.drained_at.as_ref())),
        ("gone at, as it is", or_dash(estimate.drained_at_now.as_ref())),
    ])
}
