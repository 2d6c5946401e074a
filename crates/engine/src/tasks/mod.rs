//! Background work. A task takes no input: it looks, and repairs. After a crash the same code runs as on any day.

mod backfill_feeder;
mod cancel_forcer;
mod change_set_runner;
mod dead_letter_alerts;
mod depth_sampler;
mod dispatcher;
mod follow_up;
mod incident_watch;
mod lease_reaper;
mod limit_keeper;
mod planner;
mod pressure_gauge;
mod run_sampler;
mod run_watch;
mod schedule_firer;
mod slo_watch;
mod sweeper;

use crate::engine::Engine;
use crate::error::Error;
use async_trait::async_trait;
use pressure_gauge::Machine;
use std::sync::Arc;
use stella_contract::time::Micros;

/// Background work of one kind.
#[async_trait]
pub trait Task: Send + Sync + 'static {
    /// Its name, as the history shows it.
    fn name(&self) -> &'static str;
    /// Looks and repairs, once.
    async fn activate(&self, engine: &Engine) -> Result<Activity, Error>;
}

/// What an activation did and when the next is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// How many things it changed.
    pub did: usize,
    /// When there is something to do next, as far as is known.
    pub next_at: Option<Micros>,
}

/// Every task of this product, in the order in which one's work may become another's.
pub fn all() -> Vec<Arc<dyn Task>> {
    with(Machine::Measured)
}

/// The same for a while only: the machine is left out of it.
pub(crate) fn for_a_while() -> Vec<Arc<dyn Task>> {
    with(Machine::LeftAlone)
}

fn with(machine: Machine) -> Vec<Arc<dyn Task>> {
    vec![
        Arc::new(lease_reaper::LeaseReaper),
        Arc::new(cancel_forcer::CancelForcer),
        Arc::new(change_set_runner::ChangeSetRunner),
        Arc::new(backfill_feeder::BackfillFeeder),
        Arc::new(pressure_gauge::PressureGauges::new(machine)),
        Arc::new(limit_keeper::LimitKeeper),
        Arc::new(dispatcher::Dispatcher),
        Arc::new(schedule_firer::ScheduleFirer),
        Arc::new(follow_up::FollowUp),
        Arc::new(planner::Planner::default()),
        Arc::new(run_watch::RunWatch),
        Arc::new(run_sampler::RunSampler),
        Arc::new(dead_letter_alerts::DeadLetterAlerts),
        Arc::new(incident_watch::IncidentWatch::default()),
        Arc::new(depth_sampler::DepthSampler),
        Arc::new(slo_watch::SloWatch::default()),
        Arc::new(sweeper::Sweeper),
    ]
}
