//! Schedules (spec 05 §5.2).

use crate::client::{Client, Write};
use crate::error::Error;
use crate::pages::{Rows, rows};
use stella_contract::ids::ScheduleId;
use stella_contract::page::{Page, PageQuery};
use stella_contract::run::Run;
use stella_contract::schedule::{
    ChangeSchedule, MakeSchedule, PauseSchedule, PreviewSchedule, Schedule, ScheduleFilter, ScheduleFire,
    SchedulePreview, SchedulerHealth, TriggerSchedule, UpcomingFires, UpcomingQuery,
};

const SCHEDULES: &str = "/api/v1/schedules";

/// The schedules of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Schedules<'a>(&'a Client);

impl Client {
    /// The tenant's schedules.
    pub fn schedules(&self) -> Schedules<'_> {
        Schedules(self)
    }
}

impl<'a> Schedules<'a> {
    /// One page of the schedules that the filter lets through, next fire first.
    pub async fn list(self, filter: &ScheduleFilter, page: &PageQuery) -> Result<Page<Schedule>, Error> {
        self.0.get(SCHEDULES, &[filter, page]).await
    }

    /// Every schedule that the filter lets through.
    pub fn all(self, filter: ScheduleFilter) -> Rows<'a, Schedule> {
        rows(move |page| {
            let filter = filter.clone();
            Box::pin(async move { self.list(&filter, &page).await })
        })
    }

    /// One schedule.
    pub async fn get(self, id: &ScheduleId) -> Result<Schedule, Error> {
        self.0.get(&format!("{SCHEDULES}/{id}"), &[]).await
    }

    /// One page of what became of its fires, newest first.
    pub async fn fires(self, id: &ScheduleId, page: &PageQuery) -> Result<Page<ScheduleFire>, Error> {
        self.0.get(&format!("{SCHEDULES}/{id}/fires"), &[page]).await
    }

    /// The coming fires of enabled schedules: of 14 days, at most 200.
    pub async fn upcoming(self, query: &UpcomingQuery) -> Result<UpcomingFires, Error> {
        self.0.get(&format!("{SCHEDULES}/upcoming"), &[query]).await
    }

    /// How the scheduler is doing.
    pub async fn health(self) -> Result<SchedulerHealth, Error> {
        self.0.get(&format!("{SCHEDULES}/health"), &[]).await
    }

    /// What a cron text would do; nothing is kept.
    pub async fn preview(self, wish: &PreviewSchedule) -> Result<SchedulePreview, Error> {
        self.0.post(&format!("{SCHEDULES}:preview"), wish, &Write::default()).await
    }

    /// Makes a schedule.
    pub async fn make(self, wish: &MakeSchedule, write: &Write) -> Result<Schedule, Error> {
        self.0.post(SCHEDULES, wish, write).await
    }

    /// Changes a schedule.
    pub async fn change(
        self,
        id: &ScheduleId,
        wish: &ChangeSchedule,
        write: &Write,
    ) -> Result<Schedule, Error> {
        self.0.post(&format!("{SCHEDULES}/{id}:update"), wish, write).await
    }

    /// Switches a schedule on.
    pub async fn enable(self, id: &ScheduleId, write: &Write) -> Result<Schedule, Error> {
        self.0.post_nothing(&format!("{SCHEDULES}/{id}:enable"), write).await
    }

    /// Switches a schedule off.
    pub async fn disable(self, id: &ScheduleId, write: &Write) -> Result<Schedule, Error> {
        self.0.post_nothing(&format!("{SCHEDULES}/{id}:disable"), write).await
    }

    /// Pauses a schedule, for good or until a time; its fires are dropped.
    pub async fn pause(
        self,
        id: &ScheduleId,
        wish: &PauseSchedule,
        write: &Write,
    ) -> Result<Schedule, Error> {
        self.0.post(&format!("{SCHEDULES}/{id}:pause"), wish, write).await
    }

    /// Lets a paused schedule fire again.
    pub async fn resume(self, id: &ScheduleId, write: &Write) -> Result<Schedule, Error> {
        self.0.post_nothing(&format!("{SCHEDULES}/{id}:resume"), write).await
    }

    /// Starts a run of a schedule now.
    pub async fn trigger(self, id: &ScheduleId, wish: &TriggerSchedule, write: &Write) -> Result<Run, Error> {
        self.0.post(&format!("{SCHEDULES}/{id}:trigger"), wish, write).await
    }

    /// Takes a schedule away; its runs stay.
    pub async fn delete(self, id: &ScheduleId, write: &Write) -> Result<Schedule, Error> {
        self.0.post_nothing(&format!("{SCHEDULES}/{id}:delete"), write).await
    }
}
