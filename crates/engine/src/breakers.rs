//! Circuit breakers as their operators see them: look, open or close by force, give back to the rules (spec 02 §2.6).

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::feedback::closed;
use crate::gate::{new_throttle, probes_succeeded, successes};
use crate::journal::Journal;
use crate::limit_changes::{Change, demand_version, note};
use crate::limits::{host_of, window};
use stella_contract::breaker::{
    AddBreaker, Breaker, BreakerEvent, BreakerFilter, BreakerKind, BreakerState, next,
};
use stella_contract::ids::BreakerId;
use stella_contract::page::Page;
use stella_contract::scope::Scope;
use stella_contract::throttle::{ThrottleKind, ThrottleLevel, ThrottleReason};
use stella_contract::time::Micros;
use stella_ledger::breakers::BreakerRow;
use stella_ledger::record::Cell;
use stella_ledger::throttles::ThrottleRow;
use stella_ledger::{Tx, breakers, limits, throttles};

/// The longest host or job type.
const LONGEST_KEY: usize = 253;
/// Attempts of a window that are counted; of more it is not said how many.
const COUNTED: i64 = 10_000;

/// The breakers.
#[derive(Clone)]
pub struct Breakers {
    engine: Engine,
}

impl Engine {
    /// The breakers.
    pub fn breakers(&self) -> Breakers {
        Breakers { engine: self.clone() }
    }
}

impl Breakers {
    /// The breakers that match, the open ones first. They are few, so that one page holds them all.
    pub async fn list(&self, caller: &Caller, filter: &BreakerFilter) -> Result<Page<Breaker>, Error> {
        caller.demand(Scope::OrchRead)?;
        let (tenant, now) = (caller.tenant.clone(), self.engine.now());
        let mut items: Vec<Breaker> = self
            .engine
            .ledger()
            .read(move |tx| {
                Box::pin(async move {
                    let mut shown = Vec::new();
                    for row in breakers::of_tenant(tx, tenant.as_str()).await? {
                        shown.push(view(tx, row, now).await?);
                    }
                    Ok::<_, Error>(shown)
                })
            })
            .await?;
        items.retain(|breaker| {
            filter.state.is_none_or(|state| state == breaker.state)
                && filter.kind.is_none_or(|kind| kind == breaker.kind)
                && filter.key.as_ref().is_none_or(|key| *key == breaker.key)
        });
        let urgency = |breaker: &Breaker| match breaker.state {
            BreakerState::Open => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Closed => 2,
        };
        items.sort_by_key(urgency);
        let total_estimate = u64::try_from(items.len()).ok();
        Ok(Page { items, next_page_token: None, total_estimate })
    }

    /// Opens or closes the breaker of a host or type by force, whether anything failed there before or not.
    pub async fn add(&self, caller: &Caller, wish: AddBreaker) -> Result<Breaker, Error> {
        caller.demand_write(Scope::OrchQuota)?;
        let event = match wish.state {
            BreakerState::Open => BreakerEvent::ForceOpen,
            BreakerState::Closed => BreakerEvent::ForceClose,
            BreakerState::HalfOpen => {
                return Err(Error::invalid("state", "is `open` or `closed`; half open it becomes by itself"));
            }
        };
        check_key(&wish)?;
        self.steer(caller, event, None, move |tx, caller, now| {
            Box::pin(async move {
                let tenant = caller.tenant.as_str();
                let found = breakers::find(tx, tenant, wish.kind.as_str(), &wish.key).await?;
                Ok(found.unwrap_or_else(|| closed(tenant, wish.kind, &wish.key, now)))
            })
        })
        .await
    }

    /// Opens a breaker until a reset.
    pub async fn open(
        &self,
        caller: &Caller,
        id: &BreakerId,
        expected: Option<i64>,
    ) -> Result<Breaker, Error> {
        self.steer_one(caller, id, BreakerEvent::ForceOpen, expected).await
    }

    /// Closes a breaker until a reset, whatever fails.
    pub async fn close(
        &self,
        caller: &Caller,
        id: &BreakerId,
        expected: Option<i64>,
    ) -> Result<Breaker, Error> {
        self.steer_one(caller, id, BreakerEvent::ForceClose, expected).await
    }

    /// Gives a breaker back to the rules, closed and with an empty window.
    pub async fn reset(
        &self,
        caller: &Caller,
        id: &BreakerId,
        expected: Option<i64>,
    ) -> Result<Breaker, Error> {
        self.steer_one(caller, id, BreakerEvent::Reset, expected).await
    }

    async fn steer_one(
        &self,
        caller: &Caller,
        id: &BreakerId,
        event: BreakerEvent,
        expected: Option<i64>,
    ) -> Result<Breaker, Error> {
        let id = id.clone();
        self.steer(caller, event, expected, move |tx, caller, _| {
            Box::pin(async move {
                let rows = breakers::of_tenant(tx, caller.tenant.as_str()).await?;
                let found = rows.into_iter().find(|row| row.breaker_id == id.as_str());
                found.ok_or_else(|| Error::not_found("breaker", &id))
            })
        })
        .await
    }

    async fn steer<F>(
        &self,
        caller: &Caller,
        event: BreakerEvent,
        expected: Option<i64>,
        find: F,
    ) -> Result<Breaker, Error>
    where
        F: for<'t> FnOnce(
                &'t mut Tx,
                &'t Caller,
                Micros,
            ) -> stella_ledger::BoxFuture<'t, Result<BreakerRow, Error>>
            + Send
            + 'static,
    {
        caller.demand_write(Scope::OrchQuota)?;
        let (engine, caller) = (self.engine.clone(), caller.clone());
        self.engine
            .ledger()
            .write(move |tx| {
                Box::pin(async move {
                    let (now, mut journal) = (engine.now(), Journal::default());
                    let row = find(tx, &caller, now).await?;
                    demand_version(expected, row.version)?;
                    engine.limits_changed();
                    let after = force(tx, &caller, row, event, now, &mut journal).await?;
                    journal.leave(tx);
                    Ok(after)
                })
            })
            .await
    }
}

/// Resets the breakers of this host or type in the caller's tenant.
pub(crate) async fn reset_of_key(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    now: Micros,
    journal: &mut Journal,
) -> Result<(), Error> {
    let rows = breakers::of_tenant(tx, caller.tenant.as_str()).await?;
    for row in rows.into_iter().filter(|row| row.key == key) {
        force(tx, caller, row, BreakerEvent::Reset, now, journal).await?;
    }
    Ok(())
}

/// Goes along an arrow that an operator chose.
async fn force(
    tx: &mut Tx,
    caller: &Caller,
    row: BreakerRow,
    event: BreakerEvent,
    now: Micros,
    journal: &mut Journal,
) -> Result<Breaker, Error> {
    let before = view(tx, row.clone(), now).await?;
    let mut row = row;
    row.state = next(before.state, event)?.as_str().to_owned();
    row.half_open_at = None;
    row.open_until = None;
    row.forced = i64::from(event != BreakerEvent::Reset);
    row.operator_reason = caller.cause.reason.clone().filter(|_| event != BreakerEvent::Reset);
    row.changed_at = now.0;
    row.changed_by.clone_from(&caller.subject);
    row.version += 1;
    let kind = match event {
        BreakerEvent::ForceOpen => {
            row.opened_at = Some(now.0);
            "orch.breaker.opened"
        }
        BreakerEvent::ForceClose => "orch.breaker.closed",
        BreakerEvent::Reset => {
            row.window_from = now.0;
            row.openings = 0;
            "orch.breaker.reset"
        }
        BreakerEvent::Trip | BreakerEvent::Elapse | BreakerEvent::Recover => {
            return Err(Error::internal(format!("no operator chooses `{event}`")));
        }
    };
    breakers::put(tx, &row).await?;
    if event == BreakerEvent::ForceOpen {
        let tenant = caller.tenant.as_str();
        let (of, why, level) = (ThrottleKind::Breaker, ThrottleReason::Operator, ThrottleLevel::Critical);
        let met = ThrottleRow {
            actor: Some(caller.subject.clone()),
            operator_reason: caller.cause.reason.clone(),
            ticket: caller.cause.ticket.clone(),
            ..new_throttle(tenant, of, &row.key, why, level, now)
        };
        throttles::meet_many(tx, &[met]).await?;
    }
    let after = view(tx, row, now).await?;
    let id = after.breaker_id.as_str();
    let change = Change { entity: "breaker", kind, id, before: Some(&before), after: Some(&after) };
    note(journal, caller, &change, now)?;
    Ok(after)
}

fn check_key(wish: &AddBreaker) -> Result<(), Error> {
    match wish.kind {
        BreakerKind::JobType => crate::intake::checked_job_type("key", &wish.key).map(drop),
        BreakerKind::Host => {
            let fits = !wish.key.is_empty() && wish.key.len() <= LONGEST_KEY;
            let host = host_of(&format!("https://{}", wish.key));
            if fits && host.as_deref() == Some(wish.key.as_str()) {
                return Ok(());
            }
            Err(Error::invalid("key", "is the name of a host in small letters, with its port if it has one"))
        }
    }
}

/// A breaker as every door shows it.
pub(crate) async fn view(tx: &mut Tx, row: BreakerRow, now: Micros) -> Result<Breaker, Error> {
    let id = row.breaker_id.clone();
    let cell = Cell { table: "breakers", id: &id };
    let from = window::begins(now, row.window_from);
    let (failures, others) =
        breakers::failures(tx, &row.tenant, &row.kind, &row.key, window::slot_of(from)).await?;
    let succeeded = successes(tx, &row, from.0, i64::MIN, COUNTED).await?;
    let probes_at_work = match row.half_open_at {
        None => 0,
        Some(since) => at_work(tx, &row, since).await?,
    };
    let (probes_succeeded, next_opening) = (probes_succeeded(tx, &row).await?, row.openings + 1);
    Ok(Breaker {
        breaker_id: cell.word("breaker_id", row.breaker_id)?,
        tenant: cell.word("tenant", row.tenant)?,
        kind: cell.word("kind", row.kind)?,
        key: row.key,
        state: cell.word("state", row.state)?,
        forced: row.forced != 0,
        opened_at: row.opened_at.map(Micros),
        open_until: row.open_until.map(Micros),
        open_for_ms: window::open_ms(next_opening),
        openings: row.openings,
        probes_allowed: window::PROBES,
        probes_at_work,
        probes_succeeded,
        attempts: failures + others + succeeded,
        failures,
        operator_reason: row.operator_reason,
        changed_at: Micros(row.changed_at),
        changed_by: row.changed_by,
        version: row.version,
    })
}

/// Probes under a lease: attempts of the breaker's type or host that started since it is half open.
async fn at_work(tx: &mut Tx, row: &BreakerRow, since: i64) -> Result<i64, Error> {
    let live = limits::live(tx).await?;
    let ids: Vec<&str> = live.iter().filter_map(|lease| lease.source_id.as_deref()).collect();
    let sources = limits::sources(tx, &ids).await?;
    let host = |id: &Option<String>| {
        let facts = sources.iter().find(|facts| Some(&facts.source_id) == id.as_ref())?;
        host_of(&facts.location)
    };
    let own = live.iter().filter(|lease| {
        let guarded = if row.kind == "host" {
            host(&lease.source_id).as_deref() == Some(row.key.as_str())
        } else {
            lease.job_type == row.key
        };
        lease.tenant == row.tenant && guarded && lease.attempt_started_at.is_none_or(|at| at >= since)
    });
    Ok(i64::try_from(own.count()).unwrap_or(i64::MAX))
}
