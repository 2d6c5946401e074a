//! What the tests of schedules share.

use crate::support::World;
use std::sync::Arc;
use stella_contract::history::HistoryEntry;
use stella_contract::ids::ScheduleId;
use stella_contract::page::PageQuery;
use stella_contract::run::{Run, RunFilter, RunMode, RunScope};
use stella_contract::schedule::{FireOutcome, MakeSchedule, Schedule, ScheduleFire};
use stella_contract::time::Micros;
use stella_engine::Engine;
use stella_engine::tasks::{self, Task};
use stella_ledger::LedgerError;
use stella_ledger::history::{self, About};

/// A schedule of this name and time, without jitter.
pub(crate) fn wish(name: &str, cron: &str) -> MakeSchedule {
    MakeSchedule {
        name: name.to_owned(),
        cron: cron.to_owned(),
        timezone: None,
        jitter_s: Some(0),
        overlap_policy: None,
        catchup_window_s: None,
        mode: RunMode::AnalysisOnly,
        scope: RunScope::All,
        policy_snapshot_id: None,
        kev_first: false,
        max_targets: None,
        limits: None,
        notify: None,
        enabled: None,
    }
}

/// The task that fires, and nothing else: runs stay in planning.
pub(crate) fn scheduler() -> Arc<dyn Task> {
    task("scheduler")
}

/// The task of this name.
pub(crate) fn task(name: &str) -> Arc<dyn Task> {
    tasks::all().into_iter().find(|task| task.name() == name).expect("it is among the tasks")
}

/// Lets this engine look once.
pub(crate) async fn tick(engine: &Engine) -> usize {
    scheduler().activate(engine).await.unwrap().did
}

pub(crate) fn at(text: &str) -> Micros {
    Micros::parse(&format!("2026-11-21T{text}Z")).unwrap()
}

impl World {
    pub(crate) async fn make(&self, wish: MakeSchedule) -> Schedule {
        self.engine.schedules().make(&self.caller, wish).await.unwrap()
    }
    pub(crate) async fn schedule(&self, id: &ScheduleId) -> Schedule {
        self.engine.schedules().get(&self.caller, id).await.unwrap()
    }
    /// Moves the clock to this time of the day and lets the scheduler look.
    pub(crate) async fn goes_to(&self, text: &str) {
        let ms = at(text).ms_since(self.now());
        assert!(ms >= 0, "the clock goes on");
        self.clock.advance_ms(ms);
        tick(&self.engine).await;
    }
    pub(crate) async fn fires(&self, id: &ScheduleId) -> Vec<ScheduleFire> {
        let page = self.engine.schedules().fires(&self.caller, id, &PageQuery::default()).await.unwrap();
        page.items
    }
    /// When each fire was due and what became of it, oldest first.
    pub(crate) async fn outcomes(&self, id: &ScheduleId) -> Vec<(Micros, FireOutcome)> {
        let mut fires = self.fires(id).await;
        fires.reverse();
        fires.into_iter().map(|fire| (fire.due_at, fire.outcome)).collect()
    }
    pub(crate) async fn runs(&self) -> Vec<Run> {
        let page = PageQuery { page_size: Some(500), ..PageQuery::default() };
        self.engine.runs().list(&self.caller, &RunFilter::default(), &page).await.unwrap().items
    }
    /// What was written down about schedules, oldest first.
    pub(crate) async fn said(&self) -> Vec<HistoryEntry> {
        let tenant = self.caller.tenant.clone();
        let read = self.engine.ledger().read::<_, LedgerError, _>(move |tx| {
            Box::pin(async move { history::oldest(tx, &tenant, &About::Everything, 0, 10_000).await })
        });
        read.await.unwrap().into_iter().filter(|entry| entry.entity == "schedule").collect()
    }
    /// The kinds of these entries, in short.
    pub(crate) async fn kinds_said(&self) -> Vec<String> {
        let short = |entry: HistoryEntry| entry.kind.trim_start_matches("scheduler.schedule.").to_owned();
        self.said().await.into_iter().map(short).collect()
    }
}
