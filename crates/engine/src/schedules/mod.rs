//! Schedules: when runs start by themselves (spec 05 §5.2).
//!
//! | file | holds |
//! |---|---|
//! | `wish` | what is demanded of a schedule before it is kept |
//! | `change` | what operators do to one: make, change, switch, pause, delete |
//! | `trigger` | a run of a schedule, by its fire or by hand |
//! | `verdict`, `fire` | what becomes of due fires; writing that down |
//! | `view` | a schedule as every door shows it |
//! | `preview` | what a cron text would do, and the coming fires of all |
//! | `health` | how the scheduler is doing |

mod change;
pub(crate) mod fire;
mod health;
mod preview;
mod trigger;
mod upcoming;
mod verdict;
mod view;
mod wish;

use crate::caller::Caller;
use crate::cron::Cron;
use crate::engine::Engine;
use crate::error::Error;
use crate::page;
use stella_contract::ids::{ScheduleId, Tenant};
use stella_contract::page::{Page, PageQuery};
use stella_contract::schedule::{Schedule, ScheduleFilter, ScheduleFire};
use stella_contract::scope::Scope;
use stella_ledger::schedules::{self, ScheduleRow};
use stella_ledger::{LedgerError, Tx};

/// The task that fires them, as the history names it.
pub(crate) const SCHEDULER: &str = "scheduler";

/// The schedules.
#[derive(Clone)]
pub struct Schedules {
    engine: Engine,
}

impl Engine {
    /// The schedules.
    pub fn schedules(&self) -> Schedules {
        Schedules { engine: self.clone() }
    }
}

/// Whether some schedule's name may hold this text.
fn is_name_part(text: &str) -> bool {
    const LONGEST: usize = 80;
    text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

impl Schedules {
    /// Schedules of the tenant: next fire first, those without one last, then id.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &ScheduleFilter,
        query: &PageQuery,
    ) -> Result<Page<Schedule>, Error> {
        caller.demand(Scope::RunsRead)?;
        if filter.name.as_ref().is_some_and(|name| !is_name_part(name)) {
            return Err(Error::invalid("name", "has at most 80 characters and no control characters"));
        }
        let key = (filter, "schedules");
        let after: Option<(i64, String)> = page::after(&key, query)?;
        let (tenant, wanted, now) = (caller.tenant.clone(), filter.clone(), self.engine.now());
        let limit = i64::from(query.size()) + 1;
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let total = schedules::count(tx, &tenant, &wanted).await?;
                let rows = schedules::list(tx, &tenant, &wanted, after.as_ref(), limit).await?;
                Ok((view::many(tx, rows, now).await?, total))
            })
        });
        let (views, total) = read.await?;
        page::of(&key, query, views, u64::try_from(total).ok(), |schedule| {
            let place = schedule.next_fire_at.map_or(i64::MAX, |at| at.0);
            (place, schedule.schedule_id.as_str().to_owned())
        })
    }

    /// One schedule.
    pub async fn get(&self, caller: &Caller, id: &ScheduleId) -> Result<Schedule, Error> {
        caller.demand(Scope::RunsRead)?;
        let (tenant, id, now) = (caller.tenant.clone(), id.clone(), self.engine.now());
        let read = self.engine.ledger().read(move |tx| {
            Box::pin(async move {
                let row = find(tx, &tenant, &id).await?;
                view::one(tx, row, now).await
            })
        });
        read.await
    }

    /// What became of the fires of a schedule, newest first.
    pub async fn fires(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        query: &PageQuery,
    ) -> Result<Page<ScheduleFire>, Error> {
        caller.demand(Scope::RunsRead)?;
        let key = (id, "fires");
        let before: Option<i64> = page::after(&key, query)?;
        let (tenant, wanted) = (caller.tenant.clone(), id.clone());
        let limit = i64::from(query.size()) + 1;
        let read = self.engine.ledger().read::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let row = find(tx, &tenant, &wanted).await?;
                let total = schedules::count_fires(tx, &row.schedule_id).await?;
                Ok((schedules::fires(tx, &row.schedule_id, before, limit).await?, total))
            })
        });
        let (rows, total) = read.await?;
        let views = rows.into_iter().map(|fire| ScheduleFire {
            due_at: fire.due_at,
            outcome: fire.outcome,
            run_id: fire.run_id,
            decided_at: fire.decided_at,
            delay_ms: fire.decided_at.ms_since(fire.due_at).max(0),
        });
        page::of(&key, query, views.collect(), u64::try_from(total).ok(), |fire: &ScheduleFire| fire.due_at.0)
    }
}

/// The schedule, or that this tenant has none of this id.
async fn find(tx: &mut Tx, tenant: &Tenant, id: &ScheduleId) -> Result<ScheduleRow, Error> {
    schedules::get(tx, tenant, id).await?.ok_or_else(|| Error::not_found("schedule", id))
}

/// The cron of a schedule that is kept, and so was read before.
pub(crate) fn cron_of(row: &ScheduleRow) -> Result<Cron, LedgerError> {
    Cron::read(&row.cron, &row.time_zone)
        .map_err(|_| LedgerError::corrupt("schedules", "cron", row.schedule_id.as_str()))
}
