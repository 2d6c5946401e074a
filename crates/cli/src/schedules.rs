//! `stella schedules`: when runs start by themselves.

use crate::cause::{Seen, Why};
use crate::door::{Door, Labour};
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::runs;
use crate::schedule_tables as tables;
use crate::schedule_wish::{Add, Set};
use crate::wait::Waiting;
use clap::{Args, Subcommand};
use stella_contract::error::Code;
use stella_contract::ids::ScheduleId;
use stella_contract::run::RunMode;
use stella_contract::schedule::{
    PauseSchedule, PreviewSchedule, Schedule, ScheduleFilter, ScheduleState, TriggerSchedule, UpcomingQuery,
};
use stella_contract::time::Micros;
use stella_sdk::{Client, collect_all};

#[derive(Debug, Subcommand)]
pub(crate) enum Schedules {
    /// List schedules, next fire first.
    #[command(visible_alias = "ls")]
    List(List),
    /// Show one schedule.
    Show(Which),
    /// Add a schedule.
    Add(Box<Add>),
    /// Change a schedule.
    Set(Box<Set>),
    /// Pause a schedule, by hand or until a time; its fires are dropped.
    Pause(Pause),
    /// Let a paused schedule fire again.
    Resume(Act),
    /// Switch a schedule on.
    Enable(Act),
    /// Switch a schedule off.
    Disable(Act),
    /// Start a run of a schedule now.
    Run(Run),
    /// Remove a schedule; its runs stay.
    Remove(Act),
    /// Say when a cron text fires, in words and in times; nothing is kept.
    Preview(PreviewOf),
    /// List what became of a schedule's fires, newest first.
    Fires(Fires),
    /// List the coming fires of all schedules.
    Upcoming(Upcoming),
    /// Say how the scheduler is doing.
    Health,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// enabled, paused or disabled.
    #[arg(long)]
    state: Option<ScheduleState>,
    /// Whose runs do this.
    #[arg(long)]
    mode: Option<RunMode>,
    /// Whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its name or id.
    #[arg(value_name = "SCHEDULE")]
    pub(crate) schedule: String,
}

#[derive(Debug, Args)]
pub(crate) struct Act {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    act: Act,
    /// Resume by itself at this time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = runs::time)]
    until: Option<Micros>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    which: Which,
    /// Start it even beside a run of the schedule that is still open.
    #[arg(long)]
    allow_overlap: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Args)]
pub(crate) struct PreviewOf {
    /// Five fields in quotes, or @hourly, @daily, @weekly, @monthly.
    #[arg(value_name = "CRON", required_unless_present = "schedule", conflicts_with = "schedule")]
    cron: Option<String>,
    /// The IANA zone in which it is read.
    #[arg(long, value_name = "ZONE", default_value = "UTC", conflicts_with = "schedule")]
    timezone: String,
    /// The cron text of this schedule, with its blackouts.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,
    /// As if it were paused until this time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = runs::time)]
    until: Option<Micros>,
}

#[derive(Debug, Args)]
pub(crate) struct Fires {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct Upcoming {
    /// Of this schedule only.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,
}

impl Schedules {
    /// Only who waits for a run has its segments evaluated here.
    pub(crate) fn labour(&self) -> Labour {
        match self {
            Self::Run(run) if run.waiting.wait => Labour::Working,
            Self::List(_)
            | Self::Show(_)
            | Self::Add(_)
            | Self::Set(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Enable(_)
            | Self::Disable(_)
            | Self::Run(_)
            | Self::Remove(_)
            | Self::Preview(_)
            | Self::Fires(_)
            | Self::Upcoming(_)
            | Self::Health => Labour::Resting,
        }
    }

    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let schedules = door.client.schedules();
        match self {
            Self::List(list) => {
                let filter = ScheduleFilter { state: list.state, mode: list.mode, name: list.name.clone() };
                let page = list.paging.read(async |page| schedules.list(&filter, &page).await).await?;
                output.page(&page, tables::of_many)
            }
            Self::Show(which) => output.show(&which.found(&door.client).await?, tables::of_one),
            Self::Add(add) => {
                let made = schedules.make(&add.wish()?, &add.why.write()).await?;
                output.show(&made, tables::of_one)
            }
            Self::Set(set) => {
                let before = set.which.found(&door.client).await?;
                let wish = set.wish((before.limits, before.notify))?;
                let changed = schedules.change(&before.schedule_id, &wish, &set.seen.write(&set.why)).await?;
                output.show(&changed, tables::of_one)
            }
            Self::Pause(pause) => {
                let id = pause.act.which.id(&door.client).await?;
                let wish = PauseSchedule { resume_at: pause.until };
                let paused = schedules.pause(&id, &wish, &pause.act.write()).await?;
                output.show(&paused, tables::of_one)
            }
            Self::Resume(act) => {
                let id = act.which.id(&door.client).await?;
                output.show(&schedules.resume(&id, &act.write()).await?, tables::of_one)
            }
            Self::Enable(act) => {
                let id = act.which.id(&door.client).await?;
                output.show(&schedules.enable(&id, &act.write()).await?, tables::of_one)
            }
            Self::Disable(act) => {
                let id = act.which.id(&door.client).await?;
                output.show(&schedules.disable(&id, &act.write()).await?, tables::of_one)
            }
            Self::Run(run) => {
                let id = run.which.id(&door.client).await?;
                let wish = TriggerSchedule { allow_overlap: run.allow_overlap };
                let started = schedules.trigger(&id, &wish, &run.why.write()).await?;
                run.waiting.ended(door, output, started).await
            }
            Self::Remove(act) => {
                let id = act.which.id(&door.client).await?;
                output.show(&schedules.delete(&id, &act.write()).await?, tables::of_one)
            }
            Self::Preview(preview) => {
                let wish = preview.wish(&door.client).await?;
                output.show(&schedules.preview(&wish).await?, tables::of_preview)
            }
            Self::Fires(fires) => {
                let id = fires.which.id(&door.client).await?;
                let page = fires.paging.read(async |page| schedules.fires(&id, &page).await).await?;
                output.page(&page, tables::of_fires)
            }
            Self::Upcoming(upcoming) => {
                let schedule_id = match &upcoming.schedule {
                    Some(name) => Some(found(&door.client, name).await?.schedule_id),
                    None => None,
                };
                output.show(&schedules.upcoming(&UpcomingQuery { schedule_id }).await?, tables::of_upcoming)
            }
            Self::Health => output.show(&schedules.health().await?, tables::of_health),
        }
    }
}

impl Act {
    fn write(&self) -> stella_sdk::Write {
        self.seen.write(&self.why)
    }
}

impl Which {
    pub(crate) async fn found(&self, client: &Client) -> Result<Schedule, Failure> {
        found(client, &self.schedule).await
    }

    /// Its id; whoever gives one is believed.
    pub(crate) async fn id(&self, client: &Client) -> Result<ScheduleId, Failure> {
        match self.schedule.parse::<ScheduleId>() {
            Ok(id) => Ok(id),
            Err(_) => Ok(self.found(client).await?.schedule_id),
        }
    }
}

impl PreviewOf {
    async fn wish(&self, client: &Client) -> Result<PreviewSchedule, Failure> {
        let resume_at = self.until;
        if let Some(name) = &self.schedule {
            let of = found(client, name).await?;
            return Ok(PreviewSchedule {
                cron: of.cron,
                timezone: Some(of.timezone),
                schedule_id: Some(of.schedule_id),
                resume_at,
            });
        }
        Ok(PreviewSchedule {
            cron: self.cron.clone().unwrap_or_default(),
            timezone: Some(self.timezone.clone()),
            schedule_id: None,
            resume_at,
        })
    }
}

/// A schedule by its id, or by its name, which is unique within the tenant.
async fn found(client: &Client, name: &str) -> Result<Schedule, Failure> {
    if let Ok(id) = name.parse::<ScheduleId>() {
        return Ok(client.schedules().get(&id).await?);
    }
    let filter = ScheduleFilter { name: Some(name.to_owned()), ..ScheduleFilter::default() };
    let every = collect_all(client.schedules().all(filter)).await?;
    every.into_iter().find(|schedule| schedule.name == name).ok_or_else(|| {
        Failure::refusal(
            Code::NotFound,
            format!("There is no schedule `{name}`. stella schedules list shows them."),
        )
    })
}
