//! The endpoints of schedules.

use super::client::{Api, Result, with_query};
use stella_contract::ids::ScheduleId;
use stella_contract::job::Cause;
use stella_contract::page::{Page, PageQuery};
use stella_contract::run::Run;
use stella_contract::schedule::{
    ChangeSchedule, MakeSchedule, PauseSchedule, PreviewSchedule, Schedule, ScheduleFilter, ScheduleFire,
    SchedulePreview, SchedulerHealth, TriggerSchedule, UpcomingFires, UpcomingQuery,
};

/// What an operator may do to a schedule without saying more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleVerb {
    /// Switches it on.
    Enable,
    /// Switches it off.
    Disable,
    /// Ends its pause.
    Resume,
    /// Takes it away.
    Delete,
}

impl ScheduleVerb {
    /// As the address spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Resume => "resume",
            Self::Delete => "delete",
        }
    }
    /// As the command line spells it.
    pub const fn command(self) -> &'static str {
        match self {
            Self::Delete => "remove",
            Self::Enable | Self::Disable | Self::Resume => self.as_str(),
        }
    }
}

impl Api {
    /// A page of schedules, next fire first.
    pub async fn schedules(&self, filter: &ScheduleFilter, page: &PageQuery) -> Result<Page<Schedule>> {
        self.get(with_query("/api/v1/schedules", filter, page)?).await
    }
    /// One schedule.
    pub async fn schedule(&self, id: &ScheduleId) -> Result<Schedule> {
        self.get(format!("/api/v1/schedules/{id}")).await
    }
    /// A page of what became of a schedule's fires.
    pub async fn schedule_fires(&self, id: &ScheduleId, page: &PageQuery) -> Result<Page<ScheduleFire>> {
        self.get(with_query(&format!("/api/v1/schedules/{id}/fires"), &(), page)?).await
    }
    /// The coming fires of all schedules, or of one.
    pub async fn upcoming_fires(&self, only: Option<&ScheduleId>) -> Result<UpcomingFires> {
        let query = UpcomingQuery { schedule_id: only.cloned() };
        self.get(with_query("/api/v1/schedules/upcoming", &query, &())?).await
    }
    /// How the scheduler is doing.
    pub async fn scheduler_health(&self) -> Result<SchedulerHealth> {
        self.get("/api/v1/schedules/health".into()).await
    }
    /// What a cron text would do.
    pub async fn preview_schedule(&self, wish: &PreviewSchedule) -> Result<SchedulePreview> {
        self.post_json("/api/v1/schedules:preview".into(), wish, &Cause::default()).await
    }
    /// Makes a schedule.
    pub async fn make_schedule(&self, wish: &MakeSchedule, cause: &Cause) -> Result<Schedule> {
        self.post_json("/api/v1/schedules".into(), wish, cause).await
    }
    /// Changes a schedule.
    pub async fn change_schedule(
        &self,
        id: &ScheduleId,
        wish: &ChangeSchedule,
        cause: &Cause,
    ) -> Result<Schedule> {
        self.post_json(format!("/api/v1/schedules/{id}:update"), wish, cause).await
    }
    /// Pauses a schedule.
    pub async fn pause_schedule(
        &self,
        id: &ScheduleId,
        wish: &PauseSchedule,
        cause: &Cause,
    ) -> Result<Schedule> {
        self.post_json(format!("/api/v1/schedules/{id}:pause"), wish, cause).await
    }
    /// Switches a schedule on or off, resumes it or takes it away.
    pub async fn steer_schedule(
        &self,
        id: &ScheduleId,
        verb: ScheduleVerb,
        cause: &Cause,
    ) -> Result<Schedule> {
        self.post(format!("/api/v1/schedules/{id}:{}", verb.as_str()), None, cause).await
    }
    /// Starts a run of a schedule now.
    pub async fn trigger_schedule(
        &self,
        id: &ScheduleId,
        wish: &TriggerSchedule,
        cause: &Cause,
    ) -> Result<Run> {
        self.post_json(format!("/api/v1/schedules/{id}:trigger"), wish, cause).await
    }
}
